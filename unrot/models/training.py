"""Turn a table into a candidate: fit, measure on the holdout, compile, and keep what is needed.

Everything is fitted on the training part alone. What a version keeps of its making (the rows,
the seed in the dataset, the library versions) is enough to make it again.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, recall_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

import unrot
from unrot.dataset import Dataset
from unrot.errors import Invalid
from unrot.models import artefacts
from unrot.models.estimators import make
from unrot.models.export import Exported, as_rows, export
from unrot.models.predictors import load, pack_golden
from unrot.models.scikit import ScikitPredictor
from unrot.records import Candidate, Schema

Progress = Callable[[float, str], None]

MOST_COMPARED_ROWS = 500
MOST_REFERENCE_ROWS = 20_000
GOLDEN_ROWS = 16
LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops", "skl2onnx", "onnxruntime")


def train(
    dataset: Dataset, estimator: str, progress: Progress, *, origin: str = "trained"
) -> Candidate:
    """Fit an estimator of the catalogue on a dataset and make a candidate of it."""
    if not dataset.schema.is_classifier:
        raise Invalid("The estimators of the catalogue classify: the schema needs classes.")
    gaps = any(feature.nullable for feature in dataset.schema.features)
    pipeline = make(estimator, seed=dataset.seed, gaps=gaps)
    # Sums that threads share come out otherwise each time; one thread can be repeated.
    with threadpool_limits(limits=1):
        progress(0.0, f"fitting {estimator} on {len(dataset.rows):,} rows")
        fit(pipeline, dataset.rows, dataset.labels, progress)
        progress(0.8, f"measuring on {len(dataset.holdout_rows):,} held-out rows")
        metrics = measure(pipeline, dataset)
        progress(0.85, "compiling and comparing with scikit-learn")
        candidate = _candidate(pipeline, dataset, estimator, origin, metrics)
    progress(1.0, "done")
    return candidate


def fit(pipeline: Pipeline, rows: NDArray[Any], labels: NDArray[Any], progress: Progress) -> None:
    """Fit a pipeline; a neural network tells after each epoch how far it is."""
    if isinstance(pipeline[-1], MLPClassifier):
        prepared = pipeline[:-1].fit_transform(rows, labels)
        _fit_by_epochs(pipeline[-1], prepared, labels, progress)
    else:
        pipeline.fit(rows, labels)


def measure(estimator: Any, dataset: Dataset) -> dict[str, float]:
    """Measure a fitted classifier on the holdout, beside what guessing would reach."""
    rows, labels = dataset.holdout_rows, dataset.holdout_labels
    guesses = estimator.predict(rows)
    known, counts = np.unique(dataset.labels, return_counts=True)
    metrics = {
        "accuracy": accuracy_score(labels, guesses),
        "balanced_accuracy": balanced_accuracy_score(labels, guesses),
        "constant_guess": np.mean(labels == known[counts.argmax()]),
        "rows_trained": len(dataset.rows),
        "rows_held_out": len(rows),
    }
    if hasattr(estimator, "predict_proba"):
        classes = estimator.classes_
        metrics["log_loss"] = log_loss(labels, estimator.predict_proba(rows), labels=classes)
    present = [label for label in dataset.schema.classes if label in labels]
    recalls = recall_score(labels, guesses, labels=present, average=None)
    metrics |= {f"recall:{label}": recall for label, recall in zip(present, recalls, strict=True)}
    return {name: float(value) for name, value in metrics.items()}


def libraries() -> Mapping[str, str]:
    """Return the versions that a fitted estimator depends on."""
    versions = {name: version(name) for name in LIBRARIES}
    return {**versions, "unrot": unrot.__version__, "python": platform.python_version()}


def _fit_by_epochs(
    network: MLPClassifier, rows: NDArray[Any], labels: NDArray[Any], progress: Progress
) -> None:
    """Do what `fit` does, epoch by epoch: stop when the loss has not fallen for a while.

    `fit` itself cannot be watched, and a warm start would throw Adam's moments away.
    """
    classes, best, waited = np.unique(labels), np.inf, 0
    for epoch in range(1, network.max_iter + 1):
        network.partial_fit(rows, labels, classes=classes)
        waited = waited + 1 if network.loss_ > best - network.tol else 0
        best = min(best, network.loss_)
        progress(0.8 * epoch / network.max_iter, f"epoch {epoch}, loss {network.loss_:.4f}")
        if waited > network.n_iter_no_change:
            break


def _candidate(
    pipeline: Pipeline, dataset: Dataset, name: str, origin: str, metrics: Mapping[str, float]
) -> Candidate:
    schema = dataset.schema
    compared = _sample(dataset.rows, MOST_COMPARED_ROWS, dataset.seed)
    exported = export(pipeline, schema, compared)
    kept = _artefacts(pipeline, dataset, exported, compared)
    by: Literal["onnx", "scikit-learn"] = "scikit-learn" if exported.onnx is None else "onnx"
    serving_artefact = "skops" if exported.onnx is None else "onnx"
    reference = as_rows(_sample(dataset.rows, MOST_REFERENCE_ROWS, dataset.seed))
    return Candidate(
        estimator=name,
        origin=origin,
        metrics=metrics,
        artefacts=kept,
        libraries=libraries(),
        served_by=by,
        serving_artefact=serving_artefact,
        largest_difference=exported.largest_difference,
        compared_rows=exported.compared_rows,
        reason=exported.reason,
        reference_rows=reference,
        reference_outputs=load(by, kept[serving_artefact], schema).predict(reference),
    )


def _artefacts(
    pipeline: Pipeline, dataset: Dataset, exported: Exported, compared: NDArray[Any]
) -> dict[str, bytes]:
    kept = {
        "skops": artefacts.dump(pipeline),
        "golden": _golden(pipeline, dataset.schema, compared),
        "training": artefacts.pack_table(dataset.rows, dataset.labels),
        "holdout": artefacts.pack_table(dataset.holdout_rows, dataset.holdout_labels),
    }
    return kept if exported.onnx is None else {**kept, "onnx": exported.onnx}


def _golden(pipeline: Pipeline, schema: Schema, compared: NDArray[Any]) -> bytes:
    rows = as_rows(compared[:GOLDEN_ROWS])
    return pack_golden(rows, ScikitPredictor(pipeline, schema).predict(rows))


def _sample(rows: NDArray[Any], most: int, seed: int) -> NDArray[Any]:
    if len(rows) <= most:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    return rows[np.sort(chosen)]
