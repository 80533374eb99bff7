"""Two worlds to drill a model in: what it is trained on, who comes by, and a world gone other ways.

    zombies   the demo drawn large: 4 scores, 2 classes; it mutates as in the demo
    beans     made by the same generator: 8 measures, 3 classes, 3 % of the labels wrong

Each has 2,000 rows to train on, 4,000 as the anchor, and rest rows, half as traffic and half to
measure on afterwards; no row is in two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_classification

from unrot.core.dataset import Dataset
from unrot.core.records import Feature, Schema
from unrot.make.demos import zombies

SORTS = ("kidney", "pinto", "navy")
MEASURES = ("length", "width", "weight", "gloss", "red", "green", "blue", "roundness")
SIZE, TRAINING, HOLDOUT = 20_000, 2_000, 4_000
SEED, OTHER_SEED = 7, 11


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with the truth about them."""

    rows: NDArray[np.float64]
    labels: NDArray[Any]


@dataclass(frozen=True, slots=True)
class World:
    """What a model is trained on, and the world that it meets, before and after it moved."""

    dataset: Dataset
    traffic: Rows
    fresh: Rows
    moved_traffic: Rows
    moved_fresh: Rows


@cache
def world(name: str) -> World:
    """Return a world by its name; the same one every time."""
    return WORLDS[name]()


def _zombies() -> World:
    before, after = zombies.population(), zombies.population(mutated=True)
    return World(
        zombies.load(),
        *_halves(before.traffic_rows, before.traffic_labels),
        *_halves(after.traffic_rows, after.traffic_labels),
    )


def _beans() -> World:
    rows, labels = _drawn(SEED)
    other_rows, other_labels = _drawn(OTHER_SEED)
    held, rest = slice(TRAINING, TRAINING + HOLDOUT), slice(TRAINING + HOLDOUT, None)
    features = tuple(
        Feature(name, "number", low=float(column.min()), high=float(column.max()))
        for name, column in zip(MEASURES, rows[:TRAINING].T, strict=True)
    )
    dataset = Dataset(
        name="beans",
        title="Beans",
        description="Which sort a bean is, by eight measures.",
        schema=Schema(features, target="sort", classes=SORTS),
        rows=rows[:TRAINING],
        labels=labels[:TRAINING],
        holdout_rows=rows[held],
        holdout_labels=labels[held],
    )
    return World(
        dataset,
        *_halves(rows[rest], labels[rest]),
        *_halves(other_rows[rest], other_labels[rest]),
    )


def _drawn(seed: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
    rows, numbers = make_classification(
        n_samples=SIZE,
        n_features=len(MEASURES),
        n_informative=5,
        n_redundant=1,
        n_classes=len(SORTS),
        n_clusters_per_class=1,
        class_sep=1.2,
        flip_y=0.03,
        random_state=seed,
    )
    return rows, np.array(SORTS)[numbers]


def _halves(rows: NDArray[np.float64], labels: NDArray[Any]) -> tuple[Rows, Rows]:
    half = len(rows) // 2
    return Rows(rows[:half], labels[:half]), Rows(rows[half:], labels[half:])


WORLDS = {"zombies": _zombies, "beans": _beans}
