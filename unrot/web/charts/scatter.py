"""A scatter of two columns: right and wrong answers as two shapes in two tones."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.core.plurals import counted
from unrot.web.charts.axes import GAP, Axis, place
from unrot.web.charts.chart import Bar, Chart, Dot, Entry, Spot, Table

MOST_ROWS = 200
SPREAD = 0.6
"""How much of its part a choice spreads its points over."""
SHAPES: dict[bool | None, tuple[str, Literal["circle", "cross", "ring"]]] = {
    True: ("right", "circle"),
    False: ("wrong", "cross"),
    None: ("unjudged", "ring"),
}

Limits = tuple[float | None, float | None]
"""Where a part begins and ends that is looked at closely: numbers, or the places of choices."""
ALL: Limits = (None, None)


@dataclass(frozen=True, slots=True)
class Point:
    """One row: where its two values lie, and whether its answer was right; None: nobody said."""

    x: float
    y: float
    is_right: bool | None
    text: str = ""
    key: str = ""
    """What it is of; what a table beside has the same key is found by it."""
    is_out: bool = False
    """Drawn faintly: it lies outside what is looked at closely."""


def scatter(
    name: str,
    title: str,
    points: Sequence[Point],
    *,
    x: Axis,
    y: Axis,
    brush: str = "",
    picked: tuple[Limits, Limits] = (ALL, ALL),
    nothing: str = "There are no rows to draw in this time.",
) -> Chart:
    """Draw points on two axes, the newest last; charts with the same `brush` select together."""
    if not points:
        return Chart(name, title, nothing)
    # Wrong ones are drawn last: they are what one looks for.
    shown = sorted(points, key=lambda one: one.is_right is False)
    spots = tuple(_spot(one, x, y) for one in shown)
    shapes = [SHAPES[one.is_right] for one in shown]
    return Chart(
        name,
        title,
        _sentence(shown, x, y),
        _table(shown, x, y),
        x,
        y,
        pointing="points",
        dots=tuple(Dot(spot.x, spot.y, *shape) for spot, shape in zip(spots, shapes, strict=True)),
        spots=spots,
        legend=tuple(
            Entry(tone, tone, shape) for tone, shape in SHAPES.values() if (tone, shape) in shapes
        ),
        brush=brush,
        brushed=_brushed(picked, x, y),
    )


def _spot(point: Point, x: Axis, y: Axis) -> Spot:
    across, up = _within(point.x, x), _within(point.y, y)
    if x.choices:
        across += _aside(f"x{point.key}{point.y}")
    if y.choices:
        up += _aside(f"y{point.key}{point.x}")
    lines = [
        point.text or SHAPES[point.is_right][0],
        f"{x.title}: {x.says(point.x)}",
        f"{y.title}: {y.says(point.y)}",
    ]
    text = "\n".join(lines)
    return Spot(x.at(across), y.at(up), text, key=point.key, is_out=point.is_out)


def _within(value: float, on: Axis) -> float:
    """Put a gap into its lane, and what lies beyond the ends at the edge."""
    if value == GAP:
        return (on.low + on.least) / 2
    return min(on.high, max(on.least, value))


def _aside(seed: str) -> float:
    """Move a point of a choice a little aside, the same way each time it is drawn."""
    return place((zlib.crc32(seed.encode()) % 1_000 / 1_000 - 0.5) * SPREAD)


def _brushed(picked: tuple[Limits, Limits], x: Axis, y: Axis) -> Bar | None:
    """Return the part that is looked at closely, where there is one."""
    if picked == (ALL, ALL):
        return None
    (left, right), (bottom, top) = _picked(picked[0], x), _picked(picked[1], y)
    return Bar(left, top, place(right - left), place(bottom - top), "brushed")


def _picked(limits: Limits, on: Axis) -> tuple[float, float]:
    half = 0.5 if on.choices else 0.0
    low = on.low if limits[0] is None else limits[0] - half
    high = on.high if limits[1] is None else limits[1] + half
    first, last = (min(100.0, max(0.0, on.at(end))) for end in (low, high))
    return first, last


def _sentence(points: Sequence[Point], x: Axis, y: Axis) -> str:
    counts = Counter(one.is_right for one in points)
    said = [f"{counts[one]:,} {tone}" for one, (tone, _) in SHAPES.items() if counts[one]]
    return f"{counted(len(points), 'row')} by {x.name} and {y.name}: {', '.join(said)}."


def _table(points: Sequence[Point], x: Axis, y: Axis) -> Table:
    rows = tuple(
        (SHAPES[one.is_right][0], x.says(one.x), y.says(one.y))
        for one in points[: -MOST_ROWS - 1 : -1]
    )
    return Table(("Answer", x.title, y.title), rows, max(0, len(points) - MOST_ROWS))
