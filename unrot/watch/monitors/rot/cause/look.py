"""Why a model has fallen, asked of the rows and verdicts on both sides of the fall.

What came before is the model's own stream, at the same hours where it reaches back so far; where it
is short (a model that was rotten from the start), the holdout. The champion answers the judged rows
again, as they came and mended. That costs some tenths of a second, so what was found is noted, and
asked again when there is a third more.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from unrot.core.errors import UnrotError
from unrot.core.ports import Predictor
from unrot.core.records import IMPORTED, JudgedPrediction, Outputs, Row, Schema, Version
from unrot.core.test_sets import test_set_digest
from unrot.core.time import DAY, HOUR, WEEK
from unrot.hear.truth import is_fair_row, truth_of, was_right
from unrot.watch.monitors.rot.cause.changed_inputs import Table
from unrot.watch.monitors.rot.cause.fall import FEWEST_JUDGED, MOST_JUDGED, Evidence, Judged
from unrot.watch.monitors.rot.cause.rule import FEWEST_ROWS, Explanation, explain
from unrot.watch.visit import Visit

MONITOR = "cause"
MOST_ROWS, MOST_CELLS = 1_500, 100_000
"""Rows of each side; a wide table brings fewer."""
MORE = 1.3
A_MOMENT = 1e-3


@dataclass(frozen=True, slots=True)
class Span:
    """The time of a fall, and whose verdicts tell of it."""

    begins_at: float
    """When what is before it began."""
    fallen_at: float
    until: float
    line: Collection[str]
    """The versions whose answers are judged."""
    verdicts: int
    """So many are known since the fall."""


def explain_fall(visit: Visit, span: Span) -> Explanation:
    """Say what a fall comes from, by what is known at the end of the span."""
    windows = visit.store.traffic.windows(visit.key, since=span.fallen_at, until=span.until + 60)
    counted = [sum(one.predictions for one in windows), span.verdicts]
    key = [visit.shelved.version().name, span.fallen_at]
    note = visit.read_note(MONITOR)
    if note.get("key") == key and not _is_more(counted, note["counted"]):
        return Explanation(**{**note["told"], "features": tuple(note["told"]["features"])})
    least = min(visit.rules.least_rows, FEWEST_ROWS)
    found = explain(_evidence(visit, span), least_rows=least)
    visit.write_note(MONITOR, {"key": key, "counted": counted, "told": asdict(found)})
    return found


def _is_more(now: Sequence[int], then: Sequence[int]) -> bool:
    """Tell whether rows or verdicts are a third more, or fewer, since rot goes back in time."""
    pairs = zip(now, then, strict=True)
    return any(one < before or one >= max(MORE * before, before + 1) for one, before in pairs)


def _evidence(visit: Visit, span: Span) -> Evidence:
    version, schema = visit.shelved.version(), visit.model.schema
    replay = Replay(visit.service.shelf.predictor(visit.service.catalogue(), version), schema)
    until = span.until + A_MOMENT
    after = _rows(visit, span.fallen_at, until)
    before = _before(visit, span, len(after))
    came_by = before
    was = _judged(visit, span, replay, span.begins_at, span.fallen_at)
    if len(before) < FEWEST_ROWS or len(was.rows) < FEWEST_JUDGED:
        held_out = _held_out(visit, version, replay)
        if len(was.rows) < FEWEST_JUDGED:
            # Nobody can say that it was right just before: those rows may be of the fall already.
            was, before = held_out, held_out.rows or before
        else:
            before = held_out.rows
    return Evidence(
        schema=schema,
        version=version.name,
        before=before,
        after=after,
        judged_before=was,
        judged_after=_judged(visit, span, replay, span.fallen_at, until),
        answer=replay.answers,
        is_of_test_set=before is not came_by,
    )


def _before(visit: Visit, span: Span, least: int) -> Sequence[Row]:
    """Return rows from before the fall: of the same hours a week or a day earlier where it can."""
    lasted = span.until - span.fallen_at
    for cycle in (WEEK, DAY):
        ended_at = span.until - cycle * max(1, math.ceil(lasted / cycle))
        since, until = ended_at - lasted - HOUR, min(ended_at + HOUR, span.fallen_at)
        if since >= span.begins_at:
            rows = _rows(visit, since, until)
            if len(rows) >= max(least, FEWEST_ROWS):
                return rows
    return _rows(visit, span.begins_at, span.fallen_at)


def _rows(visit: Visit, since: float, until: float) -> Sequence[Row]:
    """Return the newest rows of a time, judged or not, in their order."""
    most = min(MOST_ROWS, MOST_CELLS // max(1, len(visit.model.schema.features)))
    found = visit.store.traffic.of_period(
        visit.key, since=since, until=until, judged_only=False, limit=most
    )
    return [one.prediction.inputs for one in reversed(found)]


def _judged(visit: Visit, span: Span, replay: Replay, since: float, until: float) -> Judged:
    """Return the newest judged rows of a time that are of the line."""
    found = visit.store.traffic.of_period(
        visit.key, since=since, until=until, judged_only=True, limit=2 * MOST_JUDGED
    )
    return replay.judged([one for one in reversed(found) if one.prediction.version in span.line])


def _held_out(visit: Visit, version: Version, replay: Replay) -> Judged:
    digest = test_set_digest(version)
    if not digest:
        return Judged()
    visit.service.signatures.check(version, visit.model)
    table = visit.store.registry.artefact(digest)
    rows, truth = visit.service.trainer.unpack(table, visit.model.schema, MOST_ROWS)
    return Judged(rows, replay.answers(rows), np.array([replay.place(one) for one in truth]))


class Replay:
    """The champion, asked once more."""

    def __init__(self, predictor: Predictor, schema: Schema) -> None:
        self._predictor, self._schema = predictor, schema
        self._places = {label: float(place) for place, label in enumerate(schema.classes)}

    def answers(self, rows: Sequence[Row]) -> Table:
        """Answer rows; NaN where it cannot, as with a sign that a logarithm does not take."""
        if not rows:
            return np.empty(0)
        try:
            return _numbers(self._predictor.predict(rows))
        except Exception as error:
            # Whatever an owner's estimator makes of rows that no client has sent.
            if len(rows) > 1:
                return np.concatenate([self.answers([row]) for row in rows])
            if isinstance(error, UnrotError | ValueError | ArithmeticError | RuntimeError):
                return np.array([np.nan])
            raise

    def place(self, label: Any) -> float:
        """Return a class as its place, a number as it is; NaN where there is none."""
        if label is None:
            return np.nan
        return self._places.get(str(label), np.nan) if self._places else float(label)

    def judged(self, found: Sequence[JudgedPrediction]) -> Judged:
        """Bring verdicts into the form that is compared; those that say nothing are left out."""
        fair = [one for one in found if one.feedback is not None and is_fair_row(one.feedback)]
        told = [(one, self._truth(one)) for one in fair]
        told = [(one, truth) for one, truth in told if truth is not None]
        rows = [one.prediction.inputs for one, _ in told]
        answered = np.array([self._answered(one) for one, _ in told])
        imported = np.array([one.prediction.version == IMPORTED for one, _ in told], dtype=bool)
        if imported.any():
            # Others gave those answers; what mends them can only be held against its own.
            answered = np.where(imported, self.answers(rows), answered)
        return Judged(rows, answered, np.array([truth for _, truth in told]))

    def _answered(self, one: JudgedPrediction) -> float:
        made = one.prediction
        return self.place(made.label if self._places else made.value)

    def _truth(self, one: JudgedPrediction) -> float | None:
        """Return what is true; NaN where only that it was wrong is known, None where nothing is."""
        made, verdict = one.prediction, one.feedback
        truth = None if verdict is None else truth_of(made.label, verdict, self._schema)
        if truth is not None:
            return self.place(truth)
        return np.nan if was_right(made, verdict) is False else None


def _numbers(outputs: Outputs) -> Table:
    given = outputs.classes if outputs.classes is not None else outputs.values
    return np.array(given, dtype=np.float64)
