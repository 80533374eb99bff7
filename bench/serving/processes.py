"""A server and all its processes: pinned to a core, asked what they cost, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    seconds_to_answer: float

    def family(self) -> dict[int, int]:
        """Return its processes, each with how deep it lies below the first."""
        found = {self.process.pid: 0}
        parents = dict(_parents())
        for pid in sorted(parents):
            depth, at = 0, pid
            while at in parents and at not in found and depth < 9:
                at, depth = parents[at], depth + 1
            if at in found:
                found[pid] = found[at] + depth
        return found

    def seconds(self) -> float:
        """Return the seconds of a core that it has used."""
        return sum(map(_cpu_of, self.family()))

    def seconds_behind(self) -> float:
        """Return what of these was used by what lies behind the web workers."""
        return sum(_cpu_of(pid) for pid, depth in self.family().items() if depth > 1)

    def megabytes(self) -> float:
        """Return the memory of the largest process, what is shared divided among who shares it."""
        return max(map(_pss_of, self.family())) / 1_000

    def pin(self, core: int, core_behind: int) -> None:
        """Keep its processes on a core, those behind the web workers on another."""
        for pid, depth in self.family().items():
            with suppress(ProcessLookupError):
                for thread in os.listdir(f"/proc/{pid}/task"):
                    os.sched_setaffinity(int(thread), {core_behind if depth > 1 else core})


@contextmanager
def running(
    command: Sequence[str], env: Mapping[str, str], url: str, core: int, *, cwd: Path, log: Path
) -> Iterator[Running]:
    """Start a server on a core, wait until it answers, end all of it afterwards."""
    began = time.monotonic()
    with log.open("ab") as sink:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            env=dict(env),
            cwd=cwd,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    try:
        _wait_for(url, process)
        yield Running(process, time.monotonic() - began)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("it did not begin to answer: its log says why")


def _parents() -> Iterator[tuple[int, int]]:
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError, IndexError):
                yield int(name), int(_stat(int(name))[1])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu_of(pid: int) -> float:
    with suppress(OSError, IndexError):
        told = _stat(pid)
        return (int(told[11]) + int(told[12])) / _TICK
    return 0.0


def _pss_of(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    return 0.0
