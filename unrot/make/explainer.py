"""Write what a version's answers are explained by: weights or trees, and rows of the training.

Which columns are made of which feature is not read out of the steps of a pipeline; it is found by
asking them with changed rows, and then held against what they make of all rows that are at hand.
Nor is it believed which scores an estimator has: what its weights or trees add up to is linked in
each way there is, and the one is taken that makes its answers. Where none does, there is nothing
exact to keep and its answers are explained by sampling.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline

from unrot.core.records import Outputs, Row, Value
from unrot.explain.columns import Columns, Part
from unrot.explain.importance import spread
from unrot.explain.kept import Kept, Link, Sums, pack
from unrot.explain.linear import Weighed
from unrot.explain.trees import Trees
from unrot.make.fitted import Fitted
from unrot.make.grown_trees import NotExact, gather
from unrot.make.onnx.converters import scaled_tree, start_of
from unrot.make.onnx.trees import BOOSTED, FORESTS, LONE, Tree, trees_of
from unrot.make.recalibrated import Recalibrated

Floats = NDArray[np.float64]
MOST_ROWS, MOST_TRIED = 200, 60
FEWEST_TRIED, SECONDS = 5, 0.5
"""Of the largest forests fewer rows are tried: a version is not to wait long for that."""
MOST_VALUES, MOST_CELLS = 500, 200_000
EXACT = 1e-6
NOT_ASKED = (ValueError, TypeError, AttributeError, LookupError, NotImplementedError)
"""What steps and estimators of other people raise when they are asked what they are not made for:
rows of another width or kind, an attribute that they do not have, splits on categories."""
LINEAR = ("sklearn.linear_model", "sklearn.discriminant_analysis")
LINEAR_BESIDE = ("LinearSVC", "LinearSVR")
NEVER_SEEN = "\N{BLACK QUESTION MARK ORNAMENT} never seen"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Explainer:
    """What explains a version's answers, and why it is no exact one."""

    kept: Kept
    sampled_because: str = ""

    @property
    def data(self) -> bytes:
        """The file of it."""
        return pack(self.kept)


def make(fitted: Fitted, reference: Sequence[Row]) -> Explainer:
    """Return what explains a fitted estimator; rows alone where nothing exact is known of it."""
    rows = spread(reference, MOST_ROWS)
    try:
        with np.errstate(all="ignore"):
            return Explainer(Kept(rows, _sums(fitted, rows, reference)))
    except NotExact as error:
        because = str(error)
        _log.info("Answers will be explained by sampling: %s.", because)
    except NOT_ASKED as error:
        because = f"a step or the estimator does not tell what it does ({type(error).__name__})"
        _log.warning("Answers will be explained by sampling: %s: %s", because, error)
    except Exception as error:
        # Whatever else a stranger's step raises: its version is published all the same.
        because = f"what explains it failed ({type(error).__name__})"
        _log.exception("Answers will be explained by sampling: that was not expected")
    return Explainer(Kept(rows), because)


def _sums(fitted: Fitted, rows: Sequence[Row], reference: Sequence[Row]) -> Sums:
    steps, estimator = _parted(fitted.estimator)
    columns = _Asked(fitted, steps).columns(rows)
    of, links = _scores(estimator, columns, lambda: _columns(fitted, steps, reference))
    places = list(fitted.places.values()) if fitted.schema.is_classifier else []
    each = [Sums(columns, of, link, places) for link in links]
    tried = spread(rows, max(FEWEST_TRIED, each[0].rows_within(SECONDS, MOST_TRIED)))
    expected = fitted.predict(tried)
    for sums in each:
        if _answers(sums, tried, expected):
            return sums
    raise NotExact("no link makes its answers")


def _parted(estimator: Any) -> tuple[list[Any], Any]:
    """Return the steps that make columns, and the estimator that sees them."""
    if isinstance(estimator, Recalibrated):
        raise NotExact("its probabilities were recalibrated")
    steps: list[Any] = []
    while True:
        if isinstance(estimator, BaseSearchCV):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            steps += [step for _, step in estimator.steps[:-1] if step not in (None, "passthrough")]
            estimator = estimator.steps[-1][1]
        else:
            return steps, estimator


def _columns(fitted: Fitted, steps: Sequence[Any], rows: Sequence[Row]) -> Floats:
    """Return the columns that the estimator sees of some rows."""
    made = fitted.inputs(rows)
    for step in steps:
        made = step.transform(made)
    made = made.toarray() if hasattr(made, "toarray") else made
    return np.asarray(made, dtype=np.float64).reshape(len(rows), -1)


# ── columns ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Asked:
    """Steps that are asked with changed rows."""

    fitted: Fitted
    steps: Sequence[Any]

    def columns(self, rows: Sequence[Row]) -> Columns:
        """Find the columns that are made of each feature; NotExact where one is of two."""
        base = [self._known(rows, place) for place in range(len(rows[0]))]
        constants = _columns(self.fitted, self.steps, [base])[0]
        parts = [self._part(rows, base, constants, place) for place in range(len(base))]
        columns = Columns(len(constants), [one for one in parts if one.columns], constants.tolist())
        owned = [column for part in parts for column in part.columns]
        expected = _columns(self.fitted, self.steps, rows)
        given = np.array([columns.of(row) for row in rows])
        if len(set(owned)) < len(owned) or not np.allclose(
            given, expected, rtol=1e-9, atol=1e-9, equal_nan=True
        ):
            raise NotExact("its columns mix features")
        return columns

    def _known(self, rows: Sequence[Row], place: int) -> Value:
        return next((row[place] for row in rows if row[place] is not None), None)

    def _part(self, rows: Sequence[Row], base: Row, constants: Floats, place: int) -> Part:
        """Ask with each value of one feature."""
        feature = self.fitted.schema.features[place]
        seen = list(dict.fromkeys(row[place] for row in rows if row[place] is not None))
        if feature.kind == "boolean":
            seen = [False, True]
        elif feature.kind == "category":
            seen = list(dict.fromkeys([*feature.choices, *seen]))
        elif feature.low is not None and feature.high is not None:
            seen = list(dict.fromkeys([feature.low, feature.high, *seen]))
        made = self._made(base, place, seen)
        unseen = self._made_or_none(base, place, NEVER_SEEN) if feature.kind == "category" else None
        gap = self._made_or_none(base, place, None)
        changes = _differ(made, constants) | _differ(gap, constants) | _differ(unseen, constants)
        held = np.flatnonzero(changes)
        told = {
            "gap": () if gap is None else gap[0, held].tolist(),
            "unseen": () if unseen is None else unseen[0, held].tolist(),
        }
        if feature.kind in ("number", "integer"):
            line = _line(seen, made[:, held])
            if line is not None:
                return Part(place, held.tolist(), *line, gap=told["gap"])
        if len(seen) > MOST_VALUES or len(seen) * len(held) > MOST_CELLS:
            raise NotExact("a feature has too many values")
        return Part(place, held.tolist(), values=seen, table=made[:, held].tolist(), **told)

    def _made(self, base: Row, place: int, values: Sequence[Value]) -> Floats:
        asked = [[*base[:place], value, *base[place + 1 :]] for value in values]
        return _columns(self.fitted, self.steps, asked or [base])

    def _made_or_none(self, base: Row, place: int, value: Value) -> Floats | None:
        try:
            return self._made(base, place, [value])
        except NOT_ASKED:
            return None  # A step that takes no gap, or no text that it was not fitted with.


def _differ(made: Floats | None, constants: Floats) -> NDArray[np.bool_]:
    if made is None:
        return np.zeros(len(constants), dtype=bool)
    same = (made == constants) | (np.isnan(made) & np.isnan(constants))
    return np.array(~same.all(axis=0))


def _line(seen: Sequence[Any], made: Floats) -> tuple[list[float], list[float]] | None:
    """Return slopes and offsets of columns that are straight lines of a number."""
    at = np.array(seen, dtype=np.float64)
    low, high = int(at.argmin()), int(at.argmax())
    if at[low] == at[high]:
        return None
    slopes = (made[high] - made[low]) / (at[high] - at[low])
    offsets = made[low] - slopes * at[low]
    is_same = (made == at[:, None]).all(axis=0)
    slopes[is_same], offsets[is_same] = 1.0, 0.0
    if not np.allclose(at[:, None] * slopes + offsets, made, rtol=1e-9, atol=1e-9):
        return None
    return slopes.tolist(), offsets.tolist()


# ── scores ───────────────────────────────────────────────────────────────────────────────────


def _scores(
    estimator: Any, columns: Columns, table: Callable[[], Floats]
) -> tuple[Weighed | Trees, list[Link]]:
    if isinstance(estimator, (*LONE, *FORESTS)):
        trees = trees_of(estimator)
        shared = [_shared(tree, 1 / len(trees)) for tree in trees]
        start = np.zeros(trees[0].leaves.shape[1])
        return gather(shared, columns.owners, start, is_narrow=True), ["same"]
    if isinstance(estimator, GradientBoostingClassifier | GradientBoostingRegressor):
        rate = estimator.learning_rate
        stages = [
            scaled_tree(tree.tree_, target, rate)
            for stage in estimator.estimators_
            for target, tree in enumerate(stage)
        ]
        start = start_of(estimator)[0]
        return gather(stages, columns.owners, start, is_narrow=True), _links(estimator, start)
    if isinstance(estimator, BOOSTED):
        start = np.atleast_2d(estimator._baseline_prediction).astype(np.float64)[0]
        trees = trees_of(estimator)
        return gather(trees, columns.owners, start, is_narrow=False), _links(estimator, start)
    kind = type(estimator)
    if not kind.__module__.startswith(LINEAR) and kind.__name__ not in LINEAR_BESIDE:
        raise NotExact("it is neither of weights nor of trees")
    weights = np.asarray(estimator.coef_, dtype=np.float64).reshape(-1, columns.width)
    intercepts = np.broadcast_to(np.ravel(estimator.intercept_), len(weights)).astype(np.float64)
    return Weighed(weights, intercepts, table().mean(axis=0)), _links(estimator, intercepts)


def _links(estimator: Any, scores: Floats) -> list[Link]:
    if not hasattr(estimator, "classes_"):
        return ["same", "exp"]
    if not hasattr(estimator, "predict_proba"):
        return ["largest"]
    return ["sigmoid"] if len(scores) == 1 else ["softmax", "each"]


def _shared(tree: Tree, share: float) -> Tree:
    return replace(tree, leaves=tree.leaves * share)


def _answers(sums: Sums, rows: Sequence[Row], expected: Outputs) -> bool:
    """Tell whether sums make the answers to some rows."""
    given = np.array([sums.answered(sums.contributions(row)) for row in rows])
    if expected.values is not None:
        return bool(np.allclose(given[:, 0], expected.values, rtol=EXACT, atol=EXACT))
    if expected.probabilities is None:
        found = [sums.places[place] for place in given.argmax(axis=1)]
        return found == list(expected.classes or ())
    chances = np.array(expected.probabilities)[:, list(sums.places)]
    return bool(np.allclose(given, chances, rtol=0, atol=EXACT))
