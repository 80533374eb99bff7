"""Days of iris traffic as a log of elsewhere, brought in by the command."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_iris

from unrot.cli.main import main
from unrot.make.demos.iris import CLASSES

FEATURES = ("sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm")
DAY = 86_400
MIDNIGHT = 1_767_225_600
"""2026-01-01 00:00 UTC."""

Flowers = NDArray[np.float64]
Spoil = Callable[[Flowers, np.random.Generator], None]


def flowers(seed: int) -> Flowers:
    """Return the 150 flowers in an order of their own."""
    return np.random.default_rng(seed).permutation(load_iris().data)


def spoilt(rows: Flowers, seed: int, kind: str) -> Flowers:
    """Replace sepal_width_cm of 30 rows by outliers."""
    rng = np.random.default_rng(seed)
    rows = rows.copy()
    places = rng.choice(len(rows), 30, replace=False)
    rows[places, 1] = OUTLIERS[kind](rng)
    return rows


OUTLIERS: dict[str, Callable[[np.random.Generator], Flowers]] = {
    "far above": lambda rng: rng.uniform(8, 12, 30),
    "in millimetres": lambda rng: np.round(rng.uniform(20, 44, 30)),
    "zeros": lambda _: np.zeros(30),
    "below zero": lambda rng: -rng.uniform(1, 3, 30),
    "both ends": lambda rng: rng.choice([0.1, 9.9], 30),
    "just outside": lambda rng: rng.uniform(4.6, 5.2, 30),
    "one value": lambda _: np.full(30, 99.0),
}


def log_of(path: Path, days: Sequence[Flowers], *, seconds: int, said: bool = False) -> Path:
    """Write days of rows, each spread over its first so many seconds from 09:00."""
    with path.open("w", newline="") as file:
        write = csv.writer(file).writerow
        write(["at", *FEATURES, *(["said"] if said else [])])
        for day, rows in enumerate(days):
            for number, row in enumerate(rows):
                start = MIDNIGHT + day * DAY + (9 * 3_600 if seconds <= 3_600 else 0)
                at = datetime.fromtimestamp(start + number * seconds / len(rows), UTC)
                answer = [CLASSES[int(row[2] > 2.5) + int(row[2] > 4.9)]] if said else []
                write([at.isoformat(), *map(float, row), *answer])
    return path


def bring_in(log: Path, *, said: bool = False) -> None:
    """Import a log as a person does, in this process."""
    answers = ["--prediction", "said"] if said else []
    assert main(["import", str(log), "--model", "iris", "--time", "at", *answers]) == 0
