"""A pair of hands for one job: this process does it, or sees it done by a caretaker's learner."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context

from unrot.core.errors import Conflict, StoreAway
from unrot.core.ports import Progress
from unrot.core.records import Job
from unrot.learn import jobs
from unrot.learn.worker import Doing, Learner, do_job
from unrot.serve.service import Service

LOOK_SECONDS = 0.1
STORE_SECONDS = 1.0
CANCEL_SECONDS = 10.0
CANCELLED = "It was cancelled."


def see_done(service: Service, asked: Job, progress: Progress, *, holder: str) -> Job:
    """Do a job, or watch another process do it; Ctrl-C cancels it. Return it as it ended."""
    worker = _Worker(service, asked, holder)
    try:
        progress(0.0, "starting")
        worker.start()
        return _watched(service, asked, progress)
    except KeyboardInterrupt:
        progress(0.0, "cancelling")
        return worker.cancel()
    except BaseException:
        worker.cancel()
        raise
    finally:
        worker.end()


def _watched(service: Service, found: Job, progress: Progress) -> Job:
    while found.is_active:
        time.sleep(LOOK_SECONDS)
        try:
            found = jobs.job(service, found.id)
            progress(found.progress, found.step)
        except StoreAway:
            progress(found.progress, "waiting for the store")
            time.sleep(STORE_SECONDS)
    return found


class _Worker:
    """Does what waits until one job has ended, which is at the head of the queue as a rule."""

    def __init__(self, service: Service, asked: Job, holder: str) -> None:
        self._service = service
        self._asked = asked
        self._holder = holder
        self._held: set[str] = set()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        learner = Learner(self._service, self._noting(do_job), holder=self._holder)
        whose = copy_context()  # A thread begins with nobody at work.
        self._thread = threading.Thread(target=whose.run, args=(self._work, learner), daemon=True)
        self._thread.start()

    def cancel(self) -> Job:
        """Cancel the job, at once where it is held here; return it as it stands then."""
        id = self._asked.id
        try:
            found = jobs.cancel(self._service, id)
        except Conflict:
            return jobs.job(self._service, id)
        if found.is_active and id in self._held:
            # A fit has no ear for it; what it still brings is refused by the store.
            self._service.store.jobs.end(
                found, self._service.clock(), error=CANCELLED, reason="cancelled"
            )
        return jobs.follow(self._service, id, CANCEL_SECONDS)

    def end(self) -> None:
        """Do nothing further, and let go of what another command may have asked for."""
        self._is_over.set()
        if self._thread is None:
            return
        self._thread.join(1.0)
        if self._thread.is_alive():
            self._service.store.jobs.release(self._holder)

    def _work(self, learner: Learner) -> None:
        while not self._is_over.is_set():
            try:
                if not jobs.job(self._service, self._asked.id).is_active:
                    return
                if learner.do_next():
                    continue
            except StoreAway:
                self._is_over.wait(STORE_SECONDS)
            self._is_over.wait(LOOK_SECONDS)

    def _noting(self, doing: Doing) -> Doing:
        def noted(service: Service, job: Job, tell: Progress) -> None:
            self._held.add(job.id)
            doing(service, job, tell)

        return noted
