"""Small tables to fit on: made by a seed, with labels that are words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.dataset import Dataset, cut
from unrot.records import Feature, Row, Schema

BINARY = ("no", "maybe")
SEVERAL = ("pear", "apple", "fig")
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


def as_rows(table: NDArray[Any]) -> list[Row]:
    """Write a table of numbers as rows, None for gaps."""
    return [[None if value != value else value for value in row] for row in table.tolist()]
