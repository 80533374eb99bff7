"""The evidence of a finding as people read it: single figures, and tables of rows.

Monitors write plain JSON. A list of objects becomes a table, an object of objects one with their
names in the first column; everything else is a figure with its name in words. A time is what ends
in `_at`, a share what is named so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrot.web.words import number, percent, short_time

MOST_ROWS = 50
MOST_VALUES = 12
SHARES = (
    *("share", "missing", "unseen", "rejected", "accuracy", "loss", "guess", "low", "high"),
    *("bound", "floor", "expected", "realised", "estimated", "holdout", "threshold"),
)
"""Names, or the last words of names, whose fractions are shares of a whole."""


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

    >>> figures, tables = readable({"share": 0.25, "columns": [{"column": "age", "distance": 0.4}]})
    >>> figures, tables[0].heads, tables[0].rows
    ([Figure(label='share', text='25%')], ['column', 'distance'], [['age', '0.4']])
    """
    figures: list[Figure] = []
    tables: list[Table] = []
    for name, value in evidence.items():
        if rows := _rows(value):
            tables.append(_table(name, rows))
        else:
            figures.append(Figure(_words(name), _text(name, value)))
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
    heads = list(dict.fromkeys(head for row in rows for head in row))
    shown = [[_text(head, row.get(head)) for head in heads] for row in rows[:MOST_ROWS]]
    title = _words(name)
    return Table(title, [_words(head) for head in heads], shown, max(0, len(rows) - MOST_ROWS))


def _words(name: str) -> str:
    return name.replace("_", " ")


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
    return str(value)


def _first(values: Any) -> list[Any]:
    return list(values)[:MOST_VALUES]


def _figure(name: str, value: float) -> str:
    if name.endswith("_at") or name == "since":
        return short_time(value)
    parts = set(name.split("_"))
    if isinstance(value, float) and parts & set(SHARES) and 0 <= value <= 1:
        return percent(value)
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1 else number(value)
