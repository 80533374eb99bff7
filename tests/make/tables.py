"""Small tables to fit on: made by a seed, with labels that are words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.dataset import Dataset, cut
from unrot.core.records import Feature, Row, Schema

BINARY = ("no", "maybe")
SEVERAL = ("pear", "apple", "fig")
FIVE = ("e", "b", "d", "a", "c")
NUMBER = ()
"""Neither is in alphabetical order: scikit-learn sorts its classes, a schema does not."""


def schema_of(classes: tuple[str, ...], *, gaps: bool = False) -> Schema:
    features = tuple(
        Feature(name, "number", low=-3.0, high=3.0, example=0.5, nullable=gaps)
        for name in ("width", "height", "depth")
    )
    return Schema(features, target="kind", classes=classes)


def table_of(
    classes: tuple[str, ...], *, gaps: bool = False, size: int = 240
) -> tuple[NDArray[Any], NDArray[Any]]:
    chance = np.random.default_rng(7)
    numbers = chance.integers(len(classes), size=size)
    rows = chance.normal(size=(size, 3)) + numbers[:, None] * np.array([1.5, -1.0, 0.0])
    if gaps:
        rows[::9, 1] = np.nan
    return rows, np.array(classes)[numbers]


def dataset_of(classes: tuple[str, ...], *, gaps: bool = False) -> Dataset:
    rows, labels = table_of(classes, gaps=gaps)
    return Dataset(
        "small",
        "Small",
        "A small table.",
        schema_of(classes, gaps=gaps),
        *cut(rows, labels, holdout=0.25, seed=0),
    )


TOWNS, SIZES = ("Rome", "Oslo", "Bonn", "Nice"), ("small", "large")
MIXED = (
    Feature("width", "number", low=-3.0, high=3.0, nullable=True),
    Feature("town", "category", choices=TOWNS, nullable=True),
    Feature("rooms", "integer", low=0.0, high=9.0),
    Feature("is_new", "boolean", nullable=True),
    Feature("size", "category", choices=SIZES),
    Feature("depth", "number", low=-3.0, high=3.0),
)
"""Kinds in no order, as a file has them; what may be a gap is so in the table, now and then."""


def numbers_dataset(classes: tuple[str, ...], *, size: int = 400) -> Dataset:
    """Return a table of numbers whose target is one of some classes, or without them a number."""
    chance = np.random.default_rng(11)
    rows = chance.normal(size=(size, 3))
    score = rows[:, 0] + rows[:, 1] ** 2 + 0.3 * chance.normal(size=size)
    return _dataset(schema_of(classes).features, rows, score, classes)


def mixed_dataset(classes: tuple[str, ...], *, size: int = 400) -> Dataset:
    """Return the same with every kind of feature, and gaps."""
    chance = np.random.default_rng(12)
    rows = np.column_stack(
        [
            chance.normal(size=size),
            chance.integers(len(TOWNS), size=size),
            chance.integers(10, size=size),
            chance.integers(2, size=size),
            chance.integers(len(SIZES), size=size),
            chance.normal(size=size),
        ]
    ).astype(np.float64)
    score = rows[:, 0] + (rows[:, 1] == 2) * 2 + rows[:, 3] * rows[:, 5] - rows[:, 4]
    for place, feature in enumerate(MIXED):
        if feature.nullable:
            rows[chance.random(size) < 0.1, place] = np.nan
    return _dataset(MIXED, rows, score, classes)


def _dataset(
    features: tuple[Feature, ...],
    rows: NDArray[Any],
    score: NDArray[Any],
    classes: tuple[str, ...],
) -> Dataset:
    schema, labels = Schema(features, "kind", classes), 250_000 + 40_000 * score
    if classes:
        edges = np.quantile(score, np.linspace(0, 1, len(classes) + 1)[1:-1])
        labels = np.array(classes)[np.digitize(score, edges)]
    held = len(rows) // 4
    parts = (rows[held:], labels[held:], rows[:held], labels[:held])
    return Dataset("made", "Made", "A made table.", schema, *parts)


def as_rows(table: NDArray[Any]) -> list[Row]:
    """Write a table of numbers as rows, None for gaps."""
    return [[None if value != value else value for value in row] for row in table.tolist()]
