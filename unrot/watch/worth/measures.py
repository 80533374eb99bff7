"""How many independent rows some rows are worth: repeats and runs of like rows count for less.

A test that takes each of n rows for independent cries wolf where they are not: a batch job sends
every row twenty times, errors come in bursts, a sensor changes slowly. Such n rows say as much as

    n / τ        τ = 1 + 2 · Σ r(k)      the autocorrelation time, of rows in their order
    n / m        m = Σ mᵢ² / Σ mᵢ        the mean multiplicity, of rows that come mᵢ times

independent ones. The sum runs over the lags as long as two neighbouring correlations together are
more than chance makes them; what is never negative is never cut off too early by that.

Kish, Survey Sampling (1965) §8.2; Geyer, Statistical Science 7 (1992) 473-483.

    >>> import numpy as np
    >>> row = np.arange(40) % 7
    >>> autocorrelation_time(np.repeat(row, 20)) > 10, autocorrelation_time(np.ones(50))
    (True, 1.0)
    >>> multiplicity([("a", 1)] * 5 + [("b", 1)] * 5), multiplicity(["a", "b", "c"])
    (5.0, 1.0)

A table of few choices repeats its rows by nature. Where two of its rows are alike with the chance
c, n rows come 1 + (n − 1) · c times on average, and only what is beyond that is a repeat:

    >>> round(repeats([i % 5 for i in range(100)], alike=0.2), 2)
    1.0
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

BEYOND_CHANCE = 2.0
"""So many standard errors two correlations together must reach to be counted."""


def autocorrelation_time(values: Sequence[float] | NDArray[Any]) -> float:
    """Return τ of values in their order: 1 where they are independent, or all the same."""
    told = np.asarray(values, dtype=np.float64)
    told = told[np.isfinite(told)]
    rows = len(told)
    if rows < 4:
        return 1.0
    centred = told - told.mean()
    spread = float(centred @ centred)
    if spread <= 1e-12 * max(1.0, float(told @ told)):
        return 1.0
    size = 1 << (2 * rows - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    lags = np.fft.irfft(power, size)[: rows // 2 + 1] / spread
    pairs = lags[1 : len(lags) - (len(lags) - 1) % 2].reshape(-1, 2).sum(axis=1)
    least = BEYOND_CHANCE * np.sqrt(2 / rows)
    too_small = np.flatnonzero(pairs <= least)
    end = int(too_small[0]) if len(too_small) else len(pairs)
    return float(min(max(1.0, 1.0 + 2.0 * pairs[:end].sum()), rows))


def ranks(values: NDArray[Any]) -> NDArray[Any]:
    """Return the place of each value among all, the mean of them for like ones.

    A few values that are far out would else decide how long all stay alike.

    >>> ranks(np.array([3.0, 9_000.0, 1.0, 3.0])).tolist()
    [1.5, 3.0, 0.0, 1.5]
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    found: NDArray[Any] = (np.cumsum(counts) - (counts + 1) / 2)[places]
    return found


def steadied(values: Sequence[float] | NDArray[Any]) -> NDArray[Any]:
    """Return values less their means before and after the moment that parts them best.

    One lasting change would else look like one long run of like rows.

    >>> steadied([1.0, 1.0, 1.0, 0.0, 0.0]).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    told = np.asarray(values, dtype=np.float64)
    rows = len(told)
    if rows < 2:
        return told
    before, sums = np.arange(1, rows), np.cumsum(told)[:-1]
    explained = sums**2 / before + (told.sum() - sums) ** 2 / (rows - before)
    place = int(np.argmax(explained)) + 1
    return np.concatenate([told[:place] - told[:place].mean(), told[place:] - told[place:].mean()])


def repeats_in_turn(rows: Sequence[Hashable]) -> float:
    """Return how often in a row the same one comes, beyond what few kinds of rows make likely.

    With the share a of neighbours that are alike and the share c that are by chance, it comes
    1 / (1 - e) times, e = (a - c) / (1 - c).

    >>> repeats_in_turn([1, 1, 1, 1, 2, 2, 2, 2]) > 2, repeats_in_turn([1, 2, 1, 2, 2, 1])
    (True, 1.0)
    """
    count, times = len(rows), Counter(rows)
    if count < 2 or len(times) == 1:
        return float(max(count, 1))
    alike = sum(one == other for one, other in pairwise(rows)) / (count - 1)
    by_chance = sum(many * (many - 1) for many in times.values()) / (count * (count - 1))
    excess = max(0.0, (alike - by_chance) / (1 - by_chance))
    return min(1 / (1 - excess), float(count)) if excess < 1 else float(count)


def persistence_time(values: Sequence[float] | NDArray[Any]) -> float:
    """Return how large τ may be where each value takes its share of the last: (1 + φ) / (1 − φ).

    A few rows of a slow process hardly show how slow it is, because its mean has to be taken from
    them as well: the first correlation comes out too small by (1 + 3φ) / n. That is added (Marriott
    and Pope, Biometrika 41 (1954) 390-402), and two standard errors of √((1 − φ²) / n). 1 where the
    correlation is no more than chance.

    >>> rng, slow = np.random.default_rng(1), np.zeros(140)
    >>> for i in range(1, 140):
    ...     slow[i] = 0.99 * slow[i - 1] + rng.normal()
    >>> round(autocorrelation_time(slow)), round(persistence_time(slow)), len(slow)
    (36, 140, 140)
    """
    told = np.asarray(values, dtype=np.float64)
    rows = len(told)
    centred = told - told.mean() if rows else told
    spread = float(centred @ centred)
    if rows < 4 or spread <= 1e-12 * max(1.0, float(told @ told)):
        return 1.0
    first = float(centred[1:] @ centred[:-1]) / spread
    if first <= BEYOND_CHANCE / np.sqrt(rows):
        return 1.0
    share = min(first + (1 + 3 * first) / rows, 1.0)
    share += BEYOND_CHANCE * np.sqrt((1 - share**2) / rows)
    return float(rows) if share >= 1 else float(min((1 + share) / (1 - share), rows))


def multiplicity(rows: Iterable[Hashable]) -> float:
    """Return how often a row comes on average, seen from the rows: 1 where each is unique."""
    times = np.array(list(Counter(rows).values()), dtype=np.float64)
    return float(np.square(times).sum() / times.sum()) if len(times) else 1.0


def repeats(rows: Iterable[Hashable], *, alike: float = 0.0) -> float:
    """Return how often a row comes beyond what is natural where two are `alike` by chance."""
    told = list(rows)
    natural = 1.0 + max(0, len(told) - 1) * alike
    return max(1.0, multiplicity(told) / natural)
