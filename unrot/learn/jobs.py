"""Long work on a model: ask for it, follow it, cancel it. The learner (`worker.py`) does it.

What cannot be done is refused when it is asked for, as far as that can be told without opening
an estimator; the rest is said by the job itself when it fails.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from unrot.core import lineage
from unrot.core.artefacts import STREAM
from unrot.core.errors import Conflict, NotFound, StoreAway, shown, wrong_field
from unrot.core.records import CHAMPION, Job, JobKind, Version
from unrot.hear.truth import parse_weights
from unrot.learn.refusals import check_can_learn, check_is_kept
from unrot.serve.service import Service
from unrot.serve.shelf import sync

LOOK_AGAIN_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 60.0
MOST_LEFT_OUT = 10_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Busy(Conflict):
    """Another job of the model is running; it goes with the answer."""

    reason = "busy"

    def __init__(self, job: Job, name: str) -> None:
        super().__init__(
            f"{name} is busy: {job.kind} is {job.state} ({100 * job.progress:.0f} %, {job.step}). "
            "Wait for it, or cancel it."
        )
        self.job = job


def ask(
    service: Service, name: str, kind: JobKind, asked: Mapping[str, Any], *, by: str = ""
) -> Job:
    """Queue a job; raise Busy with the one that the model already has."""
    model = service.catalogue().model(name).model
    # The alias first: what it points at is then among the versions, however many are added.
    champion = service.store.registry.aliases(model.key).get(CHAMPION)
    versions = service.store.registry.versions(model.key)
    if champion is None:
        raise Conflict(f"{model.name} has no champion to go on from: promote a version first.")
    _CHECKS[kind](service, lineage.named(versions, champion), versions, dict(asked))
    job = Job(
        id=secrets.token_hex(8),
        model=model.key,
        kind=kind,
        asked=dict(asked),
        created_at=service.clock(),
        asked_by=by,
    )
    queued = service.store.jobs.add(job)
    if queued.id != job.id:
        raise Busy(queued, model.name)
    return queued


def job(service: Service, id: str) -> Job:
    """Return a job."""
    found = service.store.jobs.job(id)
    if found is None:
        raise NotFound(f"There is no job {shown(id)}.")
    return found


def listed(service: Service, name: str | None, limit: int) -> list[Job]:
    """List the jobs of a model, or of all, newest first."""
    model = None if name is None else service.catalogue().model(name).model.key
    return service.store.jobs.of_model(model, limit)


def follow(service: Service, id: str, seconds: float) -> Job:
    """Wait until a job has ended, or so long; return it as it is then."""
    ends_at = time.monotonic() + min(seconds, LONGEST_WAIT_SECONDS)
    found = job(service, id)
    while found.is_active and time.monotonic() < ends_at:
        time.sleep(LOOK_AGAIN_SECONDS)
        try:
            found = job(service, id)
        except StoreAway:
            # It was asked for: an answer that says otherwise would have it asked for twice.
            continue
    if found.state == "done":
        _shelve(service)
    return found


def _shelve(service: Service) -> None:
    """Let whoever waited be answered by what was made from now on."""
    with suppress(StoreAway):
        sync(service.shelf.folder, service.store.registry)


def cancel(service: Service, id: str) -> Job:
    """Ask that a job ends."""
    found = service.store.jobs.cancel(id, service.clock())
    if found is None:
        raise NotFound(f"There is no job {shown(id)}.")
    if not found.is_active and found.reason != "cancelled":
        raise Conflict(f"This job has ended already: it is {found.state}.")
    return found


# ── what can be told before anything is opened ───────────────────────────────────────────────


def _check_learn(
    service: Service, champion: Version, versions: list[Version], asked: dict[str, Any]
) -> None:
    _check_known(asked)
    check_is_kept(champion, "learn")
    check_can_learn(champion, can_learn=champion.made.get("learns") != "afresh")
    line = lineage.learning_line(versions, champion.name)
    if not service.store.lessons.count_waiting(champion.model, line):
        raise Conflict(
            f"There is no verdict that {champion.name} could still learn from: nothing waits.",
            reason="nothing_to_learn",
        )


def _check_refit(
    service: Service, champion: Version, _versions: list[Version], asked: dict[str, Any]
) -> None:
    _check_known(asked, "weights")
    parse_weights(asked.get("weights", {}))
    check_is_kept(champion, "refit")
    if not service.store.lessons.count_waiting(champion.model, []):
        raise Conflict(
            "There is no verdict to learn from yet: judge some predictions first.",
            reason="nothing_to_learn",
        )


def _check_batch(
    service: Service, champion: Version, _versions: list[Version], asked: dict[str, Any]
) -> None:
    _check_known(asked, "n")
    count = asked.get("n", 25)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 1_000_000:
        raise wrong_field("n", count, "a whole number of rows, 1 or more")
    _check_stream(service, champion)


def _check_reset(
    service: Service, champion: Version, _versions: list[Version], asked: dict[str, Any]
) -> None:
    _check_known(asked)
    _check_stream(service, champion)


def _check_rebuild(
    _service: Service, _champion: Version, versions: list[Version], asked: dict[str, Any]
) -> None:
    _check_known(asked, "version", "without")
    name = asked.get("version")
    if not isinstance(name, str):
        raise wrong_field("version", name, "the name of a version, such as v2")
    version = lineage.named(versions, name)
    without = asked.get("without", [])
    if not isinstance(without, list) or len(without) > MOST_LEFT_OUT:
        raise wrong_field("without", without, f"a list of at most {MOST_LEFT_OUT:,} prediction ids")
    for id in without:
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise wrong_field("without", id, "the id of a prediction")
    if version.is_pruned:
        raise Conflict(f"The files of {name} were removed by retention: it cannot be made again.")


def _check_weigh(
    _service: Service, champion: Version, versions: list[Version], asked: dict[str, Any]
) -> None:
    _check_known(asked, "version")
    name = asked.get("version")
    if not isinstance(name, str):
        raise wrong_field("version", name, "the name of a version, such as v2")
    version = lineage.named(versions, name)
    if version.name == champion.name:
        raise Conflict(f"{name} is the champion: there is nothing to weigh it against.")
    if version.is_pruned:
        raise Conflict(f"The files of {name} were removed by retention: it cannot be weighed.")


_CHECKS = {
    "learn": _check_learn,
    "refit": _check_refit,
    "train_batch": _check_batch,
    "reset": _check_reset,
    "rebuild": _check_rebuild,
    "weigh": _check_weigh,
}


def _check_stream(service: Service, champion: Version) -> None:
    if STREAM not in champion.artefacts:
        raise Conflict(
            f"{service.catalogue().name_of(champion.model)} has no training stream: train it with "
            "--stream to feed it row by row.",
            reason="no_stream",
        )


def _check_known(asked: Mapping[str, Any], *known: str) -> None:
    for name, value in asked.items():
        if name not in known:
            expected = f"only {', '.join(known)}" if known else "no parameters"
            raise wrong_field(name[:80], value, expected)
