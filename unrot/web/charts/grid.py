"""Cells in rows: strips of periods over time, or a table that is shaded.

What a cell is shows by its tone; whatever matters has an outline, an underline or a word besides,
so that nobody needs the colours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from unrot.web.charts.axes import Tick
from unrot.web.charts.chart import Table


@dataclass(frozen=True, slots=True)
class Cell:
    """One of a row: what is said of it, and how it looks."""

    text: str
    tone: str
    label: str = ""
    """What stands in it."""
    note: str = ""
    href: str = ""
    x: float = 0.0
    """Where a period of a strip lies, in percent."""
    width: float = 0.0
    is_underlined: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row, and what is said at its end."""

    name: str
    cells: tuple[Cell, ...]
    end: str
    is_marked: bool = False
    """What its end says matters."""
    note: str = ""
    """Said beside that, in two words."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells, ready to be drawn by templates/charts/_grid.html."""

    name: str
    """Unique on its page."""
    title: str
    sentence: str
    rows: tuple[Row, ...] = ()
    ticks: tuple[Tick, ...] = ()
    """Below strips of time."""
    heads: tuple[str, ...] = ()
    """Above a table."""
    table: Table = field(default_factory=Table)
    left_out: int = 0
    """Rows that were left out."""

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to draw."""
        return not self.rows
