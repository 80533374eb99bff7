"""A place for each web worker to count in, taken over by the worker that comes after it.

prometheus_client keeps the counts of a process in files that are named after it. By process id
those of dead workers would pile up, and a count that went with one would fall. So a worker takes
the first slot whose lock is free and goes on with its counts; the lock goes with the worker,
however it ends. There are never more files than there were workers at one moment.

The files are mapped into memory, where a full disk would end the process that writes: they get
their blocks when the slot is taken.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""What prometheus_client calls the folder; gunicorn.conf.py sets it."""

KINDS = ("counter", "histogram", "gauge_livesum")
FILE_BYTES = 2**20
MOST_SLOTS = 1_024


class Slots:
    """The slots of one folder, as one process sees them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._number: int | None = None
        self._lock = -1
        os.register_at_fork(after_in_child=self._begin_anew)

    def own(self) -> int:
        """Return the number of this process's slot, taken when it is first asked for."""
        if self._number is None:
            with self._guard:
                if self._number is None:
                    self._number = self._take()
        return self._number

    def clear(self) -> None:
        """Remove the counts that nobody goes on with: done once, when a server starts."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob("*.lock"):
            lock = _locked(path)
            if lock is not None:
                for counts in self._folder.glob(f"*_{path.stem}.db"):
                    counts.unlink(missing_ok=True)
                os.close(lock)

    def files(self) -> list[str]:
        """List the files of counts; what a dead worker was in the midst of is not among them."""
        free = {path.stem for path in self._folder.glob("*.lock") if _is_free(path)}
        return [
            str(path)
            for path in sorted(self._folder.glob("*.db"))
            if not (path.name.startswith("gauge_") and path.stem.rpartition("_")[2] in free)
        ]

    def _take(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(MOST_SLOTS):
            lock = _locked(self._folder / f"{number}.lock")
            if lock is not None:
                self._lock = lock
                (self._folder / f"gauge_livesum_{number}.db").unlink(missing_ok=True)
                for kind in KINDS:
                    _give_blocks(self._folder / f"{kind}_{number}.db")
                return number
        raise OSError(f"All {MOST_SLOTS:,} slots of {self._folder} are taken.")

    def _begin_anew(self) -> None:
        """After a fork: the parent keeps its slot and whatever held the lock."""
        self._guard = threading.Lock()
        if self._number is not None:
            os.close(self._lock)
        self._number = None


def of_environment() -> Slots | None:
    """Return the slots that a server keeps for its workers; None where there is one process."""
    folder = os.environ.get(FOLDER_VARIABLE, "")
    return Slots(Path(folder)) if folder else None


def _give_blocks(path: Path) -> None:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(file, 0, FILE_BYTES)
    finally:
        os.close(file)


def _locked(path: Path) -> int | None:
    """Lock a file and return it; None when somebody has it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _is_free(path: Path) -> bool:
    lock = _locked(path)
    if lock is not None:
        os.close(lock)
    return lock is not None
