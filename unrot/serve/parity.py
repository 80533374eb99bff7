"""How far two answers to the same rows are apart.

Asked twice: when a graph is exported (against scikit-learn), and when a worker has loaded a
version (against its golden rows).

Probabilities are compared as they are. A value v of a regression is compared in units of how
far it lies from the median of the expected values, and at least of their mean distance from it:

    |given - v| / max(|v - median|, mean |values - median|)

so that prices in millions, shares of a millionth and years around 2000 are held to the same
strictness. Where all expected values are the same, the unit is their size; where that is 0, 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Outputs

LEAST_SPREAD = 1e-9
TOLERANCE = 1e-4
"""Answers farther apart than this are not the same answers."""


def largest_difference(expected: Outputs, given: Outputs) -> float:
    """Return the largest difference of a probability or value; infinity where a class differs."""
    if _shape(expected) != _shape(given) or _classes(expected) != _classes(given):
        return math.inf
    farthest = 0.0
    if expected.probabilities is not None and given.probabilities is not None:
        farthest = _farthest(_table(expected.probabilities), _table(given.probabilities))
    if expected.values is not None and given.values is not None:
        values = _table(expected.values)
        units = _units(values)
        farthest = max(farthest, _farthest(values / units, _table(given.values) / units))
    return farthest


def differing_rows(expected: Outputs, given: Outputs) -> int:
    """Count the rows on which another class is named."""
    pairs = zip(_classes(expected), _classes(given), strict=True)
    return sum(one != other for one, other in pairs)


def _classes(outputs: Outputs) -> list[int]:
    return list(outputs.classes or ())


def _shape(outputs: Outputs) -> tuple[bool, bool, int]:
    rows = outputs.values if outputs.classes is None else outputs.classes
    return outputs.probabilities is None, outputs.values is None, len(rows or ())


def _table(numbers: Sequence[float] | Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.array(numbers, dtype=np.float64)


def _units(values: NDArray[np.float64]) -> NDArray[np.float64]:
    if not values.size:
        return values
    distances, largest = np.abs(values - np.median(values)), np.abs(values).max()
    # Values that are equal but for their last bits have no spread to measure by.
    if distances.mean() <= largest * LEAST_SPREAD:
        return np.full(values.shape, largest or 1.0)
    units: NDArray[np.float64] = np.maximum(distances, distances.mean())
    return units


def _farthest(expected: NDArray[np.float64], given: NDArray[np.float64]) -> float:
    if not expected.size:
        return 0.0
    if expected.shape != given.shape or not np.isfinite(given).all():
        return math.inf
    return float(np.abs(expected - given).max())
