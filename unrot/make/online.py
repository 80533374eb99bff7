"""Learning by `partial_fit`, for pipelines that scikit-learn itself can only fit whole.

What stands before the estimator is fitted once and then frozen: a scaler that goes on learning
can be thrown off for good by one outlier. A regression learns its target in the units in which it
was begun. An estimator may stand alone, at the end of pipelines in pipelines, or behind a scaled
target. A calibration that follows it stays as it was fitted, and goes where learning begins anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from copy import deepcopy
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_outlier_detector
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from unrot.core.threads import on_one_thread
from unrot.make.recalibrated import bare

Table = NDArray[Any]


def can_learn_online(estimator: Any) -> bool:
    """Tell whether the estimator at the end, fitted or not, can go on by `partial_fit`.

    Some have it and refuse: those that stop early, and those that weigh classes by their counts.
    Others look for outliers and take no labels.
    """
    learner = learner_of(estimator)
    return (
        hasattr(learner, "partial_fit")
        and not is_unlabelled(estimator)
        and not getattr(learner, "early_stopping", False)
        and getattr(learner, "class_weight", None) != "balanced"
    )


def learns(estimator: Any) -> str:
    """Say for a version's record how it can learn: "online", or "afresh" by a new fit alone."""
    return "online" if can_learn_online(estimator) else "afresh"


def learner_of(estimator: Any) -> Any:
    """Return what learns at the end of an estimator."""
    estimator = bare(estimator)
    if isinstance(estimator, Pipeline):
        return learner_of(estimator[-1])
    if isinstance(estimator, TransformedTargetRegressor):
        return learner_of(getattr(estimator, "regressor_", estimator.regressor))
    return estimator


def is_unlabelled(estimator: Any) -> bool:
    """Tell whether an estimator looks for outliers, so that labels teach it nothing."""
    try:
        return bool(is_outlier_detector(estimator))
    except (AttributeError, TypeError):
        return False  # It has none of scikit-learn's tags.


def takes(method: Any, name: str) -> bool:
    """Tell whether a method has a parameter of this name."""
    return name in signature(method).parameters


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


def feed(estimator: Any, rows: Any, labels: Table, classes: Sequence[Any]) -> Any:
    """Return a copy that has also learnt these rows, one `partial_fit` a row.

    `classes` are all that the schema knows, none for a regression.
    """
    return _fed(deepcopy(estimator), rows, labels, classes)


def teach(
    estimator: Any,
    rows: Any,
    labels: Table,
    classes: Sequence[Any],
    weights: NDArray[np.float64] | None = None,
) -> None:
    """Let an estimator itself learn some rows by one `partial_fit`."""
    learner, prepared, answers = _prepared(estimator, rows, labels)
    told = _told(learner, classes)
    if weights is not None and not np.all(weights == 1.0):
        told["sample_weight"] = weights
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        learner.partial_fit(prepared, answers, **told)
    _forget_losses(learner)


def renewed(estimator: Any) -> Any:
    """Return a copy whose preparation is kept, and whose learner has learnt nothing."""
    estimator = bare(estimator)
    if isinstance(estimator, Pipeline):
        anew = deepcopy(estimator)
        anew.steps[-1] = (anew.steps[-1][0], renewed(estimator[-1]))
        return anew
    if isinstance(estimator, TransformedTargetRegressor):
        anew = deepcopy(estimator)
        anew.regressor_ = renewed(estimator.regressor_)
        return anew
    return clone(estimator)


def one_of_each(labels: Table, classes: Sequence[str]) -> NDArray[np.intp]:
    """Return the place of the first row of each class, in the order of the rows."""
    if not classes:
        return np.arange(min(1, len(labels)))
    return np.sort(np.unique(labels, return_index=True)[1])


def _fed(estimator: Any, rows: Any, labels: Table, classes: Sequence[Any]) -> Any:
    """Feed an estimator itself; where threads share a sum, one thread can be repeated."""
    if not len(rows):
        return estimator
    learner, prepared, answers = _prepared(estimator, rows, labels)
    told = _told(learner, classes)
    with on_one_thread():
        for place in range(len(rows)):
            row = slice(place, place + 1)
            learner.partial_fit(prepared[row], answers[row], **told)
    _forget_losses(learner)
    return estimator


def _prepared(estimator: Any, rows: Any, labels: Table) -> tuple[Any, Any, Table]:
    """Return the learner, and rows and labels as it sees them."""
    estimator = bare(estimator)
    if isinstance(estimator, Pipeline):
        before = estimator[:-1].transform(rows) if len(estimator) > 1 else rows
        return _prepared(estimator[-1], before, labels)
    if isinstance(estimator, TransformedTargetRegressor):
        answers = estimator.transformer_.transform(labels.reshape(-1, 1)).ravel()
        return _prepared(estimator.regressor_, rows, answers)
    return estimator, rows, labels


def _told(learner: Any, classes: Sequence[Any]) -> dict[str, Any]:
    if not len(classes) or not takes(learner.partial_fit, "classes"):
        return {}
    return {"classes": np.array(classes)}


def _forget_losses(learner: Any) -> None:
    """Keep the last loss of a network: it notes one a call for ever, and reads only the last."""
    if isinstance(losses := getattr(learner, "loss_curve_", None), list):
        del losses[:-1]
