"""scikit-learn itself as a predictor: for versions without an ONNX form, and to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.encoding import Encoder
from unrot.core.errors import Invalid
from unrot.core.records import Outputs, Row, Schema
from unrot.make import artefacts
from unrot.serve.predictor import WIDEST_FLOAT, too_far


def load(artefact: bytes, schema: Schema) -> ScikitPredictor:
    """Make a predictor from a skops artefact."""
    return ScikitPredictor(artefacts.load(artefact), schema)


class ScikitPredictor:
    """A fitted estimator that answers in the order of the schema."""

    def __init__(self, estimator: Any, schema: Schema) -> None:
        self._estimator, self._schema = estimator, schema
        self._encode = Encoder(schema).encode
        self._places = class_places(estimator, schema)
        self._has_probabilities = schema.is_classifier and hasattr(estimator, "predict_proba")

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked; None is a gap."""
        return self.predict_table(self._encode(rows))

    def predict_table(self, table: NDArray[np.float64]) -> Outputs:
        """Score rows that are numbers already, as `encoding` makes them."""
        try:
            # Far outside the training range numbers overflow; what comes of it is looked at below.
            with np.errstate(all="ignore"):
                outputs = self._answer(table)
        except ValueError as error:
            is_within = ~np.any(np.abs(table) > WIDEST_FLOAT, axis=1)
            if is_within.all():
                raise
            raise too_far(self._schema, table, is_within) from error
        is_scored = _is_finite(outputs)
        if not is_scored.all():
            raise too_far(self._schema, table, is_scored)
        return outputs

    def _answer(self, table: NDArray[Any]) -> Outputs:
        if not self._schema.is_classifier:
            return Outputs(values=self._estimator.predict(table).tolist())
        labels = self._estimator.predict(table)
        places = np.searchsorted(self._estimator.classes_, labels)
        classes = self._places[places].tolist()
        if not self._has_probabilities:
            return Outputs(classes)
        answered = self._estimator.predict_proba(table)
        probabilities = np.zeros((len(table), len(self._schema.classes)))
        probabilities[:, self._places] = answered
        return Outputs(classes, probabilities.tolist())


def class_places(estimator: Any, schema: Schema) -> NDArray[np.int64]:
    """Return, for each class of the estimator in its order, its index in the schema."""
    if not schema.is_classifier:
        return np.array([], dtype=np.int64)
    classes = [str(label) for label in estimator.classes_]
    strangers = [label for label in classes if label not in schema.classes]
    if strangers:
        raise Invalid(f'The estimator answers "{strangers[0]}", which the schema does not know.')
    return np.array([schema.classes.index(label) for label in classes], dtype=np.int64)


def _is_finite(outputs: Outputs) -> NDArray[np.bool_]:
    """Tell of each row whether its answer is finite; classes alone always are."""
    answers = outputs.values if outputs.probabilities is None else outputs.probabilities
    if answers is None:
        return np.ones(len(outputs.classes or ()), dtype=bool)
    table = np.array(answers, dtype=np.float64)
    return np.array(np.isfinite(table.reshape(len(table), -1)).all(axis=1), dtype=bool)
