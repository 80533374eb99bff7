"""Bounds that hold at any time: rows may be added and weighed again as often as anybody likes.

An exact test at 95 % is wrong once in twenty looks; over a hundred looks at growing rows it lets a
candidate pass that is worse by the whole tolerance one time in four. So wherever rows grow, money
is bet against "the gain is at most m". A row is won, tied or lost, d = 1, 0 or −1; a share c of the
money is staked, and after n rows it has become

    W(m) = mean over c of Π (1 − c + c·(1 + d) / (1 + m))

which under that hypothesis is expected to stay below 1, so that it ever reaches 1/doubt with a
chance of at most `doubt` (Ville 1939), however often it is looked at. The largest m that is so
excluded is the bound. It needs counts alone: in which order the rows came does not matter, only
that which of them are there was not chosen by their outcome.

Ten stakes from .1 to .99 share the money. Simulated, looking after every 15 rows up to 1,500: of
1,000 candidates worse by the whole tolerance 1.5 to 2 % ever pass at a doubt of 4.5 %. One that is
2 points better passes after 1.2 to 1.6 times the rows with which the exact test, weighed once,
passes it four times in five, and four times in five after at most 1.9 times as many (the two differ
on 2 to 40 % of the rows).

For numbers there is no largest error to bet against. With s the standard deviation of n gains

    bound = mean − s·√( 2·(n·ρ² + 1) / (n·ρ)² · ln(1 + √(n·ρ² + 1) / (2·doubt)) )

holds at any time as Student's does once: for errors with a variance, from some tens of rows on.

Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86 (2024) 1-27; Cover,
Mathematical Finance 1 (1991) 1-29; Waudby-Smith et al., Annals of Statistics 52 (2024) 2613-2640;
Shin, Ramdas and Rinaldo, New England Journal of Statistics in Data Science 2 (2023) 229-260.

    >>> [round(lowest_gain(won=0, lost=0, rows=rows), 3) for rows in (150, 300)]
    [-0.031, -0.016]
    >>> since_when(np.array([-1.0] * 50 + [1.0] * 30), is_classifier=True)
    50
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.learn.gate.exact_tests import DOUBT
from unrot.watch.statistics.chances import log_sum

STAKES = np.geomspace(0.1, 0.99, 10)
STEPS = 14
"""Halvings of the bound: exact to a ten-thousandth."""

TIGHTEST = 200
"""The number of rows at which the bound of numbers is tightest."""


def log_wealth(won: Any, lost: Any, rows: Any, gain: float) -> NDArray[np.float64]:
    """Return the logarithm of what betting against so small a gain has made of 1."""
    tied = np.asarray(rows) - won - lost
    growth = (
        np.multiply.outer(np.asarray(won), np.log(1 - STAKES + 2 * STAKES / (1 + gain)))
        + np.multiply.outer(tied, np.log(1 - STAKES + STAKES / (1 + gain)))
        + np.multiply.outer(np.asarray(lost), np.log(1 - STAKES))
    )
    return np.asarray(log_sum(growth) - np.log(len(STAKES)))


def lowest_gain(*, won: int, lost: int, rows: int, doubt: float = DOUBT) -> float:
    """Return the bound of the candidate's gain in accuracy; it holds at any time."""
    worst, best = -1.0, 1.0
    for _ in range(STEPS):
        middle = (worst + best) / 2
        is_excluded = log_wealth(won, lost, rows, middle) >= -np.log(doubt)
        worst, best = (middle, best) if is_excluded else (worst, middle)
    return worst


def lowest_mean(values: NDArray[np.float64], doubt: float = DOUBT) -> float:
    """Return the bound of a mean; it holds at any time."""
    rows = len(values)
    if rows < 2:
        return -np.inf
    log = -2 * np.log(2 * DOUBT)
    known = rows * (log + np.log(log) + 1) / TIGHTEST
    width = 2 * (known + 1) / (rows * known) * np.log1p(np.sqrt(known + 1) / (2 * doubt))
    return float(np.mean(values) - np.std(values, ddof=1) * np.sqrt(width))


def since_when(
    gains: NDArray[np.float64], *, is_classifier: bool, doubt: float = DOUBT
) -> int | None:
    """Return the place from which on the mean is surely above 0; None when nothing is sure.

    It may have begun anywhere: the s-th place has 1 / (s·(s + 1)) of the doubt.
    """
    places = np.arange(1, len(gains) + 1)
    shares = 1 / (places * (places + 1.0))
    if not is_classifier:
        bounds = [
            lowest_mean(gains[place - 1 :], doubt * share)
            for place, share in zip(places, shares, strict=True)
        ]
        return int(np.argmax(bounds)) if max(bounds, default=-np.inf) > 0 else None
    won, lost = (np.cumsum((gains * sign > 0)[::-1])[::-1] for sign in (1, -1))
    money = log_wealth(won, lost, len(gains) + 1 - places, 0.0) + np.log(shares)
    if not len(gains) or log_sum(money) < -np.log(doubt):
        return None
    return int(np.argmax(money))
