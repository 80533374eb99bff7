"""What is usual at these hours: how often a model was wrong at the same kind of hour before.

Nights are harder than days, and some weekends are. So verdicts are held against earlier ones of
their own hour of the day, working days apart from weekends (`core/time.stratum`), as many of each
hour as there are now:

    expected  = Σ wₕ · eₕ        wₕ the share of hour h now
    eₕ        = p + gₕ (pₕ - p)   gₕ = nₕ / (nₕ + v / σ²)

where p is the share of all working days, or of all weekends, drawn towards that of all verdicts in
the same way, and beside it how far this hour of the day lies from the others on both, again drawn
towards nothing. So an hour of a first weekend is expected to be to that weekend what it is to a
working day. Where hours do not differ beyond chance (σ² = 0) all of them are pooled and nothing
of their power is lost; the more they differ, the more each speaks for itself. σ² is that of
DerSimonian and Laird.
What the test set promised stands beside them as one more kind of day.

DerSimonian, Laird, Controlled Clinical Trials 7 (1986) 177-188; Efron, Morris, Journal of the
American Statistical Association 70 (1975) 311-319.

    >>> rows, wrong = np.zeros((1, KINDS)), np.zeros((1, KINDS))
    >>> rows[0, :2], wrong[0, :2] = 400, (40, 100)              # 10 % by day, 25 % by night
    >>> night = np.zeros((1, KINDS))
    >>> night[0, 1] = 50
    >>> found = usual(rows, wrong, night)
    >>> round(float(found.share[0]), 2), round(float(found.rows[0]))
    (0.25, 533)
    >>> rows[0, :40] = 400                                     # and all of a weekend but a night
    >>> wrong[0, :40] = [60] * 16 + [100] * 8 + [80] * 16
    >>> usual(rows, wrong, np.roll(night, 40)).share.round(2)
    array([0.27])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.time import STRATA

Numbers = NDArray[Any]

KINDS = STRATA + 1
"""The hours of working days and of weekends, and the test set."""
PROMISE = STRATA
GROUPS = (np.arange(KINDS)[:, None] // 24 == np.arange(3)) * 1.0
"""Which kinds are of working days, of weekends, and of the test set."""
HOURS = (np.arange(STRATA + 1)[:, None] % 24 == np.arange(24)) * 1.0
HOURS[PROMISE] = 0.0
"""Which kinds are of which hour of the day; the test set is of none."""
PASSES = 2
"""Kinds of day are freed so often of the hours that they have more of, and these of them."""
RANKS = 1 / 12
"""The variance of ranks that are spread evenly between 0 and 1."""
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Usual:
    """What is to be expected of some verdicts, one entry for each place that is looked at."""

    share: Numbers
    """How many of them would be wrong."""
    rows: Numbers
    """As well known as by so many verdicts of before."""
    each: Numbers
    """What is expected at each kind of hour."""


def usual(
    rows: Numbers, wrong: Numbers, now: Numbers, *, ranks: bool = False, worth: float = 1.0
) -> Usual:
    """Return what is usual, from verdicts by kind of hour before, at the hours of now.

    Each is a table with a line for each place that is looked at. A verdict counts as 1 / `worth`.
    """
    every = np.maximum(rows.sum(axis=1), _LEAST)
    middle = wrong.sum(axis=1) / every
    spread = variance(middle, ranks=ranks) * worth
    whole = np.repeat(middle[:, None], GROUPS.shape[1], axis=1)
    hours = np.zeros((len(rows), 24))
    for _ in range(PASSES):
        left = wrong - rows * (hours @ HOURS.T)
        days, trust_days, apart_days = _shrunk(rows @ GROUPS, left @ GROUPS, whole, spread)
        kinds = days @ GROUPS.T
        hours, trust_hours, apart_hours = _of_hours(rows, wrong, kinds, spread)
    each, trust, apart = _shrunk(rows, wrong, kinds + hours @ HOURS.T, spread)
    weight = now / np.maximum(now.sum(axis=1), _LEAST)[:, None]
    share = (weight * each).sum(axis=1)
    rest = weight * (1 - trust)
    doubt = (rest * weight).sum(axis=1) * apart
    doubt += ((rest @ HOURS) ** 2 * (1 - trust_hours)).sum(axis=1) * apart_hours
    rest = (rest * (1 - trust_hours @ HOURS.T)) @ GROUPS
    doubt += (rest**2 * (1 - trust_days)).sum(axis=1) * apart_days
    doubt += (rest * (1 - trust_days)).sum(axis=1) ** 2 * spread / every
    known = variance(share, ranks=ranks) * worth / np.maximum(doubt, _LEAST)
    return Usual(share, np.minimum(known, every), each)


def _of_hours(
    rows: Numbers, wrong: Numbers, kinds: Numbers, spread: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Return how far each hour of the day lies from what its kinds of day make expect."""
    count = rows @ HOURS
    expected = (rows * kinds) @ HOURS / np.maximum(count, _LEAST)
    drawn, trust, apart = _shrunk(count, wrong @ HOURS, expected, spread)
    return drawn - expected, trust, apart


def _shrunk(
    rows: Numbers, wrong: Numbers, middle: Numbers, spread: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    """Draw the shares of parts towards the middle of their whole, as far as chance explains them.

    Beside them come how far each is trusted, and the variance between them.
    """
    each = wrong / np.maximum(rows, _LEAST)
    apart = _between(rows, each, middle, spread)
    own = rows * apart[:, None]
    trust = own / np.maximum(own + spread[:, None], _LEAST)
    return middle + trust * (each - middle), trust, apart


def variance(share: Numbers, *, ranks: bool) -> Numbers:
    """Return how far single verdicts lie about their share; never nothing."""
    return np.full_like(share, RANKS) if ranks else np.maximum(share * (1 - share), 1e-3)


def _between(rows: Numbers, each: Numbers, middle: Numbers, spread: Numbers) -> Numbers:
    """Return the variance between hours beyond what chance makes."""
    precision = rows / spread[:, None]
    total = np.maximum(precision.sum(axis=1), _LEAST)
    excess = (precision * (each - middle) ** 2).sum(axis=1)
    excess -= np.maximum((rows > 0).sum(axis=1) - 1, 0)
    scale = total - (precision**2).sum(axis=1) / total
    between: Numbers = np.where(scale > _LEAST, excess / np.maximum(scale, _LEAST), 0.0)
    return np.maximum(between, 0.0)
