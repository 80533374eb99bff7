"""Predictions as rows: how they are written, and read alone or beside their verdicts, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from unrot.core.records import JudgedPrediction, Prediction
from unrot.store.sql import names, verdicts
from unrot.store.sql.database import Transaction

_COLUMNS = "id, model, version, predicted_at, inputs, label, probabilities, value, seconds"
JOINED = (
    "SELECT "
    + ", ".join(f"p.{name}" for name in _COLUMNS.split(", ")).replace("p.model", names.name_in("p"))
    + ", "
    + verdicts.SELECTED
    + " FROM predictions p LEFT JOIN feedback f ON f.prediction = p.id AND f.withdrawn = 0"
)
SELECTED = _COLUMNS.replace("model", names.name_in("p"))

PREDICTION = "SELECT " + SELECTED.replace("id,", "p.id,", 1) + " FROM predictions p"
_ADD = (
    f"INSERT INTO predictions ({_COLUMNS}, confidence, writer) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)


def add(tx: Transaction, predictions: Sequence[Prediction], writer: str) -> None:
    """Keep predictions, each with the name that its model is kept as."""
    tx.executemany(_ADD, [(*_columns(one), _confidence(one), writer) for one in predictions])


def _columns(prediction: Prediction) -> tuple[Any, ...]:
    probabilities = prediction.probabilities
    return (
        prediction.id,
        prediction.model,
        prediction.version,
        prediction.predicted_at,
        orjson.dumps(prediction.inputs).decode(),
        prediction.label,
        None if probabilities is None else orjson.dumps(probabilities).decode(),
        prediction.value,
        prediction.seconds,
    )


def prediction(row: Sequence[Any]) -> Prediction:
    """Read a prediction from its columns."""
    id, model, version, predicted_at, inputs, label, probabilities, value, seconds = row
    return Prediction(
        id=id,
        model=model,
        version=version,
        predicted_at=predicted_at,
        inputs=orjson.loads(inputs),
        label=label,
        probabilities=None if probabilities is None else orjson.loads(probabilities),
        value=value,
        seconds=seconds,
    )


def judged(row: Sequence[Any]) -> JudgedPrediction:
    """Read a prediction and its verdict from the columns of the two joined."""
    return JudgedPrediction(prediction(row[:9]), verdicts.from_columns(row[9:]))


def _confidence(made: Prediction) -> float | None:
    return max(made.probabilities) if made.probabilities else None
