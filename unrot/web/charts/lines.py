"""Lines: values with the bands around them, over time beside the marks of what happened."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from unrot.web.charts.axes import Axis, Says, brief, extent, number_axis, place
from unrot.web.charts.chart import Area, Chart, Dot, Entry, Height, Shown, Stroke, Style, path
from unrot.web.charts.xy import (
    NOTHING,
    Column,
    Happening,
    place_marks,
    said_of,
    spots_of,
    table_of,
)

MOST_DOTS = 40
MARKS = {"mark": "version change", "job": "job", "finding": "finding"}
"""What the legend calls marks of each tone."""
NONE = "–"

Points = list[tuple[float, float]]
"""Places in percent."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value at a place of the x axis; None is a gap in the line."""

    at: float
    value: float | None
    low: float | None = None
    high: float | None = None
    words: str = ""
    """Said beside the value, such as "50 verdicts"."""

    @property
    def ends(self) -> tuple[float, float]:
        """The interval of the value, at least the value itself."""
        value = self.value or 0.0
        return (
            value if self.low is None else self.low,
            value if self.high is None else self.high,
        )

    @property
    def has_interval(self) -> bool:
        """True when it is known how far the value can be off."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True, slots=True)
class Series:
    """A line."""

    name: str
    readings: Sequence[Reading]
    tone: str = "one"
    style: Style = "solid"

    @property
    def known(self) -> list[Reading]:
        """Its readings without the gaps."""
        return [one for one in self.readings if one.value is not None]

    @property
    def runs(self) -> list[list[Reading]]:
        """Its parts between the gaps."""
        parts = itertools.groupby(self.readings, key=lambda one: one.value is None)
        return [list(part) for is_gap, part in parts if not is_gap]

    @property
    def shape(self) -> Shown:
        """What the legend shows of it: its line, or the point that a value alone is."""
        return self.style if any(len(run) > 1 for run in self.runs) else "circle"

    def within(self, x: Axis) -> Series:
        """Leave out what lies beyond the ends of an axis."""
        return replace(self, readings=[one for one in self.readings if x.low <= one.at <= x.high])


@dataclass(frozen=True, slots=True)
class Level:
    """A value to hold the others against, all the way across: a threshold, a promise."""

    value: float
    name: str
    tone: str = "guess"


@dataclass(frozen=True, slots=True)
class Measure:
    """What is drawn: how its values are written, and which ones the drawing always holds."""

    says: Says = brief
    low: float | None = None
    high: float | None = None


PLAIN = Measure()


def lines(
    name: str,
    title: str,
    series: Sequence[Series],
    *,
    x: Axis,
    measure: Measure = PLAIN,
    happened: Sequence[Happening] = (),
    levels: Sequence[Level] = (),
    height: Height = "tall",
    sentence: str = "",
    nothing: str = NOTHING,
    stretch: str = "in this time",
) -> Chart:
    """Draw series along an axis, the one that matters first."""
    drawn = [one for one in (each.within(x) for each in series) if one.known]
    if not drawn:
        return Chart(name, title, nothing)
    y = _y_axis(drawn, levels, measure)
    columns = _columns(drawn, x, y)
    return Chart(
        name,
        title,
        sentence or _sentence(drawn, levels, x, y, stretch),
        table_of((x.name, *(one.name for one in drawn)), columns[::-1]),
        x,
        y,
        height=height,
        areas=tuple(area for one in drawn for area in _bands(one, x, y)),
        strokes=(
            *(_level(one, y) for one in levels),
            *(stroke for one in drawn for stroke in _strokes(one, x, y)),
        ),
        dots=tuple(dot for one in drawn for dot in _dots(one, x, y)),
        marks=place_marks(happened, x),
        spots=spots_of(columns),
        legend=_legend(drawn, levels, happened),
    )


def parted(runs: Iterable[Sequence[Reading]]) -> list[Reading]:
    """Put runs of readings after each other, with a gap between them.

    >>> [one.value for one in parted([[Reading(1, 0.5)], [Reading(2, 0.7)]])]
    [0.5, None, 0.7]
    """
    readings: list[Reading] = []
    for run in runs:
        gap = [Reading(readings[-1].at, None)] if readings else []
        readings += [*gap, *run]
    return readings


def _y_axis(series: Sequence[Series], levels: Sequence[Level], measure: Measure) -> Axis:
    values = [end for one in series for reading in one.known for end in reading.ends]
    values += [one.value for one in levels]
    values += [end for end in (measure.low, measure.high) if end is not None]
    return number_axis(*extent(values), says=measure.says, is_upright=True)


# ── shapes ───────────────────────────────────────────────────────────────────────────────────


def _strokes(series: Series, x: Axis, y: Axis) -> list[Stroke]:
    """Draw each run; a value that stands alone has its interval at least."""
    made = []
    for run in series.runs:
        if len(run) > 1:
            made.append(Stroke(path(_points(run, x, y)), series.tone, series.style))
        elif run[0].low is not None:
            low, high = run[0].ends
            at = x.at(run[0].at)
            made.append(Stroke(path([(at, y.at(high)), (at, y.at(low))]), series.tone))
    return made


def _level(one: Level, y: Axis) -> Stroke:
    height = y.at(one.value)
    return Stroke(path([(0.0, height), (100.0, height)]), one.tone, "dotted")


def _points(run: Sequence[Reading], x: Axis, y: Axis) -> Points:
    return [(x.at(one.at), y.at(one.value or 0.0)) for one in run]


def _bands(series: Series, x: Axis, y: Axis) -> list[Area]:
    known = [[one for one in run if one.has_interval] for run in series.runs]
    return [
        Area(path(_band(run, x, y), is_closed=True), series.tone) for run in known if len(run) > 1
    ]


def _band(run: Sequence[Reading], x: Axis, y: Axis) -> Points:
    above = [(x.at(one.at), y.at(one.ends[1])) for one in run]
    return above + [(x.at(one.at), y.at(one.ends[0])) for one in reversed(run)]


def _dots(series: Series, x: Axis, y: Axis) -> list[Dot]:
    """Mark values that stand alone; of a solid line the newest too, or each where they are few."""
    runs, is_solid = series.runs, series.style == "solid"
    shown = [run[0] for run in runs if len(run) == 1]
    if is_solid and sum(map(len, runs)) <= MOST_DOTS:
        shown = series.known
    elif is_solid and len(runs[-1]) > 1:
        shown.append(runs[-1][-1])
    return [Dot(*at, series.tone) for at in _points(shown, x, y)]


# ── words ────────────────────────────────────────────────────────────────────────────────────


def _columns(series: Sequence[Series], x: Axis, y: Axis) -> list[Column]:
    """Make a column of each place that has a reading, as wide as there is no other closer by."""
    read = [{one.at: one for one in each.known} for each in series]
    places = sorted({at for one in read for at in one})
    middles = [(x.at(a) + x.at(b)) / 2 for a, b in itertools.pairwise(places)]
    borders = itertools.pairwise(map(place, [0.0, *middles, 100.0]))
    columns = []
    for at, (left, right) in zip(places, borders, strict=True):
        here = [(each.name, one.get(at)) for each, one in zip(series, read, strict=True)]
        cells = {name: _told(one, y) for name, one in here if one is not None}
        first = next(one for _, one in here if one is not None)
        columns.append(
            Column(
                x.says(at),
                left,
                right,
                y.at(first.value or 0.0),
                said_of(list(cells), list(cells.values())),
                [cells.get(name, NONE) for name, _ in here],
                x.at(at),
            )
        )
    return columns


def _told(reading: Reading, y: Axis) -> str:
    told = y.says(reading.value or 0.0)
    if reading.has_interval:
        low, high = reading.ends
        told += f" ({y.says(low)} to {y.says(high)})"
    return f"{told}, {reading.words}" if reading.words else told


def _legend(
    series: Sequence[Series], levels: Sequence[Level], happened: Sequence[Happening]
) -> tuple[Entry, ...]:
    entries = [Entry(one.name, one.tone, one.shape) for one in series]
    banded = [one for one in series if any(reading.low is not None for reading in one.readings)]
    if banded:
        entries.insert(1, Entry("95 % interval", banded[0].tone, "band"))
    entries += [Entry(one.name, one.tone, "dotted") for one in levels]
    tones = {one.tone for one in happened}
    entries += [Entry(words, tone, "dotted") for tone, words in MARKS.items() if tone in tones]
    return tuple(entries) if len(entries) > 1 else ()


def _sentence(
    series: Sequence[Series], levels: Sequence[Level], x: Axis, y: Axis, stretch: str
) -> str:
    """Tell the first line, the one that matters, and of the others the newest value.

    That may be of another moment, and then of another version.
    """
    first, *others = series
    said: list[str] = []
    newest = first.known[-1].at
    for one in others:
        last = one.known[-1]
        when = "" if last.at == newest else f", at {x.says(last.at)}"
        said.append(f"{one.name}: {y.says(last.value or 0.0)}{when}.")
    said += [f"{one.name}: {y.says(one.value)}." for one in levels]
    return " ".join([_line_sentence(first, x, y, stretch), *said])


def _line_sentence(series: Series, x: Axis, y: Axis, stretch: str) -> str:
    values, last = [one.value or 0.0 for one in series.known], series.known[-1]
    said = f"{series.name}: {_told(last, y)}, at {x.says(last.at)}"
    if len(values) == 1:
        return f"{said}."
    low, high = min(values), max(values)
    if low == high:
        return f"{said}; the same all the time."
    return f"{said}; between {y.says(low)} and {y.says(high)} {stretch}."
