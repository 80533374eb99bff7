"""Whether traffic can be a part of what training was drawn from: a night, a weekend, an hour.

Training is a mixture of all hours of the week, so a night that is unlike it is no news. But a part
with the weight f of a mixture is held by it: of every set A of values

    p_training(A) ≥ f · p_now(A)

Rows of an hour have f = 1/168, those of a day 1/7, those of a week 1: then it is the plain
comparison. Where it was otherwise, x of n rows now and y of m rows of training in A would be

    P(so many of the x + y now) ≤ exp(−(x + y) · KL(x / (x + y) ‖ q))        q = n / (n + f · m)

at most, by the conditional binomial test of two rates and Chernoff's bound on its tail; times the
sets that were looked at: all that lies below an edge, all above it, each bin by itself.

Przyborowski and Wilenski, Biometrika 31 (1940) 313-323; Hoeffding, JASA 58 (1963) 13-30.

    >>> half, all_new = [50, 50, 0], [0, 0, 100]
    >>> part_chance(half, half, share=1 / 7), part_chance(all_new, half, share=1 / 7) < 1e-4
    (1.0, True)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrot.watch.profiles.columns import Numbers


def part_chance(
    now: Sequence[float], before: Sequence[float], share: float, *, is_ordered: bool = True
) -> float:
    """Return how likely counts are at most where they are of a part of what was before."""
    first, second = np.asarray(now, float), np.asarray(before, float)
    rows, rows_before = float(first.sum()), float(second.sum())
    if not rows or not rows_before:
        return 1.0
    if is_ordered:
        first, second = _sets(first), _sets(second)
    chances = rate_chances(first, rows, second, rows_before, share)
    return float(min(1.0, len(chances) * chances.min()))


def rate_chances(
    found: Numbers, rows: float, found_before: Numbers, rows_before: float, share: float
) -> Numbers:
    """Bound the chance of so many rows in a set where before has `share` of its rate at least.

    >>> rate_chances(np.array([30.0]), 150, np.array([0.0]), 120, 1.0) < 1e-7
    array([ True])
    """
    together = found + found_before
    expected = rows / (rows + share * rows_before)
    reached = np.divide(found, together, out=np.zeros_like(together), where=together > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.where(reached > 0, reached * np.log(reached / expected), 0.0)
        below = np.where(reached < 1, (1 - reached) * np.log((1 - reached) / (1 - expected)), 0.0)
    bound: Numbers = np.exp(-together * (above + below))
    return np.where(reached > expected, bound, 1.0)


def _sets(counts: Numbers) -> Numbers:
    """Return the counts of each bin, of all up to it and of all from it on."""
    up_to = np.cumsum(counts)
    return np.concatenate([counts, up_to[:-1], up_to[-1] - up_to[:-1]])
