"""What skl2onnx gets wrong or cannot do, done right in double precision and on texts.

- SimpleImputer: its ONNX operator has no double-precision kernel; two plain nodes do the same,
  of texts too, among which a gap is an empty one.
- OneHotEncoder, OrdinalEncoder: over texts and over numbers in double precision, where a gap and
  what is no category are told apart from every category.
- Linear regression, ridge, SGD: one product and one sum, in double precision.
- Tree, forest, both gradient boostings: nothing moves at a threshold (see `trees`).
- SGD: far from the training data the class of several came from probabilities that had all
  become 1; scikit-learn takes it from the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType, StringTensorType
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from unrot.make.onnx.trees import (
    BOOSTED,
    FORESTS,
    LONE,
    Tree,
    ensemble_attributes,
    grown,
    shared_leaves,
    trees_of,
)
from unrot.serve.predictor import GAP

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
    """Put the statistic of its column in the place of every gap, of numbers or of texts."""
    imputer, graph = operator.raw_operator, Graph(scope, operator, container)
    _demand(not imputer.add_indicator, "SimpleImputer with indicators")
    _demand(_is_gap(imputer.missing_values), "SimpleImputer for a value that stands for a gap")
    if _is_text(operator):
        gaps = graph.add("Equal", graph.inputs, _texts(graph, [GAP]))
        statistics = _texts(graph, [str(value) for value in imputer.statistics_])
    else:
        _demand(np.isfinite(imputer.statistics_).all(), "a feature that was always a gap")
        gaps = graph.add("IsNaN", graph.inputs)
        statistics = graph.constant(imputer.statistics_.astype(np.float64)[None, :])
    graph.answer(graph.add("Where", gaps, statistics, graph.inputs))


def convert_one_hot(scope: Any, operator: Any, container: Any) -> None:
    """Put 1 into the column of the category that a value is; a stranger is in none."""
    encoder, graph = operator.raw_operator, Graph(scope, operator, container)
    _demand(not encoder._infrequent_enabled, "OneHotEncoder with infrequent categories")
    dropped = encoder._drop_idx_after_grouping
    hots: list[str] = []
    for column, categories in enumerate(encoder.categories_):
        hot = _hot(graph, operator, column, categories)
        if dropped is not None and dropped[column] is not None:
            kept = np.array([one for one in range(len(categories)) if one != dropped[column]])
            hot = graph.add("Gather", hot, graph.constant(kept.astype(np.int64)), axis=1)
        hots.append(hot)
    graph.answer(graph.add("Concat", *hots, axis=1))


def convert_ordinal(scope: Any, operator: Any, container: Any) -> None:
    """Put the place of its category for a value, and what the encoder says for a stranger."""
    encoder, graph = operator.raw_operator, Graph(scope, operator, container)
    infrequent = getattr(encoder, "_infrequent_enabled", False)
    _demand(not infrequent, "OrdinalEncoder with infrequent categories")
    codes = [
        _code(graph, encoder, operator, column, categories)
        for column, categories in enumerate(encoder.categories_)
    ]
    graph.answer(graph.add("Concat", *codes, axis=1))


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
        side = _flat(graph, graph.add("Greater", scores, zero))
        graph.answer(side, _with_complement(graph, chances))
    else:
        classes = graph.add("ArgMax", scores, axis=1, keepdims=0)
        graph.answer(classes, _normalised(graph, chances))


def convert_trees(scope: Any, operator: Any, container: Any) -> None:
    """Average the leaves of a tree or a forest over its trees."""
    estimator, graph = operator.raw_operator, Graph(scope, operator, container)
    trees = trees_of(estimator)
    inputs, targets = _narrowed(graph), trees[0].leaves.shape[1]
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


def convert_gradient_boosting(scope: Any, operator: Any, container: Any) -> None:
    """Add the scaled leaves of gradient boosting to where it began."""
    estimator, graph = operator.raw_operator, Graph(scope, operator, container)
    start = start_of(estimator)
    trees = [
        scaled_tree(tree.tree_, target, estimator.learning_rate)
        for stage in estimator.estimators_
        for target, tree in enumerate(stage)
    ]
    sums = _ensemble(graph, _narrowed(graph), trees, start.shape[1])
    scores = graph.add("Add", sums, graph.constant(start))
    if isinstance(estimator, GradientBoostingRegressor):
        graph.answer(scores)
        return
    if start.shape[1] > 1:
        chances = graph.add("Softmax", scores, axis=1)
        graph.answer(graph.add("ArgMax", scores, axis=1, keepdims=0), chances)
        return
    chance = graph.add("Sigmoid", scores)
    at_least = graph.add("GreaterOrEqual", scores, graph.constant(np.zeros((1, 1))))
    graph.answer(_flat(graph, at_least), _with_complement(graph, chance))


CONVERTERS: dict[type, Converter] = {
    SimpleImputer: convert_imputer,
    OneHotEncoder: convert_one_hot,
    OrdinalEncoder: convert_ordinal,
    SGDClassifier: convert_sgd,
    **dict.fromkeys((LinearRegression, Ridge, SGDRegressor), convert_linear),
    **dict.fromkeys((*LONE, *FORESTS), convert_trees),
    **dict.fromkeys(BOOSTED, convert_boosting),
    **dict.fromkeys(
        (GradientBoostingClassifier, GradientBoostingRegressor), convert_gradient_boosting
    ),
}


def _shapes(operator: Any) -> None:
    """Say what comes out: of a classifier classes and chances, of all else a table."""
    step = operator.raw_operator
    if is_classifier(step):
        operator.outputs[0].type = Int64TensorType([None])
        operator.outputs[1].type = DoubleTensorType([None, len(step.classes_)])
        return
    kind = StringTensorType if hasattr(step, "statistics_") and _is_text(operator) else None
    operator.outputs[0].type = (kind or DoubleTensorType)([None, _width(operator)])


def _width(operator: Any) -> int:
    step = operator.raw_operator
    if isinstance(step, OneHotEncoder):
        return len(step.get_feature_names_out())
    if isinstance(step, OrdinalEncoder):
        return len(step.categories_)
    return int(operator.inputs[0].type.shape[1]) if isinstance(step, SimpleImputer) else 1


SHAPES: dict[type, Callable[[Any], None]] = dict.fromkeys(CONVERTERS, _shapes)


# ── parts of steps ───────────────────────────────────────────────────────────────────────────


def _hot(graph: Graph, operator: Any, column: int, categories: NDArray[Any]) -> str:
    """Compare one column with its categories; a gap is one of them where it was."""
    cell, is_text = _column(graph, operator, column)
    gaps = np.array([[float(_is_gap(one)) for one in categories]])
    if is_text:
        known = _texts(graph, [GAP if _is_gap(one) else str(one) for one in categories])
        return graph.add("Cast", graph.add("Equal", cell, known), to=TensorProto.DOUBLE)
    known = graph.constant(np.array([list(map(float, categories))]))
    same = graph.add("Cast", graph.add("Equal", cell, known), to=TensorProto.DOUBLE)
    if not gaps.any():
        return same
    gap = graph.add("Cast", graph.add("IsNaN", cell), to=TensorProto.DOUBLE)
    return graph.add("Add", same, graph.add("Mul", gap, graph.constant(gaps)))


def _column(graph: Graph, operator: Any, column: int) -> tuple[str, bool]:
    """Take one column out of the tensors of a step; texts and numbers come in tensors apart."""
    for tensor in operator.inputs:
        width = tensor.type.shape[1]
        if column < width:
            place = graph.constant(np.array([column], dtype=np.int64))
            taken = graph.add("Gather", tensor.full_name, place, axis=1)
            return taken, isinstance(tensor.type, StringTensorType)
        column -= width
    raise NotImplementedError("a step with other columns than it was fitted with is not compiled")


def _code(graph: Graph, encoder: Any, operator: Any, column: int, categories: NDArray[Any]) -> str:
    hot = _hot(graph, operator, column, categories)
    places = np.arange(len(categories), dtype=np.float64)[:, None]
    gaps = [place for place, one in enumerate(categories) if _is_gap(one)]
    absent = encoder.encoded_missing_value
    is_nan = bool(gaps) and bool(np.isnan(absent))
    if gaps:
        places[gaps] = 0.0 if is_nan else float(absent)
    code = graph.add("MatMul", hot, graph.constant(places))
    if is_nan:
        chosen = graph.add("Gather", hot, graph.constant(np.array(gaps)), axis=1)
        code = _nan_where(graph, chosen, code)
    if encoder.handle_unknown != "use_encoded_value":
        return code
    total = graph.add("ReduceSum", hot, graph.constant(np.array([1])), keepdims=1)
    is_stranger = graph.add("Equal", total, graph.constant(np.zeros((1, 1))))
    stranger = graph.constant(np.array([[float(encoder.unknown_value)]]))
    return graph.add("Where", is_stranger, stranger, code)


def _nan_where(graph: Graph, mark: str, code: str) -> str:
    is_marked = graph.add("Cast", mark, to=TensorProto.BOOL)
    return graph.add("Where", is_marked, graph.constant(np.array([[np.nan]])), code)


def _texts(graph: Graph, texts: list[str]) -> str:
    return graph.constant(np.array([texts], dtype=object))


def _is_gap(value: Any) -> bool:
    return value is None or bool(value != value) or type(value).__name__ == "NAType"


def _is_text(operator: Any) -> bool:
    return isinstance(operator.inputs[0].type, StringTensorType)


def _demand(condition: bool, what: str) -> None:
    if not condition:
        raise NotImplementedError(f"{what} is not compiled")


def start_of(estimator: Any) -> NDArray[np.float64]:
    """Return the scores before the first tree; they must not depend on the row."""
    is_plain = estimator.init_ == "zero" or isinstance(
        estimator.init_, DummyClassifier | DummyRegressor
    )
    _demand(is_plain, "gradient boosting that begins with another estimator")
    nothing = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    return np.asarray(estimator._raw_predict_init(nothing), dtype=np.float64)


def scaled_tree(tree: Any, target: int, rate: float) -> Tree:
    """Read one tree of gradient boosting, whose leaves count for less."""
    plain = grown(tree)
    return replace(plain, leaves=plain.leaves * rate, first_target=target)


def _narrowed(graph: Graph) -> str:
    """Round the inputs as trees do that compare in single precision."""
    narrow = graph.add("Cast", graph.inputs, to=TensorProto.FLOAT)
    return graph.add("Cast", narrow, to=TensorProto.DOUBLE)


def _flat(graph: Graph, column: str) -> str:
    """Make class numbers of a column of truths."""
    numbers = graph.add("Cast", column, to=TensorProto.INT64)
    return graph.add("Reshape", numbers, graph.constant(np.array([-1])))


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
