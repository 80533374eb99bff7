"""Turn a fitted estimator into an ONNX graph, if the graph answers what scikit-learn answers.

A graph is made with double inputs and, if that is not to be had, with float inputs; each is
compared with scikit-learn on the reference rows, on such rows with gaps and unseen choices, and,
for trees, on rows that sit exactly at and right beside the thresholds, where a rounded graph goes
wrong. A graph that names another class on one row, or is off by more than `TOLERANCE` (as
`parity` measures it), is not used: scikit-learn then serves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import skl2onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from unrot.core.encoding import UNSEEN
from unrot.core.errors import BadArtefact, Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Outputs, Schema
from unrot.make.onnx.converters import CONVERTERS, NEWER_NODES, OPSET, SHAPES
from unrot.make.onnx.trees import TREES, thresholds_of
from unrot.make.scikit import ScikitPredictor, class_places
from unrot.serve.parity import TOLERANCE, differing_rows, largest_difference
from unrot.serve.predictor import CLASSES, INPUT, PROBABILITIES, VALUES, OnnxPredictor

MOST_THRESHOLD_ROWS = 500
MOST_STRANGE_ROWS = 200
BESIDE_A_THRESHOLD = 6
CLOSE_ENOUGH = 1e-6
"""A graph this exact is taken without trying the next kind, which costs as much again."""
INPUT_TYPES = {"double": DoubleTensorType, "float": FloatTensorType}


@dataclass(frozen=True, slots=True)
class Exported:
    """A graph that may serve, or none and the reason."""

    onnx: bytes | None = field(repr=False)
    largest_difference: float | None
    compared_rows: int
    reason: str = ""


def export(estimator: Any, schema: Schema, rows: NDArray[Any]) -> Exported:
    """Compile a fitted estimator and compare it with itself on `rows` and where it may go wrong."""
    others = (strange_rows(schema, rows), threshold_rows(estimator, rows))
    table = np.vstack([rows, *others]).astype(np.float64)
    expected = ScikitPredictor(estimator, schema).predict_table(table)
    best = Exported(None, None, 0)
    reasons: list[str] = []
    for precision in INPUT_TYPES:
        made = _try(precision, estimator, schema, table, expected)
        if made.onnx is None:
            reasons.append(made.reason)
        elif best.largest_difference is None or _difference(made) < _difference(best):
            best = made
        if _difference(best) <= CLOSE_ENOUGH:
            break
    if best.onnx is not None:
        return best
    return Exported(None, None, len(table), " ".join(reasons))


def convert(estimator: Any, schema: Schema, precision: str) -> bytes:
    """Convert without comparing: one input table, class indices in the order of the schema."""
    double = precision == "double"
    numbered = _with_last(estimator, _numbered if schema.is_classifier else _unscaled)
    last = _steps(numbered)[-1]
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
    steps = _steps(estimator)
    if not isinstance(steps[-1], TREES):
        return rows[:0]
    places = _unscaled_places(steps[:-1], rows.shape[1])
    found = thresholds_of(steps[-1])
    pairs = [(places[column], value) for column, value in found if column in places]
    most = min(len(pairs), MOST_THRESHOLD_ROWS // BESIDE_A_THRESHOLD)
    made: list[NDArray[Any]] = []
    for count, place in enumerate(np.linspace(0, len(pairs) - 1, most).astype(int)):
        feature, threshold = pairs[place]
        for value in _beside(threshold):
            row = rows[count % len(rows)].copy()
            row[feature] = value
            made.append(row)
    return np.array(made).reshape(-1, rows.shape[1])


def strange_rows(schema: Schema, rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows in which one feature after the other, and at last each, is a gap or unseen."""
    strange = [(place, np.nan) for place, each in enumerate(schema.features) if each.nullable]
    strange += [
        (place, UNSEEN) for place, each in enumerate(schema.features) if each.kind == "category"
    ]
    most = min(len(strange), MOST_STRANGE_ROWS)
    chosen = np.linspace(0, len(strange) - 1, most).astype(int)
    made = rows[np.arange(most + 1 if most else 0) % len(rows)].astype(np.float64)
    for number, which in enumerate(chosen):
        made[number, strange[which][0]] = strange[which][1]
    for place, value in strange:
        made[-1, place] = value
    return made


def _try(
    precision: str, estimator: Any, schema: Schema, rows: NDArray[Any], expected: Outputs
) -> Exported:
    try:
        graph = convert(estimator, schema, precision)
        given = OnnxPredictor(graph, schema).predict_table(rows)
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
        return _refused(
            precision, f"another class on {differing} of {counted(len(rows), 'row')}", rows
        )
    return _refused(precision, f"off by {difference:g}, at most {TOLERANCE:g} is taken", rows)


def _refused(precision: str, why: str, rows: NDArray[Any]) -> Exported:
    return Exported(None, None, len(rows), f"ONNX with {precision} inputs: {why.rstrip('.')}.")


def _difference(made: Exported) -> float:
    return np.inf if made.largest_difference is None else made.largest_difference


def _steps(estimator: Any) -> list[Any]:
    """List the steps of a pipeline and of the pipelines in it, or the estimator alone."""
    if not isinstance(estimator, Pipeline):
        return [estimator]
    return [step for part in estimator for step in _steps(part)]


def _unscaled_places(steps: list[Any], width: int) -> dict[int, int]:
    """Tell, of the columns that the last step sees, which inputs they are with nothing scaled."""
    places = {column: column for column in range(width)}
    for step in steps:
        if isinstance(step, ColumnTransformer) and len(steps) == 1:
            return _first_places(step)
        if not isinstance(step, SimpleImputer):
            return {}
    return places


def _first_places(columns: ColumnTransformer) -> dict[int, int]:
    """Do the same for the first part of a column transformer, which `estimators` has numbers in."""
    _, part, places = columns.transformers[0]
    is_unscaled = all(
        step == "passthrough" or isinstance(step, SimpleImputer) for step in _steps(part)
    )
    return dict(enumerate(places)) if is_unscaled and isinstance(places, list) else {}


def _with_last(estimator: Any, change: Callable[[Any], Any]) -> Any:
    """Return the estimator, or a pipeline of the same steps, with its last step changed."""
    if not isinstance(estimator, Pipeline):
        return change(estimator)
    name, last = estimator.steps[-1]
    return Pipeline([*estimator.steps[:-1], (name, _with_last(last, change))])


def _unscaled(estimator: Any) -> Any:
    """Fold the scale of the target into the last weights of a regressor, if it has one."""
    if not isinstance(estimator, TransformedTargetRegressor):
        return estimator
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
