from __future__ import annotations

import numpy as np
import pytest

from tests.make.tables import BINARY, SEVERAL, schema_of, table_of
from unrot.make.catalogue import make
from unrot.make.onnx.trees import ensemble_attributes, shared_leaves, trees_of


@pytest.mark.parametrize(("name", "trees"), [("tree", 1), ("forest", 100), ("hgb", 300)])
def test_ensemble_has_every_tree_with_every_leaf(name: str, trees: int) -> None:
    rows, labels = table_of(SEVERAL)
    read = trees_of(make(name, seed=0, schema=schema_of(BINARY)).fit(rows, labels)[-1])

    attributes = ensemble_attributes(read, 3)

    columns = read[0].leaves.shape[1]
    leaves = sum(int(tree.is_leaf.sum()) for tree in read)
    assert len(read) == trees
    assert len(attributes["tree_roots"]) == trees * columns
    assert len(attributes["leaf_targetids"]) == leaves * columns
    assert set(attributes["leaf_targetids"]) == {0, 1, 2}


def test_tree_that_never_split_is_one_node_with_one_leaf() -> None:
    tree = make("tree", seed=0, schema=schema_of(BINARY)).fit(
        np.zeros((3, 2)), np.array(["a", "b", "a"])
    )[-1]

    attributes = ensemble_attributes(trees_of(tree), 2)

    assert attributes["nodes_truenodeids"] == attributes["nodes_falsenodeids"] == [0, 1]
    assert attributes["nodes_trueleafs"] == attributes["nodes_falseleafs"] == [1, 1]


def test_shared_leaves_are_those_that_differ_and_each_tree_points_at_its_own() -> None:
    rows, labels = table_of(SEVERAL)
    read = trees_of(make("forest", seed=0, schema=schema_of(SEVERAL)).fit(rows, labels)[-1])

    leaves, numbered = shared_leaves(read)

    assert len(np.unique(leaves, axis=0)) == len(leaves)
    for target, (tree, places) in enumerate(zip(read, numbered, strict=True)):
        found = leaves[places.leaves[tree.is_leaf, 0].astype(int)]
        assert np.array_equal(found, tree.leaves[tree.is_leaf])
        assert places.first_target == target
