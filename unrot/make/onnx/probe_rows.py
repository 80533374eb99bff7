"""Find the rows that sit right at the thresholds of trees, wherever in an estimator they stand.

A tree may see a column through an imputer, a scaler or a column transformer, inside a bagging, a
vote or a search. Its thresholds are read from it; the number of the row that meets one exactly is
found by bisection through whatever stands before the tree, down to two neighbouring floats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from unrot.core.records import Row
from unrot.make.onnx.jump_rows import beside, changed, middle_by_bits

View = Callable[[Any], NDArray[Any]]
"""What a tree sees of a table."""

MOST_SPLITS = 160
STEPS = 64


@dataclass(frozen=True, slots=True)
class Split:
    """One threshold of one tree: on a column of what the tree sees, in its precision."""

    view: View
    column: int
    threshold: float
    is_narrow: bool


def split_rows(
    estimator: Any, make: Callable[[Sequence[Row]], Any], rows: Sequence[Row], places: Sequence[int]
) -> list[Row]:
    """Return rows on both sides of thresholds, and their neighbours."""
    found = {(id(one.view), one.column, one.threshold): one for one in _splits(estimator, _itself)}
    splits = list(found.values())
    chosen = np.linspace(0, len(splits) - 1, min(len(splits), MOST_SPLITS)).astype(int)
    made: list[Row] = []
    for view in {id(one.view): one.view for one in splits}.values():
        of_view = [splits[number] for number in chosen if splits[number].view is view]
        try:
            made += _met(of_view, view, make, rows, places)
        except Exception:
            # A step in between may refuse a number that it never saw; then there is no such row.
            continue
    return made


def _itself(table: Any) -> NDArray[Any]:
    return np.asarray(table)


def _splits(estimator: Any, view: View) -> Iterator[Split]:
    if isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            view = _through(Pipeline(estimator.steps[:-1]), view)
        yield from _splits(estimator.steps[-1][1], view)
    elif hasattr(estimator, "tree_"):
        tree = estimator.tree_
        inner = tree.children_left >= 0
        for column, threshold in zip(tree.feature[inner], tree.threshold[inner], strict=True):
            yield Split(view, int(column), float(threshold), True)
    elif hasattr(estimator, "_predictors") and getattr(estimator, "_preprocessor", 1) is None:
        for predictor in np.ravel(np.array(estimator._predictors, dtype=object)):
            nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            for node in nodes[nodes["is_categorical"] == 0]:
                if np.isfinite(node["num_threshold"]):
                    yield Split(view, int(node["feature_idx"]), float(node["num_threshold"]), False)
    else:
        for part, seen in _parts(estimator, view):
            yield from _splits(part, seen)


def _parts(estimator: Any, view: View) -> Iterator[tuple[Any, View]]:
    for name in ("best_estimator_", "regressor_"):
        if hasattr(estimator, name):
            yield getattr(estimator, name), view
    for calibrated in getattr(estimator, "calibrated_classifiers_", ()):
        yield calibrated.estimator, view
    parts = getattr(estimator, "estimators_", ())
    subsets = getattr(estimator, "estimators_features_", None)
    for number, part in enumerate(np.ravel(np.array(list(parts), dtype=object))):
        if not isinstance(part, str):
            yield part, view if subsets is None else _of_columns(subsets[number], view)


def _through(steps: Pipeline, view: View) -> View:
    def seen(table: Any) -> NDArray[Any]:
        # The first step takes the table in its own form, which may be a DataFrame.
        prepared = steps.transform(table if view is _itself else view(table))
        return np.asarray(prepared.toarray() if hasattr(prepared, "toarray") else prepared)

    return seen


def _of_columns(columns: NDArray[Any], view: View) -> View:
    if np.array_equal(columns, np.arange(len(columns))):
        return view
    return lambda table: view(table)[:, columns]


def _met(
    splits: Sequence[Split],
    view: View,
    make: Callable[[Sequence[Row]], Any],
    rows: Sequence[Row],
    places: Sequence[int],
) -> list[Row]:
    """Bisect all splits of one view at once."""
    sources = _sources(view, make, rows, places)
    met = [one for one in splits if one.column in sources]
    if not met:
        return []
    based = [rows[number % len(rows)] for number in range(len(met))]
    ranges = {place: _range(rows, place) for place in sources.values()}
    at = [sources[one.column] for one in met]
    lows, highs = (np.array([ranges[place][side] for place in at]) for side in (0, 1))

    def is_below(values: NDArray[np.float64]) -> NDArray[np.bool_]:
        asked = zip(based, at, values.tolist(), strict=True)
        seen = view(make([changed(row, place, value) for row, place, value in asked]))
        numbers = seen[np.arange(len(met)), [one.column for one in met]].astype(np.float64)
        narrow = numbers.astype(np.float32).astype(np.float64)
        compared = np.where([one.is_narrow for one in met], narrow, numbers)
        return np.asarray(compared <= [one.threshold for one in met])

    begins, ends = is_below(lows), is_below(highs)
    for _ in range(STEPS):
        middles = middle_by_bits(lows, highs)
        goes_high = is_below(middles) == begins
        lows, highs = np.where(goes_high, middles, lows), np.where(goes_high, highs, middles)
    kept = zip(based, at, lows.tolist(), highs.tolist(), (begins != ends).tolist(), strict=True)
    return [
        changed(row, place, value)
        for row, place, low, high, is_met in kept
        if is_met
        for value in beside(low, high)
    ]


def _sources(
    view: View, make: Callable[[Sequence[Row]], Any], rows: Sequence[Row], places: Sequence[int]
) -> dict[int, int]:
    """Tell which number of a row each column that the tree sees is made from, if from one alone."""
    ranges = {place: _range(rows, place) for place in places}
    lows = [changed(rows[0], place, ranges[place][0]) for place in places]
    highs = [changed(rows[0], place, ranges[place][1]) for place in places]
    if not lows:
        return {}
    moves = view(make(lows)).astype(np.float64) != view(make(highs)).astype(np.float64)
    alone = np.flatnonzero(moves.sum(axis=0) == 1)
    return {int(column): places[int(moves[:, column].argmax())] for column in alone}


def _range(rows: Sequence[Row], place: int) -> tuple[float, float]:
    """Return the range of a number, widened: thresholds come of other rows than these."""
    held = [float(row[place]) for row in rows if row[place] is not None]  # type: ignore[arg-type]
    low, high = (min(held), max(held)) if held else (0.0, 0.0)
    width = 2 * max(high - low, abs(low), abs(high), 1.0)
    return low - width, high + width
