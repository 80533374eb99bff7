"""The process that does the jobs: it takes one after the other and ends when none comes.

A job goes one way: its material is read, an estimator is taught, what it is held against is read,
and it is compiled, judged and published.

The caretaker starts it when a job waits, so that the memory of a fit goes back when it is over.
It stays for a little while, because the next job then starts at once. It holds each job under an
attempt number: whoever has been silent for too long loses the job, and nothing that it still
says or publishes counts. A version, the fates of its verdicts, its alias and the end of its job
are one transaction, so that a process killed anywhere leaves nothing half done.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from unrot.core.errors import Conflict, StoreAway, UnrotError
from unrot.core.memory import hand_back_memory
from unrot.core.ports import Progress, Trainable
from unrot.core.records import Job, JobKind
from unrot.learn import retention
from unrot.learn.learn import learn_verdicts
from unrot.learn.material import Material, part_of, read_evidence, read_material
from unrot.learn.publish import Draft, Unchanged, publish_draft
from unrot.learn.rebuild import rebuild_version
from unrot.learn.refit import refit_model
from unrot.learn.refusals import NothingLeft
from unrot.learn.stream import feed_stream, reset_stream
from unrot.learn.weigh import weigh_version
from unrot.serve.service import Service

SILENT_SECONDS = 10.0
BEAT_SECONDS = 2.0
LOOK_SECONDS = 0.05
IDLE_SECONDS = 20.0
TELL_SECONDS = 0.2
"""A job that is shorter tells nothing: each telling is a commit."""
UNTOLD_SECONDS = 0.2
"""After which a step that came too soon after another is told."""

MOST_TRIES = 3
BEGIN_AGAIN = ("champion_moved", "forgotten_meanwhile")
"""Why a job may be refused at its end and done again at once."""
UNFORESEEN = "It failed for a reason that nobody foresaw; what happened stands in the log."

_log = logging.getLogger(__name__)

Doing = Callable[[Service, Job, Progress], None]
"""Does a job to its end: it publishes what came of it, which ends the job."""

Teacher = Callable[[Material, Trainable, Progress], Draft | Unchanged]

TEACHERS: Mapping[JobKind, Teacher] = {
    "learn": learn_verdicts,
    "refit": refit_model,
    "rebuild": rebuild_version,
    "train_batch": feed_stream,
    "reset": reset_stream,
}


class Cancelled(Exception):
    """Somebody asked that the job ends."""


class Lost(Exception):
    """The job is another process's by now."""


def do_job(service: Service, job: Job, tell: Progress) -> None:
    """Do a job to its end."""
    tell(0.01, "looking at the champion")
    if job.kind == "weigh":
        weigh_version(service, job, tell)
    else:
        _make_version(service, job, tell)
    retention.tidy(service, job.model)


def _make_version(service: Service, job: Job, tell: Progress) -> None:
    """Teach the champion's estimator, and publish what it is then."""
    material, draft = _teach(service, job, tell)
    if isinstance(draft, Unchanged):
        service.store.jobs.end(job, service.clock(), result=draft.result)
    else:
        hand_back_memory()
        tell(0.7, "reading what it is held against")
        publish_draft(service, read_evidence(service, material), draft, part_of(tell, 0.7, 1.0))


def _teach(service: Service, job: Job, tell: Progress) -> tuple[Material, Draft | Unchanged]:
    """Teach a copy of the estimator; it and its tables are let go of with the lesson."""
    try:
        material, trainable = read_material(service, job, tell)
        return material, TEACHERS[job.kind](material, trainable, part_of(tell, 0.1, 0.7))
    except NothingLeft as nothing:
        version = nothing.version
        service.store.lessons.decide(version.model, version.name, nothing.fates)
        raise


class Learner:
    """Takes jobs and does them."""

    def __init__(self, service: Service, do: Doing = do_job, *, holder: str) -> None:
        self._service = service
        self._do = do
        self._holder = holder
        self._stopping = threading.Event()

    def run(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        """Do jobs until none has come for a while, or `stop`."""
        worked_at = time.monotonic()
        while not self._stopping.is_set() and time.monotonic() - worked_at < idle_seconds:
            try:
                if self.do_next():
                    worked_at = time.monotonic()
                    continue
            except StoreAway as error:
                _log.warning("The learner waits for the store: %s", error)
                self._stopping.wait(1.0)
            self._stopping.wait(LOOK_SECONDS)

    def stop(self) -> None:
        """Take no further job."""
        self._stopping.set()

    def do_next(self) -> bool:
        """Take a job and do it; tell whether there was one."""
        job = self._service.store.jobs.claim(self._holder, self._service.clock(), SILENT_SECONDS)
        if job is None:
            return False
        with _Heartbeat(self._service, job) as tell:
            self._try(job, tell)
        return True

    def _try(self, job: Job, tell: _Heartbeat) -> None:
        """Do a job; begin anew where what it went on from was changed meanwhile."""
        for _ in range(MOST_TRIES):
            try:
                self._do(self._service, job, tell)
                return
            except (Cancelled, Lost) as ended:
                if isinstance(ended, Cancelled):
                    self._end(job, "It was cancelled.", "cancelled")
                return
            except StoreAway:
                raise
            except UnrotError as error:
                trouble = error
                if not isinstance(error, Conflict) or error.reason not in BEGIN_AGAIN:
                    break
            except Exception:
                _log.exception("The job %s (%s of %s) failed.", job.id, job.kind, job.model)
                self._end(job, UNFORESEEN, "internal")
                return
        self._end(job, trouble.message, trouble.reason)

    def _end(self, job: Job, error: str, reason: str) -> None:
        self._service.store.jobs.end(job, self._service.clock(), error=error, reason=reason)


class _Heartbeat:
    """Tells how far a job is, a moment later at most, and every two seconds that it goes on."""

    def __init__(self, service: Service, job: Job) -> None:
        self._service = service
        self._job = job
        self._said = self._told = (0.0, "beginning")
        self._told_at = time.monotonic()
        self._ended = threading.Event()
        self._trouble: type[Exception] | None = None
        self._beating = threading.Thread(target=self._beat, name="job heartbeat", daemon=True)

    def __enter__(self) -> _Heartbeat:
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._beating.join()

    def __call__(self, progress: float, step: str) -> None:
        """Note how far it is; raise when the job is cancelled or lost."""
        self._said = (progress, step)
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._tell()
        if self._trouble is not None:
            raise self._trouble

    def _beat(self) -> None:
        while not self._ended.wait(min(BEAT_SECONDS, UNTOLD_SECONDS)):
            patience = BEAT_SECONDS if self._said == self._told else UNTOLD_SECONDS
            if time.monotonic() - self._told_at >= patience:
                self._tell()

    def _tell(self) -> None:
        hand_back_memory()
        self._told_at, self._told = time.monotonic(), self._said
        try:
            found = self._service.store.jobs.heartbeat(
                self._job, *self._told, self._service.clock()
            )
        except StoreAway:
            return
        if found is None:
            self._trouble = Lost
        elif found.is_cancelling:
            self._trouble = Cancelled


def new_holder(writer: str) -> str:
    """Return the name under which this home folder's learner holds jobs."""
    return f"{writer}/learner"
