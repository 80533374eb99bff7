"""Whether a model is so much less sure than on its holdout that its accuracy must have fallen.

A period is suspicious when its estimated accuracy e lies below the promised one p by at least what
the rules call a loss, and by more than chance: with n rows that are worth n' independent ones, and
a calibration on m rows whose least share is l,

    p - e  >  z_t √(max(s² / n', S²) + s² / m)        s² = (p - l) (1 - p)

s² is the most that shares between l and 1 can vary about p (Bhatia and Davis), S² how much periods
varied about others of their kind, and z_t the normal quantile of what may be spent on look t
(`many_looks.py`): a steady stream is ever suspected with a chance below 1 %. As few rows are not
normal, n' · KL((1 - e) / (1 - l), (1 - p) / (1 - l)) must be at least the logarithm of one over
that chance as well (Hoeffding's bound for the mean of what lies between l and 1).

Some hours are harder than others. So a suspicious period is bad where its kind (hour of a working
day or of a weekend) was seen before and it lies as far below that; where its kind is new, when the
loss is deeper than 25 points; and in any case once it has lasted for all hours of a working day.

Hoeffding, J. Amer. Stat. Assoc. 58 (1963) 13-30; Bhatia and Davis, Amer. Math. Monthly 107
(2000) 353-357.

>>> record, rules = Record(), Rules(estimate_loss=0.1)
>>> for hour, value in enumerate([0.9] * 20 + [0.75] * 4 + [0.9] * 20 + [0.75] * 4 + [0.7] * 24):
...     period = Sure(FRIDAY + hour * HOUR, FRIDAY + (hour + 1) * HOUR, 500, value, 0.9, 0.5, 800)
...     record = record.after(period, rules)
...     if record.is_bad:
...         print("hour", hour)
...         break
hour 48
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, log
from statistics import NormalDist

from unrot.core.rules import Rules
from unrot.core.time import DAY, HOUR, STRATA, is_weekend, stratum
from unrot.watch.statistics.many_looks import allowed

DELTA = 0.01
DEEP = 0.25
"""So deep a fall no hour of the day explains."""
BACK = 0.5
"""It is well again when no more than this part of the loss is left."""
FRIDAY = 1_767_312_000.0
"""2026-01-02 00:00 UTC."""


@dataclass(frozen=True, slots=True)
class Sure:
    """One closed period: how right its confidence makes one expect it to be."""

    starts_at: float
    ends_at: float
    rows: float
    """As many independent rows as they are worth."""
    estimated: float
    promised: float
    least: float
    """What the calibration gives to the least sure."""
    calibrated: int
    """On so many rows."""

    @property
    def loss(self) -> float:
        """How far it lies below what was promised."""
        return self.promised - self.estimated

    @property
    def kind(self) -> int:
        """Return the hour it is of and the kind of day; a whole day is of its kind of day."""
        is_day = self.ends_at - self.starts_at > HOUR
        return STRATA + is_weekend(self.starts_at) if is_day else stratum(self.starts_at)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of the periods so far."""

    looks: int = 0
    count: int = 0
    squares: float = 0.0
    """Of how far so many periods lay from what was usual for their kind."""
    kinds: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    """How many periods of a kind there were, and the sum of their estimates."""
    suspicious_since: float | None = None
    is_bad: bool = False

    def usual(self, period: Sure) -> float | None:
        """Return what periods of the same kind reached; None where there was none."""
        known = self.kinds.get(period.kind)
        return None if known is None else known[1] / known[0]

    def is_suspicious(self, period: Sure, rules: Rules) -> bool:
        """Tell whether a period is surely below its promise, and by enough."""
        is_enough = period.loss >= rules.estimate_loss and period.loss > self._noise(period)
        return is_enough and _surprise(period) >= -log(self._allowed())

    def after(self, period: Sure, rules: Rules) -> Record:
        """Return what is known with one period more, and whether that is bad."""
        since = None
        if self.is_suspicious(period, rules):
            since = period.starts_at
            since = since if self.suspicious_since is None else self.suspicious_since
        is_bad = since is not None and self._is_bad(period, rules, since)
        looked = replace(self, looks=self.looks + 1, suspicious_since=since, is_bad=is_bad)
        return looked if is_bad else looked._learnt(period)

    def is_well(self, period: Sure, rules: Rules) -> bool:
        """Tell whether a period is back where it was promised, or where its kind usually is."""
        usual = self.usual(period)
        expected = period.promised if usual is None else min(usual, period.promised)
        return expected - period.estimated <= BACK * rules.estimate_loss

    def _is_bad(self, period: Sure, rules: Rules, since: float) -> bool:
        usual = self.usual(period)
        if _working_seconds(since, period.ends_at) >= DAY:
            return True
        if usual is None:
            return period.loss >= DEEP
        below = usual - period.estimated
        return below >= rules.estimate_loss and below > self._noise(period)

    def _noise(self, period: Sure) -> float:
        spread = max(0.0, (period.promised - period.least) * (1 - period.promised))
        varied = self.squares / self.count if self.count else 0.0
        error = max(spread / max(period.rows, 1.0), varied) + spread / period.calibrated
        return float(NormalDist().inv_cdf(1 - self._allowed()) * error**0.5)

    def _allowed(self) -> float:
        return allowed(self.looks + 1, DELTA)

    def _learnt(self, period: Sure) -> Record:
        count, total = self.kinds.get(period.kind, (0, 0.0))
        usual = self.usual(period)
        off = 0.0 if usual is None else period.estimated - usual
        return replace(
            self,
            count=self.count + (usual is not None),
            squares=self.squares + off * off,
            kinds={**self.kinds, period.kind: (count + 1, total + period.estimated)},
        )


def _surprise(period: Sure) -> float:
    """Return by how much all rows together surprise (Kullback and Leibler)."""
    width = 1 - period.least
    if width <= 0 or period.promised >= 1:
        return inf
    now = min(max((1 - period.estimated) / width, 0.0), 1.0)
    usual = min((1 - period.promised) / width, 1 - 1e-9)
    parts = ((now, usual), (1 - now, 1 - usual))
    return period.rows * sum(one * log(one / other) for one, other in parts if one > 0)


def _working_seconds(since: float, until: float) -> float:
    """Return how much of a stretch of time is no weekend, a day at most."""
    seconds = 0.0
    while since < until and seconds < DAY:
        end = min(until, (since // HOUR + 1) * HOUR)
        seconds += 0.0 if is_weekend(since) else end - since
        since = end
    return seconds
