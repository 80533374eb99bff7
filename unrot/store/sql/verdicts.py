"""The feedback, in SQL: one verdict a prediction, the newest wins, a judge's before all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from unrot.core.records import Feedback, FeedbackStatus, UnverifiedFeedback
from unrot.store.sql import names, windows
from unrot.store.sql.database import Database, Transaction
from unrot.store.sql.tidying import is_forgotten

COLUMNS = (
    "prediction, model, predicted_at, given_at, was_correct, label, value, comment, judge, "
    "subject, withdrawn"
)
SELECTED = ", ".join(f"f.{name}" for name in COLUMNS.split(", ")).replace(
    "f.model", names.name_in("f")
)
_MARKS = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
VERDICT_WRITER = "verdicts"
"""The writer of the window rows in which verdicts are counted."""


class SqlVerdicts:
    """The feedback."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, verdicts: Sequence[Feedback]) -> list[FeedbackStatus]:
        """Commit verdicts, all or none, and say what became of each."""

        def work(tx: Transaction) -> list[FeedbackStatus]:
            writing = names.Writing(tx)
            return [put_one(tx, verdict, writing) for verdict in verdicts]

        return self._database.write(work)

    def put_unverified(self, verdicts: Sequence[UnverifiedFeedback]) -> None:
        """Commit verdicts in the older form."""
        self._database.write(lambda tx: put_unverified(tx, verdicts, names.Writing(tx)))

    def of(self, prediction: str) -> Feedback | None:
        """Return the verdict that counts for a prediction."""
        return self._database.read(lambda tx: _find(tx, prediction))

    def count_new(self, most: int) -> int:
        """Fold verdicts that no window has counted into the minutes of their predictions.

        A minute, or what it was rolled into, is counted afresh from its verdicts, so doing it
        twice changes nothing. A verdict whose prediction is still on its way waits.
        """
        return self._database.write(lambda tx: _count_new(tx, most))


def put_one(tx: Transaction, verdict: Feedback, writing: names.Writing) -> FeedbackStatus:
    """Keep one verdict as the rules of precedence have it; of a removed model, none."""
    kept_as = writing.kept_as(verdict.model, verdict.prediction)
    if kept_as is None:
        return "missing"
    return _put_one(tx, replace(verdict, model=kept_as))


def put_acknowledged(tx: Transaction, verdict: Feedback, writing: names.Writing) -> None:
    """Keep one that was taken already: if its prediction was let go meanwhile, apart."""
    if put_one(tx, verdict, writing) == "forgotten":
        kept_as = writing.kept_as(verdict.model, verdict.prediction) or verdict.model
        _set_apart(tx, replace(verdict, model=kept_as))


def _put_one(tx: Transaction, verdict: Feedback) -> FeedbackStatus:
    known = _find(tx, verdict.prediction)
    if known is None and is_forgotten(tx, verdict.model, verdict.prediction, verdict.predicted_at):
        return "forgotten"
    if known is None or (known.withdrawn and verdict.given_at >= known.given_at):
        _write(tx, verdict)
        return "missing" if verdict.withdrawn else "created"
    if known.is_trusted and not verdict.is_trusted:
        _set_apart(tx, verdict)
        return "overruled"
    is_late = verdict.given_at < known.given_at and verdict.is_trusted == known.is_trusted
    if is_late or verdict.says_the_same_as(known):
        return "duplicate"
    _write(tx, verdict)
    return "withdrawn" if verdict.withdrawn else "revised"


def put_unverified(
    tx: Transaction, verdicts: Sequence[UnverifiedFeedback], writing: names.Writing
) -> None:
    """Keep verdicts that nothing proves."""
    tx.executemany(
        "INSERT INTO unverified (id, model, inputs, prediction, was_correct, given_at, subject) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [
            (
                verdict.id,
                kept_as,
                orjson.dumps(verdict.inputs).decode(),
                orjson.dumps(verdict.prediction).decode(),
                int(verdict.was_correct),
                verdict.given_at,
                verdict.subject,
            )
            for verdict in verdicts
            if (kept_as := writing.kept_as(verdict.model)) is not None
        ],
    )


def from_columns(row: Sequence[Any]) -> Feedback | None:
    """Read a verdict from its columns; None where a join found nothing."""
    if row[0] is None:
        return None
    (prediction, model, predicted_at, given_at, was_correct, label, value, *rest) = row
    comment, judge, subject, withdrawn = rest
    return Feedback(
        prediction=prediction,
        model=model,
        predicted_at=predicted_at,
        given_at=given_at,
        was_correct=None if was_correct is None else bool(was_correct),
        label=label if label is not None else value,
        comment=comment,
        judge=judge,
        subject=subject,
        withdrawn=bool(withdrawn),
    )


def _columns(verdict: Feedback) -> tuple[Any, ...]:
    is_number = isinstance(verdict.label, int | float)
    return (
        verdict.prediction,
        verdict.model,
        verdict.predicted_at,
        verdict.given_at,
        None if verdict.was_correct is None else int(verdict.was_correct),
        None if is_number else verdict.label,
        verdict.label if is_number else None,
        verdict.comment,
        verdict.judge,
        verdict.subject,
        int(verdict.withdrawn),
    )


def _find(tx: Transaction, prediction: str) -> Feedback | None:
    row = tx.execute(
        f"SELECT {SELECTED} FROM feedback f WHERE prediction = ?", (prediction,)
    ).fetchone()
    return None if row is None else from_columns(row)


def _write(tx: Transaction, verdict: Feedback) -> None:
    tx.execute("DELETE FROM feedback WHERE prediction = ?", (verdict.prediction,))
    tx.execute(f"INSERT INTO feedback ({COLUMNS}, counted) VALUES ({_MARKS}, 0)", _columns(verdict))


def _set_apart(tx: Transaction, verdict: Feedback) -> None:
    tx.execute("DELETE FROM overruled WHERE prediction = ?", (verdict.prediction,))
    if not verdict.withdrawn:
        tx.execute(f"INSERT INTO overruled ({COLUMNS}) VALUES ({_MARKS})", _columns(verdict))


def _count_new(tx: Transaction, most: int) -> int:
    new = tx.execute(
        "SELECT f.prediction, f.model, CAST(f.predicted_at AS INTEGER) / 60 FROM feedback f "
        "JOIN predictions p ON p.id = f.prediction WHERE f.counted = 0 "
        "ORDER BY f.predicted_at LIMIT ?",
        (most,),
    ).fetchall()
    if not new:
        return 0
    ids = [(row[0],) for row in new]
    tx.executemany(_SETTLE, ids)
    tx.executemany(_COUNTED, ids)
    for model in sorted({row[1] for row in new}):
        minutes = [row[2] for row in new if row[1] == model]
        for span in windows.spans_of(tx, model, minutes):
            windows.count_verdicts(tx, model, span, VERDICT_WRITER)
    return len(new)


_SETTLE = f"""
    UPDATE feedback SET was_correct = (SELECT {windows.RIGHT} FROM predictions p
        JOIN feedback f ON f.prediction = p.id WHERE p.id = feedback.prediction)
    WHERE prediction = ? AND was_correct IS NULL AND label IS NOT NULL
"""
_COUNTED = """
    UPDATE feedback SET counted = 1, version = (
        SELECT p.version FROM predictions p WHERE p.id = feedback.prediction)
    WHERE prediction = ?
"""
