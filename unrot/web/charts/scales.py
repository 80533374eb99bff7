"""Where values lie on an axis, and which round ones are written beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from unrot.core.time import DAY, HOUR, MINUTE, utc
from unrot.web.charts.drawing import Tick, place

STEPS = (
    *(MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(HOUR * count for count in (1, 2, 3, 6, 12)),
    *(DAY * count for count in (1, 2, 7, 14)),
)
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
AVERAGE_MONTH = 30.44 * DAY

Says = Callable[[float], str]
"""Write a value for people."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from one value to another."""

    low: float
    high: float

    def along(self, value: float) -> float:
        """Return where a value lies from the left, in percent.

        >>> Scale(0.0, 4.0).along(1.0)
        25.0
        """
        return place(100 * (value - self.low) / ((self.high - self.low) or 1.0))

    def up(self, value: float) -> float:
        """Return where a value lies from the top, in percent: high values are above.

        >>> Scale(0.0, 4.0).up(1.0)
        75.0
        """
        return place(100 - self.along(value))


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


def share(value: float) -> str:
    """Write a share as whole percents on an axis.

    >>> share(0.25), share(0.125)
    ('25%', '12.5%')
    """
    return f"{100 * value:.1f}".removesuffix(".0") + "%"


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


def number_axis(
    low: float,
    high: float,
    *,
    about: int = 4,
    says: Says = brief,
    is_upright: bool = False,
) -> tuple[Scale, tuple[Tick, ...]]:
    """Make an axis of numbers that begins and ends at round ones."""
    values = round_values(low, high, about=about)
    scale = Scale(values[0], values[-1])
    where = scale.up if is_upright else scale.along
    ticks = [
        Tick(where(value), says(value), is_spare=not is_upright and number % 2 == 1)
        for number, value in enumerate(values)
    ]
    return scale, tuple(ticks)


def plain_axis(low: float, high: float, says: Says = brief) -> tuple[Scale, tuple[Tick, ...]]:
    """Make an axis of numbers from one to another, with the round ones between written."""
    scale = Scale(low, high)
    values = [value for value in round_values(low, high, about=6) if low <= value <= high]
    ticks = [
        Tick(scale.along(value), says(value), is_spare=number % 2 == 1)
        for number, value in enumerate(values)
    ]
    return scale, tuple(ticks)


def time_axis(since: float, until: float, *, about: int = 7) -> tuple[Scale, tuple[Tick, ...]]:
    """Make an axis of UTC times from one moment to another, with round ones written."""
    scale = Scale(since, max(until, since + 1))
    times, writes = _round_times(since, scale.high, about)
    ticks, day = [], None
    for number, at in enumerate(times):
        moment = utc(at)
        is_new_day, day = day is not None and moment.date() != day, moment.date()
        label = moment.strftime("%-d %b") if is_new_day and writes == "%H:%M" else ""
        label = label or moment.strftime(writes)
        ticks.append(Tick(scale.along(at), label, is_spare=number % 2 == 1))
    return scale, tuple(ticks)


def moment(seconds: float) -> str:
    """Write a time of a chart for people, in UTC.

    >>> moment(0), moment(90061)
    ('1 Jan 1970 00:00', '2 Jan 1970 01:01')
    """
    return utc(seconds).strftime("%-d %b %Y %H:%M")


def stretch(starts_at: float, ends_at: float) -> str:
    """Write a stretch of time for people, in UTC.

    >>> stretch(0, 60), stretch(0, 86400), stretch(0, 172800), stretch(3600, 90000)
    ('1 Jan 1970 00:00–00:01', '1 Jan 1970', '1–2 Jan 1970', '1 Jan 1970 01:00 – 2 Jan 1970 01:00')
    >>> stretch(60, 70)
    '1 Jan 1970 00:01:00–00:01:10'
    """
    first, last = (utc(at) for at in (starts_at, ends_at))
    if starts_at % DAY == 0 and ends_at % DAY == 0 and ends_at > starts_at:
        before = last - timedelta(days=1)
        if before == first:
            return first.strftime("%-d %b %Y")
        if (before.year, before.month) == (first.year, first.month):
            return f"{first.day}–{before.strftime('%-d %b %Y')}"
        return f"{first.strftime('%-d %b %Y')} – {before.strftime('%-d %b %Y')}"
    if first.date() == last.date():
        seconds = ":%S" if ends_at - starts_at < MINUTE else ""
        begins = f"{moment(starts_at)}{first.strftime(seconds)}"
        return f"{begins}–{last.strftime('%H:%M' + seconds)}"
    return f"{moment(starts_at)} – {moment(ends_at)}"


def extent(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and the largest finite value; 0 and 1 where there is none."""
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else (0.0, 1.0)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.75)


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
