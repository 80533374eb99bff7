"""Predictions that look like nothing that training saw, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from unrot.core.records import JudgedPrediction, Oddity, Reason
from unrot.store.sql import names, predictions
from unrot.store.sql.database import Database, Transaction

_SELECTED = (
    f"SELECT prediction, {names.name_in('d')}, version, predicted_at, score, reasons "
    "FROM oddities d"
)


class SqlOddities:
    """The oddities."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, prediction: str) -> Oddity | None:
        """Return what is odd about a prediction."""
        row = self._database.read(
            lambda tx: tx.execute(f"{_SELECTED} WHERE prediction = ?", (prediction,)).fetchone()
        )
        return None if row is None else _oddity(row)

    def recent(
        self, model: str, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[tuple[Oddity, JudgedPrediction | None]]:
        """List oddities newest first, with the predictions that are still kept."""
        at, id = before or (1e18, "")

        def work(tx: Transaction) -> list[tuple[Oddity, JudgedPrediction | None]]:
            rows = tx.execute(
                f"{_SELECTED} WHERE model = ? AND (predicted_at, prediction) < (?, ?) "
                "ORDER BY predicted_at DESC, prediction DESC LIMIT ?",
                (names.kept_as(tx, model), at, id, limit),
            ).fetchall()
            return [(_oddity(row), _judged(tx, row[0])) for row in rows]

        return self._database.read(work)


def add(tx: Transaction, oddities: Iterable[tuple[str, Oddity]]) -> None:
    """Keep oddities, each with the name that its model is kept as."""
    tx.executemany(
        "INSERT INTO oddities (prediction, model, version, predicted_at, score, reasons) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (prediction) DO NOTHING",
        [
            (
                oddity.prediction,
                kept_as,
                oddity.version,
                oddity.predicted_at,
                oddity.score,
                orjson.dumps(list(oddity.reasons)).decode(),
            )
            for kept_as, oddity in oddities
        ],
    )


def _judged(tx: Transaction, prediction: str) -> JudgedPrediction | None:
    row = tx.execute(f"{predictions.JOINED} WHERE p.id = ?", (prediction,)).fetchone()
    return None if row is None else predictions.judged(row)


def _oddity(row: Sequence[Any]) -> Oddity:
    return Oddity(*[*row[:5], tuple(Reason(**one) for one in orjson.loads(row[5]))])
