"""Bars side by side: what each of some names had before, beside what it has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unrot.web.charts.drawing import Bar, Chart, Entry, Spot, Table, Tick, place
from unrot.web.charts.scales import Says, Scale, number_axis, share

FREE = 0.24
"""Of its width a group leaves so much free."""


@dataclass(frozen=True, slots=True)
class Group:
    """One bar of each name, all of one tone."""

    name: str
    values: Mapping[str, float]
    tone: str


def groups(
    name: str,
    title: str,
    of: Sequence[Group],
    *,
    head: str,
    sentence: str,
    says: Says = share,
    unit: str = "",
    more: Sequence[tuple[str, ...]] = (),
) -> Chart:
    """Draw a group of bars for each name, in the order of the first; `more` ends the table."""
    names = list(of[0].values) if of else []
    if not names:
        return Chart(name, title, sentence, Table((), ()), unit=unit, is_empty=True)
    most = max(one.values.get(each, 0.0) for one in of for each in names)
    upward, y_ticks = number_axis(0.0, most, says=says, is_upright=True)
    spots = [_spot(number, each, of, upward, says) for number, each in enumerate(names)]
    rows = [(each, *(_written(one, each, says) for one in of)) for each in names]
    return Chart(
        name,
        title,
        sentence,
        Table((head, *(one.name for one in of)), (*rows, *more)),
        unit=unit,
        x_ticks=tuple(
            Tick(spot.x, _cut(each, len(names)), is_spare=number % 2 == 1 and len(names) > 4)
            for number, (each, spot) in enumerate(zip(names, spots, strict=True))
        ),
        y_ticks=y_ticks,
        bars=tuple(
            _bar(number, place_of, one.values.get(each, 0.0), len(names), of, upward)
            for number, each in enumerate(names)
            for place_of, one in enumerate(of)
        ),
        spots=tuple(spots),
        legend=tuple(Entry(one.name, one.tone, "box") for one in of),
    )


def _bar(
    number: int, place_of: int, value: float, names: int, of: Sequence[Group], upward: Scale
) -> Bar:
    wide = 100 / names
    thick = wide * (1 - FREE) / len(of)
    top = upward.up(value)
    x = number * wide + wide * FREE / 2 + place_of * thick
    return Bar(place(x), top, place(thick * 0.92), place(100 - top), of[place_of].tone)


def _spot(number: int, each: str, of: Sequence[Group], upward: Scale, says: Says) -> Spot:
    wide = 100 / max(1, len(of[0].values))
    said = [f"{one.name}: {_written(one, each, says)}" for one in of]
    y = upward.up(max(one.values.get(each, 0.0) for one in of))
    x, left = place((number + 0.5) * wide), place(number * wide)
    return Spot(x, y, "\n".join([each, *said]), left, 0.0, place(wide), 100.0)


def _written(one: Group, each: str, says: Says) -> str:
    return says(round(one.values.get(each, 0.0), 4))


def _cut(name: str, count: int) -> str:
    most = max(5, 44 // count)
    return name if len(name) <= most else name[: most - 1] + "…"
