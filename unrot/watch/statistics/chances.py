"""The few sums over chances that monitors and the gate share.

They are numpy alone, as pages ask for them too; what needs scipy is the gate's (`exact_tests.py`).

    >>> round(chance_of_more(3, 4, 1, 4), 4)      # Fisher's lady tasting tea
    0.2429
    >>> round(float(np.exp(log_choose(5, 2)))), round(float(np.exp(log_sum(np.log([1.0, 2.0])))))
    (10, 3)
"""

from __future__ import annotations

from math import exp, lgamma
from typing import Any

import numpy as np
from numpy.typing import NDArray


def log_choose(n: int, k: int) -> float:
    """Return the logarithm of in how many ways k of n can be chosen."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def log_sum(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of a sum, over the last axis, of what is given as logarithms."""
    largest = np.max(logs, axis=-1, keepdims=True)
    return np.asarray(np.log(np.sum(np.exp(logs - largest), axis=-1)) + largest[..., 0])


def sum_of_steps(first: float, steps: NDArray[np.float64]) -> float:
    """Return the sum of chances, of which the first and each next one's ratio are known as logs."""
    logs = np.concatenate([[0.0], np.cumsum(steps)]) + first
    return min(1.0, exp(float(log_sum(logs))))


def chance_of_more(found: int, rows: int, found_before: int, rows_before: int) -> float:
    """Return how likely so many or more of the rows are where the share is as before.

    Fisher's exact test, one-sided: the upper tail of the hypergeometric distribution.
    """
    every, all_rows = found + found_before, rows + rows_before
    low, high = found, min(every, rows)
    first = (
        log_choose(every, low)
        + log_choose(all_rows - every, rows - low)
        - log_choose(all_rows, rows)
    )
    places: NDArray[Any] = np.arange(low, high, dtype=np.float64)
    more = (every - places) / (places + 1)
    fewer = (rows - places) / (all_rows - every - rows + places + 1)
    return sum_of_steps(first, np.log(more * fewer))
