"""Follow the judges' verdicts, so that what is told beside answers goes on holding the truth.

Where each champion stands is noted in the store, and written into the small file that workers look
at (`serve.sure`), here and by each machine that hears of news.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from unrot.core.conformal import Conformal
from unrot.core.records import JudgedPrediction, ModelKey, Symptom
from unrot.serve.service import Service
from unrot.serve.sure import Asked, read_asked, write_asked
from unrot.watch.monitors.sure.rule import Course, is_held
from unrot.watch.notes import read_note
from unrot.watch.visit import Visit

MONITOR = "sure"
AT_ONCE = 1_000
"""So many of the newest verdicts are gone through at a look; older ones move nothing any more."""


def look(visit: Visit) -> Iterator[Symptom]:
    """Go on through the verdicts that are new since the last look."""
    version = visit.shelved.versions.get(visit.champion)
    known = None if version is None else visit.service.shelf.conformal(visit.model, version)
    if known is None:
        return
    yield from ()
    before = _course(visit)
    newest = visit.store.traffic.outcomes(visit.key, limit=1)
    is_new = bool(newest) and (newest[0].given_at, newest[0].prediction) > before.seen
    course = _followed(visit, before, known) if is_new else before
    if course != before or not visit.read_note(MONITOR):
        visit.write_note(MONITOR, course)
    share(visit.service, visit.key, asked_of(course))


def _course(visit: Visit) -> Course:
    """Return where the champion stands; another champion, or another coverage, begins anew."""
    coverage = visit.store.registry.policy(visit.key).coverage
    course = read_note(Course, visit.read_note(MONITOR))
    if course.version == visit.champion and course.coverage == coverage:
        return course
    version = visit.shelved.versions[visit.champion]
    begun = Course(visit.champion, 1.0 - coverage, coverage)
    return replace(begun, seen=(version.anchor_since, ""))


def _followed(visit: Visit, course: Course, known: Conformal) -> Course:
    judged = visit.store.traffic.last_judged(visit.key, limit=AT_ONCE)
    for one in sorted(judged, key=_place):
        if _place(one) <= course.seen:
            continue
        held = None
        if one.prediction.version == course.version:
            held = is_held(one, visit.model.schema, known, course.miss)
        course = course if held is None else course.after(is_held=held)
        course = replace(course, seen=_place(one))
    return course


def _place(one: JudgedPrediction) -> tuple[float, str]:
    given_at = 0.0 if one.feedback is None else one.feedback.given_at
    return given_at, one.prediction.id or ""


def asked_of(course: Course) -> Asked:
    """Return what is asked of a model whose champion stands there."""
    return Asked(course.coverage, {course.version: course.miss})


def share(service: Service, model: ModelKey, asked: Asked) -> None:
    """Let the workers of this machine know what is asked of a model."""
    folder = service.shelf.folder
    write_asked(folder, {**read_asked(folder), model: asked})


def share_all(service: Service) -> None:
    """Let the workers of this machine know what is asked of every model, as the store has it."""
    found = {
        one.model.key: _kept(service, one.model.key) for one in service.catalogue().models.values()
    }
    write_asked(service.shelf.folder, found)


def _kept(service: Service, model: ModelKey) -> Asked:
    coverage = service.store.registry.policy(model).coverage
    written: Any = service.store.findings.standpoint(model, MONITOR)
    course = read_note(Course, written)
    return asked_of(course) if written and course.coverage == coverage else Asked(coverage)
