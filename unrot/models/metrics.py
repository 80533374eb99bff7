"""What a fitted estimator is worth on the holdout, beside what guessing would reach.

A classifier is compared with always naming the commonest class of the training part; a
regression with always naming its median (which no constant beats in mean absolute error) and
its mean (which none beats in squared error).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, recall_score

from unrot.dataset import Dataset


def measure(estimator: Any, dataset: Dataset) -> dict[str, float]:
    """Measure a fitted estimator on the holdout of a dataset."""
    metrics: dict[str, Any] = {}
    if len(dataset.holdout_rows):
        of_kind = _of_classes if dataset.schema.is_classifier else _of_numbers
        metrics = of_kind(estimator, dataset)
    metrics["rows_trained"] = len(dataset.rows)
    metrics["rows_held_out"] = len(dataset.holdout_rows)
    return {name: float(value) for name, value in metrics.items()}


def _of_classes(estimator: Any, dataset: Dataset) -> dict[str, Any]:
    rows, labels = dataset.holdout_rows, dataset.holdout_labels
    guesses = estimator.predict(rows)
    known, counts = np.unique(dataset.labels, return_counts=True)
    held = set(np.unique(labels).tolist())
    present = [label for label in dataset.schema.classes if label in held]
    recalls = recall_score(labels, guesses, labels=present, average=None, zero_division=0.0)
    metrics = {
        "accuracy": np.mean(guesses == labels),
        "balanced_accuracy": np.mean(recalls),
        "constant_guess": np.mean(labels == known[counts.argmax()]),
    }
    if hasattr(estimator, "predict_proba"):
        chances = estimator.predict_proba(rows)
        metrics["log_loss"] = _log_loss(labels, chances, estimator.classes_)
    return metrics | {
        f"recall:{label}": recall for label, recall in zip(present, recalls, strict=True)
    }


def _log_loss(labels: NDArray[Any], chances: NDArray[Any], classes: NDArray[Any]) -> float:
    """Return the log loss; a class that the estimator never saw had no chance."""
    strangers = np.setdiff1d(labels, classes)
    if not len(strangers):
        return float(log_loss(labels, chances, labels=classes))
    every = np.concatenate([classes, strangers])
    order = np.argsort(every)
    padded = np.hstack([chances, np.zeros((len(chances), len(strangers)))])
    return float(log_loss(labels, padded[:, order], labels=every[order]))


def _of_numbers(estimator: Any, dataset: Dataset) -> dict[str, Any]:
    truth = dataset.holdout_labels
    errors = estimator.predict(dataset.holdout_rows) - truth
    variance = np.var(truth)
    metrics = {"mae": np.mean(np.abs(errors)), "rmse": np.sqrt(np.mean(errors**2))}
    if variance > 0:
        metrics["r2"] = 1.0 - np.mean(errors**2) / variance
    metrics["constant_guess_mae"] = np.mean(np.abs(truth - np.median(dataset.labels)))
    metrics["constant_guess_rmse"] = np.sqrt(np.mean((truth - np.mean(dataset.labels)) ** 2))
    return metrics
