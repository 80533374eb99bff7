"""Shapley values by their definition: the sum over all coalitions, for trees of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np


def shapley(worth: Callable[[frozenset[int]], float], players: int) -> list[float]:
    """Weigh what each player adds to each coalition of the others."""
    values = []
    for player in range(players):
        others = [one for one in range(players) if one != player]
        total = 0.0
        for size in range(players):
            weight = factorial(size) * factorial(players - size - 1) / factorial(players)
            for some in combinations(others, size):
                added = worth(frozenset({*some, player})) - worth(frozenset(some))
                total += weight * added
        values.append(total)
    return values


def expected(
    tree: Any, row: Sequence[float], known: frozenset[int], owners: Sequence[int], node: int = 0
) -> Any:
    """Return what a tree answers that knows some features, by where its training went."""
    left, right = tree.children_left[node], tree.children_right[node]
    if left < 0:
        return tree.value[node, 0]
    column = tree.feature[node]
    if owners[column] in known:
        cell = np.float32(row[column])
        is_left = tree.missing_go_to_left[node] if np.isnan(cell) else cell <= tree.threshold[node]
        return expected(tree, row, known, owners, left if is_left else right)
    weights = tree.weighted_n_node_samples
    parts = [
        expected(tree, row, known, owners, side) * weights[side] / weights[node]
        for side in (left, right)
    ]
    return sum(parts)
