"""How far two distributions lie apart, and how likely that is where nothing moved.

The Hellinger distance of shares p and q on the same bins, 0 (the same) to 1 (nothing in common):

    H = √( ½ · Σ (√pᵢ − √qᵢ)² )

    >>> round(hellinger([50, 50], [90, 10]), 4)
    0.3249

The Kolmogorov-Smirnov statistic is the largest gap between two cumulative shares. It sees a shift
of the whole and hardly a change at the ends, so two tests stand beside it: chi-square on the bins,
and how many values lie outside the range of the other side.

Hellinger, Journal für die reine und angewandte Mathematik 136 (1909) 210-271; Stephens, JRSS B 32
(1970) 115-122 for the chance of KS; Rosenbaum, Annals of Mathematical Statistics 25 (1954) 146-150
for values outside; Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from unrot.watch.profiles.columns import Numbers
from unrot.watch.statistics.chances import chance_of_more

LEAST_EXPECTED = 5.0
"""So many rows a cell of a chi-square test should expect; smaller ones are put together."""

FEW, MOST_COUNTED = 20.0, 80
"""Below this mean Poisson's counts are summed up one by one, up to that many."""


def hellinger(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the distance of two sets of counts on the same bins; 0 where a side is empty."""
    p, q = np.asarray(first, float), np.asarray(second, float)
    if not p.sum() or not q.sum():
        return 0.0
    return float(np.sqrt(0.5 * np.square(np.sqrt(p / p.sum()) - np.sqrt(q / q.sum())).sum()))


def hellinger_by_chance(
    first: Sequence[float], second: Sequence[float], rows: float, others: float
) -> float:
    """Return how far two samples of one population lie apart: the root of the mean of H².

    Of many cells it is far: a hundred rows of four hundred choices are unlike the next hundred.
    Counts are taken for those of Poisson, less one of the cells because their sum is known, and
    the population for that of both.

    >>> round(hellinger_by_chance([50, 50], [50, 50], 100, 100), 3)
    0.05
    >>> round(hellinger_by_chance([1] * 400, [1] * 400, 400, 400), 2)
    0.63
    """
    p, q = np.asarray(first, float), np.asarray(second, float)
    if not p.sum() or not q.sum() or not rows or not others:
        return 0.0
    shares = (rows * p / p.sum() + others * q / q.sum()) / (rows + others)
    now, before = _mean_root(rows * shares), _mean_root(others * shares)
    apart = 1.0 - float((now * before).sum()) / math.sqrt(rows * others)
    cells = int((shares > 0).sum())
    return math.sqrt(max(0.0, apart * (cells - 1) / cells))


def _mean_root(means: Numbers) -> Numbers:
    """Return the mean of √X of Poisson counts X with some means."""
    counts = np.arange(MOST_COUNTED)
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(counts[1:]))])
    few = np.clip(means, 1e-12, FEW)[:, None]
    of_few = (np.exp(counts * np.log(few) - few - log_factorials) * np.sqrt(counts)).sum(axis=1)
    many = np.maximum(means, FEW)
    of_many = np.sqrt(many) * (1 - 1 / (8 * many) - 7 / (128 * many**2))
    return np.where(means < FEW, of_few, of_many)


# ── Kolmogorov and Smirnov ───────────────────────────────────────────────────────────────────


def ks(values: Numbers, others: Numbers) -> float:
    """Return the largest gap between the cumulative shares of two samples.

    >>> ks(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0]))
    0.5
    """
    if not len(values) or not len(others):
        return 0.0
    grid = np.concatenate([values, others])
    return float(
        np.abs(_share_below(np.sort(values), grid) - _share_below(np.sort(others), grid)).max()
    )


def ks_from_points(values: Numbers, points: Numbers) -> float:
    """Return `ks` where of the other sample only evenly spaced quantiles are kept.

    Between two of n + 1 quantiles lies 1/n of the sample: with 1,001 it is right to 0.0005.
    """
    if not len(values) or not len(points):
        return 0.0
    grid, steps = np.concatenate([values, points]), len(points) - 1
    passed = np.searchsorted(points, grid, side="right")
    share = np.clip((passed - 0.5) / max(steps, 1), 0.0, 1.0)
    share[passed == 0], share[passed == len(points)] = 0.0, 1.0
    return float(np.abs(_share_below(np.sort(values), grid) - share).max())


def ks_from_bins(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the largest gap at the edges of common bins: never more than `ks` of the rows."""
    p, q = np.asarray(first, float), np.asarray(second, float)
    if not p.sum() or not q.sum():
        return 0.0
    return float(np.abs(np.cumsum(p) / p.sum() - np.cumsum(q) / q.sum()).max())


def ks_chance(statistic: float, rows: float, others: float) -> float:
    """Return how likely a gap so large is where both samples are of one population.

    >>> round(ks_chance(0.2, 100, 100), 3)
    0.031
    """
    if not rows or not others:
        return 1.0
    root = math.sqrt(rows * others / (rows + others))
    reach = (root + 0.12 + 0.11 / root) * statistic
    if reach < 0.3:
        return 1.0
    terms = ((-1.0) ** (step - 1) * math.exp(-2.0 * (step * reach) ** 2) for step in range(1, 101))
    return min(1.0, max(0.0, 2.0 * sum(terms)))


def _share_below(ordered: Numbers, grid: Numbers) -> Numbers:
    return np.searchsorted(ordered, grid, side="right") / len(ordered)


# ── chi-square ───────────────────────────────────────────────────────────────────────────────


def chi_square(
    first: Sequence[float], second: Sequence[float], *, is_ordered: bool
) -> tuple[float, float]:
    """Return the chi-square statistic of two sets of counts, and how likely one so large is.

    Cells that expect too few rows are put together: neighbours where bins have an order, else
    the rare ones, with the last cell.
    """
    cells = _pooled(np.array([first, second], float), is_ordered=is_ordered)
    rows, columns = cells.sum(axis=1), cells.sum(axis=0)
    if len(columns) < 2 or not rows.all():
        return 0.0, 1.0
    expected = np.outer(rows, columns) / rows.sum()
    statistic = float((np.square(cells - expected) / expected).sum())
    return statistic, chi_square_chance(statistic, len(columns) - 1)


def chi_square_chance(statistic: float, freedom: int) -> float:
    """Return how likely chi-square with so many degrees of freedom is at least so large.

    >>> round(chi_square_chance(3.841, 1), 3), round(chi_square_chance(18.307, 10), 3)
    (0.05, 0.05)
    """
    half = statistic / 2
    if half <= 0:
        return 1.0
    is_odd = freedom % 2
    powers = [index + is_odd / 2 for index in range(freedom // 2)]
    tail = sum(
        math.exp(-half + (power) * math.log(half) - math.lgamma(power + 1)) for power in powers
    )
    return min(1.0, tail + (math.erfc(math.sqrt(half)) if is_odd else 0.0))


def _pooled(cells: Numbers, *, is_ordered: bool) -> Numbers:
    """Put cells together until each expects enough rows on the smaller side.

    The last cell of choices is all that the reference does not have. It goes with the rare ones:
    of a long list of rare choices every sample holds others.
    """
    least = LEAST_EXPECTED * cells.sum() / max(cells.sum(axis=1).min(), 1.0)
    if not is_ordered:
        is_common = cells.sum(axis=0) >= least
        is_common[-1] = False
        common = cells[:, is_common]
        common = common[:, np.argsort(-common.sum(axis=0), kind="stable")]
        cells = np.column_stack([common, cells[:, ~is_common].sum(axis=1)])
    kept: list[Numbers] = []
    waiting = np.zeros(2)
    for cell in cells.T:
        waiting = waiting + cell
        if waiting.sum() >= least:
            kept.append(waiting)
            waiting = np.zeros(2)
    if kept:
        kept[-1] = kept[-1] + waiting
    return np.array(kept).T if kept else cells[:, :0]


# ── values outside ───────────────────────────────────────────────────────────────────────────


def outside_chance(outside: int, rows: int, outside_before: int, rows_before: int) -> float:
    """Return how likely so different a share outside a range is where nothing moved.

    Where one side has none outside, the range may be that of its own m rows. Then the k outermost
    of all values are of the other n rows, i at one end and k − i at the other: for each way that
    has the chance p(k) = C(n, k) / C(n + m, k), and for any of them at most
    p(k) · (1 + k · m / (n + m − k)). Otherwise it is Fisher's exact test, two-sided.

    >>> round(outside_chance(10, 100, 0, 100), 4), outside_chance(0, 100, 0, 100)
    (0.0048, 1.0)
    """
    if outside * rows_before < outside_before * rows:
        outside, rows, outside_before, rows_before = outside_before, rows_before, outside, rows
    if outside * rows_before == outside_before * rows:
        return 1.0
    ways = 2.0 if outside_before else 1.0 + outside * rows_before / (rows + rows_before - outside)
    return min(1.0, ways * chance_of_more(outside, rows, outside_before, rows_before))


def holm(chances: Mapping[str, float]) -> dict[str, float]:
    """Correct chances that were looked at together, so that one false alarm stays so unlikely.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    corrected: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(chances, key=lambda one: chances[one])):
        largest = max(largest, min(1.0, (len(chances) - place) * chances[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in chances}
