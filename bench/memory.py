"""What the processes of a server hold in memory, by their roles, and a room of so much memory.

Memory is counted as PSS: what a process has for itself, and its share of what several have. The sum
over all processes is then what the machine gives, nothing counted twice.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.fleet import family

ROLES = ("master", "workers", "arbiter", "caretaker", "learner")
"""The arbiter is gunicorn's own beside the caretaker; a learner is there while a job is done."""
LOOK_SECONDS = 0.1
GROUPS = Path("/sys/fs/cgroup/memory")

Memory = dict[str, float]
"""MB of each role."""


def measure(master: int) -> Memory:
    """Return what each role of a server holds now."""
    children = {process: family(process)[1:] for process in family(master)}
    held = dict.fromkeys(ROLES, 0.0)
    for process, below in children.items():
        above = sum(process in others for others in children.values())
        held[_role(above, has_children=bool(below))] += _pss(process)
    return held


def _role(above: int, *, has_children: bool) -> str:
    """Tell who a process is by how many stand above it: web workers start nobody."""
    if above == 1:
        return "arbiter" if has_children else "workers"
    return {0: "master", 2: "caretaker"}.get(above, "learner")


def _pss(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


@dataclass
class Peak:
    """The most that a server held at one moment, while it was watched."""

    memory: Memory = field(default_factory=lambda: dict.fromkeys(ROLES, 0.0))

    def look(self, master: int) -> None:
        """Keep what is held now, if it is the most so far."""
        held = measure(master)
        if sum(held.values()) > sum(self.memory.values()):
            self.memory = held


@contextmanager
def watched(master: int) -> Iterator[Peak]:
    """Look all the time."""
    peak, stop = Peak(), threading.Event()

    def watch() -> None:
        while not stop.wait(LOOK_SECONDS):
            peak.look(master)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


class Room:
    """A group of processes that Linux gives so much memory, and kills beyond it.

    Without the right to make one, processes are only measured.
    """

    def __init__(self, bytes: int) -> None:
        self._folder = GROUPS / f"unrot-{os.getpid()}-{time.monotonic_ns()}"
        self.is_bounded = False
        with suppress(OSError):
            self._folder.mkdir()
            (self._folder / "memory.limit_in_bytes").write_text(str(bytes))
            self.is_bounded = True

    @property
    def command(self) -> list[str]:
        """Return what runs another command inside."""
        if not self.is_bounded:
            return []
        return ["sh", "-c", f'echo $$ > {self._folder}/cgroup.procs; exec "$@"', "sh"]

    @property
    def kills(self) -> int:
        """Return how many processes were killed for what they took."""
        if not self.is_bounded:
            return 0
        told = (self._folder / "memory.oom_control").read_text().split()
        return int(told[told.index("oom_kill") + 1])

    def close(self) -> None:
        """Remove the group, once it is empty."""
        with suppress(OSError):
            self._folder.rmdir()
