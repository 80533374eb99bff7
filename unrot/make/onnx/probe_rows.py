"""Find the rows on which a graph would go wrong, if it does anywhere.

- Strange ones: with gaps and texts that were never seen, alone and all at once, halfway, and far
  outside the range.
- At the thresholds of trees, wherever in an estimator they stand: behind an imputer, a scaler or
  a column transformer, inside a bagging, a vote or a search, each part behind steps of its own.
- At every other jump of the answer that can be found without knowing the model.

A tree changes its mind between two neighbouring floats. A graph that rounds otherwise than
scikit-learn does it on the wrong side, and no sample of rows would ever show it. So two rows that
differ in one number are brought together, always into the quarter with the largest jump, until they
are neighbours; if the answer still jumps between them, they are rows to compare at.

    f(x) = x > 1/3, between 0 and 1  →  0.3333333333333333 and 0.33333333333333337

An owner's estimator may hold what it likes and refuse what it likes: what cannot be read or asked
makes no rows, and never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from unrot.core.errors import Invalid
from unrot.core.ports import Predictor
from unrot.core.records import Row, Schema, Value
from unrot.make.fitted import Fitted
from unrot.make.recalibrated import bare

R = TypeVar("R")
Floats = NDArray[np.float64]
Inputs = Callable[[Sequence[Row]], Any]
"""Brings rows into the form that an estimator takes."""
Score = Callable[[list[Row]], Floats]
BracketScore = Callable[[list[Row], NDArray[np.intp]], Floats]
Change = tuple[int, Value]
View = Callable[[Any], Any]
"""What a part of an estimator is handed of what the estimator is handed."""

NEVER_SEEN = "a text that was never seen"
FAR_OUT = (-3.0, 10.0)
MOST_STRANGE_ROWS = 100
MOST_SPLITS = 160
MOST_VIEWS = 16
"""Each costs some fifty transforms; sixteen pipelines of a bagging stand for a hundred."""
PROBES = 64
COARSE_STEPS = 13
FINE_STEPS = 32
"""Each quarters: asked for three rows at once an estimator takes little longer than for one."""
SMALLEST_JUMP = 1e-6
"""Smaller ones than the tolerance of a comparison are none; a slope is none either."""


def probe_rows(fitted: Fitted, rows: Sequence[Row]) -> list[Row]:
    """Return rows on which a graph may go wrong; some may be such that nothing answers them."""
    features = fitted.schema.features
    numbers = [at for at, each in enumerate(features) if each.kind in ("number", "integer")]
    made = [*_strange(fitted.schema, rows), *_far_out(rows, numbers)]
    made += split_rows(bare(fitted.estimator), fitted.inputs, rows, numbers)
    midway = {place: changed(rows[0], place, _halfway(rows, place)) for place in numbers}
    _, refused = split_refused(fitted, [*midway.values()])
    answered = [place for place, row in midway.items() if row not in refused]
    return [*made, *midway.values(), *jump_rows(_score_of(fitted), rows, answered)]


def split_refused(predictor: Predictor, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Split rows into those that are answered and those that are refused."""
    try:
        if rows:
            predictor.predict(rows)
        return list(rows), []
    except Invalid:
        half = len(rows) // 2
        if not half:
            return [], list(rows)
        first = split_refused(predictor, rows[:half])
        second = split_refused(predictor, rows[half:])
        return [*first[0], *second[0]], [*first[1], *second[1]]


def changed(row: Row, place: int, value: Value) -> Row:
    """Return a copy of a row with another value at one place."""
    copied = list(row)
    copied[place] = value
    return copied


def spread(rows: Sequence[R], most: int) -> list[R]:
    """Return at most so many, spread over all."""
    if len(rows) <= most:
        return list(rows)
    return [rows[place] for place in np.linspace(0, len(rows) - 1, most).astype(int).tolist()]


# ── strange rows ─────────────────────────────────────────────────────────────────────────────


def _strange(schema: Schema, rows: Sequence[Row]) -> Iterator[Row]:
    features = [*enumerate(schema.features)]
    gaps: list[Change] = [(place, None) for place, feature in features if feature.nullable]
    texts = [place for place, feature in features if feature.kind == "category"]
    unseen: list[Change] = [(place, NEVER_SEEN) for place in texts]
    alone = [[change] for change in spread([*gaps, *unseen], MOST_STRANGE_ROWS)]
    for number, changes in enumerate(filter(None, [*alone, gaps, unseen])):
        row = list(rows[number % len(rows)])
        for place, value in changes:
            row[place] = value
        yield row


def _far_out(rows: Sequence[Row], numbers: Sequence[int]) -> Iterator[Row]:
    for factor in FAR_OUT if numbers else ():
        for row in rows[:: max(1, len(rows) // 30)]:
            far = list(row)
            for place in numbers:
                value = far[place]
                if isinstance(value, int | float) and not isinstance(value, bool):
                    far[place] = float(value) * factor
            yield far


def _halfway(rows: Sequence[Row], place: int) -> float:
    """Return a number of the range that is hardly one of the data: 0.3819… of the way."""
    low, high = _range(rows, place, (0.0, 1.0))
    return low + (high - low) * 0.381966


def _range(
    rows: Sequence[Row], place: int, otherwise: tuple[float, float] = (0.0, 0.0)
) -> tuple[float, float]:
    held = [float(row[place]) for row in rows if row[place] is not None]  # type: ignore[arg-type]
    return (min(held), max(held)) if held else otherwise


# ── jumps of any model ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Bracket:
    """A row, the place of a number in it, and the two values between which something may jump."""

    row: Row
    place: int
    low: float
    high: float


def jump_rows(score: Score, rows: Sequence[Row], places: Sequence[int], seed: int = 0) -> list[Row]:
    """Return rows on both sides of jumps along the numbers at `places`, and their neighbours."""
    brackets = _random_brackets(rows, places, np.random.default_rng(seed))
    return _narrowed(brackets, lambda asked, _numbers: score(asked))


def _random_brackets(
    rows: Sequence[Row], places: Sequence[int], chance: np.random.Generator
) -> list[Bracket]:
    """Choose rows, a number of each, and another value of that number that lies above it."""
    made: list[Bracket] = []
    order = chance.permutation(places).tolist() if len(places) else []
    for probe in range(PROBES if order else 0):
        place = order[probe % len(order)]
        held = [row for row in rows if row[place] is not None]
        if len(held) < 2:
            continue
        one, other = (held[number] for number in chance.choice(len(held), 2, replace=False))
        low, high = sorted((float(one[place] or 0.0), float(other[place] or 0.0)))
        if low < high:
            made.append(Bracket(one, place, low, high))
    return made


def _score_of(fitted: Fitted) -> Score:
    """Return what jumps are looked for in: chances, else decisions, else the class, else values."""
    estimator, classes = fitted.estimator, fitted.schema.classes

    def score(rows: list[Row]) -> Floats:
        given = fitted.inputs(rows)
        if not classes:
            answered = estimator.predict(given)
        elif hasattr(estimator, "predict_proba"):
            answered = estimator.predict_proba(given)
        elif hasattr(estimator, "decision_function"):
            answered = estimator.decision_function(given)
        else:
            answered = np.eye(len(classes))[fitted.answer(given).classes or []]
        return np.asarray(answered, dtype=np.float64).reshape(len(rows), -1)

    def careful(rows: list[Row]) -> Floats:
        with np.errstate(all="ignore"):
            return score(rows)

    return careful


# ── thresholds of trees ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Split:
    """One threshold of one tree: on a column of what the tree sees, in its precision."""

    view: View
    column: int
    threshold: float
    is_narrow: bool


def split_rows(
    estimator: Any, inputs: Inputs, rows: Sequence[Row], places: Sequence[int]
) -> list[Row]:
    """Return rows on both sides of thresholds, and their neighbours."""
    made: list[Row] = []
    views = spread(_splits_by_view(estimator), MOST_VIEWS)
    for splits in views:
        # A step in between may refuse a number that it never saw; then there is no such row.
        with suppress(Exception):
            made += _met(spread(splits, MOST_SPLITS // len(views)), inputs, rows, places)
    return made


def _splits_by_view(estimator: Any) -> list[list[Split]]:
    """List those that can be read: what an owner's estimator holds may look like trees alone."""
    found: dict[int, dict[tuple[int, float], Split]] = {}
    with suppress(Exception):
        for split in _splits(estimator, lambda table: table):
            found.setdefault(id(split.view), {})[split.column, split.threshold] = split
    return [[*splits.values()] for splits in found.values()]


def _splits(estimator: Any, view: View) -> Iterator[Split]:
    if isinstance(estimator, Pipeline):
        if len(estimator.steps) > 1:
            view = _through(Pipeline(estimator.steps[:-1]), view)
        yield from _splits(estimator.steps[-1][1], view)
    elif hasattr(estimator, "tree_"):
        tree = estimator.tree_
        inner = spread(np.flatnonzero(tree.children_left >= 0).tolist(), MOST_SPLITS)
        for column, threshold in zip(tree.feature[inner], tree.threshold[inner], strict=True):
            yield Split(view, int(column), float(threshold), True)
    elif hasattr(estimator, "_predictors") and getattr(estimator, "_preprocessor", 1) is None:
        for predictor in (each for stage in estimator._predictors for each in stage):
            nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            for node in nodes[nodes["is_categorical"] == 0]:
                if np.isfinite(node["num_threshold"]):
                    yield Split(view, int(node["feature_idx"]), float(node["num_threshold"]), False)
    else:
        for part, seen in _parts(estimator, view):
            yield from _splits(part, seen)


def _parts(estimator: Any, view: View) -> Iterator[tuple[Any, View]]:
    for name in ("best_estimator_", "regressor_", "estimator_"):
        if hasattr(estimator, name):
            yield getattr(estimator, name), view
    for calibrated in getattr(estimator, "calibrated_classifiers_", ()):
        yield calibrated.estimator, view
    if hasattr(estimator, "final_estimator_"):
        yield estimator.final_estimator_, _through(estimator, view)
    parts = getattr(estimator, "estimators_", ())
    parts = parts.ravel() if isinstance(parts, np.ndarray) else parts
    subsets = getattr(estimator, "estimators_features_", None)
    views = [view] * len(parts) if subsets is None else _views_of(subsets, view)
    yield from zip(parts, views, strict=True)


def _through(steps: Any, view: View) -> View:
    return lambda table: steps.transform(view(table))


def _views_of(subsets: Sequence[NDArray[np.intp]], view: View) -> list[View]:
    """Return what each part sees of its columns; one view for all that have the same."""
    shared: dict[tuple[int, ...], View] = {}
    return [shared.setdefault(tuple(each), _of_columns(each, view)) for each in subsets]


def _of_columns(columns: NDArray[np.intp], view: View) -> View:
    return lambda table: _array(view(table))[:, columns]


def _array(seen: Any) -> NDArray[Any]:
    return np.asarray(seen.toarray() if hasattr(seen, "toarray") else seen)


def _met(
    splits: Sequence[Split], inputs: Inputs, rows: Sequence[Row], places: Sequence[int]
) -> list[Row]:
    """Quarter all splits of one view at once: what jumps is the side of its threshold."""

    def see(asked: list[Row]) -> NDArray[Any]:
        return _array(splits[0].view(inputs(asked)))

    sources = _sources(see, rows, places)
    met = [split for split in splits if split.column in sources]
    brackets = [
        Bracket(rows[number % len(rows)], place, *_widened(rows, place))
        for number, place in enumerate(sources[split.column] for split in met)
    ]

    def is_below(asked: list[Row], numbers: NDArray[np.intp]) -> Floats:
        seen, here = see(asked), [met[number] for number in numbers]
        values = seen[np.arange(len(here)), [split.column for split in here]].astype(np.float64)
        narrow = values.astype(np.float32).astype(np.float64)
        compared = np.where([split.is_narrow for split in here], narrow, values)
        below = compared <= np.array([split.threshold for split in here])
        return below.astype(np.float64)[:, None]

    return _narrowed(brackets, is_below)


def _sources(
    see: Callable[[list[Row]], NDArray[Any]], rows: Sequence[Row], places: Sequence[int]
) -> dict[int, int]:
    """Tell which number of a row each column that the tree sees is made from, if from one alone."""
    ranges = {place: _widened(rows, place) for place in places}
    lows = [changed(rows[0], place, ranges[place][0]) for place in places]
    highs = [changed(rows[0], place, ranges[place][1]) for place in places]
    if not lows:
        return {}
    moves = see(lows).astype(np.float64) != see(highs).astype(np.float64)
    alone = np.flatnonzero(moves.sum(axis=0) == 1)
    return {int(column): places[int(moves[:, column].argmax())] for column in alone}


def _widened(rows: Sequence[Row], place: int) -> tuple[float, float]:
    """Return the range of a number, widened: thresholds come of other rows than these."""
    low, high = _range(rows, place)
    width = 2 * max(high - low, abs(low), abs(high), 1.0)
    return low - width, high + width


# ── quartering ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Probes:
    """Brackets by their number, where each stands now, and the scores at both of its ends."""

    numbers: NDArray[np.intp]
    lows: Floats
    highs: Floats
    at_lows: Floats
    at_highs: Floats

    def quartered(self, places: Floats, scores: Floats) -> Probes:
        """Keep of each the quarter with the largest jump."""
        values = np.vstack([self.lows, places, self.highs])
        answers = np.stack(np.broadcast_arrays(self.at_lows, *scores, self.at_highs))
        jumps = np.stack([_jumps(before, after) for before, after in pairwise(answers)])
        quarter, each = jumps.argmax(axis=0), np.arange(len(self.numbers))
        return replace(
            self,
            lows=values[quarter, each],
            highs=values[quarter + 1, each],
            at_lows=answers[quarter, each],
            at_highs=answers[quarter + 1, each],
        )

    def jumping(self) -> Probes:
        """Leave out those in which nothing jumps."""
        return self._only(_jumps(self.at_lows, self.at_highs) > SMALLEST_JUMP)

    def answered(self) -> Probes:
        """Leave out those of which an end is refused."""
        lows, highs = np.isnan(self.at_lows), np.isnan(self.at_highs)
        return self._only(~(lows.any(axis=1) | highs.any(axis=1)))

    def _only(self, kept: Any) -> Probes:
        return Probes(
            self.numbers[kept],
            self.lows[kept],
            self.highs[kept],
            self.at_lows[kept],
            self.at_highs[kept],
        )

    @property
    def are_neighbours(self) -> bool:
        """True when the two ends of each are neighbours."""
        return bool(np.all(_bits(self.highs) <= _bits(self.lows) + 1))


def _narrowed(brackets: Sequence[Bracket], score: BracketScore) -> list[Row]:
    """Return rows on both sides of the jumps in brackets; rows are scored by their bracket's."""
    if not brackets:
        return []

    def ask(numbers: NDArray[np.intp], values: Floats) -> Floats:
        held = zip(numbers.tolist(), values.tolist(), strict=True)
        rows = [changed(brackets[at].row, brackets[at].place, value) for at, value in held]
        return _careful(score, rows, numbers)

    def quarter(probes: Probes, middle: Callable[[Floats, Floats], Floats]) -> Probes:
        middles = middle(probes.lows, probes.highs)
        places = np.vstack([middle(probes.lows, middles), middles, middle(middles, probes.highs)])
        scores = ask(np.tile(probes.numbers, len(places)), places.ravel())
        return probes.quartered(places, scores.reshape(*places.shape, -1)).answered()

    all_of_them = np.arange(len(brackets))
    lows = np.array([bracket.low for bracket in brackets])
    highs = np.array([bracket.high for bracket in brackets])
    at_lows, at_highs = ask(all_of_them, lows), ask(all_of_them, highs)
    probes = Probes(all_of_them, lows, highs, at_lows, at_highs).answered()
    for _ in range(COARSE_STEPS):
        probes = quarter(probes, _middle_by_value)
    probes = probes.jumping()
    for _ in range(FINE_STEPS):
        if probes.are_neighbours:
            break
        probes = quarter(probes, _middle_by_bits)
    probes = probes.jumping()
    ends = zip(probes.numbers, probes.lows.tolist(), probes.highs.tolist(), strict=True)
    return [
        changed(brackets[number].row, brackets[number].place, value)
        for number, low, high in ends
        for value in _beside(low, high)
    ]


def _careful(score: BracketScore, rows: list[Row], numbers: NDArray[np.intp]) -> Floats:
    """Score rows; NaN is the score of one that is refused."""
    try:
        return score(rows, numbers)
    except Exception:
        half = len(rows) // 2
        if not half:
            return np.full((len(rows), 1), np.nan)
        first = _careful(score, rows[:half], numbers[:half])
        second = _careful(score, rows[half:], numbers[half:])
        width = max(first.shape[1], second.shape[1])
        return np.vstack([np.broadcast_to(one, (len(one), width)) for one in (first, second)])


def _jumps(before: Floats, after: Floats) -> Floats:
    """Measure jumps in units of the answer where that is beyond 1."""
    scale = np.maximum(np.maximum(np.abs(before), np.abs(after)), 1.0)
    differences: Floats = np.nan_to_num(np.abs(after - before) / scale, nan=0.0)
    return np.asarray(differences.max(axis=1), dtype=np.float64)


def _middle_by_value(lows: Floats, highs: Floats) -> Floats:
    return np.asarray(lows + (highs - lows) / 2.0)


def _middle_by_bits(lows: Floats, highs: Floats) -> Floats:
    """Halve the count of floats between two: that ends, however near to zero they are."""
    low, high = _bits(lows), _bits(highs)
    return _floats((low >> 1) + (high >> 1) + (low & high & 1))


def _bits(values: Floats) -> NDArray[np.int64]:
    """Number the floats in their order."""
    raw = np.ascontiguousarray(values + 0.0).view(np.int64)
    return np.where(raw < 0, np.int64(-(2**63)) - raw, raw)


def _floats(bits: NDArray[np.int64]) -> Floats:
    raw = np.where(bits < 0, np.int64(-(2**63)) - bits, bits)
    return np.ascontiguousarray(raw).view(np.float64)


def _beside(low: float, high: float) -> list[float]:
    """List two neighbouring floats, their neighbours, and the same in single precision."""
    narrow = np.float32(low)
    return [
        low,
        high,
        float(np.nextafter(low, -np.inf)),
        float(np.nextafter(high, np.inf)),
        float(narrow),
        float(np.nextafter(narrow, np.float32(-np.inf))),
        float(np.nextafter(narrow, np.float32(np.inf))),
    ]
