"""Round values, times and places on an axis."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unrot.web.charts.axes import (
    GAP,
    Tick,
    choice_axis,
    number_axis,
    plain_axis,
    round_values,
    time_axis,
)
from unrot.web.wording import percent

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (3.0, 3.0, [1.0, 2.0, 3.0, 4.0, 5.0]),
        (0.0, 0.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-7.0, 12.0, [-10.0, -5.0, 0.0, 5.0, 10.0, 15.0]),
        (0.0, 1e-9, [0.0, 2e-10, 4e-10, 6e-10, 8e-10, 1e-9]),
        (1e15, 2e15, [1e15, 1.2e15, 1.4e15, 1.6e15, 1.8e15, 2e15]),
    ],
)
def test_round_values_cover_the_stretch(low: float, high: float, values: list[float]) -> None:
    assert round_values(low, high) == values


def test_number_axis_begins_and_ends_at_its_ticks() -> None:
    axis = number_axis(0.42, 0.97, says=percent, is_upright=True)

    assert (axis.low, axis.high) == (0.4, 1.0)
    assert axis.ticks == (
        Tick(100.0, "40 %"),
        Tick(66.667, "60 %"),
        Tick(33.333, "80 %"),
        Tick(0.0, "100 %"),
    )


def test_labels_below_the_plot_that_have_no_room_can_be_left_out_or_are() -> None:
    long = number_axis(0.0, 3.0, about=3, says=lambda value: f"{value:.0f} of all that were asked")
    short = number_axis(0.0, 3.0, about=3)

    assert [(tick.label[:1], tick.is_spare) for tick in long.ticks] == [("0", False), ("2", True)]
    assert [(tick.label, tick.is_spare) for tick in short.ticks] == [
        *(("0", False), ("1", False), ("2", False), ("3", False))
    ]


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (600, ["12:00", "12:02", "12:04", "12:06", "12:08", "12:10"]),
        (3_600, ["12:00", "12:10", "12:20", "12:30", "12:40", "12:50", "13:00"]),
        (
            86_400,
            ["12:00", "15:00", "18:00", "21:00", "21 Nov", "03:00", "06:00", "09:00", "12:00"],
        ),
        (7 * 86_400, ["21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov", "27 Nov"]),
        (300 * 86_400, ["Jan 2027", "Mar 2027", "May 2027", "Jul 2027", "Sep 2027"]),
        (4_000 * 86_400, ["2028", "2030", "2032", "2034", "2036"]),
    ],
)
def test_time_axis_writes_round_times(length: int, labels: list[str]) -> None:
    axis = time_axis(NOON, NOON + length)

    assert [tick.label for tick in axis.ticks] == labels


def test_time_axis_of_no_length_is_drawn_all_the_same() -> None:
    axis = time_axis(NOON, NOON)

    assert (axis.low, axis.high) == (NOON, NOON + 1)


@pytest.mark.parametrize(("at", "anchor"), [(0.0, "start"), (50.0, "middle"), (100.0, "end")])
def test_label_at_the_end_of_an_axis_stays_within_the_sheet(at: float, anchor: str) -> None:
    assert Tick(at, "Mar 2027").anchor == anchor


def test_short_labels_at_the_ends_take_no_room_from_those_between() -> None:
    axis = plain_axis(0.49, 1.0, percent)

    assert [tick.label for tick in axis.ticks if not tick.is_spare] == [
        *("50 %", "60 %", "70 %", "80 %", "90 %", "100 %")
    ]
    assert {tick.anchor for tick in axis.ticks} == {"middle"}


def test_what_has_no_number_has_a_lane_below_all_others() -> None:
    across = number_axis(0, 10, about=5, has_gaps=True)
    up = number_axis(0, 10, about=5, has_gaps=True, is_upright=True)

    assert [tick.label for tick in across.ticks] == ["unknown", "2", "4", "6", "8", "10"]
    assert [tick.label for tick in up.ticks] == ["unknown", "0", "2", "4", "6", "8", "10"]
    assert across.ends == "-1.0 10.0 0.0"
    assert (across.says(GAP), across.says(2.5)) == ("unknown", "2.5")


def test_choice_lies_in_the_middle_of_its_part_and_is_shortened() -> None:
    axis = choice_axis(["red", "ultramarine"])
    cut = choice_axis(["red", "a shade of ultramarine"])

    assert axis.ticks == (Tick(25.0, "red"), Tick(75.0, "ultramarine"))
    assert axis.says(1.0) == "ultramarine"
    assert (cut.ticks[1].label, cut.says(1.0)) == ("a shade of ultramarine",) * 2
    assert (cut.ticks[0].short, cut.ticks[1].short) == ("", "a shade of ultr…")


@pytest.mark.parametrize("hours", range(24))
def test_day_stands_below_a_narrow_plot_too(hours: int) -> None:
    since = 1_700_000_000.0 + 3_600 * hours
    axis = time_axis(since, since + 86_400)

    narrow = [tick.label for tick in axis.ticks if not tick.is_spare]
    assert len(narrow) >= 3
    assert "15 Nov" in narrow or "16 Nov" in narrow
