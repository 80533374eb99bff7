"""What a chart is made of, ready to be drawn: places and words, no colours, no HTML.

Places are in percent of the plot, from its left and from its top, so that one drawing fits every
width while texts and strokes keep their size. Lines and areas are paths on a square of 1000 by
1000 which the page stretches over the plot. A tone is a word that the style sheet knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BOX = 1000.0

Pointing = Literal["columns", "points", "cells"]
"""What is found under a pointer: the nearest place by x, the nearest point, or what lies there."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and what is written there."""

    at: float
    label: str
    is_spare: bool = False
    """Left out where the plot is narrow."""

    @property
    def anchor(self) -> str:
        """Say how a label below the plot lies, so that it stays within the sheet."""
        return "start" if self.at < 4 else "end" if self.at > 96 else "middle"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line, solid or not."""

    d: str
    tone: str
    style: Literal["solid", "dashed", "dotted"] = "solid"


@dataclass(frozen=True, slots=True)
class Area:
    """A filled shape, such as the band around a line."""

    d: str
    tone: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    tone: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point that has a shape beside its tone, since not everybody tells tones apart."""

    x: float
    y: float
    tone: str
    shape: Literal["circle", "cross", "ring"] = "circle"


@dataclass(frozen=True, slots=True)
class Mark:
    """A labelled vertical line: something happened then."""

    x: float
    label: str
    text: str
    tone: str = "mark"
    row: int = 0
    is_spare: bool = False
    """Its label is left out where the plot is narrow."""
    href: str = ""

    @property
    def anchor(self) -> str:
        """Say on which side of the line the label lies."""
        return "end" if self.x > 88 else "start"


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of the plot that can be pointed at, and what is said of it."""

    x: float
    y: float
    text: str
    """Lines; the first is the heading."""
    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0
    href: str = ""
    key: str = ""
    """What it is of, so that a table beside it can be found."""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the legend."""

    name: str
    tone: str
    shape: Literal["line", "dashed", "dotted", "box", "band", "circle", "cross", "ring"] = "line"


@dataclass(frozen=True, slots=True)
class Table:
    """The data of a chart."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    links: tuple[str, ...] = ()
    """Where each row leads, when it leads anywhere."""
    left_out: int = 0
    """Rows that the table has no room for."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, ready to be drawn by templates/charts/_chart.html."""

    name: str
    """Unique on its page."""
    title: str
    sentence: str
    """What it shows, for whoever cannot see it."""
    table: Table
    unit: str = ""
    pointing: Pointing = "columns"
    height: Literal["tall", "low"] = "tall"
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    x_title: str = ""
    y_title: str = ""
    areas: tuple[Area, ...] = ()
    bars: tuple[Bar, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    dots: tuple[Dot, ...] = ()
    marks: tuple[Mark, ...] = ()
    spots: tuple[Spot, ...] = ()
    legend: tuple[Entry, ...] = ()
    is_empty: bool = False
    """Then only the sentence is shown."""
    brush: str = ""
    """Charts of one brush select together."""


def place(value: float) -> float:
    """Round a place as far as it can be seen.

    >>> place(33.3333333), place(-0.0001)
    (33.333, 0.0)
    """
    return round(value, 3) + 0.0


def path(points: list[tuple[float, float]], *, is_closed: bool = False) -> str:
    """Draw a line through points given in percent.

    >>> path([(0, 50), (33.3333, 0)])
    'M0 500L333.3 0'
    """
    box = BOX / 100
    steps = "L".join(f"{_short(x * box)} {_short(y * box)}" for x, y in points)
    return f"M{steps}{'Z' if is_closed else ''}" if points else ""


def _short(value: float) -> str:
    return f"{round(value, 1):g}"
