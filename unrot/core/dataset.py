"""A table to train on, already cut: what may be learnt from, and what only judges.

The cut is made before anything is fitted, so that no scaler or encoder ever sees the holdout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Schema
from unrot.core.typical_row import with_examples


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows and labels of one model: a training part and a holdout that shares no row with it."""

    name: str
    title: str
    description: str
    schema: Schema
    rows: NDArray[Any]
    labels: NDArray[Any]
    holdout_rows: NDArray[Any]
    holdout_labels: NDArray[Any]
    seed: int = 0
    split: float | None = None
    """The share that was held out by chance; None where the holdout was there already."""

    def __post_init__(self) -> None:
        """Let the example of its schema be a row that was held out."""
        features = with_examples(self.schema.features, self.holdout_rows, self.rows)
        object.__setattr__(self, "schema", replace(self.schema, features=features))


def cut(
    rows: NDArray[Any], labels: NDArray[Any], *, holdout: float, seed: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Part rows into training and holdout; return rows, labels of both."""
    held = held_out(labels, holdout=holdout, seed=seed)
    return rows[~held], labels[~held], rows[held], labels[held]


def held_out(labels: NDArray[Any], *, holdout: float, seed: int) -> NDArray[np.bool_]:
    """Choose the rows that only judge: of each class its share, of numbers a share by chance.

    Of every class at least one row stays to be learnt from.
    """
    chance = np.random.default_rng(seed)
    held = np.zeros(len(labels), dtype=bool)
    groups = np.zeros(len(labels), dtype=np.intp)
    if labels.dtype.kind != "f":
        groups = np.unique(labels, return_inverse=True)[1]
    for group in range(groups.max(initial=-1) + 1):
        of_group = chance.permutation(np.flatnonzero(groups == group))
        held[of_group[: min(round(len(of_group) * holdout), len(of_group) - 1)]] = True
    return held
