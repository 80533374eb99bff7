"""Lines over time: values with the bands around them, beside the marks of what happened."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.web.charts.drawing import (
    Area,
    Chart,
    Dot,
    Entry,
    Mark,
    Spot,
    Stroke,
    Table,
    Tick,
    path,
    place,
)
from unrot.web.charts.scales import (
    Says,
    Scale,
    brief,
    extent,
    moment,
    number_axis,
    plain_axis,
    time_axis,
)

MOST_DOTS = 40
MOST_ROWS = 500
WIDE, NARROW = 760, 270
"""Pixels that a plot has at least, by which it is decided what labels there is room for."""
LETTER, GAP, ROWS = 8, 10, 2
MARKS = {"mark": "version change", "job": "job", "finding": "finding"}
"""What the legend calls marks of each tone."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value at a moment; None is a gap in the line."""

    at: float
    value: float | None
    low: float | None = None
    high: float | None = None
    words: str = ""
    """Said beside the value, such as "50 verdicts"."""


@dataclass(frozen=True, slots=True)
class Series:
    """A line."""

    name: str
    readings: Sequence[Reading]
    tone: str = "one"
    style: Literal["solid", "dashed", "dotted"] = "solid"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to mark: a change of the version, a job."""

    at: float
    label: str
    text: str
    tone: Literal["mark", "job", "finding"] = "mark"
    href: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """A value to hold the others against, all the way across: a threshold, a promise."""

    value: float
    name: str
    tone: str = "guess"


def lines(
    name: str,
    title: str,
    series: Sequence[Series],
    *,
    since: float,
    until: float,
    happened: Sequence[Happening] = (),
    levels: Sequence[Level] = (),
    says: Says = brief,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    height: Literal["tall", "low"] = "tall",
    sentence: str | None = None,
    nothing: str = "There is nothing to draw in this time.",
    places: Says | None = None,
) -> Chart:
    """Draw series over a stretch of time; `low` and `high` are kept within the drawing.

    With `places` they are drawn over plain numbers, which it writes.
    """
    series = [_within(one, since, until) for one in series]
    drawn = [one for one in series if any(_has_value(reading) for reading in one.readings)]
    if not drawn:
        return Chart(name, title, nothing, Table((), ()), unit=unit, is_empty=True)
    across, x_ticks = (
        time_axis(since, until) if places is None else plain_axis(since, until, places)
    )
    ends = [one.value for one in levels] + [end for end in (low, high) if end is not None]
    upward, y_ticks = _upward(drawn, ends, says)
    where = moment if places is None else places
    return Chart(
        name,
        title,
        sentence or _sentence(drawn, levels, says, where),
        _table(drawn, says, where, "Time (UTC)" if places is None else ""),
        unit=unit,
        height=height,
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        areas=tuple(area for one in drawn for area in _bands(one, across, upward)),
        strokes=(
            *(_level(one, upward) for one in levels),
            *(line for one in drawn for line in _strokes(one, across, upward)),
        ),
        dots=tuple(dot for one in drawn for dot in _dots(one, across, upward)),
        marks=marks(happened, across),
        spots=_spots(drawn, across, upward, says, where),
        legend=_legend(drawn, levels, happened),
    )


def marks(happened: Sequence[Happening], across: Scale) -> tuple[Mark, ...]:
    """Place the labels of marks in two rows; where there is no room, the line stands alone."""
    made: list[Mark] = []
    ends_wide, ends_narrow = [-1.0] * ROWS, [-1.0] * ROWS
    for one in sorted(happened, key=lambda each: each.at):
        x = across.along(one.at)
        if not 0 <= x <= 100:
            continue
        row = _free_row(x, one.label, WIDE, ends_wide)
        is_spare = row is not None and _free_row(x, one.label, NARROW, ends_narrow, row) is None
        label = one.label if row is not None else ""
        text = f"{one.text}\n{moment(one.at)}"
        made.append(Mark(x, label, text, one.tone, row or 0, is_spare, one.href))
    return tuple(made)


def _free_row(
    x: float, label: str, pixels: int, ends: list[float], only: int | None = None
) -> int | None:
    """Take the first row whose last label ends before this one begins."""
    length = 100 * (LETTER * len(label) + GAP) / pixels
    begins = x - length if x > 88 else x
    for row in range(ROWS) if only is None else (only,):
        if ends[row] <= begins:
            ends[row] = begins + length
            return row
    return None


def _within(series: Series, since: float, until: float) -> Series:
    kept = [reading for reading in series.readings if since <= reading.at <= until]
    return Series(series.name, kept, series.tone, series.style)


def _has_value(reading: Reading) -> bool:
    return reading.value is not None


def _upward(
    series: Sequence[Series], ends: Sequence[float], says: Says
) -> tuple[Scale, tuple[Tick, ...]]:
    values = [
        value
        for one in series
        for reading in one.readings
        for value in (reading.value, reading.low, reading.high)
        if value is not None
    ]
    least, most = extent([*values, *ends])
    return number_axis(least, most, says=says, is_upright=True)


def _runs(series: Series) -> list[list[Reading]]:
    """Part a line where it has gaps."""
    runs: list[list[Reading]] = [[]]
    for reading in series.readings:
        if reading.value is None:
            runs.append([])
        else:
            runs[-1].append(reading)
    return [run for run in runs if run]


def _strokes(series: Series, across: Scale, upward: Scale) -> list[Stroke]:
    return [
        Stroke(path(_points(run, across, upward)), series.tone, series.style)
        if len(run) > 1
        else Stroke(path(_whisker(run[0], across, upward)), series.tone)
        for run in _runs(series)
        if len(run) > 1 or run[0].low is not None
    ]


def _level(one: Level, upward: Scale) -> Stroke:
    y = upward.up(one.value)
    return Stroke(path([(0.0, y), (100.0, y)]), one.tone, "dotted")


def _whisker(alone: Reading, across: Scale, upward: Scale) -> list[tuple[float, float]]:
    """Draw the interval of a reading that has no neighbours."""
    value = alone.value or 0.0
    ends = [value if end is None else end for end in (alone.high, alone.low)]
    return [(across.along(alone.at), upward.up(end)) for end in ends]


def _points(run: Sequence[Reading], across: Scale, upward: Scale) -> list[tuple[float, float]]:
    return [(across.along(one.at), upward.up(one.value or 0.0)) for one in run]


def _bands(series: Series, across: Scale, upward: Scale) -> list[Area]:
    made = []
    for run in _runs(series):
        known = [one for one in run if one.low is not None and one.high is not None]
        if len(known) < 2:
            continue
        above = [(across.along(one.at), upward.up(one.high or 0.0)) for one in known]
        below = [(across.along(one.at), upward.up(one.low or 0.0)) for one in reversed(known)]
        made.append(Area(path([*above, *below], is_closed=True), series.tone))
    return made


def _dots(series: Series, across: Scale, upward: Scale) -> list[Dot]:
    """Mark each value where they are few; else those that stand alone, and the newest."""
    if series.style != "solid":
        return []
    runs = _runs(series)
    if sum(map(len, runs)) <= MOST_DOTS:
        shown = [reading for run in runs for reading in run]
    else:
        shown = [run[0] for run in runs if len(run) == 1]
        shown += [runs[-1][-1]] if len(runs[-1]) > 1 else []
    return [Dot(x, y, series.tone) for x, y in _points(shown, across, upward)]


def _spots(
    series: Sequence[Series], across: Scale, upward: Scale, says: Says, where: Says
) -> tuple[Spot, ...]:
    times = sorted({one.at for each in series for one in each.readings if _has_value(one)})
    said = [{one.at: one for one in each.readings if _has_value(one)} for each in series]
    places = [across.along(at) for at in times]
    borders = [0.0, *((a + b) / 2 for a, b in itertools.pairwise(places)), 100.0]
    spots = []
    for number, at in enumerate(times):
        here = [
            (each.name, found[at]) for each, found in zip(series, said, strict=True) if at in found
        ]
        words = [f"{name}: {_told(reading, says)}" for name, reading in here]
        left, right = place(borders[number]), place(borders[number + 1])
        y = upward.up(here[0][1].value or 0.0)
        text = "\n".join([where(at), *words])
        spots.append(Spot(places[number], y, text, left, 0.0, place(right - left), 100.0))
    return tuple(spots)


def _told(reading: Reading, says: Says) -> str:
    told = says(reading.value or 0.0)
    if reading.low is not None and reading.high is not None:
        told += f" ({says(reading.low)} to {says(reading.high)})"
    return f"{told}, {reading.words}" if reading.words else told


def _legend(
    series: Sequence[Series], levels: Sequence[Level], happened: Sequence[Happening]
) -> tuple[Entry, ...]:
    shapes: dict[str, Literal["line", "dashed", "dotted"]] = {
        "solid": "line",
        "dashed": "dashed",
        "dotted": "dotted",
    }
    entries = [Entry(one.name, one.tone, shapes[one.style]) for one in series]
    banded = [one for one in series if any(reading.low is not None for reading in one.readings)]
    if banded:
        entries.insert(1, Entry("95% interval", banded[0].tone, "band"))
    entries += [Entry(one.name, one.tone, "dotted") for one in levels]
    entries += [
        Entry(words, tone, "dotted")
        for tone, words in MARKS.items()
        if any(one.tone == tone for one in happened)
    ]
    return tuple(entries) if len(entries) > 1 else ()


def _sentence(series: Sequence[Series], levels: Sequence[Level], says: Says, where: Says) -> str:
    """Tell the first line, the one that matters, and of the others the newest value."""
    first, *others = series
    said = [f"{one.name}: {says(_last(one).value or 0.0)}." for one in others]
    said += [f"{one.name}: {says(one.value)}." for one in levels]
    return " ".join([_line_sentence(first, says, where), *said])


def _last(series: Series) -> Reading:
    return next(one for one in reversed(series.readings) if _has_value(one))


def _line_sentence(series: Series, says: Says, where: Says) -> str:
    values = [one.value for one in series.readings if one.value is not None]
    last = _last(series)
    if len(values) == 1:
        return f"{series.name}: {_told(last, says)}, at {where(last.at)}."
    said = f"{series.name} at the end: {_told(last, says)}"
    if min(values) == max(values):
        return f"{said}; the same all the time."
    return f"{said}; between {says(min(values))} and {says(max(values))} in this time."


def _table(series: Sequence[Series], says: Says, where: Says, head: str) -> Table:
    times = sorted({one.at for each in series for one in each.readings if _has_value(one)})
    said = [{one.at: one for one in each.readings if _has_value(one)} for each in series]
    rows = [
        (where(at), *(_told(found[at], says) if at in found else "–" for found in said))
        for at in reversed(times)
    ]
    heads = (head, *(one.name for one in series))
    return Table(heads, tuple(rows[:MOST_ROWS]), left_out=max(0, len(rows) - MOST_ROWS))
