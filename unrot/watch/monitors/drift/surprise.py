"""What has departed from training in the traffic of one reference, and whether that is news.

It is noted from period to period: since when a column is unlike training, what it was like since,
and which columns have moved. What earlier days were like is read from their checks, and what came
just before from its profiles; both only when something has departed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from unrot.core.records import Check, CountedStretch, Distribution, Drift, Summary
from unrot.core.time import DAY, hour_of
from unrot.watch.monitors.drift import departures, like_days, rule
from unrot.watch.monitors.drift.departures import Departure
from unrot.watch.monitors.drift.periods import Period
from unrot.watch.monitors.drift.rows import PeriodRows, profiles_of
from unrot.watch.monitors.drift.rule import Before
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import Numbers
from unrot.watch.profiles.distributions import total
from unrot.watch.visit import Visit

MOST_REFERENCES = 4
"""So many are noted; of one that answers no more little is to be said later."""


HOURS_ALIKE = 0.9
"""Days that share less of their hours are not alike: traffic may have begun or ended in one."""

EarlierDay = tuple[float, Mapping[str, float]]
"""When its like period ended, and how far each column lay; not where it had moved."""


@dataclass(frozen=True, slots=True)
class Departed:
    """What of one reference's traffic has departed, up to a moment."""

    reached: float = 0.0
    departures: Mapping[str, Departure] = field(default_factory=dict)
    moved: Sequence[str] = ()

    def is_followed_by(self, period: Period) -> bool:
        """Tell whether a period follows on what was noted, and is not of the past."""
        return period.starts_at >= self.reached

    def forgotten_before(self, moment: float) -> Departed:
        """Return it as it counts from a moment on: what ended long before is over."""
        return self if self.reached >= moment - DAY else Departed(self.reached)

    def gone_on(
        self, period: Period, unlike: Mapping[str, Departure], drifts: Sequence[Drift]
    ) -> Departed:
        """Return it with a period that follows; what has moved goes on until it is calm."""
        moved = [
            one.column
            for one in drifts
            if one.has_moved or (one.column in self.moved and not one.is_calm)
        ]
        return Departed(period.ends_at, unlike, moved)


@dataclass(frozen=True, slots=True)
class LastTwo:
    """What has departed, and what had before the newest period.

    Where other rules look at that period again, they begin from there: so rules that are tried and
    set back see what they saw.
    """

    now: Departed = Departed()
    before: Departed = Departed()

    def seen_from(self, period: Period) -> Departed:
        """Return what had departed when a period began."""
        if period.ends_at != self.now.reached:
            return self.now
        is_longer = not self.before.is_followed_by(period)
        return Departed(period.starts_at, moved=self.now.moved) if is_longer else self.before

    def gone_on(self, departed: Departed, period: Period) -> LastTwo:
        """Return it with what has departed by the end of a period."""
        return LastTwo(departed, self.seen_from(period))


@dataclass(frozen=True, slots=True)
class PeriodLook:
    """One period beside training, as it is weighed."""

    visit: Visit
    stretches: Sequence[CountedStretch]
    period: Period
    summary: Summary
    rows: PeriodRows
    reference: Reference
    worth: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """How long the period is."""
        return self.period.ends_at - self.period.starts_at

    def weigh(
        self, drifts: Sequence[Drift], last: LastTwo, level: float
    ) -> tuple[list[Drift], LastTwo]:
        """Judge drifts by how surprising they are; beside them comes what has departed then."""
        unlike = [one for one in drifts if rule.is_unlike(one, self.visit.rules)]
        seen, period = last.seen_from(self.period), self.period
        is_of_past = not seen.is_followed_by(period)
        departed = Departed() if is_of_past else seen.forgotten_before(period.starts_at)
        since = {one.column: self._departure(one.column, departed) for one in unlike}
        earlier = self._earlier() if unlike else []
        surprises = {
            one.column: 0.0
            if one.column in departed.moved
            else self._surprise(one, since[one.column], earlier)
            for one in unlike
        }
        known = len(earlier) >= like_days.KNOWN
        found = rule.weigh_drifts(drifts, surprises, self.visit.rules, level=level, known=known)
        if is_of_past:
            return found, last
        return found, last.gone_on(departed.gone_on(period, since, found), period)

    def _departure(self, column: str, departed: Departed) -> Departure:
        counts = self.summary[column].counts
        worth, until = sum(counts) * self.worth[column], self.period.ends_at
        before = departed.departures.get(column)
        if before is None:
            return Departure(self.period.starts_at, until, counts, worth)
        return before.gone_on(until, counts, worth)

    def _surprise(self, one: Drift, departure: Departure, earlier: Sequence[EarlierDay]) -> float:
        now, training = self.summary[one.column], self.reference.summary[one.column]
        weekly = departures.weekly_rows(self.stretches, self.period.ends_at)
        share = departures.share_of_week(departure, weekly)
        chances: list[float] = []
        days = _before(departure.since, one.column, earlier)
        if len(days) >= like_days.KNOWN:
            chances.append(like_days.farther_chance(one.distance, days))
            if chances[0] < like_days.FARTHER:
                share = max(share, departures.share_of_days(departure, weekly))
        elif departures.can_be_abrupt(self.period.starts_at, self.period.ends_at, departure.since):
            chances.append(self._abrupt(one.column, departure.since))
        chances += [departures.part(departure, training, share), self._support(now, training, one)]
        return min(1.0, len(chances) * min(chances))

    def _support(self, now: Distribution, training: Distribution, one: Drift) -> float:
        period = self.period
        share = departures.share_of_kind(
            self.stretches, period.starts_at, period.ends_at, period.rows
        )
        values: Numbers | None = self.rows.values.get(one.column)
        return departures.support(now, training, self.worth[one.column], share, values)

    def _abrupt(self, column: str, since: float) -> float:
        """Return how likely a column is by chance as unlike what came just before its change."""
        found = departures.just_before(
            self.stretches, since, self.period.reference, self.visit.rules.least_rows
        )
        if not found:
            return 1.0
        before = total(one.summary for one in profiles_of(self.visit, found))
        base = Before(before, worth=self.worth)
        now = {column: self.summary[column]}
        apart = rule.compare(now, base, self.visit.rules, worth=self.worth)
        return min(
            (one.chance for one in apart if rule.is_unlike(one, self.visit.rules)), default=1.0
        )

    def _earlier(self) -> list[EarlierDay]:
        """Return how far each column lay on earlier days at this time; not where it had moved."""
        days: list[EarlierDay] = []
        for after, until in like_days.like_spans(self.period.ends_at, self.seconds):
            checks = self.visit.store.checks.of_model(
                self.visit.key, against="training", since=after, until=until
            )
            alike = [one for one in checks if self._is_like(one)]
            if alike:
                days.append((until, _means(alike)))
        return days

    def _is_like(self, check: Check) -> bool:
        seconds = check.ends_at - check.starts_at
        is_same = check.reference == self.period.reference and seconds == self.seconds
        return is_same and bool(check.drifts) and self._has_its_hours(check)

    def _has_its_hours(self, check: Check) -> bool:
        """Tell whether a period had rows in nearly the same hours of the day as this one."""
        hours = {hour_of(one.starts_at) for one in self.period.stretches}
        first = bisect_left(self.stretches, check.starts_at, key=lambda one: one.starts_at)
        last = bisect_left(self.stretches, check.ends_at, key=lambda one: one.starts_at)
        had = {hour_of(one.starts_at) for one in self.stretches[first:last]}
        return len(hours & had) >= HOURS_ALIKE * len(hours | had)


def _before(since: float, column: str, earlier: Sequence[EarlierDay]) -> list[float]:
    """Return how far a column lay on the days before it departed, if they are enough, or on all.

    Else what has just begun would be taken for usual on its second day; so would a day that it
    followed on at once, in which it may have begun, while others are enough.
    """
    lay = [(until, day[column]) for until, day in earlier if column in day]
    for latest in (since - 1, since):
        before = [distance for until, distance in lay if until <= latest]
        if len(before) >= like_days.KNOWN:
            return before
    return [distance for _, distance in lay]


def _means(checks: Sequence[Check]) -> dict[str, float]:
    lay: dict[str, list[float]] = {}
    for check in checks:
        for one in check.drifts:
            if not one.has_moved:
                lay.setdefault(one.column, []).append(one.distance)
    return {name: fmean(found) for name, found in lay.items()}
