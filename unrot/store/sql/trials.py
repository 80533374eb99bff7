"""Audits and shadows, in SQL: rows on which versions are tried without anybody being served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from unrot.core.records import Audit, JudgedPrediction, Prediction, Shadow
from unrot.store.sql import names
from unrot.store.sql.database import Database, Transaction
from unrot.store.sql.predictions import JOINED, PREDICTION, judged, prediction

_AUDIT = f"SELECT a.id, {names.name_in('a')}, a.created_at, a.predictions FROM audits a"


class SqlTrials:
    """Audits and shadows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_audit(self, audit: Audit) -> None:
        """Keep the sample of an audit."""
        self._database.write(
            lambda tx: tx.execute(
                "INSERT INTO audits (id, model, created_at, predictions) VALUES (?, ?, ?, ?)",
                (
                    audit.id,
                    names.kept_as(tx, audit.model),
                    audit.created_at,
                    json.dumps(list(audit.predictions)),
                ),
            )
        )

    def audit(self, id: str) -> Audit | None:
        """Return an audit."""
        row = self._database.read(
            lambda tx: tx.execute(f"{_AUDIT} WHERE a.id = ?", (id,)).fetchone()
        )
        return None if row is None else _audit(row)

    def audits(self, model: str) -> list[Audit]:
        """List the audits of a model, newest first."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"{_AUDIT} WHERE a.model = ? ORDER BY a.created_at DESC, a.id",
                (names.kept_as(tx, model),),
            ).fetchall()
        )
        return [_audit(row) for row in rows]

    def audited(self, model: str) -> set[str]:
        """Return the predictions that were ever part of an audit."""
        return {id for audit in self.audits(model) for id in audit.predictions}

    def to_sample(self, model: str, *, since: float, limit: int) -> list[JudgedPrediction]:
        """List the newest predictions that no judge has judged and no audit holds."""

        def work(tx: Transaction) -> list[JudgedPrediction]:
            rows = tx.execute(
                f"{JOINED} WHERE p.model = ? AND p.predicted_at >= ? "
                "AND (f.prediction IS NULL OR f.judge IS NULL) "
                "ORDER BY p.predicted_at DESC, p.id DESC LIMIT ?",
                (names.kept_as(tx, model), since, limit),
            ).fetchall()
            return [judged(row) for row in rows]

        audited = self.audited(model)
        return [row for row in self._database.read(work) if row.prediction.id not in audited]

    def to_shadow(self, model: str, version: str, *, since: float, limit: int) -> list[Prediction]:
        """List predictions that a challenger has not been scored on yet, oldest first."""

        def work(tx: Transaction) -> list[Prediction]:
            rows = tx.execute(
                f"{PREDICTION} WHERE p.model = ? AND p.predicted_at >= ? AND NOT EXISTS "
                "(SELECT 1 FROM shadows s WHERE s.prediction = p.id AND s.version = ?) "
                "ORDER BY p.predicted_at, p.id LIMIT ?",
                (names.kept_as(tx, model), since, version, limit),
            ).fetchall()
            return [prediction(row) for row in rows]

        return self._database.read(work)

    def add_shadows(self, shadows: Sequence[Shadow]) -> None:
        """Keep what a challenger would have answered; the same again changes nothing."""

        def work(tx: Transaction) -> None:
            writing = names.Writing(tx)
            tx.executemany(
                "INSERT INTO shadows (prediction, version, model, predicted_at, label, value) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (prediction, version) DO NOTHING",
                [
                    (
                        shadow.prediction,
                        shadow.version,
                        kept_as,
                        shadow.predicted_at,
                        shadow.label,
                        shadow.value,
                    )
                    for shadow in shadows
                    if (kept_as := writing.kept_as(shadow.model, shadow.prediction)) is not None
                ],
            )

        self._database.write(work)

    def shadows(
        self, model: str, version: str, limit: int
    ) -> list[tuple[Shadow, JudgedPrediction]]:
        """List the newest of them beside what was answered."""
        own = f"SELECT s.prediction, {names.name_in('s')}, s.version, s.predicted_at, s.label, "
        joined = JOINED.replace("SELECT ", f"{own}s.value, ", 1) + (
            " JOIN shadows s ON s.prediction = p.id WHERE s.model = ? AND s.version = ? "
            "ORDER BY s.predicted_at DESC, s.prediction LIMIT ?"
        )
        rows = self._database.read(
            lambda tx: tx.execute(joined, (names.kept_as(tx, model), version, limit)).fetchall()
        )
        return [(Shadow(*row[:6]), judged(row[6:])) for row in rows]


def _audit(row: Any) -> Audit:
    id, model, created_at, predictions = row
    return Audit(id, model, created_at, tuple(json.loads(predictions)))
