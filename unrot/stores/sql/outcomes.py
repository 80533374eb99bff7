"""How judged predictions came out, newest verdicts first found, in SQL.

Only the newest are read, by an index: what it costs depends on how many are asked for, and not on
how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unrot.records import JudgedPrediction
from unrot.stores.sql import windows
from unrot.stores.sql.database import Transaction
from unrot.stores.sql.predictions import JOINED, judged
from unrot.symptoms import Outcome

_NEWEST = """(
    SELECT * FROM feedback WHERE model = ? AND withdrawn = 0
    AND (was_correct IS NOT NULL OR label IS NOT NULL OR value IS NOT NULL)
    ORDER BY given_at DESC, predicted_at DESC, prediction DESC LIMIT ?)"""
_ORDER = "ORDER BY f.given_at, f.predicted_at, f.prediction"
_OUTCOMES = (
    "SELECT f.prediction, p.version, f.predicted_at, f.given_at, "
    "CASE WHEN f.was_correct IS NOT NULL THEN f.was_correct WHEN f.label IS NOT NULL THEN "
    "CASE WHEN f.label = p.label THEN 1 ELSE 0 END END, "
    f"p.value - f.value, p.confidence, {windows.TRUTH}, f.value, f.judge "
    f"FROM {_NEWEST} f JOIN predictions p ON p.id = f.prediction {_ORDER}"
)
_JUDGED = JOINED[: JOINED.index(" FROM predictions p")] + (
    f" FROM {_NEWEST} f JOIN predictions p ON p.id = f.prediction {_ORDER}"
)


def newest(tx: Transaction, kept_as: str, limit: int) -> list[Outcome]:
    """Return how the newest judged predictions came out, in the order of their verdicts."""
    parameters = (*windows.other_class(tx, kept_as), kept_as, limit)
    return [_outcome(row) for row in tx.execute(_OUTCOMES, parameters).fetchall()]


def last_judged(tx: Transaction, kept_as: str, limit: int) -> list[JudgedPrediction]:
    """Return the newest judged predictions whole, in the order of their verdicts."""
    return [judged(row) for row in tx.execute(_JUDGED, (kept_as, limit)).fetchall()]


def _outcome(row: Sequence[Any]) -> Outcome:
    id, version, predicted_at, given_at, was_correct, error, confidence, label, value, judge = row
    return Outcome(
        prediction=id,
        version=version,
        predicted_at=predicted_at,
        given_at=given_at,
        was_correct=None if was_correct is None else bool(was_correct),
        error=error,
        confidence=confidence,
        truth=label if label is not None else value,
        is_trusted=judge is not None,
    )
