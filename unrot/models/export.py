"""Turn a fitted estimator into an ONNX graph, if the graph answers what scikit-learn answers.

A graph is made with double inputs and, if that is not to be had, with float inputs; each is
compared with scikit-learn on the reference rows and, for trees, on rows that sit exactly at
and right beside the thresholds, where a rounded graph goes wrong. A graph that names another
class on one row, or is off by more than `TOLERANCE`, is not used: scikit-learn then serves.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import skl2onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from unrot.errors import BadArtefact, Invalid, shown
from unrot.models.converters import CONVERTERS, NEWER_NODES, OPSET, SHAPES
from unrot.models.parity import TOLERANCE, differing_rows, largest_difference
from unrot.models.predictors import CLASSES, INPUT, PROBABILITIES, VALUES, OnnxPredictor
from unrot.models.scikit import ScikitPredictor, class_places
from unrot.models.trees import TREES, thresholds_of
from unrot.records import Outputs, Row, Schema

MOST_THRESHOLD_ROWS = 500
BESIDE_A_THRESHOLD = 6
INPUT_TYPES = {"double": DoubleTensorType, "float": FloatTensorType}


@dataclass(frozen=True, slots=True)
class Exported:
    """A graph that may serve, or none and the reason."""

    onnx: bytes | None = field(repr=False)
    largest_difference: float | None
    compared_rows: int
    reason: str = ""


def export(estimator: Any, schema: Schema, rows: NDArray[Any]) -> Exported:
    """Compile a fitted estimator and compare it with itself on `rows` and at its thresholds."""
    compared = np.vstack([rows, threshold_rows(estimator, rows)]).astype(np.float64)
    table = as_rows(compared)
    expected = ScikitPredictor(estimator, schema).predict(table)
    best = Exported(None, None, 0)
    reasons: list[str] = []
    for precision in INPUT_TYPES:
        made = _try(precision, estimator, schema, table, expected)
        if made.onnx is None:
            reasons.append(made.reason)
        elif best.largest_difference is None or _difference(made) < _difference(best):
            best = made
    if best.onnx is not None:
        return best
    return Exported(None, None, len(table), " ".join(reasons))


def convert(estimator: Any, schema: Schema, precision: str) -> bytes:
    """Convert without comparing: one input table, class indices in the order of the schema."""
    double = precision == "double"
    numbered = _numbered(estimator) if schema.is_classifier else estimator
    last = numbered[-1] if isinstance(numbered, Pipeline) else numbered
    model = skl2onnx.convert_sklearn(
        numbered,
        initial_types=[(INPUT, INPUT_TYPES[precision]([None, len(schema.features)]))],
        target_opset=OPSET,
        options={id(last): {"zipmap": False}} if schema.is_classifier else None,
        custom_conversion_functions=CONVERTERS if double else None,
        custom_shape_calculators=SHAPES if double else None,
    )
    return bytes(_finished(model, estimator, schema).SerializeToString())


def threshold_rows(estimator: Any, rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows at and right beside the thresholds of trees that see the inputs unscaled."""
    steps = list(estimator) if isinstance(estimator, Pipeline) else [estimator]
    sees_inputs = all(isinstance(step, SimpleImputer) for step in steps[:-1])
    if not isinstance(steps[-1], TREES) or not sees_inputs:
        return rows[:0]
    pairs = thresholds_of(steps[-1])
    most = min(len(pairs), MOST_THRESHOLD_ROWS // BESIDE_A_THRESHOLD)
    made: list[NDArray[Any]] = []
    for count, place in enumerate(np.linspace(0, len(pairs) - 1, most).astype(int)):
        feature, threshold = pairs[place]
        for value in _beside(threshold):
            row = rows[count % len(rows)].copy()
            row[feature] = value
            made.append(row)
    return np.array(made).reshape(-1, rows.shape[1])


def as_rows(table: NDArray[Any]) -> list[Row]:
    """Write a table as rows of plain numbers, None for gaps."""
    return [[None if value != value else value for value in row] for row in table.tolist()]


def _try(
    precision: str, estimator: Any, schema: Schema, rows: list[Row], expected: Outputs
) -> Exported:
    try:
        graph = convert(estimator, schema, precision)
        given = OnnxPredictor(graph, schema).predict(rows)
    except (BadArtefact, Invalid) as error:
        return _refused(precision, error.message, rows)
    except Exception as error:
        # skl2onnx raises whatever its converters raise; each means that there is no graph.
        return _refused(precision, f"{type(error).__name__}: {shown(str(error), 160)}", rows)
    difference = largest_difference(expected, given)
    if difference <= TOLERANCE:
        return Exported(graph, difference, len(rows))
    differing = differing_rows(expected, given)
    if differing:
        return _refused(precision, f"another class on {differing} of {len(rows)} rows", rows)
    return _refused(precision, f"off by {difference:g}, at most {TOLERANCE:g} is taken", rows)


def _refused(precision: str, why: str, rows: list[Row]) -> Exported:
    return Exported(None, None, len(rows), f"ONNX with {precision} inputs: {why.rstrip('.')}.")


def _difference(made: Exported) -> float:
    return np.inf if made.largest_difference is None else made.largest_difference


def _numbered(estimator: Any) -> Any:
    """Copy a classifier with 0, 1, … for classes, so that its graph answers numbers."""
    if isinstance(estimator, Pipeline):
        steps = [*estimator.steps[:-1], (estimator.steps[-1][0], _numbered(estimator[-1]))]
        return Pipeline(steps)
    numbered = copy.copy(estimator)
    numbered.classes_ = np.arange(len(estimator.classes_))
    if hasattr(numbered, "_label_binarizer"):
        numbered._label_binarizer = copy.copy(numbered._label_binarizer)
        numbered._label_binarizer.classes_ = numbered.classes_
    return numbered


def _finished(model: onnx.ModelProto, estimator: Any, schema: Schema) -> onnx.ModelProto:
    """Give the graph our output names, and its answers the order of the schema."""
    graph = model.graph
    made = [output.name for output in graph.output]
    kind = graph.input[0].type.tensor_type.elem_type
    del graph.output[:]
    _raise_opset(model)
    if schema.is_classifier:
        places = class_places(estimator, schema)
        _answer(graph, "Gather", "places", places, made[0], CLASSES, TensorProto.INT64)
        if hasattr(estimator, "predict_proba"):
            order = np.eye(len(schema.classes))[places]
            order = order.astype(helper.tensor_dtype_to_np_dtype(kind))
            _answer(graph, "MatMul", "order", order, made[1], PROBABILITIES, kind)
    else:
        flat = np.array([-1], dtype=np.int64)
        _answer(graph, "Reshape", "flat", flat, made[0], VALUES, kind)
    return model


def _raise_opset(model: onnx.ModelProto) -> None:
    wanted = max((NEWER_NODES.get(node.op_type, 0) for node in model.graph.node), default=0)
    for opset in model.opset_import:
        if opset.domain == "ai.onnx.ml":
            opset.version = max(opset.version, wanted)


def _answer(
    graph: Any, op: str, name: str, constant: NDArray[Any], made: str, output: str, kind: int
) -> None:
    constant_name = f"unrot_{name}"
    graph.initializer.append(numpy_helper.from_array(constant, constant_name))
    inputs = [constant_name, made] if op == "Gather" else [made, constant_name]
    graph.node.append(helper.make_node(op, inputs, [output], name=f"unrot_{output}"))
    graph.output.append(helper.make_tensor_value_info(output, kind, None))


def _beside(threshold: float) -> list[float]:
    narrow = np.float32(threshold)
    return [
        threshold,
        float(np.nextafter(threshold, -np.inf)),
        float(np.nextafter(threshold, np.inf)),
        float(narrow),
        float(np.nextafter(narrow, np.float32(-np.inf))),
        float(np.nextafter(narrow, np.float32(np.inf))),
    ]
