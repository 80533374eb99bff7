"""Turn a table into a candidate: fit, measure on the holdout, compile, and keep what is needed.

Everything is fitted on the training part alone. What a version keeps of its making (the rows,
the seed in the dataset, the library versions) is enough to make it again. Tables are not copied
whole: what is compared, profiled and kept as golden is a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline

from unrot.core.artefacts import EXAMPLES, HOLDOUT, TRAINING
from unrot.core.dataset import Dataset
from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Candidate
from unrot.core.threads import on_one_thread
from unrot.explain import examples
from unrot.make.candidate import MOST_COMPARED_ROWS, MOST_REFERENCE_ROWS, compile_candidate
from unrot.make.catalogue import make
from unrot.make.fitted import Fitted
from unrot.make.metrics import Measured, measure
from unrot.make.online import begin_scaled, learner_of, learns
from unrot.make.tables import Table, pack_table
from unrot.make.weights import weight_key

Progress = Callable[[float, str], None]

NETWORKS = (MLPClassifier, MLPRegressor)
MOST_BATCHES = 1000


def train(
    dataset: Dataset, estimator: str, progress: Progress, *, origin: str = "trained"
) -> Candidate:
    """Fit an estimator of the catalogue, or one's own, on a dataset and make a candidate of it."""
    pipeline = make(estimator, seed=dataset.seed, schema=dataset.schema, rows=len(dataset.rows))
    progress(0.0, f"fitting {estimator} on {counted(len(dataset.rows), 'row')}")
    with on_one_thread():
        try:
            fit(Fitted(pipeline, dataset.schema), dataset.rows, dataset.labels, progress)
        except ValueError as error:
            raise refused(estimator, error) from error
    candidate = make_candidate(pipeline, dataset, progress)
    return replace(candidate, estimator=estimator, origin=origin)


def make_candidate(pipeline: Pipeline, dataset: Dataset, progress: Progress) -> Candidate:
    """Measure and compile a fitted pipeline; the dataset is what it learnt."""
    fitted = Fitted(pipeline, dataset.schema)
    table = Table(dataset.rows, dataset.labels, dataset.schema)
    compared, _ = table.sample(MOST_COMPARED_ROWS, dataset.seed)
    reference, truth = table.sample(MOST_REFERENCE_ROWS, dataset.seed)
    with on_one_thread():
        progress(0.8, f"measuring on {counted(len(dataset.holdout_rows), 'held-out row')}")
        measured = _measured(fitted, dataset)
        progress(0.85, "compiling and comparing with scikit-learn")
        compiled = compile_candidate(fitted, reference, compared)
    progress(1.0, "done")
    tables = {
        TRAINING: pack_table(dataset.rows, dataset.labels),
        HOLDOUT: pack_table(dataset.holdout_rows, dataset.holdout_labels),
        EXAMPLES: examples.pack(reference, truth),
    }
    return replace(
        measured.add_to(compiled, rows_trained=float(len(dataset.rows))),
        artefacts={**compiled.artefacts, **tables},
        made={"seed": dataset.seed, "learns": learns(pipeline)},
    )


def _measured(fitted: Fitted, dataset: Dataset) -> Measured:
    if not len(dataset.holdout_rows):
        return Measured(metrics={"rows_held_out": 0.0})
    outputs = fitted.predict_table(dataset.holdout_rows)
    return measure(outputs, dataset.holdout_labels, dataset.labels, dataset.schema)


def fit(
    fitted: Fitted,
    given: Any,
    labels: NDArray[Any],
    progress: Progress,
    weights: NDArray[np.float64] | None = None,
) -> None:
    """Fit an estimator, by weights if there are any, on rows in its form.

    A neural network of ours tells after each epoch how far it is; an owner's is fitted by its own
    `fit`, which tells nothing.
    """
    estimator = fitted.estimator
    if fitted.is_ours and _can_be_watched(estimator):
        _fit_by_epochs(estimator, given, labels, progress, weights)
        return
    estimator.fit(given, labels, **({} if weights is None else {weight_key(estimator): weights}))


def refused(estimator: str, error: Exception) -> Invalid:
    """Say in its own words why an estimator cannot be fitted."""
    return Invalid(f"{estimator} cannot be fitted: {shown(str(error), 200)[1:-1].rstrip('.')}.")


def _can_be_watched(pipeline: Any) -> bool:
    network = learner_of(pipeline)
    is_network = isinstance(network, NETWORKS) and len(pipeline) > 1
    return is_network and network.solver != "lbfgs" and not network.early_stopping


def _fit_by_epochs(
    pipeline: Pipeline,
    rows: NDArray[Any],
    labels: NDArray[Any],
    progress: Progress,
    weights: NDArray[np.float64] | None,
) -> None:
    """Do what `fit` does, epoch by epoch: stop when the loss has not fallen for a while.

    `fit` itself cannot be watched, and a warm start would throw Adam's moments away.
    """
    rows = pipeline[:-1].fit_transform(rows, labels)
    if isinstance(pipeline[-1], TransformedTargetRegressor):
        labels = begin_scaled(pipeline[-1], labels)
    network = learner_of(pipeline)
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
