"""A change detector on the stream of verdicts: is a model right less often than it was?

The generalised likelihood ratio of a stream of rights and wrongs holds every moment s at which it
may have changed against the case that nothing did:

    max over s of   s · kl(before, all) + (n - s) · kl(after, all)

with the shares of rights before s, after s and in all, and the divergence kl of two coins. Only
falls count. Beyond ln(3 n √n / δ) there was a change; the chance that a steady stream is ever
taken for one is at most δ, and far less in practice (bench/rot.py: none in 200 streams of 2,000
verdicts).

Errors of numbers have tails that nobody knows, so their ranks are looked at: spread evenly between
0 and 1 they are as a normal distribution with the variance 1/12 to such bounds, and the ratio is
6 · s (n - s) / n · (before - after)².

Besson, Kaufmann, Maillard, Seznec, Journal of Machine Learning Research 23 (2022) 77: 1-40;
Maillard, Proceedings of Machine Learning Research 98 (2019) 610-632, for the ranks.

    >>> steady = [1.0] * 9 + [0.0]
    >>> find_fall(steady * 30) is None
    True
    >>> fall = find_fall(steady * 30 + [1.0, 0.0] * 20)
    >>> fall.place, round(fall.statistic, 1), round(fall.threshold, 1)
    (299, 18.4, 12.8)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]

DOUBT = 0.05
"""δ: how likely a steady stream may ever be taken for a fall, by the bound."""
FEWEST_AFTER = 5
"""Verdicts after a change below which it is not believed, whatever the ratio."""
FEWEST_FROM_START = 30
"""Verdicts below which a model is not held against its holdout."""
MANY_SIGMAS = 5.0
"""So far must errors of numbers lie above those on the holdout: they have heavy tails."""


@dataclass(frozen=True, slots=True)
class Fall:
    """Where a stream of verdicts fell, and how surely."""

    place: int
    """The first verdict after the change."""
    statistic: float
    threshold: float


def find_fall(rights: Sequence[float] | Numbers) -> Fall | None:
    """Look for the moment from which on fewer verdicts are right (1) and more are wrong (0)."""
    return _largest(np.asarray(rights, dtype=np.float64), _ratios_of_coins)


def find_rise(errors: Sequence[float] | Numbers) -> Fall | None:
    """Look for the moment from which on absolute errors are larger."""
    return _largest(np.asarray(as_ranks(errors), dtype=np.float64), _ratios_of_ranks)


def _largest(told: Numbers, ratios_of: Callable[..., Numbers]) -> Fall | None:
    rows = len(told)
    if rows <= FEWEST_AFTER:
        return None
    before = np.arange(1, rows - FEWEST_AFTER + 1)
    sums, whole = np.cumsum(told)[: len(before)], float(told.sum())
    first, second = sums / before, (whole - sums) / (rows - before)
    ratios: Numbers = ratios_of(before, rows - before, first, second, whole / rows)
    ratios = np.where(second < first, ratios, 0.0)
    place = int(np.argmax(ratios))
    return _fall(place + 1, float(ratios[place]), threshold(rows))


def _ratios_of_coins(
    before: Numbers, after: Numbers, first: Numbers, second: Numbers, whole: float
) -> Numbers:
    found: Numbers = before * _kl(first, whole) + after * _kl(second, whole)
    return found


def _ratios_of_ranks(
    before: Numbers, after: Numbers, first: Numbers, second: Numbers, whole: float
) -> Numbers:
    del whole
    found: Numbers = 6 * before * after / (before + after) * (first - second) ** 2
    return found


def is_below(right: int, count: int, holdout_share: float, holdout_rows: float) -> Fall | None:
    """Tell whether verdicts are right less often than the holdout: rotten from the start.

    It is the same ratio, with the holdout before the only moment at which it may have changed.

    >>> is_below(27, 40, 0.9, 4_000) is None, is_below(18, 40, 0.9, 4_000) is None
    (True, False)
    """
    if count < FEWEST_FROM_START or right >= holdout_share * count:
        return None
    whole = (right + holdout_share * holdout_rows) / (count + holdout_rows)
    shares = np.array([holdout_share, right / count])
    ratio = float(np.array([holdout_rows, count]) @ _kl(shares, whole))
    return _fall(0, ratio, threshold(count))


def is_above(errors: Sequence[float], holdout_mae: float, holdout_rmse: float) -> Fall | None:
    """Tell whether numbers are farther off than on the holdout: rotten from the start."""
    count, spread = len(errors), max(holdout_rmse**2 - holdout_mae**2, 0.0)
    if count < FEWEST_FROM_START:
        return None
    noise = sqrt((max(spread, float(np.var(errors))) or 1e-12) / count)
    return _fall(0, (float(np.mean(errors)) - holdout_mae) / noise, MANY_SIGMAS)


def threshold(rows: int) -> float:
    """Return what the ratio of so many verdicts has to reach."""
    return log(3 * rows * sqrt(rows) / DOUBT)


def as_ranks(errors: Sequence[float] | Numbers) -> list[float]:
    """Return absolute errors by rank, 1 for the smallest and 0 for the largest, ties alike.

    >>> as_ranks([0.5, 0.1, 0.5, 9.0])
    [0.5, 1.0, 0.5, 0.0]
    """
    told = np.asarray(errors, dtype=np.float64)
    order = np.sort(told)
    below = np.searchsorted(order, told, side="left")
    upto = np.searchsorted(order, told, side="right") - 1
    ranks: list[float] = (1.0 - (below + upto) / 2 / max(len(told) - 1, 1)).tolist()
    return ranks


def needed_to_be_back(after: float, fall: float, last: int) -> int:
    """Return how many of the last verdicts must be good again, so that chance alone is not enough.

    A model that still is as bad passes a quarter below the old accuracy in one of a hundred looks
    at most; a small fall needs more verdicts for that than a deep one.
    """
    spread = sqrt(max(after * (1 - after), 0.01))
    return max(last, int((2.33 * spread / (0.75 * fall)) ** 2) + 1 if fall > 0 else last)


def _fall(place: int, ratio: float, needed: float) -> Fall | None:
    return Fall(place, ratio, needed) if ratio >= needed else None


def _kl(shares: Numbers, whole: float) -> Numbers:
    """Return the divergence of coins from one coin; 0 · ln 0 is 0."""
    whole = min(max(whole, 1e-12), 1 - 1e-12)
    shares = np.clip(shares, 1e-12, 1 - 1e-12)
    found: Numbers = shares * np.log(shares / whole) + (1 - shares) * np.log(
        (1 - shares) / (1 - whole)
    )
    return found
