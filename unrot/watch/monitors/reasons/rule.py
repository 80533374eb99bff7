"""Whether two features have changed places among the reasons of a model's answers.

Of each row is known how far each feature moves its answer, whichever way (`explain/importance.py`).
A feature a was before b in training, and b is before a now, where both are surely so: the mean of
their difference d = |φ_a| - |φ_b| over n rows lies so far from nothing, on either side,

    d̄ / (s / √n')  ≥  z,        n' = n / how many rows are worth one

z being the normal quantile of the chance that the look may err, parted among all pairs. Only
features are held beside each other that have as much as the rules say (a tenth) of all that moves
answers, in training or now, and b has to lead by a quarter: what hardly counts may go where it
likes.

    >>> rng = np.random.default_rng(0)
    >>> before, now = rng.random((40, 2)) + [1.0, 0.0], rng.random((90, 2)) + [0.0, 1.0]
    >>> [(one.down, one.up) for one in changed_places(before, now, chance=0.01)]
    [(0, 1)]
    >>> changed_places(before, before, chance=0.01)
    []
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from math import sqrt
from statistics import NormalDist

import numpy as np

from unrot.explain.importance import Amounts, shares_of

LEAD = 1.25
FEWEST = 30
"""Independent rows: of fewer a mean is not normal."""


@dataclass(frozen=True, slots=True)
class Change:
    """One feature was before another in training, and is behind it now."""

    down: int
    up: int
    surely: float
    """By how many standard errors the one that is surer of less."""


def changed_places(
    before: Amounts,
    now: Amounts,
    *,
    chance: float,
    least_share: float = 0.1,
    worth: float = 1.0,
) -> list[Change]:
    """Return the pairs that have surely changed places, the surest first.

    `chance` is how likely this look may err, `worth` how many rows of now are worth one.
    """
    if min(len(before), len(now) / worth) < FEWEST:
        return []
    was, has = shares_of(before), shares_of(now)
    places = np.flatnonzero(np.maximum(was, has) >= least_share).tolist()
    pairs = len(places) * (len(places) - 1) / 2
    if not pairs:
        return []
    least = NormalDist().inv_cdf(1 - chance / pairs)
    found = list(_changes(before, now, was, has, places, least, worth))
    return sorted(found, key=lambda one: -one.surely)


def _changes(
    before: Amounts,
    now: Amounts,
    was: Amounts,
    has: Amounts,
    places: list[int],
    least: float,
    worth: float,
) -> Iterator[Change]:
    for down, up in permutations(places, 2):
        if was[down] <= was[up] or has[up] < LEAD * has[down]:
            continue
        surely = min(
            _standard_errors(before[:, down] - before[:, up], 1.0),
            _standard_errors(now[:, up] - now[:, down], worth),
        )
        if surely >= least:
            yield Change(down, up, surely)


def _standard_errors(differences: Amounts, worth: float) -> float:
    """Return how many standard errors the mean lies above nothing."""
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if not spread:
        return np.inf if mean > 0 else 0.0
    return mean / spread * sqrt(len(differences) / worth)
