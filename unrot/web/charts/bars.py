"""Bars: stacked over time by what they are made of, or side by side, before and now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from unrot.core.plurals import plural
from unrot.web.charts.axes import Axis, Says, brief, named_ticks, number_axis, place, stretch
from unrot.web.charts.chart import Bar, Chart, Entry
from unrot.web.charts.xy import NOTHING, Column, said_of, spots_of, table_of
from unrot.web.wording import percent

TONES = ("one", "three", "four", "two")
OLDER = "older"
FREE = 0.12
"""Of its width a bar of time leaves so much free."""
FREE_OF_GROUP, BESIDE = 0.24, 0.92
"""The same of a group of bars, and how much of its part a bar in a group takes."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One stretch of time and how much of each part was in it."""

    starts_at: float
    ends_at: float
    parts: Mapping[str, float]
    words: str = ""
    """Said beside the parts."""

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.parts.values())

    @property
    def time(self) -> str:
        """When it was."""
        return stretch(self.starts_at, self.ends_at)


@dataclass(frozen=True, slots=True)
class Group:
    """One bar of each name, all of one tone."""

    name: str
    values: Mapping[str, float]
    tone: str


# ── stacked over time ────────────────────────────────────────────────────────────────────────


def bars(
    name: str,
    title: str,
    buckets: Sequence[Bucket],
    *,
    x: Axis,
    parts: Sequence[str],
    what: str,
    nothing: str = NOTHING,
) -> Chart:
    """Stack the parts of each bucket, the first at the bottom; `what` is what is counted, as one.

    The last four parts have tones of their own, what is older shares one.
    """
    shown = [one for one in buckets if one.total and one.ends_at > x.low and one.starts_at < x.high]
    if not shown:
        return Chart(name, title, nothing)
    y = number_axis(0.0, max(one.total for one in shown), about=3, is_upright=True)
    seen = [part for part in parts if any(one.parts.get(part) for one in shown)]
    several = seen if len(seen) > 1 else []
    tones = _tones(parts)
    columns = [_bucket_column(one, several, what, x, y) for one in shown]
    return Chart(
        name,
        title,
        _sentence(shown, what),
        table_of((x.name, plural(0, what).capitalize(), *several), columns[::-1]),
        x,
        y,
        height="low",
        bars=tuple(bar for one in shown for bar in _stack(one, tones, x, y)),
        spots=spots_of(columns),
        legend=_legend({part: tones[part] for part in several}),
    )


def _tones(parts: Sequence[str]) -> dict[str, str]:
    own = dict(zip(reversed(parts), TONES, strict=False))
    return {part: own.get(part, OLDER) for part in parts}


def _stack(bucket: Bucket, tones: Mapping[str, str], x: Axis, y: Axis) -> list[Bar]:
    left, right = _sides(bucket, x)
    free = (right - left) * FREE
    made, below = [], 0.0
    for part, tone in tones.items():
        value = bucket.parts.get(part, 0.0)
        top, bottom = y.at(below + value), y.at(below)
        if value > 0:
            width, height = place(right - left - free), place(bottom - top)
            made.append(Bar(place(left + free / 2), top, width, height, tone))
        below += value
    return made


def _sides(bucket: Bucket, x: Axis) -> tuple[float, float]:
    return max(0.0, x.at(bucket.starts_at)), min(100.0, x.at(bucket.ends_at))


def _bucket_column(bucket: Bucket, parts: Sequence[str], what: str, x: Axis, y: Axis) -> Column:
    said = [f"{part}: {brief(value)}" for part, value in bucket.parts.items() if value]
    lines = [_amount(bucket.total, what), *(said if len(said) > 1 else ()), bucket.words]
    values = [bucket.total, *(bucket.parts.get(part, 0.0) for part in parts)]
    return Column(
        bucket.time,
        *_sides(bucket, x),
        y.at(bucket.total),
        [line for line in lines if line],
        [brief(value) for value in values],
    )


def _legend(tones: Mapping[str, str]) -> tuple[Entry, ...]:
    older = [Entry("older", OLDER, "box")] if OLDER in tones.values() else []
    own = [Entry(part, tone, "box") for part, tone in tones.items() if tone != OLDER]
    return (*older, *own) if len(own) + len(older) > 1 else ()


def _sentence(buckets: Sequence[Bucket], what: str) -> str:
    total = sum(one.total for one in buckets)
    most = max(buckets, key=lambda one: one.total)
    at_most = "" if len(buckets) == 1 else f"; at most {brief(most.total)} in {most.time}"
    return f"{_amount(total, what)} in this time{at_most}."


def _amount(total: float, what: str) -> str:
    return f"{brief(total)} {plural(total, what)}"


# ── side by side ─────────────────────────────────────────────────────────────────────────────


def groups(
    name: str,
    title: str,
    of: Sequence[Group],
    *,
    head: str,
    sentence: str,
    says: Says = percent,
    unit: str = "",
    more: Sequence[tuple[str, ...]] = (),
) -> Chart:
    """Draw a group of bars for each name, in the order of the first; `more` ends the table."""
    names = list(of[0].values) if of else []
    if not names:
        return Chart(name, title, sentence, unit=unit)
    x = Axis(0.0, len(names))
    most = max(one.values.get(each, 0.0) for one in of for each in names)
    y = number_axis(0.0, most, says=says, is_upright=True)
    columns = [_group_column(at, each, of, x, y) for at, each in enumerate(names)]
    return Chart(
        name,
        title,
        sentence,
        table_of((head, *(one.name for one in of)), columns, more),
        replace(x, ticks=named_ticks([x.at(at + 0.5) for at in range(len(names))], names)),
        y,
        unit=unit,
        bars=tuple(_beside(names, of, x, y)),
        spots=spots_of(columns),
        legend=tuple(Entry(one.name, one.tone, "box") for one in of),
    )


def _beside(names: Sequence[str], of: Sequence[Group], x: Axis, y: Axis) -> Iterator[Bar]:
    thick = (1 - FREE_OF_GROUP) / len(of)
    for at, each in enumerate(names):
        for nth, one in enumerate(of):
            left, top = at + FREE_OF_GROUP / 2 + nth * thick, y.at(one.values.get(each, 0.0))
            yield Bar(x.at(left), top, x.at(thick * BESIDE), place(100 - top), one.tone)


def _group_column(at: int, each: str, of: Sequence[Group], x: Axis, y: Axis) -> Column:
    values = [one.values.get(each, 0.0) for one in of]
    cells = [y.says(value) for value in values]
    said = said_of([one.name for one in of], cells)
    return Column(each, x.at(at), x.at(at + 1), y.at(max(values)), said, cells)
