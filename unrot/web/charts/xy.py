"""What lines, bars and distributions share: columns across a plot, and marks of what happened.

A column is a place along the x axis that has a heading and says something of each series. It is
said twice: by whatever points at it, and as a row of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.core.time import bare_time
from unrot.web.charts.axes import NARROW, WIDE, Axis, place
from unrot.web.charts.chart import Mark, Spot, Table

MOST_ROWS = 500
NOTHING = "There is nothing to draw in this time."
BOLD, GAP, ROWS = 8, 10, 2
"""How wide a letter of a mark is, how far marks lie apart, and in how many rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A place across the plot, from its left to its right side, all in percent."""

    heading: str
    left: float
    right: float
    y: float
    """Where its highest value lies, or the one that matters."""
    lines: Sequence[str]
    """What is said to whoever points at it."""
    cells: Sequence[str]
    """What stands in the table."""
    x: float | None = None
    """Where it is read, if not in its middle."""

    @property
    def spot(self) -> Spot:
        """The part of the plot that can be pointed at."""
        x = place((self.left + self.right) / 2) if self.x is None else self.x
        left, width = place(self.left), place(self.right - self.left)
        return Spot(x, self.y, "\n".join([self.heading, *self.lines]), left, width)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to mark: a change of the version, a job."""

    at: float
    label: str
    text: str
    tone: Literal["mark", "job", "finding"] = "mark"
    href: str = ""


def spots_of(columns: Sequence[Column]) -> tuple[Spot, ...]:
    """Return what can be pointed at."""
    return tuple(one.spot for one in columns)


def table_of(
    head: Sequence[str], columns: Sequence[Column], more: Sequence[tuple[str, ...]] = ()
) -> Table:
    """Return the columns as rows of a table, as many as it has room for; `more` ends it."""
    rows = [(one.heading, *one.cells) for one in columns[:MOST_ROWS]]
    return Table(tuple(head), (*rows, *more), max(0, len(columns) - MOST_ROWS))


def said_of(names: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Say what each series has in a column."""
    return [f"{name}: {cell}" for name, cell in zip(names, cells, strict=True)]


def place_marks(happened: Sequence[Happening], x: Axis) -> tuple[Mark, ...]:
    """Place the labels of marks in two rows; where there is no room, the line stands alone."""
    wide, narrow = _Labels(WIDE), _Labels(NARROW)
    made: list[Mark] = []
    for one in sorted(happened, key=lambda each: each.at):
        at, text = x.at(one.at), f"{one.text}\n{bare_time(one.at)}"
        if not 0 <= at <= 100:
            continue
        row = wide.take(at, one.label, range(ROWS))
        if row is None:
            made.append(Mark(at, "", text, one.tone, href=one.href))
        else:
            is_spare = narrow.take(at, one.label, (row,)) is None
            made.append(Mark(at, one.label, text, one.tone, row, is_spare, one.href))
    return tuple(made)


class _Labels:
    """The labels that stand above a plot of some width, from the left to the right."""

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._ends = [-1.0] * ROWS

    def take(self, x: float, label: str, rows: Sequence[int]) -> int | None:
        """Take the first row whose last label ends before this one begins."""
        length = 100 * (BOLD * len(label) + GAP) / self._pixels
        begins = x - length if x > 88 else x
        row = next((one for one in rows if self._ends[one] <= begins), None)
        if row is not None:
            self._ends[row] = begins + length
        return row
