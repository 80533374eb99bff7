"""The jobs that were asked for, in SQL: one at a time for each model, each held by one process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unrot.core.errors import NotFound, shown
from unrot.core.records import Job, JobKind, JobState
from unrot.store.sql import names
from unrot.store.sql.database import Database, Transaction

MOST_ATTEMPTS = 3
GAVE_UP = (
    f"It was begun {MOST_ATTEMPTS} times and its process was killed each time: look at the log, "
    "perhaps memory is short; then ask again."
)
CANCELLED = "It was cancelled."

_COLUMNS = (
    "id, model, kind, asked, created_at, asked_by, state, progress, step, result, error, reason, "
    "started_at, ended_at, attempt, is_cancelling"
)
_SELECTED = _COLUMNS.replace("model", names.name_in("j"), 1)
_ACTIVE = "state IN ('queued', 'running')"
_TO_TAKE = "(state = 'queued' OR (state = 'running' AND told_at <= ?))"
_OURS = "id = ? AND attempt = ? AND state = 'running'"


class SqlJobs:
    """The jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: Job) -> Job:
        """Queue a job and return it; while another of the model has not ended, return that."""

        def work(tx: Transaction) -> Job:
            kept_as = names.Writing(tx).kept_as(job.model)
            if kept_as is None:
                raise NotFound(f"There is no model {shown(job.model)}.")
            found = tx.execute(
                f"SELECT {_SELECTED} FROM jobs j WHERE model = ? AND {_ACTIVE}", (kept_as,)
            ).fetchone()
            if found is not None:
                return _job(found)
            tx.execute(
                f"INSERT INTO jobs ({_COLUMNS}, told_at, holder) VALUES ({', '.join('?' * 18)})",
                (*_columns(replace(job, model=kept_as)), job.created_at, ""),
            )
            return job

        return self._database.write(work)

    def job(self, id: str) -> Job | None:
        """Return a job."""
        return self._database.read(lambda tx: _find(tx, id))

    def of_model(self, model: str | None, limit: int) -> list[Job]:
        """List the jobs of a model, or of all, newest first."""

        def work(tx: Transaction) -> list[Job]:
            only = "" if model is None else "WHERE model = ?"
            chosen = () if model is None else (names.kept_as(tx, model),)
            rows = tx.execute(
                f"SELECT {_SELECTED} FROM jobs j {only} ORDER BY created_at DESC, id LIMIT ?",
                (*chosen, limit),
            ).fetchall()
            return [_job(row) for row in rows]

        return self._database.read(work)

    def counted(self, model: str, since: float) -> list[tuple[JobKind, JobState, int]]:
        """Count a model's active jobs and those asked for since a time, by kind and state."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT kind, state, COUNT(*) FROM jobs WHERE model = ? "
                f"AND (created_at >= ? OR {_ACTIVE}) GROUP BY kind, state ORDER BY kind, state",
                (names.kept_as(tx, model), since),
            ).fetchall()
        )
        return [(kind, state, count) for kind, state, count in rows]

    def waits(self, now: float, silent_after: float) -> bool:
        """Tell whether there is a job to take."""
        found = self._database.read(
            lambda tx: tx.execute(
                f"SELECT 1 FROM jobs WHERE {_ACTIVE} AND {_TO_TAKE} LIMIT 1", (now - silent_after,)
            ).fetchone()
        )
        return found is not None

    def take(self, holder: str, now: float, silent_after: float) -> Job | None:
        """Take the oldest job that is queued, or whose holder has been silent for so long."""

        def work(tx: Transaction) -> Job | None:
            while True:
                row = tx.execute(
                    f"SELECT {_SELECTED} FROM jobs j WHERE {_ACTIVE} AND {_TO_TAKE} "
                    "ORDER BY created_at, id LIMIT 1",
                    (now - silent_after,),
                ).fetchone()
                if row is None:
                    return None
                found = _job(row)
                if found.is_cancelling:
                    _end(tx, found.id, now, error=CANCELLED, reason="cancelled")
                elif found.attempt >= MOST_ATTEMPTS:
                    _end(tx, found.id, now, error=GAVE_UP, reason="gave_up")
                else:
                    return _taken(tx, found, holder, now)

        return self._database.write(work)

    def let_go(self, holder: str) -> None:
        """Say that whoever held jobs under this name is gone, so that they can be taken."""
        self._database.write(
            lambda tx: tx.execute(
                "UPDATE jobs SET told_at = 0 WHERE state = 'running' AND holder = ?", (holder,)
            )
        )

    def tell(self, job: Job, progress: float, step: str, now: float) -> Job | None:
        """Note how far a job is and that its holder lives; None when this attempt lost it."""

        def work(tx: Transaction) -> Job | None:
            tx.execute(
                f"UPDATE jobs SET progress = ?, step = ?, told_at = ? WHERE {_OURS}",
                (progress, step, now, job.id, job.attempt),
            )
            found = _find(tx, job.id)
            return found if found is not None and is_held(found, job) else None

        return self._database.write(work)

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

        def work(tx: Transaction) -> bool:
            found = _find(tx, job.id)
            if found is None or not is_held(found, job):
                return False
            _end(tx, job.id, now, result=result, error=error, reason=reason)
            return True

        return self._database.write(work)

    def cancel(self, id: str, now: float) -> Job | None:
        """Ask that a job ends: a queued one has ended at once, a running one when it looks up."""

        def work(tx: Transaction) -> Job | None:
            found = _find(tx, id)
            if found is not None and found.state == "queued":
                _end(tx, id, now, error=CANCELLED, reason="cancelled")
            elif found is not None and found.is_active:
                tx.execute("UPDATE jobs SET is_cancelling = 1 WHERE id = ?", (id,))
            return _find(tx, id)

        return self._database.write(work)


def finish(tx: Transaction, job: Job, result: Mapping[str, Any], now: float) -> bool:
    """End a job in the transaction that keeps what came of it; False when it was lost."""
    found = _find(tx, job.id)
    if found is None or not is_held(found, job):
        return False
    _end(tx, job.id, now, result=result)
    return True


def is_held(found: Job, job: Job) -> bool:
    """Tell whether an attempt at a job is still the one that counts."""
    return found.state == "running" and found.attempt == job.attempt


def _taken(tx: Transaction, found: Job, holder: str, now: float) -> Job:
    taken = replace(
        found,
        state="running",
        attempt=found.attempt + 1,
        progress=0.0,
        step="beginning",
        started_at=found.started_at or now,
    )
    tx.execute(
        "UPDATE jobs SET state = ?, attempt = ?, progress = ?, step = ?, started_at = ?, "
        "told_at = ?, holder = ? WHERE id = ?",
        (
            taken.state,
            taken.attempt,
            taken.progress,
            taken.step,
            taken.started_at,
            now,
            holder,
            taken.id,
        ),
    )
    return taken


def _end(
    tx: Transaction,
    id: str,
    now: float,
    *,
    result: Mapping[str, Any] | None = None,
    error: str = "",
    reason: str = "",
) -> None:
    is_done = result is not None
    tx.execute(
        "UPDATE jobs SET state = ?, progress = CASE WHEN ? = 1 THEN 1.0 ELSE progress END, "
        "step = ?, result = ?, error = ?, reason = ?, ended_at = ? WHERE id = ?",
        (
            "done" if is_done else "failed",
            int(is_done),
            "done" if is_done else "ended",
            json.dumps(result) if is_done else None,
            error,
            reason,
            now,
            id,
        ),
    )


def _find(tx: Transaction, id: str) -> Job | None:
    row = tx.execute(f"SELECT {_SELECTED} FROM jobs j WHERE id = ?", (id,)).fetchone()
    return None if row is None else _job(row)


def _columns(job: Job) -> tuple[Any, ...]:
    return (
        job.id,
        job.model,
        job.kind,
        json.dumps(dict(job.asked)),
        job.created_at,
        job.asked_by,
        job.state,
        job.progress,
        job.step,
        None if job.result is None else json.dumps(dict(job.result)),
        job.error,
        job.reason,
        job.started_at,
        job.ended_at,
        job.attempt,
        int(job.is_cancelling),
    )


def _job(row: Any) -> Job:
    id, model, kind, asked, created_at, asked_by, state, progress, step, result, *rest = row
    error, reason, started_at, ended_at, attempt, is_cancelling = rest
    return Job(
        id=id,
        model=model,
        kind=kind,
        asked=json.loads(asked),
        created_at=created_at,
        asked_by=asked_by,
        state=state,
        progress=progress,
        step=step,
        result=None if result is None else json.loads(result),
        error=error,
        reason=reason,
        started_at=started_at,
        ended_at=ended_at,
        attempt=attempt,
        is_cancelling=bool(is_cancelling),
    )
