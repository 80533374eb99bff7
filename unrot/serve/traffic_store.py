"""The predictions that were answered: shipped from journals exactly once, and read back.

A shipment is one commit: its batches, what it adds to windows, its outliers and verdicts, and how
far the journal is shipped, on the condition that nobody has shipped it meanwhile.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from heapq import merge
from itertools import islice, takewhile

from unrot.core.records import (
    ClientKey,
    Hour,
    JudgedPrediction,
    ModelKey,
    Oddity,
    Outcome,
    Prediction,
    Rejection,
    Shipment,
    Stretch,
    Tally,
    Window,
)
from unrot.core.time import DAY
from unrot.hear.feedback_documents import feedback_of, from_document, judged_of, signals_of
from unrot.hear.key_store import key_puts
from unrot.hear.outcome_reader import Key, OutcomeReader
from unrot.hear.truth import is_fair_row
from unrot.hear.verdict_store import Arrived, VerdictStore
from unrot.hear.window_store import count_in, hourly_predictions, marks_of_all, windows_between
from unrot.serve.batch_reader import BatchReader, Cursor, arrived
from unrot.serve.batches import batches_of, unsure_puts
from unrot.serve.rows import Rows
from unrot.serve.traffic_counts import TrafficCounts
from unrot.store.kinds import BATCH, FEEDBACK, JOURNAL
from unrot.store.names import Models
from unrot.store.operations import (
    ABSENT,
    Change,
    Delete,
    Document,
    Operations,
    Put,
    until_kept,
)

FEW, AT_ONCE = 50, 400
END_OF_TIME = 1e15

OddityPuts = Callable[[Sequence[Oddity]], list[Put]]
"""The changes that keep outliers."""

_log = logging.getLogger(__name__)


class TrafficStore:
    """The traffic."""

    def __init__(
        self,
        database: Operations,
        models: Models,
        batches: BatchReader,
        verdicts: VerdictStore,
        oddity_puts: OddityPuts,
    ) -> None:
        self._database = database
        self._models = models
        self._batches = batches
        self._verdicts = verdicts
        self._oddity_puts = oddity_puts
        self._outcomes = OutcomeReader(database, models)
        self._told: set[ModelKey] = set()

    # ── shipping ─────────────────────────────────────────────────────────────────────────────

    def shipped_to(self, segment: str) -> int:
        """Return how many bytes of a journal segment are in the store."""
        return _offset(self._database.get(JOURNAL, segment))

    def ship(self, shipment: Shipment) -> int:
        """Take a stretch of a journal exactly once; return the segment's offset afterwards.

        TooMuch where it does not fit into one commit: ship it in parts.
        """

        def work() -> int:
            journal = self._database.get(JOURNAL, shipment.segment)
            if _offset(journal) != shipment.starts_at:
                return _offset(journal)
            expect = ABSENT if journal is None else journal.revision
            offset = {"shipped to": shipment.ends_at}
            changes = [*self._brought(shipment), Put(JOURNAL, shipment.segment, offset, expect)]
            self._database.commit(changes)
            return shipment.ends_at

        return until_kept(work)

    def forget_segment(self, segment: str) -> None:
        """Drop the offset of a segment whose file is gone."""
        self._database.commit([Delete(JOURNAL, segment)])

    def _brought(self, shipment: Shipment) -> Iterator[Change]:
        """Return the changes that keep what a shipment brings."""
        counts = TrafficCounts(shipment.writer)
        made, odd, rejected = (
            Rows.of(shipment.predictions),
            shipment.oddities,
            shipment.rejections,
        )
        beside: list[Oddity | Rejection | ClientKey] = [*odd, *rejected, *shipment.keys]
        removed = self._models.removed({*made.models, *(one.model for one in beside)})
        self._tell(removed)
        if removed:
            made = made.where([model not in removed for model in made.models])
        counts.see(made, shipment.looked_at)
        counts.see_sureness(made, shipment.asked_sure, shipment.unsure)
        odd = [oddity for oddity in odd if oddity.model not in removed]
        for oddity in odd:
            counts.see_oddity(oddity)
        for rejection in shipment.rejections:
            if rejection.model not in removed:
                counts.see_rejection(rejection)
        there = _spoken_of(made, shipment)
        taken, told = self._verdicts.take_acknowledged(shipment.feedback, there)
        batches = batches_of(made, shipment.writer)
        yield from batches
        yield from unsure_puts(batches, made, shipment.unsure)
        yield from self._oddity_puts(odd)
        yield from count_in(self._database, [*counts.windows(), *told])
        yield from taken
        yield from self._verdicts.unverified_puts(shipment.unverified)
        yield from key_puts(shipment.keys, removed)

    def _tell(self, removed: Set[ModelKey]) -> None:
        for model in sorted(removed - self._told):
            self._told.add(model)
            _log.warning("The journal has lines of %s, which was removed: dropped.", model)

    # ── predictions ──────────────────────────────────────────────────────────────────────────

    def prediction(self, id: str) -> JudgedPrediction | None:
        """Return one prediction with its verdict."""
        return self.look_up([id]).get(id)

    def look_up(self, ids: Sequence[str]) -> dict[str, JudgedPrediction]:
        """Return those of some predictions that are there, with their verdicts."""
        found: dict[str, JudgedPrediction] = {}
        known = self._database.get_many(FEEDBACK, ids)
        for id, document in known.items():
            kept = from_document(document)
            if (judged := judged_of(kept)) is not None:
                found[id] = judged
        rest = self._batches.look_up([id for id in ids if id not in found])
        made = [arrived.prediction for arrived in rest.values()]
        return found | {one.prediction.id or "": one for one in _beside(made, known)}

    def recent(
        self, model: ModelKey, *, limit: int, before: Cursor | None = None
    ) -> list[JudgedPrediction]:
        """List predictions newest first, those older than `before` (time, id)."""
        return list(islice(self.newest(model, before), limit))

    def newest(self, model: ModelKey, before: Cursor | None = None) -> Iterator[JudgedPrediction]:
        """Return predictions with their verdicts, newest first, as they are asked for."""
        made, size = self.made(model, before), FEW
        while page := list(islice(made, size)):
            yield from self.beside(page)
            size = AT_ONCE

    def made(self, model: ModelKey, before: Cursor | None = None) -> Iterator[Prediction]:
        """Return predictions newest first: those in batches, and judged ones of before."""
        kept = self._batches.newest(model, before)
        tidied = self._verdicts.kept_since(model)
        if not tidied:
            yield from kept
            return
        until = END_OF_TIME if before is None else before[0]
        left = self._judged_before(model, min(tidied, until + 1.0))
        seen = ""
        for made in merge(kept, (one.prediction for one in left), key=_key_of, reverse=True):
            if made.id != seen and (before is None or _key_of(made) < before):
                seen = made.id or ""
                yield made

    def beside(self, made: Sequence[Prediction]) -> list[JudgedPrediction]:
        """Put the verdicts beside predictions."""
        known = self._database.get_many(FEEDBACK, [one.id or "" for one in made])
        return list(_beside(made, known))

    def unsure(self, model: ModelKey, before: Cursor) -> Iterator[Prediction]:
        """Return predictions that were answered with "not sure" and are kept, newest first."""
        return self._batches.unsure(model, before)

    def judged(
        self, model: ModelKey, *, since: float, before: Cursor
    ) -> Iterator[JudgedPrediction]:
        """Return predictions with a verdict, newest first: of a moment on, older than a cursor."""
        found = self._judged_before(model, before[0] + 1.0, since)
        return (judged for judged in found if _place(judged) < before)

    def begins_at(self, model: ModelKey) -> float:
        """Return when the first prediction was made that is kept; 0 where there is none."""
        found = self._database.scan(BATCH, "of model", (model,), limit=1, only=["starts at"])
        return float(found[0]["starts at"]) if found else 0.0

    def of_period(
        self, model: ModelKey, *, since: float, until: float, judged_only: bool, limit: int
    ) -> list[JudgedPrediction]:
        """List the predictions of a period, newest first, `judged_only` those with a verdict."""
        if judged_only:
            return self._judged_of_period(model, since, until, limit)
        made = takewhile(lambda one: one.predicted_at >= since, self.made(model, (until, "")))
        return self.beside(list(islice(made, limit)))

    def judged_span(self, model: ModelKey) -> tuple[float, float] | None:
        """Return the second of the first and of the last prediction with a verdict."""
        return self._outcomes.judged_span(model)

    def _judged_of_period(
        self, model: ModelKey, since: float, until: float, limit: int
    ) -> list[JudgedPrediction]:
        found: list[JudgedPrediction] = []
        for kept in self._outcomes.judged_between(model, since, until):
            judged = judged_of(kept)
            if judged is None:
                continue
            at = int(judged.prediction.predicted_at)
            if len(found) >= limit and at < int(found[-1].prediction.predicted_at):
                break
            found.append(judged)
        return sorted(found, key=_place, reverse=True)[:limit]

    def _judged_before(
        self, model: ModelKey, until: float, since: float = 0.0
    ) -> Iterator[JudgedPrediction]:
        """Return judged predictions, whether their batches were let go or not, newest first."""
        second: list[JudgedPrediction] = []
        for kept in self._outcomes.judged_between(model, since, until):
            judged = judged_of(kept)
            if judged is None:
                continue
            at = int(judged.prediction.predicted_at)
            if second and int(second[0].prediction.predicted_at) != at:
                yield from sorted(second, key=_place, reverse=True)
                second = []
            second.append(judged)
        yield from sorted(second, key=_place, reverse=True)

    # ── what one writer brought ──────────────────────────────────────────────────────────────

    def shipped(self, writer: str, since: float, seconds: int) -> list[tuple[Stretch, int]]:
        """Count the rows that one writer shipped, by stretches of some seconds."""
        counts: Counter[tuple[int, ModelKey, str]] = Counter()
        for batch in self._batches.written(writer, since):
            first, last = int(batch["starts at"]) // seconds, int(batch["ends at"]) // seconds
            if first == last and batch["starts at"] >= since:
                counts[first, batch["model"], batch["version"]] += batch["rows"]
                continue
            for at in self._batches.rows_of(batch).times:
                if at >= since:
                    counts[int(at) // seconds, batch["model"], batch["version"]] += 1
        removed = self._models.removed(model for _, model, _ in counts)
        return [
            (Stretch(model, version, at * seconds, (at + 1) * seconds), count)
            for (at, model, version), count in sorted(counts.items())
            if model not in removed
        ]

    def of_stretch(
        self, stretch: Stretch, writer: str, *, after: Cursor | None, limit: int
    ) -> list[Prediction]:
        """Return what one writer shipped of a stretch, oldest first, from a key (time, id) on.

        Held are at most so many and one batch: a busy stretch has millions. A batch that begins
        behind them all stays unread.
        """
        behind = after or (float(stretch.starts_at), "")
        kept: list[Prediction] = []
        for batch in self._batches.written(writer, behind[0], stretch.ends_at + float(DAY)):
            is_of = (batch["model"], batch["version"]) == (stretch.model, stretch.version)
            end = kept[-1].predicted_at if len(kept) >= limit else float(stretch.ends_at)
            if is_of and batch["starts at"] <= end:
                more = [
                    made
                    for made in self._batches.rows_of(batch)
                    if behind < _key_of(made) and made.predicted_at < stretch.ends_at
                ]
                kept = sorted([*kept, *more], key=_key_of)[:limit]
        return kept

    # ── totals and outcomes ──────────────────────────────────────────────────────────────────

    def windows(self, model: ModelKey, *, since: float, until: float) -> list[Window]:
        """Return the totals of a model per minute, or per hour and day where they were rolled."""
        first, end = int(since) // 60, math.ceil(until / 60)
        return list(windows_between(self._database, model, first, end))

    def hourly_predictions(self, since: float, model: ModelKey | None = None) -> list[Hour]:
        """Return how many predictions of a model, or of all, each hour had."""
        return hourly_predictions(self._database, since, model)

    def marks_of_all(self, since: float) -> dict[str, int]:
        """Return numbers of the hours of all models that move with what is counted in them."""
        return marks_of_all(self._database, since)

    def outcomes(
        self,
        model: ModelKey,
        *,
        limit: int,
        after: Key | None = None,
        versions: Sequence[str] = (),
        with_inputs: bool = False,
    ) -> list[Outcome]:
        """List how judged predictions came out, in the order of their verdicts."""
        return self._outcomes.outcomes(
            model, limit=limit, after=after, versions=versions, with_inputs=with_inputs
        )

    def judged_after(self, model: ModelKey, after: Key, *, limit: int) -> list[JudgedPrediction]:
        """List judged predictions in the order of their verdicts, the next so many, no inputs."""
        return self._outcomes.judged_after(model, after, limit=limit)

    def late_mark(self, model: ModelKey) -> str:
        """Return a word that is another as soon as a late verdict was kept (`hear/late.py`)."""
        return self._outcomes.late_mark(model)

    def last_judged(self, model: ModelKey, *, limit: int) -> list[JudgedPrediction]:
        """List the newest judged predictions with their inputs, in the order of their verdicts."""
        return self._outcomes.last_judged(model, limit=limit)

    def given_between(
        self, model: ModelKey, since: float, until: float
    ) -> Iterator[JudgedPrediction]:
        """Return verdicts with their predictions by when they were given, newest first."""
        return self._outcomes.given_between(model, since, until)

    def count_given(self, model: ModelKey, since: float, until: float) -> int:
        """Count the verdicts that were given in a stretch of time."""
        return self._outcomes.count_given(model, since, until)

    def tally(
        self, model: ModelKey, *, since: float, last: int, version: str | None = None
    ) -> Tally:
        """Sum the windows since a time, and take accuracy and error of the last judged verdicts."""
        return self._outcomes.tally(model, since=since, last=last, version=version)

    def judged_of_predicted(
        self, model: ModelKey, *, since: float, until: float, version: str | None = None
    ) -> tuple[int, int]:
        """Count the fair verdicts on the predictions of a stretch of time, and the predictions.

        Windows count what lies between; at both ends, where a window holds more, rows are counted.
        """
        spoken_of, predicted = self._counted(model, since, until, version)
        return spoken_of, max(predicted, spoken_of)

    def _counted(
        self, model: ModelKey, since: float, until: float, version: str | None
    ) -> tuple[int, int]:
        windows = windows_between(self._database, model, int(since) // 60, int(until) // 60 + 1)
        spans = [(one.minute * 60.0, (one.minute + one.minutes) * 60.0) for one in windows]
        first = max((end for start, end in spans if start < since < end), default=since)
        last = min((start for start, end in spans if start <= until < end), default=until)
        whole = [
            window
            for window, (start, end) in zip(windows, spans, strict=True)
            if first <= start and end <= last and version in (None, window.version)
        ]
        predicted = sum(one.predictions for one in whole)
        spoken_of = sum(one.verdicts for one in whole)
        if first < last:
            spoken_of += self._verdicts.uncounted(model, first, last, version)
        edges = [(since, first), (last, until)] if first < last else [(since, until)]
        for start, end in edges:
            predicted += self._rows_between(model, start, end + 1e-6 * (end == until), version)
            spoken_of += self._told_between(model, start, end + 1e-6 * (end == until), version)
        return spoken_of, predicted

    def _told_between(self, model: ModelKey, start: float, end: float, version: str | None) -> int:
        if end <= start:
            return 0
        judged = self._outcomes.judged_between(model, start, end)
        fair = (kept for kept in judged if is_fair_row(kept.feedback))
        made = (kept.prediction for kept in fair)
        return sum(version in (None, one.version) for one in made if one is not None)

    def _rows_between(self, model: ModelKey, start: float, end: float, version: str | None) -> int:
        count = 0
        for made in self._batches.newest(model, (end, "")) if end > start else ():
            if made.predicted_at < start:
                break
            count += version in (None, made.version)
        return count


def _offset(journal: Document | None) -> int:
    return 0 if journal is None else int(journal["shipped to"])


def _spoken_of(made: Rows, shipment: Shipment) -> dict[str, Arrived]:
    """Return the predictions that a shipment has verdicts on as well."""
    wanted = {verdict.prediction for verdict in shipment.feedback}
    places = [at for at, id in enumerate(made.ids) if id in wanted] if wanted else []
    return {made.ids[at] or "": arrived(made[at], shipment.writer) for at in places}


def _beside(
    made: Iterable[Prediction], known: Mapping[str, Document]
) -> Iterator[JudgedPrediction]:
    """Put what is known of verdicts beside predictions."""
    for one in made:
        document, verdict = known.get(one.id or ""), None
        if document is not None and not document["withdrawn"] and not document["implicit"]:
            verdict = feedback_of(document, is_settled=True)
        yield JudgedPrediction(one, verdict, () if document is None else signals_of(document))


def _place(judged: JudgedPrediction) -> Cursor:
    return judged.prediction.predicted_at, judged.prediction.id or ""


def _key_of(made: Prediction) -> Cursor:
    return made.predicted_at, made.id or ""
