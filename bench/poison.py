"""What bad verdicts do to a model that learns by itself: `make bench-poison`.

Each model goes through five batches of verdicts, some of them bad, and promotes by itself what the
gate passes. The loss is what its champion's accuracy has fallen by in the end, on 7,000 rows that
nobody has seen. A neural network and a linear model are taught by `learn`, a tree by `refit`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from bench.attacks import ATTACKS
from bench.poison_drill import BATCHES, JOBS, Drill, Outcome, prepare, run
from bench.worlds import WORLDS
from unrot.cli.terminal import Progress, table

SHARES = (0.05, 0.2, 0.4)
SEEDS = range(4)
BARE_SHARE = 0.2
"""The share at which the same is done without the gate, to show what it keeps away."""

AMONG_ALL = {"anonymous": 200, "trusted": 20}
AMONG_TRUSTED = {"anonymous": 0, "trusted": 200}
MOVED = {"anonymous": 200, "trusted": 100, "has_moved": True}


def main() -> None:
    asked = _asked()
    started = time.perf_counter()
    seeds = SEEDS[:1] if asked.quick else SEEDS
    parts = {
        # The longest ones first, so that no process waits for them in the end.
        "moved": [drill for seed in seeds for drill in moved(seed)],
        "anonymous": attacked(seeds, **AMONG_ALL),
        "bare": [
            replace(drill, gate=False)
            for drill in attacked(seeds[:2], **AMONG_ALL)
            if drill.share == BARE_SHARE
        ],
        "trusted": [] if asked.quick else attacked(seeds, **AMONG_TRUSTED),
        "honest": [Drill(*model, seed, **AMONG_ALL) for model in models() for seed in seeds],
    }
    done = run_all([drill for part in parts.values() for drill in part], asked.processes)
    told = {name: [done[drill] for drill in part] for name, part in parts.items()}

    print("Bad verdicts among 1,000 anonymous ones, beside 100 clean trusted ones")
    print(table([HEAD, *loss_rows(told["anonymous"]), *loss_rows(told["bare"], " without gate")]))
    if told["trusted"]:
        print("\nBad verdicts among 1,000 trusted ones")
        print(table([HEAD, *loss_rows(told["trusted"])]))
    print("\nNo bad verdict, and the world stands")
    print(table(honest_rows(told["honest"])))
    print("\nNo bad verdict, and the world has moved: accuracy on it")
    print(table(moved_rows(told["moved"])))
    print(f"\n{len(done)} drills of {BATCHES} batches in {time.perf_counter() - started:.0f} s")


def attacked(seeds: Iterable[int], **said: int) -> list[Drill]:
    """Return the drills of each share, attack, model and seed."""
    return [
        Drill(*model, seed, attack, share, **said)
        for share in SHARES
        for attack in ATTACKS
        for model in models()
        for seed in seeds
    ]


def moved(seed: int) -> list[Drill]:
    """Return the drills in a world that has moved; a neural network is refitted as well."""
    return [
        *(Drill(*model, seed, **MOVED) for model in models()),
        *(Drill(name, "mlp", seed, job="refit", **MOVED) for name in WORLDS),
    ]


def models() -> list[tuple[str, str]]:
    """Return each world with each estimator."""
    return [(name, estimator) for name in WORLDS for estimator in JOBS]


def run_all(drills: Sequence[Drill], processes: int) -> dict[Drill, Outcome]:
    """Run drills side by side."""
    progress = Progress("Drills")
    done: dict[Drill, Outcome] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        # A Ctrl-C is for this process alone, which lets the drills that are running come to an end.
        ProcessPoolExecutor(
            processes, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN)
        ) as pool,
    ):
        homes = {model: Path(folder) / "-".join(model) for model in models()}
        progress(0.0, "training the models")
        list(pool.map(prepare, homes.values(), *zip(*homes, strict=True)))
        running = [pool.submit(run, homes[drill.world, drill.estimator], drill) for drill in drills]
        try:
            for future in as_completed(running):
                outcome = future.result()
                done[outcome.drill] = outcome
                progress(len(done) / len(drills), f"{len(done)} of {len(drills)}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            progress.close()
            raise
    progress.close()
    return done


# ── what is shown ────────────────────────────────────────────────────────────────────────────

HEAD = ("bad", "attack", "mean loss", "worst loss", "which", "promoted")


def loss_rows(outcomes: Sequence[Outcome], note: str = "") -> list[tuple[str, ...]]:
    """Lay out mean and worst loss by share and attack, and by share alone."""
    rows: list[tuple[str, ...]] = []
    for share in sorted({outcome.drill.share for outcome in outcomes}):
        of_share = [outcome for outcome in outcomes if outcome.drill.share == share]
        tried = [
            attack for attack in ATTACKS if any(one.drill.attack == attack for one in of_share)
        ]
        for attack in (*tried, "all"):
            some = [one for one in of_share if attack in ("all", one.drill.attack)]
            worst = max(some, key=lambda one: one.loss)
            rows.append(
                (
                    f"{share:.0%}{note}",
                    attack,
                    _points(sum(one.loss for one in some) / len(some)),
                    _points(worst.loss),
                    f"{worst.drill.world} {worst.drill.estimator}",
                    _share(sum(one.promoted for one in some), BATCHES * len(some)),
                )
            )
    return rows


def honest_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Lay out by model how many batches were accepted, and what came of it."""
    rows: list[tuple[str, ...]] = [
        ("model", "job", "accepted", "refused", "undecided", "mean loss", "worst loss")
    ]
    groups = [("all", "", list(outcomes)), *_by_model(outcomes)]
    for name, kind, some in groups:
        said = [decision for one in some for decision in one.decisions]
        rows.append(
            (
                name,
                kind,
                _share(sum(one.promoted for one in some), len(said)),
                str(said.count("refused")),
                str(said.count("undecided")),
                _points(sum(one.loss for one in some) / len(some)),
                _points(max(one.loss for one in some)),
            )
        )
    return rows


def moved_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Lay out by model how it did on the other world before and after."""
    rows: list[tuple[str, ...]] = [("model", "job", "before", "after", "least", "promoted")]
    for name, kind, some in _by_model(outcomes):
        rows.append(
            (
                name,
                kind,
                f"{sum(one.before for one in some) / len(some):.3f}",
                f"{sum(one.after for one in some) / len(some):.3f}",
                f"{min(one.after for one in some):.3f}",
                _share(sum(one.promoted for one in some), BATCHES * len(some)),
            )
        )
    return rows


def _by_model(outcomes: Sequence[Outcome]) -> list[tuple[str, str, list[Outcome]]]:
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for one in outcomes:
        model = f"{one.drill.world} {one.drill.estimator}"
        groups.setdefault((model, one.drill.kind), []).append(one)
    return [(*key, some) for key, some in groups.items()]


def _points(loss: float) -> str:
    return f"{loss:+.2f}"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})"


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.poison", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one seed, and no poison among trusted verdicts"
    )
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="drills side by side"
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped. Nothing is kept of it.")
