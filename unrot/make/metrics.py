"""What a fitted estimator is worth on the holdout, beside what guessing would reach.

A classifier is compared with always naming the commonest class of the training part; a
regression with always naming its median (which no constant beats in mean absolute error) and
its mean (which none beats in squared error).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss, recall_score

from unrot.core.records import Calibrating, Candidate, Outputs, Schema


@dataclass(frozen=True, slots=True)
class Measured:
    """What was answered to a holdout and what that is worth."""

    outputs: Outputs | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    calibrating: Calibrating = Calibrating()

    def add_to(self, candidate: Candidate, **more: float) -> Candidate:
        """Return a candidate with what it is worth, and more numbers beside that."""
        return replace(
            candidate,
            metrics={**self.metrics, **more},
            calibrating=self.calibrating,
            held_out_outputs=self.outputs,
        )


def measure(outputs: Outputs, truth: NDArray[Any], known: NDArray[Any], schema: Schema) -> Measured:
    """Measure answers to a holdout; `known` are the labels of the training part."""
    metrics = measure_answers(outputs, truth, known, schema)
    return Measured(outputs, metrics, calibrate(outputs, truth, schema))


def calibrate(outputs: Outputs, truth: NDArray[Any], schema: Schema) -> Calibrating:
    """Say of each answer how sure it was, whether it was right and how strange the truth was to it.

    How sure is the largest probability, as windows count it. Nothing of classes without them.
    """
    if not len(truth):
        return Calibrating()
    if not schema.is_classifier:
        errors = np.abs(np.array(outputs.values, dtype=np.float64) - truth.astype(np.float64))
        return Calibrating(scores=errors.tolist())
    if outputs.probabilities is None:
        return Calibrating()
    shares = np.array(outputs.probabilities, dtype=np.float64)
    guesses = np.array(schema.classes)[list(outputs.classes or ())]
    is_true = np.array(schema.classes) == truth[:, None]
    return Calibrating(
        sure=np.max(shares, axis=1).tolist(),
        right=(guesses == truth).tolist(),
        squares=np.sum((shares - is_true) ** 2, axis=1).tolist(),
        scores=(1.0 - np.sum(shares * is_true, axis=1)).tolist(),
    )


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
