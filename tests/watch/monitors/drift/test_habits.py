"""A daily cycle is no dependence of rows; a slow walk is, whatever the clock says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unrot.core.records import CountedStretch, Distribution, Profile
from unrot.core.time import DAY, HOUR
from unrot.watch.monitors.drift.dependence import dependence_of
from unrot.watch.monitors.drift.habits import Hourly, daytimes, habit_of
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import Column, Numbers

AN_HOUR = 20
HOURS = np.repeat(np.arange(24), AN_HOUR)

Drawn = Callable[[np.random.Generator], Numbers]


def cycle(rng: np.random.Generator) -> Numbers:
    """A day of rows that follow the hours and are else independent."""
    drawn: Numbers = 2 * np.sin(HOURS * np.pi / 12) + rng.normal(size=len(HOURS))
    return drawn


def walk(rng: np.random.Generator) -> Numbers:
    """A day of rows with an autocorrelation of .99."""
    drawn = rng.normal(size=len(HOURS))
    for place in range(1, len(drawn)):
        drawn[place] = 0.99 * drawn[place - 1] + np.sqrt(1 - 0.99**2) * drawn[place]
    return drawn


def profile(day: int, hour: int, values: Numbers) -> Profile:
    starts_at = day * DAY + hour * HOUR
    lies = Distribution(
        "number", rows=len(values), counts=(len(values),), mean=float(values.mean())
    )
    return Profile(
        *("p", "m", "v1", "w", starts_at, starts_at + HOUR, len(values)), summary={"x": lies}
    )


def stretches(hours: Numbers) -> list[CountedStretch]:
    return [
        CountedStretch("v1", hour * HOUR, (hour + 1) * HOUR, "d", int((hours == hour).sum()))
        for hour in np.unique(hours).tolist()
    ]


def usual_after(days: int, drawn: Drawn, rng: np.random.Generator) -> dict[int, Hourly]:
    values = [drawn(rng) for _ in range(days)]
    profiles = [
        profile(day, hour, one[hour == HOURS])
        for day, one in enumerate(values)
        for hour in range(24)
    ]
    return daytimes(profiles).get("x", {})


def worth(values: Numbers, hours: Numbers, usual: dict[int, Hourly]) -> float:
    habit = habit_of(usual, hours.tolist(), stretches(hours))
    found = dependence_of(
        {"x": Column(len(values), numbers=values)},
        values.tolist(),
        Reference({}),
        {} if habit is None else {"x": habit},
    )
    return len(values) * found.shares["x"]


def test_rows_that_follow_the_hours_count_once_earlier_days_are_known() -> None:
    rng = np.random.default_rng(1)
    today, usual = cycle(rng), usual_after(3, cycle, rng)

    assert worth(today, HOURS, usual_after(2, cycle, rng)) < 0.05 * len(today)
    assert worth(today, HOURS, usual) > 0.5 * len(today)
    assert worth(today + 3.0, HOURS, usual) == pytest.approx(worth(today, HOURS, usual))


def test_slow_walk_is_worth_no_more_for_what_its_earlier_days_were() -> None:
    rng = np.random.default_rng(2)

    told = [worth(walk(rng), HOURS, usual_after(3, walk, rng)) for _ in range(20)]

    assert max(told) < 0.05 * len(HOURS)


def test_day_that_lacks_hours_is_worth_little_where_hours_differ() -> None:
    rng = np.random.default_rng(3)
    morning = HOURS < 12

    told = worth(cycle(rng)[morning], HOURS[morning], usual_after(3, cycle, rng))

    assert told < 3


def test_day_with_an_hour_that_is_not_known_has_no_habit() -> None:
    usual = {hour: Hourly(0.0, 20) for hour in range(23)}

    assert habit_of(usual, [1, 2], stretches(HOURS)) is None
    assert habit_of(usual, [1, 2], stretches(HOURS[HOURS < 23])) is not None
    assert habit_of(usual, [1, 2], [CountedStretch("v1", 0.0, DAY, "d", 20)]) is None


def test_choices_are_told_by_the_means_of_their_ranks() -> None:
    lies = Distribution("choice", rows=4, choices=("a", "b"), counts=(1, 3, 0))
    days = [
        Profile("p", "m", "v1", "w", day * DAY, day * DAY + HOUR, 4, summary={"c": lies})
        for day in range(3)
    ]

    assert daytimes(days) == {"c": {0: Hourly(0.75, 4.0)}}
