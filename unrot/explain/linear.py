"""Exact Shapley values of what weighs its columns and adds them up.

A column adds its weight times how far it is from its mean over the training; a feature adds what
its columns add.

    >>> weighed = Weighed(np.array([[2.0, 1.0]]), np.array([3.0]), np.array([1.0, 0.5]))
    >>> weighed.averages.tolist()
    [5.5]
    >>> weighed.contributions(np.array([2.0, 0.0]), owners=np.array([0, 1]), features=2).tolist()
    [[2.0, -0.5]]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Weighed:
    """Weights (a row for each score), intercepts, and the means of the columns."""

    weights: Floats
    intercepts: Floats
    means: Floats

    @property
    def averages(self) -> Floats:
        """The mean of each score over the training."""
        averages: Floats = self.weights @ self.means + self.intercepts
        return averages

    def contributions(self, columns: Floats, *, owners: NDArray[np.intp], features: int) -> Floats:
        """Return what each feature adds, a row for each score, given the columns of a row."""
        found, is_owned = np.zeros((len(self.weights), features)), owners >= 0
        added = self.weights * (columns - self.means)
        np.add.at(found.T, owners[is_owned], added.T[is_owned])
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what it is kept as."""
        return {
            "weights": self.weights,
            "intercepts": self.intercepts,
            "means": self.means,
        }
