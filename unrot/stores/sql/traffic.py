"""The predictions that were answered and their totals per minute, in SQL."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from unrot.records import JudgedPrediction, Prediction, Shipment, Stretch, Tally, Window
from unrot.stores.sql import names, oddities, verdicts
from unrot.stores.sql.database import Database, Transaction

_COLUMNS = "id, model, version, predicted_at, inputs, label, probabilities, value, seconds"
JOINED = (
    "SELECT "
    + ", ".join(f"p.{name}" for name in _COLUMNS.split(", ")).replace("p.model", names.name_in("p"))
    + ", "
    + verdicts.SELECTED
    + " FROM predictions p LEFT JOIN feedback f ON f.prediction = p.id AND f.withdrawn = 0"
)
_SELECTED = _COLUMNS.replace("model", names.name_in("p"))

PREDICTION = "SELECT " + _SELECTED.replace("id,", "p.id,", 1) + " FROM predictions p"
_LAST_JUDGED = """
    SELECT f.was_correct, ABS(p.value - f.value) FROM (
        SELECT prediction, was_correct, value, given_at FROM feedback
        WHERE model = ? AND (was_correct IS NOT NULL OR value IS NOT NULL) AND withdrawn = 0
        ORDER BY given_at DESC LIMIT ?
    ) AS f LEFT JOIN predictions p ON p.id = f.prediction
"""

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
            _add_predictions(tx, shipment, writing)
            _add_oddities(tx, shipment, writing)
            for verdict in shipment.feedback:
                verdicts.put_one(tx, verdict, writing)
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
                f"SELECT {_SELECTED} FROM predictions p WHERE model = ? AND version = ? "
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

    def windows(self, model: str, *, since: float, until: float) -> list[Window]:
        """Return the minute totals of a model."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT minute, {names.name_in('w')}, version, writer, predictions, verdicts, "
                "judged, correct, minutes, details FROM windows w "
                "WHERE model = ? AND minute >= ? AND minute < ? "
                "ORDER BY minute, version, writer",
                (names.kept_as(tx, model), int(since) // 60, -(-int(until) // 60)),
            ).fetchall()
        )
        return [_window(row) for row in rows]

    def tally(self, model: str, *, since: float, last: int) -> Tally:
        """Sum the windows since a time, and look at the last judged verdicts alone."""

        def work(tx: Transaction) -> Tally:
            kept_as = names.kept_as(tx, model)
            predictions = tx.execute(
                "SELECT COALESCE(SUM(predictions), 0) FROM windows WHERE model = ? AND minute >= ?",
                (kept_as, int(since) // 60),
            ).fetchone()[0]
            given = tx.execute(
                "SELECT COUNT(*) FROM feedback WHERE model = ? AND given_at >= ? AND withdrawn = 0",
                (kept_as, since),
            ).fetchone()[0]
            unverified = tx.execute(
                "SELECT COUNT(*) FROM unverified WHERE model = ? AND given_at >= ?",
                (kept_as, since),
            ).fetchone()[0]
            told = tx.execute(_LAST_JUDGED, (kept_as, last)).fetchall()
            right = [row[0] for row in told if row[0] is not None]
            errors = [row[1] for row in told if row[1] is not None]
            return Tally(
                int(predictions),
                given,
                unverified,
                last_accuracy=sum(right) / len(right) if right else None,
                last_accuracy_verdicts=len(right),
                last_error=sum(errors) / len(errors) if errors else None,
                last_error_verdicts=len(errors),
            )

        return self._database.read(work)


def _shipped_to(tx: Transaction, segment: str) -> int:
    row = tx.execute("SELECT shipped_to FROM journals WHERE segment = ?", (segment,)).fetchone()
    return row[0] if row else 0


def _add_predictions(tx: Transaction, shipment: Shipment, writing: names.Writing) -> None:
    predictions = [
        replace(prediction, model=kept_as)
        for prediction in shipment.predictions
        if (kept_as := writing.kept_as(prediction.model, prediction.id)) is not None
    ]
    tx.executemany(
        f"INSERT INTO predictions ({_COLUMNS}, writer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO NOTHING",
        [(*_columns(prediction), shipment.writer) for prediction in predictions],
    )
    totals = Counter(
        (prediction.model, int(prediction.predicted_at) // 60, prediction.version)
        for prediction in predictions
    )
    tx.executemany(
        "INSERT INTO windows "
        "(model, minute, version, writer, predictions, verdicts, judged, correct) "
        "VALUES (?, ?, ?, ?, ?, 0, 0, 0) ON CONFLICT (model, minute, version, writer) "
        "DO UPDATE SET predictions = windows.predictions + excluded.predictions",
        [(*key, shipment.writer, total) for key, total in totals.items()],
    )


def _window(row: Sequence[Any]) -> Window:
    details = orjson.loads(row[9])
    counted = {name: details[name] for name in ("outliers", "looked_at") if name in details}
    return replace(Window(*row[:9]), **counted)


def _add_oddities(tx: Transaction, shipment: Shipment, writing: names.Writing) -> None:
    """Keep oddities, and count them and what was looked at into the minutes of the predictions."""
    odd = {oddity.prediction: oddity for oddity in shipment.oddities}
    looked_at, outliers = Counter[tuple[str, int, str]](), Counter[tuple[str, int, str]]()
    kept = []
    for one in shipment.predictions:
        kept_as = writing.kept_as(one.model, one.id)
        if kept_as is None or one.id not in shipment.looked_at:
            continue
        key = (kept_as, int(one.predicted_at) // 60, one.version)
        looked_at[key] += 1
        if one.id in odd:
            outliers[key] += 1
            kept.append((kept_as, odd[one.id]))
    oddities.add(tx, kept)
    for key, count in looked_at.items():
        where = "WHERE model = ? AND minute = ? AND version = ? AND writer = ?"
        place = (*key, shipment.writer)
        told = tx.execute(f"SELECT details FROM windows {where}", place).fetchone()
        known = orjson.loads(told[0])
        for name, more in (("looked_at", count), ("outliers", outliers[key])):
            known[name] = known.get(name, 0) + more
        details = orjson.dumps(known).decode()
        tx.execute(f"UPDATE windows SET details = ? {where}", (details, *place))


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
