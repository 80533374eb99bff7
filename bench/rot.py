"""How soon rot is found, and how often a steady model is taken for rotten: `make bench-rot`.

Real models are trained on the zombies and answer zombies that they have never seen; each answer is
judged by the truth. In half of the runs nothing happens in 2,000 verdicts; in the other half the
population mutates after 100 to 1,500 of them. All detectors see the same streams.

The others are river's, as they come and as keen as they can be made here; they are let off when
they see the accuracy rise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import drift

from unrot.cli.terminal import Progress, table
from unrot.core.records import Outcome
from unrot.make import artefacts
from unrot.make.demos import zombies
from unrot.make.train import train
from unrot.watch.monitors.rot.note import StreamState
from unrot.watch.monitors.rot.state import Course, Expected

RUNS = 200
STEADY = 2_000
EARLIEST, LATEST = 100, 1_500
AFTER = 300
IN_TIME = 60
MODELS = ("tree", "mlp", "sgd")

Detector = Callable[[NDArray[np.float64], "Judged"], int | None]
"""Takes a stream of rights (1) and wrongs (0); says after how many verdicts it raised an alarm."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one model answers to both populations, right (1) or wrong (0), and its holdout."""

    old: NDArray[np.float64]
    mutants: NDArray[np.float64]
    share: float
    rows: int


@dataclass(frozen=True, slots=True)
class Run:
    """One stream, and when the population mutates in it; None for a steady one."""

    model: str
    rights: NDArray[np.float64]
    mutates_at: int | None


@cache
def judged(name: str) -> Judged:
    """Train a model and let it answer the traffic of both populations."""
    data = zombies.load()
    candidate = train(data, name, lambda _share, _step: None)
    estimator: Any = artefacts.load(candidate.artefacts["skops"])
    old, mutants = zombies.population(), zombies.population(mutated=True)
    return Judged(
        (estimator.predict(old.traffic_rows) == old.traffic_labels).astype(np.float64),
        (estimator.predict(mutants.traffic_rows) == mutants.traffic_labels).astype(np.float64),
        candidate.metrics["accuracy"],
        int(candidate.metrics["rows_held_out"]),
    )


def run_of(seed: int, *, mutates: bool) -> Run:
    """Draw one run; the same one for the same seed."""
    name, chance = MODELS[seed % len(MODELS)], np.random.default_rng(seed)
    known = judged(name)
    if not mutates:
        return Run(name, chance.choice(known.old, STEADY, replace=False), None)
    at = int(chance.integers(EARLIEST, LATEST + 1))
    old = chance.choice(known.old, at, replace=False)
    new = chance.choice(known.mutants, AFTER, replace=False)
    return Run(name, np.concatenate([old, new]), at)


def ours(rights: NDArray[np.float64], known: Judged) -> int | None:
    """Follow verdicts as the lookout does; they come within seconds, and their rows are unlike."""
    told = [
        Outcome(f"{place:05}", "v1", place, place, bool(right))
        for place, right in enumerate(rights)
    ]
    course = Course(
        StreamState(("v1",)),
        champion="v1",
        expected=Expected(known.share, rows=known.rows),
        last=50,
    )
    fallen = next((step for step in course.follow(told) if step.what == "fallen"), None)
    return None if fallen is None else told.index(fallen.after[-1]) + 1


def of_river(make: Callable[[], Any]) -> Detector:
    """Let a detector of river look at the errors."""
    return lambda rights, _known: _of_river(make(), 1.0 - rights)


def _of_river(detector: Any, errors: NDArray[np.float64]) -> int | None:
    before = 0.0
    for count, error in enumerate(errors.tolist(), start=1):
        detector.update(error)
        if detector.drift_detected and errors[max(0, count - 50) : count].mean() > before:
            return count
        before = float(errors[:count].mean())
    return None


DETECTORS: dict[str, Detector] = {
    "ratio (ours)": ours,
    "ADWIN": of_river(drift.ADWIN),
    "ADWIN, at each verdict": of_river(lambda: drift.ADWIN(clock=1)),
    "Page-Hinkley": of_river(lambda: drift.PageHinkley(mode="up")),
    "Page-Hinkley, threshold 10": of_river(lambda: drift.PageHinkley(mode="up", threshold=10)),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a detector over all runs."""

    in_time: int
    too_early: int
    delays: Sequence[int]
    false_alarms: int


def measure(detector: Detector, runs: int, tell: Callable[[float, str], None]) -> Told:
    """Let a detector look at so many runs that mutate, and at as many that do not."""
    delays: list[int] = []
    in_time = too_early = false_alarms = 0
    for seed in range(runs):
        moving, steady = run_of(seed, mutates=True), run_of(seed, mutates=False)
        at, known = moving.mutates_at or 0, judged(moving.model)
        found = detector(moving.rights, known)
        too_early += found is not None and found <= at
        if found is not None and found > at:
            delays.append(found - at)
            in_time += found - at <= IN_TIME
        false_alarms += detector(steady.rights, known) is not None
        tell((seed + 1) / runs, f"{seed + 1} of {runs} runs")
    return Told(in_time, too_early, delays, false_alarms)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"{runs} runs that mutate and {runs} that do not, of {', '.join(MODELS)}")
    rows = [("detector", f"within {IN_TIME}", "too early", "median", "95 %", "false alarms")]
    for name, detector in DETECTORS.items():
        progress = Progress(name)
        told = measure(detector, runs, progress)
        progress.close()
        delays = told.delays or [0]
        rows.append(
            (
                name,
                f"{told.in_time / runs:.1%}",
                f"{told.too_early / runs:.1%}",
                f"{np.median(delays):.0f}",
                f"{np.quantile(delays, 0.95):.0f}",
                f"{told.false_alarms / runs:.1%}",
            )
        )
    print(table(rows))


if __name__ == "__main__":
    main()
