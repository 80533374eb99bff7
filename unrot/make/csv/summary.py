"""What was found in a table, laid out for a terminal."""

from __future__ import annotations

from unrot.core.errors import shown
from unrot.core.percent import percent
from unrot.core.plurals import counted
from unrot.core.records import Feature
from unrot.make.csv import LoadedTable

KINDS = {
    "number": "number",
    "integer": "whole number",
    "category": "category",
    "boolean": "yes or no",
}
MOST_SHOWN = 40
MOST_NAME = 40


def schema_table(loaded: LoadedTable) -> list[tuple[str, ...]]:
    """Return a line for each feature under a heading."""
    head = ("column", "kind", "values", "gaps", "example")
    lines = [
        (
            _short(feature.name, MOST_NAME),
            KINDS[feature.kind],
            _short(_values(feature), MOST_SHOWN),
            _share(loaded.gaps[feature.name]),
            _short(str(feature.example), 20),
        )
        for feature in loaded.dataset.schema.features
    ]
    return [head, *lines]


def sentences(loaded: LoadedTable) -> list[str]:
    """Say what is predicted, from how many rows, and what was left out and why."""
    data = loaded.dataset
    counts = f"{counted(len(data.rows), 'row')} to learn from, {len(data.holdout_rows):,} held out."
    left = [f"Left out: {shown(one.name)[1:-1]} ({one.reason})." for one in loaded.left_out]
    return [f"Target: {data.schema.target}, {_target(loaded)}.", counts, *left, *loaded.notes]


def _target(loaded: LoadedTable) -> str:
    classes = loaded.dataset.schema.classes
    if not classes:
        labels = loaded.dataset.labels
        return f"a number from {labels.min():g} to {labels.max():g}"
    return f"{len(classes)} classes: {_short(', '.join(classes), 80)}"


def _values(feature: Feature) -> str:
    if feature.choices:
        count = f"{len(feature.choices)}: " if feature.kind == "category" else ""
        return count + ", ".join(str(choice) for choice in feature.choices)
    if feature.low is None or feature.high is None:
        return ""
    return f"{feature.low:g} to {feature.high:g} {feature.unit}".strip()


def _share(gaps: float) -> str:
    return percent(gaps) if gaps else ""


def _short(text: str, most: int) -> str:
    return shown(text, most)[1:-1]
