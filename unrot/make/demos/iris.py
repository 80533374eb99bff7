"""Iris: three species told apart by four measures of a flower (Fisher, 1936)."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_iris

from unrot.core.dataset import Dataset, cut
from unrot.core.records import Feature, Schema

CLASSES = ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
HOLDOUT = 0.2
MEASURES = {
    "sepal_length_cm": "Length of a sepal, one of the green leaves around the flower",
    "sepal_width_cm": "Width of a sepal",
    "petal_length_cm": "Length of a petal, one of the coloured leaves of the flower",
    "petal_width_cm": "Width of a petal",
}


def load() -> Dataset:
    """Return the 150 flowers, a fifth of each species held out."""
    rows, numbers = load_iris(return_X_y=True)
    labels = np.array(CLASSES)[numbers]
    rows, labels, holdout_rows, holdout_labels = cut(rows, labels, holdout=HOLDOUT, seed=0)
    features = tuple(
        Feature(
            name,
            "number",
            low=float(column.min()),
            high=float(column.max()),
            unit="cm",
            description=description,
        )
        for (name, description), column in zip(MEASURES.items(), rows.T, strict=True)
    )
    return Dataset(
        name="iris",
        title="Iris",
        description="Which of three species an iris belongs to, by the size of its flower.",
        schema=Schema(features, target="species", classes=CLASSES),
        rows=rows,
        labels=labels,
        holdout_rows=holdout_rows,
        holdout_labels=holdout_labels,
        split=HOLDOUT,
    )
