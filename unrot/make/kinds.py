"""The two kinds of estimators that learn here, behind one face.

Ours were made by training: a pipeline on the encoded table of numbers. Owners' were fitted
elsewhere and take rows in the form in which that was done (see `forms`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrot.core.encoding import Encoder
from unrot.core.records import Candidate, Outputs, Row, Schema
from unrot.make import artefacts, candidate, owned, train
from unrot.make.forms import Form
from unrot.make.owned import Owned, OwnedPredictor
from unrot.make.scikit import ScikitPredictor
from unrot.make.weights import Weights, weight_key

Progress = Callable[[float, str], None]
Table = NDArray[np.float64]
ENVELOPE = "builtins.dict"
"""What an owner's skops file holds: the estimator beside its form. Ours hold a pipeline."""


class Scores(Protocol):
    """Answers rows."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows."""
        ...


class Kind(Protocol):
    """How one kind of estimator takes its rows, is fitted, asked and compiled."""

    @property
    def needs_every_class(self) -> bool:
        """True when a fit has to see a row of each class to answer as the schema has it."""
        ...

    def rows(self, table: Table, rows: Sequence[Row] = ()) -> Any:
        """Bring encoded rows, and after them others, into the form that it takes."""
        ...

    def fit(
        self, estimator: Any, rows: Any, truth: Any, weights: Weights | None, progress: Progress
    ) -> None:
        """Fit a fresh clone."""
        ...

    def predictor(self, estimator: Any) -> Scores:
        """Ask the estimator itself."""
        ...

    def compiled(self, estimator: Any, rows: Sequence[Row], compared: Sequence[Row]) -> Candidate:
        """Compile and compare it."""
        ...


@dataclass(frozen=True, slots=True)
class Ours:
    """A pipeline on the encoded table."""

    schema: Schema

    @property
    def needs_every_class(self) -> bool:
        """A class that it has not seen has no chance."""
        return False

    def rows(self, table: Table, rows: Sequence[Row] = ()) -> Table:
        """Return the table with the rows encoded below it."""
        return np.vstack([table, Encoder(self.schema).encode(rows)]) if len(rows) else table

    def fit(
        self, estimator: Any, rows: Any, truth: Any, weights: Weights | None, progress: Progress
    ) -> None:
        """Fit as training does, a network epoch by epoch."""
        train.fit(estimator, rows, truth, progress, weights)

    def predictor(self, estimator: Any) -> Scores:
        """Ask the pipeline itself."""
        return ScikitPredictor(estimator, self.schema)

    def compiled(self, estimator: Any, rows: Sequence[Row], compared: Sequence[Row]) -> Candidate:
        """Compile and compare it."""
        return train.compiled(estimator, self.schema, rows, Encoder(self.schema).encode(compared))


@dataclass(frozen=True, slots=True)
class Owners:
    """An estimator in the form in which its owner fitted it."""

    schema: Schema
    form: Form
    trusted: Collection[str] = field(default_factory=frozenset)

    @property
    def needs_every_class(self) -> bool:
        """The places of its classes are those of the schema, in its graph too."""
        return True

    def rows(self, table: Table, rows: Sequence[Row] = ()) -> Any:
        """Read the encoded rows back and make the owner's form of all."""
        return self.form.make([*Encoder(self.schema).decode(table), *rows])

    def fit(
        self, estimator: Any, rows: Any, truth: Any, weights: Weights | None, progress: Progress
    ) -> None:
        """Call its own `fit`; it tells nothing while it runs."""
        del progress
        estimator.fit(rows, truth, **({} if weights is None else {weight_key(estimator): weights}))

    def predictor(self, estimator: Any) -> Scores:
        """Ask the estimator itself."""
        return OwnedPredictor(Owned(estimator, self.form), self.schema)

    def compiled(self, estimator: Any, rows: Sequence[Row], compared: Sequence[Row]) -> Candidate:
        """Compile and compare it, warnings of the libraries unheard."""
        held = Owned(estimator, self.form)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return candidate.compiled(held, self.schema, rows, compared, self.trusted)


def opened(data: bytes, schema: Schema, trusted: Collection[str]) -> tuple[Kind, Any]:
    """Load a skops artefact; return what kind of estimator it holds, and the estimator."""
    if artefacts.holds(data) != ENVELOPE:
        return Ours(schema), artefacts.load(data)
    held = owned.load(data, trusted)
    return Owners(schema, held.form, trusted), held.estimator
