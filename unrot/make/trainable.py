"""One version's estimator in memory: taught further, fed, fitted afresh, and made a candidate of.

Nothing here changes what it was given: each way of learning returns another trainable. All of it
can be repeated: it runs on one thread, and chance begins at the lesson's seed (see `repeatable`),
so that a lesson learnt again from the stored parent gives equal parameters, bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from unrot.core.errors import Conflict, Invalid, error_summary
from unrot.core.plurals import counted
from unrot.core.ports import Label
from unrot.core.records import Candidate, Crossed, Example, Lesson, Outputs, Row, Schema, Version
from unrot.core.threads import on_one_thread
from unrot.make import online, tables
from unrot.make.candidate import compile_candidate
from unrot.make.fitted import Fitted, classes_of
from unrot.make.metrics import Measured, measure
from unrot.make.onnx.probe_rows import spread
from unrot.make.recalibrated import (
    FOLDS,
    Recalibrated,
    bare,
    cross_recalibrate,
    part_rows,
    recalibrate,
)
from unrot.make.repeatable import from_seed
from unrot.make.tables import Range, Table, Tables
from unrot.make.train import fit
from unrot.make.weights import Weights, are_equal, drawn, weight_key

Progress = Callable[[float, str], None]
REFERENCE_ROWS = 1_000
COMPARED_ROWS = 200
"""Fewer than at training: they are compared after each lesson, and what may go wrong in a graph
(gaps, strangers, thresholds) is compared besides."""
MOST_TOLD = 100
"""So often at most a lesson tells how far it is."""


@dataclass(frozen=True)
class _Given:
    """What is fitted on: rows in the estimator's own form, and where each comes from."""

    rows: Any
    truth: NDArray[Any]
    weights: Weights | None
    origins: NDArray[np.intp]
    """Places in the training rows and, after them, in the examples."""
    training_rows: int
    examples: Sequence[Example]
    sample: Sequence[Row]

    def at(self, places: NDArray[np.intp]) -> _Given:
        """Return some of the rows alone."""
        return replace(
            self,
            rows=_safe_indexing(self.rows, places),
            truth=self.truth[places],
            weights=None if self.weights is None else self.weights[places],
        )

    def first_of_examples(self) -> tuple[NDArray[np.intp], list[Example]]:
        """Return the examples that are among the rows, and where each is there first."""
        origins, firsts = np.unique(self.origins, return_index=True)
        is_example = origins >= self.training_rows
        of_examples = (origins[is_example] - self.training_rows).tolist()
        return firsts[is_example], [self.examples[place] for place in of_examples]


@dataclass(frozen=True)
class TrainableEstimator:
    """A version's fitted estimator, and the tables that the version keeps."""

    version: Version
    fitted: Fitted
    tables: Tables
    rows_trained: float | None = None
    """How many rows it has learnt in all, where that is known."""
    fitted_on: Sequence[Row] = field(default=(), repr=False)
    """A sample of what a fresh fit saw, where there was one."""
    trusted: Collection[str] = frozenset()
    """The types that an owner's file may hold beyond ours."""

    @property
    def estimator(self) -> Any:
        """What was fitted."""
        return self.fitted.estimator

    @property
    def schema(self) -> Schema:
        """What a row has and what is answered."""
        return self.fitted.schema

    @property
    def can_learn(self) -> bool:
        """True when it has a `partial_fit` that takes labels."""
        return online.can_learn_online(self.estimator)

    @property
    def training_rows(self) -> int:
        """How many rows it was trained on at first, as far as they are kept."""
        return len(self.tables.training)

    @property
    def stream_rows(self) -> int:
        """How many rows its stream has in all."""
        return len(self.tables.stream)

    @property
    def is_recalibrated(self) -> bool:
        """True when a calibration of its probabilities follows it."""
        return isinstance(self.estimator, Recalibrated)

    def uncalibrated(self) -> TrainableEstimator:
        """Return the same without the calibration that follows it."""
        return self._with(bare(self.estimator), 0)

    def replayed(self, count: int, seed: int) -> list[tuple[Row, Label]]:
        """Draw training rows to mix with new ones."""
        return self.tables.training.replayed(count, seed)

    def ranges(self) -> list[Range]:
        """Return the range of each feature in the training rows."""
        return self.tables.training.ranges()

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Answer rows with the estimator itself."""
        return self.fitted.predict(rows)

    # ── learning ─────────────────────────────────────────────────────────────────────────────

    def learn(self, lesson: Lesson, progress: Progress) -> TrainableEstimator:
        """Take a copy through the batches of a lesson; nothing before the last step moves."""
        self._check_can_learn()
        taught, classes = deepcopy(self.estimator), classes_of(self.estimator)
        takes_weights = online.takes(online.learner_of(taught).partial_fit, "sample_weight")
        chance = None if takes_weights else np.random.default_rng(lesson.seed)
        with from_seed(lesson.seed):
            for number, batch in enumerate(lesson.batches):
                rows, labels, weights = _of_batch(lesson, batch, chance)
                if rows:
                    truth = self._known_truth(labels)
                    with _refusals_told():
                        online.teach(taught, self.fitted.inputs(rows), truth, classes, weights)
                _tell(progress, number + 1, len(lesson.batches))
        return self._with(taught, sum(map(len, lesson.batches)))

    def feed(self, start: int, stop: int, progress: Progress) -> TrainableEstimator:
        """Feed a copy the rows of its stream from `start` to `stop`, one at a time."""
        self._check_can_learn()
        stream = self.tables.stream
        if not 0 <= start <= stop <= len(stream):
            raise Conflict(
                f"The stream of {self.version.name} has {counted(len(stream), 'row')}: "
                f"{start:,} to {stop:,} cannot be fed."
            )
        progress(0.0, f"feeding {counted(stop - start, 'row')}, one at a time")
        return self._fed(self.estimator, stream, np.arange(start, stop), stop - start)

    def untrained(self) -> TrainableEstimator:
        """Return the same with its last step new, fed the first row of each class in turn.

        They are the first rows of the stream where there is one; a regression is fed one row.
        """
        self._check_can_learn()
        seen = self.tables.stream if self.stream_rows else self.tables.training
        first = online.one_of_each(seen.labels, self.schema.classes)
        anew = replace(self, rows_trained=0.0)
        return anew._fed(online.renewed(self.estimator), seen, first, len(first))

    def refit(self, lesson: Lesson, progress: Progress) -> TrainableEstimator:
        """Fit a clone of all of it on the training rows and the examples, as weighted."""
        if lesson.recalibrates:
            return self.refit_recalibrated(lesson, progress)[0]
        given = self._given(lesson)
        with self._fitting(lesson):
            return self._refitted(self._fresh(given, progress), given)

    def refit_recalibrated(
        self, lesson: Lesson, progress: Progress
    ) -> tuple[TrainableEstimator, Crossed]:
        """Let a calibration on answers to rows that were left out follow what was fitted."""
        given = self._given(lesson)
        with self._fitting(lesson):
            parts = part_rows(given.truth, given.origins, lesson.seed)
            fresh = self._fresh(given, lambda done, step: progress(done / (1 + FOLDS), step))
            places, chances = self._left_out(given, parts, progress)
            own = [*replace(self.fitted, estimator=fresh).places.values()]
            following = recalibrate(fresh, given.truth, given.weights, chances[:, own])
            after = np.zeros_like(chances)
            after[:, own] = cross_recalibrate(
                following.classes_, given.truth, given.weights, chances[:, own], parts
            )
        firsts, examples = given.first_of_examples()
        plain = Outputs(places[firsts].tolist(), chances[firsts].tolist())
        right = Outputs(after[firsts].argmax(axis=1).tolist(), after[firsts].tolist())
        return self._refitted(following, given), Crossed(examples, plain, right)

    def _left_out(
        self, given: _Given, parts: NDArray[np.intp], progress: Progress
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return what each row is answered by a fit without its part: its class and chances."""
        places = np.zeros(len(parts), dtype=np.intp)
        chances = np.zeros((len(parts), len(self.schema.classes)))
        for part in range(FOLDS):
            progress((1 + part) / (1 + FOLDS), f"recalibrating, part {part + 1} of {FOLDS}")
            without = self._fresh(given.at(np.flatnonzero(parts != part)), _untold)
            left = np.flatnonzero(parts == part)
            answered = replace(self.fitted, estimator=without).answer(given.at(left).rows)
            places[left], chances[left] = answered.classes or (), answered.probabilities or ()
        return places, chances

    @contextmanager
    def _fitting(self, lesson: Lesson) -> Iterator[None]:
        """Fit from the seed of a lesson, and say why where that cannot be done."""
        with from_seed(lesson.seed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                yield
            except (ValueError, TypeError, ArithmeticError) as error:
                why = error_summary(error)
                raise Conflict(
                    f"{self.version.estimator} cannot be fitted on these rows ({why})."
                ) from error

    def _fresh(self, given: _Given, progress: Progress) -> Any:
        fresh = replace(self.fitted, estimator=clone(bare(self.estimator)))
        progress(0.0, f"fitting {self.version.estimator} on {counted(len(given.truth), 'row')}")
        fit(fresh, given.rows, given.truth, progress, given.weights)
        return fresh.estimator

    def _refitted(self, estimator: Any, given: _Given) -> TrainableEstimator:
        learnt = self._with(estimator, 0)
        return replace(learnt, rows_trained=float(len(given.truth)), fitted_on=given.sample)

    def _given(self, lesson: Lesson) -> _Given:
        """Return what a lesson is fitted on, in the estimator's own form.

        Where rows are drawn by their weights, some are there twice, of one origin.
        """
        if online.is_unlabelled(self.estimator):
            raise Conflict(UNLABELLED)
        training = self.tables.training if lesson.training_weight > 0 else _none(self.schema)
        examples = [one for one in lesson.examples if one.weight > 0]
        table, below = training.rows, [one.row for one in examples]
        labels = self._joined(training.labels, [one.label for one in examples])
        weights = np.concatenate(
            [np.full(len(training), lesson.training_weight), [one.weight for one in examples]]
        )
        origins = np.arange(len(labels))
        if not are_equal(weights) and not weight_key(bare(self.estimator)):
            origins = drawn(weights, np.random.default_rng(lesson.seed))
            of_table = origins[origins < len(table)]
            below = [below[place - len(table)] for place in origins[len(of_table) :].tolist()]
            table, labels, weights = table[of_table], labels[origins], np.ones(len(origins))
        self._check_labels(labels)
        sample, _ = Table(table, labels, self.schema).sample(REFERENCE_ROWS, lesson.seed)
        return _Given(
            rows=self.fitted.table_inputs(table, below),
            truth=self._truth(labels),
            weights=None if are_equal(weights) else weights,
            origins=origins,
            training_rows=len(training),
            examples=examples,
            sample=[*sample, *below],
        )

    def _joined(self, labels: NDArray[Any], more: Sequence[Label]) -> NDArray[Any]:
        kind = np.str_ if self.schema.is_classifier else np.float64
        return np.concatenate([labels.astype(kind), np.array(more, dtype=kind)])

    def _check_labels(self, labels: NDArray[Any]) -> None:
        if not len(labels):
            raise Conflict("There is no row to fit on: none is left that weighs anything.")
        missing = set(self.schema.classes) - set(np.unique(labels).tolist())
        if self.schema.is_classifier and np.all(labels == labels[0]):
            raise Conflict(
                f"All {len(labels):,} rows are {labels[0]}: nothing can be told apart from them."
            )
        if missing and not self.fitted.is_ours:
            # What an owner fitted is to answer as it did, each class in its place.
            raise Conflict(
                f"None of the {len(labels):,} rows is {min(missing)}: {self.version.estimator} has "
                "to see a row of each class."
            )

    def _check_can_learn(self) -> None:
        if online.is_unlabelled(self.estimator):
            raise Conflict(UNLABELLED)
        if not self.can_learn:
            raise Conflict(
                f"{self.version.estimator} cannot go on learning, it can only be fitted whole: "
                "refit it."
            )

    def _fed(
        self, estimator: Any, table: Table, places: NDArray[np.intp], count: int
    ) -> TrainableEstimator:
        rows = self.fitted.table_inputs(table.rows[places])
        truth = self._known_truth(table.labels[places])
        with from_seed(0), _refusals_told():
            fed = online.feed(estimator, rows, truth, classes_of(self.estimator))
        return self._with(fed, count)

    def _truth(self, labels: Sequence[Label] | NDArray[Any]) -> NDArray[Any]:
        """Spell labels as the estimator does; a class that it never heard of stays as it is."""
        if not self.schema.is_classifier:
            return np.array(labels, dtype=np.float64)
        spelt = {str(label): label for label in classes_of(self.estimator)}
        said, places = np.unique(np.array(labels, dtype=np.str_), return_inverse=True)
        return np.array([spelt.get(label, label) for label in said.tolist()])[places]

    def _known_truth(self, labels: Sequence[Label] | NDArray[Any]) -> NDArray[Any]:
        truth = self._truth(labels)
        strangers = set(truth.tolist()) - set(classes_of(self.estimator))
        if self.schema.is_classifier and strangers:
            raise Conflict(
                f"{self.version.name} was fitted without the class {min(strangers)} and cannot "
                "come to know it row by row: refit it."
            )
        return truth

    def _with(self, estimator: Any, count: int) -> TrainableEstimator:
        known = self.rows_trained
        return replace(
            self,
            fitted=replace(self.fitted, estimator=estimator),
            rows_trained=None if known is None else known + count,
        )

    # ── becoming a version ───────────────────────────────────────────────────────────────────

    def candidate(
        self,
        *,
        origin: str,
        parent: str,
        holdout: bytes,
        made: Mapping[str, Any],
        progress: Progress,
    ) -> Candidate:
        """Measure on a packed table, compile, and make a candidate of it."""
        rows = self._reference()
        compared = spread(rows, COMPARED_ROWS)
        with on_one_thread():
            progress(0.0, "measuring")
            measured = self._measured(tables.unpack(holdout, self.schema), compared)
            progress(0.3, "compiling and comparing with scikit-learn")
            compiled = compile_candidate(self.fitted, rows, compared, self.trusted)
        progress(1.0, "done")
        trained = {} if self.rows_trained is None else {"rows_trained": self.rows_trained}
        return replace(
            measured.add_to(compiled, **trained),
            estimator=self.version.estimator,
            origin=origin,
            parent=parent,
            made={**made, **self._calibration()},
        )

    def _calibration(self) -> dict[str, str]:
        """Say what follows the estimator; what is learnt later leaves that as it is."""
        if not isinstance(self.estimator, Recalibrated):
            return {}
        on = counted(self.estimator.rows, "row")
        return {"recalibrated": f"{self.estimator.method} on {on}"}

    def _reference(self) -> list[Row]:
        if self.fitted_on:
            return spread(self.fitted_on, REFERENCE_ROWS)
        rows, _ = self.tables.training.sample(REFERENCE_ROWS, 0)
        if not rows:
            raise Conflict(f"{self.version.name} keeps no training rows to compare on.")
        return rows

    def _measured(self, holdout: Table, rows: Sequence[Row]) -> Measured:
        try:
            self.fitted.predict(rows)
        except Invalid as error:
            raise Conflict(
                "After this it does not answer its own training rows with finite numbers, so it "
                "cannot be served. Nothing was kept."
            ) from error
        if not len(holdout):
            return Measured()
        answers, known = self.fitted.predict_table(holdout.rows), self.tables.training.labels
        return measure(answers, holdout.labels, known, self.schema)


UNLABELLED = "An outlier detector learns without labels: verdicts teach it nothing."


def _of_batch(
    lesson: Lesson, batch: Sequence[int], chance: np.random.Generator | None
) -> tuple[list[Row], list[Label], Weights]:
    """Return rows, labels and weights; with a chance each row as often as it weighs instead."""
    held = [
        (*lesson.replayed[~place], 1.0) if place < 0 else _weighed(lesson.examples[place])
        for place in batch
    ]
    weights = np.array([weight for _, _, weight in held])
    if chance is not None:
        held = [held[place] for place in drawn(weights, chance).tolist()]
        weights = np.ones(len(held))
    return [row for row, _, _ in held], [label for _, label, _ in held], weights


def _weighed(example: Example) -> tuple[Row, Label, float]:
    return example.row, example.label, example.weight


def _tell(progress: Progress, done: int, batches: int) -> None:
    if done == batches or done % max(1, batches // MOST_TOLD) == 0:
        progress(done / batches, f"learnt {done:,} of {counted(batches, 'batch')}")


@contextmanager
def _refusals_told() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Its steps, an owner's too, raise what they like of a row that is not for them.
        why = error_summary(error)
        raise Conflict(
            f"The estimator does not take these rows ({why}). Nothing was learnt."
        ) from error


def _untold(_done: float, _step: str) -> None:
    """Tell nothing: folds are fitted one after another."""


def _none(schema: Schema) -> Table:
    return tables.unpack(b"", schema)
