"""Sets of classes, and intervals, that hold the truth as often as was asked for.

Split conformal prediction: of each row of the holdout it is known how strange the truth was to the
version,

    s = 1 - p(true class)   of classes (LAC)        s = |answer - truth|   of numbers

and of a new row those answers are told that are no stranger than all but a share m of them:

    {y : s(y) ≤ q},  q the ⌈(n + 1)(1 - m)⌉-th smallest of the n scores

Where rows are of the kind of the holdout this holds the truth with a chance of at least 1 - m,
whatever the model is worth. Of the two usual scores of classes this one gives the smaller sets
(`make bench-coverage`); a set may be empty, where not even the likeliest class is like any truth.

When the world drifts it does not hold. Then m itself follows the verdicts (`adapt`): after each
truth that was missed it is less, after each other one a little more, so that over any long stretch
the share that is missed is the one that was asked for.

Sadinle, Lei and Wasserman, JASA 114 (2019) 223-234. Lei et al., JASA 113 (2018) 1094-1111.
Vovk, Conditional validity of inductive conformal predictors, Machine Learning 92 (2013) 349-376.
Gibbs and Candès, Adaptive conformal inference under distribution shift (NeurIPS 2021).

    >>> of = Conformal(19, tuple(place / 20 for place in range(1, 20)))
    >>> of.bound(0.1), of.bound(0.01), of.bound(1.0)
    (0.9, inf, -inf)
    >>> of.classes([0.5, 0.3, 0.2], 0.25), of.classes([0.5, 0.3, 0.2], 0.5)
    ([0, 1], [0])
    >>> of.interval(7.0, 0.5)
    (6.5, 7.5)
    >>> [round(adapt(0.1, coverage=0.9, missed=missed), 3) for missed in (True, False)]
    [0.082, 0.102]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, inf, lgamma, log, log1p, sqrt

import orjson

from unrot.core.errors import BadArtefact, shown
from unrot.core.records import Schema

MOST_KEPT = 1_000
"""Of more scores so many are kept, each rather too large than too small."""
STEP = 0.02
"""By so much of each surprise the share that may be missed moves."""
MOST_EXACT, Z = 200, 1.96
"""With more rows that may be missed the normal distribution says the same."""
ROUNDING = 1e-6
"""Graphs answer in single precision."""


@dataclass(frozen=True, slots=True)
class Conformal:
    """How strange the truth was to a version on its holdout, in order of size."""

    rows: int
    scores: tuple[float, ...]

    def bound(self, miss: float) -> float:
        """Return how strange an answer may be, where such a share of truths may be missed."""
        count, miss = len(self.scores), min(max(miss, 0.0), 1.0)
        rank = ceil((count + 1) * (1.0 - miss) - 1e-9)
        if rank > count:
            return inf
        return self.scores[rank - 1] if rank > 0 else -inf

    def is_nothing(self, miss: float) -> bool:
        """Tell whether so much may be missed that nothing is told, not even the answer itself."""
        return self.bound(miss) == -inf

    def missing_ranks(self, coverage: float) -> tuple[int, int]:
        """Return l and n + 1 - l: how often sets of fresh rows miss varies as Beta of them.

        So it does over all holdouts of as many rows; l / (n + 1) is the mean.
        """
        rank = min(ceil((self.rows + 1) * coverage - 1e-9), self.rows + 1)
        return self.rows + 1 - rank, rank

    def can_say(self, coverage: float) -> bool:
        """Tell whether there are rows enough for a coverage."""
        return self.bound(1.0 - coverage) < inf

    def classes(self, shares: Sequence[float], miss: float) -> list[int]:
        """Return the classes that may be, the likeliest first."""
        bound = self.bound(miss) + ROUNDING
        order = sorted(range(len(shares)), key=lambda place: -shares[place])
        return [place for place in order if 1.0 - shares[place] <= bound]

    def interval(self, value: float, miss: float) -> tuple[float, float]:
        """Return between which numbers the true one is."""
        reach = max(self.bound(miss), 0.0)
        return value - reach, value + reach


def sets_of(schema: Schema) -> str:
    """Name what tells how sure answers are: sets of classes, or intervals of numbers."""
    return "sets" if schema.is_classifier else "intervals"


@lru_cache(maxsize=64)
def coverage_range(rows: int, coverage: float) -> tuple[float, float]:
    """Return between which shares sets of a holdout of so many rows truly hold, of 95 in 100.

    Over all holdouts that share is Beta(n + 1 - l, l), l = ⌊(n + 1)(1 - coverage)⌋: at most x as
    often as of n throws with a chance of 1 - x fewer than l come up (Vovk 2013).

    >>> [round(end, 3) for end in coverage_range(30, 0.9)]
    [0.779, 0.979]
    """
    few, rest = Conformal(rows, ()).missing_ranks(coverage)
    if few < 1:
        return coverage, 1.0
    if few > MOST_EXACT:
        mean, spread = rest / (rows + 1), sqrt(few * rest / (rows + 2)) / (rows + 1)
        return mean - Z * spread, mean + Z * spread
    return _quantile(rows, few, 0.025), _quantile(rows, few, 0.975)


def _quantile(rows: int, few: int, chance: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _fewer(rows, few, 1.0 - middle) < chance else (low, middle)
    return low


def _fewer(rows: int, few: int, chance: float) -> float:
    """Return how likely fewer come up in so many throws."""
    logs = (
        lgamma(rows + 1) - lgamma(hits + 1) - lgamma(rows - hits + 1)
        + hits * log(chance) + (rows - hits) * log1p(-chance)
        for hits in range(few)
    )  # fmt: skip
    return sum(map(exp, logs))


def adapt(miss: float, *, coverage: float, missed: bool) -> float:
    """Return the share that may be missed after one more truth is known.

    It leaves 0 to 1 by a step at most, and is not cut there, or it would forget what was missed:
    below 0 all is told and nothing missed, above 1 nothing is told and all missed, and so it
    comes back.
    """
    return miss + STEP * (1.0 - coverage - missed)


def keep_scores(scores: Sequence[float]) -> tuple[float, ...]:
    """Return the scores in order; of many enough of them, whose bounds are never too small."""
    ordered = sorted(scores)
    rows = len(ordered)
    if rows <= MOST_KEPT:
        return tuple(ordered)
    ranks = (ceil(place * (rows + 1) / (MOST_KEPT + 1)) for place in range(1, MOST_KEPT + 1))
    return tuple(ordered[min(rank, rows) - 1] for rank in ranks)


def unpack(data: bytes) -> Conformal | None:
    """Read what a version's calibration tells of it; None of one that was made without.

    BadArtefact for what is no calibration.
    """
    try:
        read = orjson.loads(data)
        scores = [float(score) for score in read.get("scores", ())]
        return Conformal(int(read["rows"]), tuple(scores)) if scores else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadArtefact(f"The calibration does not load: {shown(str(error), 200)}.") from error
