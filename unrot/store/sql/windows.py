"""Windows as rows: shippers add what they bring, and verdicts are counted afresh, in SQL.

A bucket is a minute, or the hour or day that retention has rolled it into: those begin at full
hours and days (UTC), so that two look-ups find the bucket that holds a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

import orjson

from unrot.core import confidence, latency
from unrot.core.records import Errors, Oddity, Prediction, RefusedFor, Rejection, Window
from unrot.core.time import MINUTES_A_DAY, MINUTES_AN_HOUR
from unrot.core.windows import added, grouped, refused
from unrot.store.sql import names
from unrot.store.sql.database import Transaction

ROWS_AT_ONCE = 500
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

_HISTOGRAMS = {"latency", "confidence", "judged_confidence", "correct_confidence"}

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
        self._rejected: dict[Key, list[Rejection]] = defaultdict(list)

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
        self._rejected[_key(kept_as, rejection.version, rejection.at)].append(rejection)

    def windows(self) -> list[Window]:
        """Return the windows to add."""
        keys = {**self._predictions, **self._outliers, **self._rejected}
        return [
            refused(
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
                ),
                self._rejected.get(key, ()),
            )
            for key in keys
            for model, minute, version in [key]
        ]


def add(tx: Transaction, windows: Iterable[Window]) -> None:
    """Add windows to those that their writers have; one writer a row, so nobody is in between."""
    for (model, version, writer), new in grouped(windows, _names).items():
        for start in range(0, len(new), ROWS_AT_ONCE):
            part = new[start : start + ROWS_AT_ONCE]
            known = _of_minutes(tx, model, version, writer, [one.minute for one in part])
            put(tx, [added(known[one.minute], one) if one.minute in known else one for one in part])


def put(tx: Transaction, windows: Iterable[Window]) -> None:
    """Write windows, each with the name that its model is kept as, over those that are there."""
    tx.executemany(_PUT, [_columns(window) for window in windows])


def bucket_of(tx: Transaction, kept_as: str, minute: int) -> tuple[int, int]:
    """Return the first minute of the bucket that holds a minute, and its length."""
    row = tx.execute(
        "SELECT minute, minutes FROM windows WHERE model = ? AND minute IN (?, ?) "
        "AND minutes > 1 AND minute + minutes > ? ORDER BY minutes DESC LIMIT 1",
        (
            kept_as,
            minute // MINUTES_AN_HOUR * MINUTES_AN_HOUR,
            minute // MINUTES_A_DAY * MINUTES_A_DAY,
            minute,
        ),
    ).fetchone()
    return (minute, 1) if row is None else (row[0], row[1])


def spans_of(tx: Transaction, kept_as: str, minutes: Iterable[int]) -> list[tuple[int, int, int]]:
    """Return first minute, end and length of the buckets that hold some minutes.

    Minutes of one hour that was not rolled are one span: those between them are counted as well,
    which changes nothing.
    """
    hours: dict[int, list[int]] = defaultdict(list)
    for minute in minutes:
        hours[minute // MINUTES_AN_HOUR].append(minute)
    spans: set[tuple[int, int, int]] = set()
    for of in hours.values():
        start, length = bucket_of(tx, kept_as, of[0])
        span = (min(of), max(of) + 1) if length == 1 else (start, start + length)
        spans.add((*span, length))
    return sorted(spans)


def between(tx: Transaction, kept_as: str, first: int, end: int) -> list[Window]:
    """Return the windows of a model that hold minutes from the first up to the end."""
    rows = tx.execute(
        f"{SELECTED} WHERE model = ? AND minute >= ? AND minute < ? AND minute + minutes > ? "
        "ORDER BY minute, version, writer",
        (kept_as, first // MINUTES_A_DAY * MINUTES_A_DAY, end, first),
    ).fetchall()
    return [window(row) for row in rows]


def counts(
    tx: Transaction, kept_as: str, first: int, end: int, version: str | None = None
) -> tuple[int, int]:
    """Count predictions, and verdicts on them, of the buckets from a minute up to the end."""
    of_version = "" if version is None else " AND version = ?"
    row = tx.execute(
        "SELECT COALESCE(SUM(predictions), 0), COALESCE(SUM(verdicts), 0) FROM windows "
        f"WHERE model = ? AND minute >= ? AND minute < ?{of_version}",
        (kept_as, first, end, *(() if version is None else (version,))),
    ).fetchone()
    return int(row[0]), int(row[1])


def window(row: Sequence[Any]) -> Window:
    """Read a window from its columns; what a newer release knows besides is left out."""
    minute, model, version, writer, predictions, verdicts, judged, correct, minutes, kept = row
    plain = (minute, model, version, writer, predictions, verdicts, judged, correct, minutes)
    if kept == "{}":
        return Window(*plain)
    details: dict[str, Any] = orjson.loads(kept)
    known = {name: details[name] for name in _DETAILS if name in details}
    for name in _HISTOGRAMS & known.keys():
        known[name] = tuple(known[name])
    return Window(
        *plain,
        **known,
        errors=Errors(**details.get("errors", {})),
        refused_for=RefusedFor(**details.get("refused_for", {})),
    )


def _names(of: Window) -> tuple[str, str, str]:
    return of.model, of.version, of.writer


def _of_minutes(
    tx: Transaction, model: str, version: str, writer: str, minutes: Sequence[int]
) -> dict[int, Window]:
    marks = ", ".join("?" * len(minutes))
    rows = tx.execute(
        f"{_KEPT} WHERE model = ? AND version = ? AND writer = ? AND minute IN ({marks})",
        (model, version, writer, *minutes),
    ).fetchall()
    return {row[0]: window(row) for row in rows}


def _columns(of: Window) -> tuple[Any, ...]:
    details: dict[str, Any] = {name: found for name in _DETAILS if (found := getattr(of, name))}
    if of.errors.count:
        details["errors"] = asdict(of.errors)
    if of.refused_for.requests:
        details["refused_for"] = asdict(of.refused_for)
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
RIGHT = (
    "CASE WHEN p.label IS NULL THEN NULL WHEN f.was_correct IS NOT NULL THEN f.was_correct "
    "WHEN f.label IS NOT NULL THEN CASE WHEN f.label = p.label THEN 1 ELSE 0 END END"
)
"""Whether an answer was right, as `truth.was_right` has it: of a number neither is known."""

_START = "CAST(f.predicted_at AS INTEGER) / ? * ? AS start"
"""The first minute of the bucket; it takes its seconds and its minutes."""
_OF_SPAN = (
    "FROM feedback f JOIN predictions p ON p.id = f.prediction "
    "WHERE f.model = ? AND f.predicted_at >= ? AND f.predicted_at < ? AND f.withdrawn = 0"
)
_TOTALS = (
    f"SELECT {_START}, p.version, COUNT(*), COUNT({RIGHT}), COALESCE(SUM({RIGHT}), 0), "
    "COUNT(p.value - f.value), COALESCE(SUM(ABS(p.value - f.value)), 0), "
    "COALESCE(SUM((p.value - f.value) * (p.value - f.value)), 0), "
    "COALESCE(SUM(CASE WHEN p.value IS NOT NULL THEN f.value END), 0), "
    "COALESCE(SUM(CASE WHEN p.value IS NOT NULL THEN f.value * f.value END), 0) "
    f"{_OF_SPAN} GROUP BY start, p.version"
)
_CONFIDENCES = (
    f"SELECT {_START}, p.version, CASE WHEN p.confidence >= 1 THEN {confidence.BINS - 1} "
    f"ELSE CAST(p.confidence * {confidence.BINS} AS INTEGER) END AS bin, COUNT(*), "
    f"SUM({RIGHT}) {_OF_SPAN} AND {RIGHT} IS NOT NULL "
    "AND p.confidence IS NOT NULL GROUP BY start, p.version, bin"
)
_CONFUSIONS = (
    f"SELECT {_START}, p.version, p.label, {TRUTH} AS truth, COUNT(*) {_OF_SPAN} "
    "AND p.label IS NOT NULL GROUP BY start, p.version, p.label, truth"
)

Part = tuple[int, str]
"""First minute and version of a window."""


def other_class(tx: Transaction, kept_as: str) -> tuple[str | None, ...]:
    """Return what `TRUTH` asks: of a model with two classes each beside the other."""
    row = tx.execute("SELECT schema FROM models WHERE kept_as = ?", (kept_as,)).fetchone()
    classes: list[str] = orjson.loads(row[0]).get("classes", []) if row else []
    if len(classes) != 2:
        return (None,) * 4
    return classes[0], classes[1], classes[1], classes[0]


def count_verdicts(tx: Transaction, kept_as: str, span: tuple[int, int, int], writer: str) -> None:
    """Count the verdicts on the predictions of some buckets afresh; twice is as once.

    A span is the first minute, the end, and how many minutes a bucket has.
    """
    first, end, minutes = span
    of_span = (kept_as, first * 60, end * 60)
    of_start = (minutes * 60, minutes)
    found: dict[Part, Window] = {}
    for start, version, verdicts, judged, correct, *errors in tx.execute(
        _TOTALS, (*of_start, *of_span)
    ).fetchall():
        made = Window(start, kept_as, version, writer, 0, verdicts, judged, correct, minutes)
        found[start, version] = replace(made, errors=Errors(*errors)) if errors[0] else made
    if any(one.judged for one in found.values()):
        for part, (of_judged, of_correct) in _confidences(tx, (*of_start, *of_span)).items():
            found[part] = replace(
                found[part], judged_confidence=of_judged, correct_confidence=of_correct
            )
        asked = (*of_start, *other_class(tx, kept_as), *of_span)
        for part, confusion in _confusions(tx, asked).items():
            found[part] = replace(found[part], confusion=confusion)
    tx.execute(
        "DELETE FROM windows WHERE model = ? AND minute >= ? AND minute < ? AND writer = ?",
        (kept_as, first, end, writer),
    )
    put(tx, found.values())


def _confidences(
    tx: Transaction, asked: tuple[Any, ...]
) -> dict[Part, tuple[list[int], list[int]]]:
    """Count how sure the judged answers were, and the right ones among them."""
    found: dict[Part, tuple[list[int], list[int]]] = defaultdict(
        lambda: ([0] * confidence.BINS, [0] * confidence.BINS)
    )
    for start, version, place, count, right in tx.execute(_CONFIDENCES, asked).fetchall():
        judged, correct = found[start, version]
        judged[place], correct[place] = count, right
    return found


def _confusions(tx: Transaction, asked: tuple[Any, ...]) -> dict[Part, dict[str, dict[str, int]]]:
    found: dict[Part, dict[str, dict[str, int]]] = {}
    for start, version, predicted, truth, count in tx.execute(_CONFUSIONS, asked).fetchall():
        if truth is not None:
            found.setdefault((start, version), {}).setdefault(predicted, {})[truth] = count
    return found
