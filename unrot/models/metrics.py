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
from unrot.models.scikit import ScikitPredictor
from unrot.records import Outputs, Schema


def measure(estimator: Any, dataset: Dataset) -> dict[str, float]:
    """Measure a fitted estimator on the holdout of a dataset."""
    metrics: dict[str, float] = {"rows_held_out": 0.0}
    if len(dataset.holdout_rows):
        outputs = ScikitPredictor(estimator, dataset.schema).predict_table(dataset.holdout_rows)
        metrics = measure_answers(outputs, dataset.holdout_labels, dataset.labels, dataset.schema)
    return {**metrics, "rows_trained": float(len(dataset.rows))}


def measure_answers(
    outputs: Outputs, truth: NDArray[Any], known: NDArray[Any], schema: Schema
) -> dict[str, float]:
    """Measure answers beside the truth; `known` are the labels of the training part.

    Labels are classes as the schema spells them, or numbers.
    """
    of_kind = _of_classes if schema.is_classifier else _of_numbers
    metrics = {**of_kind(outputs, truth, known, schema), "rows_held_out": len(truth)}
    return {name: float(value) for name, value in metrics.items()}


def _of_classes(
    outputs: Outputs, truth: NDArray[Any], known: NDArray[Any], schema: Schema
) -> dict[str, Any]:
    guesses = np.array(schema.classes)[list(outputs.classes or ())]
    labels, counts = np.unique(known, return_counts=True)
    held = set(np.unique(truth).tolist())
    present = [label for label in schema.classes if label in held]
    recalls = recall_score(truth, guesses, labels=present, average=None, zero_division=0.0)
    metrics = {
        "accuracy": np.mean(guesses == truth),
        "balanced_accuracy": np.mean(recalls),
    }
    if len(labels):
        metrics["constant_guess"] = np.mean(truth == labels[counts.argmax()])
    if outputs.probabilities is not None:
        order = np.argsort(schema.classes)
        chances = np.clip(np.array(outputs.probabilities)[:, order], 0.0, 1.0)
        metrics["log_loss"] = log_loss(truth, chances, labels=np.array(schema.classes)[order])
    return metrics | {
        f"recall:{label}": recall for label, recall in zip(present, recalls, strict=True)
    }


def _of_numbers(
    outputs: Outputs, truth: NDArray[Any], known: NDArray[Any], schema: Schema
) -> dict[str, Any]:
    del schema
    errors, variance = np.array(outputs.values) - truth, np.var(truth)
    metrics = {"mae": np.mean(np.abs(errors)), "rmse": np.sqrt(np.mean(errors**2))}
    if variance > 0:
        metrics["r2"] = 1.0 - np.mean(errors**2) / variance
    if len(known):
        metrics["constant_guess_mae"] = np.mean(np.abs(truth - np.median(known)))
        metrics["constant_guess_rmse"] = np.sqrt(np.mean((truth - np.mean(known)) ** 2))
    return metrics
