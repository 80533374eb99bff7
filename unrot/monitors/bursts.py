"""Bursts of odd rows: how many of a period's predictions are odd, and whether that is by chance.

About 1 % of the rows of a steady world are odd. A period is a burst when a share s of n rows is,
that is at least what the rules call one and hardly by chance: with p the usual share (Chernoff),

    P(a share of s or more)  <=  exp(-n · (s ln(s/p) + (1-s) ln((1-s)/(1-p))))

The periods are those of the shortest length that brings enough rows: a length is only looked at
where none of the shorter periods within it had enough.

    >>> from unrot.symptoms import Rules
    >>> is_burst(Rate(0, 86_400, looked_at=150, outliers=30), Rules())
    True
    >>> is_burst(Rate(0, 86_400, looked_at=100, outliers=5), Rules())
    False
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrot.monitors.neighbours import EXPECTED_SHARE
from unrot.records import Window
from unrot.symptoms import Oddity, PeriodLength, Rules

MONITOR = "outliers"
"""Under this name it notes where it stands."""

HOUR, DAY, WEEK = 3_600, 86_400, 604_800
MONDAY = 4 * DAY
"""The first day of 1970 was a Thursday; weeks begin on Mondays."""

CALM = 0.5
"""Below this part of the rules' share a burst is over."""

MAIN_SHARE, NAMED_SHARE = 0.3, 0.2
"""So much of a row's oddness makes a feature a main one; so many rows make it worth naming."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of the predictions of a period were odd."""

    starts_at: int
    ends_at: int
    looked_at: int
    outliers: int

    @property
    def share(self) -> float:
        """Of those that were looked at."""
        return self.outliers / self.looked_at if self.looked_at else 0.0

    def overlaps(self, other: Rate) -> bool:
        """Tell whether both are of some time."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def is_burst(rate: Rate, rules: Rules) -> bool:
    """Tell whether more rows are odd than the rules allow, and than chance explains."""
    if rate.share < max(rules.outlier_share, EXPECTED_SHARE) or not rate.outliers:
        return False
    return rate.looked_at * _surprise(rate.share) >= -math.log(rules.chance)


def is_calm(rate: Rate, rules: Rules) -> bool:
    """Tell whether a burst is over."""
    return rate.share < CALM * rules.outlier_share


def lengths_of(period: PeriodLength, rotation: int) -> tuple[int, ...]:
    """Return the lengths of periods to look at, in seconds, the shortest first.

    Totals are per minute, so no period is shorter.
    """
    rotation = -(-rotation // 60) * 60
    fixed = {"rotation": rotation, "hour": HOUR, "day": DAY, "week": WEEK}
    if period != "auto":
        return (fixed[period],)
    return (rotation, *(length for length in (HOUR, DAY) if length > rotation))


def start_of(at: float, length: int) -> int:
    """Return when the period began that a moment is in."""
    offset = MONDAY if length == WEEK else 0
    return int(at - offset) // length * length + offset


def rates_of(
    windows: Sequence[Window], lengths: Sequence[int], *, after: float, until: float, least: int
) -> list[Rate]:
    """Return the periods with enough rows that ended in a stretch of time, in order."""
    found: list[Rate] = []
    for length in lengths:
        for rate in _periods(windows, length):
            is_told = any(
                rate.starts_at <= one.starts_at and one.ends_at <= rate.ends_at for one in found
            )
            if rate.looked_at >= least and not is_told:
                found.append(rate)
    ended = [one for one in found if after < one.ends_at <= until]
    return sorted(ended, key=lambda one: (one.ends_at, one.starts_at))


def kept_rates(standpoint: Mapping[str, Any]) -> list[Rate]:
    """Read from the monitor's standpoint how many rows were odd lately, oldest period first."""
    return [Rate(*one) for one in standpoint.get("rates", ())]


def main_features(oddities: Iterable[Oddity]) -> list[tuple[str, int]]:
    """Return the features that made the most rows odd, with how many, the commonest first."""
    counts: Counter[str] = Counter()
    rows = 0
    for oddity in oddities:
        rows += 1
        counts.update(
            reason.feature
            for place, reason in enumerate(oddity.reasons)
            if place == 0 or reason.share >= MAIN_SHARE
        )
    return [(name, count) for name, count in counts.most_common() if count >= NAMED_SHARE * rows]


def _periods(windows: Sequence[Window], length: int) -> Iterator[Rate]:
    looked_at, outliers = Counter[int](), Counter[int]()
    for window in windows:
        if window.looked_at and window.minutes * 60 <= max(length, 60):
            starts_at = start_of(window.minute * 60, length)
            looked_at[starts_at] += window.looked_at
            outliers[starts_at] += window.outliers
    for starts_at in sorted(looked_at):
        yield Rate(starts_at, starts_at + length, looked_at[starts_at], outliers[starts_at])


def _surprise(share: float) -> float:
    """Return by how much a share surprises a row (Kullback and Leibler)."""
    usual, rest = EXPECTED_SHARE, 1 - share
    of_rest = rest * math.log(rest / (1 - usual)) if rest else 0.0
    return share * math.log(share / usual) + of_rest
