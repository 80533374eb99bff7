"""The trees of an estimator as their answers are explained by: see `unrot/explain/trees.py`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.explain.trees import Trees, bounded
from unrot.make.onnx.trees import Tree

Array = NDArray[Any]
Floats = NDArray[np.float64]
MOST_SPLITS = 2_500_000
"""Of all trees together: so many take some 80 MB of a worker."""
MANY_SPLITS = 100_000
"""From so many on, shares and values are kept in single precision: to seven digits."""
MOST_CELLS = 4_000_000
SAME = 1e-12


class NotExact(Exception):
    """The estimator is none whose values are known exactly; why stands in it."""


def gather(trees: Sequence[Tree], owners: Array, start: Floats, *, is_narrow: bool) -> Trees:
    """Gather the splits of all trees; a tree that is one leaf is added to the start."""
    start = start.astype(np.float64).copy()
    ordered = sorted(trees, key=lambda tree: tree.first_target)
    splits = sum(int((~tree.is_leaf).sum()) for tree in ordered)
    words = -(-(int(owners.max(initial=0)) + 1) // 64)
    if splits > MOST_SPLITS or splits * words > MOST_CELLS:
        raise NotExact(f"its trees have {splits:,} splits, more than a worker can hold")
    grown: list[_Grown] = []
    for tree in ordered:
        if tree.is_leaf[0]:
            start[tree.first_target : tree.first_target + tree.leaves.shape[1]] += tree.leaves[0]
        else:
            grown.append(_grown(tree, owners, is_narrow=is_narrow))
    return _packed(grown, owners, start, _total(ordered), is_many=splits > MANY_SPLITS)


def _total(trees: Sequence[Tree]) -> float:
    """Return what the scores of all trees add up to, whatever is asked, as shares do; else NaN."""
    sums = [tree.leaves[tree.is_leaf].sum(axis=1) for tree in trees]
    is_told = all(tree.leaves.shape[1] > 1 for tree in trees)
    if not is_told or any(np.ptp(each) > SAME for each in sums):
        return math.nan
    return float(sum(each[0] for each in sums))


@dataclass(frozen=True, slots=True)
class _Grown:
    """One tree, its splits numbered from 0."""

    target: int
    length: int
    columns: Array
    upto: Array
    gaps_go_left: Array
    before: Floats
    below: Array
    under: Array
    shares: Floats
    values: Floats


def _grown(tree: Tree, owners: Array, *, is_narrow: bool) -> _Grown:
    inner = np.flatnonzero(~tree.is_leaf)
    if (owners[tree.features[inner]] < 0).any():
        raise NotExact("a tree asks for a column that was the same in all rows")
    numbers = np.full(len(tree.is_leaf), -1)
    numbers[inner] = np.arange(len(inner))
    sides = np.stack([tree.lefts[inner], tree.rights[inner]], axis=1)
    levels = list(_levels(tree))
    covers, means, below = _sums(tree, owners, levels)
    before, length = _before(tree, owners, levels, covers)
    return _Grown(
        target=tree.first_target,
        length=length,
        columns=tree.features[inner],
        upto=_thresholds(tree.thresholds[inner], is_narrow=is_narrow),
        gaps_go_left=tree.gaps_go_left[inner].astype(bool),
        before=before[inner],
        below=below[inner],
        under=numbers[sides].ravel(),
        shares=bounded(covers[sides[:, 0]] / covers[sides].sum(axis=1)),
        values=means[sides].reshape(2 * len(inner), -1).T,
    )


def _levels(tree: Tree) -> Iterator[Array]:
    """Yield the splits of each level, from the root on."""
    nodes = np.array([0])
    while len(nodes):
        yield nodes
        under = np.concatenate([tree.lefts[nodes], tree.rights[nodes]])
        nodes = under[~tree.is_leaf[under]]


def _sums(tree: Tree, owners: Array, levels: Sequence[Array]) -> tuple[Floats, Floats, Array]:
    """Return covers without a split of nothing, the mean of each node, and what it asks for."""
    covers = tree.covers.astype(np.float64).copy()
    means = tree.leaves.astype(np.float64).copy()
    below = np.zeros((len(covers), -(-(int(owners.max()) + 1) // 64)), dtype=np.uint64)
    for nodes in reversed(levels):
        left, right = tree.lefts[nodes], tree.rights[nodes]
        is_empty = covers[left] + covers[right] <= 0
        covers[left[is_empty]] = covers[right[is_empty]] = 1.0
        share = bounded(covers[left] / (covers[left] + covers[right]))[:, None]
        means[nodes] = share * means[left] + (1 - share) * means[right]
        players = owners[tree.features[nodes]]
        below[nodes] = below[left] | below[right]
        below[nodes, players // 64] |= np.left_shift(np.uint64(1), (players % 64).astype(np.uint64))
    return covers, means, below


def _before(
    tree: Tree, owners: Array, levels: Sequence[Array], covers: Floats
) -> tuple[Floats, int]:
    """Return the share of its feature above each split, and the most features on a path."""
    found, length = np.ones(len(covers)), 0
    used = np.unique(owners[tree.features[~tree.is_leaf]])
    shares = np.ones((1, len(used)))
    for nodes in levels:
        players, at = np.searchsorted(used, owners[tree.features[nodes]]), np.arange(len(nodes))
        found[nodes] = shares[at, players]
        left, right = tree.lefts[nodes], tree.rights[nodes]
        sides = np.concatenate([left, right])
        total = np.tile(covers[left] + covers[right], 2)
        made = np.concatenate([shares, shares])
        here = np.arange(len(sides)), np.tile(players, 2)
        made[here] *= bounded(covers[sides] / total)
        length = max(length, int((made < 1).sum(axis=1).max()))
        shares = made[~tree.is_leaf[sides]]
    return found, length


def _thresholds(at: Floats, *, is_narrow: bool) -> Array:
    """Return the largest numbers of the precision in which trees compare that stay below."""
    if not is_narrow:
        return at.astype(np.float64)
    narrow = at.astype(np.float32)
    below = np.nextafter(narrow, np.float32(-np.inf))
    return np.where(narrow.astype(np.float64) <= at, narrow, below)


def _packed(
    grown: Sequence[_Grown], owners: Array, start: Floats, total: float, *, is_many: bool
) -> Trees:
    sizes = np.array([len(one.columns) for one in grown], dtype=np.int64)
    kept = None if math.isnan(total) else -1
    roots = np.cumsum(sizes) - sizes
    under = [
        np.where(one.under < 0, -1, one.under + root)
        for one, root in zip(grown, roots.tolist(), strict=True)
    ]
    return Trees(
        roots=roots.astype(np.int32),
        targets=np.array([one.target for one in grown], dtype=np.int16),
        lengths=np.array([one.length for one in grown], dtype=np.int16),
        owners=_fewest_bytes(owners),
        columns=_fewest_bytes(_joined([one.columns for one in grown])),
        upto=_joined([one.upto for one in grown]),
        gaps_go_left=_joined([one.gaps_go_left for one in grown]).astype(bool),
        before=_narrowed(_joined([one.before for one in grown]), is_many=is_many),
        below=_fewest_bits(_joined([one.below for one in grown]), owners),
        under=_joined(under).astype(np.int32),
        shares=_narrowed(_joined([one.shares for one in grown]), is_many=is_many),
        values=_narrowed(
            np.concatenate([one.values[:kept] for one in grown], axis=1)
            if grown
            else np.empty((len(start), 0)),
            is_many=is_many,
        ),
        start=start,
        total=np.array(total),
    )


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.empty(0)


def _narrowed(array: Array, *, is_many: bool) -> Array:
    """Keep numbers in single precision where nothing is lost by it, or where they are many."""
    narrow = array.astype(np.float32)
    return narrow if is_many or bool((narrow == array).all()) else array


def _fewest_bytes(numbers: Array) -> Array:
    """Keep whole numbers in the fewest bytes; -1 may be among them."""
    most = int(numbers.max(initial=0))
    return numbers.astype(next(k for k in (np.int8, np.int16, np.int32) if most <= np.iinfo(k).max))


def _fewest_bits(below: Array, owners: Array) -> Array:
    players = int(owners.max(initial=0)) + 1
    kind = next((k for k, bits in ((np.uint16, 16), (np.uint32, 32)) if players <= bits), np.uint64)
    return below.reshape(-1, below.shape[-1] if below.ndim > 1 else 1).astype(kind)
