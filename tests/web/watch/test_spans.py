"""The stretch of time that is asked for."""

from __future__ import annotations

import pytest

from unrot.core.records import Finding
from unrot.watch.reports.overview import MOST_STEPS, Span, step_of
from unrot.web import spans

NOON = 1_700_049_600.0


def test_range_ends_with_the_step_that_now_is_in() -> None:
    found = spans.asked({"range": "hour"}, NOON + 61)

    assert found.span == Span(NOON - 3_480, NOON + 120, 60, "the last hour")
    assert (found.is_given, found.problem) == (True, "")


@pytest.mark.parametrize("given", [{}, {"range": "aeon"}])
def test_day_is_shown_where_nothing_that_is_known_was_asked(given: dict[str, str]) -> None:
    found = spans.asked(given, NOON)

    assert found.range == spans.DEFAULT
    assert not found.is_given


def test_time_around_a_finding_goes_by_how_long_it_took_to_be_noticed() -> None:
    found = Finding("f", "m", "rot", "rot", "grave", NOON, NOON + 600, NOON + 900, "", "")

    assert spans.around(found, NOON + 900).since == NOON - 3_600
    assert spans.around(found, NOON + 900).until == NOON + 900
    assert spans.around(found, NOON + 9e4).until == NOON + 3_360  # Full steps of 120.
    assert spans.around(found, NOON + 900, far=12).since == NOON - 43_200


@pytest.mark.parametrize(("first", "since"), [(-600, -540), (-400, -400), (-10, -180)])
def test_shortest_range_begins_with_the_traffic(first: float, since: float) -> None:
    asked = spans.asked({"range": "minutes"}, NOON)

    assert spans.begun(asked, NOON + first).span.since == NOON + since


def test_two_moments_are_taken_to_full_steps() -> None:
    found = spans.asked({"from": "2023-11-15T10:07", "to": "2023-11-15T12:00"}, NOON)

    assert found.span == Span(NOON - 6_840, NOON, 120, "the time shown")
    assert found.range is None


def test_from_alone_lasts_until_now() -> None:
    assert spans.asked({"from": "2023-11-14T12:00"}, NOON).span.until == NOON


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"from": "yesterday"},
            '"yesterday" is no time: write it such as 2023-11-15T12:00, in UTC.',
        ),
        (
            {"to": "2023-11-15T12:00"},
            "nothing is no time: write it such as 2023-11-15T12:00, in UTC.",
        ),
        (
            {"from": "2023-11-15T12:00", "to": "2023-11-14T12:00"},
            "The first moment has to be before the last one.",
        ),
    ],
)
def test_what_is_no_time_is_said_and_the_day_shown(given: dict[str, str], problem: str) -> None:
    found = spans.asked(given, NOON)

    assert (found.problem, found.range) == (problem, spans.DEFAULT)


@pytest.mark.parametrize("seconds", [1, 3_600, 86_400, 10 * 86_400, 4_000 * 86_400])
def test_step_parts_any_time_into_at_most_a_hundred(seconds: int) -> None:
    assert seconds / step_of(seconds) <= MOST_STEPS
