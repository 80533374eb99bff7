"""Turn a table into a candidate: fit, measure on the holdout, compile, and keep what is needed.

Everything is fitted on the training part alone. What a version keeps of its making (the rows,
the seed in the dataset, the library versions) is enough to make it again. Tables are not copied
whole: what is compared, profiled and kept as golden is a sample.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

import unrot
from unrot.core.artefacts import GOLDEN, HOLDOUT, ONNX, SKOPS, TRAINING
from unrot.core.dataset import Dataset
from unrot.core.encoding import Encoder
from unrot.core.errors import BadArtefact, Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Candidate, Outputs, Row, Schema
from unrot.make import artefacts, packed
from unrot.make.catalogue import make
from unrot.make.metrics import measure_and_calibrate
from unrot.make.online import begin_scaled, learns
from unrot.make.onnx.export import export
from unrot.make.predictors import load
from unrot.make.repeatable import on_one_thread
from unrot.make.scikit import ScikitPredictor
from unrot.make.weights import weight_key
from unrot.serve.predictor import pack_golden

Progress = Callable[[float, str], None]

NETWORKS = (MLPClassifier, MLPRegressor)
MOST_COMPARED_ROWS = 500
MOST_REFERENCE_ROWS = 20_000
GOLDEN_ROWS = 16
MOST_BATCHES = 1000
LIBRARIES = ("scikit-learn", "numpy", "scipy", "skops", "skl2onnx", "onnxruntime")


def train(
    dataset: Dataset, estimator: str, progress: Progress, *, origin: str = "trained"
) -> Candidate:
    """Fit an estimator of the catalogue, or one's own, on a dataset and make a candidate of it."""
    pipeline = make(estimator, seed=dataset.seed, schema=dataset.schema, rows=len(dataset.rows))
    with on_one_thread():
        progress(0.0, f"fitting {estimator} on {counted(len(dataset.rows), 'row')}")
        try:
            fit(pipeline, dataset.rows, dataset.labels, progress)
        except ValueError as error:
            raise refused(estimator, error) from error
        progress(0.8, f"measuring on {counted(len(dataset.holdout_rows), 'held-out row')}")
        metrics, calibrating = measure_and_calibrate(pipeline, dataset)
        progress(0.85, "compiling and comparing with scikit-learn")
        candidate = as_candidate(pipeline, dataset, estimator, origin, metrics)
    progress(1.0, "done")
    return replace(candidate, calibrating=calibrating)


def fit(
    pipeline: Pipeline,
    rows: NDArray[Any],
    labels: NDArray[Any],
    progress: Progress,
    weights: NDArray[np.float64] | None = None,
) -> None:
    """Fit a pipeline whose estimator takes weights, if there are any.

    A neural network tells after each epoch how far it is.
    """
    last = pipeline[-1]
    is_scaled = isinstance(last, TransformedTargetRegressor)
    if len(pipeline) == 1 or not _can_be_watched(last.regressor if is_scaled else last):
        pipeline.fit(rows, labels, **({} if weights is None else {weight_key(pipeline): weights}))
        return
    prepared = pipeline[:-1].fit_transform(rows, labels)
    answers, network = labels, last
    if is_scaled:
        answers = begin_scaled(last, labels)
        network = last.regressor_
    _fit_by_epochs(network, prepared, answers, progress, weights)


@cache
def libraries() -> Mapping[str, str]:
    """Return the versions that a fitted estimator depends on."""
    versions = {name: version(name) for name in LIBRARIES}
    return {**versions, "unrot": unrot.__version__, "python": platform.python_version()}


def refused(estimator: str, error: Exception) -> Invalid:
    """Say in its own words why an estimator cannot be fitted."""
    return Invalid(f"{estimator} cannot be fitted: {shown(str(error), 200)[1:-1].rstrip('.')}.")


def _can_be_watched(step: Any) -> bool:
    return isinstance(step, NETWORKS) and step.solver != "lbfgs" and not step.early_stopping


def _fit_by_epochs(
    network: MLPClassifier | MLPRegressor,
    rows: NDArray[Any],
    labels: NDArray[Any],
    progress: Progress,
    weights: NDArray[np.float64] | None = None,
) -> None:
    """Do what `fit` does, epoch by epoch: stop when the loss has not fallen for a while.

    `fit` itself cannot be watched, and a warm start would throw Adam's moments away.
    """
    best, waited = np.inf, 0
    told: dict[str, Any] = {} if weights is None else {"sample_weight": weights}
    if isinstance(network, MLPClassifier):
        told["classes"] = np.unique(labels)
    if network.batch_size != "auto":
        network.set_params(batch_size=max(network.batch_size, labels.size // MOST_BATCHES))
    for epoch in range(1, network.max_iter + 1):
        network.partial_fit(rows, labels, **told)
        waited = waited + 1 if network.loss_ > best - network.tol else 0
        best = min(best, network.loss_)
        progress(0.8 * epoch / network.max_iter, f"epoch {epoch}, loss {network.loss_:.4f}")
        if waited > network.n_iter_no_change:
            break


def as_candidate(
    pipeline: Pipeline, dataset: Dataset, name: str, origin: str, metrics: Mapping[str, float]
) -> Candidate:
    """Compile a fitted pipeline and keep what a version needs; the dataset is what it learnt."""
    compared = _sample(dataset.rows, MOST_COMPARED_ROWS, dataset.seed)
    reference = _sample(dataset.rows, MOST_REFERENCE_ROWS, dataset.seed)
    rows = Encoder(dataset.schema).decode(reference)
    made = compiled(pipeline, dataset.schema, rows, compared)
    tables = {
        TRAINING: packed.pack_table(dataset.rows, dataset.labels),
        HOLDOUT: packed.pack_table(dataset.holdout_rows, dataset.holdout_labels),
    }
    kept = {**made.artefacts, **tables}
    told = {"seed": dataset.seed, "learns": learns(pipeline)}
    return replace(
        made,
        estimator=name,
        origin=origin,
        metrics=metrics,
        artefacts=kept,
        made=told,
        held_out_outputs=_held_out(made, dataset),
    )


def _held_out(made: Candidate, dataset: Dataset) -> Outputs | None:
    """Let what serves answer held-out rows: of those that it was fitted on it is too sure."""
    table = _sample(dataset.holdout_rows, MOST_REFERENCE_ROWS, dataset.seed)
    if not len(table):
        return None
    predictor = load(made.served_by, made.artefacts[made.serving_artefact], dataset.schema)
    return predictor.predict(Encoder(dataset.schema).decode(table))


def compiled(
    pipeline: Pipeline, schema: Schema, rows: Sequence[Row], compared: NDArray[Any]
) -> Candidate:
    """Compile a fitted pipeline, compare it and let what serves answer the reference rows.

    Its name, origin, metrics and tables are for the caller to add.
    """
    exported = export(pipeline, schema, compared)
    kept = {
        **_learnable(pipeline, is_needed=exported.onnx is None),
        GOLDEN: _golden(pipeline, schema, compared),
        **({} if exported.onnx is None else {ONNX: exported.onnx}),
    }
    by: Literal["onnx", "scikit-learn"] = "scikit-learn" if exported.onnx is None else "onnx"
    serving_artefact = SKOPS if exported.onnx is None else ONNX
    return Candidate(
        estimator="",
        origin="",
        metrics={},
        artefacts=kept,
        libraries=libraries(),
        served_by=by,
        serving_artefact=serving_artefact,
        largest_difference=exported.largest_difference,
        compared_rows=exported.compared_rows,
        reason=exported.reason,
        reference_rows=rows,
        reference_outputs=load(by, kept[serving_artefact], schema).predict(rows),
    )


def _learnable(pipeline: Pipeline, *, is_needed: bool) -> dict[str, bytes]:
    """Return the skops artefact, or nothing where skops cannot hold it and ONNX serves alone."""
    try:
        dumped = artefacts.dump(pipeline)
        artefacts.check(dumped)
    except BadArtefact:
        if is_needed:
            raise
        return {}
    return {SKOPS: dumped}


def _golden(pipeline: Pipeline, schema: Schema, compared: NDArray[Any]) -> bytes:
    """Keep rows whose answers are spread over all that is answered, so that they would tell."""
    predictor = ScikitPredictor(pipeline, schema)
    answered = predictor.predict_table(compared)
    order = np.argsort(answered.values or answered.classes or (), kind="stable")
    places = order[np.linspace(0, len(order) - 1, min(len(order), GOLDEN_ROWS)).astype(int)]
    rows = Encoder(schema).decode(compared[places])
    return pack_golden(rows, predictor.predict(rows))


def _sample(rows: NDArray[Any], most: int, seed: int) -> NDArray[Any]:
    if len(rows) <= most:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    return rows[np.sort(chosen)]
