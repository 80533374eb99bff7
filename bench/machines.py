"""Two machines on one database, killed while people predict and vote: `make bench-machines`.

Each machine is a home folder with gunicorn, two workers and a caretaker. While 5,000 predictions
and 2,000 votes come in, one of them is killed with -9, all its processes at once, and started
again, ten times; one model learns by itself and promotes what it made. A client whose vote was not
answered votes again, at the other machine too. Afterwards the store itself is asked: every
acknowledged vote is there as it was said last, none is counted twice, and the versions are one
line. Then promotes and rollbacks on one machine are timed until both machines answer so and go on
doing so, and a caretaker is held up inside its shared work until another has its lease: what it
commits when it wakes must be refused.

    python -m bench.machines [postgres|datastore …]
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.fleet import (
    SECRET,
    SILENCE,
    TAKEN,
    Client,
    Machine,
    Watch,
    end_cleanly,
    opened,
    own_store,
    until,
)
from tests.conftest import JUDGE, OPERATOR, ROOT, environment
from tests.learning_model import Zombie, zombies_of
from tests.live_server import prepare
from unrot.core.lineage import learning_line
from unrot.run.leader import LEASE, LEASE_SECONDS
from unrot.store.kinds import BATCH, FEEDBACK
from unrot.store.kinds import LEASE as LEASES
from unrot.store.operations import scan_all

PREDICTIONS, VOTES, KILLS, MOVES = 5_000, 2_000, 10, 20
LEARNT_AT_ONCE = 300
CLIENTS = 4
PROMISE_SECONDS = 2.0
LEARNER, MOVER = "zombies", "woods"


def main() -> None:
    end_cleanly()
    stores = sys.argv[1:] or ["postgres", "datastore"]
    ends = [drill(name) for name in stores]
    sys.exit(not all(ends))


def drill(store_name: str) -> bool:
    """Tell whether every promise was kept on one database, and print what was seen."""
    with tempfile.TemporaryDirectory(prefix="unrot-machines-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        store = own_store(store_name, folder, folder)
        machines = [Machine(folder / f"home-{n}", store.url) for n in (1, 2)]
        try:
            return _drill(store.name, machines, folder)
        finally:
            for machine in machines:
                if machine.process is not None and machine.process.poll() is None:
                    machine.stop()
            store.end()


def _drill(name: str, machines: list[Machine], folder: Path) -> bool:
    first, trained = machines[0], {LEARNER: "sgd", MOVER: "tree"}
    prepare(first.home, trained, store_url=first.store_url, secret_key=SECRET)
    found = {"a stale lease": check_stale_lease(folder / "sleeper", machines)}
    crowd = Crowd(machines)
    found |= check_kills(crowd, machines)
    found |= check_store(crowd, machines[0])
    found["moves"] = check_moves(machines)
    print(f"\n{name}")
    for what, (is_kept, told) in found.items():
        print(f"  {'ok ' if is_kept else 'NOT'} {what}: {told}")
    return all(is_kept for is_kept, _ in found.values())


Found = tuple[bool, str]


# ── people ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Crowd:
    """Clients that predict and vote until so much was acknowledged."""

    machines: list[Machine]
    predicted: dict[str, str] = field(default_factory=dict)
    voted: dict[str, bool] = field(default_factory=dict)
    codes: Counter[int] = field(default_factory=Counter)
    silences: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Let all of them go on until `stop`, or until enough was said."""
        threads = [threading.Thread(target=self._visit, args=[n]) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @property
    def is_done(self) -> bool:
        """True when there were enough of both."""
        return len(self.predicted) >= PREDICTIONS and len(self.voted) >= VOTES

    def _visit(self, number: int) -> None:
        chance = random.Random(number)
        here = [Client(machine) for machine in self.machines]
        zombies = itertools.cycle(zombies_of(1_000, seed=number))
        while not (self.stop.is_set() or self.is_done):
            self._predict(chance.choice(here), next(zombies))
            if len(self.voted) < VOTES * len(self.predicted) / PREDICTIONS + 1:
                self._vote(here, chance)

    def _predict(self, client: Client, zombie: Zombie) -> None:
        inputs, truth = zombie
        try:
            code, told = client.ask(f"/models/{LEARNER}/predict", {"inputs": inputs})
        except SILENCE:
            self._wait_a_moment()
            return
        if code == 200 and (id := told["id"]) is not None:
            self.predicted[id] = truth

    def _vote(self, here: list[Client], chance: random.Random) -> None:
        """Vote on a new prediction, again and again until it is acknowledged."""
        id, truth = chance.choice(list(self.predicted.items())[-200:] or [("", "")])
        if not id or id in self.voted:
            return
        while not self.stop.is_set():
            client = chance.choice(here)
            try:
                code, _ = client.ask("/feedback", {"id": id, "label": truth}, JUDGE)
            except SILENCE:
                self._wait_a_moment()
                continue
            self.codes[code] += 1
            if code in TAKEN:
                self.voted[id] = True
                return
            self._wait_a_moment()

    def _wait_a_moment(self) -> None:
        self.silences += 1
        time.sleep(0.05)


# ── kills ────────────────────────────────────────────────────────────────────────────────────


def check_kills(crowd: Crowd, machines: list[Machine]) -> dict[str, Found]:
    """Kill machines in turn while the crowd is at it."""
    for machine in machines:
        if machine.process is None:
            machine.start()
    policy = {"promote": "auto", "gate": "off", "learn": f"every {LEARNT_AT_ONCE} verdicts"}
    code, told = Client(machines[0]).ask(f"/models/{LEARNER}/policy", policy, OPERATOR, "PUT")
    assert code == 200, told
    people = threading.Thread(target=crowd.run)
    began = time.monotonic()
    people.start()
    kills = 0
    for kills in range(1, KILLS + 1):
        goal = kills * PREDICTIONS // (KILLS + 1)
        until(lambda goal=goal: len(crowd.predicted) >= goal or crowd.is_done, 300)
        machines[kills % 2].kill()
        machines[kills % 2].start()
    until(lambda: crowd.is_done, 300)
    crowd.stop.set()
    people.join()
    told = (
        f"{len(crowd.predicted):,} predictions and {len(crowd.voted):,} votes acknowledged "
        f"({dict(sorted(crowd.codes.items()))}), {kills} kills, {crowd.silences} silences, "
        f"{time.monotonic() - began:.0f} s"
    )
    return {"kills": (crowd.is_done and kills == KILLS, told)}


def check_store(crowd: Crowd, machine: Machine) -> dict[str, Found]:
    """Ask the store what it has of what was acknowledged, once all was shipped and learnt."""
    with opened(machine) as service:
        store, database = service.store, service.store.database
        key = next(one.key for one in store.registry.models() if one.name == LEARNER)

        def missing() -> list[str]:
            there = store.traffic.look_up(list(crowd.predicted))
            return [id for id in crowd.predicted if id not in there]

        def judged() -> dict[str, Any]:
            found = scan_all(database, FEEDBACK, "of model", (key,))
            return {one.key: one for one in found}

        def waiting() -> int:
            return database.count(FEEDBACK, "new", (True,))

        until(lambda: not waiting(), 60)
        until(lambda: not missing(), 60)
        learn_the_rest(machine, service)
        lost, kept = missing(), judged()
        unvoted = [id for id in crowd.voted if id not in kept]
        wrong = [
            id
            for id, truth in crowd.predicted.items()
            if id in crowd.voted and id in kept and kept[id]["label"] != truth
        ]
        windows = store.traffic.windows(key, since=0, until=time.time() + 60)
        counted = sum(window.verdicts for window in windows)
        right = sum(window.correct for window in windows)
        is_right = sum(bool(one["was correct"]) for one in kept.values())
        rows = sum(
            one["rows"] for one in scan_all(database, BATCH, "of model", (key,), only=["rows"])
        )
        answered = sum(window.predictions for window in windows)
        line = check_line(service)
    return {
        "predictions": (
            not lost and rows == answered >= len(crowd.predicted),
            f"{len(lost)} acknowledged lost; {rows:,} in batches, {answered:,} in windows",
        ),
        "votes": (
            not unvoted and not wrong and counted == len(kept) == len(crowd.voted),
            f"{len(unvoted)} acknowledged lost, {len(wrong)} other than said; {len(kept):,} kept, "
            f"{counted:,} counted, {right:,} right in windows and {is_right:,} by themselves",
        ),
        "no vote counted twice": (right == is_right and counted == len(kept), f"{counted:,}"),
        "one line of versions": line,
    }


def learn_the_rest(machine: Machine, service: Any) -> None:
    """Let jobs end, and learn what waits: one that was killed three times is not begun again."""

    def is_idle() -> bool:
        return not any(job.is_active for job in service.store.jobs.of_model(LEARNER, 5))

    until(is_idle, 120)
    Client(machine).ask(f"/models/{LEARNER}/learn", {}, OPERATOR)
    until(is_idle, 120)


def check_line(service: Any) -> Found:
    """Find each version the child of the one before, and each verdict once in the line."""
    versions = service.versions(LEARNER)
    names = [one.name for one in versions]
    parents = [one.parent for one in versions]
    moves = [
        move.moved_to for move in service.store.registry.moves(LEARNER) if move.alias == "champion"
    ]
    champion = service.aliases(LEARNER)["champion"]
    fates = service.store.lessons.fates(LEARNER, learning_line(versions, champion))
    told = sum(fates.learnt.values()) + fates.held_out + sum(fates.set_aside.values())
    is_line = parents == [None, *names[:-1]] and moves == names and champion == names[-1]
    jobs = Counter(job.state for job in service.store.jobs.of_model(LEARNER, 50))
    failed = [job.error for job in service.store.jobs.of_model(LEARNER, 50) if job.error]
    return is_line and len(names) > 1 and told + fates.waiting == fates.verdicts, (
        f"{' → '.join(names)}; {fates.verdicts:,} verdicts: {told:,} decided, {fates.waiting} "
        f"wait; jobs: {dict(jobs)}{f', {failed[0]}' if failed else ''}"
    )


# ── promotes ─────────────────────────────────────────────────────────────────────────────────


def check_moves(machines: list[Machine]) -> Found:
    """Promote and roll back, on either machine, and time how long the others answer as before."""
    operator = Client(machines[0], 120)
    _, told = operator.ask(
        f"/models/{MOVER}/predict", {"inputs": [row for row, _ in zombies_of(300, seed=5)]}
    )
    given = [
        {"id": one["id"], "label": truth}
        for one, (_, truth) in zip(told["predictions"], zombies_of(300, seed=5), strict=True)
    ]
    operator.ask("/feedback", given, JUDGE)
    code, told = operator.ask(f"/models/{MOVER}/refit?wait=60", {}, OPERATOR)
    until(lambda: _versions(operator) == 2, 60)
    watch = Watch(machines, MOVER)
    seconds = []
    with watch:
        for number in range(MOVES):
            to = ("v2", "v1")[number % 2]
            client = Client(machines[number // 2 % 2])
            body = {"version": to, "force": True, "reason": "a drill"}
            code, told = client.ask(f"/models/{MOVER}/promote", body, OPERATOR)
            assert code == 200, told
            moved_at = time.monotonic()
            time.sleep(PROMISE_SECONDS + 0.5)
            last = watch.last_other(to, moved_at)
            seconds.append(last - moved_at if last else 0.0)
    return max(seconds) <= PROMISE_SECONDS, (
        f"{len(seconds)} promotes, {watch.asked:,} answers watched; the last answer of the version "
        f"before came p50 {statistics.median(seconds):.2f} s, max {max(seconds):.2f} s after"
    )


def _versions(client: Client) -> int:
    return len(client.ask(f"/models/{MOVER}/versions", token=OPERATOR)[1]["versions"])


# ── a lease that is stale ────────────────────────────────────────────────────────────────────


def check_stale_lease(home: Path, machines: list[Machine]) -> Found:
    """Hold a caretaker up inside its shared work until another holds its lease, and wake it."""
    known = environment(home, UNROT_STORE=machines[0].store_url, UNROT_SECRET_KEY=SECRET)
    command = [sys.executable, "-m", "bench.sleeper", LEARNER]
    sleeper = subprocess.Popen(command, env=known, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert sleeper.stdout is not None
    holder = sleeper.stdout.readline().split()[-1]
    os.kill(sleeper.pid, signal.SIGSTOP)
    try:
        for machine in machines:
            machine.start()
        with opened(machines[0]) as service:

            def is_held_by_another() -> bool:
                lease = service.store.database.get(LEASES, LEASE)
                return lease is not None and lease["holder"] != holder

            was_taken = until(is_held_by_another, 3 * LEASE_SECONDS)
            os.kill(sleeper.pid, signal.SIGCONT)
            said = sleeper.stdout.readline().strip()
            is_kept = service.store.findings.standpoint(LEARNER, "drill") != {}
    finally:
        sleeper.kill()
        sleeper.wait()
    return was_taken and said.startswith("refused") and not is_kept, said or "nothing was said"


if __name__ == "__main__":
    main()
