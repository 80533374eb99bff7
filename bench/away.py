"""What people notice while the store is away for half a minute, under load: `make bench-away`.

One machine with two workers is asked all the time, and judged. Then its store is taken away: the
file of SQLite is moved; Postgres and the Firestore emulator are stopped in their tracks (they take
calls and answer none), then refuse connections, then lose every third of them. Each time is
compared with the calm time before and after it, in the same run. Predictions have to be answered,
all, as fast as ever; a verdict within 1.5 seconds; and every one that was answered with 202 has to
be in the store afterwards, once.

    python -m bench.away [sqlite|postgres|datastore …]
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from bench.fleet import (
    SECRET,
    SILENCE,
    TAKEN,
    Client,
    Machine,
    end_cleanly,
    opened,
    own_store,
    quantile,
    until,
)
from tests.conftest import JUDGE
from tests.learning_model import zombies_of
from tests.live_server import prepare
from unrot.cli.terminal import table
from unrot.core.time import HOUR
from unrot.store.kinds import FEEDBACK
from unrot.store.operations import scan_all

AWAY_SECONDS, CALM_SECONDS = 30.0, 15.0
PREDICTORS, VOTERS = 3, 2
PAUSE_SECONDS = 0.02
BREAKS = 0.3
SLOWER, VERDICT_SECONDS = 2.0, 1.5
MODEL = "zombies"


class Row(NamedTuple):
    """What is told of one way in which a store was taken away."""

    store: str
    way: str
    answered: str
    calm: str
    away: str
    verdicts: str
    slowest: str
    by_202: str
    lost: str


HEAD = Row(
    *("store", "way", "answered", "p99 calm", "p99 away"),
    *("verdicts", "slowest", "by 202", "lost"),
)


def main() -> None:
    rows = [HEAD]
    end_cleanly()
    is_well = True
    for name in sys.argv[1:] or ["sqlite", "postgres", "datastore"]:
        for row, is_kept in drill(name):
            rows.append(row)
            is_well = is_well and is_kept
    print(table(rows))
    sys.exit(not is_well)


def drill(name: str) -> Iterator[tuple[Row, bool]]:
    """Take one store away in each way; yield what is told of each, and whether all is well."""
    with tempfile.TemporaryDirectory(prefix="unrot-away-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        store = own_store(name, folder, folder / "home")
        machine = Machine(folder / "home", store.url)
        prepare(machine.home, {MODEL: "sgd"}, store_url=machine.store_url, secret_key=SECRET)
        try:
            machine.start()
            for way, (take, give_back) in ways(store).items():
                yield _measured(store.name, way, machine, take, give_back)
        finally:
            machine.stop()
            if name != "sqlite":
                store.end()


Step = Callable[[], None]


def ways(store: Any) -> dict[str, tuple[Step, Step]]:
    """Return how a store can be taken away, and given back."""
    if store.url == "":
        return {"file moved": (store.leave, store.come_back)}

    def break_some(share: float) -> Step:
        return lambda: setattr(store.door, "breaks", share)

    return {
        "silent": (store.hold, store.let_go),
        "refuses": (store.leave, store.come_back),
        "30 % break": (break_some(BREAKS), break_some(0.0)),
    }


@dataclass
class Told:
    """What clients were told in one stretch of time."""

    seconds: list[float] = field(default_factory=list)
    """How long each prediction took that was answered."""
    unanswered: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[float, float]] = field(default_factory=list)
    """When each of those began and ended that were not answered."""
    unkept: int = 0
    """Predictions that were answered without an id, because the journal could not take them."""
    answers: set[tuple[str, str, str]] = field(default_factory=set)
    """Which rows were answered by which versions, and what."""
    verdict_seconds: list[float] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    predicted: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Of each verdict that was taken the status, and what was said."""


def _measured(
    name: str, way: str, machine: Machine, take: Step, give_back: Step
) -> tuple[Row, bool]:
    calm, away, after = Told(), Told(), Told()
    with asking(machine, calm):
        time.sleep(CALM_SECONDS)
    take()
    try:
        with asking(machine, away):
            time.sleep(AWAY_SECONDS)
    finally:
        give_back()
    with asking(machine, after):
        time.sleep(CALM_SECONDS)
    lost = lost_of(machine, [calm, away, after])
    usual = quantile(calm.seconds + after.seconds, 0.99)
    slow = quantile(away.seconds, 0.99)
    queued = sum(code == 202 for code, _ in away.acknowledged.values())
    asked = len(away.seconds) + away.unanswered.total()
    slowest = max(away.verdict_seconds)
    is_well = not (lost or away.unanswered or away.unkept) and slow <= SLOWER * usual
    row = Row(
        name,
        way,
        f"{len(away.seconds):,} of {asked:,}",
        f"{usual * 1e3:.1f} ms",
        f"{slow * 1e3:.1f} ms ({slow / usual:.2f}×)",
        " ".join(f"{code}: {count:,}" for code, count in sorted(away.codes.items())),
        f"{slowest:.2f} s",
        f"{queued:,}",
        f"{len(lost):,}" + (f" {lost[:3]}" if lost else ""),
    )
    return row, is_well and slowest <= VERDICT_SECONDS


@contextmanager
def asking(machine: Machine, told: Told) -> Iterator[None]:
    """Let clients ask and judge for a while."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=work, args=[machine, told, stop, number])
        for work, count in ((_predict, PREDICTORS), (_vote, VOTERS))
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _predict(machine: Machine, told: Told, stop: threading.Event, number: int) -> None:
    client, zombies = Client(machine), itertools.cycle(zombies_of(500, seed=number))
    while not stop.wait(PAUSE_SECONDS):
        inputs, truth = next(zombies)
        began = time.perf_counter()
        try:
            code, data = client.ask(f"/models/{MODEL}/predict", {"inputs": inputs})
        except SILENCE as error:
            told.unanswered[type(error).__name__] += 1
            told.failed.append((began, time.perf_counter()))
            continue
        if code != 200:
            told.unanswered[str(code)] += 1
            told.failed.append((began, time.perf_counter()))
            continue
        told.seconds.append(time.perf_counter() - began)
        told.answers.add((json.dumps(inputs), data["version"], data["class"]))
        if data["id"]:
            told.predicted[data["id"]] = truth
        else:
            told.unkept += 1


def _vote(machine: Machine, told: Told, stop: threading.Event, number: int) -> None:
    client, chance = Client(machine), random.Random(number)
    while not stop.wait(PAUSE_SECONDS):
        if not told.predicted:
            continue
        id, truth = chance.choice(list(told.predicted.items()))
        if id in told.acknowledged:
            continue
        began = time.perf_counter()
        try:
            code, _ = client.ask("/feedback", {"id": id, "label": truth}, JUDGE)
        except SILENCE:
            code = 0
        told.verdict_seconds.append(time.perf_counter() - began)
        told.codes[code] += 1
        if code in TAKEN and id not in told.acknowledged:
            told.acknowledged[id] = (code, truth)


def lost_of(machine: Machine, told: list[Told], patience: float = 60) -> list[str]:
    """Return what was acknowledged and is not in the store, or is counted other than once.

    What still lies in the journal is waited for.
    """
    predicted = [id for one in told for id in one.predicted]
    said = {id: truth for one in told for id, (_, truth) in one.acknowledged.items()}
    with opened(machine) as service:
        store, database = service.store, service.store.database

        def missing() -> list[str]:
            kept = database.get_many(FEEDBACK, list(said))
            lost = [
                id for id, truth in said.items() if id not in kept or kept[id]["label"] != truth
            ]
            there = store.traffic.look_up(predicted)
            gone = [id for id in predicted if id not in there]
            return [f"verdict {id}" for id in lost] + [f"prediction {id}" for id in gone]

        def miscounted() -> list[str]:
            kept = sum(1 for _ in scan_all(database, FEEDBACK, "of model", (MODEL,), only=[]))
            windows = store.traffic.windows(MODEL, since=0, until=time.time() + 2 * HOUR)
            counted = sum(window.verdicts for window in windows)
            return [] if kept == counted else [f"{kept:,} verdicts, {counted:,} counted"]

        until(lambda: not missing(), patience)
        until(lambda: not miscounted(), patience)
        return missing() + miscounted()


if __name__ == "__main__":
    main()
