"""Shapley values of any model by sampling, with how far they may be off.

In the place of features that are not known stand those of a row of the training. One sample takes
such a row b and an order of the features, changes b into x one feature after the other, and notes
how the answer moves; then it does so in the reverse order, whose errors tend the other way
(antithetic, Mitchell et al.: Sampling permutations for Shapley value estimation, 2022). What is
noted of one sample adds up to f(x) - f(b), so the means add up to f(x) less the mean of all f(b).
From the variance of the samples comes the 95 % interval of each mean.

    >>> def add(rows):
    ...     return np.array([2 * row[0] + row[1] for row in rows])
    >>> found = sample(add, [3.0, 1.0], [[0.0, 0.0], [2.0, 0.0]], seconds=0, clock=lambda: 0.0)
    >>> found.average, found.amounts.tolist(), found.samples
    (2.0, [4.0, 1.0], 2)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Row

Floats = NDArray[np.float64]
Score = Callable[[Sequence[Row]], Floats]
MOST_PASSES = 40
"""Over all rows of the training that are at hand: more would hardly be closer."""
CELLS_AT_ONCE = 100_000
SURE = 1.96


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was found: means, and the half width of their 95 % intervals."""

    average: float
    amounts: Floats
    errors: Floats
    samples: int


def sample(
    score: Score,
    row: Row,
    background: Sequence[Row],
    *,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Sampled:
    """Sample within a budget of time; two samples are always drawn."""
    rng, until = np.random.default_rng(0), clock() + seconds
    at_once = max(1, CELLS_AT_ONCE // (2 * len(row) * (len(row) + 1)))
    found: list[tuple[Floats, Floats]] = []
    for _ in range(MOST_PASSES):
        for place in range(0, len(background), at_once):
            found.append(_walked(score, row, background[place : place + at_once], rng))
            # One sample alone tells nothing of its error.
            if clock() >= until and sum(len(moved) for _, moved in found) > 1:
                return _summed(found)
    return _summed(found)


def _walked(
    score: Score, row: Row, rows: Sequence[Row], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return what each of some rows answers, and how its way to `row` moved that."""
    width = len(row)
    orders = [order for _ in rows for order in _both_ways(rng.permutation(width))]
    steps: list[Row] = []
    for nth, order in enumerate(orders):
        step = list(rows[nth // 2])
        steps.append(step)
        for feature in order.tolist():
            step = [*step]
            step[feature] = row[feature]
            steps.append(step)
    scores = score(steps).reshape(len(orders), width + 1)
    moved = np.empty((len(orders), width))
    np.put_along_axis(moved, np.array(orders), np.diff(scores, axis=1), axis=1)
    return scores[::2, 0], moved.reshape(len(rows), 2, width).mean(axis=1)


def _both_ways(order: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return order, order[::-1]


def _summed(found: Sequence[tuple[Floats, Floats]]) -> Sampled:
    begun = np.concatenate([one for one, _ in found])
    moved = np.concatenate([one for _, one in found])
    count = len(moved)
    errors = SURE * moved.std(axis=0, ddof=1) / np.sqrt(count)
    return Sampled(float(begun.mean()), moved.mean(axis=0), errors, count)
