"""Forget predictions at somebody's wish: each and its verdict go from all that is kept.

    noted      under its id, which stays: it answers 410, and what still arrives of it is erased
    erased     from batches, verdicts, outliers, audits, a challenger's answers, unreadable lines
    unlearnt   from the lessons and fates of versions, where only the id stays, so that it is known
               which versions carry it and a rebuild can leave it out

What versions computed of it stays in their parameters until they are made again; so do copies
without an id in test sets and among replayed rows. Totals and profiles have no rows. Done twice it
is as done once, so it is simply done again where it was interrupted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from unrot.core import lineage
from unrot.core.artefacts import LESSONS
from unrot.core.errors import BadArtefact, Conflict, Invalid, NotFound, NotSigned, shown
from unrot.core.records import CHAMPION, Example, Forgotten, Lesson, Model, ModelKey, Version
from unrot.core.time import DAY
from unrot.serve.service import Service

MOST_AT_ONCE = 1_000
SWEPT_AT_ONCE = 100
SETTLED_SECONDS = 120.0
"""So long a request that began before may still bring something."""
is_unverified = re.compile(r"unverified-[A-Za-z0-9_-]{16}").fullmatch
"""Tell whether an id is of a verdict in the older form."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What came of the wish to forget one prediction."""

    id: str
    model: str
    """The name of its model; empty where that was removed with all of it."""
    erased: Sequence[str] = ()
    """What there was of it, by name; empty where nothing was left."""
    learnt_by: Sequence[str] = ()
    """The versions whose lessons had it."""
    carried_by: Sequence[str] = ()
    """Those and the versions that go on from them: it is in their parameters."""
    rebuild: str = ""
    """The version to make again: the champion if it carries it, else the newest that does."""


def forget(service: Service, ids: Sequence[str]) -> list[Erasure]:
    """Forget predictions; say of each what there was, and which versions learnt from it."""
    wanted = list(dict.fromkeys(ids))
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise Invalid(f"{len(wanted):,} ids: expected 1 to {MOST_AT_ONCE:,} at once.")
    found = {id: _model_of(service, id) for id in wanted}
    there = {id: model for id, model in found.items() if model is not None}
    models = {model.key: model for model in there.values()}
    for model in models.values():
        _check_idle(service, model)
    store, now = service.store, service.clock()
    store.erasing.note({id: model.key for id, model in there.items()}, now)
    store.tell_news()
    _erase_unreadable(service.journal.folder / "unreadable", there)
    outcomes = {id: Erasure(id, "") for id in wanted}
    for model in models.values():
        some = [id for id, of in there.items() if of.key == model.key]
        of_model = store.erasing.erase(some, model.key, now)
        _unlearn(service, model.key, of_model)
        outcomes |= _outcomes(service, model, of_model)
    return list(outcomes.values())


def foresee(service: Service, ids: Sequence[str]) -> list[Erasure]:
    """Say of predictions which versions learnt from them; nothing is erased."""
    wanted = list(dict.fromkeys(ids))
    found = {id: _model_of(service, id) for id in wanted}
    models = {model.key: model for model in found.values() if model is not None}
    outcomes = {id: Erasure(id, "") for id in wanted}
    for model in models.values():
        of_model = {id: () for id, of in found.items() if of is not None and of.key == model.key}
        outcomes |= _outcomes(service, model, of_model)
    return [_with_stock(service, one) for one in outcomes.values()]


def _with_stock(service: Service, one: Erasure) -> Erasure:
    """Name what is kept of a prediction itself."""
    prediction = service.store.traffic.prediction(one.id)
    verdict = service.store.verdicts.of(one.id)
    has_signals = prediction is not None and bool(prediction.signals)
    kept = {"prediction": prediction is not None, "verdict": verdict is not None or has_signals}
    return replace(one, erased=[name for name, is_there in kept.items() if is_there])


def sweep(
    service: Service, after: Forgotten | None = None, most: int = SWEPT_AT_ONCE
) -> Forgotten | None:
    """Erase what has arrived since of predictions that were to be forgotten.

    Return behind which one to go on; None after the last. When one cannot arrive any more, versions
    are gone through again: a job that had read it before may have told why it set that aside.
    """
    now, erasing = service.clock(), service.store.erasing
    waiting = erasing.waiting(most, after)
    over = [one for one in waiting if _is_over(service, one, now)]
    for model in {one.model for one in waiting}:
        erasing.erase([one.id for one in waiting if one.model == model], model, now)
    for model in {one.model for one in over}:
        # A file that is damaged, or of a model that was removed, keeps no other from being ended.
        with suppress(BadArtefact, Conflict, NotFound):
            _unlearn(service, model, {one.id: [] for one in over if one.model == model})
    for one in over:
        erasing.end(one)
    return waiting[-1] if len(waiting) == most else None


def _is_over(service: Service, one: Forgotten, now: float) -> bool:
    """Tell whether it has arrived, as far as was known before, or nothing of it would be kept."""
    has_come = one.was_found or _is_too_old(service, one, now)
    return has_come and now - one.noted_at > SETTLED_SECONDS


def _model_of(service: Service, id: str) -> Model | None:
    """Return the model of a prediction; None where that was removed."""
    contents = service.catalogue()
    if is_unverified(id):
        try:
            return contents.by_key(service.store.verdicts.model_of_unverified(id)).model
        except NotFound:
            return None
    try:
        told = service.ids.read(id)
    except NotSigned as error:
        raise NotSigned(f"{shown(id, 40)}: {error.message} Nothing was erased.") from error
    found = contents.by_number(told.model_number)
    return None if found is None else found.model


def _check_idle(service: Service, model: Model) -> None:
    """Raise Conflict while a job runs, which may hold what is to be forgotten."""
    if any(job.is_active for job in service.store.jobs.of_model(model.key, 1)):
        raise Conflict(
            f"{model.name} is learning, perhaps from what is to be forgotten: wait until the job "
            "has ended, or cancel it, then ask again. Nothing was erased."
        )


def _is_too_old(service: Service, one: Forgotten, now: float) -> bool:
    """Tell whether retention lets go of it by itself, should it arrive."""
    if is_unverified(one.id):
        return True
    days = max(service.settings.keep_days, service.settings.feedback_days)
    return now - one.noted_at > days * DAY


# ── versions ─────────────────────────────────────────────────────────────────────────────────


def _unlearn(service: Service, model: ModelKey, erased: Mapping[str, list[str]]) -> None:
    """Leave of some examples their ids alone, in the files of all versions."""
    store = service.store
    for version in service.versions(model):
        gone = store.lessons.erase_reasons(model, version.name, erased.keys())
        if LESSONS in version.artefacts:
            gone += _erase_examples(service, model, version, erased)
        for digest in gone:
            store.tidying.drop_file(digest)


def _erase_examples(
    service: Service,
    model: ModelKey,
    version: Version,
    erased: Mapping[str, list[str]],
) -> list[str]:
    """Do so in one version; return the digests of files that hold them no more."""
    registry = service.store.registry
    lessons = service.trainer.unpack_lessons(registry.artefact(version.artefacts[LESSONS]))
    found = {
        one.prediction
        for lesson in lessons
        for one in lesson.examples
        if one.prediction in erased and not one.is_erased
    }
    if not found:
        return []
    for id in found:
        erased[id].append(f"lesson of {version.name}")
    data = service.trainer.pack_lessons([_without_rows(lesson, found) for lesson in lessons])
    return [registry.replace_file(model, version.name, LESSONS, data)]


def _without_rows(lesson: Lesson, ids: Collection[str]) -> Lesson:
    """Return a lesson with nothing of some examples but their ids, each in its place."""
    examples = tuple(
        Example(one.prediction, [], "", 0.0, False, "", one.predicted_at, one.given_at)
        if one.prediction in ids
        else one
        for one in lesson.examples
    )
    return replace(lesson, examples=examples)


def _outcomes(
    service: Service, model: Model, erased: Mapping[str, Sequence[str]]
) -> dict[str, Erasure]:
    """Say of each prediction what there was, and which versions carry it."""
    versions, lessons = service.versions(model.key), service.store.lessons
    learnt = {one.name: lessons.learnt(model.key, [one.name]) for one in versions}
    lines = {one.name: lineage.learning_line(versions, one.name) for one in versions}
    champion = service.aliases(model.key).get(CHAMPION, "")
    outcomes = {}
    for id, names in erased.items():
        learnt_by = [name for name, ids in learnt.items() if id in ids]
        carried_by = [name for name, line in lines.items() if set(line) & set(learnt_by)]
        rebuild = champion if champion in carried_by else next(reversed(carried_by), "")
        outcomes[id] = Erasure(id, model.name, names, learnt_by, carried_by, rebuild)
    return outcomes


# ── lines that no release could read ─────────────────────────────────────────────────────────


def _erase_unreadable(path: Path, ids: Collection[str]) -> None:
    """Take lines that speak of some predictions out of those that were set aside unread."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    left = [line for line in lines if not any(id.encode() in line for id in ids)]
    if len(left) < len(lines):
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(b"".join(left))
        draft.replace(path)
