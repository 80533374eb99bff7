"""A compiled model in memory: rows in, classes and probabilities out, in microseconds.

The web workers import this file. It needs numpy and onnxruntime and nothing of training, so
that a worker stays small; a version that has no ONNX form is the exception.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.encoding import Encoder
from unrot.core.errors import BadArtefact, Detail, Invalid, shown
from unrot.core.ports import Predictor
from unrot.core.records import Outputs, Row, Schema
from unrot.core.schema import MOST_DETAILS, expected_of, farthest_feature
from unrot.serve.parity import TOLERANCE, largest_difference

# onnxruntime reports its use to its makers unless it is told not to before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime

INPUT = "inputs"
CLASSES, PROBABILITIES, VALUES = "class_indices", "class_probabilities", "target_values"
WIDEST_FLOAT = float(np.finfo(np.float32).max)
SILENT = 4
ROUNDING_OPTIMIZER = "MatMulScaleFusion"
"""It makes one number of the scale before a product, in single precision."""


class OnnxPredictor:
    """An ONNX graph with the outputs that `export` gives it, on one thread."""

    def __init__(self, artefact: bytes, schema: Schema) -> None:
        session = open_session(artefact)
        inputs = session.get_inputs()
        self._outputs = [output.name for output in session.get_outputs()]
        self._schema = schema
        self._check(inputs)
        self._is_narrow = inputs[0].type == "tensor(float)"
        self._encode = Encoder(schema).encode
        self._run = session.run

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked; None is a gap."""
        return self.predict_table(self._encode(rows))

    def predict_table(self, table: NDArray[np.float64]) -> Outputs:
        """Score rows that are numbers already, as `encoding` makes them."""
        inputs = self._narrowed(table) if self._is_narrow else table
        answers = self._run(self._outputs, {INPUT: inputs})
        first = answers[0].tolist()
        if len(answers) == 2:
            probabilities = answers[1].tolist()
            is_scored = np.isfinite(answers[1])
            if not is_scored.all():
                raise too_far(self._schema, table, is_scored.all(axis=1))
            return Outputs(first, probabilities)
        if self._outputs[0] == CLASSES:
            return Outputs(first)
        is_scored = np.isfinite(answers[0])
        if not is_scored.all():
            raise too_far(self._schema, table, is_scored)
        return Outputs(values=first)

    def _check(self, inputs: Sequence[Any]) -> None:
        width = len(self._schema.features)
        classes = [[CLASSES, PROBABILITIES], [CLASSES]]
        wanted = classes if self._schema.is_classifier else [[VALUES]]
        if len(inputs) != 1 or inputs[0].name != INPUT or inputs[0].shape[1] != width:
            raise BadArtefact(f'The ONNX graph does not take one table "{INPUT}" of {width}.')
        if self._outputs not in wanted:
            raise BadArtefact(f"The ONNX graph answers {self._outputs}: expected {wanted[0]}.")

    def _narrowed(self, table: NDArray[Any]) -> NDArray[Any]:
        beyond = np.abs(table) > WIDEST_FLOAT
        if beyond.any():
            raise too_far(self._schema, table, ~beyond.any(axis=1))
        return table.astype(np.float32)


def too_far(schema: Schema, table: NDArray[Any], is_scored: NDArray[np.bool_]) -> Invalid:
    """Say which values are so far out that no finite answer came of them."""
    several = len(table) > 1
    numbers = np.flatnonzero(~is_scored)[:MOST_DETAILS]
    rows = zip(numbers.tolist(), Encoder(schema).decode(table[numbers]), strict=True)
    details = [_detail(schema, row, number if several else None) for number, row in rows]
    first = details[0]
    where = f"Row {first.row}: " if several else ""
    return Invalid(
        f"{where}{first.field} {shown(first.value)}: the model cannot score a number this far "
        f"outside its training range; expected {first.expected}.",
        details=details,
    )


def pack_golden(rows: Sequence[Row], outputs: Outputs) -> bytes:
    """Write rows beside the answers that every worker must give to them."""
    answers = {
        CLASSES: outputs.classes,
        PROBABILITIES: outputs.probabilities,
        VALUES: outputs.values,
    }
    return orjson.dumps({"rows": _plain(rows), **answers})


def check_golden(predictor: Predictor, golden: bytes) -> float:
    """Return the largest difference from the golden answers; raise BadArtefact beyond 1e-4."""
    try:
        read = orjson.loads(golden)
        expected = Outputs(read[CLASSES], read[PROBABILITIES], read[VALUES])
        given = predictor.predict(read["rows"])
    except (KeyError, TypeError, ValueError, Invalid) as error:
        raise BadArtefact(f"The golden rows cannot be scored: {error}.") from error
    difference = largest_difference(expected, given)
    if difference > TOLERANCE:
        raise BadArtefact(
            "The loaded model does not answer its golden rows as it did when it was made "
            f"(largest difference {difference:g}, at most {TOLERANCE:g} is taken)."
        )
    return difference


def open_session(artefact: bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX graph on one thread; raise BadArtefact for one that does not load."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = SILENT
    try:
        return onnxruntime.InferenceSession(
            artefact,
            sess_options=options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=[ROUNDING_OPTIMIZER],
        )
    except Exception as error:
        # onnxruntime raises classes of its own that share no parent but Exception.
        raise BadArtefact(f"The ONNX graph does not load: {shown(str(error), 200)}.") from error


def _detail(schema: Schema, row: Row, number: int | None) -> Detail:
    feature = farthest_feature(schema, row)
    value = row[schema.names.index(feature.name)]
    return Detail(feature.name, value, expected_of(feature), number)


def _plain(rows: Iterable[Row]) -> list[list[Any]]:
    return [list(row) for row in rows]
