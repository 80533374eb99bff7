"""Follow the judges' verdicts, so that what is told beside answers goes on holding the truth.

Where each champion stands is noted in the store, with the verdict that it has got to: one document,
so that whoever goes on after a crash counts each verdict once. Where there is no news, nothing is
read. What follows from it is written into the small file that workers look at (`serve.sure`), here
and by each machine that hears of news.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unrot.core.conformal import Conformal
from unrot.core.percent import roughly
from unrot.core.policy import Policy
from unrot.core.ports import Findings
from unrot.core.records import ModelKey, Symptom
from unrot.hear.late import READ_AGAIN_SECONDS
from unrot.serve.service import Service
from unrot.serve.sure import Asked, read_asked, write_asked
from unrot.watch.monitors.sure.rule import FORMAT, Course, go_on, key_of
from unrot.watch.notes import read_note
from unrot.watch.statistics.accuracy import share as share_of
from unrot.watch.visit import Visit

MONITOR = "sure"
CAUSE = "coverage"
AT_ONCE = 1_000
"""So many verdicts are gone through before where it stands is noted."""
ADVICE = (
    "Refit it with the new verdicts: a version that has learnt them is as sure as it should be, "
    "with smaller sets."
)


def look(visit: Visit) -> Iterator[Symptom]:
    """Go on through the verdicts that are new since the last look."""
    if not visit.has_news:
        return
    version = visit.shelved.versions.get(visit.champion)
    known = None if version is None else visit.service.shelf.conformal(visit.model, version)
    if known is None:
        return
    noted, policy = (
        read_course(visit.store.findings, visit.key),
        visit.store.registry.policy(visit.key),
    )
    course = _course(visit, noted, policy.coverage)
    late = visit.store.traffic.late_mark(visit.key)
    after = course.reads_after(late, READ_AGAIN_SECONDS)
    is_last = False
    while not is_last:
        more = visit.store.traffic.judged_after(visit.key, after, limit=AT_ONCE)
        is_last = len(more) < AT_ONCE
        after = key_of(more[-1]) if more else after
        course = go_on(course, more, visit.model.schema, known, visit.rules.coverage_loss)
        course = replace(course, late=late) if is_last else course
        yield from _said(course, noted, known)
        if course != noted:
            visit.write_note(MONITOR, course)
        noted = course
    share(visit.service, visit.key, asked_of(course, policy))


def _course(visit: Visit, noted: Course, coverage: float) -> Course:
    """Return where the champion stands; another champion, or another coverage, begins anew."""
    if noted.version == visit.champion and noted.coverage == coverage:
        return noted
    since = (visit.shelved.versions[visit.champion].anchor_since, 0.0, "")
    return Course(visit.champion, 1.0 - coverage, coverage, seen=since, behind=since)


def _said(course: Course, noted: Course, known: Conformal) -> Iterator[Symptom]:
    """Say that the holdout's promise is not kept, with what is known now, or is kept again."""
    if course.is_below and course.count > noted.count:
        yield _below(course, known)
    elif noted.is_below and not course.is_below:
        yield Symptom(
            CAUSE,
            "coverage",
            is_present=False,
            at=course.seen[0],
            sentence="What a holdout makes one expect holds again.",
        )


def _below(course: Course, known: Conformal) -> Symptom:
    few, rest = known.missing_ranks(course.coverage)
    promised, told = (share_of(sum(held), len(held)) for held in (course.promised, course.told))
    return Symptom(
        cause=CAUSE,
        kind="coverage",
        is_present=True,
        at=course.seen[0],
        since=course.since,
        sentence=(
            f"The sets that its holdout makes would hold {roughly(promised.value or 0.0)} of the "
            f"last {promised.count:,} truths that judges told, and {roughly(rest / (few + rest))} "
            f"were promised. What is told beside answers has grown with that: it has held "
            f"{roughly(told.value or 0.0)} of them."
        ),
        advice=ADVICE,
        evidence={
            "promised": rest / (few + rest),
            "verdicts": promised.count,
            "static": [promised.value, promised.low, promised.high],
            "told": [told.value, told.low, told.high],
        },
    )


def read_course(findings: Findings, model: ModelKey) -> Course:
    """Return where the champion of a model stood at the last look."""
    note = findings.standpoint(model, MONITOR)
    return read_note(Course, note if note.get("format") == FORMAT else {})


def asked_of(course: Course, policy: Policy) -> Asked:
    """Return what is asked of a model whose champion stands there."""
    return Asked(course.coverage, {course.version: course.miss}, policy.not_sure)


def share(service: Service, model: ModelKey, asked: Asked) -> None:
    """Let the workers of this machine know what is asked of a model."""
    folder = service.shelf.folder
    write_asked(folder, {**read_asked(folder), model: asked}, service.clock())


def share_all(service: Service) -> None:
    """Let the workers of this machine know what is asked of every model, as the store has it."""
    found = {
        one.model.key: _kept(service, one.model.key) for one in service.catalogue().models.values()
    }
    write_asked(service.shelf.folder, found, service.clock())


def _kept(service: Service, model: ModelKey) -> Asked:
    policy = service.store.registry.policy(model)
    course = read_course(service.store.findings, model)
    is_of = course.version and course.coverage == policy.coverage
    return asked_of(course, policy) if is_of else Asked(policy.coverage, {}, policy.not_sure)
