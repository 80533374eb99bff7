"""Look at this machine: predictions that could not be kept, and champions that do not load.

The journal belongs to no model: its finding is kept with the model that answers when none is named.
Only the machine that goes the round is looked at; `/api/v1/ready` of each tells of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from unrot.core.errors import NotFound
from unrot.core.plurals import counted
from unrot.core.records import Component, Symptom
from unrot.serve import readiness
from unrot.serve.journal import Drops
from unrot.serve.service import Service
from unrot.watch.visit import Visit

MONITOR = "operations"
CAUSE = "operations:journal"
CHAMPION_CAUSE = "operations:champion"
CALM_SECONDS = 600.0
"""So long nothing may be dropped until the finding is closed."""
CHAMPION_ADVICE = (
    "Promote a version that loads, or make this one again: python -m unrot rebuild. If none of you "
    "has changed the store, see who can write to it, and restore a backup of before."
)
ADVICE = (
    "Make room on the disk of the home folder, see that the store answers so that the journal is "
    "shipped, or raise UNROT_JOURNAL_MAX. What was not kept can be judged by nobody."
)


def look(visit: Visit) -> Iterator[Symptom]:
    """Yield whether the champion loads, and whether the journal loses predictions or has not."""
    yield _champion(visit)
    if visit.name == _default(visit.service):
        yield from _journal(visit)
    else:
        yield Symptom(CAUSE, "operations", is_present=False, at=visit.now)


def _champion(visit: Visit) -> Symptom:
    problem = visit.service.catalogue().problems.get(visit.name)
    if problem is None:
        return Symptom(CHAMPION_CAUSE, "operations", is_present=False, at=visit.now)
    served = visit.shelved.versions.get(visit.champion)
    is_answered = served is not None and visit.service.shelf.has(served)
    return Symptom(
        CHAMPION_CAUSE,
        "operations",
        is_present=True,
        at=visit.now,
        gravity="grave",
        sentence=f"{problem} {visit.champion} answers instead." if is_answered else problem,
        advice=CHAMPION_ADVICE,
    )


def _default(service: Service) -> str:
    try:
        return service.default_model().model.name
    except NotFound:
        return ""


def _journal(visit: Visit) -> Iterator[Symptom]:
    folder, now = visit.service.journal.folder, visit.now
    found = readiness.journal(folder, visit.service.settings.journal_max)
    drops = Drops(folder)
    count, quiet = drops.count(), drops.seconds_since_last()
    note = visit.read_note(MONITOR)
    known = int(note.get("count", 0 if count and quiet < CALM_SECONDS else count))
    begun = int(note.get("begun", known))
    if count > known or found.is_stuck:
        yield _present(found, count - begun, now)
    elif quiet >= CALM_SECONDS or count == begun:
        begun = count
        yield Symptom(CAUSE, "operations", is_present=False, at=now)
    if note != (new := {"count": count, "begun": begun}):
        visit.write_note(MONITOR, new)


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
