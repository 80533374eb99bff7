"""An ONNX graph over mixed columns as a predictor: numbers in one tensor, texts in another.

The web workers import this file for a version whose pipeline reads texts; it needs numpy and
onnxruntime alone. A gap is NaN among the numbers and an empty text among the texts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.errors import BadArtefact, Detail, Invalid, shown
from unrot.core.records import Outputs, Row, Schema, Value
from unrot.core.schema import MOST_DETAILS, expected_of, farthest_feature
from unrot.serve.predictor import CLASSES, PROBABILITIES, VALUES, WIDEST_FLOAT, open_session

NUMBERS, TEXTS = "unrot_numbers", "unrot_texts"
KNOWN_ONLY = "unrot_known_only"
"""The graph's own note on which features refuse a text that they were not fitted with."""
GAP = ""


def number_places(schema: Schema) -> list[int]:
    """Return the places of the features that go into the tensor of numbers."""
    return [place for place, one in enumerate(schema.features) if one.kind != "category"]


def text_places(schema: Schema) -> list[int]:
    """Return the places of the features that go into the tensor of texts."""
    return [place for place, one in enumerate(schema.features) if one.kind == "category"]


class ColumnsPredictor:
    """An ONNX graph that takes numbers and texts, on one thread."""

    def __init__(self, artefact: bytes, schema: Schema) -> None:
        session = open_session(artefact)
        inputs = {given.name: given for given in session.get_inputs()}
        self._outputs = [output.name for output in session.get_outputs()]
        self._schema, self._run = schema, session.run
        self._numbers, self._texts = number_places(schema), text_places(schema)
        self._check(inputs)
        narrow = NUMBERS in inputs and inputs[NUMBERS].type == "tensor(float)"
        self._type = np.float32 if narrow else np.float64
        notes = session.get_modelmeta().custom_metadata_map
        known_only = json.loads(notes.get(KNOWN_ONLY, "[]"))
        self._known_only = [
            (place, frozenset(schema.features[place].choices)) for place in known_only
        ]

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked; None is a gap."""
        if self._known_only:
            self._refuse_strangers(rows)
        answers = self._run(self._outputs, self._tensors(rows))
        first = answers[0].tolist()
        if self._outputs[0] == CLASSES and len(answers) == 1:
            return Outputs(first)
        is_scored = np.isfinite(answers[-1]).reshape(len(rows), -1).all(axis=1)
        if not is_scored.all():
            raise too_far_rows(self._schema, rows, is_scored)
        if len(answers) == 1:
            return Outputs(values=first)
        return Outputs(first, answers[1].tolist())

    def _tensors(self, rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
        tensors: dict[str, NDArray[Any]] = {}
        if self._numbers:
            table = np.array([[row[place] for place in self._numbers] for row in rows], np.float64)
            if self._type is np.float32:
                table = self._narrowed(table, rows)
            tensors[NUMBERS] = table
        if self._texts:
            cells = [[_text(row[place]) for place in self._texts] for row in rows]
            tensors[TEXTS] = np.array(cells, dtype=object)
        return tensors

    def _narrowed(self, table: NDArray[Any], rows: Sequence[Row]) -> NDArray[Any]:
        beyond = np.abs(table) > WIDEST_FLOAT
        if beyond.any():
            raise too_far_rows(self._schema, rows, ~beyond.any(axis=1))
        return table.astype(np.float32)

    def _refuse_strangers(self, rows: Sequence[Row]) -> None:
        details = [
            self._detail(place, row[place], number if len(rows) > 1 else None)
            for number, row in enumerate(rows)
            for place, known in self._known_only
            if row[place] is not None and row[place] not in known
        ]
        if details:
            raise Invalid(details[0].sentence, details=details[:MOST_DETAILS])

    def _detail(self, place: int, value: Value, number: int | None) -> Detail:
        feature = self._schema.features[place]
        expected = expected_of(feature).replace("usually ", "")
        return Detail(feature.name, value, expected, number)

    def _check(self, inputs: dict[str, Any]) -> None:
        widths = {NUMBERS: len(self._numbers), TEXTS: len(self._texts)}
        wanted = {name: width for name, width in widths.items() if width}
        if {name: given.shape[1] for name, given in inputs.items()} != wanted:
            raise BadArtefact(f"The ONNX graph does not take {wanted}.")
        classes = [[CLASSES, PROBABILITIES], [CLASSES]]
        answers = classes if self._schema.is_classifier else [[VALUES]]
        if self._outputs not in answers:
            raise BadArtefact(f"The ONNX graph answers {self._outputs}: expected {answers[0]}.")


def _text(value: Value) -> str:
    return GAP if value is None else str(value)


def too_far_rows(schema: Schema, rows: Sequence[Row], is_scored: NDArray[np.bool_]) -> Invalid:
    """Say which values are so far out that no finite answer came of them."""
    details: list[Detail] = []
    for number in np.flatnonzero(~is_scored)[:MOST_DETAILS].tolist():
        feature = farthest_feature(schema, rows[number])
        value = rows[number][schema.names.index(feature.name)]
        where = number if len(rows) > 1 else None
        details.append(Detail(feature.name, value, expected_of(feature), where))
    first = details[0]
    row = f"Row {first.row}: " if first.row is not None else ""
    return Invalid(
        f"{row}{first.field} {shown(first.value)}: the model cannot score a row with this value; "
        f"expected {first.expected}.",
        details=details,
    )
