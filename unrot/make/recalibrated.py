"""An estimator whose probabilities are put right by rows that it was not fitted on.

    p' = c(p)          two classes: of the second one, the first has the rest
    p' = c(p) / Σ c(p)   more: a curve a class

The rows are parted into five folds; each is answered by a fit on the other four, and on these
answers a curve is fitted a class. The estimator itself is fitted on all rows, as without this
(`ensemble=False` of scikit-learn's CalibratedClassifierCV). From 1,000 rows on the curve is an
isotonic regression that promises no more than so many rows can show (Laplace: at most
(n + 1) / (n + 2)); before that a sigmoid of the log odds (Platt) at 200 places, and of more than
two classes one temperature for all, c(p) = p^b, which leaves every answer as it was. All are
straight between their points, so that a graph repeats them to the last bit (`onnx.graphs`).
Probabilities are told apart to four digits: beyond that a curve would be too steep for a graph.

Platt, Advances in Large Margin Classifiers (1999) 61-74. Zadrozny and Elkan, Transforming
classifier scores into accurate multiclass probability estimates (KDD 2002). Guo, Pleiss, Sun and
Weinberger, On calibration of modern neural networks (ICML 2017).

    >>> curve = Curve(np.array([0.0, 0.5, 1.0]), np.array([0.2, 0.4, 0.8]))
    >>> curve.at(np.array([0.0, 0.25, 0.75, 1.0])).round(2).tolist()
    [0.2, 0.3, 0.6, 0.8]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from unrot.core.errors import Conflict
from unrot.core.plurals import counted

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
FOLDS = 5
FEWEST_OF_CLASS = 2 * FOLDS
FEWEST_ISOTONIC = 1_000
DIGITS, POINTS = 4, 200
LEAST = 10.0**-DIGITS
STRONGEST = 3.0
"""The power of a temperature is between e⁻³ and e³."""


@dataclass(frozen=True)
class Curve:
    """What a probability becomes: straight between points, the first at 0 and the last at 1."""

    x: Floats
    y: Floats

    @property
    def slopes(self) -> Floats:
        """How steep each piece is."""
        return np.array(np.diff(self.y) / np.diff(self.x), dtype=np.float64)

    def at(self, chances: Floats) -> Floats:
        """Return what probabilities become."""
        pieces = np.searchsorted(self.x[1:-1], chances, side="right")
        return self.y[:-1][pieces] + self.slopes[pieces] * (chances - self.x[:-1][pieces])


@dataclass(frozen=True)
class Recalibrated:
    """A fitted classifier, and a curve for each of its classes; for the second alone of two."""

    estimator: Any
    curves: list[Curve]
    method: str
    rows: int

    @property
    def classes_(self) -> Any:
        """The classes, as the estimator spells them."""
        return self.estimator.classes_

    def predict_proba(self, given: Any) -> Floats:
        """Return its probabilities, put right."""
        chances = np.asarray(self.estimator.predict_proba(given), dtype=np.float64)
        return put_right(self.curves, chances)

    def predict(self, given: Any) -> NDArray[Any]:
        """Return the class that is the likeliest then."""
        likeliest = self.predict_proba(given).argmax(axis=1)
        return np.array(np.asarray(self.classes_)[likeliest])


def bare(estimator: Any) -> Any:
    """Return an estimator without the calibration that follows it, if one does."""
    return estimator.estimator if isinstance(estimator, Recalibrated) else estimator


def put_right(curves: Sequence[Curve], chances: Floats) -> Floats:
    """Return what the probabilities of rows become."""
    if len(curves) == 1:
        second = curves[0].at(chances[:, 1])
        return np.column_stack([1.0 - second, second])
    made = np.column_stack([curve.at(chances[:, place]) for place, curve in enumerate(curves)])
    return np.array(made / made.sum(axis=1, keepdims=True))


def recalibrate(
    estimator: Any, labels: NDArray[Any], weights: Floats | None, chances: Floats
) -> Recalibrated:
    """Follow a fitted estimator by curves; `chances` are of fits that had not seen the rows."""
    classes, rows = list(estimator.classes_), len(labels)
    method = _method(rows, len(classes))
    return Recalibrated(estimator, _curves(method, classes, labels, weights, chances), method, rows)


def cross_recalibrate(
    classes: Sequence[Any],
    labels: NDArray[Any],
    weights: Floats | None,
    chances: Floats,
    parts: Places,
) -> Floats:
    """Put each part's chances right by curves that were fitted on those of the other parts."""
    made, method = np.empty_like(chances), _method(len(labels), len(classes))
    for part in range(FOLDS):
        kept, left = parts != part, parts == part
        weighed = None if weights is None else weights[kept]
        made[left] = put_right(
            _curves(method, classes, labels[kept], weighed, chances[kept]), chances[left]
        )
    return made


def _method(rows: int, classes: int) -> str:
    if rows >= FEWEST_ISOTONIC:
        return "isotonic regression"
    return "temperature" if classes > 2 else "sigmoid"


def _curves(
    method: str,
    classes: Sequence[Any],
    labels: NDArray[Any],
    weights: Floats | None,
    chances: Floats,
) -> list[Curve]:
    weighed = np.ones(len(labels)) if weights is None else weights
    if method == "temperature":
        is_true = labels[:, None] == np.array(classes)
        return [_temperature(chances, is_true, weighed)] * len(classes)
    curve = _sigmoid if method == "sigmoid" else _isotonic
    asked = [1] if len(classes) == 2 else range(len(classes))
    return [curve(chances[:, at], labels == classes[at], weighed) for at in asked]


def part_rows(labels: NDArray[Any], origins: Places, seed: int) -> Places:
    """Return the fold of each row, of each class its share in each; copies of a row stay together.

    Conflict where a class has fewer rows than twice the folds.
    """
    names, firsts, back = np.unique(origins, return_index=True, return_inverse=True)
    kinds, counts = np.unique(labels[firsts], return_counts=True)
    if counts.min() < FEWEST_OF_CLASS:
        raise Conflict(
            f"Probabilities cannot be recalibrated on {counted(int(counts.min()), 'row')} of "
            f"{kinds[counts.argmin()]}: {FEWEST_OF_CLASS} are needed of each class."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(labels[firsts][order], kind="stable")]
    folds = np.empty(len(names), dtype=np.intp)
    folds[order] = np.arange(len(names)) % FOLDS
    return folds[back]


def _isotonic(chances: Floats, is_class: NDArray[np.bool_], weights: Floats) -> Curve:
    least = 1.0 / (len(chances) + 2)
    made = IsotonicRegression(y_min=least, y_max=1.0 - least)
    made.fit(np.round(chances, DIGITS), is_class.astype(np.float64), sample_weight=weights)
    x, y = made.X_thresholds_, made.y_thresholds_
    return Curve(*_to_the_ends(np.asarray(x, np.float64), np.asarray(y, np.float64)))


def _sigmoid(chances: Floats, is_class: NDArray[np.bool_], weights: Floats) -> Curve:
    made = _SigmoidCalibration().fit(_log_odds(chances), is_class, sample_weight=weights)
    furthest = _log_odds(np.ones(1))[0]
    odds = np.linspace(-furthest, furthest, POINTS)
    x, y = 1.0 / (1.0 + np.exp(-odds)), np.asarray(made.predict(odds), dtype=np.float64)
    return Curve(*_to_the_ends(x, y))


def _temperature(chances: Floats, is_true: NDArray[np.bool_], weights: Floats) -> Curve:
    """Return the power of all chances whose log loss is the least."""
    logs = np.log(np.clip(chances, LEAST, 1.0))

    def loss(power: float) -> float:
        raised = np.exp(power) * logs
        sums = np.log(np.exp(raised).sum(axis=1))
        return float(weights @ (sums - raised[is_true]))

    found = minimize_scalar(loss, bounds=(-STRONGEST, STRONGEST), method="bounded")
    x = np.geomspace(LEAST, 1.0, POINTS)
    return Curve(*_to_the_ends(x, x ** np.exp(found.x)))


def _log_odds(chances: Floats) -> Floats:
    kept = np.clip(chances, LEAST, 1.0 - LEAST)
    return np.array(np.log(kept / (1.0 - kept)), dtype=np.float64)


def _to_the_ends(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Go on flat to 0 and to 1."""
    if x[0] > 0.0:
        x, y = np.append(0.0, x), np.append(y[0], y)
    if x[-1] < 1.0:
        x, y = np.append(x, 1.0), np.append(y, y[-1])
    return x, y
