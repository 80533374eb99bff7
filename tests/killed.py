"""Learners that kill themselves with -9 at named points: python -m tests.killed.

Each line that it reads, a list of a home folder, a point and an environment, is a process of its
own, whose end it tells. It is forked from this one, which has loaded what a job needs (two seconds
of CPU) and nothing of pytest, and has opened nothing.

The product knows nothing of it: methods of the service's drawers and functions of the rooms are
wrapped from outside.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOLDER = "doomed/learner"


def kill() -> None:
    """End this process as the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    """Kill at the call of a function, before it has done anything."""

    def doomed(*_: Any, **__: Any) -> None:
        kill()

    setattr(owner, name, doomed)


def after(owner: Any, name: str) -> None:
    """Kill when a function has done all that it does."""
    real = getattr(owner, name)

    def doomed(*given: Any, **named: Any) -> None:
        real(*given, **named)
        kill()

    setattr(owner, name, doomed)


def inside(kind: Any, beside: Any = None) -> None:
    """Kill inside a transaction, when a document of a kind is written; beside one of another.

    In Datastore a transaction is one call: it is killed while that is on its way.
    """
    from unrot.store import engine
    from unrot.store.datastore import DatastoreStore

    commit, send, make = engine.SqlStore.commit, DatastoreStore.commit, engine._make

    def is_meant(changes: Any) -> bool:
        kinds = {change.kind.name for change in changes}
        return kind.name in kinds and (beside is None or beside.name in kinds)

    def doomed(tx: Any, way: Any, *given: Any) -> bool:
        is_made = make(tx, way, *given)
        if way.kind.name == kind.name:
            kill()
        return is_made

    def watched(store: Any, changes: Any) -> None:
        if is_meant(changes):
            engine._make = doomed
        commit(store, changes)

    def watched_call(store: Any, changes: Any) -> None:
        if is_meant(changes):
            threading.Timer(random.uniform(0, 0.02), kill).start()
        send(store, changes)
        if is_meant(changes):
            kill()

    engine.SqlStore.commit = watched  # type: ignore[method-assign]
    DatastoreStore.commit = watched_call  # type: ignore[method-assign]


def points() -> dict[str, Callable[[], None]]:
    """Return the points by name, in the order of a job; each lays its wire when it is called."""
    from unrot.learn import learn, publish, worker
    from unrot.learn.job_store import JobStore
    from unrot.learn.lesson_store import LessonStore
    from unrot.make.trainable import TrainableEstimator as Taught
    from unrot.make.trainer import EstimatorTrainer as Shop
    from unrot.serve import shelf
    from unrot.store.kinds import JOB, MODEL, VERSION

    telling = worker._Heartbeat
    return {
        "before it is taken": lambda: before(JobStore, "claim"),
        "inside the transaction that takes it": lambda: inside(JOB),
        "after it told how far it is": lambda: telling_often(lambda: after(telling, "_tell")),
        "after its material was read": lambda: after(worker, "read_material"),
        "after the estimator was opened": lambda: after(Shop, "open"),
        "after the verdicts were cleaned": lambda: after(learn, "clean"),
        "at a heartbeat while it learns": heartbeat,
        "after it has learnt": lambda: after(Taught, "learn"),
        "after it was compiled": lambda: after(Taught, "candidate"),
        "after the gate has weighed it": lambda: after(publish, "judge_candidate"),
        "after its lessons were packed": lambda: after(Shop, "pack_lessons"),
        "inside, when the version is written": lambda: inside(VERSION),
        "inside, when the job has ended": lambda: inside(JOB, beside=VERSION),
        "inside, when the champion has moved": lambda: inside(MODEL, beside=VERSION),
        "after the transaction that keeps it": lambda: after(LessonStore, "publish"),
        "before its files are on the shelf": lambda: before(shelf, "_replace"),
        "before the pointer of the shelf": lambda: before_file(shelf, "pointer.json"),
        "after the pointer of the shelf": lambda: before(shelf, "_sweep"),
    }


def telling_often(lay: Callable[[], None]) -> None:
    """Let a job tell at each step, however short it is."""
    from unrot.learn import worker

    worker.TELL_SECONDS = 0.0
    lay()


def heartbeat() -> None:
    """Kill in the thread that tells of a job while it is at work."""
    from unrot.learn import worker
    from unrot.make.trainable import TrainableEstimator

    worker.TELL_SECONDS, worker.BEAT_SECONDS = 1e9, 0.01
    after(worker._Heartbeat, "_tell")
    setattr(TrainableEstimator, "learn", lambda *_: time.sleep(60))  # noqa: B010


def before_file(shelf: Any, name: str) -> None:
    """Kill before a file of the shelf is replaced."""
    real = shelf._replace

    def doomed(path: Path, data: bytes) -> None:
        if path.name == name:
            kill()
        real(path, data)

    shelf._replace = doomed


def do_job(home: str, point: str, environment: dict[str, str]) -> None:
    """Do the job that waits, as far as the point."""
    from unrot.core.settings import Settings
    from unrot.learn.worker import Learner
    from unrot.run.bootstrap import open_service

    os.environ.update(environment)
    points()[point]()
    settings = Settings(home=Path(home), store=os.environ.get("UNROT_STORE", ""))
    Learner(open_service(settings), holder=HOLDER).do_next()


def load() -> None:
    """Load what a job needs; the libraries here it would load when it comes to them."""
    import skl2onnx
    import sklearn.linear_model
    import skops.io

    from unrot.learn import worker
    from unrot.run import bootstrap

    points()
    assert all((sklearn.linear_model, skl2onnx, skops.io, worker, bootstrap))


def main() -> None:
    """Do the job of each line in a process of its own; tell how each has ended."""
    load()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            do_job(*json.loads(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
