"""A fitted estimator, asked as it stands: by the form in which it takes rows, and by a schema.

Those that are trained here take the encoded table; those that were fitted elsewhere take the form
in which that was done (see `inputs`), and nothing about them is taken on trust: that they are
fitted, that they answer one class or one number a row. All are kept as a skops file, ours bare,
others beside their form, and nothing ever unpickles (see `artefacts`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from unrot.core.encoding import Encoder
from unrot.core.errors import BadArtefact, Invalid, error_summary
from unrot.core.records import Outputs, Row, Schema
from unrot.make import artefacts, inputs
from unrot.make.inputs import ENCODED, Form
from unrot.serve.predictor import WIDEST_FLOAT, too_far

OUTLIER_CLASSES = (-1, 1)


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator, what it answers by, and the form in which it takes rows."""

    estimator: Any
    schema: Schema
    form: Form = ENCODED

    @property
    def is_ours(self) -> bool:
        """True when it takes the encoded table, as what is trained here does."""
        return self.form == ENCODED

    def inputs(self, rows: Sequence[Row]) -> Any:
        """Bring rows into the form that it takes."""
        return self.form.make(rows, self.schema)

    def table_inputs(self, table: NDArray[Any], more: Sequence[Row] = ()) -> Any:
        """Bring encoded rows, and after them others, into the form that it takes."""
        encoder = Encoder(self.schema)
        if not self.is_ours:
            return self.inputs([*encoder.decode(table), *more])
        return np.vstack([table, encoder.encode(more)]) if more else table

    # ── asking ───────────────────────────────────────────────────────────────────────────────

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked; None is a gap."""
        return self._scored(lambda: self.inputs(rows), lambda: rows)

    def predict_table(self, table: NDArray[Any]) -> Outputs:
        """Score encoded rows; those of a large table are not made lists of where none is wanted."""
        decode = Encoder(self.schema).decode
        return self._scored(lambda: self.table_inputs(table), lambda: decode(table))

    def answer(self, given: Any) -> Outputs:
        """Score what is in the estimator's own form already."""
        answered = np.asarray(self.estimator.predict(given))
        if answered.size != len(given):
            raise Invalid("The estimator answers several targets at once: a model has one.")
        if not self.schema.is_classifier:
            return Outputs(values=answered.astype(np.float64).ravel().tolist())
        classes = [self.places[label] for label in answered.ravel().tolist()]
        if not hasattr(self.estimator, "predict_proba"):
            return Outputs(classes)
        chances = np.zeros((len(given), len(self.schema.classes)))
        chances[:, [*self.places.values()]] = self.estimator.predict_proba(given)
        return Outputs(classes, chances.tolist())

    @cached_property
    def places(self) -> dict[Any, int]:
        """The place in the schema of each class of the estimator, in its order.

        A class of the schema that it was fitted without has no chance.
        """
        places = {name: place for place, name in enumerate(self.schema.classes)}
        classes = classes_of(self.estimator)
        strangers = [str(label) for label in classes if str(label) not in places]
        if strangers:
            raise BadArtefact(
                f'The estimator answers "{strangers[0]}", which the schema does not know.'
            )
        return {label: places[str(label)] for label in classes}

    def _scored(self, given: Callable[[], Any], rows: Callable[[], Sequence[Row]]) -> Outputs:
        try:
            # Far outside the training range numbers overflow; what comes of it is looked at below.
            with np.errstate(all="ignore"):
                outputs = self.answer(given())
        except (Invalid, BadArtefact):
            raise
        except Exception as error:
            # An owner's steps raise what they like of a row that they were not made for.
            raise self._refusal(rows(), error) from error
        is_scored = _are_finite(outputs)
        if not is_scored.all():
            raise too_far(self.schema, rows(), is_scored)
        return outputs

    def _refusal(self, rows: Sequence[Row], error: Exception) -> Invalid:
        is_within = ~np.any(np.abs(Encoder(self.schema).encode(rows)) > WIDEST_FLOAT, axis=1)
        if not is_within.all():
            return too_far(self.schema, rows, is_within)
        for number, row in enumerate(rows if len(rows) > 1 else ()):
            try:
                self.predict([row])
            except Invalid as alone:
                return Invalid(f"Row {number}: {alone.message}", details=alone.details)
        return Invalid(f"The model cannot score this row: {error_summary(error)}.")


def dump(fitted: Fitted) -> bytes:
    """Write it as a skops file; raise BadArtefact, saying why, where skops cannot hold it."""
    envelope = {"estimator": fitted.estimator, "form": fitted.form.to_json()}
    return artefacts.dump(fitted.estimator if fitted.is_ours else envelope)


def load(data: bytes, schema: Schema, trusted: Collection[str] = ()) -> Fitted:
    """Read what `dump` wrote; raise BadArtefact, naming the type, for one that is not trusted."""
    held = artefacts.load(data, trusted)
    if not isinstance(held, dict):
        return Fitted(held, schema)
    return Fitted(held["estimator"], schema, inputs.from_json(held["form"]))


# ── what an estimator is ─────────────────────────────────────────────────────────────────────


def check(estimator: Any) -> None:
    """Raise Invalid for what is not a fitted estimator that answers one class or number a row."""
    kind = type(estimator).__name__
    if isinstance(estimator, type) or not callable(getattr(estimator, "predict", None)):
        raise Invalid(f"{kind} is not an estimator that predicts: expected a fitted one.")
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise Invalid(f"{kind} is not fitted: fit it before it is added.") from error
    except (TypeError, AttributeError):
        pass  # It is no estimator of scikit-learn's: that it predicts will do.
    classes = getattr(estimator, "classes_", ())
    if isinstance(classes, list) and classes and np.ndim(classes[0]):
        raise Invalid(f"{kind} answers {len(classes)} targets at once: a model has one.")
    is_grouping = hasattr(estimator, "cluster_centers_") or hasattr(estimator, "labels_")
    if is_grouping and not is_classing(estimator) and not _is_asked(is_regressor, estimator):
        raise Invalid(f"{kind} finds groups: expected a classifier or a regressor.")


def is_classing(estimator: Any) -> bool:
    """Tell whether the estimator names classes; else it answers a number."""
    return bool(classes_of(estimator)) or _is_asked(is_classifier, estimator)


def classes_of(estimator: Any) -> list[Any]:
    """Return the classes in the estimator's order; those of an outlier detector are -1 and 1."""
    classes = getattr(estimator, "classes_", None)
    if classes is not None and not _is_asked(is_regressor, estimator):
        return list(np.asarray(classes).tolist())
    return list(OUTLIER_CLASSES) if _is_asked(is_outlier_detector, estimator) else []


def names_of(estimator: Any) -> list[str] | None:
    """Return the names of the columns that the estimator was fitted with, if it knows them."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def known_texts(estimator: Any) -> dict[int, list[Any]]:
    """Return, by the place of their column, the categories that encoders were fitted with."""
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(first, ColumnTransformer):
        return dict(enumerate(_categories(first)))
    found: dict[int, list[Any]] = {}
    for name, part, _ in first.transformers_:
        places = first._transformer_to_input_indices.get(name, ())
        found |= dict(zip(places, _categories(part), strict=False))
    return found


def _categories(step: Any) -> list[list[Any]]:
    parts = [part for _, part in step.steps] if isinstance(step, Pipeline) else [step]
    held: Any = next((part.categories_ for part in parts if hasattr(part, "categories_")), [])
    return [list(categories) for categories in held]


def name_of(estimator: Any) -> str:
    """Name an estimator for people: the types of its steps."""
    steps = getattr(estimator, "steps", None)
    kinds = [step for _, step in steps] if steps else [estimator]
    return " → ".join(type(step).__name__ for step in kinds if not isinstance(step, str))


def _are_finite(outputs: Outputs) -> NDArray[np.bool_]:
    """Tell of each row whether its answer is finite; classes alone always are."""
    answers = outputs.values if outputs.probabilities is None else outputs.probabilities
    if answers is None:
        return np.ones(len(outputs.classes or ()), dtype=bool)
    table = np.array(answers, dtype=np.float64)
    return np.array(np.isfinite(table.reshape(len(table), -1)).all(axis=1), dtype=bool)


def _is_asked(question: Any, estimator: Any) -> bool:
    try:
        return bool(question(estimator))
    except (AttributeError, TypeError):
        return False  # It has none of scikit-learn's tags.
