"""Look at the journal of this machine: predictions that were answered and could not be kept.

It belongs to no model. Its finding is kept with the model that answers when none is named, and only
the machine that goes the round is looked at; `/api/v1/ready` of each tells of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unrot.core.errors import NotFound
from unrot.core.plurals import counted
from unrot.core.records import Component, Symptom
from unrot.core.rules import Rules
from unrot.serve import readiness
from unrot.serve.journal import Drops
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel

MONITOR = "operations"
CAUSE = "operations:journal"
CALM_SECONDS = 600.0
"""So long nothing may be dropped until the finding is closed."""
ADVICE = (
    "Make room on the disk of the home folder, see that the store answers so that the journal is "
    "shipped, or raise UNROT_JOURNAL_MAX. What was not kept can be judged by nobody."
)


def look(service: Service, shelved: ShelvedModel, rules: Rules, now: float) -> Iterable[Symptom]:
    """Yield whether the journal loses predictions, or has not for a while."""
    del rules
    if shelved.model.name != _default(service):
        return [Symptom(CAUSE, "operations", is_present=False, at=now)]
    return _journal(service, shelved.model.name, now)


def _default(service: Service) -> str:
    try:
        return service.default_model().model.name
    except NotFound:
        return ""


def _journal(service: Service, model: str, now: float) -> Iterator[Symptom]:
    folder, drawer = service.journal.folder, service.store.findings
    found = readiness.journal(folder, service.settings.journal_max)
    drops = Drops(folder)
    count, quiet = drops.count(), drops.seconds_since_last()
    note = drawer.standpoint(model, MONITOR)
    known = int(note.get("count", 0 if count and quiet < CALM_SECONDS else count))
    begun = int(note.get("begun", known))
    if count > known or found.is_stuck:
        yield _present(found, count - begun, now)
    elif quiet >= CALM_SECONDS or count == begun:
        begun = count
        yield Symptom(CAUSE, "operations", is_present=False, at=now)
    if note != (new := {"count": count, "begun": begun}):
        drawer.stand(model, MONITOR, new)


def _present(found: Component, dropped: int, now: float) -> Symptom:
    said = f"{counted(dropped, 'prediction was', 'predictions were')} answered and not kept"
    return Symptom(
        CAUSE,
        "operations",
        is_present=True,
        at=now,
        gravity="grave",
        sentence=found.sentence if found.is_stuck else f"{said}: the journal could not be written.",
        advice=ADVICE,
        evidence={"dropped": dropped},
    )
