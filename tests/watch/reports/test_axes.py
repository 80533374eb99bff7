"""Axes that two charts share: nothing is lost, and one outlier presses nothing into a line."""

from __future__ import annotations

from math import inf

import pytest

from unrot.core.errors import Invalid
from unrot.watch.reports import axes


def test_numbers_reach_from_the_least_to_the_largest() -> None:
    axis = axes.numbers("size", [3.0, 1.0, None, 2.0])

    assert (axis.low, axis.high, axis.has_gaps, axis.far_out) == (1.0, 3.0, True, 0)
    assert axis.place(None) == -inf


def test_few_far_out_numbers_are_counted_and_left_beyond_the_ends() -> None:
    axis = axes.numbers("size", [*map(float, range(101)), 1e6, -1e6])

    assert (axis.low, axis.high, axis.far_out) == (-10.0, 110.0, 2)


def test_numbers_that_are_all_alike_or_not_there_make_an_axis() -> None:
    assert axes.numbers("size", [2.0, 2.0]).low == 2.0
    assert axes.numbers("size", [None]) == axes.Axis("size", "number", has_gaps=True)


def test_choices_keep_the_order_of_the_schema_and_the_rarest_of_many_are_others() -> None:
    known = [f"c{number}" for number in range(30)]

    few = axes.choices("colour", [True, None], (False, True))
    many = axes.choices("colour", ["c29", "c7", "c7"], known)

    assert (few.choices, few.has_gaps) == (("false", "true", "unknown"), True)
    assert many.choices == (*known[:19], "c29")
    assert axes.choices("colour", ["c1", *known], known).choices[-1] == "other"


def test_limits_are_read_as_typed_and_put_in_order() -> None:
    axis = axes.numbers("size", [0.0, 10.0]).limited("5", " 2.5 ")

    assert axis.limits == (2.5, 5.0)
    assert [axis.holds(value) for value in (2.4, 2.5, 5.0, 5.1, None)] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_gaps_lie_below_all_numbers_and_after_all_choices() -> None:
    size = axes.numbers("size", [0.0, None])
    colour = axes.choices("colour", ["red", None], ("red", "blue"))

    assert size.limited("", "9").holds(None) and not size.limited("0", "").holds(None)
    assert colour.limited("blue", "").holds(None) and not colour.limited("", "blue").holds(None)
    assert colour.limited("unknown", "unknown").holds(None)


def test_open_limits_hold_everything_gaps_as_well() -> None:
    axis = axes.numbers("size", [0.0, 10.0])

    assert axis.limited("", "").holds(None)
    assert axis.limited("3", "").holds(1e9)
    assert not axis.is_limited


def test_choices_are_limited_from_one_to_another() -> None:
    axis = axes.choices("colour", ["red", "blue"], ("red", "green", "blue")).limited("green", "")

    assert [axis.holds(value) for value in ("red", "green", "blue")] == [False, True, True]


@pytest.mark.parametrize("typed", ["wide", "nan", "inf", "1e999"])
def test_limit_that_is_no_number_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(Invalid, match="expected a number, such as"):
        axes.numbers("size", [0.0, 10.0]).limited(typed, "")


def test_limit_that_is_no_choice_names_the_choices() -> None:
    with pytest.raises(Invalid, match="expected one of red, blue"):
        axes.choices("colour", [], ("red", "blue")).limited("mauve", "")
