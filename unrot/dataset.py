"""A table to train on, already cut: what may be learnt from, and what only judges.

The cut is made before anything is fitted, so that no scaler or encoder ever sees the holdout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.records import Schema


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


def cut(
    rows: NDArray[Any], labels: NDArray[Any], *, holdout: float, seed: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Part rows into training and holdout, each class in its share; return rows, labels of both."""
    chance = np.random.default_rng(seed)
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        of_label = chance.permutation(np.flatnonzero(labels == label))
        held[of_label[: round(len(of_label) * holdout)]] = True
    return rows[~held], labels[~held], rows[held], labels[held]
