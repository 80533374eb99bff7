"""Bars over time, stacked by what they are made of: traffic by version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.web.charts.drawing import Bar, Chart, Entry, Spot, Table, place
from unrot.web.charts.lines import MOST_ROWS, Happening, marks
from unrot.web.charts.scales import Says, Scale, brief, number_axis, stretch, time_axis

TONES = ("one", "three", "four", "two")
OLDER = "older"
GAP = 0.12
"""Of its width a bar leaves so much free."""


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


def bars(
    name: str,
    title: str,
    buckets: Sequence[Bucket],
    *,
    since: float,
    until: float,
    parts: Sequence[str],
    what: str,
    says: Says = brief,
    happened: Sequence[Happening] = (),
    height: Literal["tall", "low"] = "low",
    nothing: str = "There is nothing to draw in this time.",
) -> Chart:
    """Stack the parts of each bucket, the first at the bottom; `what` is what is counted.

    The last four parts have tones of their own, what is older shares one.
    """
    shown = [one for one in buckets if one.ends_at > since and one.starts_at < until]
    if not any(one.total for one in shown):
        return Chart(name, title, nothing, Table((), ()), is_empty=True)
    tones = _tones(parts)
    across, x_ticks = time_axis(since, until)
    most = max(one.total for one in shown)
    upward, y_ticks = number_axis(0.0, most, about=3, says=says, is_upright=True)
    return Chart(
        name,
        title,
        _sentence(shown, what, says),
        _table(shown, parts, what, says),
        height=height,
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        bars=tuple(bar for one in shown for bar in _bars(one, tones, across, upward)),
        marks=marks(happened, across),
        spots=tuple(_spot(one, across, upward, what, says) for one in shown if one.total),
        legend=_legend(shown, tones),
    )


def _tones(parts: Sequence[str]) -> dict[str, str]:
    newest = list(reversed(parts))[: len(TONES)]
    own = dict(zip(newest, TONES, strict=False))
    return {part: own.get(part, OLDER) for part in parts}


def _bars(bucket: Bucket, tones: Mapping[str, str], across: Scale, upward: Scale) -> list[Bar]:
    left, right = _sides(bucket, across)
    gap = (right - left) * GAP / 2
    made, below = [], 0.0
    for part, tone in tones.items():
        value = bucket.parts.get(part, 0.0)
        if value > 0:
            top, bottom = upward.up(below + value), upward.up(below)
            width = place(right - left - 2 * gap)
            made.append(Bar(place(left + gap), top, width, place(bottom - top), tone))
        below += value
    return made


def _sides(bucket: Bucket, across: Scale) -> tuple[float, float]:
    left, right = across.along(bucket.starts_at), across.along(bucket.ends_at)
    return max(0.0, left), min(100.0, right)


def _spot(bucket: Bucket, across: Scale, upward: Scale, what: str, says: Says) -> Spot:
    left, right = _sides(bucket, across)
    said = [f"{part}: {says(value)}" for part, value in bucket.parts.items() if value]
    heading = stretch(bucket.starts_at, bucket.ends_at)
    lines = [heading, f"{says(bucket.total)} {what}", *(said if len(said) > 1 else ())]
    lines += [bucket.words] if bucket.words else []
    return Spot(
        place((left + right) / 2),
        upward.up(bucket.total),
        "\n".join(lines),
        place(left),
        0.0,
        place(right - left),
        100.0,
    )


def _legend(buckets: Sequence[Bucket], tones: Mapping[str, str]) -> tuple[Entry, ...]:
    seen = {part for one in buckets for part, value in one.parts.items() if value}
    own = [
        Entry(part, tone, "box") for part, tone in tones.items() if part in seen and tone != OLDER
    ]
    older = [Entry("older", OLDER, "box")] if any(tones[part] == OLDER for part in seen) else []
    return (*older, *own) if len(own) + len(older) > 1 else ()


def _sentence(buckets: Sequence[Bucket], what: str, says: Says) -> str:
    total = sum(one.total for one in buckets)
    most = max(buckets, key=lambda one: one.total)
    if len(buckets) == 1:
        return f"{says(total)} {what} in this time."
    busiest = f"{says(most.total)} in {stretch(most.starts_at, most.ends_at)}"
    return f"{says(total)} {what} in this time; at most {busiest}."


def _table(buckets: Sequence[Bucket], parts: Sequence[str], what: str, says: Says) -> Table:
    seen = [part for part in parts if any(one.parts.get(part) for one in buckets)]
    rows = [
        (
            stretch(one.starts_at, one.ends_at),
            says(one.total),
            *(says(one.parts.get(part, 0.0)) for part in (seen if len(seen) > 1 else ())),
        )
        for one in reversed(buckets)
        if one.total
    ]
    head = ("Time (UTC)", what.capitalize(), *(seen if len(seen) > 1 else ()))
    return Table(head, tuple(rows[:MOST_ROWS]), left_out=max(0, len(rows) - MOST_ROWS))
