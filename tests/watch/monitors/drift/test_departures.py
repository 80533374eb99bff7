"""What is unlike training is news only where no habit of an hour or a weekend explains it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unrot.core.records import CountedStretch, Distribution, Drift
from unrot.core.rules import Rules
from unrot.core.time import DAY, HOUR, WEEK
from unrot.watch.monitors.drift import departures, like_days, mixture, rule
from unrot.watch.monitors.drift.departures import Departure
from unrot.watch.monitors.drift.dependence import dependence_of
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import OUTPUT_CLASS, Column, Numbers
from unrot.watch.statistics import distances

THURSDAY = 1_767_225_600.0
"""2026-01-01 00:00 UTC."""


def test_part_of_a_mixture_is_hardly_ever_said_to_be_none() -> None:
    rng = np.random.default_rng(1)
    night, whole = np.array([0.7, 0.2, 0.1]), np.array([0.3, 0.35, 0.35])
    share = 1 / 3

    chances = [
        mixture.part_chance(
            rng.multinomial(200, night),
            rng.multinomial(400, share * night + (1 - share) * whole),
            share,
        )
        for _ in range(500)
    ]

    assert sum(chance < 0.05 for chance in chances) <= 0.05 * 500
    assert mixture.part_chance([0, 0, 200], [280, 100, 20], share) < 1e-6


def test_mild_shift_is_told_from_a_part_only_after_days() -> None:
    training, shifted = [500, 340, 136, 21, 3], [160, 340, 340, 136, 24]
    day = Departure(0.0, DAY, [one // 2 for one in shifted], worth=500.0)
    lies = Distribution("number", 1_000, edges=(0.0, 1.0, 2.0, 3.0), counts=tuple(training))

    after = {}
    for days in (1, 2, 3, 7):
        found = day
        for number in range(2, days + 1):
            found = found.gone_on(number * DAY, day.counts, day.worth)
        after[days] = departures.part(found, lies, departures.share_of_week(found, None))

    assert after[1] > 0.01 and after[3] < 1e-4 and after[7] < 1e-20


def test_share_of_more_than_a_week_knows_that_some_days_came_twice() -> None:
    shares = [
        departures.share_of_week(Departure(0.0, weeks * WEEK, (700,), 700.0), None)
        for weeks in (0.5, 1, 1.2, 2, 10.5)
    ]

    assert shares == pytest.approx([0.5, 1.0, 0.6, 1.0, 10.5 / 11])


def test_share_of_days_of_one_kind_is_that_of_all_of_them() -> None:
    spans = {"day": (0, 1), "half": (0.5, 1), "until monday": (1.9, 4.4), "sunday": (3, 4)}

    shares = {
        name: departures.share_of_days(
            Departure(THURSDAY + since * DAY, THURSDAY + until * DAY, (100,), 100.0), None
        )
        for name, (since, until) in spans.items()
    }

    assert shares == pytest.approx(
        {"day": 5 / 7, "half": 5 / 14, "until monday": 0.0, "sunday": 2 / 7}
    )


def test_first_day_that_was_gone_through_in_part_has_its_part_of_the_share() -> None:
    evening = THURSDAY + 18 * HOUR
    first = [CountedStretch("v1", evening, evening + HOUR, "d", 150)]

    share = departures.share_of_kind(first, THURSDAY, THURSDAY + DAY, 150)

    assert share == pytest.approx(5 / 7 / 4)


def test_share_of_an_hour_that_has_all_rows_is_that_of_its_day() -> None:
    nine = THURSDAY + 9 * HOUR
    days = [
        CountedStretch("v1", nine + day * DAY, nine + day * DAY + HOUR, "d", 150) for day in (0, 1)
    ]

    first = departures.share_of_kind(days, nine, nine + HOUR, 150)
    second = departures.share_of_kind(days, nine + DAY, nine + DAY + HOUR, 150)

    assert (first, second) == (pytest.approx(5 / 7 / 24), pytest.approx(5 / 7))


def test_far_outside_is_no_part_of_anything_and_just_outside_may_be() -> None:
    lies = Distribution("number", 120, edges=(2.0, 4.4), counts=(0, 120, 0))
    now = replace(lies, rows=150, counts=(0, 120, 30), unseen=30)
    near, far = (np.array([3.0] * 120 + [value] * 30) for value in (4.6, 99.0))

    chances = [departures.support(now, lies, 1.0, 1 / 34, values) for values in (near, far)]

    assert chances[0] > 0.5 and chances[1] < 1e-5


def test_never_seen_is_held_against_what_came_once() -> None:
    lies = Distribution(
        "choice", 1_000, choices=("a", *map(str, range(50))), counts=(950, *[1] * 50, 0)
    )
    usual_share = replace(lies, rows=200, counts=(180, *[0] * 50, 20), unseen=10)
    much = replace(usual_share, unseen=100, counts=(100, *[0] * 50, 100))

    assert rule.unseen_by_chance(lies) == 0.05
    assert departures.support(usual_share, lies, 1.0, 1.0, None) > 0.01
    assert departures.support(much, lies, 1.0, 1.0, None) < 1e-20


def test_weekend_like_the_last_ones_is_usual_and_another_is_not() -> None:
    weekends = [0.41, 0.43, 0.40, 0.42, 0.41, 0.42]

    assert like_days.farther_chance(0.43, weekends) > 0.05
    assert like_days.farther_chance(0.7, weekends) < 1e-6
    assert like_days.farther_chance(0.7, weekends[:1]) == 1.0


def test_change_is_abrupt_only_within_an_hour_of_the_clock() -> None:
    ten = THURSDAY + 10 * HOUR

    assert departures.can_be_abrupt(ten + 600, ten + 900, ten + 300)
    assert not departures.can_be_abrupt(ten, ten + 300, ten - 300)
    assert not departures.can_be_abrupt(ten, ten + HOUR, ten)
    minutes = [CountedStretch("v1", ten + at, ten + at + 300, "d", 60) for at in (-300, 0, 300)]
    assert departures.just_before(minutes, ten + 600, "d", 100) == minutes[:0:-1]
    assert departures.just_before(minutes, ten + 600, "d", 150) == []


def test_repeats_and_runs_make_rows_worth_less_and_a_stuck_column_stays_seen() -> None:
    rng = np.random.default_rng(2)
    fresh = np.repeat(rng.normal(size=40), 5)
    columns = {"x": Column(200, numbers=fresh), "stuck": Column(200, numbers=np.ones(200))}
    lone = rng.normal(size=200)

    found = dependence_of(columns, fresh.tolist(), Reference({}))
    alone = dependence_of(
        {"x": Column(200, numbers=lone), "stuck": columns["stuck"]}, lone.tolist(), Reference({})
    )

    assert found.repeats == 5.0 and found.rows(200, DAY) == 40.0
    assert found.shares["x"] <= 1 / 5
    assert (alone.repeats, alone.shares["stuck"]) == (1.0, 1.0)


def test_distance_by_chance_is_that_of_samples_of_one_population() -> None:
    rng = np.random.default_rng(3)
    shares = rng.dirichlet(np.ones(30))
    pairs = [(rng.multinomial(100, shares), rng.multinomial(1_000, shares)) for _ in range(200)]

    measured = np.mean([distances.hellinger(*pair) ** 2 for pair in pairs])
    expected = np.mean([distances.hellinger_by_chance(*pair, 100, 1_000) ** 2 for pair in pairs])

    assert expected == pytest.approx(measured, rel=0.1)


def test_column_that_lies_far_and_has_not_moved_says_why() -> None:
    far = Drift("x", 0.4, "ks", 0.3, 1e-9, has_moved=False, is_calm=True, level=1e-3)
    by_chance = replace(far, expected=0.39, worth=12.0)
    habit = replace(far, surprise=0.8, is_known=True)

    judged = [
        rule.judge_drift(one, Rules())
        for one in (far, by_chance, habit, replace(habit, is_known=False))
    ]

    assert [(one.has_moved, one.why) for one in judged] == [
        (True, ""),
        (False, "chance"),
        (False, "usual"),
        (False, "unknown"),
    ]


@pytest.mark.parametrize("fastest", [0.99, 0.0])
def test_answer_that_hardly_varies_is_worth_no_more_than_the_inputs(fastest: float) -> None:
    """It is made of them; three of 140 that are another hardly show that they follow each other."""
    rng = np.random.default_rng(3)
    inputs = {"x": slow(0.99, rng), "y": slow(fastest, rng)}
    texts = ["no"] * 138 + ["yes"] * 2
    columns = {name: Column(140, numbers=one) for name, one in inputs.items()}
    columns[OUTPUT_CLASS] = Column(140, texts=texts)

    found = dependence_of(columns, list(range(140)), Reference({})).shares

    best = max(found["x"], found["y"])
    assert best == (pytest.approx(1 / 140) if fastest else 1.0)
    assert found[OUTPUT_CLASS] == best if fastest else 0.1 < found[OUTPUT_CLASS] < best


def slow(share: float, rng: np.random.Generator) -> Numbers:
    """Make values of which each takes its share of the one before."""
    found = np.zeros(140)
    for at in range(1, 140):
        found[at] = share * found[at - 1] + rng.normal()
    return found
