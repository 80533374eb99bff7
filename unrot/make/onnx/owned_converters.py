"""Steps of owners' pipelines in double precision and on texts, which skl2onnx cannot do.

- SimpleImputer, OneHotEncoder, OrdinalEncoder over texts (a gap is an empty text there) and over
  numbers in double precision.
- Gradient boosting in double precision, so that nothing moves at a threshold (see `trees`).
- What `converters` does for our own estimators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType, StringTensorType
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from unrot.make.onnx.converters import CONVERTERS, SHAPES, Converter, Graph
from unrot.make.onnx.trees import Tree, ensemble_attributes, grown
from unrot.serve.column_predictor import GAP

Shape = Callable[[Any], None]


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Put the statistic of its column in the place of every gap, of numbers or of texts."""
    imputer, graph = operator.raw_operator, Graph(scope, operator, container)
    if not _is_text(operator):
        CONVERTERS[SimpleImputer](scope, operator, container)
        return
    _demand(not imputer.add_indicator, "SimpleImputer with indicators")
    _demand(_is_gap(imputer.missing_values), "SimpleImputer for a text that stands for a gap")
    statistics = [str(value) for value in imputer.statistics_]
    gaps = graph.add("Equal", graph.inputs, _texts(graph, [GAP]))
    graph.answer(graph.add("Where", gaps, _texts(graph, statistics), graph.inputs))


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


def convert_gradient_boosting(scope: Any, operator: Any, container: Any) -> None:
    """Add the scaled leaves of gradient boosting to where it began."""
    estimator, graph = operator.raw_operator, Graph(scope, operator, container)
    start = _start(estimator)
    trees = [
        _scaled(tree.tree_, target, estimator.learning_rate)
        for stage in estimator.estimators_
        for target, tree in enumerate(stage)
    ]
    narrow = graph.add("Cast", graph.inputs, to=TensorProto.FLOAT)
    inputs = graph.add("Cast", narrow, to=TensorProto.DOUBLE)
    attributes = ensemble_attributes(trees, start.shape[1])
    sums = graph.add("TreeEnsemble", inputs, domain="ai.onnx.ml", **attributes)
    scores = graph.add("Add", sums, graph.constant(start))
    if isinstance(estimator, GradientBoostingRegressor):
        graph.answer(scores)
        return
    if start.shape[1] > 1:
        chances = graph.add("Softmax", scores, axis=1)
        graph.answer(graph.add("ArgMax", scores, axis=1, keepdims=0), chances)
        return
    chance = graph.add("Sigmoid", scores)
    other = graph.add("Sub", graph.constant(np.ones((1, 1))), chance)
    at_least = graph.add("GreaterOrEqual", scores, graph.constant(np.zeros((1, 1))))
    side = graph.add("Cast", at_least, to=TensorProto.INT64)
    flat = graph.add("Reshape", side, graph.constant(np.array([-1])))
    graph.answer(flat, graph.add("Concat", other, chance, axis=1))


def _start(estimator: Any) -> NDArray[np.float64]:
    """Return the scores before the first tree; they must not depend on the row."""
    is_plain = estimator.init_ == "zero" or isinstance(
        estimator.init_, DummyClassifier | DummyRegressor
    )
    _demand(is_plain, "gradient boosting that begins with another estimator")
    nothing = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    return np.asarray(estimator._raw_predict_init(nothing), dtype=np.float64)


def _scaled(tree: Any, target: int, rate: float) -> Tree:
    plain = grown(tree)
    return replace(plain, leaves=plain.leaves * rate, first_target=target)


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


def _imputer_shape(operator: Any) -> None:
    width = operator.inputs[0].type.shape[1]
    kind = StringTensorType if _is_text(operator) else DoubleTensorType
    operator.outputs[0].type = kind([None, width])


def _encoder_shape(operator: Any) -> None:
    encoder = operator.raw_operator
    width = len(encoder.categories_)
    if isinstance(encoder, OneHotEncoder):
        width = len(encoder.get_feature_names_out())
    operator.outputs[0].type = DoubleTensorType([None, width])


def _boosting_shape(operator: Any) -> None:
    if isinstance(operator.raw_operator, GradientBoostingRegressor):
        operator.outputs[0].type = DoubleTensorType([None, 1])
        return
    operator.outputs[0].type = Int64TensorType([None])
    operator.outputs[1].type = DoubleTensorType([None, len(operator.raw_operator.classes_)])


OWN: dict[type, tuple[Converter, Shape]] = {
    SimpleImputer: (convert_imputer, _imputer_shape),
    OneHotEncoder: (convert_one_hot, _encoder_shape),
    OrdinalEncoder: (convert_ordinal, _encoder_shape),
    GradientBoostingClassifier: (convert_gradient_boosting, _boosting_shape),
    GradientBoostingRegressor: (convert_gradient_boosting, _boosting_shape),
}


def conversions() -> tuple[dict[type, Converter], dict[type, Shape]]:
    """Return the converters and the shapes that skl2onnx is to use, by type."""
    converters = {**CONVERTERS, **{kind: made for kind, (made, _) in OWN.items()}}
    shapes = {**SHAPES, **{kind: shape for kind, (_, shape) in OWN.items()}}
    return converters, shapes


def names_classes_by_place(estimator: Any) -> bool:
    """Tell whether a graph of ours answers an estimator's classes as 0, 1, …"""
    converters, _ = conversions()
    return type(estimator) in converters and hasattr(estimator, "classes_")
