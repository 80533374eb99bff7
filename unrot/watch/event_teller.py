"""Tells others what happens here: the caretaker hands in what it sees, and a sender brings it.

Predictions and verdicts are told by the machine that ships and counts them, before it does: whoever
is killed in between tells them twice. Findings, promotions and jobs are told by the one machine
that leads; what it has told stands in the store, so that the next leader goes on there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from unrot.core.cloud_events import CloudEvent, structured
from unrot.core.records import ClientKey, Feedback, Model, ModelKey
from unrot.serve.events import Events
from unrot.serve.rows import Rows
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch import event_words
from unrot.watch.event_sender import EventSender
from unrot.watch.event_spool import FOLDER, Spool

LOOK_SECONDS = 2.0
MOST_LOOKED_AT = 200
"""So many of the newest findings, moves and jobs of a model are compared with what was told."""
MARKED = "events"
"""Among the notes of a model: what was told of it."""

Moment = tuple[float, CloudEvent]


class EventTeller:
    """What the caretaker tells, and to whom it leaves the sending."""

    def __init__(self, service: Service) -> None:
        settings = service.settings
        self._service = service
        self._types = frozenset(settings.events_types)
        self._spool = Spool(
            settings.home / FOLDER, most_bytes=settings.events_backlog, now=service.clock()
        )
        self._sender = EventSender(self._spool, service.messenger, settings)
        self._told_to: dict[str, int] = {}
        self._looked_at = -LOOK_SECONDS

    def start(self) -> None:
        """Begin to send."""
        self._sender.start()

    def stop(self) -> None:
        """Give what is on its way a moment; the rest is sent after the next start."""
        self._sender.stop()

    def told_to(self, segment: str) -> int:
        """Return how far a segment was told: it is met again while the store takes nothing."""
        return self._told_to.get(segment, 0)

    def tell_shipment(self, segment: str, ends_at: int, found: Events) -> None:
        """Tell of a stretch of journal that is about to be shipped."""
        self._spool.add(
            [
                *self._predictions(found.predictions, found.keys),
                *map(structured, self._verdicts(found.feedback)),
            ]
        )
        self._told_to[segment] = max(ends_at, self.told_to(segment))

    def forget_segment(self, segment: str) -> None:
        """Let go of a segment that was shipped to its end."""
        self._told_to.pop(segment, None)

    def tell_verdicts(self, verdicts: Sequence[Feedback]) -> None:
        """Tell of verdicts that are about to be counted."""
        self._spool.add(map(structured, self._verdicts(verdicts)))

    def look(self) -> None:
        """Tell of findings, promotions and jobs that were not told yet."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        if self._types & {"finding", "promotion", "job"}:
            for shelved in self._service.catalogue().models.values():
                self._look_at(shelved.model)

    def _look_at(self, model: Model) -> None:
        notes = self._service.store.findings
        found = sorted(self._moments(model), key=lambda one: one[0])
        note = notes.standpoint(model.key, MARKED)
        told, since = frozenset(note.get("told", ())), note.get("since", self._spool.since)
        new = [event for at, event in found if event.id not in told and at >= since]
        marks = [event.id for _, event in found]
        if told != frozenset(marks):
            self._spool.add(map(structured, new))
            notes.stand(model.key, MARKED, {"told": marks, "since": since})

    def _moments(self, model: Model) -> Iterator[Moment]:
        """Return what there is to be told of a model, with when it happened."""
        store, source, most = self._service.store, self._source(model), MOST_LOOKED_AT
        if "finding" in self._types:
            for found in store.findings.of_model(model.key, limit=most):
                at = found.opened_at if found.closed_at is None else found.closed_at
                yield at, event_words.finding_event(model, found, source=source)
        if "promotion" in self._types:
            for move in store.registry.moves(model.key)[-most:]:
                yield move.moved_at, event_words.promotion_event(model, move, source=source)
        if "job" in self._types:
            for job in store.jobs.of_model(model.key, most):
                at = event_words.job_moment(job)
                yield at, event_words.job_event(model, job, source=source)

    def _predictions(self, rows: Rows, keys: Sequence[ClientKey]) -> Iterator[dict[str, object]]:
        if "prediction" not in self._types or not len(rows):
            return
        by_key = self._by_key()
        for (model_key, _), part in rows.by_version():
            if model_key not in by_key:
                continue
            model = by_key[model_key].model
            events = event_words.prediction_events(
                *(model, part, keys),
                source=self._source(model),
                has_private=self._service.settings.events_private,
            )
            yield from map(structured, events)

    def _verdicts(self, verdicts: Iterable[Feedback]) -> Iterator[CloudEvent]:
        if "verdict" not in self._types:
            return
        by_key = self._by_key()
        for said in verdicts:
            if said.model in by_key:
                model = by_key[said.model].model
                yield event_words.verdict_event(model, said, source=self._source(model))

    def _by_key(self) -> dict[ModelKey, ShelvedModel]:
        return {one.model.key: one for one in self._service.catalogue().models.values()}

    def _source(self, model: Model) -> str:
        return event_words.source_of(self._service.settings.url, model.name)


def teller_of(service: Service) -> EventTeller | None:
    """Return who tells, where the settings name a sink."""
    return EventTeller(service) if service.settings.events_url else None
