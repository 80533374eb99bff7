"""A compiled model in memory: rows in, classes and probabilities out, in microseconds.

The web workers import this file. It needs numpy and onnxruntime and nothing of training, so
that a worker stays small; a version that has no ONNX form is the exception.

A graph takes one table of numbers, as `encoding` makes it, or where its pipeline reads texts the
numbers in one tensor and the texts in another. A gap is NaN among numbers and empty among texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.encoding import Encoder
from unrot.core.errors import BadArtefact, Detail, Invalid, shown
from unrot.core.ports import Predictor
from unrot.core.quick_rows import QuickRows
from unrot.core.records import Feature, Outputs, Row, Schema, Value
from unrot.core.schema import MOST_DETAILS, expected_of, farthest_feature
from unrot.core.table import Table
from unrot.core.telemetry import silence_onnxruntime
from unrot.serve.parity import TOLERANCE, largest_difference

silence_onnxruntime()
import onnxruntime  # noqa: E402  # only what comes after the word is silent

INPUT = "inputs"
NUMBERS, TEXTS = "unrot_numbers", "unrot_texts"
KNOWN_ONLY = "unrot_known_only"
"""The graph's own note on which features refuse a text that they were not fitted with."""
GAP = ""
CLASSES, PROBABILITIES, VALUES = "class_indices", "class_probabilities", "target_values"
WIDEST_FLOAT = float(np.finfo(np.float32).max)
SILENT = 4
One = tuple[int | None, list[float] | None, float | None]
"""Class, probabilities and value of one row."""
ROUNDING_OPTIMIZER = "MatMulScaleFusion"
"""It makes one number of the scale before a product, in single precision."""


class OnnxPredictor:
    """An ONNX graph with the inputs and outputs that `export` gives it, on one thread."""

    is_quick = True
    rows: QuickRows | None
    """Reads usual rows into the one table that the graph takes; None where it takes texts."""

    def __init__(self, artefact: bytes, schema: Schema) -> None:
        session = open_session(artefact)
        inputs = {given.name: given for given in session.get_inputs()}
        self._outputs = [output.name for output in session.get_outputs()]
        self._schema, self._run = schema, session.run
        self._numbers, self._texts = number_places(schema), text_places(schema)
        self._encode = Encoder(schema).encode if INPUT in inputs else None
        self._check(inputs)
        self._input = INPUT if self._encode is not None else NUMBERS
        self._is_narrow = any(given.type == "tensor(float)" for given in inputs.values())
        notes = session.get_modelmeta().custom_metadata_map
        self._known_only = [
            (place, frozenset(schema.features[place].choices))
            for place in json.loads(notes.get(KNOWN_ONLY, "[]"))
        ]
        takes_texts = self._encode is None and bool(self._texts)
        self.rows = None if takes_texts or self._known_only else QuickRows(schema)

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked; None is a gap."""
        if self._known_only:
            self._refuse_strangers(rows)
        answers = self._run(self._outputs, self._tensors(rows))
        first = answers[0].tolist()
        if self._outputs == [CLASSES]:
            return Outputs(first)
        is_scored = np.isfinite(answers[-1])
        if not is_scored.all():
            raise too_far(self._schema, rows, is_scored.reshape(len(rows), -1).all(axis=1))
        if len(answers) == 1:
            return Outputs(values=first)
        return Outputs(first, answers[1].tolist())

    def score_one(self, row: Row) -> One | None:
        """Score a row of plain numbers; None where `predict` has something to say of it."""
        table = np.array((row,), dtype=np.float64)
        if self._is_narrow or len(self._outputs) == 1:
            outputs = self.score(table)
            return None if outputs is None else _first(outputs)
        index, table = self._run(self._outputs, {self._input: table})
        [shares] = table.tolist()
        return (index.item(), shares, None) if isfinite(sum(shares)) else None

    def score(self, table: NDArray[np.float64]) -> Outputs | None:
        """Score what `rows` has read; None where `predict` has something to say of it."""
        if self._is_narrow:
            if (np.abs(table) > WIDEST_FLOAT).any():
                return None
            table = table.astype(np.float32)
        answers = self._run(self._outputs, {self._input: table})
        first = answers[0].tolist()
        if self._outputs == [CLASSES]:
            return Outputs(first)
        if len(answers) == 1:
            return Outputs(values=first) if isfinite(sum(first)) else None
        shares = answers[1].astype(np.float64)
        return Outputs(first, Table(shares)) if isfinite(shares.sum()) else None

    def _tensors(self, rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
        if self._encode is not None:
            return {INPUT: self._narrowed(self._encode(rows), rows)}
        tensors: dict[str, NDArray[Any]] = {}
        if self._numbers:
            table = np.array([[row[place] for place in self._numbers] for row in rows], np.float64)
            tensors[NUMBERS] = self._narrowed(table, rows)
        if self._texts:
            cells = [[_text(row[place]) for place in self._texts] for row in rows]
            tensors[TEXTS] = np.array(cells, dtype=object)
        return tensors

    def _narrowed(self, table: NDArray[Any], rows: Sequence[Row]) -> NDArray[Any]:
        if not self._is_narrow:
            return table
        beyond = np.abs(table) > WIDEST_FLOAT
        if beyond.any():
            raise too_far(self._schema, rows, ~beyond.any(axis=1))
        return table.astype(np.float32)

    def _refuse_strangers(self, rows: Sequence[Row]) -> None:
        details = [
            self._stranger(place, row[place], number if len(rows) > 1 else None)
            for number, row in enumerate(rows)
            for place, known in self._known_only
            if row[place] is not None and row[place] not in known
        ]
        if details:
            raise Invalid(details[0].sentence, details=details[:MOST_DETAILS])

    def _stranger(self, place: int, value: Value, number: int | None) -> Detail:
        feature = self._schema.features[place]
        expected = expected_of(feature).replace("usually ", "")
        return Detail(feature.name, value, expected, number)

    def _check(self, inputs: Mapping[str, Any]) -> None:
        columns = {NUMBERS: len(self._numbers), TEXTS: len(self._texts)}
        widths = columns if self._encode is None else {INPUT: len(self._schema.features)}
        wanted = {name: width for name, width in widths.items() if width}
        if {name: given.shape[1] for name, given in inputs.items()} != wanted:
            raise BadArtefact(f"The ONNX graph does not take {wanted}.")
        classes = [[CLASSES, PROBABILITIES], [CLASSES]]
        answers = classes if self._schema.is_classifier else [[VALUES]]
        if self._outputs not in answers:
            raise BadArtefact(f"The ONNX graph answers {self._outputs}: expected {answers[0]}.")


def _first(outputs: Outputs) -> One:
    classes, shares, values = outputs.classes, outputs.probabilities, outputs.values
    return (
        None if classes is None else classes[0],
        None if shares is None else list(shares[0]),
        None if values is None else values[0],
    )


def number_places(schema: Schema) -> list[int]:
    """Return the places of the features that go into the tensor of numbers."""
    return [place for place, feature in enumerate(schema.features) if feature.kind != "category"]


def text_places(schema: Schema) -> list[int]:
    """Return the places of the features that go into the tensor of texts."""
    return [place for place, feature in enumerate(schema.features) if feature.kind == "category"]


def too_far(schema: Schema, rows: Sequence[Row], is_scored: NDArray[np.bool_]) -> Invalid:
    """Say which values are such that no finite answer came of them, as a rule by being far out."""
    details: list[Detail] = []
    for number in np.flatnonzero(~is_scored)[:MOST_DETAILS].tolist():
        feature = farthest_feature(schema, rows[number])
        value = rows[number][schema.names.index(feature.name)]
        told = number if len(rows) > 1 else None
        details.append(Detail(feature.name, value, expected_of(feature), told))
    first = details[0]
    where = f"Row {first.row}: " if first.row is not None else ""
    feature = schema.features[schema.names.index(first.field)]
    what = "a row with this value"
    if _is_outside(feature, first.value):
        what = "a number this far outside its training range"
    return Invalid(
        f"{where}{first.field} {shown(first.value)}: the model cannot score {what}; "
        f"expected {first.expected}.",
        details=details,
    )


def pack_golden(rows: Sequence[Row], outputs: Outputs) -> bytes:
    """Write rows beside the answers that every worker must give to them."""
    answers = {
        CLASSES: outputs.classes,
        PROBABILITIES: outputs.probabilities,
        VALUES: outputs.values,
    }
    return orjson.dumps({"rows": [list(row) for row in rows], **answers})


def golden_rows(golden: bytes) -> list[Row]:
    """Return the rows that a version is tried with."""
    rows: list[Row] = orjson.loads(golden)["rows"]
    return rows


def check_golden(predictor: Predictor, golden: bytes) -> float:
    """Return the largest difference from the golden answers; raise BadArtefact beyond 1e-4."""
    try:
        read = orjson.loads(golden)
        expected = Outputs(read[CLASSES], read[PROBABILITIES], read[VALUES])
        given = predictor.predict(read["rows"])
    except (KeyError, TypeError, ValueError, Invalid) as error:
        raise BadArtefact(f"The golden rows cannot be scored: {type(error).__name__}.") from error
    difference = largest_difference(expected, given)
    if difference > TOLERANCE:
        raise BadArtefact(
            "The loaded model does not answer its golden rows as it did when it was made "
            f"(largest difference {difference:g}, at most {TOLERANCE:g} is taken)."
        )
    return difference


def open_session(artefact: bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX graph on one thread; raise BadArtefact for one that does not load."""
    _check_is_whole(artefact)
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


def _check_is_whole(artefact: bytes) -> None:
    """Raise BadArtefact for a graph whose numbers lie in other files: it would read those here.

    Such a graph names their place as its `location`; hardly another has that word in it, so that
    hardly a worker loads the library that tells.
    """
    if b"location" not in artefact:
        return
    from onnx import ModelProto
    from onnx.external_data_helper import uses_external_data

    try:
        tensors = list(_tensors_in(ModelProto.FromString(artefact)))
    except Exception as error:
        # protobuf raises classes of its own, by how it was built.
        raise BadArtefact(f"The ONNX graph does not load: {shown(str(error), 200)}.") from error
    if any(tensor.external_data or uses_external_data(tensor) for tensor in tensors):
        raise BadArtefact("The ONNX graph takes its numbers from other files: refused.")


def _tensors_in(message: Any) -> Iterator[Any]:
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            is_one = hasattr(value, "ListFields")
            for part in (value,) if is_one else value:
                yield from _tensors_in(part)


def _is_outside(feature: Feature, value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return feature.low is None or feature.high is None or not feature.low <= value <= feature.high


def _text(value: Value) -> str:
    return GAP if value is None else str(value)
