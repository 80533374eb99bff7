"""Exact Shapley values of trees, by the shares of the training that took each path.

What a tree answers where only some features are known is the mean of its leaves, each weighed by
the share of the training that goes there wherever an unknown feature decides (Lundberg et al.:
From local explanations to global understanding with explainable AI for trees, 2020; there it is
"path dependent"). A leaf is then a game of its own. Of the features on its path, with z_j the
share that passes all conditions on feature j and o_j whether this row passes them,

    worth of a set S       = v Π_{j in S} o_j Π_{j not in S} z_j
    Shapley value of i     = v (o_i - z_i) ∫ Π_{j ≠ i} (o_j t + z_j (1 - t)) dt    from 0 to 1

The product is a polynomial of degree k - 1 in t, so Gauss-Legendre's rule with ⌈k / 2⌉ points is
exact. Leaves with as many features on their path are summed together, all trees at once. A feature
is one player, however many columns are made of it.

One tree of one split at 0.5 on its one feature, which 3 of 4 rows of the training passed to the
left, with 1 and 5 in its leaves:

    >>> leaves = Leaves(sizes=np.array([1, 1]), values=np.array([[1.0], [5.0]]),
    ...     players=np.array([0, 0]), shares=np.array([0.75, 0.25]), firsts=np.array([0, 1]),
    ...     columns=np.array([0, 0]), above=np.array([-np.inf, 0.5]),
    ...     upto=np.array([0.5, np.inf]), gaps=np.array([True, False]), start=np.array([0.0]))
    >>> leaves.averages.tolist(), leaves.contributions(np.array([0.7]), features=1).tolist()
    ([2.0], [[3.0]])
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CELLS_AT_ONCE = 200_000
LEAST_SHARE = 1e-12
"""Of a path that no row of the training took: nothing may be divided by 0."""


@dataclass(frozen=True)
class Leaves:
    """The leaves of all trees, those with few features on their path first.

    A leaf has `sizes` players, a player from `firsts` on its conditions: above the one number,
    up to the other, and whether a gap passes.
    """

    sizes: NDArray[Any]
    values: Floats
    """Of each leaf, a column for each score."""
    players: NDArray[Any]
    shares: Floats
    firsts: NDArray[Any]
    columns: NDArray[Any]
    above: NDArray[Any]
    upto: NDArray[Any]
    gaps: NDArray[Any]
    start: Floats
    """What the scores are before any tree, with all trees that are one leaf."""

    @cached_property
    def averages(self) -> Floats:
        """The mean of each score over the training."""
        ends = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        if not len(self.sizes):
            return self.start
        reached = np.multiply.reduceat(self.shares, ends)
        averages: Floats = self.start + reached @ self.values
        return averages

    def contributions(self, columns: Floats, *, features: int) -> Floats:
        """Return what each feature adds, a row for each score, given the columns of a row."""
        passed, found = self._passed(columns), np.zeros((len(self.start), features))
        for size, leaves, slots in self._groups():
            shape = (-1, size)
            o, z = passed[slots].reshape(shape), self.shares[slots].reshape(shape)
            each, players = _shapley(o, z), self.players[slots]
            for score, values in enumerate(self.values[leaves].T):
                added = (each * values[:, None]).ravel()
                found[score] += np.bincount(players, added, minlength=features)
        return found

    def _passed(self, columns: Floats) -> Floats:
        if not len(self.columns):
            return np.empty(0)
        cells = columns.astype(self.upto.dtype)[self.columns]
        passed = np.where(np.isnan(cells), self.gaps, (cells > self.above) & (cells <= self.upto))
        if len(self.firsts) < len(passed):
            passed = np.logical_and.reduceat(passed, self.firsts)
        return passed.astype(np.float64)

    def _groups(self) -> Iterator[tuple[int, slice, slice]]:
        """Part the leaves by how many players they have, and those into what fits the cache."""
        slot = 0
        sizes, firsts, counts = np.unique(self.sizes, return_index=True, return_counts=True)
        for size, first, count in zip(
            sizes.tolist(), firsts.tolist(), counts.tolist(), strict=True
        ):
            at_once = max(1, CELLS_AT_ONCE // (size * (size + 1)))
            for begin in range(first, first + count, at_once):
                end = min(begin + at_once, first + count)
                yield size, slice(begin, end), slice(slot, slot + (end - begin) * size)
                slot += (end - begin) * size

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what it is kept as."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _shapley(o: Floats, z: Floats) -> Floats:
    """Return the Shapley values of leaves that are worth 1."""
    points, weights = _rule((o.shape[1] + 1) // 2)
    # A point in front: numpy then works on whole tables, whose rows lie together.
    t = points[:, None, None]
    factors = o * t + z * (1 - t)
    wholes = factors.prod(axis=2) * weights[:, None]
    integrals = (wholes[:, :, None] / factors).sum(axis=0)
    found: Floats = (o - z) * integrals
    return found


@lru_cache(maxsize=64)
def _rule(points: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre's points and weights from 0 to 1."""
    at, weights = np.polynomial.legendre.leggauss(points)
    return (at + 1) / 2, weights / 2
