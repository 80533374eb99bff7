"""How long predictions took, as counts between fixed edges, so that minutes add up to days.

The edges are three a decade, from five microseconds to one second: a quantile read off them is
right to within one bin.

    >>> counts = np.bincount(places(np.array([4e-6, 3e-5, 4e-5, 2.0])), minlength=BINS).tolist()
    >>> quantile(counts, 0.5), quantile(counts, 0.99), quantile([], 0.5)
    (5e-05, inf, None)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

EDGES = (
    5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3,
    2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0,
)  # fmt: skip
"""Seconds: bin `i` holds what took longer than `EDGES[i - 1]` and at most `EDGES[i]`."""

BINS = len(EDGES) + 1


def places(seconds: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the bins of many times."""
    return np.searchsorted(EDGES, seconds, side="left")


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Return the time within which a share of the predictions was made: the edge above it."""
    needed, seen = share * sum(counts), 0
    for number, count in enumerate(counts):
        seen += count
        if count and seen >= needed:
            return EDGES[number] if number < len(EDGES) else inf
    return None
