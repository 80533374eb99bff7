"""Whether a departure from training is news, or may be the habit of an hour, a night, a weekend.

A column that is far from training, and not by chance, has departed. How surprising that is, is
the least of what these say, times how many of them there are:

    part      what was seen since it departed, for a time D, cannot be a part of the weight
              f = D / 1 week of training (see `mixture`): mild shifts show after days, new values
              soon, and whatever lasts a whole week is plainly unlike. Where earlier days of its
              kind are known, and it is farther than they, it is no rare part of them: what comes
              on one working day comes on all five, f = 5/7, and 2/7 on weekends
    support   more lies outside what training saw than a part of its own kind could bring, f being
              the share of working days or of weekends in all rows, and for hours the share of the
              hour; or far outside (by half of the whole range of training), where no part lies
    usual     it lies farther than on earlier days at this time (see `like_days`)
    abrupt    it came about within an hour of the clock, where no cycle turns: it is unlike the
              rows just before it, and as far from them; only while like days are not known

What has moved goes on until it is calm, with no new surprise. All of it is corrected by Holm over
the columns, and the looks of one model spend a budget of BUDGET for ever (see `many_looks`): so at
most one model in fifty is ever said to drift whose training is drawn from what comes by, as far as
its rows are independent but for the repeats and runs that are counted, and days of a kind alike.

    >>> begun = Departure(0.0, DAY, (0, 120, 30), worth=150.0)
    >>> begun.gone_on(2 * DAY, (0, 60, 40), worth=20.0).counts
    (0, 180, 70)
    >>> share_of_week(begun, 1_050) == share_of_week(begun, None) == 1 / 7
    True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrot.core.records import CountedStretch, Distribution
from unrot.core.time import DAY, HOUR, WEEK, is_weekend, stratum
from unrot.watch.monitors.drift.mixture import part_chance, rate_chances
from unrot.watch.monitors.drift.rule import unseen_by_chance, weigh
from unrot.watch.profiles.columns import Numbers
from unrot.watch.profiles.distributions import outside

BUDGET = 0.02
ABRUPT_SECONDS = 1_200.0
"""Periods up to this length can tell what is abrupt."""
JUST_BEFORE = 10
"""So many times the least rows are taken of what came just before."""
FAR = 0.5
"""So much of the range of training beyond its ends is far outside."""


@dataclass(frozen=True, slots=True)
class Departure:
    """What one column was like since it departed from training."""

    since: float
    until: float
    counts: Sequence[int]
    """Its bins: a row is a row, so that no hour has more than its part."""
    worth: float
    """As many independent rows they are worth together."""

    def gone_on(self, until: float, counts: Sequence[int], worth: float) -> Departure:
        """Return it with another period."""
        summed = tuple(a + b for a, b in zip(self.counts, counts, strict=True))
        return Departure(self.since, until, summed, self.worth + worth)


def share_of_week(departure: Departure, weekly_rows: float | None) -> float:
    """Return with which part of training's weight it must be held, by time or by rows.

    For d weeks that is d / ⌈d⌉: what lasts 1.2 weeks has some days twice.
    """
    weeks = (departure.until - departure.since) / WEEK
    share = weeks / max(1, math.ceil(weeks))
    return min(share, sum(departure.counts) / weekly_rows) if weekly_rows else share


def share_of_days(departure: Departure, weekly_rows: float | None) -> float:
    """Return with which part of training's weight it must be held once days of its kind are known.

    Then what comes on one working day comes on all five, and on one day of a weekend on both: d
    days are 5/7 or 2/7 of a week, times d / ⌈d⌉. 0 where it was on both kinds of days.

    >>> thursday = Departure(0.0, DAY, (0, 120, 30), worth=150.0)
    >>> share_of_days(thursday, None) == 5 / 7, share_of_days(thursday, 1_500)
    (True, 0.5)
    """
    first, last = int(departure.since // DAY), int((departure.until - 1) // DAY)
    kinds = {is_weekend(day * DAY) for day in range(first, min(last, first + 7) + 1)}
    if len(kinds) > 1:
        return 0.0
    days, of_kind = (departure.until - departure.since) / DAY, 2 if True in kinds else 5
    share = of_kind / 7 * days / math.ceil(days)
    rows = sum(departure.counts) * of_kind / math.ceil(days)
    return min(share, rows / weekly_rows) if weekly_rows else share


def weekly_rows(stretches: Sequence[CountedStretch], until: float) -> float | None:
    """Return how many rows a week brings; None before a day was gone through.

    >>> days = [CountedStretch("v1", at * DAY, (at + 1) * DAY, "d", 60) for at in range(10)]
    >>> weekly_rows(days, 2 * DAY), weekly_rows(days, 10 * DAY), weekly_rows(days, DAY / 2)
    (420.0, 420.0, None)
    """
    begins = min((one.starts_at for one in stretches), default=until)
    if until - begins < DAY:
        return None
    seen = min(WEEK, until - begins)
    rows = sum(one.rows for one in stretches if until - seen <= one.starts_at < until)
    return rows * WEEK / seen


def share_of_kind(
    stretches: Sequence[CountedStretch], starts_at: float, ends_at: float, rows: int
) -> float:
    """Return which part of all rows those of a time like this one are.

    Working days are 5/7 and weekends 2/7 of it, the first of all as much of it as was gone through;
    an hour has its share of the last day, or 1/24 where no day was gone through.

    >>> share_of_kind([], 0.0, DAY, 100) == 5 / 7
    True
    """
    days = (2 if is_weekend(starts_at) else 5) / 7
    seconds = ends_at - starts_at
    begins = min((one.starts_at for one in stretches), default=starts_at)
    if seconds >= DAY:
        return (1.0 if seconds >= WEEK else days) * (ends_at - max(begins, starts_at)) / seconds
    if ends_at - begins < DAY:
        return days * seconds / DAY
    of_day = sum(one.rows for one in stretches if ends_at - DAY <= one.starts_at < ends_at)
    return days * min(1.0, rows / max(of_day, 1))


def part(departure: Departure, training: Distribution, share: float) -> float:
    """Return how likely a departure is at most as a part of training with a share of it."""
    rows = sum(departure.counts)
    counts = weigh(departure.counts, departure.worth / rows if rows else 1.0)
    return part_chance(counts, training.counts, share, is_ordered=training.kind == "number")


def support(
    now: Distribution, training: Distribution, worth: float, share: float, values: Numbers | None
) -> float:
    """Return how likely so much outside of what training saw is at most, as a part of it."""
    counts = weigh(now.counts, worth)
    rows, rows_before = sum(counts), float(sum(training.counts))
    if now.kind == "choice":
        expected = unseen_by_chance(training) * rows_before
        return _rate(now.unseen * worth, rows, expected, rows_before, share)
    ends = _beyond(outside(now.counts) * worth, rows, training, share)
    if values is None or len(training.edges) < 2:
        return ends
    low, high = training.edges[0], training.edges[-1]
    reach = FAR * (high - low)
    far = int(np.count_nonzero((values < low - reach) | (values > high + reach)))
    return min(1.0, 2 * min(ends, _beyond(far * worth, len(values) * worth, training, 1.0)))


def _beyond(found: float, rows: float, training: Distribution, share: float) -> float:
    """Bound the chance of so many outside; the range may be that of training's own rows.

    Each way in which they can lie at the two ends is as likely: see `distances.outside_chance`.
    """
    before = float(sum(training.counts))
    ways = 1 + found * share * before / max(rows + share * before - found, 1.0)
    return min(1.0, ways * _rate(found, rows, float(outside(training.counts)), before, share))


def _rate(found: float, rows: float, before: float, rows_before: float, share: float) -> float:
    if not rows or not rows_before:
        return 1.0
    chances = rate_chances(np.array([found]), rows, np.array([before]), rows_before, share)
    return float(chances[0])


def just_before(
    stretches: Sequence[CountedStretch], since: float, reference: str, rows: int
) -> list[CountedStretch]:
    """Return the nearest stretches before a change that are of the same hour of the clock.

    Empty where they have fewer rows than that.
    """
    found: list[CountedStretch] = []
    for one in reversed(stretches):
        is_near = one.ends_at <= since and stratum(one.starts_at) == stratum(since)
        if is_near and since - one.starts_at <= HOUR and one.reference == reference:
            found.append(one)
        if sum(each.rows for each in found) >= JUST_BEFORE * rows:
            break
    return found if sum(each.rows for each in found) >= rows else []


def can_be_abrupt(starts_at: float, ends_at: float, since: float) -> bool:
    """Tell whether a change is so short ago, in the same hour, that no cycle explains it."""
    return (
        ends_at - starts_at <= ABRUPT_SECONDS
        and 0 <= starts_at - since <= HOUR
        and stratum(starts_at) == stratum(since)
    )
