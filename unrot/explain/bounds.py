"""How far a share may be from the one that was counted: bounds by the Kullback-Leibler divergence.

Of n independent draws with a share p of hits, Chernoff's bound says that the true share q is above
p with n kl(p, q) > level in at most exp(-level) of all cases, and as rarely below; here

    kl(p, q) = p log(p / q) + (1 - p) log((1 - p) / (1 - q))

So the bounds are the q on both sides of p with n kl(p, q) = level (Kaufmann, Kalyanakrishnan:
Information complexity in bandit subset selection, COLT 2013). They hold for each n, and are near
the exact ones.

    >>> [round(bound, 3) for bound in interval(50, 100, np.log(20))]
    [0.379, 0.621]
    >>> [round(bound, 3) for bound in interval(100, 100, np.log(20))]
    [0.97, 1.0]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HALVINGS = 20
"""Of the way to the end: that is nearer than any number here is shown."""


def lowest(shares: Floats, counts: NDArray[np.int64], level: float) -> Floats:
    """Return how low the true shares may be; what was never drawn may be anything."""
    found = _farthest(shares, np.zeros_like(shares), level / np.maximum(counts, 1))
    return np.where(counts == 0, 0.0, found)


def highest(shares: Floats, counts: NDArray[np.int64], level: float) -> Floats:
    """Return how high the true shares may be."""
    found = _farthest(shares, np.ones_like(shares), level / np.maximum(counts, 1))
    return np.where(counts == 0, 1.0, found)


def interval(hits: int, count: int, level: float) -> tuple[float, float]:
    """Return both bounds of one share."""
    share, counts = np.array([hits / max(count, 1)]), np.array([count])
    return float(lowest(share, counts, level)[0]), float(highest(share, counts, level)[0])


def _farthest(shares: Floats, end: Floats, allowed: Floats) -> Floats:
    """Go from each share towards an end as far as the divergence allows."""
    near, far = shares.copy(), end.copy()
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        is_allowed = _divergence(shares, middle) <= allowed
        near, far = np.where(is_allowed, middle, near), np.where(is_allowed, far, middle)
    # The outer one, so that rounding makes no bound closer than it is.
    return far


def _divergence(p: Floats, q: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(p > 0, p * np.log(p / q), 0.0)
        missed = np.where(p < 1, (1 - p) * np.log((1 - p) / (1 - q)), 0.0)
    found: Floats = hit + missed
    return found
