"""A scatter of two columns: right and wrong answers as two shapes in two tones."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Literal

from unrot.core.plurals import counted
from unrot.web.charts.drawing import Bar, Chart, Dot, Entry, Spot, Table, Tick, place
from unrot.web.charts.scales import Scale, brief, extent, number_axis

MOST_POINTS = 2_000
MOST_ROWS = 200
UNKNOWN = "unknown"
LANE = 0.1
"""The lane of rows without a number, beside all numbers."""
SHAPES: dict[bool | None, tuple[str, Literal["circle", "cross", "ring"]]] = {
    True: ("right", "circle"),
    False: ("wrong", "cross"),
    None: ("unjudged", "ring"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One row: its two values, and whether its answer was right; None where nobody said."""

    x: float | str | None
    y: float | str | None
    is_right: bool | None
    text: str = ""
    href: str = ""
    key: str = ""
    """What it is of; what a table beside has the same key is found by it."""
    is_out: bool = False
    """Drawn faintly: it lies outside what is looked at closely."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One column: its limits, or its choices, so that two scatters can share them."""

    name: str
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    unit: str = ""
    has_gaps: bool = False
    """Then numbers leave a lane for rows without one, below the least; choices name them."""
    picked_from: float | None = None
    """Where the part begins that is looked at closely: a number, or the place of a choice."""
    picked_to: float | None = None

    @property
    def title(self) -> str:
        """The name with the unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


def axis(
    name: str, values: Sequence[float | str | None], *, unit: str = "", choices: Sequence[str] = ()
) -> Axis:
    """Make an axis that all values fit on: numbers by their extent, choices in their order."""
    texts = [value for value in values if isinstance(value, str)]
    if choices or texts:
        every = list(dict.fromkeys([*choices, *texts]))
        gaps = [UNKNOWN] if any(value is None for value in values) else []
        return Axis(name, choices=(*every, *gaps), unit=unit)
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    low, high = extent(numbers)
    return Axis(name, low, high, unit=unit)


def scatter(
    name: str,
    title: str,
    points: Sequence[Point],
    *,
    x: Axis,
    y: Axis,
    brush: str = "",
    nothing: str = "There are no rows to draw in this time.",
) -> Chart:
    """Draw points on two axes; charts with the same `brush` and axes select together.

    The newest come last and are drawn on top; of very many only the last 2,000 are drawn.
    """
    left_out = max(0, len(points) - MOST_POINTS)
    across, x_ticks = _scaled(x, is_upright=False)
    upward, y_ticks = _scaled(y, is_upright=True)
    # Wrong ones are drawn last: they are what one looks for.
    shown = sorted(
        (one for one in points[left_out:] if _is_placed(one, x, y)),
        key=lambda one: one.is_right is False,
    )
    if not shown:
        return Chart(name, title, nothing, Table((), ()), is_empty=True)
    spots = tuple(_spot(one, x, y, across, upward) for one in shown)
    return Chart(
        name,
        title,
        _sentence(shown, x, y, left_out),
        _table(shown, x, y),
        pointing="points",
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        x_title=x.title,
        y_title=y.title,
        dots=tuple(
            Dot(spot.x, spot.y, *SHAPES[one.is_right])
            for spot, one in zip(spots, shown, strict=True)
        ),
        spots=spots,
        legend=tuple(
            Entry(tone, tone, shape)
            for verdict, (tone, shape) in SHAPES.items()
            if any(one.is_right is verdict for one in shown)
        ),
        brush=brush,
        brushed=_brushed(x, y, across, upward),
        across=_ends(x, across),
        upward=_ends(y, upward),
    )


def _scaled(given: Axis, *, is_upright: bool) -> tuple[Scale, tuple[Tick, ...]]:
    if not given.choices:
        return _numbers(given, is_upright=is_upright)
    scale = Scale(-0.5, len(given.choices) - 0.5)
    where = scale.up if is_upright else scale.along
    ticks = [
        Tick(where(number), choice if len(choice) <= 10 else choice[:9] + "…")
        for number, choice in enumerate(given.choices)
    ]
    return scale, tuple(ticks)


def _numbers(given: Axis, *, is_upright: bool) -> tuple[Scale, tuple[Tick, ...]]:
    scale, ticks = number_axis(given.low, given.high, about=5, is_upright=is_upright)
    if not given.has_gaps:
        return scale, ticks
    lane = LANE * (scale.high - scale.low)
    wider = Scale(scale.low - lane, scale.high)
    where = wider.up if is_upright else wider.along
    step = (scale.high - scale.low) / (len(ticks) - 1)
    moved = [
        replace(tick, at=where(scale.low + number * step)) for number, tick in enumerate(ticks)
    ]
    # Below the plot there is no room for both words beside each other.
    return wider, (Tick(where(wider.low + lane / 2), UNKNOWN), *moved[not is_upright :])


def _ground(on: Axis, scale: Scale) -> float:
    """Return where the numbers of an axis begin, above the lane of those that have none."""
    return scale.low + (scale.high - scale.low) * LANE / (1 + LANE) * on.has_gaps


def _ends(on: Axis, scale: Scale) -> str:
    least = scale.low if on.choices else _ground(on, scale)
    return f"{scale.low!r} {scale.high!r} {least!r}"


def _brushed(x: Axis, y: Axis, across: Scale, upward: Scale) -> Bar | None:
    """Return the part that is looked at closely, where there is one."""
    if all(end is None for on in (x, y) for end in (on.picked_from, on.picked_to)):
        return None
    left, right = _picked(x, across)
    bottom, top = _picked(y, upward)
    return Bar(left, place(100 - top), place(right - left), place(top - bottom), "brushed")


def _picked(on: Axis, scale: Scale) -> tuple[float, float]:
    half = 0.5 if on.choices else 0.0
    ends = (
        scale.low if on.picked_from is None else on.picked_from - half,
        scale.high if on.picked_to is None else on.picked_to + half,
    )
    low, high = (min(100.0, max(0.0, scale.along(end))) for end in ends)
    return low, high


def _is_placed(point: Point, x: Axis, y: Axis) -> bool:
    return _value(point.x, x) is not None and _value(point.y, y) is not None


def _value(value: float | str | None, on: Axis) -> float | None:
    if on.choices:
        named = UNKNOWN if value is None else str(value)
        return float(on.choices.index(named)) if named in on.choices else None
    if value is None and on.has_gaps:
        return -inf
    return None if value is None or isinstance(value, str) else float(value)


def _spot(point: Point, x: Axis, y: Axis, across: Scale, upward: Scale) -> Spot:
    at, up = (
        _within(_value(value, on) or 0.0, on, scale)
        for value, on, scale in ((point.x, x, across), (point.y, y, upward))
    )
    if x.choices:
        at += _beside(f"x{point.key}{point.y}")
    if y.choices:
        up += _beside(f"y{point.key}{point.x}")
    tone, _ = SHAPES[point.is_right]
    heading = point.text or tone
    text = f"{heading}\n{x.title}: {_said(point.x)}\n{y.title}: {_said(point.y)}"
    return Spot(
        across.along(at),
        upward.up(up),
        text,
        href=point.href,
        key=point.key,
        tone=tone,
        is_out=point.is_out,
    )


def _within(value: float, on: Axis, scale: Scale) -> float:
    """Put a gap into its lane, and what lies beyond the ends at the edge."""
    ground = scale.low if on.choices else _ground(on, scale)
    if value == -inf:
        return (scale.low + ground) / 2
    return min(scale.high, max(ground, value))


def _beside(seed: str) -> float:
    """Move a point of a choice a little aside, the same way each time it is drawn."""
    return place((zlib.crc32(seed.encode()) % 1_000 / 1_000 - 0.5) * 0.6)


def _said(value: float | str | None) -> str:
    if value is None:
        return UNKNOWN
    return value if isinstance(value, str) else brief(value)


def _sentence(points: Sequence[Point], x: Axis, y: Axis, left_out: int) -> str:
    tones = {
        tone: sum(one.is_right is verdict for one in points)
        for verdict, (tone, _) in SHAPES.items()
    }
    said = ", ".join(f"{count:,} {tone}" for tone, count in tones.items() if count)
    more = f" {left_out:,} older ones are not drawn." if left_out else ""
    return f"{counted(len(points), 'row')} by {x.name} and {y.name}: {said}.{more}"


def _table(points: Sequence[Point], x: Axis, y: Axis) -> Table:
    newest = list(reversed(points))
    rows = tuple(
        (SHAPES[one.is_right][0], _said(one.x), _said(one.y)) for one in newest[:MOST_ROWS]
    )
    links = tuple(one.href for one in newest[:MOST_ROWS])
    left_out = max(0, len(points) - MOST_ROWS)
    return Table(("Answer", x.title, y.title), rows, links if any(links) else (), left_out)
