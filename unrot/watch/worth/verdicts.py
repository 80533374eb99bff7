"""How many verdicts one independent verdict is worth, before and after a place in a stream.

Rows that come several times, errors in bursts and inputs that change slowly say less than as many
independent rows. The largest of three figures counts (`measures.py`):

    rights and wrongs   autocorrelation time of what is left of them beside their usual share, by
                        their lags and by the means of blocks of 50 to 400
    inputs              autocorrelation time of the slowest number, while the verdicts before are
                        too few to show by themselves what comes of it (50 times that long)
    repeats             mean multiplicity of the rows that did not come long before

    >>> burst = ([0.0] * 180 + [1.0] * 20) * 5
    >>> of_left(np.array(burst)) > 10
    True
    >>> of_repeats([(1,), (2,)] * 20, [(3,)] * 6 + [(4,)] * 6), of_repeats([(1,)] * 9, [(1,)] * 9)
    (6.0, 1.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Outcome
from unrot.watch.statistics.accuracy import scores_of
from unrot.watch.worth.measures import (
    autocorrelation_time,
    multiplicity,
    repeats_in_turn,
    steadied,
)

Row = Sequence[float | int | str | bool | None]
Numbers = NDArray[Any]

FEWEST, FEWEST_ROWS = 12, 30
"""Verdicts, and inputs, below which nothing is said of how they depend on each other.

A dozen verdicts show a burst; of many columns the slowest of a dozen rows is slow by chance.
"""
LONG_ENOUGH = 50.0
"""Verdicts of so many autocorrelation times of the inputs show what comes of these."""
BLOCKS, FEWEST_BLOCKS = (50, 100, 200, 400), 8
BEYOND_CHANCE = 3.09
"""So far out of the normal curve chance alone comes once in a thousand."""
MOST_ROWS = 1_000
"""Of so many rows at once the inputs are looked at."""


def worth_of(
    left_before: Numbers,
    left_after: Numbers,
    rows_before: Sequence[Row],
    rows_after: Sequence[Row],
    *,
    known: int,
) -> float:
    """Return how many verdicts one independent one is worth; `known` lie before in all."""
    slow = of_inputs(rows_before if len(rows_before) >= len(rows_after) else rows_after)
    return max(
        of_left(left_before),
        of_left(left_after),
        slow if known < LONG_ENOUGH * slow else 1.0,
        of_repeats(rows_before, rows_after),
    )


def worth_of_last(outcomes: Sequence[Outcome], last: int) -> float:
    """Return how many of the last verdicts on a version say as much as one, for its pages.

    Rows that repeat are seen by their inputs, errors that come in bursts by those before as well.
    """
    rows = [tuple(one.inputs) for one in outcomes[-last:] if one.inputs]
    return max(repeats_in_turn(rows), autocorrelation_time(steadied(scores_of(outcomes))))


def of_left(left: Numbers) -> float:
    """Return the autocorrelation time of what is unusual about verdicts."""
    if len(left) < FEWEST:
        return 1.0
    return max(autocorrelation_time(left), *(_of_blocks(left, rows) for rows in BLOCKS))


def _of_blocks(left: Numbers, rows: int) -> float:
    """Return how much more means of blocks differ than those of independent rows, beyond chance.

    Weak correlation that lasts is lost in the noise of single lags, but not in the sums.
    """
    count, spread = len(left) // rows, float(left.var())
    if count < FEWEST_BLOCKS or spread < 1e-9:
        return 1.0
    means = left[len(left) - count * rows :].reshape(count, rows).mean(axis=1)
    times = rows * float(means.var(ddof=1)) / spread
    return times if times > by_chance(count - 1) else 1.0


def by_chance(free: int) -> float:
    """Return what the variance of so many free values reaches by chance, where it is 1.

    With four lengths of blocks on two sides of a place about one independent stream in a hundred
    is taken for a dependent one (Wilson and Hilferty, PNAS 17 (1931) 684-688).

    >>> round(by_chance(10), 2)                                 # 2.96 by the χ² itself
    2.98
    """
    spread = 2 / (9 * free)
    return float((1 - spread + BEYOND_CHANCE * sqrt(spread)) ** 3)


def of_inputs(rows: Sequence[Row]) -> float:
    """Return the autocorrelation time of the number that changes most slowly."""
    newest = rows[-MOST_ROWS:]
    if len(newest) < FEWEST_ROWS:
        return 1.0
    return max((of_left(column) for column in _numbers(newest)), default=1.0)


def of_repeats(before: Sequence[Row], after: Sequence[Row]) -> float:
    """Return how often the rows come that did not come long before a place.

    Where few different rows are possible, they came then as well, and each draw of them counts;
    those that come since a short while are the same few again.
    """
    new = [tuple(row) for row in after if row]
    known = {tuple(row) for row in before[: len(before) // 2]}
    times = multiplicity(row for row in new if row not in known)
    share = sum(row not in known for row in new) / max(len(new), 1)
    return 1.0 + share * (times - 1.0)


def _numbers(rows: Sequence[Row]) -> list[Numbers]:
    width = min((len(row) for row in rows), default=0)
    found = []
    for column in range(width):
        told = [row[column] for row in rows]
        if all(one is None or isinstance(one, int | float) for one in told):
            found.append(np.array(told, dtype=np.float64))
    return found
