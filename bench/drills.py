"""What the app survives, one drill after the other, with a table at the end: `make drills`.

One machine with two workers and a caretaker is asked and judged all the time, on loopback, while
two versions take turns as champion. Meanwhile

    workers     a web worker is killed with -9, again and again
    caretaker   so is the caretaker
    reload      the server is told to reload (HUP), three times
    full disk   nothing can be written below the home folder for half a minute
    clock       the clock jumps an hour ahead, and then to an hour behind
    store away  its database is moved away for half a minute (`bench.away`)
    power       its power is cut at a random moment, simulated (`bench.power`)
    soak        nothing happens, for long, and the memory of each process is looked at

Afterwards every verdict that was acknowledged has to be in the store, as it was said and counted
once, and every answer has to be the one that an untouched copy of its version gives. The disk and
the clock are spoilt by a library that is preloaded (`bench/faults.c`).

    python -m bench.drills [DRILL …] [--kills N] [--soak MINUTES]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench import away, power
from bench.away import MODEL, Told, asking, lost_of
from bench.faults import NO_COMPILER, Faults, has_compiler
from bench.fleet import SECRET, SILENCE, TAKEN, Client, Machine, beside, end_cleanly, until
from tests.conftest import OPERATOR
from tests.learning_model import zombies_of
from tests.live_server import prepare
from unrot.cli.terminal import table
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service

KILLS, RELOADS, SOAK_MINUTES, IMAGES, CONTROL_IMAGES = 500, 3, 30.0, 300, 60
CARETAKER_SHARE = 5
"""For so many workers one caretaker is killed."""
MOST_FAILED = 0.005
MOST_GROWTH = 2.0
"""MB for each 100,000 predictions."""
FAULT_SECONDS, CALM_SECONDS, PROMOTE_SECONDS, SHIP_SECONDS = 30.0, 5.0, 1.0, 240.0
HOUR = 3_600
ESTIMATORS = ("sgd", "tree")
READY_THREADS = 3
"""A worker that has so many threads has loaded the app and listens."""
HEAD = ("drill", "tried", "survived", "failed", "votes lost", "wrong answers", "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the table."""

    drill: str
    tried: str
    survived: str
    failed: str = ""
    lost: str = ""
    wrong: str = ""
    more: str = ""
    is_well: bool = True

    def cells(self) -> tuple[str, ...]:
        """Return what stands in the table."""
        more = self.more if self.is_well else f"{self.more} NOT WELL".strip()
        return self.drill, self.tried, self.survived, self.failed, self.lost, self.wrong, more


@dataclass(frozen=True, slots=True)
class Site:
    """A prepared home folder, and the room beside it."""

    prepared: Path
    folder: Path
    kills: int
    minutes: float


# ── a machine under load ─────────────────────────────────────────────────────────────────────


@dataclass
class Running:
    """A machine that is asked and judged, and what it says."""

    machine: Machine
    told: Told
    faults: Faults | None = None
    arbiter: int = 0
    """Who keeps the caretaker alive."""

    def find_arbiter(self) -> None:
        """Wait until it runs, and tell who is who."""
        until(lambda: len(self._with_children()) == 1, 60)
        [self.arbiter] = self._with_children()

    def workers(self) -> list[int]:
        """Return the web workers."""
        return [pid for pid in self._children() if pid != self.arbiter]

    def caretaker(self) -> int | None:
        """Return the caretaker, if there is one."""
        return next(iter(children_of(self.arbiter)), None)

    def is_whole(self) -> bool:
        """Tell whether two workers listen."""
        ready = [pid for pid in self.workers() if threads_of(pid) >= READY_THREADS]
        return len(ready) >= 2

    def _children(self) -> list[int]:
        return children_of(self.master)

    def _with_children(self) -> list[int]:
        return [pid for pid in self._children() if children_of(pid)]

    @property
    def master(self) -> int:
        """The process that was started."""
        assert self.machine.process is not None
        return self.machine.process.pid


def children_of(pid: int) -> list[int]:
    with suppress(OSError):
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return []


def threads_of(pid: int) -> int:
    with suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/task"))
    return 0


Happening = Callable[[Running], str]
"""What happens to a machine under load; says what was tried."""


def under_load(
    site: Site, drill: str, happen: Happening, *, most_failed: float, faults: bool = False
) -> Outcome:
    """Let something happen to a machine under load, and look at what is left."""
    if faults and not has_compiler():
        return Outcome(drill, "not tried", NO_COMPILER)
    home = site.folder / drill.replace(" ", "-") / "home"
    shutil.copytree(site.prepared, home)
    spoilt = Faults(home.parent, home) if faults else None
    machine = Machine(home, "", spoilt.environment if spoilt else {})
    machine.start()
    running = Running(machine, Told(), spoilt)
    try:
        running.find_arbiter()
        until(running.is_whole, 60)
        with promoting(machine), asking(machine, running.told):
            tried = happen(running)
            time.sleep(CALM_SECONDS)
        lost = lost_of(machine, [running.told], SHIP_SECONDS)
    finally:
        machine.stop()
    return judged(site, drill, tried, running.told, lost, most_failed)


def judged(
    site: Site, drill: str, tried: str, told: Told, lost: list[str], most_failed: float
) -> Outcome:
    """Say what came of a drill."""
    asked = len(told.seconds) + told.unanswered.total()
    refused = {code: count for code, count in told.codes.items() if code not in TAKEN}
    share, wrong = told.unanswered.total() / asked, wrong_of(site.prepared, told)
    unkept = f"{told.unkept:,} without an id, " if told.unkept else ""
    return Outcome(
        drill,
        tried,
        f"{len(told.seconds):,} of {asked:,} predictions",
        f"{share:.3%}",
        f"{len(lost)} of {len(told.acknowledged):,}",
        f"{len(wrong)} of {len(told.answers):,}",
        f"{unkept}votes not taken {refused or 0} {dict(told.unanswered) or ''}{lost[:2] or ''}",
        is_well=not lost and not wrong and share <= most_failed and bool(told.acknowledged),
    )


def wrong_of(prepared: Path, told: Told) -> list[str]:
    """Return the answers that an untouched copy of their versions does not give."""
    service = open_service(Settings(home=prepared))
    expected: dict[tuple[str, str], str | None] = {}
    try:
        for inputs, version, _ in told.answers:
            if (inputs, version) not in expected:
                made = service.predict(MODEL, json.loads(inputs), version=version)
                expected[inputs, version] = made.predictions[0].label
    finally:
        service.store.close()
    return [
        f"{version}: {label}"
        for inputs, version, label in told.answers
        if expected[inputs, version] != label
    ]


def promoting(machine: Machine) -> AbstractContextManager[None]:
    """Let two versions take turns as champion."""

    def go_on(stop: threading.Event) -> None:
        client, turn = Client(machine), 0
        while not stop.wait(PROMOTE_SECONDS):
            turn += 1
            body = {"version": f"v{turn % 2 + 1}", "force": True, "reason": "a drill"}
            with suppress(*SILENCE):
                client.ask(f"/models/{MODEL}/promote", body, OPERATOR)

    return beside(go_on)


# ── what happens ─────────────────────────────────────────────────────────────────────────────


def kill_workers(site: Site) -> Outcome:
    """Kill a worker as soon as both are there."""

    def happen(running: Running) -> str:
        chance, deaths = random.Random(3), []
        for _ in range(site.kills):
            until(running.is_whole, 60)
            time.sleep(chance.uniform(0, 0.2))
            killed, at = chance.choice(running.workers()), time.perf_counter()
            os.kill(killed, signal.SIGKILL)
            until(lambda killed=killed: killed not in running.workers(), 60)  # type: ignore[misc]
            deaths.append((at, time.perf_counter()))
        until(running.is_whole, 60)
        failed = running.told.failed
        each = len(failed) / site.kills
        return f"{site.kills} kills, {each:.2f} failed each: {causes(failed, deaths)}"

    return under_load(site, "workers", happen, most_failed=MOST_FAILED)


def causes(failed: list[tuple[float, float]], deaths: list[tuple[float, float]]) -> str:
    """Say what requests failed of that began and ended then, where workers died from then to then.

    Nobody can save what a worker is at, nor what comes on connections that the system has not yet
    closed for a process that it still takes apart. All else would be ours.

    >>> causes([(1.0, 2.5), (2.1, 2.3), (5.0, 6.0)], [(2.0, 2.2)])
    '1 under way, 1 sent to the dead, 1 for other reasons'
    """
    found = Counter(_cause_of(began, ended, deaths) for began, ended in failed)
    reasons = ("under way", "sent to the dead", "for other reasons")
    return ", ".join(f"{found[reason]} {reason}" for reason in reasons)


def _cause_of(began: float, ended: float, deaths: list[tuple[float, float]]) -> str:
    if any(began < killed <= ended for killed, _ in deaths):
        return "under way"
    is_late = any(killed <= began <= gone for killed, gone in deaths)
    return "sent to the dead" if is_late else "for other reasons"


def kill_caretakers(site: Site) -> Outcome:
    """Kill the caretaker a moment after it has begun."""
    kills = max(1, site.kills // CARETAKER_SHARE)

    def happen(running: Running) -> str:
        chance = random.Random(4)
        for _ in range(kills):
            until(lambda: running.caretaker() is not None, 60)
            time.sleep(chance.uniform(0.2, 2.0))
            killed = running.caretaker()
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            until(lambda killed=killed: running.caretaker() not in (None, killed), 60)  # type: ignore[misc]
        return f"{kills} kills"

    return under_load(site, "caretaker", happen, most_failed=MOST_FAILED)


def reload(site: Site) -> Outcome:
    """Reload, and wait until all workers are others."""

    def happen(running: Running) -> str:
        for _ in range(RELOADS):
            old = {*running.workers()}
            os.kill(running.master, signal.SIGHUP)
            until(lambda old=old: not old & {*running.workers()} and running.is_whole(), 60)  # type: ignore[misc]
            time.sleep(CALM_SECONDS)
        return f"HUP × {RELOADS}"

    return under_load(site, "reload", happen, most_failed=0.0)


def fill_disk(site: Site) -> Outcome:
    """Refuse every write for a while; a vote is not taken then, and a prediction has no id."""

    def happen(running: Running) -> str:
        time.sleep(CALM_SECONDS)
        assert running.faults is not None
        with running.faults.full_disk():
            time.sleep(FAULT_SECONDS)
        return f"{FAULT_SECONDS:.0f} s"

    return under_load(site, "full disk", happen, most_failed=0.0, faults=True)


def shift_clock(site: Site) -> Outcome:
    """Jump ahead, behind, and back."""

    def happen(running: Running) -> str:
        assert running.faults is not None
        for seconds in (HOUR, -HOUR, 0):
            running.faults.set(seconds_off=seconds)
            time.sleep(FAULT_SECONDS / 2)
        moments = [moment_of(id) for id in running.told.predicted]
        return f"+1 h, -1 h, 0: ids {(max(moments) - min(moments)) / HOUR:.2f} h apart"

    return under_load(site, "clock", happen, most_failed=0.0, faults=True)


def moment_of(id: str) -> int:
    """Return the second that the first four bytes of an id tell."""
    return int.from_bytes(base64.urlsafe_b64decode(id)[:4], "big")


def take_store_away(_site: Site) -> Outcome:
    """Move the database away."""
    [(row, is_well)] = away.drill("sqlite")
    failed = "" if is_well else "some"
    more = f"p99 {row.away}, votes {row.verdicts}, slowest {row.slowest}"
    queued = f"{row.lost} of {row.by_202} with 202"
    answered = f"{row.answered} predictions"
    return Outcome("store away", row.way, answered, failed, queued, "", more, is_well)


def cut_power(site: Site) -> Outcome:
    """Cut the power of one who judges and ships; a store that waits for no fsync is the control."""
    if shutil.which("strace") is None:
        return Outcome("power", "not tried", "strace is not here (Debian: apt install strace)")
    folder = site.folder / "power"
    folder.mkdir()
    lost = power.cut_often(site.prepared, folder / "safe", IMAGES, is_control=False)
    seen = power.cut_often(site.prepared, folder / "control", CONTROL_IMAGES, is_control=True)
    return Outcome(
        "power",
        f"{IMAGES} cuts",
        f"{IMAGES - lost} of {IMAGES} disks",
        lost=f"on {lost} disks",
        more=f"without fsync on {seen} of {CONTROL_IMAGES}",
        is_well=not lost and seen > 0,
    )


# ── for long ─────────────────────────────────────────────────────────────────────────────────

LOOK_SECONDS, WARM_SHARE = 2.0, 0.3
ROWS_AT_ONCE, PAUSE_SECONDS = 200, 0.4
"""So many rows come at once, and how long nobody sends more: the caretaker keeps up with that."""


def soak(site: Site) -> Outcome:
    """Ask for long, and see whether memory grows with what was answered."""
    looked: dict[str, list[tuple[int, float]]] = {}

    def happen(running: Running) -> str:
        looked.update(look_on(running, site.minutes * 60))
        return f"{site.minutes:g} min"

    seen = under_load(site, "soak", happen, most_failed=0.0)
    grown = {who: slope_of(some) for who, some in looked.items()}
    told = [f"{who} {growth:+.2f} ({levels(looked[who])})" for who, growth in grown.items()]
    more = f"MB for 100,000 of {answered_in(looked):,} rows: {', '.join(told)}; {seen.more}"
    return replace(seen, more=more, is_well=seen.is_well and max(grown.values()) <= MOST_GROWTH)


def levels(seen: list[tuple[int, float]]) -> str:
    """Say how much there was at each fifth of the time."""
    return " ".join(f"{seen[len(seen) * part // 5][1]:.0f}" for part in range(5)) + (
        f" {seen[-1][1]:.0f}"
    )


def answered_in(looked: dict[str, list[tuple[int, float]]]) -> int:
    return max(seen[-1][0] for seen in looked.values())


def look_on(running: Running, seconds: float) -> dict[str, list[tuple[int, float]]]:
    """Return how many MB each process had when so many predictions were answered."""
    caretaker = running.caretaker()
    assert caretaker is not None
    people = {f"worker {n}": pid for n, pid in enumerate(running.workers(), 1)}
    people["caretaker"] = caretaker
    many = Many(running.machine)
    seen: dict[str, list[tuple[int, float]]] = {who: [] for who in people}
    ends_at = time.monotonic() + seconds
    with many.asking():
        while time.monotonic() < ends_at:
            time.sleep(LOOK_SECONDS)
            answered = many.answered + len(running.told.seconds)
            for who, pid in people.items():
                seen[who].append((answered, megabytes_of(pid)))
    return seen


class Many:
    """Asks for many rows at once."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self.answered = machine, 0

    def asking(self) -> AbstractContextManager[None]:
        """Ask for a while."""
        return beside(self._ask)

    def _ask(self, stop: threading.Event) -> None:
        client = Client(self._machine)
        rows = [inputs for inputs, _ in zombies_of(ROWS_AT_ONCE, seed=77)]
        while not stop.wait(PAUSE_SECONDS):
            with suppress(*SILENCE):
                code, _ = client.ask(f"/models/{MODEL}/predict", {"inputs": rows})
                self.answered += ROWS_AT_ONCE if code == 200 else 0


def megabytes_of(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope_of(seen: list[tuple[int, float]]) -> float:
    """Return MB for each 100,000 predictions, by least squares over what came after the warm-up.

    >>> round(slope_of([(n * 100_000, 50.0 + min(n, 3) + 0.5 * n) for n in range(100)]), 2)
    0.5
    """
    warm = np.array(seen[int(len(seen) * WARM_SHARE) :])
    return float(np.polyfit(warm[:, 0] / 100_000, warm[:, 1], 1)[0])


# ── all of them ──────────────────────────────────────────────────────────────────────────────

DRILLS: dict[str, Callable[[Site], Outcome]] = {
    "workers": kill_workers,
    "caretaker": kill_caretakers,
    "reload": reload,
    "full-disk": fill_disk,
    "clock": shift_clock,
    "store-away": take_store_away,
    "power": cut_power,
    "soak": soak,
}


def main() -> None:
    end_cleanly()
    parser = argparse.ArgumentParser(prog="bench.drills", description=__doc__)
    parser.add_argument("drills", nargs="*", help=f"of {', '.join(DRILLS)}; all unless named")
    parser.add_argument("--kills", type=int, default=KILLS, help="of workers")
    parser.add_argument("--soak", type=float, default=SOAK_MINUTES, metavar="MINUTES")
    given = parser.parse_args()
    unknown = {*given.drills} - {*DRILLS}
    if unknown:
        parser.error(f"there is no drill {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="unrot-drills-") as place:
        folder = Path(place)
        prepared = folder / "prepared"
        for estimator in ESTIMATORS:
            prepare(prepared, {MODEL: estimator}, secret_key=SECRET)
        prepared.mkdir(exist_ok=True)
        (prepared / "secret-key").write_text(SECRET)  # For who opens it without its settings.
        site = Site(prepared, folder, given.kills, given.soak)
        outcomes = [told(DRILLS[name](site)) for name in given.drills or DRILLS]
    print(table([HEAD, *(one.cells() for one in outcomes)]))
    sys.exit(not all(one.is_well for one in outcomes))


def told(outcome: Outcome) -> Outcome:
    print(" | ".join(outcome.cells()), flush=True)
    return outcome


if __name__ == "__main__":
    main()
