"""An owner's fitted estimator: what it is, what it answers, and the file that it is kept as.

It was fitted elsewhere, so nothing about it is taken on trust: that it is fitted, that it
answers one class or one number a row, and that its classes are those of the labels. It is kept
as a skops file beside its form (see `forms`); types that neither skops, we nor the owner (in
UNROT_TRUSTED_TYPES) trust by name cannot be kept, and nothing here ever unpickles.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from unrot.core.errors import BadArtefact, Invalid, shown
from unrot.core.records import Outputs, Row, Schema
from unrot.make import artefacts, forms
from unrot.make.forms import Form
from unrot.serve.column_predictor import too_far_rows

OUTLIER_CLASSES = (-1, 1)

TRUSTED = artefacts.TRUSTED | {
    "functools.partial",
    "numpy.mean",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(
        f"sklearn.gaussian_process.kernels.{kernel}"
        for kernel in ("ConstantKernel", "Matern", "Product", "RBF", "Sum", "WhiteKernel")
    ),
    *(
        f"sklearn.metrics._dist_metrics.{metric}Distance{bits}"
        for metric in ("Euclidean", "Manhattan", "Minkowski", "Chebyshev")
        for bits in (32, 64)
    ),
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
}
"""What scikit-learn's own estimators hold beyond skops' list: numbers, and functions on them.

A `partial` brings nothing of its own: the function in it has to be trusted as well.
"""


@dataclass(frozen=True, slots=True)
class Owned:
    """A fitted estimator and the form in which it takes rows."""

    estimator: Any
    form: Form


class OwnedPredictor:
    """scikit-learn itself, asked in the form in which the estimator was fitted."""

    def __init__(self, owned: Owned, schema: Schema) -> None:
        self.owned, self.schema = owned, schema
        self._places = {label: place for place, label in enumerate(classes_of(owned.estimator))}
        is_classed = schema.is_classifier
        self._has_chances = is_classed and hasattr(owned.estimator, "predict_proba")
        if is_classed and tuple(map(str, self._places)) != schema.classes:
            raise BadArtefact("The estimator's classes are not those of the schema.")

    def predict(self, rows: Sequence[Row]) -> Outputs:
        """Score rows that the schema has already checked; None is a gap."""
        try:
            # Far outside the training range numbers overflow; what comes of it is looked at below.
            with np.errstate(all="ignore"):
                outputs = self.answer(self.owned.form.make(rows))
        except Invalid:
            raise
        except Exception as error:
            # An owner's steps raise what they like of a row that they were not made for.
            raise self._refusal(rows, error) from error
        is_scored = are_finite(outputs)
        if not is_scored.all():
            raise too_far_rows(self.schema, rows, is_scored)
        return outputs

    def answer(self, table: Any) -> Outputs:
        """Score a table in the estimator's own form."""
        estimator = self.owned.estimator
        answered = np.asarray(estimator.predict(table))
        if answered.size != len(table):
            raise Invalid("The estimator answers several targets at once: a model has one.")
        if not self.schema.is_classifier:
            return Outputs(values=answered.astype(np.float64).ravel().tolist())
        classes = [self._places[label] for label in answered.ravel().tolist()]
        if not self._has_chances:
            return Outputs(classes)
        return Outputs(classes, np.asarray(estimator.predict_proba(table), np.float64).tolist())

    def _refusal(self, rows: Sequence[Row], error: Exception) -> Invalid:
        for number, row in enumerate(rows if len(rows) > 1 else ()):
            try:
                self.predict([row])
            except Invalid as alone:
                return Invalid(f"Row {number}: {alone.message}", details=alone.details)
        return Invalid(f"The model cannot score this row: {told(error)}.")


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


def dump(owned: Owned, trusted: Collection[str]) -> bytes:
    """Write an owner's estimator with its form; raise BadArtefact, saying why, if skops cannot."""
    envelope = {"estimator": owned.estimator, "form": owned.form.to_json()}
    try:
        data = bytes(skops.io.dumps(envelope, compression=zipfile.ZIP_DEFLATED))
    except Exception as error:
        # skops raises whatever the parts of an estimator make of being written.
        raise BadArtefact(f"skops cannot hold it ({told(error)})") from error
    here = [name for name in _strangers(data, frozenset()) if name.startswith("__main__.")]
    if here:
        raise BadArtefact(
            f"skops cannot hold it ({here[0]} is defined where no worker finds it: move it into "
            "a module)"
        )
    load(data, trusted)
    return data


def load(data: bytes, trusted: Collection[str] = ()) -> Owned:
    """Read what `dump` wrote; raise BadArtefact, naming the type, for one that is not trusted."""
    known = TRUSTED | frozenset(trusted)
    try:
        strangers = _strangers(data, known)
        if not strangers:
            read = skops.io.loads(data, trusted=sorted(known))
            return Owned(read["estimator"], forms.from_json(read["form"]))
    except Exception as error:
        # A spoiled file fails anywhere in the ZIP, the JSON or the arrays inside it.
        raise BadArtefact(f"The skops file does not load ({told(error)})") from error
    raise BadArtefact(
        f"the type {shown(strangers[0])} is not trusted: if it is yours, name it in "
        "UNROT_TRUSTED_TYPES"
    )


def load_predictor(data: bytes, schema: Schema, trusted: Collection[str] = ()) -> OwnedPredictor:
    """Make a predictor from a skops artefact."""
    return OwnedPredictor(load(data, trusted), schema)


def are_finite(outputs: Outputs) -> NDArray[np.bool_]:
    """Tell of each row whether its answer is finite; classes alone always are."""
    answers = outputs.values if outputs.probabilities is None else outputs.probabilities
    if answers is None:
        return np.ones(len(outputs.classes or ()), dtype=bool)
    table = np.array(answers, dtype=np.float64)
    return np.array(np.isfinite(table.reshape(len(table), -1)).all(axis=1), dtype=bool)


def told(error: Exception) -> str:
    """Say what somebody else's code raised, in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {shown(said, 200)[1:-1].rstrip('.')}"


def _strangers(data: bytes, known: Collection[str]) -> list[str]:
    return sorted(set(skops.io.get_untrusted_types(data=data)) - set(known))


def _is_asked(question: Any, estimator: Any) -> bool:
    try:
        return bool(question(estimator))
    except (AttributeError, TypeError):
        return False  # It has none of scikit-learn's tags.
