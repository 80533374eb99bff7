"""What a column usually is at each hour of the day, so that a cycle is not taken for dependence.

In rows of a whole day neighbours are alike because the hours differ, and yet the day holds every
hour, as the days before did. Taken from each value is what was usual at its hour on earlier days;
what is left tells how rows depend on each other (τ, see `worth`). It must be earlier days: the own
day's hourly means would swallow a slow walk, whose dependence is none of the clock's. Whatever is
taken off that today's rows had no part in can hide nothing of it.

A day that has not its usual share of each hour lies off by what the hours that it lacks or has too
many of are unlike the others. With u(h) what is usual at an hour, w(h) the share of rows that it
usually has and v(h) the share it has now, and σ² the variance of the n values, or of what is left
of them if that is more, they are worth

    1 / worth = τ / n + δ² / σ²        δ = Σ (v(h) − w(h)) · u(h)

An hour is known after three earlier days; its usual is the median of theirs, in the last week.

    >>> days = [{10: Hourly(1.0, 50)}, {10: Hourly(9.0, 50)}, {10: Hourly(2.0, 50)}]
    >>> usual_of(days)
    {10: Hourly(value=2.0, rows=50.0)}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from unrot.core.records import CountedStretch, Distribution, Profile
from unrot.core.time import DAY, HOUR, hour_of
from unrot.watch.monitors.drift.like_days import KNOWN
from unrot.watch.profiles.columns import Numbers


@dataclass(frozen=True, slots=True)
class Hourly:
    """One column in one hour: its mean, of choices that of their ranks, and how many values."""

    value: float
    rows: float


@dataclass(frozen=True, slots=True)
class Habit:
    """What is usual of the values of one column in a period."""

    values: Numbers
    """At the hour of each of them."""
    off: float
    """δ: by how much the period's hours make its mean unlike the usual one."""


def is_of_an_hour(stretch: CountedStretch | Profile) -> bool:
    """Tell whether a stretch lies within one hour of the clock."""
    return stretch.starts_at // HOUR == (stretch.ends_at - 1) // HOUR


def daytimes(profiles: Iterable[Profile]) -> dict[str, dict[int, Hourly]]:
    """Return what is usual at each hour that is known, column by column."""
    days: dict[str, dict[float, dict[int, Hourly]]] = defaultdict(lambda: defaultdict(dict))
    for profile in filter(is_of_an_hour, profiles):
        for name, one in profile.summary.items():
            day, hour = days[name][profile.starts_at // DAY], hour_of(profile.starts_at)
            day[hour] = _added(day.get(hour, Hourly(0.0, 0)), one)
    return {name: usual_of(list(of.values())) for name, of in days.items()}


def usual_of(days: Sequence[Mapping[int, Hourly]]) -> dict[int, Hourly]:
    """Return the median of the days of each hour that is known."""
    found = {}
    for hour in range(24):
        told = [day[hour] for day in days if hour in day and day[hour].rows]
        if len(told) >= KNOWN:
            value, rows = (
                median(of) for of in zip(*((x.value, x.rows) for x in told), strict=True)
            )
            found[hour] = Hourly(value, float(rows))
    return found


def habit_of(
    usual: Mapping[int, Hourly], hours: Sequence[int], stretches: Sequence[CountedStretch]
) -> Habit | None:
    """Return what is usual of values of some hours; None where an hour is not known.

    `hours` are those of the values that were read, `stretches` all of their period.
    """
    rows = np.zeros(24)
    for one in stretches:
        rows[hour_of(one.starts_at)] += one.rows
    is_there = {*hours, *np.flatnonzero(rows).tolist()}
    if not is_there <= usual.keys() or not all(map(is_of_an_hour, stretches)):
        return None
    table = np.zeros((2, 24))
    for hour, known in usual.items():
        table[:, hour] = known.value, known.rows
    values, shares = table[0], table[1] / table[1].sum()
    return Habit(values[np.asarray(hours, int)], float((rows / rows.sum() - shares) @ values))


def _added(hour: Hourly, found: Distribution) -> Hourly:
    rows = sum(found.counts)
    if not rows:
        return hour
    ranks = np.arange(len(found.counts)) @ np.asarray(found.counts) / rows
    mean = found.mean if found.mean is not None else float(ranks)
    held = hour.rows + rows
    return Hourly((hour.value * hour.rows + mean * rows) / held, held)
