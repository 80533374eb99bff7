"""Where values lie on an axis, and which round ones are written beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from unrot.core.time import DAY, HOUR, MINUTE, bare_time, utc

STEPS = (
    *(MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(HOUR * count for count in (1, 2, 3, 6, 12)),
    *(DAY * count for count in (1, 2, 7, 14)),
)
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
AVERAGE_MONTH = 30.44 * DAY
UNKNOWN = "unknown"
GAP = -math.inf
"""The value of what has none, on an axis with a lane for it."""
LANE = 0.1
WIDE, MIDDLE, NARROW = 500, 380, 235
"""Pixels that a plot has at least, by which it is decided what labels there is room for."""
LETTER, THIN, BROAD, SPACE = 7.6, 4.9, 12.0, 5
"""How wide letters of a label are at most, and how far labels lie apart."""
WIDTHS = dict.fromkeys("iljtfrI.,:;'|!()[] -", THIN) | dict.fromkeys("mwMW%@…", BROAD)
FIRST_BROAD = "⺀"
MARGIN = 20
"""Pixels beside a plot into which the labels at its ends may reach."""
SHORTEST_NAME, FEW_NAMES = 36, 4
"""A name is cut to no less; so few all stand below a plot that is narrow."""
LONGEST_UPRIGHT, LONGEST_NAME, MOST_UPRIGHT = 7, 66, 17
"""There is room for so many letters of a number and pixels of a name at the left of a plot, and
for so many labels."""
NICE = (1, 2, 5, 10)
"""Steps of an axis, times a power of ten."""

Says = Callable[[float], str]
"""Write a value for people."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and what is written there."""

    at: float
    label: str
    is_spare: bool = False
    """Left out where the plot is narrow."""
    short: str = ""
    """What stands there instead where the plot is narrow; empty for the same."""

    @property
    def anchor(self) -> str:
        """Say how a label below the plot lies, so that it stays within the sheet."""
        if length_of(self.label) <= 2 * MARGIN:
            return "middle"
        return "start" if self.at < 4 else "end" if self.at > 96 else "middle"


def brief(value: float) -> str:
    """Write a number with three digits, and whole thousands whole.

    >>> [brief(value) for value in (0.0, 0.12345, 12.345, 1234.5, 5e-7, 12345678.0)]
    ['0', '0.123', '12.3', '1,234', '5e-07', '1.23e+07']
    """
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        return f"{value:.3g}"
    if size >= 1_000:
        return f"{value:,.0f}"
    return f"{float(f'{value:.3g}'):g}"


@dataclass(frozen=True, slots=True)
class Axis:
    """A side of a plot from one value to another, and how its values are written."""

    low: float
    high: float
    says: Says = brief
    is_upright: bool = False
    name: str = ""
    """What lies along it."""
    title: str = ""
    """What is written beside it: its name with the unit, where it needs one."""
    ticks: tuple[Tick, ...] = ()
    choices: tuple[str, ...] = ()
    lane_ends: float | None = None
    """Where the lane of what has no value ends, below all values."""
    is_time: bool = False
    """True where its values are moments, so that a page can go on to a part of them."""

    def at(self, value: float) -> float:
        """Return where a value lies in percent: from the left, or from the top.

        >>> Axis(0.0, 4.0).at(1.0), Axis(0.0, 4.0, is_upright=True).at(1.0)
        (25.0, 75.0)
        """
        along = place(100 * (value - self.low) / ((self.high - self.low) or 1.0))
        return place(100 - along) if self.is_upright else along

    @property
    def least(self) -> float:
        """The least value that there is room for beside what has none."""
        return self.low if self.lane_ends is None else self.lane_ends

    @property
    def ends(self) -> str:
        """For scripts: the values at both ends, and the least that is no gap."""
        return f"{self.low!r} {self.high!r} {self.least!r}"

    def marked(self, values: Iterable[float]) -> Axis:
        """Write values beside it, as many as there is room for."""
        ticks = [Tick(self.at(value), self._label(value)) for value in values]
        return replace(self, ticks=fitted(ticks, is_upright=self.is_upright))

    def _label(self, value: float) -> str:
        said = self.says(value)
        is_long = self.is_upright and self.says is brief and len(said) > LONGEST_UPRIGHT
        return f"{value:.3g}" if is_long else said


def fitted(ticks: Sequence[Tick], *, is_upright: bool = False, kept: int = 0) -> tuple[Tick, ...]:
    """Leave out labels that would run into each other: all but every second, third, …

    The one at the place `kept` stays.

    >>> many = [Tick(2 * at, f"label {at}") for at in range(50)]
    >>> [tick.label for tick in fitted(many, kept=9)][:3]
    ['label 3', 'label 9', 'label 15']
    """
    if is_upright:
        return tuple(ticks[:: -(-len(ticks) // MOST_UPRIGHT) or 1])
    wide = _room_for(ticks, range(len(ticks)), WIDE, kept)
    narrow = set(_room_for(ticks, wide, NARROW, kept))
    return tuple(replace(ticks[at], is_spare=at not in narrow) for at in wide)


def _room_for(
    ticks: Sequence[Tick], places: Sequence[int], pixels: int, kept: int
) -> Sequence[int]:
    """Return the places of labels that have room: all, or every second, third, … of them."""
    first = places.index(kept) if kept in places else 0
    for stride in range(1, len(places) + 1):
        left = _without_ends(ticks, places[first % stride :: stride], pixels, kept)
        if not any(_meet(ticks[one], ticks[other], pixels) for one, other in pairwise(left)):
            return left
    return places


def _without_ends(
    ticks: Sequence[Tick], places: Sequence[int], pixels: int, kept: int
) -> list[int]:
    """Leave out the label at an end, which lies inwards, where it alone has no room."""
    left = list(places)
    for end, beside in ((0, 1), (-1, -2)):
        if len(left) > 2:
            one, other = sorted((left[end], left[beside]))
            if _meet(ticks[one], ticks[other], pixels):
                del left[beside if left[end] == kept else end]
    return left


def _meet(one: Tick, other: Tick, pixels: int) -> bool:
    """Tell whether a label runs into the one on its right."""
    ends_at = _left_of(one, pixels) + length_of(one.label)
    return _left_of(other, pixels) < ends_at + SPACE


def _left_of(tick: Tick, pixels: int) -> float:
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[tick.anchor]
    return pixels * tick.at / 100 - before * length_of(tick.label)


def place(value: float) -> float:
    """Round a place as far as it can be seen.

    >>> place(33.3333333), place(-0.0001)
    (33.333, 0.0)
    """
    return round(value, 3) + 0.0


def extent(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and the largest finite value; 0 and 1 where there is none."""
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else (0.0, 1.0)


# ── numbers and choices ──────────────────────────────────────────────────────────────────────


def number_axis(
    low: float,
    high: float,
    *,
    about: int = 4,
    says: Says = brief,
    is_upright: bool = False,
    has_gaps: bool = False,
) -> Axis:
    """Make an axis that begins and ends at round numbers, gaps in a lane below all others."""
    values = round_values(low, high, about=about)
    axis = Axis(values[0], values[-1], says, is_upright)
    return _with_lane(axis, values) if has_gaps else axis.marked(values)


def plain_axis(low: float, high: float, says: Says = brief) -> Axis:
    """Make an axis of numbers from one to another, with the round ones between written."""
    values = [value for value in round_values(low, high, about=6) if low <= value <= high]
    return Axis(low, high, says).marked(values)


def choice_axis(choices: Sequence[str], *, is_upright: bool = False) -> Axis:
    """Make an axis of choices, each in the middle of its part."""

    def says(value: float) -> str:
        return choices[int(value)]

    axis = Axis(-0.5, len(choices) - 0.5, says, is_upright, choices=tuple(choices))
    ticks = named_ticks([axis.at(at) for at in range(len(choices))], choices, is_upright)
    return replace(axis, ticks=ticks)


def named_ticks(
    places: Sequence[float], names: Sequence[str], is_upright: bool = False
) -> tuple[Tick, ...]:
    """Write names, cut to what there is room for."""

    def cut_for(pixels: int) -> list[str]:
        most = max(SHORTEST_NAME, pixels / max(1, len(names)) - SPACE)
        return [cut_to(name, LONGEST_NAME if is_upright else most) for name in names]

    if is_upright or len(names) > FEW_NAMES:
        ticks = [Tick(at, name) for at, name in zip(places, cut_for(WIDE), strict=True)]
        return fitted(ticks, is_upright=is_upright)
    pairs = zip(places, cut_for(MIDDLE), cut_for(NARROW), strict=True)
    return tuple(Tick(at, name, short=short if short != name else "") for at, name, short in pairs)


def round_values(low: float, high: float, *, about: int = 4) -> list[float]:
    """Return round values that cover a stretch, about so many of them.

    Steps are 1, 2 or 5 times a power of ten (Heckbert, Nice Numbers for Graph Labels, 1990).

    >>> round_values(0.0, 7.3)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    >>> round_values(0.42, 0.97)
    [0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (0.0, 1.0)
    step = _round_step((high - low) / about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def cut(name: str, most: int) -> str:
    """Shorten a name to what there is room for.

    >>> cut("red", 5), cut("ultramarine", 5)
    ('red', 'ultr…')
    """
    return name if len(name) <= most else name[: most - 1] + "…"


def cut_to(name: str, pixels: float) -> str:
    """Shorten a name to so many pixels.

    >>> cut_to("ultramarine", 80), cut_to("ultramarine", 40), cut_to("WWWWW", 40)
    ('ultramarine', 'ultr…', 'WW…')
    """
    lengths = range(len(name), 0, -1)
    return next((one for most in lengths if length_of(one := cut(name, most)) <= pixels), "…")


def length_of(label: str) -> float:
    """Say about how many pixels a label takes.

    >>> length_of("12:00"), length_of("…")
    (35.3, 12.0)
    """
    widths = (BROAD if one >= FIRST_BROAD else WIDTHS.get(one, LETTER) for one in label)
    return round(sum(widths), 1)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in NICE if factor * power >= step * 0.75)


def _with_lane(axis: Axis, values: Sequence[float]) -> Axis:
    """Leave room below the least; below the plot its word takes the place of the first number."""

    def says(value: float) -> str:
        return UNKNOWN if value == GAP else axis.says(value)

    lane = LANE * (axis.high - axis.low)
    wider = replace(axis, low=axis.low - lane, lane_ends=axis.low, says=says).marked(values)
    named = Tick(wider.at(wider.low + lane / 2), UNKNOWN)
    ticks = (named, *wider.ticks[not axis.is_upright :])
    return replace(wider, ticks=fitted(ticks, is_upright=axis.is_upright))


# ── times ────────────────────────────────────────────────────────────────────────────────────


def time_axis(since: float, until: float, *, about: int = 7) -> Axis:
    """Make an axis of UTC times from one moment to another, with round ones written."""
    axis = Axis(since, max(until, since + 1), bare_time, name="Time (UTC)", is_time=True)
    times, writes = _round_times(since, axis.high, about)
    days = [utc(at).date() for at in (since - 1, *times)]
    starts = [writes == "%H:%M" and day != before for before, day in pairwise(days)]
    ticks = [
        Tick(axis.at(at), utc(at).strftime("%-d %b" if is_start else writes))
        for at, is_start in zip(times, starts, strict=True)
    ]
    kept = starts.index(True) if True in starts else 0
    return replace(axis, ticks=fitted(ticks, kept=kept))


def stretch(starts_at: float, ends_at: float) -> str:
    """Write a stretch of time for people, in UTC.

    >>> stretch(0, 60), stretch(0, 86400), stretch(0, 172800), stretch(3600, 90000)
    ('1970-01-01 00:00 to 00:01', '1970-01-01', '1970-01-01 to 1970-01-02', \
'1970-01-01 01:00 to 1970-01-02 01:00')
    >>> stretch(60, 70)
    '1970-01-01 00:01:00 to 00:01:10'
    """
    first, last = (utc(at) for at in (starts_at, ends_at))
    if starts_at % DAY == 0 and ends_at % DAY == 0 and ends_at > starts_at:
        return _days(first, last - timedelta(days=1))
    if first.date() == last.date():
        seconds = ":%S" if ends_at - starts_at < MINUTE else ""
        begins = f"{bare_time(starts_at)}{first.strftime(seconds)}"
        return f"{begins} to {last.strftime('%H:%M' + seconds)}"
    return f"{bare_time(starts_at)} to {bare_time(ends_at)}"


def _days(first: datetime, last: datetime) -> str:
    begins, ends = f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
    return begins if begins == ends else f"{begins} to {ends}"


def _round_times(since: float, until: float, about: int) -> tuple[list[float], str]:
    wanted = (until - since) / about
    step = next((step for step in STEPS if step >= wanted * 0.85), None)
    if step is None:
        return _round_months(since, until, wanted)
    first = math.ceil(since / step)
    times = [float(number * step) for number in range(first, math.floor(until / step) + 1)]
    return times, "%H:%M" if step < DAY else "%-d %b"


def _round_months(since: float, until: float, wanted: float) -> tuple[list[float], str]:
    months = next((one for one in MONTHS if one * AVERAGE_MONTH >= wanted * 0.9), MONTHS[-1])
    first = utc(since)
    number = -(-(first.year * 12 + first.month - 1) // months) * months
    times = []
    while (at := datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) <= until:
        if at >= since:
            times.append(at)
        number += months
    return times, "%b %Y" if months < 12 else "%Y"
