"""What all monitors say of models that are well, and of one that rots: `make bench-steady`.

Real models answer zombies that they have never seen, through the real service: journal, store,
windows, profiles and the detector of odd rows. Only HTTP and the waiting are left out: the clock
is the bench's own. The lookout looks after every request and goes through its verdicts one by one.

    steady    2,000 rows, each judged by the truth, 50 a request; nothing happens
    unjudged  2,000 rows that nobody judges, 50 a request; nothing happens
    rotting   the population mutates after 100 to 1,500 rows; 10 a request, each judged

Rows come at three rates, so that a period of five minutes has 100, 200 or 500 of them. At the end
a day goes by without a row, so that the hour and the day close too. Each kind of model is trained
on five samples of its own, which are also what its traffic is compared with: one that happened to
lie oddly shall not decide for all.

    python -m bench.steady [runs] [--processes N] [--only steady]
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.side_by_side import see_all, workers
from unrot.cli.terminal import table
from unrot.core.dataset import Dataset
from unrot.core.records import Caller, Model
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.bootstrap import open_service
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.watch.round import Lookout
from unrot.watch.statistics.accuracy import share

RUNS = 200
STEADY = 2_000
EARLIEST, LATEST = 100, 1_500
IN_TIME = 60
AT_ONCE = {"steady": 50, "unjudged": 50, "rotting": 10}
"""Rows of one request; after each the verdicts are sent and everything is looked at."""
MODELS = ("tree", "mlp", "sgd")
RATES = (100, 200, 500)
SAMPLES = 5
KINDS = ("steady", "rotting", "unjudged")
MONITORS = ("drift", "rot", "estimate", "outliers", "quality")
STARTS_AT, HOUR, DAY = 1_800_000_000.0, 3_600.0, 86_400.0
JUDGE = Caller("judge", "truth", "bench")


@dataclass(frozen=True, slots=True)
class Run:
    """What happens to one model; the same for the same seed."""

    kind: str
    seed: int

    @property
    def model(self) -> str:
        """What was trained."""
        return MODELS[self.seed % len(MODELS)]

    @property
    def sample(self) -> int:
        """Which zombies it was trained on."""
        return self.seed // (len(MODELS) * len(RATES)) % SAMPLES

    @property
    def rate(self) -> int:
        """Rows that a period brings."""
        return RATES[self.seed // len(MODELS) % len(RATES)]

    @property
    def mutates_at(self) -> int | None:
        """After how many rows the population mutates."""
        if self.kind != "rotting":
            return None
        return int(np.random.default_rng([self.seed, 1]).integers(EARLIEST, LATEST + 1))

    @property
    def rows(self) -> int:
        """All of them; after a mutation one whole period is closed in any case."""
        at = self.mutates_at
        return STEADY if at is None else at + 2 * self.rate + 3 * AT_ONCE[self.kind]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in a run: by each kind of finding, after how many rows first."""

    run: Run
    first: dict[str, int]
    said: dict[str, str]
    checks: int
    """Closed periods that were compared with the training."""

    def delay(self, kind: str) -> int | None:
        """Return how many rows after the mutation; None where it was not found, or before."""
        at, found = self.run.mutates_at or 0, self.first.get(kind)
        return None if found is None or found <= at else found - at


@dataclass(frozen=True, slots=True)
class World:
    """Zombies to train on, and those that come by: no row is in both."""

    dataset: Dataset
    rows: NDArray[np.float64]
    labels: NDArray[Any]


@cache
def world(sample: int) -> World:
    """Deal the first population out anew."""
    dealt, drawn = zombies.load(), zombies.population()
    rows = np.concatenate([drawn.rows, drawn.holdout_rows, drawn.traffic_rows])
    labels = np.concatenate([drawn.labels, drawn.holdout_labels, drawn.traffic_labels])
    order = np.random.default_rng([sample, 3]).permutation(len(rows))
    training, held, rest = np.split(order, [zombies.TRAINING, zombies.TRAINING + zombies.HOLDOUT])
    dataset = replace(
        dealt,
        rows=rows[training],
        labels=labels[training],
        holdout_rows=rows[held],
        holdout_labels=labels[held],
    )
    return World(dataset, rows[rest], labels[rest])


def prepare(home: Path, estimator: str, sample: int) -> None:
    """Train a model into a home folder."""
    service = replace(open_service(Settings(home=home)), clock=lambda: STARTS_AT - HOUR)
    data = world(sample).dataset
    model = Model(data.name, 0, data.title, data.description, data.schema, STARTS_AT - HOUR)
    publish(service, model, train(data, estimator, lambda *_: None))
    service.store.close()


def seen(prepared: Path, run: Run) -> Seen:
    """Let a run happen to a copy of a home folder."""
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(prepared, home)
        service = open_service(Settings(home=home))
        try:
            return _Watched(service, run).seen()
        finally:
            service.store.close()


class _Watched:
    """One model, who asks and judges it, and what looks after it."""

    def __init__(self, service: Service, run: Run) -> None:
        self._run = run
        # Periods lie on the clock of the wall: where in one the first row comes is chance.
        self._starts_at = STARTS_AT + float(np.random.default_rng([run.seed, 2]).uniform(0, HOUR))
        self._now = self._starts_at
        self._service = replace(service, clock=lambda: self._now)
        self._caretaker = Caretaker(self._service, "bench")
        self._lookout = Lookout(self._service)
        self._first: dict[str, int] = {}
        self._said: dict[str, str] = {}

    def seen(self) -> Seen:
        """Go through all rows, and on to when all periods are closed."""
        seconds = self._service.settings.rotation_seconds / self._run.rate
        done = 0
        self._look(done)
        for rows, truths in _requests(self._run):
            self._now = self._starts_at + done * seconds
            answer = self._service.predict("zombies", rows)
            self._caretaker._go_round_at_home()
            if self._run.kind != "unjudged":
                given: list[Any] = [
                    {"id": one.id, "label": truth}
                    for one, truth in zip(answer.predictions, truths, strict=True)
                ]
                told = self._service.judge_many(given, JUDGE)
                assert all(status == "created" for _, status in told), told
                self._caretaker._go_round_at_home()
            done += len(rows)
            self._look(done)
        for later in (self._service.settings.rotation_seconds + 60.0, HOUR, DAY):
            self._now += later
            self._caretaker._go_round_at_home()
            self._look(done)
        checks = self._service.store.checks.of_model(
            "zombies", against="training", since=0.0, until=self._now
        )
        compared = sum(bool(one.drifts) for one in checks)
        return Seen(self._run, self._first, self._said, compared)

    def _look(self, done: int) -> None:
        self._lookout.look_at_all()
        assert not self._lookout._troubles, self._lookout._troubles
        for found in self._service.store.findings.of_model("zombies", limit=50):
            self._first.setdefault(found.kind, done)
            self._said.setdefault(found.kind, found.sentence)


def _requests(run: Run) -> Iterator[tuple[list[dict[str, Any]], list[str]]]:
    """Yield the rows of each request with the truth; none is of both populations."""
    at, before, after = run.mutates_at, world(run.sample), zombies.population(mutated=True)
    parts = [(before.rows, before.labels, run.rows if at is None else at)]
    if at is not None:
        parts.append((after.traffic_rows, after.traffic_labels, run.rows - at))
    chance = np.random.default_rng([run.seed, KINDS.index(run.kind)])
    for rows, labels, count in parts:
        places = chance.permutation(len(rows))[:count]
        for start in range(0, count, AT_ONCE[run.kind]):
            some = places[start : min(start + AT_ONCE[run.kind], count)]
            named = [dict(zip(zombies.SCORES, row, strict=True)) for row in rows[some].tolist()]
            yield named, labels[some].tolist()


# ── all of them ──────────────────────────────────────────────────────────────────────────────


def runs_of(count: int, kinds: Sequence[str] = KINDS) -> list[Run]:
    """Return so many runs of each kind."""
    return [Run(kind, seed) for kind in kinds for seed in range(count)]


def see_runs(runs: Sequence[Run], processes: int) -> list[Seen]:
    """Let runs happen side by side."""
    with tempfile.TemporaryDirectory() as folder, workers(processes) as pool:
        homes = {
            (run.model, run.sample): Path(folder) / f"{run.model}-{run.sample}" for run in runs
        }
        print("Training the models …")
        list(pool.map(prepare, homes.values(), *zip(*homes, strict=True)))
        done = see_all(pool, seen, [(homes[run.model, run.sample], run) for run in runs])
    return sorted(done, key=lambda one: (one.run.kind, one.run.seed))


def alarm_rows(told: Sequence[Seen]) -> list[tuple[str, ...]]:
    """Lay out of how many runs of models that are well each monitor raised something."""
    kinds = [kind for kind in KINDS if any(one.run.kind == kind for one in told)]
    rows = [("monitor", *(f"{kind} runs" for kind in kinds))]
    parts = [[one for one in told if one.run.kind == kind] for kind in kinds]
    for monitor in MONITORS:
        rows.append((monitor, *(_rate([monitor in one.first for one in of]) for of in parts)))
    rows.append(("anything", *(_rate([bool(one.first) for one in of]) for of in parts)))
    rows.append(("periods compared", *(f"{sum(one.checks for one in of):,}" for of in parts)))
    return rows


def delay_rows(told: Sequence[Seen]) -> list[tuple[str, ...]]:
    """Lay out how soon rot and drift were found after a mutation."""
    rows = [("finding", "rows a period", "found", f"within {IN_TIME}", "median", "95 %", "early")]
    for kind in ("rot", "drift"):
        for rates in (RATES, *((rate,) for rate in RATES)):
            of = [one for one in told if one.run.rate in rates]
            if not of:
                continue
            delays = [delay for one in of if (delay := one.delay(kind)) is not None]
            early = sum(one.first.get(kind, 1e9) <= (one.run.mutates_at or 0) for one in of)
            rows.append(
                (
                    kind,
                    "all" if len(rates) > 1 else str(rates[0]),
                    f"{len(delays) / len(of):.1%}",
                    f"{sum(delay <= IN_TIME for delay in delays) / len(of):.1%}",
                    f"{np.median(delays or [0]):.0f}",
                    f"{np.quantile(delays or [0], 0.95):.0f}",
                    str(early),
                )
            )
    return rows


def _rate(alarms: Sequence[bool]) -> str:
    """Say how many, and between what the share surely lies."""
    told = share(sum(alarms), len(alarms))
    return f"{told.right} of {told.count} ({told.low:.1%} to {told.high:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.steady", description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=RUNS, help="of each kind")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=KINDS, help="one kind alone")
    asked = parser.parse_args()
    told = see_runs(runs_of(asked.runs, [asked.only] if asked.only else KINDS), asked.processes)
    well = [one for one in told if one.run.kind != "rotting"]
    rotting = [one for one in told if one.run.kind == "rotting"]
    if well:
        print(f"Models that are well, {STEADY:,} rows a run; shares with their 95 % interval")
        print(table(alarm_rows(well)))
        for one in well:
            run = one.run
            for kind, said in one.said.items():
                print(f"{run.kind} {run.seed} ({run.model}), row {one.first[kind]}: {said}")
    if rotting:
        print("\nThe population mutates: rows until the finding")
        print(table(delay_rows(rotting)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped. Nothing is kept of it.")
