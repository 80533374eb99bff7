"""How judged predictions came out, newest verdicts first found, in SQL.

Only the newest are read, by an index: what it costs depends on how many are asked for, and not on
how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from unrot.core.records import JudgedPrediction, Outcome
from unrot.store.sql import windows
from unrot.store.sql.database import Transaction
from unrot.store.sql.predictions import JOINED, judged

Key = tuple[float, float, str]
"""When a verdict was given, when its prediction was made, and that one's id."""

_KEPT = """
    SELECT * FROM feedback WHERE model = ? AND withdrawn = 0
    AND (was_correct IS NOT NULL OR label IS NOT NULL OR value IS NOT NULL)"""
_NEWEST_FIRST = "ORDER BY given_at DESC, predicted_at DESC, prediction DESC LIMIT ?"
_OLDEST_FIRST = "ORDER BY given_at, predicted_at, prediction LIMIT ?"
_SAID = (
    "SELECT f.prediction, p.version, f.predicted_at, f.given_at, "
    f"{windows.RIGHT}, p.value - f.value, p.confidence, {windows.TRUTH}, "
    "f.value, f.judge, f.subject, "
)
_JOIN = (
    "JOIN predictions p ON p.id = f.prediction ORDER BY f.given_at, f.predicted_at, f.prediction"
)
# A verdict knows its version from when it is counted on; until then, a second or so, its
# prediction tells. `+` keeps the planner on the small index of those that are not counted yet.
_NEW = _KEPT.replace("model = ?", "+model = ?") + (
    " AND counted = 0 AND predicted_at >= 0 "
    "AND (SELECT p.version FROM predictions p WHERE p.id = feedback.prediction) = ?"
)
_PREDICTED = (
    "SELECT COUNT(*) FROM predictions p "
    "WHERE p.model = ? AND p.predicted_at >= ? AND p.predicted_at <= ?"
)
_SPOKEN_OF = (
    "SELECT COUNT(*) FROM feedback f JOIN predictions p ON p.id = f.prediction "
    "WHERE f.model = ? AND f.withdrawn = 0 AND f.predicted_at >= ? AND f.predicted_at <= ? "
    "AND p.predicted_at >= ? AND p.predicted_at <= ?"
)
"""A verdict knows the second of its prediction, which leads to it by an index."""
_NEW_MINUTES = (
    "SELECT DISTINCT CAST(predicted_at AS INTEGER) / 60 FROM feedback "
    "WHERE counted = 0 AND predicted_at >= ? AND predicted_at < ? AND +model = ?"
)
_JUDGED = JOINED[: JOINED.index(" FROM predictions p")] + (
    f" FROM ({_KEPT} {_NEWEST_FIRST}) f {_JOIN}"
)


def of_model(
    tx: Transaction,
    kept_as: str,
    limit: int,
    *,
    after: Key | None = None,
    versions: Sequence[str] = (),
    with_inputs: bool = False,
) -> list[Outcome]:
    """Return how judged predictions came out, in the order of their verdicts.

    The newest ones, or the first ones after a key; of some versions alone.
    """
    columns = _SAID + ("p.inputs" if with_inputs else "NULL")
    kept: list[tuple[str, list[str]]] = [
        (where, [kept_as, version])
        for version in versions
        for where in (f"{_KEPT} AND version = ?", _NEW)
    ]
    found: list[Outcome] = []
    for where, parameters in kept or [(_KEPT, [kept_as])]:
        limits: tuple[str | float, ...] = ()
        if after is not None:
            where, limits = f"{where} AND (given_at, predicted_at, prediction) > (?, ?, ?)", after
        order = _NEWEST_FIRST if after is None else _OLDEST_FIRST
        rows = tx.execute(
            f"{columns} FROM ({where} {order}) f {_JOIN}",
            (*windows.other_class(tx, kept_as), *parameters, *limits, limit),
        ).fetchall()
        found += [_outcome(row) for row in rows]
    found.sort(key=lambda one: (one.given_at, one.predicted_at, one.prediction))
    return found[:limit] if after is not None else found[-limit:]


def judged_of_predicted(
    tx: Transaction, kept_as: str, since: float, until: float, version: str | None
) -> tuple[int, int]:
    """Count the verdicts on the predictions from one moment up to another, and the predictions.

    Windows count what lies between; at both ends, where a window holds more, rows are counted.
    """
    first, length = windows.bucket_of(tx, kept_as, int(since) // 60)
    last, _ = windows.bucket_of(tx, kept_as, int(until) // 60)
    begins, ends = (first + length) * 60, last * 60
    spans = [(since, until)]
    predicted = spoken_of = 0
    if begins < ends:
        spans = [(since, begins - 1e-6), (ends, until)]
        predicted, _ = windows.counts(tx, kept_as, first + length, last, version)
        spoken_of = _spoken_of_between(tx, kept_as, first + length, last, version)
    for span in spans:
        predicted += _count(tx, _PREDICTED, version, kept_as, *span)
        spoken_of += _spoken_of(tx, kept_as, *span, version)
    return spoken_of, max(predicted, spoken_of)


def _spoken_of_between(
    tx: Transaction, kept_as: str, first: int, end: int, version: str | None
) -> int:
    """Count the verdicts of whole windows; by rows where a window has not counted one yet.

    There the rows take the window's place: they are fewer where a verdict was taken back.
    """
    _, spoken_of = windows.counts(tx, kept_as, first, end, version)
    new = tx.execute(_NEW_MINUTES, (first * 60, end * 60, kept_as)).fetchall()
    for start, length in {windows.bucket_of(tx, kept_as, minute) for (minute,) in new}:
        _, counted = windows.counts(tx, kept_as, start, start + length, version)
        span = start * 60, (start + length) * 60 - 1e-6
        spoken_of += _spoken_of(tx, kept_as, *span, version) - counted
    return spoken_of


def _spoken_of(
    tx: Transaction, kept_as: str, since: float, until: float, version: str | None
) -> int:
    return _count(tx, _SPOKEN_OF, version, kept_as, int(since), until, since, until)


def _count(tx: Transaction, what: str, version: str | None, *asked: str | float) -> int:
    if version is not None:
        what, asked = f"{what} AND p.version = ?", (*asked, version)
    return int(tx.execute(what, asked).fetchone()[0])


def last_judged(tx: Transaction, kept_as: str, limit: int) -> list[JudgedPrediction]:
    """Return the newest judged predictions whole, in the order of their verdicts."""
    return [judged(row) for row in tx.execute(_JUDGED, (kept_as, limit)).fetchall()]


def _outcome(row: Sequence[Any]) -> Outcome:
    id, version, predicted_at, given_at, was_correct, error, confidence, *rest = row
    label, value, judge, subject, inputs = rest
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
        subject=subject,
        inputs=() if inputs is None else tuple(orjson.loads(inputs)),
    )
