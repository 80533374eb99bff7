"""The long work that was asked for, as documents; one active job a model.

A job that is queued or runs has a second document under its model's key, which only one job can
have. What an attempt still tells after another has taken the job is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from unrot.core.errors import NotFound, shown
from unrot.core.records import Job, JobKind, JobState, ModelKey
from unrot.store.kinds import ACTIVE_JOB, JOB
from unrot.store.names import Models, move_generation
from unrot.store.operations import (
    ABSENT,
    Change,
    Delete,
    Document,
    Operations,
    Put,
    scan_all,
    until_kept,
)

MOST_ATTEMPTS = 3
GAVE_UP = (
    f"It was begun {MOST_ATTEMPTS} times and its process was killed each time: look at the log, "
    "perhaps memory is short; then ask again."
)
CANCELLED = "It was cancelled."


class JobStore:
    """The jobs."""

    def __init__(self, database: Operations, models: Models) -> None:
        self._database = database
        self._models = models

    def add(self, job: Job) -> Job:
        """Queue a job and return it; while another of the model has not ended, return that."""
        if self._models.is_removed(job.model):
            raise NotFound(f"There is no model {shown(job.model)}.")

        def work() -> Job:
            active = self._database.get(ACTIVE_JOB, job.model)
            found = None if active is None else self.job(active["job"])
            if found is not None and found.is_active:
                return found
            expect = ABSENT if active is None else active.revision
            taken = Put(ACTIVE_JOB, job.model, {"job": job.id}, expect)
            queued = _put(job, ABSENT, holder="", told_at=job.created_at)
            self._database.commit([queued, taken, move_generation()])
            return job

        return until_kept(work)

    def job(self, id: str) -> Job | None:
        """Return a job."""
        found = self._database.get(JOB, id)
        return None if found is None else _job(found)

    def of_model(self, model: ModelKey | None, limit: int) -> list[Job]:
        """List the jobs of a model, or of all, newest first."""
        index, equal = ("asked", []) if model is None else ("of model", [model])
        found = self._database.scan(JOB, index, equal, newest_first=True, limit=limit + 20)
        jobs = sorted(map(_job, found), key=lambda one: (-one.created_at, one.id))
        return jobs[:limit]

    def counted(self, model: ModelKey, since: float) -> list[tuple[JobKind, JobState, int]]:
        """Count a model's active jobs and those asked for since a time, by kind and state."""
        recent = scan_all(self._database, JOB, "of model", [model], since=since)
        active = scan_all(self._database, JOB, "active", [True])
        found = {one.key: one for one in [*recent, *(a for a in active if a["model"] == model)]}
        counts = Counter((one["body"]["kind"], one["body"]["state"]) for one in found.values())
        return [(kind, state, count) for (kind, state), count in sorted(counts.items())]

    def waits(self, now: float, silent_after: float) -> bool | None:
        """Tell whether there is a job to take; None where there is none, taken or not."""
        active = self._active()
        return any(_is_free(one, now - silent_after) for one in active) if active else None

    def claim(self, holder: str, now: float, silent_after: float) -> Job | None:
        """Claim the oldest job that is queued, or whose holder has been silent for so long."""

        def work() -> Job | None:
            for document in self._active():
                if not _is_free(document, now - silent_after):
                    continue
                found = _job(document)
                if found.is_cancelling:
                    self._database.commit(_end(document, now, CANCELLED, "cancelled"))
                elif found.attempt >= MOST_ATTEMPTS:
                    self._database.commit(_end(document, now, GAVE_UP, "gave_up"))
                else:
                    taken = _taken(found, now)
                    put = _put(taken, document.revision, holder=holder, told_at=now)
                    self._database.commit([put])
                    return taken
            return None

        return until_kept(work)

    def release(self, holder: str) -> None:
        """Say that whoever held jobs under this name is gone, so that they can be taken."""

        def work() -> None:
            for document in self._active():
                body = document["body"]
                if body["holder"] == holder and body["state"] == "running":
                    self._database.commit([_changed(document, told_at=0.0)])

        until_kept(work)

    def heartbeat(self, job: Job, progress: float, step: str, now: float) -> Job | None:
        """Note how far a job is and that its holder lives; None when this attempt lost it."""

        def work() -> Job | None:
            document = self._held(job)
            if document is None:
                return None
            told = _changed(document, progress=progress, step=step, told_at=now)
            self._database.commit([told])
            return replace(_job(document), progress=progress, step=step)

        return until_kept(work)

    def end(
        self,
        job: Job,
        now: float,
        *,
        result: Mapping[str, Any] | None = None,
        error: str = "",
        reason: str = "",
    ) -> bool:
        """End a job as done with a result, or as failed; False when this attempt lost it."""

        def work() -> bool:
            changes = self.ended(job, now, result=result, error=error, reason=reason)
            self._database.commit(changes or [])
            return changes is not None

        return until_kept(work)

    def ended(
        self,
        job: Job,
        now: float,
        *,
        result: Mapping[str, Any] | None,
        error: str = "",
        reason: str = "",
    ) -> list[Change] | None:
        """Return the changes that end a job; None when this attempt lost it."""
        document = self._held(job)
        return None if document is None else _end(document, now, error, reason, result)

    def cancel(self, id: str, now: float) -> Job | None:
        """Ask that a job ends: a queued one has ended at once, a running one when it looks up."""

        def work() -> Job | None:
            document = self._database.get(JOB, id)
            if document is None:
                return None
            if document["body"]["state"] == "queued":
                self._database.commit(_end(document, now, CANCELLED, "cancelled"))
            elif _job(document).is_active:
                self._database.commit([_changed(document, is_cancelling=True)])
            return self.job(id)

        return until_kept(work)

    def _active(self) -> list[Document]:
        """Return the jobs that have not ended, the oldest first."""
        return list(scan_all(self._database, JOB, "active", [True]))

    def _held(self, job: Job) -> Document | None:
        """Return a job that an attempt still holds."""
        document = self._database.get(JOB, job.id)
        if document is None:
            return None
        body = document["body"]
        return document if (body["state"], body["attempt"]) == ("running", job.attempt) else None


def _job(document: Document) -> Job:
    """Read a job; what a newer release knows besides is left out."""
    known = Job.__dataclass_fields__
    body = {name: value for name, value in document["body"].items() if name in known}
    return Job(**{**body, "id": document.key, "model": document["model"]})


def _is_free(document: Document, silent_since: float) -> bool:
    body = document["body"]
    return bool(body["state"] == "queued" or body["told_at"] <= silent_since)


def _taken(job: Job, now: float) -> Job:
    return replace(
        job,
        state="running",
        attempt=job.attempt + 1,
        progress=0.0,
        step="beginning",
        started_at=job.started_at or now,
    )


def _put(job: Job, expect: int, *, holder: str, told_at: float) -> Put:
    body = {name: value for name, value in asdict(job).items() if name not in ("id", "model")}
    body |= {"holder": holder, "told_at": told_at}
    active = True if job.is_active else None
    fields = {"model": job.model, "asked at": job.created_at, "active": active, "body": body}
    return Put(JOB, job.id, fields, expect)


def _changed(document: Document, **changes: Any) -> Put:
    body = {**document["body"], **changes}
    return Put(JOB, document.key, {**document.fields, "body": body}, document.revision)


def _end(
    document: Document,
    now: float,
    error: str,
    reason: str,
    result: Mapping[str, Any] | None = None,
) -> list[Change]:
    is_done = result is not None
    body = {
        **document["body"],
        "state": "done" if is_done else "failed",
        "progress": 1.0 if is_done else document["body"]["progress"],
        "step": "done" if is_done else "ended",
        "result": dict(result) if result is not None else None,
        "error": error,
        "reason": reason,
        "ended_at": now,
    }
    ended = {**document.fields, "active": None, "body": body}
    return [
        Put(JOB, document.key, ended, document.revision),
        Delete(ACTIVE_JOB, document["model"]),
    ]
