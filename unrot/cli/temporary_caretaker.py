"""A caretaker for as long as a command runs, where no server has one running already.

It is a process of its own, the very command that an operator would start: it works on the other
core, its memory goes back when it ends, and a server that is started meanwhile waits its turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unrot.core.ports import Progress
from unrot.run.caretaker import is_looked_after
from unrot.serve import readiness
from unrot.serve.journal import Journal, backlog_bytes

ROOT = Path(__file__).resolve().parent.parent.parent
POLL_SECONDS = 0.05


@contextmanager
def shipped(home: Path, journal: Journal, progress: Progress) -> Iterator[None]:
    """See to it that the journal is shipped while a command writes it, and to its end."""
    if is_looked_after(home):
        yield
        return
    started_at = time.monotonic()
    caretaker = _start()
    try:
        yield
    finally:
        journal.release()
        _wait_until_it_looks(caretaker, home, started_at)
        caretaker.terminate()
        _wait_until_shipped(caretaker, journal.folder, progress)


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "unrot", "caretaker", "--with-parent", str(os.getpid())]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})


def _wait_until_it_looks(caretaker: subprocess.Popen[bytes], home: Path, started_at: float) -> None:
    """Return at its first heartbeat: stopped before, it would ship nothing."""
    while caretaker.poll() is None:
        silent = readiness.seconds_since_heartbeat(home / "caretaker.json")
        if silent is not None and silent < time.monotonic() - started_at:
            return
        time.sleep(POLL_SECONDS)


def _wait_until_shipped(
    caretaker: subprocess.Popen[bytes], folder: Path, progress: Progress
) -> None:
    whole = max(backlog_bytes(folder), 1)
    while caretaker.poll() is None:
        if left := backlog_bytes(folder):
            said = f"keeping what was predicted, {left:,} bytes to go"
            progress(max(0.0, 1 - left / whole), said)
        time.sleep(POLL_SECONDS)
