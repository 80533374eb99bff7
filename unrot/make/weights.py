"""Rows that weigh less than others, for estimators that take weights and for those that do not.

Where weights are taken they are passed through. Where not, a row of weight 0.2 is there with a
chance of 0.2, and one of weight 2.5 twice or three times, as a seed says: in the mean over seeds
that is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

Weights = NDArray[np.float64]


def weight_key(estimator: Any) -> str:
    """Return the name by which `fit` takes weights, through pipelines; empty where it does not."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        key = weight_key(last)
        return f"{name}__{key}" if key else ""
    if isinstance(estimator, TransformedTargetRegressor):
        return "" if estimator.regressor is None else weight_key(estimator.regressor)
    return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else ""


def are_equal(weights: Weights) -> bool:
    """Tell whether every row counts whole, so that nothing has to be weighed."""
    return bool(np.all(weights == 1.0))


def drawn(weights: Weights, chance: np.random.Generator) -> NDArray[np.intp]:
    """Return the places of the rows, each as often as its weight says."""
    whole = np.floor(weights)
    times = whole + (chance.random(len(weights)) < weights - whole)
    return np.repeat(np.arange(len(weights)), times.astype(np.intp))
