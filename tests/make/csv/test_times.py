"""Times as logs have them."""

from __future__ import annotations

import pytest

from unrot.make.csv.times import Moment, moment

NOON = 1_769_860_800.0
"""2026-01-31 12:00 UTC, as `date -u -d @1769860800` says."""


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00z",
        "2026-01-31 12:00:00 UTC",
        "2026-01-31 12:00 GMT",
        "2026-01-31T12:00:00.000000+00:00",
        "2026-01-31 13:00:00+01:00",
        "2026-01-31 07:00:00 -0500",
        "20260131T120000Z",
        " 2026/1/31 12:00Z ",
        "1769860800",
        "1769860800.0",
        "1769860800000",
        "1769860800000000",
        "1769860800000000000",
    ],
)
def test_time_that_says_where_it_stands_is_read(text: str) -> None:
    assert moment(text) == Moment(NOON, has_zone=True)


@pytest.mark.parametrize(
    "text", ["2026-01-31 12:00:00", "2026-01-31T12:00", "20260131T120000", "2026/01/31 12:00"]
)
def test_time_without_a_zone_is_utc_and_told_apart(text: str) -> None:
    assert moment(text) == Moment(NOON, has_zone=False)


def test_day_alone_is_its_midnight() -> None:
    assert moment("2026-01-31") == Moment(NOON - 43_200, has_zone=False)


def test_fractions_of_a_second_are_kept() -> None:
    read = [moment(text) for text in ("2026-01-31 12:00:00.25", "1769860800250")]

    assert read == [Moment(NOON + 0.25, has_zone=False), Moment(NOON + 0.25, has_zone=True)]


def test_hour_that_a_clock_change_repeats_is_told_apart_by_its_zone() -> None:
    summer, winter = moment("2026-10-25 02:30+02:00"), moment("2026-10-25 02:30+01:00")

    assert summer is not None
    assert winter is not None
    assert winter.at - summer.at == 3_600


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaN",
        "yesterday",
        "3/4/2026",
        "31.01.2026 12:00",
        "2026-02-30",
        "2026-01-31 25:00",
        "46053.5",
        "12",
        "-1769860800",
        "1e9",
        "9" * 30,
        "٢٠٢٦-٠١-٣١",
    ],
)
def test_what_may_mean_something_else_is_no_time(text: str) -> None:
    assert moment(text) is None
