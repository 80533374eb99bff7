"""Bursts of odd rows: how many of a period's predictions are odd, and whether that is by chance.

About 1 % of the rows of a steady world are odd, as the threshold of a detector is set by its n rows
of training; what is usual is learnt from the stream's own past besides (`usual_share.py`):

    a = 1 + n / 100,  b = n,  and  X of N from the past

Until a week is known, twice as many may be odd at some hours. A period is a burst when at least as
large a share of its rows is odd as the rules call one, and that is too unlikely: all looks together
cry wolf with a chance of less than 1 %. Rows that are not independent count as what they are worth.

The periods are those of the shortest length that brings enough rows: a length is only looked at
where none of the shorter periods within it had enough.

    >>> from unrot.core.rules import Rules
    >>> usual, alpha = usual_of(Past(), rows=2_000, known=0.0), 0.001
    >>> is_burst(Rate(0, 86_400, looked_at=150, outliers=30), Rules(), usual, alpha)
    True
    >>> is_burst(Rate(0, 86_400, looked_at=150, outliers=30), Rules(), usual, alpha, worth=20)
    False
    >>> is_burst(Rate(0, 86_400, looked_at=100, outliers=5), Rules(), usual, alpha)
    False
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrot.core.records import Oddity, PeriodLength, Window
from unrot.core.rules import Rules
from unrot.core.time import DAY, HOUR, WEEK
from unrot.watch.monitors.outliers.neighbours import EXPECTED_SHARE, FEWEST_ROWS, MOST_ROWS
from unrot.watch.statistics.usual_share import Past, Usual

MONITOR = "outliers"
"""Under this name it notes where it stands."""

MONDAY = 4 * DAY
"""The first day of 1970 was a Thursday; weeks begin on Mondays."""

DELTA = 0.01
"""How likely a steady stream is ever said to have a burst."""
ANOTHER_KIND = 2.0
LEAST_ROWS = 3
"""So many independent rows more than usual a burst has."""

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


def usual_of(past: Past, *, rows: int, known: float, slowness: float = 1.0) -> Usual:
    """Return how many rows are usually odd.

    `rows` are those of training, `known` is the part of a week that was seen, and so many rows of
    either are worth one as the `slowness` says.
    """
    trained = min(max(rows, FEWEST_ROWS), MOST_ROWS)
    another = ANOTHER_KIND if known < 1 else 1.0
    prior = Usual(1 + another * EXPECTED_SHARE * trained, float(trained), EXPECTED_SHARE)
    return prior.with_past(past, slowness)


def is_burst(rate: Rate, rules: Rules, usual: Usual, alpha: float, *, worth: float = 1.0) -> bool:
    """Tell whether more rows are odd than the rules allow, and than chance explains."""
    if rate.share < max(rules.outlier_share, EXPECTED_SHARE) or not rate.outliers:
        return False
    more = (rate.outliers - usual.share * rate.looked_at) / max(worth, usual.spread)
    return more >= LEAST_ROWS and usual.chance(rate.outliers, rate.looked_at, worth) <= alpha


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
