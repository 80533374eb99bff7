"""What skl2onnx gets wrong or cannot do for our estimators, done right in double precision.

- SimpleImputer: its ONNX operator has no double-precision kernel; two plain nodes do the same.
- OneHotEncoder, OrdinalEncoder: over numbers in double precision, where a gap and a number that
  is no category are told apart from every category.
- Linear regression, ridge, SGD: one product and one sum, in double precision.
- Tree, forest, hist-gradient boosting: see `trees`.
- SGD: far from the training data the class of several came from probabilities that had all
  become 1; scikit-learn takes it from the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType
from sklearn.base import is_classifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from unrot.make.onnx.trees import (
    BOOSTED,
    FORESTS,
    LONE,
    ensemble_attributes,
    shared_leaves,
    trees_of,
)

OPSET = {"": 21, "ai.onnx.ml": 3}
"""The newest that skl2onnx knows; `export` raises it for the graphs that hold newer nodes."""
NEWER_NODES = {"TreeEnsemble": 5}
MOST_WEIGHTS = 200_000
"""Leaves times classes that a graph may spell out: 5 million took minutes and a gigabyte."""
Converter = Callable[[Any, Any, Any], None]


class Graph:
    """The nodes of one step: each call adds a node and names its output."""

    def __init__(self, scope: Any, operator: Any, container: Any) -> None:
        self.inputs = operator.inputs[0].full_name
        self._outputs = [output.full_name for output in operator.outputs]
        self._scope, self._container = scope, container

    def add(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        output = str(self._scope.get_unique_variable_name(kind.lower()))
        self._add(kind, inputs, output, domain, attributes)
        return output

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        return self.add("Constant", value=numpy_helper.from_array(value))

    def answer(self, *names: str) -> None:
        """Make these the outputs of the step, in order."""
        for name, output in zip(names, self._outputs, strict=True):
            self._add("Identity", (name,), output, "", {})

    def _add(
        self, kind: str, inputs: tuple[str, ...], output: str, domain: str, attributes: Any
    ) -> None:
        self._container.add_node(
            kind,
            list(inputs),
            output,
            op_domain=domain,
            op_version=OPSET[domain],
            name=self._scope.get_unique_operator_name(kind),
            **attributes,
        )


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Put the statistic of its column in the place of every gap."""
    imputer, graph = operator.raw_operator, Graph(scope, operator, container)
    if imputer.add_indicator or not np.isnan(imputer.missing_values):
        raise NotImplementedError("SimpleImputer is compiled for gaps alone, without indicators")
    if not np.isfinite(imputer.statistics_).all():
        raise NotImplementedError("a feature was a gap in every training row")
    statistics = graph.constant(imputer.statistics_.astype(np.float64)[None, :])
    gaps = graph.add("IsNaN", graph.inputs)
    graph.answer(graph.add("Where", gaps, statistics, graph.inputs))


def convert_one_hot(scope: Any, operator: Any, container: Any) -> None:
    """Put 1 into the column of the category that a number is; a stranger is in none."""
    encoder, graph = operator.raw_operator, Graph(scope, operator, container)
    categories = _numeric_categories(encoder)
    if encoder.handle_unknown != "ignore" or encoder._drop_idx_after_grouping is not None:
        raise NotImplementedError("OneHotEncoder is compiled for unknowns ignored, none dropped")
    if encoder._infrequent_enabled:
        raise NotImplementedError("OneHotEncoder is not compiled for infrequent categories")
    columns = np.repeat(np.arange(len(categories)), [len(each) for each in categories])
    repeated = graph.add("Gather", graph.inputs, graph.constant(columns), axis=1)
    named = graph.constant(np.concatenate(categories)[None, :])
    graph.answer(graph.add("Cast", graph.add("Equal", repeated, named), to=TensorProto.DOUBLE))


def convert_ordinal(scope: Any, operator: Any, container: Any) -> None:
    """Let whole numbers from 0 to the last category be, and make a gap of every other."""
    encoder, graph = operator.raw_operator, Graph(scope, operator, container)
    categories = _numeric_categories(encoder)
    if (
        encoder.handle_unknown != "use_encoded_value"
        or encoder.unknown_value == encoder.unknown_value
    ):
        raise NotImplementedError("OrdinalEncoder is compiled for unknowns that become gaps")
    if not all(np.array_equal(each, np.arange(len(each))) for each in categories):
        raise NotImplementedError("OrdinalEncoder is compiled for categories 0, 1, 2, …")
    last = graph.constant(np.array([[len(each) - 1.0 for each in categories]]))
    within = graph.add("Min", graph.add("Max", graph.inputs, graph.constant(np.zeros(1))), last)
    known = graph.add("Equal", graph.add("Floor", within), graph.inputs)
    graph.answer(graph.add("Where", known, graph.inputs, graph.constant(np.array([np.nan]))))


def convert_linear(scope: Any, operator: Any, container: Any) -> None:
    """Weigh the features and add the intercept."""
    estimator, graph = operator.raw_operator, Graph(scope, operator, container)
    weights = np.asarray(estimator.coef_, dtype=np.float64).reshape(-1, 1)
    product = graph.add("MatMul", graph.inputs, graph.constant(weights))
    intercept = np.asarray(estimator.intercept_, dtype=np.float64).reshape(1, 1)
    graph.answer(graph.add("Add", product, graph.constant(intercept)))


def convert_sgd(scope: Any, operator: Any, container: Any) -> None:
    """Score classes one against the rest; take the class from scores, never probabilities."""
    estimator, graph = operator.raw_operator, Graph(scope, operator, container)
    if estimator.loss != "log_loss":
        raise NotImplementedError(f"SGD is compiled for log_loss, not for {estimator.loss}")
    weights = graph.constant(estimator.coef_.T.astype(np.float64))
    product = graph.add("MatMul", graph.inputs, weights)
    intercept = graph.constant(estimator.intercept_.astype(np.float64)[None, :])
    scores = graph.add("Add", product, intercept)
    chances = graph.add("Sigmoid", scores)
    if len(estimator.classes_) == 2:
        zero = graph.constant(np.zeros((1, 1)))
        side = graph.add("Cast", graph.add("Greater", scores, zero), to=TensorProto.INT64)
        both = _with_complement(graph, chances)
        graph.answer(graph.add("Reshape", side, graph.constant(np.array([-1]))), both)
    else:
        classes = graph.add("ArgMax", scores, axis=1, keepdims=0)
        graph.answer(classes, _normalised(graph, chances))


def convert_trees(scope: Any, operator: Any, container: Any) -> None:
    """Average the leaves of a tree or a forest over its trees."""
    estimator, graph = operator.raw_operator, Graph(scope, operator, container)
    trees = trees_of(estimator)
    narrow = graph.add("Cast", graph.inputs, to=TensorProto.FLOAT)
    inputs = graph.add("Cast", narrow, to=TensorProto.DOUBLE)
    targets = trees[0].leaves.shape[1]
    if targets * sum(int(tree.is_leaf.sum()) for tree in trees) > MOST_WEIGHTS:
        sums = _looked_up(graph, inputs, trees)
    else:
        sums = _ensemble(graph, inputs, trees, targets)
    means = graph.add("Div", sums, graph.constant(np.array([[float(len(trees))]])))
    checked = graph.add("Add", means, _poison(graph, inputs))
    if is_classifier(estimator):
        graph.answer(graph.add("ArgMax", checked, axis=1, keepdims=0), checked)
    else:
        graph.answer(checked)


def convert_boosting(scope: Any, operator: Any, container: Any) -> None:
    """Add the leaves of hist-gradient boosting to its baseline; make chances of a classifier's."""
    estimator, graph = operator.raw_operator, Graph(scope, operator, container)
    baseline = np.atleast_2d(estimator._baseline_prediction)
    sums = _ensemble(graph, graph.inputs, trees_of(estimator), baseline.shape[1])
    scores = graph.add("Add", sums, graph.constant(baseline.astype(np.float64)))
    if not is_classifier(estimator):
        if estimator.loss in ("poisson", "gamma"):
            scores = graph.add("Exp", scores)
        graph.answer(scores)
        return
    if baseline.shape[1] == 1:
        probabilities = _with_complement(graph, graph.add("Sigmoid", scores))
    else:
        probabilities = graph.add("Softmax", scores, axis=1)
    graph.answer(graph.add("ArgMax", probabilities, axis=1, keepdims=0), probabilities)


CONVERTERS: dict[type, Converter] = {
    SimpleImputer: convert_imputer,
    OneHotEncoder: convert_one_hot,
    OrdinalEncoder: convert_ordinal,
    SGDClassifier: convert_sgd,
    **dict.fromkeys((LinearRegression, Ridge, SGDRegressor), convert_linear),
    **dict.fromkeys((*LONE, *FORESTS), convert_trees),
    **dict.fromkeys(BOOSTED, convert_boosting),
}


def _shapes(operator: Any) -> None:
    """Say what comes out: of a classifier classes and chances, of all else a table."""
    step = operator.raw_operator
    if is_classifier(step):
        operator.outputs[0].type = Int64TensorType([None])
        operator.outputs[1].type = DoubleTensorType([None, len(step.classes_)])
        return
    width = operator.inputs[0].type.shape[1] if hasattr(step, "transform") else 1
    if isinstance(step, OneHotEncoder):
        width = sum(len(each) for each in step.categories_)
    operator.outputs[0].type = DoubleTensorType([None, width])


SHAPES: dict[type, Callable[[Any], None]] = dict.fromkeys(CONVERTERS, _shapes)


def _numeric_categories(encoder: Any) -> list[NDArray[np.float64]]:
    categories = [np.asarray(each) for each in encoder.categories_]
    if any(each.dtype.kind not in "iuf" or np.isnan(each).any() for each in categories):
        raise NotImplementedError("categories are compiled where they are numbers")
    return [each.astype(np.float64) for each in categories]


def _ensemble(graph: Graph, inputs: str, trees: list[Any], targets: int) -> str:
    attributes = ensemble_attributes(trees, targets)
    return graph.add("TreeEnsemble", inputs, domain="ai.onnx.ml", **attributes)


def _looked_up(graph: Graph, inputs: str, trees: list[Any]) -> str:
    """Let trees answer places in a table of leaves, and add these up tree by tree.

    One sum over all trees would be quicker, and differ in the last bits, which part equal votes.
    """
    leaves, numbered = shared_leaves(trees)
    found = _ensemble(graph, inputs, numbered, len(trees))
    places, table = graph.add("Cast", found, to=TensorProto.INT64), graph.constant(leaves)
    total = ""
    for tree in range(len(trees)):
        place = graph.add("Gather", places, graph.constant(np.array(tree)), axis=1)
        leaf = graph.add("Gather", table, place, axis=0)
        total = graph.add("Add", total, leaf) if total else leaf
    return total


def _normalised(graph: Graph, chances: str) -> str:
    """Make chances add up to 1; where all are 0, make them equal, as scikit-learn does."""
    axis, zero = graph.constant(np.array([1])), graph.constant(np.zeros((1, 1)))
    total = graph.add("ReduceSum", chances, axis, keepdims=1)
    lift = graph.add("Cast", graph.add("Equal", total, zero), to=TensorProto.DOUBLE)
    lifted = graph.add("Add", chances, lift)
    return graph.add("Div", lifted, graph.add("ReduceSum", lifted, axis, keepdims=1))


def _with_complement(graph: Graph, chances: str) -> str:
    others = graph.add("Sub", graph.constant(np.ones((1, 1))), chances)
    return graph.add("Concat", others, chances, axis=1)


def _poison(graph: Graph, inputs: str) -> str:
    """Make NaN of a row with a value beyond float32, which scikit-learn refuses, and 0 of others.

    Without it the cast would turn the value into infinity and the trees would answer.
    """
    nan, zero = graph.constant(np.array([[np.nan]])), graph.constant(np.array([[0.0]]))
    marks = graph.add("Where", graph.add("IsInf", inputs), nan, zero)
    return graph.add("ReduceSum", marks, graph.constant(np.array([1])), keepdims=1)
