"""Findings on their way to webhooks, in SQL."""

from __future__ import annotations

from unrot.core.records import Delivery, Finding
from unrot.store.sql import findings, names
from unrot.store.sql.database import Database, Transaction

_COLUMNS = "finding, {model}, target, attempts, next_at, delivered_at, error"


class SqlDeliveries:
    """The deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, model: str, now: float) -> Finding | None:
        """Return the open finding of a model that is to be sent next, if one is."""
        row = self._database.read(
            lambda tx: tx.execute(
                f"{findings.SELECTED} LEFT JOIN deliveries d ON d.finding = i.id "
                "WHERE i.model = ? AND i.closed_at IS NULL "
                "AND (d.finding IS NULL OR (d.delivered_at IS NULL AND d.next_at <= ?)) "
                "ORDER BY CASE WHEN d.finding IS NULL THEN 0 ELSE 1 END, d.next_at, "
                "i.opened_at, i.id LIMIT 1",
                (names.kept_as(tx, model), now),
            ).fetchone()
        )
        return None if row is None else findings.finding_of(row)

    def begin(self, finding: Finding, *, target: str, next_at: float) -> Delivery:
        """Note a try before it is made, and when the next one would be."""

        def work(tx: Transaction) -> Delivery | None:
            kept_as = names.Writing(tx).kept_as(finding.model)
            if kept_as is None:
                return None
            tx.execute(
                "INSERT INTO deliveries (finding, model, target, attempts, next_at, error) "
                "VALUES (?, ?, ?, 1, ?, '') ON CONFLICT (finding) DO UPDATE SET "
                "target = excluded.target, attempts = deliveries.attempts + 1, "
                "next_at = excluded.next_at",
                (finding.id, kept_as, target, next_at),
            )
            return _find(tx, finding.id)

        noted = self._database.write(work)
        return noted or Delivery(finding.id, finding.model, target, 1, next_at)

    def end(self, finding: str, *, delivered_at: float | None, error: str = "") -> None:
        """Note what came of the last try."""
        self._database.write(
            lambda tx: tx.execute(
                "UPDATE deliveries SET delivered_at = ?, error = ?, "
                "next_at = CASE WHEN ? IS NULL THEN next_at END WHERE finding = ?",
                (delivered_at, error, delivered_at, finding),
            )
        )

    def of(self, finding: str) -> Delivery | None:
        """Return how far a finding is; None when it was never sent."""
        return self._database.read(lambda tx: _find(tx, finding))


def _find(tx: Transaction, finding: str) -> Delivery | None:
    row = tx.execute(
        f"SELECT {_COLUMNS.format(model=names.name_in('d'))} FROM deliveries d WHERE finding = ?",
        (finding,),
    ).fetchone()
    return None if row is None else Delivery(*row)
