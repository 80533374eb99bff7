"""Exact Shapley values of trees, by the shares of the training that took each path.

What a tree answers where only some features are known is the mean of its leaves, each weighed by
the share of the training that goes there wherever an unknown feature decides (Lundberg et al.:
From local explanations to global understanding with explainable AI for trees, 2020; there it is
"path dependent"). A leaf is then a game of its own. Of the features on its path, with z_j the
share that passes all conditions on feature j and o_j whether this row passes them,

    worth of a set S       = v Π_{j in S} o_j Π_{j not in S} z_j
    Shapley value of i     = v (o_i - z_i) ∫ Π_{j ≠ i} (o_j t + z_j (1 - t)) dt    from 0 to 1

The product is a polynomial of degree k - 1 in t, so Gauss-Legendre's rule with ⌈k / 2⌉ points is
exact. Leaves are not visited one by one: at each point the products are carried down the trees, the
sums of what they weigh are carried up (Yu et al.: Linear TreeShap, 2022, has such sums as
polynomials), and a split adds to its feature what its two sides make of it. With u = t / (1 - t), z
the share before a split, a its side that the row takes and b the other, and S the sums below,

    added to its feature   = ∫ (S_a / (u + z_a) - (S_a + S_b) / (u + z)) / (1 - t)² dt

Two things make it short. A split on a feature that the row has left already adds nothing; and where
a row has left all features that a subtree still asks for, the subtree is its mean. All trees go
down together, level by level. A feature is one player, however many columns are made of it.

One tree of one split at 0.5 on its one feature, which 3 of 4 rows of the training passed to the
left, with 1 and 5 in its leaves:

    >>> trees = Trees(
    ...     roots=np.array([0]), targets=np.array([0]), lengths=np.array([1]),
    ...     owners=np.array([0]), columns=np.array([0]), upto=np.array([0.5]),
    ...     gaps_go_left=np.array([True]), before=np.array([1.0]),
    ...     below=np.array([[1]], dtype=np.uint64), under=np.array([-1, -1]),
    ...     shares=np.array([0.75]), values=np.array([[1.0, 5.0]]), start=np.array([0.0]),
    ...     total=np.array(np.nan))
    >>> trees.averages.tolist(), trees.contributions(np.array([0.7]), features=1).tolist()
    ([2.0], [[3.0]])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
AT_ONCE = 15_000
"""So many splits go down together: their sums stay near the processor."""
LEAST_SHARE = 1e-12
"""Of a path that no row of the training took: nothing may be divided by 0."""


@dataclass(frozen=True)
class Trees:
    """The splits of all trees. Of split s the left side is numbered 2 s, the right one 2 s + 1."""

    roots: Array
    """The first split of each tree, those of one score together."""
    targets: Array
    """The score that the first value of each tree belongs to."""
    lengths: Array
    """The most features on a path of each tree."""
    owners: Array
    """The feature of each column."""
    columns: Array
    upto: Array
    """Of a split: what goes left, in the precision in which the trees compare."""
    gaps_go_left: Array
    before: Array
    """The share of the training that passes all conditions on its feature above a split."""
    below: Array
    """The features that are asked for from a split on, as bits."""
    under: Array
    """The split on each side; -1 where a leaf is."""
    shares: Array
    """The share of the training that comes to a split and goes left."""
    values: Array
    """The mean on each side, a row for each score that a tree has."""
    start: Floats
    """What the scores are before any tree, with all trees that are one leaf."""
    total: Array
    """What all scores always add up to: then the last one is not kept. NaN where they do not."""

    @property
    def work(self) -> int:
        """About how long a row takes, in 20 ns: to go down a split is as much as ten scores."""
        return len(self.columns) * (10 + len(self.values))

    @cached_property
    def averages(self) -> Floats:
        """The mean of each score over the training."""
        averages, sides = self.start.copy(), 2 * self.roots.astype(np.int64)
        share = self.shares[self.roots].astype(np.float64)
        for nth, values in enumerate(self.values):
            means = values[sides] * share + values[sides + 1] * (1 - share)
            averages += np.bincount(self.targets + nth, means, minlength=len(averages))
        if not np.isnan(self.total):
            averages[-1] = self.total - averages[:-1].sum()
        return averages

    def contributions(self, columns: Floats, *, features: int) -> Floats:
        """Return what each feature adds, a row for each score, given the columns of a row."""
        found, cells = np.zeros((len(self.start), features)), columns.astype(self.upto.dtype)
        for first, end in self._parts:
            points = _points(int(self.lengths[first:end].max()))
            levels = list(self._down(self.roots[first:end], cells, points))
            for nth, values in enumerate(self.values):
                self._up(levels, values, points, found[self.targets[first] + nth])
        if not np.isnan(self.total):
            found[-1] = -found[:-1].sum(axis=0)
        return found

    def arrays(self) -> dict[str, Array]:
        """Return what it is kept as."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def _parts(self) -> Sequence[tuple[int, int]]:
        """Part the trees into some of one score that go down together."""
        sizes = np.diff(np.append(self.roots, len(self.columns))).tolist()
        ends: list[int] = []
        held = 0
        for place, (size, target) in enumerate(zip(sizes, self.targets.tolist(), strict=True)):
            if place and (held + size > AT_ONCE or target != self.targets[place - 1]):
                ends.append(place)
                held = 0
            held += size
        return list(zip([0, *ends], [*ends, len(sizes)], strict=True)) if sizes else []

    def _down(self, roots: Array, cells: Array, points: _Points) -> Iterator[_Level]:
        """Carry the products down, a level of all trees at a time."""
        splits, products = roots.astype(np.intp), np.ones((len(points.at), len(roots)))
        left_ones = np.zeros((len(splits), self.below.shape[1]), dtype=self.below.dtype)
        has_gaps = bool(np.isnan(cells).any())
        while len(splits):
            columns = self.columns[splits]
            players, values = self.owners[columns], cells[columns]
            goes_left = values <= self.upto[splits]
            if has_gaps:
                goes_left |= np.isnan(values) & self.gaps_go_left[splits]
            taken, other = 2 * splits + ~goes_left, 2 * splits + goes_left
            bits = _bits(players, self.below)
            is_on = ~_any(left_ones & bits)
            before, share = self.before[splits].astype(np.float64), self.shares[splits]
            share = before * np.where(goes_left, 1 - share, share)
            whole = points.at * is_on.astype(np.float64)
            whole += before
            np.reciprocal(whole, out=whole)
            aside = products * whole
            aside *= share
            along = products - aside
            after = left_ones | bits
            open_taken, open_other = self._open(taken, left_ones), self._open(other, after)
            yield _Level(players, is_on, before - share, whole, taken, other, along, aside,
                         open_taken, open_other)  # fmt: skip
            splits = np.concatenate([self.under[taken[open_taken]], self.under[other[open_other]]])
            products = np.concatenate(
                [along.take(open_taken, axis=1), aside.take(open_other, axis=1)], axis=1
            )
            left_ones = np.concatenate([left_ones[open_taken], after[open_other]])

    def _open(self, sides: Array, left_ones: Array) -> Array:
        """Return the places of sides where a feature is still asked for that was not left."""
        under = self.under[sides]
        return np.flatnonzero((under >= 0) & _any(self.below[under] & ~left_ones))

    def _up(self, levels: Sequence[_Level], values: Array, points: _Points, found: Floats) -> None:
        """Carry the sums up, and add to each feature what its splits make of them."""
        below = np.empty((len(points.at), 0))
        for level in reversed(levels):
            many = len(level.open_taken)
            along = level.along * values[level.taken].astype(np.float64)
            along[:, level.open_taken] = below[:, :many]
            below_other = below[:, many:]
            aside = level.aside * values[level.other].astype(np.float64)
            aside[:, level.open_other] = below_other
            below = along + aside
            along /= points.at + level.share
            along -= below * level.whole
            added = points.weights @ along
            added *= level.is_on
            found += np.bincount(level.players, added, minlength=len(found))


@dataclass(frozen=True, slots=True)
class _Level:
    """The splits of one level that a row reaches; tables have a row for each point."""

    players: Array
    is_on: Array
    """Whether the row passed all conditions on the feature above."""
    share: Floats
    """Of the side that the row takes."""
    whole: Floats
    """1 / (u + z)."""
    taken: Array
    other: Array
    along: Floats
    aside: Floats
    open_taken: Array
    open_other: Array


@dataclass(frozen=True, slots=True)
class _Points:
    """Gauss-Legendre's points as t / (1 - t), and what is weighed at them."""

    at: Floats
    weights: Floats


@lru_cache(maxsize=64)
def _points(players: int) -> _Points:
    at, weights = np.polynomial.legendre.leggauss((players + 1) // 2)
    t = (at + 1) / 2
    return _Points((t / (1 - t))[:, None], weights / 2 / (1 - t) ** 2)


def bounded(shares: Floats) -> Floats:
    """Keep shares from 0 and 1."""
    return np.clip(shares, LEAST_SHARE, 1 - LEAST_SHARE)


def _any(bits: Array) -> Array:
    return bits[:, 0] != 0 if bits.shape[1] == 1 else np.array(bits.any(axis=1))


def _bits(players: Array, below: Array) -> Array:
    """Return each player as a bit among as many words as `below` has."""
    words, width = below.shape[1], 8 * below.dtype.itemsize
    one, none = below.dtype.type(1), below.dtype.type(0)
    bits: Array = np.left_shift(one, (players % width).astype(below.dtype))[:, None]
    if words > 1:
        bits = np.where(players[:, None] // width == np.arange(words), bits, none)
    return bits
