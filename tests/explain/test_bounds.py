"""Bounds of a share: the very ones of the divergence, and true as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from unrot.explain.bounds import highest, interval, lowest


def divergence(p: float, q: float) -> float:
    hit = p * math.log(p / q) if p else 0.0
    return hit + ((1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0)


@pytest.mark.parametrize(("hits", "count"), [(950, 1_000), (3, 20), (1, 2)])
def test_bounds_lie_where_the_divergence_says(hits: int, count: int) -> None:
    low, high = interval(hits, count, 3.0)

    share = hits / count
    assert low < share < high
    assert count * divergence(share, low) == pytest.approx(3.0, rel=1e-3)
    assert count * divergence(share, high) == pytest.approx(3.0, rel=1e-3)


def test_nothing_is_known_of_what_was_never_drawn() -> None:
    shares, counts = np.zeros(1), np.zeros(1, dtype=np.int64)

    assert lowest(shares, counts, 3.0).tolist() == [0.0]
    assert highest(shares, counts, 3.0).tolist() == [1.0]


@pytest.mark.parametrize("true", [0.94, 0.95, 0.99])
def test_lower_bound_is_above_the_truth_as_rarely_as_it_says(true: float) -> None:
    """By the exact distribution of the hits: P(low > true) is at most exp(-level)."""
    hits = np.arange(501)

    low = lowest(hits / 500, np.full(501, 500), math.log(20))

    assert binom.pmf(hits[low > true], 500, true).sum() <= 0.05
