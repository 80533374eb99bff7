"""How soon what goes wrong is found, by all monitors at work: `make bench-found`.

As in `calm.py` a model answers made-up traffic through the real service, and the lookout looks
after every ten rows (rows that are spoilt: every fifty). Where verdicts are drawn by a coin (the
first three), what the model's test set says is drawn by the same one. From a moment on something is
wrong:

    fall            right in 40 % instead of 90 %                       60 verdicts
    slow            right in 82 % instead of 89 %                    1,500 verdicts
    slice           one choice of ten, from 89 % to 39 %               150 of its verdicts
    rare class      a class of 1.5 % is not found any more              60 of its rows
    missing         a tenth of one column is missing                 1,000 rows, 500 an hour
    thousandfold    one of a hundred values is a thousand times as large          as above
    new choice      3 % of a column is a choice that training never saw           as above

    python -m bench.found [runs of each] [--seed N] [--processes N] [--only FAULT]
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import streams
from bench.calm import SEED, Watched
from bench.side_by_side import see_all, workers
from bench.streams import FAULTS, HOUR, IN_TIME, SPOILS
from unrot.cli.terminal import table

RUNS = 100
AT_ONCE, AT_ONCE_SPOILT = 10, 50
FOUND_AS = {
    "fall": ("rot",),
    "slow": ("rot",),
    "slice": ("slice", "rot"),
    "rare class": ("slice", "rot"),
    **dict.fromkeys(SPOILS, ("quality", "drift")),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a run: after how many rows that count it was found; None where it was not."""

    fault: str
    seed: int
    delay: int | None
    early: str
    said: str


def seen(fault: str, seed: int) -> Seen:
    """Let one fault happen to a model in a folder of its own."""
    logging.disable(logging.INFO)
    stream = streams.faulty(fault, seed)
    begins, early = stream.changes_at or 0, ""
    counts = np.ones(len(stream.at), bool) if stream.counts is None else stream.counts
    at_once = AT_ONCE_SPOILT if fault in SPOILS else AT_ONCE
    with tempfile.TemporaryDirectory() as folder:
        watched = Watched(Path(folder), stream, seed)
        try:
            quick = range(0, begins - 200, 200)
            ends = [*quick[1:], *range(begins, len(stream.at) + 1, at_once)]
            first = 0
            for end in ends:
                watched.ask(first, end)
                if fault in SPOILS:
                    watched.now += 30.0 if end == len(stream.at) else 0.0
                watched.look()
                first = end
                found = watched.findings()
                if end <= begins and found:
                    early = early or f"{found[0].kind}: {found[0].sentence}"
                named = [one for one in found if one.kind in FOUND_AS[fault]]
                if end > begins and named and not early:
                    delay = int(counts[begins:end].sum())
                    return Seen(fault, seed, delay, early, named[0].sentence)
            if fault in SPOILS:
                watched.now += 2 * HOUR
                watched.caretaker._go_round_at_home()
                watched.look()
        finally:
            watched.service.store.close()
    return Seen(fault, seed, None, early, "")


def tell(one: Seen) -> None:
    """Print what was not found, or found before it was there."""
    if one.delay is None or one.early:
        said = f"too early: {one.early}" if one.early else "not found"
        print(f"{one.fault} {one.seed}: {said}")


def found_rows(told: Sequence[Seen]) -> list[tuple[str, ...]]:
    """Lay out how soon each fault was found."""
    rows = [("fault", "runs", "in time", "found", "median", "95 %", "too early")]
    for fault in FAULTS:
        of = [one for one in told if one.fault == fault]
        delays = [one.delay for one in of if one.delay is not None]
        # A period tells once it is over and its profile is in.
        grace = AT_ONCE_SPOILT if fault in SPOILS else AT_ONCE
        if of:
            rows.append(
                (
                    fault,
                    f"{len(of)}",
                    f"{sum(delay <= IN_TIME[fault] + grace for delay in delays) / len(of):.0%}",
                    f"{len(delays) / len(of):.0%}",
                    f"{np.median(delays or [0]):.0f}",
                    f"{np.quantile(delays or [0], 0.95):.0f}",
                    f"{sum(bool(one.early) for one in of)}",
                )
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.found", description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=RUNS, help="of each fault")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=FAULTS)
    given = parser.parse_args()
    faults = [given.only] if given.only else FAULTS
    seeds = [given.seed * 1_000 + number for number in range(given.runs)]
    with workers(given.processes) as pool:
        told = see_all(pool, seen, [(fault, seed) for fault in faults for seed in seeds], tell)
    print(table(found_rows(told)))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Stopped. Nothing is kept of it.")
