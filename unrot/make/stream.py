"""Begin with the first rows of a table and keep the others to come: the demo of online learning.

The training part is put in an order that is kept with the version, as the artefact "stream". Its
first rows are one of each class, so that no class is ever unheard of and a model that begins anew
stands in the same stream. What the rows of the start hold is all that scaling and gaps are
fitted on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from unrot.core.artefacts import STREAM
from unrot.core.dataset import Dataset
from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Candidate, Schema
from unrot.make import online, packed
from unrot.make.catalogue import ESTIMATORS, make, names_for
from unrot.make.metrics import measure_and_calibrate
from unrot.make.train import NETWORKS, Progress, as_candidate, refused

ORIGIN = "stream"
START_ROWS = 100
NETWORK_OF_A_STREAM: Mapping[str, Any] = {"learning_rate_init": 0.003, "batch_size": "auto"}
"""Each row is seen once. With Adam's usual 0.001 the heart demo ends at 0.78 in the mean of eight
splits, with 0.003 at 0.85; a batch of 32 that gets one row warns at each."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The training part of a model in the order in which it is fed."""

    rows: NDArray[Any]
    labels: NDArray[Any]

    def pack(self) -> bytes:
        """Write it as an artefact."""
        return packed.pack_table(self.rows, self.labels)


def unpack(data: bytes) -> Stream:
    """Read an artefact "stream"."""
    return Stream(*packed.unpack_table(data))


def stream_of(dataset: Dataset) -> Stream:
    """Put the rows to learn from in an order by chance, the first ones one of each class."""
    order = np.random.default_rng(dataset.seed).permutation(len(dataset.rows))
    first = online.one_of_each(dataset.labels[order], dataset.schema.classes)
    order = np.concatenate([order[first], np.delete(order, first)])
    return Stream(dataset.rows[order], dataset.labels[order])


def start(dataset: Dataset, estimator: str, progress: Progress) -> Candidate:
    """Make a candidate that has seen the first rows of a dataset, fed one at a time."""
    schema = dataset.schema
    pipeline = make_online(estimator, seed=dataset.seed, schema=schema)
    stream = stream_of(dataset)
    seen = min(max(START_ROWS, len(schema.classes)), len(stream.rows))
    begun = replace(dataset, rows=stream.rows[:seen], labels=stream.labels[:seen])
    progress(0.0, f"feeding {counted(seen, 'row')} to {estimator}, one at a time")
    try:
        fed = online.begin(pipeline, begun.rows, begun.labels, schema.classes)
    except ValueError as error:
        raise refused(estimator, error) from error
    progress(0.8, f"measuring on {counted(len(dataset.holdout_rows), 'held-out row')}")
    metrics, calibrating = measure_and_calibrate(fed, begun)
    metrics |= place_in(stream, seen, dataset)
    progress(0.85, "compiling and comparing with scikit-learn")
    candidate = as_candidate(fed, begun, estimator, ORIGIN, metrics)
    progress(1.0, "done")
    kept = {**candidate.artefacts, STREAM: stream.pack()}
    return replace(candidate, artefacts=kept, calibrating=calibrating)


def place_in(stream: Stream, seen: int, dataset: Dataset) -> dict[str, float]:
    """Say how far a stream has been fed, and how it was parted from the holdout."""
    split = {} if dataset.split is None else {"split": dataset.split}
    to_come = len(stream.rows) - seen
    return {
        "rows_seen": float(seen),
        "rows_to_come": float(to_come),
        **split,
        "seed": float(dataset.seed),
    }


def make_online(name: str, *, seed: int, schema: Schema) -> Pipeline:
    """Return an unfitted pipeline set to learn from single rows; raise Invalid if it cannot."""
    pipeline = make(name, seed=seed, schema=schema)
    if not online.can_learn_online(pipeline):
        able = [one for one in names_for(schema) if _can_stream(one, schema)]
        raise Invalid(
            f"--stream feeds one row at a time, and {shown(name)} can only be fitted whole: "
            f"choose one that has partial_fit: {', '.join(able)}."
        )
    last = pipeline[-1]
    learner = last.regressor if isinstance(last, TransformedTargetRegressor) else last
    if name in ESTIMATORS and isinstance(learner, NETWORKS):
        learner.set_params(**NETWORK_OF_A_STREAM)
    return pipeline


def _can_stream(name: str, schema: Schema) -> bool:
    return online.can_learn_online(make(name, seed=0, schema=schema))
