"""The learner as a process: `python -m unrot.run.learner PARENT`, which the caretaker starts.

It holds scikit-learn and a table while a small machine goes on serving, so it takes in nothing that
it does not need: the command line alone is 8 MB. `python -m unrot learner` does the same by hand.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from unrot.core import logs
from unrot.core.errors import StoreAway, UnrotError
from unrot.core.settings import Settings, load
from unrot.learn.worker import Learner, do_job, new_holder
from unrot.run.bootstrap import open_service, writer_name
from unrot.run.parent import stop_with_parent
from unrot.run.sparing import sparing_options
from unrot.serve.service import Service
from unrot.serve.shelf import sync


def command_of_learner(parent: int) -> list[str]:
    """Return what starts a learner that ends with its parent."""
    return [sys.executable, *sparing_options(), "-m", "unrot.run.learner", str(parent)]


def main(parent: int) -> int:
    """Do jobs by the settings of the environment; return the exit status."""
    logs.log_the_uncaught()
    try:
        settings = load()
        logs.set_up(settings.log)
        do_jobs(settings, parent)
    except UnrotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def do_jobs(settings: Settings, parent: int | None) -> None:
    """Do the jobs that wait; end when none comes, when told to, or with the parent.

    A job in the middle is let go at once, so that the next learner takes it up.
    """
    ended = threading.Event()
    if parent is not None:
        stop_with_parent(ended.set, parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    service, holder = open_service(settings), new_holder(writer_name(settings))
    service.store.check()
    sync(service.shelf.folder, service.store.registry)
    worker = Learner(service, do_job, holder=holder)
    working = threading.Thread(target=_do_all, args=(worker, ended), daemon=True)
    working.start()
    ended.wait()
    working.join(0.2)
    if working.is_alive():
        _let_go(service, holder)
        os._exit(0)


def _do_all(worker: Learner, ended: threading.Event) -> None:
    try:
        worker.run()
    finally:
        ended.set()


def _let_go(service: Service, holder: str) -> None:
    try:
        service.store.jobs.release(holder)
    except StoreAway:
        return


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
