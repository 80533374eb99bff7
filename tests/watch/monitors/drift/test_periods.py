"""Periods: on the calendar, long enough, checked once, and again when rows came late."""

from __future__ import annotations

from dataclasses import replace

from unrot.core.records import Check, CountedStretch
from unrot.core.rules import Rules
from unrot.watch.monitors.drift import periods

DAY = 86_400
MIDNIGHT = 1_767_225_600
RULES = Rules()
LATER = MIDNIGHT + 99 * DAY


def stretch(
    at: float, rows: int, *, seconds: int = 300, of: str = "d1", version: str = "v1"
) -> CountedStretch:
    return CountedStretch(version, MIDNIGHT + at, MIDNIGHT + at + seconds, of, rows)


def checked(period: periods.Period, *, rows_before: int = 120) -> Check:
    times = (period.starts_at, period.ends_at)
    return Check("iris", "v1", *times, "training", period.rows, rows_before, (), period.reference)


def length(stretches: list[CountedStretch], rules: Rules = RULES) -> int:
    return periods.length_of(stretches, rules, rotation=300, now=LATER)


def test_shortest_length_with_enough_rows_is_taken() -> None:
    assert length([stretch(at * 300, 120) for at in range(5)]) == 300
    assert length([stretch(at * 300, 20) for at in range(24)]) == 3_600
    assert length([stretch(at * 3_600, 20) for at in range(48)]) == DAY
    assert length([stretch(at * DAY, 20) for at in range(20)]) == 7 * DAY
    assert length([stretch(at * DAY, 5) for at in range(90)]) == 28 * DAY
    assert length([stretch(0, 3)]) == 7 * DAY
    assert length([]) == 7 * DAY


def test_rules_may_say_how_long_it_is() -> None:
    stretches = [stretch(0, 3)]

    assert length(stretches, replace(RULES, period="hour")) == 3_600
    assert length(stretches, replace(RULES, period="rotation")) == 300


def test_versions_on_the_same_bins_are_one_period_and_others_are_not() -> None:
    found = periods.parted(
        [stretch(0, 60), stretch(300, 90, version="v2"), stretch(600, 50, of="d2", version="v3")],
        3_600,
    )

    assert [(one.reference, one.rows, one.version) for one in found] == [
        ("d1", 150, "v2"),
        ("d2", 50, "v3"),
    ]


def test_profile_longer_than_the_period_is_a_period_by_itself() -> None:
    [one] = periods.parted([stretch(0, 150, seconds=DAY)], 3_600)

    assert (one.starts_at, one.ends_at) == (MIDNIGHT, MIDNIGHT + DAY)


def test_closed_periods_are_due_once_and_again_when_they_grew() -> None:
    stretches = [stretch(0, 60), stretch(300, 60), stretch(DAY, 120)]
    due = periods.due(stretches, [], RULES, seconds=DAY, now=LATER)
    checks = [checked(one) for one in due]

    again = periods.due(stretches, checks, RULES, seconds=DAY, now=LATER)
    late = periods.due([*stretches, stretch(600, 5)], checks, RULES, seconds=DAY, now=LATER)

    assert [one.starts_at for one in due] == [MIDNIGHT, MIDNIGHT + DAY]
    assert again == []
    assert [(one.starts_at, one.rows) for one in late] == [(MIDNIGHT, 125)]
    assert periods.due(stretches, [], RULES, seconds=DAY, now=MIDNIGHT + DAY) == []


def test_another_length_does_not_check_the_past_again() -> None:
    stretches = [stretch(hour * 3_600, 120) for hour in range(48)]
    hours = [checked(one) for one in periods.parted(stretches[:30], 3_600)]

    due = periods.due(stretches, hours, RULES, seconds=DAY, now=LATER)

    assert [one.starts_at for one in due] == [MIDNIGHT + DAY]
    late = [replace(stretches[3], rows=140), *stretches[:3], *stretches[4:30]]
    assert [one.rows for one in periods.due(late, hours, RULES, seconds=DAY, now=LATER)] == [140]


def test_periods_that_were_too_small_count_for_a_longer_length() -> None:
    stretches = [stretch(hour * 3_600, 20) for hour in range(24)]
    hours = [checked(one, rows_before=0) for one in periods.parted(stretches, 3_600)]

    assert periods.due(stretches, hours, RULES, seconds=3_600, now=LATER) == []
    [day] = periods.due(stretches, hours, RULES, seconds=DAY, now=LATER)
    assert day.rows == 480


def test_previous_period_has_the_same_bins_and_enough_rows() -> None:
    stretches = [stretch(0, 120), stretch(DAY, 20), stretch(2 * DAY, 120)]
    stretches += [stretch(DAY, 150, of="d2")]
    last = [one for one in periods.parted(stretches, DAY) if one.reference == "d1"][-1]

    before = periods.previous(last, stretches, 100)

    assert before is not None and before.starts_at == MIDNIGHT
    assert periods.previous(before, stretches, 100) is None


def test_next_end_is_that_of_the_running_period() -> None:
    stretches = [stretch(0, 120), stretch(300, 9)]

    running = periods.next_end(stretches, 300, MIDNIGHT + 400)

    assert running == MIDNIGHT + 600 + periods.GRACE_SECONDS
    assert periods.next_end(stretches, 300, LATER) is None
