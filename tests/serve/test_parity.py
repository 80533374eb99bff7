from __future__ import annotations

import math

import numpy as np
import pytest

from unrot.core.records import Outputs
from unrot.serve.parity import differing_rows, largest_difference


def test_difference_is_the_largest_of_all_probabilities() -> None:
    expected = Outputs([0, 1], [[0.75, 0.25], [0.25, 0.75]])

    given = Outputs([0, 1], [[0.75, 0.25], [0.375, 0.625]])

    assert largest_difference(expected, given) == 0.125


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e12])
@pytest.mark.parametrize("offset", [0.0, 2000.0])
def test_difference_of_values_is_in_units_of_their_spread(size: float, offset: float) -> None:
    # The median is 3, the mean distance from it (2 + 1 + 0 + 1 + 16) / 5 = 4.
    values = np.array([1.0, 2.0, 3.0, 4.0, 19.0])
    expected = Outputs(values=((values + offset) * size).tolist())

    near, far = values + 0.5 * (values == 3), values + 0.5 * (values == 19)

    for moved, difference in ((near, 0.5 / 4), (far, 0.5 / 16)):
        given = Outputs(values=((moved + offset) * size).tolist())
        assert largest_difference(expected, given) == pytest.approx(difference)


@pytest.mark.parametrize(
    ("expected", "given", "difference"),
    [
        ([1000.0, 1000.0], [1000.0, 1001.0], 0.001),
        ([0.0, 0.0], [0.0, 0.25], 0.25),
        ([0.1 + 0.2, 0.3], [0.3, 0.3], 0.0),
        ([], [], 0.0),
    ],
)
def test_difference_of_values_without_a_spread_is_in_units_of_their_size(
    expected: list[float], given: list[float], difference: float
) -> None:
    found = largest_difference(Outputs(values=expected), Outputs(values=given))

    assert found == pytest.approx(difference, abs=1e-15)


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
