"""The evidence of a finding as people read it: single figures, and tables of rows.

Monitors write plain JSON. A list of objects becomes a table, an object of objects one with their
names in the first column; everything else is a figure with its name in words. A time is what ends
in `_at`, a share what is named so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.time import short_time
from unrot.web.wording import number, rough

MOST_ROWS = 50
MOST_VALUES = 12
SHARES = (
    *("share", "missing", "unseen", "rejected", "accuracy", "loss", "guess", "low", "high"),
    *("bound", "floor", "constant", "promised", "before", "realised", "estimated"),
    *("holdout", "threshold", "elsewhere", "usual"),
)
"""Names, or the last words of names, whose fractions are shares of a whole."""

UNSAID = frozenset({"whose", "is_from_start", "is_promised", "has_moved", "is_calm", "is_exact"})
"""What monitors note for themselves; the sentence of the finding says it where it matters."""
CALLED = {
    "statistic": "Change detector",
    "threshold": "It fires above",
    "predicted": "Predictions since",
    "constant": "A constant guess",
    "kind": "What has changed",
    "rows_before": "Rows before",
    "looked_at": "Rows looked at",
    "farthest": "Farthest, times the usual distance",
}
HEADS = {"expected": "Distance by chance"}
"""Heads of tables that say more than the name does."""
INTERVALS = {"static": "By the test set they held the truth", "told": "What was told held it"}
"""Figures that come with the two ends of their interval."""
CHANGED = {
    "broken rows": "the rows: they look broken",
    "data": "the inputs: data drift",
    "concept": "what is right: concept drift",
    "unknown": "not known yet",
}
LEAST_CHANCE = 0.001


@dataclass(frozen=True, slots=True)
class Figure:
    """One number or word, with its name."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Some rows of the same kind."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int = 0


def readable(evidence: Mapping[str, Any]) -> tuple[list[Figure], list[Table]]:
    """Part evidence into single figures and tables.

    >>> one = {"column": "age", "distance": 0.4, "expected": 0.17}
    >>> figures, [table] = readable({"share": 0.25, "columns": [one]})
    >>> figures, dict(zip(table.heads[1:], table.rows[0][1:]))
    ([Figure(label='Share', text='25 %')], {'Distance': '0.4', 'Distance by chance': '0.17'})
    """
    figures: list[Figure] = []
    tables: list[Table] = []
    is_of_numbers = any(isinstance(one, Mapping) and "rmse" in one for one in evidence.values())
    for name, value in evidence.items():
        if name in UNSAID:
            continue
        if isinstance(value, Mapping) and {"value", "verdicts"} <= set(value):
            figures.append(Figure(_words(name), _reached(value, is_of_numbers=is_of_numbers)))
        elif rows := _rows(value):
            tables.append(_table(name, rows))
        elif name in INTERVALS:
            share, low, high = (roughly(one) for one in value)
            figures.append(Figure(INTERVALS[name], f"{share} ({low} to {high})"))
        else:
            figures.append(Figure(CALLED.get(name, _words(name)), _text(name, value)))
    return figures, tables


def _rows(value: Any) -> list[Mapping[str, Any]]:
    """Return the rows of what is a table, none for what is not."""
    if isinstance(value, Mapping) and value:
        if all(isinstance(one, Mapping) for one in value.values()):
            return [{"name": name, **one} for name, one in value.items()]
        return []
    if isinstance(value, list | tuple) and all(isinstance(one, Mapping) for one in value):
        return list(value)
    return []


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    every = dict.fromkeys(head for row in rows for head in row if head not in UNSAID)
    heads = [head for head in every if any(row.get(head) not in (0, None) for row in rows)]
    shown = [[_text(head, row.get(head)) for head in heads] for row in rows[:MOST_ROWS]]
    title = _words(name)
    named = [HEADS.get(head, _words(head)) for head in heads]
    return Table(title, named, shown, max(0, len(rows) - MOST_ROWS))


def _reached(value: Mapping[str, Any], *, is_of_numbers: bool) -> str:
    """Write how right answers were, and in how many verdicts."""
    writes = rough if is_of_numbers else roughly
    low, high = value.get("low"), value.get("high")
    between = "" if low is None or high is None else f" ({writes(low)} to {writes(high)})"
    count = int(value["verdicts"])
    said = "–" if value["value"] is None else writes(value["value"])
    off = "off by " if is_of_numbers else ""
    return f"{off}{said}{between}, {counted(count, 'verdict')}"


def _words(name: str) -> str:
    return (name[:1].upper() + name[1:]).replace("_", " ")


def _text(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(name, one)}" for key, one in _first(value.items()))
    if isinstance(value, list | tuple):
        return ", ".join(_text(name, one) for one in _first(value))
    if isinstance(value, float | int):
        return _figure(name, value)
    if name == "kind":
        return CHANGED.get(str(value), str(value))
    return str(value)


def _first(values: Any) -> list[Any]:
    return list(values)[:MOST_VALUES]


def _figure(name: str, value: float) -> str:
    if name == "since" or (name.endswith("_at") and name != "looked_at"):
        return short_time(value)
    if name == "chance" and value < LEAST_CHANCE:
        return f"< {LEAST_CHANCE}"
    parts = set(name.split("_"))
    if isinstance(value, float) and parts & set(SHARES) and 0 <= value <= 1:
        return roughly(value)
    return rough(value) if isinstance(value, float) else number(value)
