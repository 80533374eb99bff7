"""Learning one row at a time, for pipelines that scikit-learn itself can only fit whole.

What stands before the estimator is fitted once and then frozen: a scaler that goes on learning
can be thrown off for good by one outlier. A regression learns its target in the units in which it
was begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

Table = NDArray[Any]


def can_learn_online(pipeline: Pipeline) -> bool:
    """Tell whether the estimator at a pipeline's end, fitted or not, has `partial_fit`."""
    last = pipeline[-1]
    return hasattr(
        last.regressor if isinstance(last, TransformedTargetRegressor) else last, "partial_fit"
    )


def begin(pipeline: Pipeline, rows: Table, labels: Table, classes: Sequence[str]) -> Pipeline:
    """Return a copy whose preparation is fitted on these rows, and that was fed them in turn."""
    begun = clone(pipeline)
    if len(begun) > 1:
        begun[:-1].fit(rows, labels)
    if isinstance(begun[-1], TransformedTargetRegressor):
        begin_scaled(begun[-1], labels)
    return _fed(begun, rows, labels, classes)


def begin_scaled(estimator: TransformedTargetRegressor, labels: Table) -> Table:
    """Do what `fit` does before it comes to the regressor: return the target as that sees it."""
    estimator.transformer_ = clone(estimator.transformer)
    scaled: Table = estimator.transformer_.fit_transform(labels.reshape(-1, 1)).ravel()
    estimator.regressor_ = clone(estimator.regressor)
    estimator._training_dim = labels.ndim
    return scaled


def feed(pipeline: Pipeline, rows: Table, labels: Table, classes: Sequence[str]) -> Pipeline:
    """Return a copy that has also learnt these rows, one `partial_fit` a row.

    `classes` are all that the schema knows, none for a regression.
    """
    return _fed(deepcopy(pipeline), rows, labels, classes)


def untrained(pipeline: Pipeline, rows: Table, labels: Table, classes: Sequence[str]) -> Pipeline:
    """Return a copy that begins anew with one row a class, its preparation kept as it is.

    The rows are the first of each class; a regression begins with the first row of all.
    """
    bare, last = deepcopy(pipeline), pipeline[-1]
    if isinstance(last, TransformedTargetRegressor):
        bare[-1].regressor_ = clone(last.regressor)
    else:
        bare.steps[-1] = (bare.steps[-1][0], clone(last))
    first = one_of_each(labels, classes)
    return _fed(bare, rows[first], labels[first], classes)


def one_of_each(labels: Table, classes: Sequence[str]) -> NDArray[np.intp]:
    """Return the place of the first row of each class, in the order of the rows."""
    if not classes:
        return np.arange(min(1, len(labels)))
    return np.sort(np.unique(labels, return_index=True)[1])


def _fed(pipeline: Pipeline, rows: Table, labels: Table, classes: Sequence[str]) -> Pipeline:
    """Feed a pipeline itself; where threads share a sum, one thread can be repeated."""
    if not len(rows):
        return pipeline
    prepared = pipeline[:-1].transform(rows) if len(pipeline) > 1 else rows
    learner, answers = pipeline[-1], labels
    if isinstance(learner, TransformedTargetRegressor):
        answers = learner.transformer_.transform(labels.reshape(-1, 1)).ravel()
        learner = learner.regressor_
    told = {"classes": np.array(classes)} if classes else {}
    with threadpool_limits(limits=1):
        for place in range(len(rows)):
            row = slice(place, place + 1)
            learner.partial_fit(prepared[row], answers[row], **told)
    return pipeline
