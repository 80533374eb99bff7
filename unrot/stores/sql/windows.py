"""Windows as rows: shippers add what they bring, and verdicts are counted afresh, in SQL.

A bucket is a minute, or the hour or day that retention has rolled it into: those begin at full
hours and days (UTC), so that two look-ups find the bucket that holds a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson

from unrot.monitors import confidence, latency
from unrot.monitors.windows import added
from unrot.records import Errors, Prediction, Window
from unrot.stores.sql import names
from unrot.stores.sql.database import Transaction
from unrot.symptoms import Oddity, Rejection

HOUR, DAY = 60, 1440
COLUMNS = "minute, model, version, writer, predictions, verdicts, judged, correct, minutes, details"
SELECTED = f"SELECT {COLUMNS} FROM windows".replace("model", names.name_in("w"), 1) + " w"
_KEPT = f"SELECT {COLUMNS} FROM windows"
_PUT = (
    f"INSERT INTO windows ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (model, minute, version, writer) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", ")[4:])
)
_DETAILS = (
    "outliers",
    "looked_at",
    "latency",
    "confidence",
    "judged_confidence",
    "correct_confidence",
    "confusion",
    "rejected",
)

Key = tuple[str, int, str]
"""Model as it is kept, minute, version."""


class Counts:
    """What one shipment brings, as one window for each minute of each version."""

    def __init__(self, writer: str) -> None:
        self._writer = writer
        self._predictions: dict[Key, int] = defaultdict(int)
        self._looked_at: dict[Key, int] = defaultdict(int)
        self._outliers: dict[Key, int] = defaultdict(int)
        self._latency: dict[Key, list[int]] = defaultdict(lambda: [0] * latency.BINS)
        self._confidence: dict[Key, list[int]] = defaultdict(lambda: [0] * confidence.BINS)
        self._rejected: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def see(self, prediction: Prediction, *, was_looked_at: bool) -> None:
        """Count a prediction; one that came from elsewhere took no time that is known."""
        key = _key(prediction.model, prediction.version, prediction.predicted_at)
        self._predictions[key] += 1
        if prediction.seconds > 0:
            self._latency[key][latency.place(prediction.seconds)] += 1
        if prediction.probabilities:
            self._confidence[key][confidence.place(max(prediction.probabilities))] += 1
        if was_looked_at:
            self._looked_at[key] += 1

    def see_oddity(self, kept_as: str, oddity: Oddity) -> None:
        """Count an outlier."""
        self._outliers[_key(kept_as, oddity.version, oddity.predicted_at)] += 1

    def see_rejection(self, kept_as: str, rejection: Rejection) -> None:
        """Count rows that were refused at the door."""
        reasons = self._rejected[_key(kept_as, rejection.version, rejection.at)]
        for reason, rows in rejection.reasons.items():
            reasons[reason] += rows

    def windows(self) -> list[Window]:
        """Return the windows to add."""
        keys = {**self._predictions, **self._outliers, **self._rejected}
        return [
            Window(
                minute,
                model,
                version,
                self._writer,
                predictions=self._predictions.get(key, 0),
                outliers=self._outliers.get(key, 0),
                looked_at=self._looked_at.get(key, 0),
                latency=self._latency.get(key, ()),
                confidence=self._confidence.get(key, ()),
                rejected=self._rejected.get(key, {}),
            )
            for key in keys
            for model, minute, version in [key]
        ]


def add(tx: Transaction, windows: Iterable[Window]) -> None:
    """Add windows to those that their writers have; one writer a row, so nobody is in between."""
    put(tx, [_merged(tx, window) for window in windows])


def put(tx: Transaction, windows: Iterable[Window]) -> None:
    """Write windows, each with the name that its model is kept as, over those that are there."""
    tx.executemany(_PUT, [_columns(window) for window in windows])


def bucket_of(tx: Transaction, kept_as: str, minute: int) -> tuple[int, int]:
    """Return the first minute of the bucket that holds a minute, and its length."""
    row = tx.execute(
        "SELECT minute, minutes FROM windows WHERE model = ? AND minute IN (?, ?) "
        "AND minutes > 1 AND minute + minutes > ? ORDER BY minutes DESC LIMIT 1",
        (kept_as, minute // HOUR * HOUR, minute // DAY * DAY, minute),
    ).fetchone()
    return (minute, 1) if row is None else (row[0], row[1])


def between(tx: Transaction, kept_as: str, first: int, end: int) -> list[Window]:
    """Return the windows of a model that hold minutes from the first up to the end."""
    rows = tx.execute(
        f"{SELECTED} WHERE model = ? AND minute >= ? AND minute < ? AND minute + minutes > ? "
        "ORDER BY minute, version, writer",
        (kept_as, first // DAY * DAY, end, first),
    ).fetchall()
    return [window(row) for row in rows]


def window(row: Sequence[Any]) -> Window:
    """Read a window from its columns; what a newer release knows besides is left out."""
    details = row[9]
    if details == "{}":
        return Window(*row[:9])
    kept: Mapping[str, Any] = orjson.loads(details)
    known: dict[str, Any] = {name: kept[name] for name in _DETAILS if name in kept}
    for name in ("latency", "confidence", "judged_confidence", "correct_confidence"):
        if name in known:
            known[name] = tuple(known[name])
    return replace(Window(*row[:9]), errors=Errors(**kept.get("errors", {})), **known)


def _merged(tx: Transaction, new: Window) -> Window:
    row = tx.execute(
        f"{_KEPT} WHERE model = ? AND minute = ? AND version = ? AND writer = ?",
        (new.model, new.minute, new.version, new.writer),
    ).fetchone()
    return new if row is None else added(window(row), new)


def _columns(of: Window) -> tuple[Any, ...]:
    details: dict[str, Any] = {name: found for name in _DETAILS if (found := getattr(of, name))}
    if of.errors.count:
        details["errors"] = asdict(of.errors)
    return (
        of.minute,
        of.model,
        of.version,
        of.writer,
        of.predictions,
        of.verdicts,
        of.judged,
        of.correct,
        of.minutes,
        orjson.dumps(details).decode(),
    )


def _key(model: str, version: str, at: float) -> Key:
    return model, int(at) // 60, version


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────


TRUTH = (
    "CASE WHEN f.label IS NOT NULL THEN f.label WHEN f.was_correct = 1 THEN p.label "
    "WHEN f.was_correct = 0 THEN CASE p.label WHEN ? THEN ? WHEN ? THEN ? END END"
)
"""What a verdict says is true: its label, or the class of a thumb up, or the other of two.

It takes the parameters that `other_class` returns.
"""

_OF_BUCKET = (
    "FROM feedback f JOIN predictions p ON p.id = f.prediction "
    "WHERE f.model = ? AND f.predicted_at >= ? AND f.predicted_at < ? AND f.withdrawn = 0"
)
_TOTALS = (
    "SELECT p.version, COUNT(*), COUNT(f.was_correct), COALESCE(SUM(f.was_correct), 0), "
    "COUNT(p.value - f.value), COALESCE(SUM(ABS(p.value - f.value)), 0), "
    "COALESCE(SUM((p.value - f.value) * (p.value - f.value)), 0), "
    "COALESCE(SUM(CASE WHEN p.value IS NOT NULL THEN f.value END), 0), "
    "COALESCE(SUM(CASE WHEN p.value IS NOT NULL THEN f.value * f.value END), 0) "
    f"{_OF_BUCKET} GROUP BY p.version"
)
_CONFIDENCES = (
    f"SELECT p.version, CASE WHEN p.confidence >= 1 THEN {confidence.BINS - 1} "
    f"ELSE CAST(p.confidence * {confidence.BINS} AS INTEGER) END AS bin, COUNT(*), "
    f"SUM(f.was_correct) {_OF_BUCKET} AND f.was_correct IS NOT NULL "
    "AND p.confidence IS NOT NULL GROUP BY p.version, bin"
)
_CONFUSIONS = (
    f"SELECT p.version, p.label, {TRUTH} AS truth, COUNT(*) {_OF_BUCKET} "
    "AND p.label IS NOT NULL GROUP BY p.version, p.label, truth"
)


def other_class(tx: Transaction, kept_as: str) -> tuple[str | None, ...]:
    """Return what `TRUTH` asks: of a model with two classes each beside the other."""
    row = tx.execute("SELECT schema FROM models WHERE kept_as = ?", (kept_as,)).fetchone()
    classes: list[str] = orjson.loads(row[0]).get("classes", []) if row else []
    if len(classes) != 2:
        return (None,) * 4
    return classes[0], classes[1], classes[1], classes[0]


def count_verdicts(tx: Transaction, kept_as: str, first: int, minutes: int, writer: str) -> None:
    """Count the verdicts on the predictions of one bucket afresh; twice is as once."""
    stretch = (kept_as, first * 60, (first + minutes) * 60)
    found: dict[str, Window] = {}
    for version, verdicts, judged, correct, *errors in tx.execute(_TOTALS, stretch).fetchall():
        made = Window(first, kept_as, version, writer, 0, verdicts, judged, correct, minutes)
        found[version] = replace(made, errors=Errors(*errors)) if errors[0] else made
    if any(one.judged for one in found.values()):
        for version, more in _confidences(tx, stretch).items():
            found[version] = added(found[version], more)
        for version, confusion in _confusions(tx, stretch).items():
            found[version] = replace(found[version], confusion=confusion)
    tx.execute(
        "DELETE FROM windows WHERE model = ? AND minute >= ? AND minute < ? AND writer = ?",
        (kept_as, first, first + minutes, writer),
    )
    put(tx, found.values())


def _confidences(tx: Transaction, stretch: tuple[Any, ...]) -> dict[str, Window]:
    judged: dict[str, list[int]] = defaultdict(lambda: [0] * confidence.BINS)
    correct: dict[str, list[int]] = defaultdict(lambda: [0] * confidence.BINS)
    for version, place, count, right in tx.execute(_CONFIDENCES, stretch).fetchall():
        judged[version][place], correct[version][place] = count, right
    return {
        version: Window(
            0,
            "",
            version,
            "",
            judged_confidence=tuple(counts),
            correct_confidence=tuple(correct[version]),
        )
        for version, counts in judged.items()
    }


def _confusions(tx: Transaction, stretch: tuple[Any, ...]) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = {}
    parameters = (*other_class(tx, stretch[0]), *stretch)
    for version, predicted, truth, count in tx.execute(_CONFUSIONS, parameters).fetchall():
        if truth is not None:
            found.setdefault(version, {}).setdefault(predicted, {})[truth] = count
    return found
