"""Follow the judges' verdicts, so that what is told beside answers goes on holding the truth.

Where each champion stands is noted in the store, with the verdict that it has got to: one document,
so that whoever goes on after a crash counts each verdict once. Where there is no news, nothing is
read. What follows from it is written into the small file that workers look at (`serve.sure`), here
and by each machine that hears of news.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial

from unrot.core.conformal import Conformal, sets_of
from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.ports import Findings
from unrot.core.records import JudgedPrediction, ModelKey, Symptom
from unrot.hear.late import READ_AGAIN_SECONDS
from unrot.hear.truth import is_judged
from unrot.serve.service import Service
from unrot.serve.sure import SureSettings, write_asked
from unrot.watch.monitors.sure.broken import TURN, Promise, added_up, whole_days
from unrot.watch.monitors.sure.rule import BY_DAYS, FORMAT, Course, go_on, key_of
from unrot.watch.notes import read_note
from unrot.watch.statistics.accuracy import share as share_of
from unrot.watch.visit import Visit
from unrot.watch.worth.leaning import leaning_of
from unrot.watch.worth.rows import alike_of

MONITOR = "sure"
CAUSE = "coverage"
AT_ONCE = 1_000
"""So many verdicts are gone through before where it stands is noted."""
A_VISIT = 5_000
"""After so many the next visit goes on: more than are read again, so that each gets on."""
ADVICE = (
    "If what sends the rows is broken, mend it. Else refit it with the new verdicts: a version "
    "that has learnt them is as sure as it should be, with smaller {sets}."
)


def look(visit: Visit) -> Iterator[Symptom]:
    """Go on through the verdicts that are new since the last look, a bounded number of them."""
    version = visit.shelved.versions.get(visit.champion)
    if version is None or not (visit.has_news or visit.remembered.get(MONITOR)):
        return
    known = visit.service.shelf.conformal(visit.model, version)
    noted = read_course(visit.store.findings, visit.key)
    if known is None:
        yield from _ended(visit, noted)
    else:
        yield from _go_on(visit, noted, known)
        tell_workers(visit.service, visit.key)


def _ended(visit: Visit, noted: Course) -> Iterator[Symptom]:
    """Say that nothing tells of a champion without scores what is found of the one before it."""
    visit.remembered.pop(MONITOR, None)
    if noted.broken:
        yield _gone(visit.now, f"{visit.champion} cannot say how sure it is: it promises nothing.")
        visit.write_note(MONITOR, replace(noted, broken="", since=0.0))


def _go_on(visit: Visit, noted: Course, known: Conformal) -> Iterator[Symptom]:
    course = _course(visit, noted, visit.store.registry.policy(visit.key).coverage)
    if course is not noted and visit.read_note(MONITOR):
        yield _gone(visit.now, f"{visit.champion} is held against its own test set from now on.")
    late = visit.store.traffic.late_mark(visit.key)
    after = course.reads_after(late, READ_AGAIN_SECONDS)
    is_last, left = False, A_VISIT
    promise = Promise(known, course.coverage, visit.rules.coverage_loss)
    schema, alike = visit.model.schema, partial(alike_of, visit)
    while not is_last and left > 0:
        more = visit.store.traffic.judged_after(visit.key, after, limit=AT_ONCE)
        is_last, left = len(more) < AT_ONCE, left - len(more)
        after = key_of(more[-1]) if more else after
        only = _drawn_alone(visit, course, more)
        for start in range(0, len(more) or 1, TURN):
            before, few = course, more[start : start + TURN]
            course = go_on(before, few, schema, promise, only=only, alike=alike)
            # What turned is said as of then, however late and however many are read at once.
            if course.broken != before.broken or start + TURN >= len(more):
                yield from _said(course, before, promise, sets_of(schema))
        course = replace(course, late=late) if is_last else course
        if course != noted:
            visit.write_note(MONITOR, course)
        noted = course
    visit.remembered[MONITOR] = not is_last


def _drawn_alone(
    visit: Visit, course: Course, more: Sequence[JudgedPrediction]
) -> Collection[str] | None:
    """Return what audits drew where judges' verdicts lean on some answers: these alone count."""
    new = [one for one in more if one.prediction.id not in course.remembered]
    if not any(is_judged(one.feedback) for one in new):
        return None
    times = [one.prediction.predicted_at for one in more]
    times += [predicted_at for _, predicted_at, _ in course.remembered.values()]
    drawn = visit.store.trials.audited(visit.key)
    since, until = min(times), max(times)
    leaning = leaning_of(visit.store, visit.key, since, until, drawn=drawn, judges_alone=True)
    return None if leaning is None else drawn


def _course(visit: Visit, noted: Course, coverage: float) -> Course:
    """Return where the champion stands; another champion, or another coverage, begins anew."""
    if noted.version == visit.champion and noted.coverage == coverage:
        return noted
    since = (visit.shelved.versions[visit.champion].anchor_since, 0.0, "")
    return Course(visit.champion, 1.0 - coverage, coverage, seen=since, behind=since)


def _said(course: Course, noted: Course, promise: Promise, sets: str) -> Iterator[Symptom]:
    """Say that the holdout's promise is not kept, with what is known now, or is kept again."""
    if course.broken and course.count > noted.count:
        yield _below(course, promise, sets)
    elif noted.broken and not course.broken:
        yield _gone(course.seen[0], "What the test set makes one expect holds again.")


def _gone(at: float, sentence: str) -> Symptom:
    return Symptom(CAUSE, "coverage", is_present=False, at=at, sentence=sentence)


def _below(course: Course, promise: Promise, sets: str) -> Symptom:
    newest, of = course.newest, ""
    if course.broken == BY_DAYS and (days := whole_days(course.days)):
        newest, of = added_up(course.days, days), f" of the answers of {counted(len(days), 'day')}"
    promised, told = (share_of(held, newest.truths) for held in (newest.promised, newest.told))
    return Symptom(
        cause=CAUSE,
        kind="coverage",
        is_present=True,
        at=course.seen[0],
        since=course.since,
        sentence=(
            f"The {sets} that its test set makes would hold {roughly(promised.value or 0.0)} of "
            f"the last {promised.count:,} truths that judges told{of}, and "
            f"{roughly(1.0 - promise.missed)} were promised. What is told beside answers has "
            f"grown with that: it has held {roughly(told.value or 0.0)} of them."
        ),
        advice=ADVICE.format(sets=sets),
        evidence={
            "promised": 1.0 - promise.missed,
            "verdicts": promised.count,
            "static": [promised.value, promised.low, promised.high],
            "told": [told.value, told.low, told.high],
        },
    )


def read_course(findings: Findings, model: ModelKey) -> Course:
    """Return where the champion of a model stood at the last look."""
    note = findings.standpoint(model, MONITOR)
    return read_note(Course, note if note.get("format") == FORMAT else {})


def tell_workers(service: Service, model: ModelKey) -> None:
    """Let the workers of this machine know what is asked of a model, as the store has it."""
    write_asked(
        service.shelf.folder,
        lambda before: {**before, model: _kept(service, model)},
        service.clock,
    )


def tell_workers_of_all(service: Service) -> None:
    """Let the workers of this machine know what is asked of every model, as the store has it."""
    models = [one.model.key for one in service.catalogue().models.values()]
    write_asked(
        service.shelf.folder,
        lambda _: {model: _kept(service, model) for model in models},
        service.clock,
    )


def _kept(service: Service, model: ModelKey) -> SureSettings:
    policy = service.store.registry.policy(model)
    course = read_course(service.store.findings, model)
    is_of = course.version and course.coverage == policy.coverage
    misses = {course.version: course.miss} if is_of else {}
    return SureSettings(policy.coverage, misses, policy.not_sure)
