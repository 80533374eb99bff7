"""How soon what people say and do is served by every web worker: `make bench-freshness`.

A server with two workers on SQLite. A model that learns from each verdict (`learn: every 1`,
promoted by itself, without a gate, which would wait for more rows) is judged once at a time;
another one is promoted and rolled back. Meanwhile clients ask all the time, each time on a new
connection, so that whichever worker is free answers: what counts is when a request began last that
was answered by a version of before.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.fleet import SECRET, Client, Machine, Watch, end_cleanly, quantile, until
from tests.conftest import JUDGE, OPERATOR
from tests.learning_model import zombies_of
from tests.live_server import Town, prepare
from unrot.cli.terminal import Progress, table

LEARNER, MOVER = "zombies", "woods"
VOTES, MOVES = 120, 60
FRESH_SECONDS = 1.0
REST_SECONDS = 0.2


def main() -> None:
    end_cleanly()
    with tempfile.TemporaryDirectory(prefix="unrot-freshness-") as place:
        machine = Machine(Path(place) / "home", "")
        prepare(machine.home, {LEARNER: "sgd", MOVER: "tree"}, secret_key=SECRET)
        machine.start()
        try:
            learnt, moved = time_votes(machine), time_moves(machine)
        finally:
            machine.stop()
    rows = [("from … to the last worker", "times", "p50", "p99", "max")]
    rows += [_row("an acknowledged vote, learnt", learnt), _row("a promote", moved)]
    rows += [_row("the first vote, which starts a learner", learnt[:1])]
    print(table(rows))
    sys.exit(quantile(learnt, 0.99) > FRESH_SECONDS)


def time_votes(machine: Machine) -> list[float]:
    """Judge one prediction at a time; time until no worker answers as before."""
    town, client = Town(machine.url, LEARNER), Client(machine)
    rules: dict[str, object] = {"promote": "auto", "gate": "off", "learn": "every 1", "batch": 1}
    rules |= {"replay": 0, "held_out": 0}
    town.told("/policy", rules, method="PUT")
    seconds, progress = [], Progress("votes")
    with (watch := Watch([machine], LEARNER)):
        for number, (row, truth) in enumerate(zombies_of(VOTES, seed=3)):
            code, made = client.ask(f"/models/{LEARNER}/predict", {"inputs": row})
            before = made["version"]
            code, told = client.ask("/feedback", {"id": made["id"], "label": truth}, JUDGE)
            assert code == 201, told
            seconds.append(_until_gone(watch, before, time.monotonic()))
            progress((number + 1) / VOTES, f"{number + 1}")
    progress.close()
    return seconds


def time_moves(machine: Machine) -> list[float]:
    """Promote and roll back; time until no worker answers as before."""
    town, client = Town(machine.url, MOVER), Client(machine)
    town.taught(300, seed=5)
    town.asked("refit")
    seconds, progress = [], Progress("promotes")
    with (watch := Watch([machine], MOVER)):
        for number in range(MOVES):
            before, to = (("v1", "v2"), ("v2", "v1"))[number % 2]
            body = {"version": to, "force": True, "reason": "a drill"}
            code, told = client.ask(f"/models/{MOVER}/promote", body, OPERATOR)
            assert code == 200, told
            seconds.append(_until_gone(watch, before, time.monotonic()))
            progress((number + 1) / MOVES, f"{number + 1}")
    progress.close()
    return seconds


def _until_gone(watch: Watch, version: str, since: float) -> float:
    """Return after how long a request began last that a version answered, once it is gone."""
    until(lambda: watch.is_gone(version), 60)
    time.sleep(REST_SECONDS)
    last = watch.last_of(version)
    return max(0.0, last - since)


def _row(what: str, seconds: Sequence[float]) -> tuple[str, ...]:
    told = [quantile(list(seconds), share) for share in (0.5, 0.99, 1.0)]
    return (what, str(len(seconds)), *(f"{one:.2f} s" for one in told))


if __name__ == "__main__":
    main()
