"""What a chart is made of, ready to be drawn: places and words, no colours, no HTML.

Places are in percent of the plot, from its left and from its top, so that one drawing fits every
width while texts and strokes keep their size. Lines and areas are paths on a square of 1000 by
1000 which the page stretches over the plot. A tone is a word that the style sheet knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from unrot.web.charts.axes import Axis

BOX = 1000.0

Pointing = Literal["columns", "points"]
"""What is found under a pointer: the nearest place by x, or the nearest point."""
Height = Literal["tall", "low"]
Style = Literal["solid", "dashed", "dotted"]
Shown = Style | Literal["box", "band", "circle", "cross", "ring"]
"""What stands beside a name in the legend."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line, solid or not."""

    d: str
    tone: str
    style: Style = "solid"


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
    width: float = 0.0
    key: str = ""
    """What it is of, so that a table beside it can be found."""
    is_out: bool = False
    """Drawn faintly: it lies outside what is looked at closely."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the legend."""

    name: str
    tone: str
    shape: Shown = "solid"


@dataclass(frozen=True, slots=True)
class Table:
    """The data of a chart."""

    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left_out: int = 0
    """Rows that the table has no room for."""
    links: tuple[str, ...] = ()
    """Where each row leads from its second cell, when it leads anywhere."""
    about: str = ""
    """What is listed, where that is not plain."""
    caption: str = ""
    """What it is, where it is not the data as they are."""
    abouts: Mapping[str, str] = field(default_factory=dict)
    """What the words of its head mean, where that is not plain."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart on two axes, ready to be drawn by templates/charts/_chart.html."""

    name: str
    """Unique on its page."""
    title: str
    sentence: str
    """What it shows, for whoever cannot see it."""
    table: Table = field(default_factory=Table)
    x: Axis | None = None
    """None where there is nothing to draw: then only the sentence is shown."""
    y: Axis | None = None
    unit: str = ""
    pointing: Pointing = "columns"
    height: Height = "tall"
    areas: tuple[Area, ...] = ()
    bars: tuple[Bar, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    dots: tuple[Dot, ...] = ()
    marks: tuple[Mark, ...] = ()
    spots: tuple[Spot, ...] = ()
    legend: tuple[Entry, ...] = ()
    brush: str = ""
    """Charts of one brush select together."""
    brushed: Bar | None = None
    """What is selected already."""

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to draw."""
        return self.x is None


def path(points: Sequence[tuple[float, float]], *, is_closed: bool = False) -> str:
    """Draw a line through points given in percent.

    >>> path([(0, 50), (33.3333, 0)])
    'M0 500L333.3 0'
    """
    box = BOX / 100
    steps = "L".join(f"{_short(x * box)} {_short(y * box)}" for x, y in points)
    return f"M{steps}{'Z' if is_closed else ''}" if points else ""


def _short(value: float) -> str:
    return f"{round(value, 1):g}"
