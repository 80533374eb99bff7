"""What was promised: by the test set of a version, or by the floor that a person has set.

The bounds are those of `rule.py`; the test set, too, is known only as well as its rows say.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log, sqrt

import numpy as np

from unrot.core.time import DAY, HOUR, WEEK
from unrot.watch.monitors.rot.rule import (
    FAR,
    LEVELS,
    SURELY,
    Fall,
    Numbers,
    boundary,
    cost_of,
    divergence,
    surely_deeper,
)
from unrot.watch.monitors.rot.sums import Behind
from unrot.watch.monitors.rot.usual_hours import KINDS

FEWEST_FROM_START = 30
"""Verdicts below which a model is not held against its test set."""
MANY_SIGMAS = 5.0
"""So far must errors of numbers lie above those on the test set: they have heavy tails."""
DELTA, RHO = 0.01, 30.0
"""The chance that is spent on it, and how many verdicts the mixture is for."""


def is_below(
    told: Behind, promised: float, rows: float, *, worth: float = 1.0, seconds: float = DAY
) -> Fall | None:
    """Tell whether verdicts are wrong more often than the test set's: rotten from the start.

    Before a day is over only what is deeper than a cycle counts. Then whole days are looked at,
    working days alone until there is a week, which a part of one changes little.

    >>> def of(wrong, count):
    ...     return Behind(_all(count), _all(wrong))
    >>> is_below(of(13, 40), 0.1, 4_000) is None, is_below(of(22, 40), 0.1, 4_000) is None
    (True, False)
    """
    is_deep = _held_against(told, promised, rows, KINDS, worth)
    if is_deep and is_deep[1]:
        return is_deep[0]
    if not _are_whole_days(seconds):
        return None
    found = _held_against(told, promised, rows, KINDS if seconds >= WEEK else 24, worth)
    return found and found[0]


def _held_against(
    told: Behind, promised: float, rows: float, kinds: int, worth: float
) -> tuple[Fall, bool] | None:
    """Hold verdicts of the first kinds of hours against the test set; tell if it is deep."""
    count, wrong = float(told.rows[:kinds].sum()), float(told.wrong[:kinds].sum())
    if count < FEWEST_FROM_START or not rows or wrong <= promised * count:
        return None
    share, before = np.array([wrong / count]), np.array([promised])
    whole = (wrong + promised * rows) / (count + rows)
    apart = count * divergence(share, whole) + rows * divergence(before, whole)
    clock = np.array([count * rows / (count + rows) / worth])
    ratio, needed = float(apart[0]) / worth, float(boundary(clock, log(1 / DELTA), RHO)[0])
    if ratio < needed:
        return None
    is_deep = bool(surely_deeper(before, share, np.array([count]), worth)[0])
    return Fall(0, ratio, needed, np.full(KINDS, promised), worth, True), is_deep


def _all(count: float) -> Numbers:
    """Put verdicts into the first kind of hour."""
    return np.where(np.arange(KINDS) == 0, count, 0.0)


def is_above(
    behind: Behind,
    promised: float,
    promised_rmse: float,
    promised_rows: float,
    *,
    worth: float = 1.0,
    seconds: float = DAY,
) -> Fall | None:
    """Tell whether numbers are farther off than on the test set: rotten from the start."""
    count = behind.count
    if count < FEWEST_FROM_START or not promised_rows:
        return None
    mean = behind.absolute / count
    spread = max(behind.squared / count - mean**2, promised_rmse**2 - promised**2, 1e-12)
    noise = sqrt(spread * (worth / count + 1 / promised_rows))
    far = (mean - promised) / noise
    is_known = _are_whole_days(seconds) or mean - SURELY * noise > FAR * promised
    if far < MANY_SIGMAS or not is_known:
        return None
    return Fall(0, far, MANY_SIGMAS, np.full(KINDS, 0.5), worth, True)


def _are_whole_days(seconds: float) -> bool:
    return seconds >= DAY and (seconds % DAY < HOUR or seconds >= WEEK)


def is_under(wrong: Numbers, floor: float, *, offset: int, worth: float = 1.0) -> int | None:
    """Return over how many of the last verdicts a share of rights is surely below a floor.

    Their numbers are doubled from 32 on; the bound is that of one place of the first level.

    >>> is_under(np.array([0.0, 1.0] * 40), 0.9, offset=0)
    32
    >>> is_under(np.array([0.0] * 9 + [1.0] * 1), 0.9, offset=0) is None
    True
    """
    cost = float(cost_of(LEVELS[1], np.array([offset + len(wrong)]))[0])
    for count in _doubled(len(wrong)):
        share = float(wrong[-count:].mean())
        ratio = count * float(divergence(np.array([share]), 1 - floor)[0]) / worth
        if share > 1 - floor and ratio >= cost:
            return count
    return None


def _doubled(most: int) -> Iterator[int]:
    count = 32
    while count <= most:
        yield count
        count *= 2
