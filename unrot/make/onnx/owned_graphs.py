"""One way from an owner's estimator to an ONNX graph that takes our tensors and answers our names.

skl2onnx takes a tensor a column and answers labels; a predictor wants one tensor of numbers, one
of texts, and the places of the classes. What lies between is added to the graph here. Whether
the graph is right is asked elsewhere (see `owned_export`).
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import skl2onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from unrot.core.records import Form, Schema
from unrot.make.onnx.converters import NEWER_NODES, OPSET
from unrot.make.onnx.owned_converters import conversions, names_classes_by_place
from unrot.make.owned import classes_of
from unrot.serve.column_predictor import KNOWN_ONLY, NUMBERS, TEXTS, number_places, text_places
from unrot.serve.predictor import CLASSES, INPUT, PROBABILITIES, VALUES

TYPES = {"double": DoubleTensorType, "single": FloatTensorType}
KINDS = {"double": TensorProto.DOUBLE, "single": TensorProto.FLOAT}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a graph."""

    form: Form
    precision: str
    ours: bool


def convert(way: Way, estimator: Any, schema: Schema, strict: list[int]) -> bytes:
    """Convert without comparing; `strict` are the texts that only take what they know."""
    plain = _by_position(_unwrapped(estimator))
    last = plain[-1] if isinstance(plain, Pipeline) else plain
    converters, shapes = conversions() if way.ours else ({}, {})
    by_place = way.ours and names_classes_by_place(last)
    numbered = _numbered(plain) if by_place else plain
    last = numbered[-1] if isinstance(numbered, Pipeline) else numbered
    model = skl2onnx.convert_sklearn(
        numbered,
        initial_types=_inputs(way, schema),
        target_opset=OPSET,
        options={id(last): {"zipmap": False}} if _has_chances(schema, plain) else None,
        custom_conversion_functions=converters,
        custom_shape_calculators=shapes,
    )
    _answer(model.graph, estimator, schema, by_place)
    if way.form == "columns":
        _gather(model.graph, schema, way)
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


def _unwrapped(estimator: Any) -> Any:
    if isinstance(estimator, BaseSearchCV):
        return _unwrapped(estimator.best_estimator_)
    if not isinstance(estimator, Pipeline):
        return estimator
    steps = [(name, step) for name, step in estimator.steps if step not in (None, "passthrough")]
    name, last = steps[-1]
    return Pipeline([*steps[:-1], (name, _unwrapped(last))])


def _numbered(estimator: Any) -> Any:
    """Copy a classifier with 0, 1, … for classes, so that its graph answers numbers."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return Pipeline([*estimator.steps[:-1], (name, _numbered(last))])
    numbered = copy.copy(estimator)
    numbered.classes_ = np.arange(len(estimator.classes_))
    return numbered


def _has_chances(schema: Schema, estimator: Any) -> bool:
    return schema.is_classifier and hasattr(estimator, "predict_proba")


def _answer(graph: Any, estimator: Any, schema: Schema, by_place: bool) -> None:
    """Give the graph our output names: classes by their place, all else in double precision."""
    made = [output.name for output in graph.output]
    kind = graph.output[0].type.tensor_type.elem_type
    del graph.output[:]
    flat = _constant(graph, "flat", np.array([-1], dtype=np.int64))
    if not schema.is_classifier:
        _node(graph, "Reshape", [made[0], flat], "unrot_values")
        _cast(graph, "unrot_values", VALUES, TensorProto.DOUBLE)
        return
    _node(graph, "Reshape", [made[0], flat], "unrot_labels")
    if by_place:
        _cast(graph, "unrot_labels", CLASSES, TensorProto.INT64)
    else:
        _place(graph, estimator, schema, kind)
    if _has_chances(schema, estimator):
        _cast(graph, made[1], PROBABILITIES, TensorProto.DOUBLE)


def _place(graph: Any, estimator: Any, schema: Schema, kind: int) -> None:
    """Turn labels into their places among the classes."""
    labels = "unrot_labels"
    if kind == TensorProto.STRING:
        classes = np.array([list(schema.classes)], dtype=object)
    else:
        _node(graph, "Cast", [labels], "unrot_numbers_named", to=TensorProto.DOUBLE)
        labels = "unrot_numbers_named"
        classes = np.array([classes_of(estimator)], dtype=np.float64)
    column = _constant(graph, "column", np.array([1], dtype=np.int64))
    _node(graph, "Unsqueeze", [labels, column], "unrot_named")
    _node(graph, "Equal", ["unrot_named", _constant(graph, "classes", classes)], "unrot_same")
    _node(graph, "Cast", ["unrot_same"], "unrot_marked", to=TensorProto.INT64)
    _node(graph, "ArgMax", ["unrot_marked"], CLASSES, axis=1, keepdims=0)
    graph.output.append(helper.make_tensor_value_info(CLASSES, TensorProto.INT64, None))


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


def _cast(graph: Any, made: str, output: str, kind: int) -> None:
    _node(graph, "Cast", [made], output, to=kind)
    graph.output.append(helper.make_tensor_value_info(output, kind, None))


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
