"""How the app is run: its parts, what is kept, what was let go, what is asked of it.

    python -m unrot tidy    does at once what retention does bit by bit

All of it is read from totals and single look-ups: the page costs the same after ten million
predictions. Without the store it tells of the machine alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from unrot.core.errors import StoreAway
from unrot.core.records import Component, Job, ModelKey, RemovedModel, Stock, Tidiable, Tidied
from unrot.core.settings import SETTINGS, Settings
from unrot.serve import readiness as components
from unrot.serve.journal import Drops, backlog_bytes
from unrot.serve.limits import Refused
from unrot.serve.readiness import Heartbeat
from unrot.serve.service import Service
from unrot.watch.event_spool import EventFacts, event_facts

SHOWN_SETTINGS = (
    "feedback_days",
    "keep_days",
    "keep_rows",
    "keep_judged_days",
    "minutes_days",
    "hours_days",
    "keep_versions",
    "rotation_seconds",
    "journal_max",
    "max_body",
    "most_verdicts",
    "daily_bytes",
    "daily_bytes_of_token",
    "most_connections",
    "workers",
    "threads",
)
"""What decides how much is kept and taken; none of them is a secret."""

MOST_REFUSED = 50


KINDS: tuple[Tidiable, ...] = get_args(Tidiable)


@dataclass(frozen=True, slots=True)
class JournalFacts:
    """The journal of this machine."""

    bytes: int
    limit: int
    dropped: int


@dataclass(frozen=True, slots=True)
class ModelKept:
    """What is kept of a model, and what was let go of it."""

    name: str
    title: str
    stock: Stock
    tidied: Sequence[Tidied]
    job: Job | None
    """The one that runs or waits."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """The store, as far as it answers."""

    kind: str
    bytes: int | None
    models: Sequence[ModelKept]
    removed: Sequence[RemovedModel]
    """Models whose removal was interrupted."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as it is."""

    variable: str
    doc: str
    value: int


@dataclass(frozen=True, slots=True)
class Operations:
    """All of it, at one moment."""

    at: float
    components: Mapping[str, Component]
    journal: JournalFacts
    caretaker: Heartbeat | None
    events: EventFacts | None
    """What is sent as CloudEvents; None where nothing is."""
    store: StoreFacts | None
    settings: Sequence[Shown]
    refused: Sequence[Refused]
    """Who asked for more than one visitor may, the newest day."""


def look(service: Service) -> Operations:
    """Say how the app is run."""
    settings, folder = service.settings, service.journal.folder
    return Operations(
        service.clock(),
        {name: part.with_cause() for name, part in service.ready().items()},
        JournalFacts(backlog_bytes(folder), settings.journal_max, Drops(folder).count()),
        components.heartbeat(settings.home / "caretaker.json"),
        event_facts(settings),
        _of_store(service),
        shown_settings(settings),
        service.limits.refused()[:MOST_REFUSED],
    )


def shown_settings(settings: Settings) -> list[Shown]:
    """List the settings that matter here, with what they are set to."""
    known = {each.name: each for each in SETTINGS.values()}
    return [
        Shown(known[name].key, known[name].help, getattr(settings, name)) for name in SHOWN_SETTINGS
    ]


def _of_store(service: Service) -> StoreFacts | None:
    store = service.store
    try:
        store.check()
        models = [
            ModelKept(
                name,
                shelved.model.title,
                store.tidying.stock(shelved.model.key),
                sorted(
                    store.tidying.tidied(shelved.model.key),
                    key=lambda one: KINDS.index(one.what),
                ),
                _active_job(service, shelved.model.key),
            )
            for name, shelved in service.shelf.contents().models.items()
        ]
        removed = [one for one in store.registry.removed() if not one.is_cleared]
        return StoreFacts(store.kind, store.size(), models, removed)
    except StoreAway:
        return None


def _active_job(service: Service, model: ModelKey) -> Job | None:
    last = next(iter(service.store.jobs.of_model(model, 1)), None)
    return last if last is not None and last.is_active else None
