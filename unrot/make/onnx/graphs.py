"""One way from a fitted estimator to an ONNX graph that takes our tensors and answers our names.

skl2onnx takes a table or a tensor a column and answers labels; a predictor wants one tensor of
numbers, one of texts, and the places of the classes in the schema. What lies between is added to
the graph here. Whether the graph is right is asked elsewhere (see `export`).
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import skl2onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection._search import BaseSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from unrot.core.records import Form, Schema
from unrot.make.fitted import Fitted
from unrot.make.onnx.converters import CONVERTERS, NEWER_NODES, OPSET, SHAPES
from unrot.make.recalibrated import Curve, Recalibrated, bare
from unrot.serve.predictor import (
    CLASSES,
    INPUT,
    KNOWN_ONLY,
    NUMBERS,
    PROBABILITIES,
    TEXTS,
    VALUES,
    number_places,
    text_places,
)

TYPES = {"double": DoubleTensorType, "single": FloatTensorType}
KINDS = {"double": TensorProto.DOUBLE, "single": TensorProto.FLOAT}
NUMBERED = (LogisticRegression, MLPClassifier)
"""Beside those with a converter of ours: classifiers whose graphs answer what `classes_` holds."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a graph."""

    form: Form
    precision: str = "double"
    ours: bool = True
    """Whether our converters are used, or skl2onnx's own alone."""


def convert(way: Way, fitted: Fitted, strict: list[int]) -> bytes:
    """Convert without comparing; `strict` are the texts that only take what they know."""
    plain = _by_position(_unwrapped(bare(fitted.estimator)))
    has_chances = fitted.schema.is_classifier and hasattr(plain, "predict_proba")
    is_numbered = isinstance(_last(plain), NUMBERED) or (
        way.ours and type(_last(plain)) in CONVERTERS and hasattr(_last(plain), "classes_")
    )
    numbered = _numbered(plain) if is_numbered else plain
    model = skl2onnx.convert_sklearn(
        numbered,
        initial_types=_inputs(way, fitted.schema),
        target_opset=OPSET,
        options={id(_last(numbered)): {"zipmap": False}} if has_chances else None,
        custom_conversion_functions=CONVERTERS if way.ours else {},
        custom_shape_calculators=SHAPES if way.ours else {},
    )
    inner = replace(fitted, estimator=bare(fitted.estimator))
    _answer(model.graph, inner, has_chances=has_chances, is_numbered=is_numbered)
    if isinstance(fitted.estimator, Recalibrated):
        _recalibrate(model.graph, fitted.estimator.curves, fitted)
    if way.form == "columns":
        _gather(model.graph, fitted.schema, way)
        helper.set_model_props(model, {KNOWN_ONLY: json.dumps(strict)})
    _raise_opset(model)
    return bytes(model.SerializeToString())


def _inputs(way: Way, schema: Schema) -> list[tuple[str, Any]]:
    number = TYPES[way.precision]
    if way.form == "table":
        return [(INPUT, number([None, len(schema.features)]))]
    return [
        (_name(place), (StringTensorType if feature.kind == "category" else number)([None, 1]))
        for place, feature in enumerate(schema.features)
    ]


def _name(place: int) -> str:
    return f"unrot_column_{place}"


def _by_position(estimator: Any) -> Any:
    """Copy an estimator whose column transformers take columns by place: a graph has no names."""
    if isinstance(estimator, Pipeline):
        (name, first), *rest = estimator.steps
        return Pipeline([(name, _by_position(first)), *rest])
    if isinstance(estimator, ColumnTransformer):
        placed = copy.copy(estimator)
        places = estimator._transformer_to_input_indices
        placed.transformers_ = [
            (name, part, list(places.get(name, columns)))
            for name, part, columns in estimator.transformers_
        ]
        return placed
    if isinstance(estimator, VotingClassifier | VotingRegressor):
        placed = copy.copy(estimator)
        placed.estimators_ = [_by_position(part) for part in estimator.estimators_]
        placed.flatten_transform = False  # Of `transform` alone, which no graph answers.
        return placed
    return estimator


def _last(estimator: Any) -> Any:
    return _last(estimator.steps[-1][1]) if isinstance(estimator, Pipeline) else estimator


def _unwrapped(estimator: Any) -> Any:
    """Leave out what adds nothing to an answer: searches, idle steps, the scale of a target."""
    if isinstance(estimator, BaseSearchCV):
        return _unwrapped(estimator.best_estimator_)
    if isinstance(estimator, TransformedTargetRegressor):
        return _unscaled(estimator)
    if not isinstance(estimator, Pipeline):
        return estimator
    steps = [(name, step) for name, step in estimator.steps if step not in (None, "passthrough")]
    name, last = steps[-1]
    return Pipeline([*steps[:-1], (name, _unwrapped(last))])


def _unscaled(estimator: Any) -> Any:
    """Fold the scale of the target into the last weights of a regressor."""
    scaler, folded = estimator.transformer_, copy.copy(estimator.regressor_)
    if not isinstance(scaler, StandardScaler) or scaler.scale_ is None or scaler.mean_ is None:
        raise NotImplementedError("a scaled target is compiled for StandardScaler alone")
    if hasattr(folded, "coefs_"):
        folded.coefs_ = [*folded.coefs_[:-1], folded.coefs_[-1] * scaler.scale_]
        shifted = folded.intercepts_[-1] * scaler.scale_ + scaler.mean_
        folded.intercepts_ = [*folded.intercepts_[:-1], shifted]
    elif hasattr(folded, "coef_"):
        folded.coef_ = folded.coef_ * scaler.scale_
        folded.intercept_ = folded.intercept_ * scaler.scale_ + scaler.mean_
    else:
        raise NotImplementedError("a scaled target is compiled for linear and neural regressors")
    return folded


def _numbered(estimator: Any) -> Any:
    """Copy a classifier with 0, 1, … for classes, so that its graph answers numbers."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return Pipeline([*estimator.steps[:-1], (name, _numbered(last))])
    numbered = copy.copy(estimator)
    numbered.classes_ = np.arange(len(estimator.classes_))
    if hasattr(numbered, "_label_binarizer"):
        numbered._label_binarizer = copy.copy(numbered._label_binarizer)
        numbered._label_binarizer.classes_ = numbered.classes_
    return numbered


# ── around the graph ─────────────────────────────────────────────────────────────────────────


def _answer(graph: Any, fitted: Fitted, *, has_chances: bool, is_numbered: bool) -> None:
    """Give the graph our output names, classes and chances in the order of the schema."""
    made = [output.name for output in graph.output]
    kind = graph.output[0].type.tensor_type.elem_type
    del graph.output[:]
    flat = _constant(graph, "flat", np.array([-1], dtype=np.int64))
    if not fitted.schema.is_classifier:
        _node(graph, "Reshape", [made[0], flat], "unrot_values")
        _node(graph, "Cast", ["unrot_values"], VALUES, to=TensorProto.DOUBLE)
        _output(graph, VALUES, TensorProto.DOUBLE)
        return
    places = np.array([*fitted.places.values()], dtype=np.int64)
    classes = len(fitted.schema.classes)
    is_in_order = np.array_equal(places, np.arange(classes))
    found = CLASSES if is_in_order else "unrot_places"
    if is_numbered:
        label = _origin(graph, made[0], len(places))
        _node(graph, "Reshape", [label, flat], "unrot_flat")
        _node(graph, "Cast", ["unrot_flat"], found, to=TensorProto.INT64)
    else:
        _node(graph, "Reshape", [made[0], flat], "unrot_labels")
        _find_places(graph, list(fitted.places), kind, found)
    if not is_in_order:
        _node(graph, "Gather", [_constant(graph, "schema", places), found], CLASSES)
    _output(graph, CLASSES, TensorProto.INT64)
    if has_chances:
        order = None if is_in_order else np.eye(classes)[places]
        _answer_chances(graph, made[1], order)
    _drop_unused(graph)


def _answer_chances(graph: Any, made: str, order: NDArray[np.float64] | None) -> None:
    """Answer chances as doubles, in other places where there are such."""
    if order is None:
        _node(graph, "Cast", [made], PROBABILITIES, to=TensorProto.DOUBLE)
    else:
        _node(graph, "Cast", [made], "unrot_chances", to=TensorProto.DOUBLE)
        moved = _constant(graph, "order", order)
        _node(graph, "MatMul", ["unrot_chances", moved], PROBABILITIES)
    _output(graph, PROBABILITIES, TensorProto.DOUBLE)


def _recalibrate(graph: Any, curves: list[Curve], fitted: Fitted) -> None:
    """Put the chances right by curves, and take the classes from these."""
    places = [*fitted.places.values()]
    for node in graph.node:
        if PROBABILITIES in node.output:
            node.output[:], node.name = ["unrot_before"], "node_unrot_before"
    kept = [node for node in graph.node if CLASSES not in node.output]
    del graph.node[:]
    graph.node.extend(kept)
    last = [1] if len(curves) == 1 else range(len(curves))
    made = [_curved(graph, curve, places[at], at) for at, curve in zip(last, curves, strict=True)]
    if len(curves) == 1:
        _node(graph, "Sub", [_constant(graph, "whole", np.ones((1, 1))), made[0]], "unrot_rest")
        _node(graph, "Concat", ["unrot_rest", made[0]], "unrot_right", axis=1)
    else:
        axis = _constant(graph, "axis", np.array([1], dtype=np.int64))
        _node(graph, "Concat", made, "unrot_each", axis=1)
        _node(graph, "ReduceSum", ["unrot_each", axis], "unrot_sum", keepdims=1)
        _node(graph, "Div", ["unrot_each", "unrot_sum"], "unrot_right")
    _node(graph, "ArgMax", ["unrot_right"], "unrot_likeliest", axis=1, keepdims=0)
    in_schema = _constant(graph, "likeliest", np.array(places, dtype=np.int64))
    _node(graph, "Gather", [in_schema, "unrot_likeliest"], CLASSES)
    order = _constant(graph, "right", np.eye(len(fitted.schema.classes))[places])
    _node(graph, "MatMul", ["unrot_right", order], PROBABILITIES)
    _drop_unused(graph)


def _curved(graph: Any, curve: Curve, place: int, number: int) -> str:
    """Return what a column of chances becomes by a curve: its piece, then the line of that."""
    name = f"curve_{number}"
    column, at = _constant(graph, f"{name}_at", np.array([place], dtype=np.int64)), f"{name}_given"
    _node(graph, "Gather", ["unrot_before", column], at, axis=1)
    inside = _constant(graph, f"{name}_inside", curve.x[None, 1:-1])
    axis = _constant(graph, f"{name}_axis", np.array([1], dtype=np.int64))
    _node(graph, "GreaterOrEqual", [at, inside], f"{name}_passed")
    _node(graph, "Cast", [f"{name}_passed"], f"{name}_counted", to=TensorProto.INT64)
    _node(graph, "ReduceSum", [f"{name}_counted", axis], f"{name}_piece", keepdims=1)
    for kind, values in (("x", curve.x[:-1]), ("y", curve.y[:-1]), ("slope", curve.slopes)):
        held = _constant(graph, f"{name}_{kind}s", values)
        _node(graph, "Gather", [held, f"{name}_piece"], f"{name}_{kind}")
    _node(graph, "Sub", [at, f"{name}_x"], f"{name}_along")
    _node(graph, "Mul", [f"{name}_slope", f"{name}_along"], f"{name}_risen")
    _node(graph, "Add", [f"{name}_y", f"{name}_risen"], f"{name}_made")
    return f"{name}_made"


def _find_places(graph: Any, classes: list[Any], kind: int, found: str) -> None:
    """Turn labels into their places among the estimator's classes."""
    labels = "unrot_labels"
    if kind == TensorProto.STRING:
        known = np.array([[str(label) for label in classes]], dtype=object)
    else:
        _node(graph, "Cast", [labels], "unrot_numbers_named", to=TensorProto.DOUBLE)
        labels, known = "unrot_numbers_named", np.array([classes], dtype=np.float64)
    column = _constant(graph, "column", np.array([1], dtype=np.int64))
    _node(graph, "Unsqueeze", [labels, column], "unrot_named")
    _node(graph, "Equal", ["unrot_named", _constant(graph, "classes", known)], "unrot_same")
    _node(graph, "Cast", ["unrot_same"], "unrot_marked", to=TensorProto.INT64)
    _node(graph, "ArgMax", ["unrot_marked"], found, axis=1, keepdims=0)


PASSING = ("Cast", "Identity", "Reshape", "ArrayFeatureExtractor")
"""What leads from the place of a class to its label, where labels are the numbers of places."""


def _origin(graph: Any, label: str, classes: int) -> str:
    """Return the place of the most likely class that a label was looked up by, or the label."""
    makers = {output: node for node in graph.node for output in node.output}
    held = {one.name: one for one in graph.initializer}
    at = label
    while (node := makers.get(at)) is not None and node.op_type in PASSING:
        at = node.input[0]
        if node.op_type == "ArrayFeatureExtractor":
            looked_up = held.get(node.input[0])
            if looked_up is None or not _counts_up(looked_up, classes):
                return label
            at = node.input[1]
    return at if node is not None and node.op_type == "ArgMax" else label


def _counts_up(constant: Any, classes: int) -> bool:
    return np.array_equal(numpy_helper.to_array(constant).ravel(), np.arange(classes))


def _drop_unused(graph: Any) -> None:
    """Leave out what nothing depends on any more."""
    wanted = {one.name for one in graph.output}
    kept = []
    for node in reversed(graph.node):
        if wanted & {*node.output}:
            wanted.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def _gather(graph: Any, schema: Schema, way: Way) -> None:
    """Let the graph take one tensor of numbers and one of texts, and part them itself."""
    parts = (
        (NUMBERS, KINDS[way.precision], number_places(schema)),
        (TEXTS, TensorProto.STRING, text_places(schema)),
    )
    del graph.input[:]
    first: list[Any] = []
    for name, kind, places in parts:
        if not places:
            continue
        graph.input.append(helper.make_tensor_value_info(name, kind, [None, len(places)]))
        for column, place in enumerate(places):
            constant = _constant(graph, f"{name}_{column}", np.array([column], dtype=np.int64))
            taken = [name, constant]
            first.append(helper.make_node("Gather", taken, [_name(place)], axis=1))
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*first, *rest])


def _output(graph: Any, name: str, kind: int) -> None:
    graph.output.append(helper.make_tensor_value_info(name, kind, None))


def _node(graph: Any, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
    node = helper.make_node(kind, inputs, [output], name=f"node_{output}", **attributes)
    graph.node.append(node)


def _constant(graph: Any, name: str, value: NDArray[Any]) -> str:
    graph.initializer.append(numpy_helper.from_array(value, f"unrot_{name}_constant"))
    return f"unrot_{name}_constant"


def _raise_opset(model: onnx.ModelProto) -> None:
    wanted = max((NEWER_NODES.get(node.op_type, 0) for node in model.graph.node), default=0)
    for opset in model.opset_import:
        least = wanted if opset.domain == "ai.onnx.ml" else OPSET[""]
        if opset.domain in OPSET:
            opset.version = max(opset.version, least)
