"""Bursts of odd rows, counted by hand."""

from __future__ import annotations

import pytest

from unrot.core.records import Oddity, Reason, Window
from unrot.core.rules import Rules
from unrot.watch.monitors.outliers import rule
from unrot.watch.monitors.outliers.rule import (
    DAY,
    HOUR,
    Rate,
    is_burst,
    is_calm,
    lengths_of,
    rates_of,
    start_of,
    usual_of,
)
from unrot.watch.statistics.usual_share import Past

NOON = 1_767_268_800 // 60
"""2026-01-01 12:00 UTC, in minutes."""
USUAL = usual_of(Past(), rows=2_000, known=1.0)


def window(minute: int, looked_at: int, outliers: int = 0, **more: int) -> Window:
    return Window(NOON + minute, "iris", "v1", "me", looked_at=looked_at, outliers=outliers, **more)


def found(windows: list[Window], **more: float) -> list[tuple[float, int, int, int]]:
    stretch = {"after": 0.0, "until": 1e12, "least": 100, **more}
    told = rates_of(windows, (300, HOUR, DAY), **stretch)  # type: ignore[arg-type]
    return [
        ((one.starts_at / 60 - NOON), one.ends_at - one.starts_at, one.looked_at, one.outliers)
        for one in told
    ]


@pytest.mark.parametrize(
    ("looked_at", "outliers", "expected"),
    [
        (100, 7, True),  # as many by chance: 1 in 5,800
        (100, 5, False),  # as many by chance: 1 in 190
        (1_000, 49, False),  # surely more than 1 %, and less than the 5 % of the rules
        (1_000, 50, True),
        (100, 100, True),
        (100, 0, False),
    ],
)
def test_burst_is_large_and_hardly_by_chance(looked_at: int, outliers: int, expected: bool) -> None:
    assert is_burst(Rate(0, 300, looked_at, outliers), Rules(), USUAL, 1e-3) is expected


def test_share_that_swings_from_period_to_period_is_no_burst_when_it_does() -> None:
    calm, swinging = Past(), Past()
    for number in range(20):
        calm = calm.after(2, 100)
        swinging = swinging.after(10 * (number % 5 == 0), 100)
    ten = Rate(0, 300, 100, 10)

    told = [
        is_burst(ten, Rules(), usual_of(past, rows=2_000, known=1.0), 1e-3)
        for past in (calm, swinging)
    ]

    assert told == [True, False]


def test_half_a_day_of_a_slow_world_may_be_odd() -> None:
    half = Rate(0, DAY, 1_007, 525)

    found = [
        is_burst(
            half, Rules(), usual_of(Past(), rows=2_000, known=0.5, slowness=one), 1e-3, worth=one
        )
        for one in (1.0, 20.0, 150.0)
    ]

    assert found == [True, True, False]


def test_burst_is_over_below_half_of_the_share() -> None:
    shares = [is_calm(Rate(0, 300, 1_000, outliers), Rules()) for outliers in (0, 24, 25, 49)]

    assert shares == [True, True, False, False]


def test_share_of_the_rules_below_what_is_usual_is_no_burst() -> None:
    assert not is_burst(Rate(0, 300, 10_000, 90), Rules(outlier_share=0.001), USUAL, 1e-3)


def test_shortest_period_with_enough_rows_is_looked_at() -> None:
    busy = [window(0, 60, 1), window(4, 40, 2)]
    quiet = [window(70, 60, 3), window(110, 60)]

    assert found(busy) == [(0, 300, 100, 3)]
    assert found(quiet) == [(60, HOUR, 120, 3)]
    assert found([window(0, 99, 9), window(300, 5)]) == [(-720, DAY, 104, 9)]
    assert found([window(0, 99, 9)]) == []


def test_longer_period_is_left_out_where_a_shorter_one_told_of_it() -> None:
    assert found([window(0, 100, 1), window(30, 50)]) == [(0, 300, 100, 1)]


def test_versions_and_writers_are_added_up() -> None:
    both = [window(0, 60, 1), Window(NOON, "iris", "v2", "you", looked_at=60, outliers=4)]

    assert found(both) == [(0, 300, 120, 5)]


def test_only_periods_that_ended_in_the_stretch_are_returned() -> None:
    windows = [window(0, 100), window(5, 100), window(10, 100)]
    end = NOON * 60 + 300

    assert [one[0] for one in found(windows, after=end, until=end + 300)] == [5]


def test_totals_of_an_hour_say_nothing_of_shorter_periods() -> None:
    assert found([window(0, 500, 5, minutes=60)]) == [(0, HOUR, 500, 5)]


def test_lengths_follow_the_rules() -> None:
    assert lengths_of("auto", 300) == (300, HOUR, DAY)
    assert lengths_of("auto", HOUR) == (HOUR, DAY)
    assert lengths_of("day", 300) == (DAY,)
    assert lengths_of("rotation", 5) == (60,)


def test_weeks_begin_on_mondays() -> None:
    assert start_of(NOON * 60, rule.WEEK) == NOON * 60 - 3 * DAY - DAY // 2  # a Thursday


def test_features_that_made_most_rows_odd_are_named() -> None:
    def odd(*reasons: tuple[str, float]) -> Oddity:
        told = tuple(Reason(*reason) for reason in reasons)
        return Oddity("id", "iris", "v1", 0.0, 2.0, told)

    rows = [odd(("width", 0.9), ("length", 0.05))] * 7 + [odd(("length", 0.5), ("width", 0.4))] * 2
    rows += [odd(("depth", 0.2), ("age", 0.1))]

    assert rule.main_features(rows) == [("width", 9), ("length", 2)]
    assert rule.main_features([]) == []
