"""The predictions that were answered and their totals per minute, in SQL."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from unrot.core.records import (
    JudgedPrediction,
    Outcome,
    Prediction,
    Shipment,
    Stretch,
    Tally,
    Window,
)
from unrot.store.sql import names, oddities, outcomes, verdicts, windows
from unrot.store.sql.database import Database, Transaction
from unrot.store.sql.predictions import JOINED, SELECTED, add, judged, prediction

_IN_PERIOD = "p.predicted_at >= ? AND p.predicted_at < ?"
IN_TURN = f"{JOINED} WHERE p.model = ? AND {_IN_PERIOD} ORDER BY p.predicted_at DESC, p.id DESC"
# Where few rows have a verdict, the verdicts lead to them and not the other way round; a verdict
# knows the second of its prediction.
JUDGED = (
    JOINED.replace(
        "FROM predictions p LEFT JOIN feedback f ON f.prediction = p.id AND f.withdrawn = 0",
        "FROM feedback f JOIN predictions p ON p.id = f.prediction",
    )
    + " WHERE f.model = ? AND f.withdrawn = 0 AND f.predicted_at >= ? AND f.predicted_at < ? "
    f"AND {_IN_PERIOD} ORDER BY f.predicted_at DESC, p.predicted_at DESC, p.id DESC"
)
_log = logging.getLogger(__name__)


class SqlTraffic:
    """The traffic."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: set[str] = set()

    def shipped_to(self, segment: str) -> int:
        """Return how many bytes of a journal segment are in the store."""
        return self._database.read(lambda tx: _shipped_to(tx, segment))

    def ship(self, shipment: Shipment) -> int:
        """Take a stretch of a journal exactly once: its rows and the offset in one transaction."""

        def work(tx: Transaction) -> int:
            shipped_to = _shipped_to(tx, shipment.segment)
            if shipped_to != shipment.starts_at:
                return shipped_to
            writing = names.Writing(tx)
            _add_traffic(tx, shipment, writing)
            for verdict in shipment.feedback:
                verdicts.put_acknowledged(tx, verdict, writing)
            verdicts.put_unverified(tx, shipment.unverified, writing)
            self._tell(writing.refused)
            tx.execute(
                "INSERT INTO journals (segment, shipped_to) VALUES (?, ?) "
                "ON CONFLICT (segment) DO UPDATE SET shipped_to = excluded.shipped_to",
                (shipment.segment, shipment.ends_at),
            )
            return shipment.ends_at

        return self._database.write(work)

    def _tell(self, refused: Iterable[str]) -> None:
        for name in sorted(set(refused) - self._told):
            self._told.add(name)
            _log.warning("The journal has lines of %s, which was removed: dropped.", name)

    def forget_segment(self, segment: str) -> None:
        """Drop the offset of a segment whose file is gone."""
        self._database.write(
            lambda tx: tx.execute("DELETE FROM journals WHERE segment = ?", (segment,))
        )

    def prediction(self, id: str) -> JudgedPrediction | None:
        """Return one prediction with its verdict."""
        row = self._database.read(
            lambda tx: tx.execute(f"{JOINED} WHERE p.id = ?", (id,)).fetchone()
        )
        return None if row is None else judged(row)

    def recent(
        self, model: str, *, limit: int, before: tuple[float, str] | None = None
    ) -> list[JudgedPrediction]:
        """List predictions newest first, by key and not by offset, so that no page is slow."""
        at, id = before or (1e18, "")
        rows = self._database.read(
            lambda tx: tx.execute(
                f"{JOINED} WHERE p.model = ? AND (p.predicted_at, p.id) < (?, ?) "
                "ORDER BY p.predicted_at DESC, p.id DESC LIMIT ?",
                (names.kept_as(tx, model), at, id, limit),
            ).fetchall()
        )
        return [judged(row) for row in rows]

    def shipped(self, writer: str, since: float, seconds: int) -> list[tuple[Stretch, int]]:
        """Count the rows that one writer shipped, by stretches of some seconds."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {names.name_in('p')}, version, "
                "CAST(predicted_at AS INTEGER) / ? AS period, COUNT(*) "
                "FROM predictions p WHERE writer = ? AND predicted_at >= ? "
                "AND model NOT IN (SELECT kept_as FROM removed) "
                "GROUP BY model, version, period ORDER BY period, model, version",
                (seconds, writer, since),
            ).fetchall()
        )
        return [
            (Stretch(model, version, period * seconds, (period + 1) * seconds), count)
            for model, version, period, count in rows
        ]

    def of_stretch(
        self, stretch: Stretch, writer: str, *, after: tuple[float, str] | None, limit: int
    ) -> list[Prediction]:
        """Return what one writer shipped of a stretch, oldest first, from a key on."""
        at, id = after or (stretch.starts_at, "")
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {SELECTED} FROM predictions p WHERE model = ? AND version = ? "
                "AND writer = ? AND (predicted_at, id) > (?, ?) AND predicted_at < ? "
                "ORDER BY predicted_at, id LIMIT ?",
                (
                    names.kept_as(tx, stretch.model),
                    stretch.version,
                    writer,
                    at,
                    id,
                    stretch.ends_at,
                    limit,
                ),
            ).fetchall()
        )
        return [prediction(row) for row in rows]

    def of_period(
        self, model: str, *, since: float, until: float, judged_only: bool, limit: int
    ) -> list[JudgedPrediction]:
        """List the predictions of a period, newest first, `judged_only` those with a verdict."""
        asked = (since - 1, until, since, until) if judged_only else (since, until)
        rows = self._database.read(
            lambda tx: tx.execute(
                f"{JUDGED if judged_only else IN_TURN} LIMIT ?",
                (names.kept_as(tx, model), *asked, limit),
            ).fetchall()
        )
        return [judged(row) for row in rows]

    def judged_span(self, model: str) -> tuple[float, float] | None:
        """Return the second of the first and of the last prediction with a verdict."""

        def work(tx: Transaction) -> tuple[float, float] | None:
            kept_as = names.kept_as(tx, model)
            ends = [
                tx.execute(
                    "SELECT predicted_at FROM feedback WHERE model = ? AND withdrawn = 0 "
                    f"ORDER BY predicted_at {order} LIMIT 1",
                    (kept_as,),
                ).fetchone()
                for order in ("ASC", "DESC")
            ]
            return None if ends[0] is None or ends[1] is None else (ends[0][0], ends[1][0])

        return self._database.read(work)

    def windows(self, model: str, *, since: float, until: float) -> list[Window]:
        """Return the totals of a model per minute, or per hour and day where they were rolled."""
        first, end = int(since) // 60, -(-int(until) // 60)
        return self._database.read(
            lambda tx: windows.between(tx, names.kept_as(tx, model), first, end)
        )

    def outcomes(
        self,
        model: str,
        *,
        limit: int,
        after: outcomes.Key | None = None,
        versions: Sequence[str] = (),
        with_inputs: bool = False,
    ) -> list[Outcome]:
        """List how judged predictions came out, in the order of their verdicts."""
        return self._database.read(
            lambda tx: outcomes.of_model(
                tx,
                names.kept_as(tx, model),
                limit,
                after=after,
                versions=versions,
                with_inputs=with_inputs,
            )
        )

    def last_judged(self, model: str, *, limit: int) -> list[JudgedPrediction]:
        """List the newest judged predictions with their inputs, in the order of their verdicts."""
        return self._database.read(
            lambda tx: outcomes.last_judged(tx, names.kept_as(tx, model), limit)
        )

    def tally(self, model: str, *, since: float, last: int, version: str | None = None) -> Tally:
        """Sum the windows since a time, and look at the last judged verdicts on one version."""

        def work(tx: Transaction) -> Tally:
            kept_as = names.kept_as(tx, model)
            predictions, judged_ones = tx.execute(
                "SELECT COALESCE(SUM(predictions), 0), COALESCE(SUM(verdicts), 0) "
                "FROM windows WHERE model = ? AND minute >= ?",
                (kept_as, int(since) // 60),
            ).fetchone()
            unverified = tx.execute(
                "SELECT COUNT(*) FROM unverified WHERE model = ? AND given_at >= ?",
                (kept_as, since),
            ).fetchone()[0]
            versions = () if version is None else (version,)
            told = outcomes.of_model(tx, kept_as, last, versions=versions)
            right = [one.was_correct for one in told if one.was_correct is not None]
            errors = [abs(one.error) for one in told if one.error is not None]
            return Tally(
                int(predictions),
                int(judged_ones),
                unverified,
                last_accuracy=sum(right) / len(right) if right else None,
                last_accuracy_verdicts=len(right),
                last_error=sum(errors) / len(errors) if errors else None,
                last_error_verdicts=len(errors),
            )

        return self._database.read(work)

    def judged_of_predicted(
        self, model: str, *, since: float, until: float, version: str | None = None
    ) -> tuple[int, int]:
        """Count the verdicts on the predictions of a stretch of time, and those predictions."""
        return self._database.read(
            lambda tx: outcomes.judged_of_predicted(
                tx, names.kept_as(tx, model), since, until, version
            )
        )


def _shipped_to(tx: Transaction, segment: str) -> int:
    row = tx.execute("SELECT shipped_to FROM journals WHERE segment = ?", (segment,)).fetchone()
    return row[0] if row else 0


def _add_traffic(tx: Transaction, shipment: Shipment, writing: names.Writing) -> None:
    """Keep predictions and oddities, and count them with what was refused into their minutes."""
    counts = windows.Counts(shipment.writer)
    predictions: list[Prediction] = []
    for one in shipment.predictions:
        kept_as = writing.kept_as(one.model, one.id)
        if kept_as is not None:
            predictions.append(replace(one, model=kept_as))
            counts.see(predictions[-1], was_looked_at=one.id in shipment.looked_at)
    add(tx, predictions, shipment.writer)
    odd = [
        (kept_as, oddity)
        for oddity in shipment.oddities
        if (kept_as := writing.kept_as(oddity.model, oddity.prediction)) is not None
    ]
    oddities.add(tx, odd)
    for kept_as, oddity in odd:
        counts.see_oddity(kept_as, oddity)
    for rejection in shipment.rejections:
        if (name := writing.kept_as(rejection.model)) is not None:
            counts.see_rejection(name, rejection)
    windows.add(tx, counts.windows())
