"""Fitted trees of scikit-learn as one ONNX `TreeEnsemble` that answers the same, bit for bit.

scikit-learn compares float32 values (tree, forest) or float64 values (hist-gradient boosting)
with float64 thresholds, and sums leaves in float64. The usual conversion rounds thresholds and
leaves to float32, so that a row that sits on a threshold falls to the other side. The
`TreeEnsemble` of ai.onnx.ml 5 keeps all of it in float64; it has one target a leaf, so a tree
with several classes stands in it once a class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import numpy_helper
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

LONE = (DecisionTreeClassifier, DecisionTreeRegressor)
FORESTS = (
    RandomForestClassifier,
    RandomForestRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
)
BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree, whatever grew it: arrays over its nodes, `leaves` with a column a target."""

    features: NDArray[np.int64]
    thresholds: Floats
    lefts: NDArray[np.int64]
    rights: NDArray[np.int64]
    gaps_go_left: NDArray[np.int64]
    is_leaf: NDArray[np.bool_]
    leaves: Floats
    first_target: int = 0
    covers: Floats = field(default_factory=lambda: np.empty(0))
    """How much of the training came to each node."""


def trees_of(estimator: Any) -> list[Tree]:
    """Read the trees of a fitted tree, forest or hist-gradient boosting."""
    if isinstance(estimator, BOOSTED):
        return [
            _boosted(predictor, target)
            for iteration in estimator._predictors
            for target, predictor in enumerate(iteration)
        ]
    if isinstance(estimator, FORESTS):
        return [grown(each.tree_) for each in estimator.estimators_]
    return [grown(estimator.tree_)]


def ensemble_attributes(trees: list[Tree], targets: int) -> dict[str, Any]:
    """Write trees as the attributes of one `TreeEnsemble` node that sums their leaves."""
    table = _Table()
    for tree in trees:
        for column in range(tree.leaves.shape[1]):
            table.add(tree, column)
    return {"n_targets": targets, "aggregate_function": 1, **table.attributes()}


def shared_leaves(trees: list[Tree]) -> tuple[Floats, list[Tree]]:
    """Return the different leaves of all trees, and trees that answer a place among those.

    Each tree has a target of its own. Most leaves of a forest on many classes are pure, so that
    this keeps one copy of what would stand in a graph once a leaf and class.
    """
    places: dict[bytes, int] = {}
    numbered: list[Tree] = []
    for target, tree in enumerate(trees):
        numbers = np.zeros((len(tree.is_leaf), 1))
        for node in np.flatnonzero(tree.is_leaf):
            numbers[node] = places.setdefault(tree.leaves[node].tobytes(), len(places))
        numbered.append(replace(tree, leaves=numbers, first_target=target))
    return np.frombuffer(b"".join(places)).reshape(len(places), -1), numbered


def grown(tree: Any) -> Tree:
    """Read a tree as scikit-learn's tree, forest and gradient boosting keep it."""
    return Tree(
        features=tree.feature,
        thresholds=tree.threshold,
        lefts=tree.children_left,
        rights=tree.children_right,
        gaps_go_left=tree.missing_go_to_left.astype(np.int64),
        is_leaf=tree.children_left < 0,
        leaves=tree.value[:, 0, :],
        covers=tree.weighted_n_node_samples,
    )


def _boosted(predictor: Any, target: int) -> Tree:
    nodes = predictor.nodes
    if nodes["is_categorical"].any():
        raise NotImplementedError("hist-gradient boosting on categories is not compiled")
    return Tree(
        features=nodes["feature_idx"],
        thresholds=nodes["num_threshold"],
        lefts=nodes["left"].astype(np.int64),
        rights=nodes["right"].astype(np.int64),
        gaps_go_left=nodes["missing_go_to_left"].astype(np.int64),
        is_leaf=nodes["is_leaf"].astype(bool),
        leaves=nodes["value"][:, None],
        first_target=target,
        covers=nodes["count"].astype(np.float64),
    )


@dataclass(slots=True)
class _Table:
    """The rows of inner nodes and of leaves, as the node type wants them."""

    roots: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    true_ids: list[int] = field(default_factory=list)
    true_leafs: list[int] = field(default_factory=list)
    false_ids: list[int] = field(default_factory=list)
    false_leafs: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, tree: Tree, column: int) -> None:
        first, first_leaf = len(self.features), len(self.targets)
        inner, leaves = np.flatnonzero(~tree.is_leaf), np.flatnonzero(tree.is_leaf)
        self.roots.append(first)
        self.targets += [tree.first_target + column] * len(leaves)
        self.weights += tree.leaves[leaves, column].tolist()
        if not len(inner):
            self._add_lone_leaf(first_leaf)
            return
        numbers = np.empty(len(tree.is_leaf), dtype=np.int64)
        numbers[inner] = np.arange(first, first + len(inner))
        numbers[leaves] = np.arange(first_leaf, first_leaf + len(leaves))
        self.features += tree.features[inner].tolist()
        self.splits += tree.thresholds[inner].tolist()
        self.gaps += tree.gaps_go_left[inner].tolist()
        self.true_ids += numbers[tree.lefts[inner]].tolist()
        self.true_leafs += tree.is_leaf[tree.lefts[inner]].astype(int).tolist()
        self.false_ids += numbers[tree.rights[inner]].tolist()
        self.false_leafs += tree.is_leaf[tree.rights[inner]].astype(int).tolist()

    def _add_lone_leaf(self, leaf: int) -> None:
        """Add a tree that is one leaf: a node both of whose sides are that leaf."""
        for column, value in zip(self._node_columns(), (0, 0.0, 0, leaf, 1, leaf, 1), strict=True):
            column.append(value)

    def _node_columns(self) -> Iterator[list[Any]]:
        yield from (self.features, self.splits, self.gaps)
        yield from (self.true_ids, self.true_leafs, self.false_ids, self.false_leafs)

    def attributes(self) -> dict[str, Any]:
        modes = np.zeros(len(self.features), dtype=np.uint8)
        return {
            "tree_roots": self.roots,
            "nodes_featureids": self.features,
            "nodes_splits": numpy_helper.from_array(np.array(self.splits, dtype=np.float64)),
            "nodes_modes": numpy_helper.from_array(modes),
            "nodes_missing_value_tracks_true": self.gaps,
            "nodes_truenodeids": self.true_ids,
            "nodes_trueleafs": self.true_leafs,
            "nodes_falsenodeids": self.false_ids,
            "nodes_falseleafs": self.false_leafs,
            "leaf_targetids": self.targets,
            "leaf_weights": numpy_helper.from_array(np.array(self.weights, dtype=np.float64)),
        }
