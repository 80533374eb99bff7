"""Candidates as versions, as a store would keep them: artefacts by their digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
from sklearn.pipeline import Pipeline

import unrot.make.train
from tests.make.estimators import LEARNERS, fitted
from tests.make.tables import numbers_dataset
from unrot.core.artefacts import digest_of
from unrot.core.dataset import Dataset
from unrot.core.records import Candidate, Schema, Serving, Version
from unrot.make import catalogue
from unrot.make.external import Brought, make_candidate, read_table, schema_of
from unrot.make.train import train
from unrot.make.trainable import TrainableEstimator
from unrot.make.trainer import EstimatorTrainer

SMALL = {"forest": {"n_estimators": 12}, "hgb": {"max_iter": 12}}
INHERITED = ("training", "holdout", "stream")


@cache
def candidate_on(
    name: str, classes: tuple[str, ...], make: Callable[..., Dataset] = numbers_dataset
) -> Candidate:
    """Train an estimator of the catalogue on a made table, once a process; of trees it has few."""
    return train_small(make(classes), name)


def train_small(dataset: Dataset, name: str) -> Candidate:
    """Train an estimator of the catalogue; where it has trees, a few of them."""
    with patch.object(unrot.make.train, "make", make_small):
        return train(dataset, name, ignore)


def make_small(name: str, **of: Any) -> Pipeline:
    """Make what the catalogue makes, with as many trees as show what many would."""
    pipeline = catalogue.make(name, **of)
    pipeline.steps[-1][1].set_params(**SMALL.get(name, {}))
    return pipeline


@cache
def trained(
    name: str, classes: tuple[str, ...], make: Callable[..., Dataset] = numbers_dataset
) -> Kept:
    """Train an estimator of the catalogue on a made table, as a version."""
    return Kept(candidate_on(name, classes, make), make(classes).schema)


@cache
def learner(name: str) -> Kept:
    """Add a learner of the zoo, as a version."""
    return added(name, LEARNERS)


def added(name: str, zoo: Any) -> Kept:
    """Add an owner's fitted estimator of a zoo, as a version."""
    estimator, X, y = fitted(name, zoo)
    table, labels = read_table(estimator, X), list(y)
    brought = Brought(estimator, table, labels, "target", table, labels, raw=X)
    schema = schema_of(brought)
    return Kept(make_candidate(brought, schema), schema)


def ignore(share: float, step: str) -> None:
    """Take progress and say nothing."""


class Kept:
    """A version, its schema and its files."""

    def __init__(
        self, candidate: Candidate, schema: Schema, parent: Kept | None = None, trusted: Any = ()
    ) -> None:
        files = dict(candidate.artefacts)
        if parent is not None:
            files |= {kind: parent.of(kind) for kind in INHERITED if kind in parent.digests}
        self.schema, self.trusted = schema, trusted
        self.digests: Mapping[str, str] = {kind: digest_of(data) for kind, data in files.items()}
        self.files = {self.digests[kind]: data for kind, data in files.items()}
        self.version = Version(
            model="made",
            name="v1" if parent is None else "v2",
            parent=candidate.parent,
            origin=candidate.origin,
            estimator=candidate.estimator,
            created_at=0.0,
            metrics=candidate.metrics,
            artefacts=self.digests,
            schema_hash="",
            libraries=candidate.libraries,
            serving=Serving(
                candidate.served_by,
                self.digests[candidate.serving_artefact],
                reason=candidate.reason,
                form=candidate.form,
            ),
        )

    def of(self, kind: str) -> bytes:
        return self.files[self.digests[kind]]

    def without(self, kind: str) -> Version:
        rest = {name: held for name, held in self.digests.items() if name != kind}
        return replace(self.version, artefacts=rest)

    def open(self) -> TrainableEstimator:
        shop = EstimatorTrainer(self.trusted)
        opened = shop.open(self.version, self.schema, self.files.__getitem__)
        assert isinstance(opened, TrainableEstimator)
        return opened


def candidate_of(
    trainable: TrainableEstimator, holdout: bytes = b"", origin: str = "learn"
) -> Candidate:
    return trainable.candidate(
        origin=origin, parent="v1", holdout=holdout, made={"seed": 1}, progress=ignore
    )


def parameters(held: Any, seen: set[int] | None = None) -> list[Any]:
    """List every number and array that an estimator holds, in order."""
    seen = set() if seen is None else seen
    if isinstance(held, np.ndarray) and held.dtype == object:
        return parameters(held.tolist(), seen)
    if isinstance(held, np.ndarray) and held.dtype.names:
        return [repr(held.tolist())]  # The bytes between its fields are nobody's.
    if isinstance(held, np.ndarray | np.generic):
        return [(held.dtype.str, np.shape(held), held.tobytes())]
    if isinstance(held, bool | int | float | str) or held is None:
        return [held]
    if id(held) in seen:
        return []
    seen.add(id(held))
    if isinstance(held, np.random.RandomState):
        return [held.get_state()[1].tolist()]
    if isinstance(held, dict):
        return [one for key in sorted(held, key=str) for one in [key, *parameters(held[key], seen)]]
    if isinstance(held, list | tuple):
        return [one for part in held for one in parameters(part, seen)]
    if type(held).__name__ == "Tree":
        return parameters(held.__reduce__()[2], seen)
    return parameters(getattr(held, "__dict__", None), seen)
