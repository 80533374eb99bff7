from __future__ import annotations

import math

import pytest

from unrot.models.parity import differing_rows, largest_difference
from unrot.records import Outputs


def test_difference_is_the_largest_of_all_probabilities() -> None:
    expected = Outputs([0, 1], [[0.75, 0.25], [0.25, 0.75]])

    given = Outputs([0, 1], [[0.75, 0.25], [0.375, 0.625]])

    assert largest_difference(expected, given) == 0.125


def test_difference_of_values_is_relative_beyond_one() -> None:
    assert largest_difference(Outputs(values=[1000.0]), Outputs(values=[1001.0])) == pytest.approx(
        0.001
    )
    assert largest_difference(Outputs(values=[0.25]), Outputs(values=[0.5])) == 0.25


@pytest.mark.parametrize(
    "given",
    [
        Outputs([1], [[0.5, 0.5]]),
        Outputs([0]),
        Outputs([0, 0], [[0.5, 0.5], [0.5, 0.5]]),
        Outputs([0], [[0.5, math.nan]]),
        Outputs([0], [[0.5, 0.25, 0.25]]),
        Outputs(values=[0.0]),
    ],
)
def test_difference_of_unlike_answers_is_infinite(given: Outputs) -> None:
    assert largest_difference(Outputs([0], [[0.5, 0.5]]), given) == math.inf


def test_differing_rows_are_counted() -> None:
    assert differing_rows(Outputs([0, 1, 2]), Outputs([0, 2, 1])) == 2
