"""Zombies: hostile or friendly by four scores, until they mutate.

Both populations are drawn large, so that fresh rows of the same population exist: 2,000 to
train on, 4,000 held out, and 14,000 as traffic, which share no row. A model that was trained
on the first population is worse than a coin on the second; that is the rot of the demo.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_classification

from unrot.core.dataset import Dataset
from unrot.core.records import Feature, Schema

CLASSES = ("hostile", "friendly")
SCORES = {
    "hunger": "How hungry it looks: a score around 0, higher is hungrier",
    "shamble": "How it walks: a score around 0, below it drags its feet and above it runs",
    "groan_pitch": "How it groans: a score around 0, below it rumbles and above it shrieks",
    "decay": "How far it has rotted: a score around 0, higher is further",
}
SEED, MUTATED_SEED = 99, 16
SIZE, TRAINING, HOLDOUT = 20_000, 2_000, 4_000

Zombie = tuple[dict[str, float], str]
"""The scores of one, and what it truly is."""


@dataclass(frozen=True, slots=True)
class Population:
    """Zombies with the truth about them, in three parts that share no row."""

    rows: NDArray[np.float64]
    labels: NDArray[Any]
    holdout_rows: NDArray[np.float64]
    holdout_labels: NDArray[Any]
    traffic_rows: NDArray[np.float64]
    traffic_labels: NDArray[Any]


def load() -> Dataset:
    """Return the first population: its training part and its holdout."""
    drawn = population()
    return Dataset(
        name="zombies",
        title="Zombies",
        description="Whether a zombie is hostile or friendly, by four scores of a field guide.",
        schema=Schema(_features(), target="temper", classes=CLASSES),
        rows=drawn.rows,
        labels=drawn.labels,
        holdout_rows=drawn.holdout_rows,
        holdout_labels=drawn.holdout_labels,
    )


@lru_cache(maxsize=2)
def population(*, mutated: bool = False) -> Population:
    """Draw a population; the same one every time."""
    rows, numbers = make_classification(
        n_samples=SIZE,
        n_features=len(SCORES),
        n_redundant=1,
        random_state=MUTATED_SEED if mutated else SEED,
    )
    labels = np.array(CLASSES)[numbers]
    training, holdout = slice(0, TRAINING), slice(TRAINING, TRAINING + HOLDOUT)
    rest = slice(TRAINING + HOLDOUT, None)
    return Population(
        rows[training], labels[training], rows[holdout], labels[holdout], rows[rest], labels[rest]
    )


def traffic(seed: int, *, mutated: bool = False) -> Iterator[Zombie]:
    """Yield zombies that no model was trained on, each with its true class, without end."""
    drawn = population(mutated=mutated)
    chance = np.random.default_rng(seed)
    while True:
        for number in chance.permutation(len(drawn.traffic_rows)):
            row = dict(zip(SCORES, drawn.traffic_rows[number].tolist(), strict=True))
            yield row, str(drawn.traffic_labels[number])


def _features() -> tuple[Feature, ...]:
    rows = population().rows
    return tuple(
        Feature(
            name,
            "number",
            low=float(column.min()),
            high=float(column.max()),
            description=description,
        )
        for (name, description), column in zip(SCORES.items(), rows.T, strict=True)
    )
