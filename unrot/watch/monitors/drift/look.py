"""Look for drift: each closed period of traffic beside the training, and beside the one before.

Periods that were not checked yet are walked through in the order of time, whether they closed a
moment ago or came in with a log of last year; a few at each call. One whose profiles have grown
since is checked again. Each is compared with the reference of the version that answered, and what
is unlike it is weighed by what is usual at that time (see `surprise`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from typing import Any

from unrot.core.records import Check, CountedStretch, Profile, Summary, Symptom
from unrot.core.time import DAY, WEEK
from unrot.watch.monitors.drift import periods, rule
from unrot.watch.monitors.drift.departures import BUDGET
from unrot.watch.monitors.drift.dependence import REMEMBERED, Dependence, usual_dependence
from unrot.watch.monitors.drift.habits import Hourly, daytimes
from unrot.watch.monitors.drift.periods import Period
from unrot.watch.monitors.drift.rows import PeriodRows, profiles_of, read_rows
from unrot.watch.monitors.drift.rule import Before
from unrot.watch.monitors.drift.surprise import MOST_REFERENCES, LastTwo, PeriodLook
from unrot.watch.monitors.drift.words import ADVICE, sentence_of
from unrot.watch.notes import read_note
from unrot.watch.profiles import references
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.distributions import total
from unrot.watch.statistics.many_looks import level
from unrot.watch.visit import Visit

CAUSE = MONITOR = "drift"
PERIODS_AT_ONCE = 50
MOST_ROWS = 20_000
"""Of a period with more rows so many tell what all are worth, and KS is taken from the bins: they
are fine enough by then."""

MOST_TOLD = 20
GRAVE_DISTANCE = 0.5


def look(visit: Visit) -> Iterator[Symptom]:
    """Check periods that are over; yield what is seen of them, oldest first."""
    return _Look(visit).run()


@dataclass(slots=True)
class _Note:
    """Where this monitor stands."""

    stamp: Sequence[Any] = ()
    """What it depends on: profiles and rules. Nothing is looked at while it stays."""
    next_at: float = 0.0
    """When the running period is over."""
    is_present: bool = False
    since: float = 0.0
    at: float = 0.0
    looks: int = 0
    """Periods that were compared: each spends of one budget."""
    past: list[tuple[float, float]] = field(default_factory=list)
    """Repeats and runs of the last periods; no runs of a day and more."""
    departed: dict[str, LastTwo] = field(default_factory=dict)
    """By the digest of the reference, the one that was looked at last at the end."""

    def note_departed(self, reference: str, found: LastTwo) -> None:
        """Note what has departed of a reference's traffic."""
        self.departed.pop(reference, None)
        self.departed[reference] = found
        while len(self.departed) > MOST_REFERENCES:
            del self.departed[next(iter(self.departed))]


@dataclass(slots=True)
class _Look:
    """One call."""

    visit: Visit
    note: _Note = field(default_factory=_Note)
    stretches: Sequence[CountedStretch] = ()
    has_other_rules: bool = False
    """True where rules have changed since the last look."""
    held: dict[periods.Key, PeriodRows] = field(default_factory=dict)
    """Rows of the last periods: each is what the next one is compared with."""

    def run(self) -> Iterator[Symptom]:
        self.note = read_note(_Note, self.visit.read_note(MONITOR))
        stamp = self._stamp()
        if not self.visit.rules.drift:
            yield from self._switched_off()
            return
        if list(self.note.stamp) == stamp and self.visit.now < self.note.next_at:
            return
        self.has_other_rules = self.note.stamp[2:] != stamp[2:]
        yield from self._go_on(stamp)
        self.visit.write_note(MONITOR, self.note)

    def _stamp(self) -> list[Any]:
        """Say what all of this depends on; as it stands in JSON."""
        store, rules = self.visit.store, self.visit.rules
        version = self.visit.shelved.version().name
        standing = references.standing_for(self.visit.service, self.visit.key, version)
        features = sorted(
            [name, one.is_watched, one.distance] for name, one in rules.features.items()
        )
        return [
            *store.profiles.total(self.visit.key),
            [rules.distance, rules.chance, rules.period, rules.least_rows, rules.against, features],
            "" if standing is None else standing.digest,
        ]

    def _switched_off(self) -> Iterator[Symptom]:
        if self.note.is_present:
            yield Symptom(CAUSE, "drift", is_present=False, at=self.visit.now)
            self.visit.write_note(MONITOR, _Note(at=self.note.at))

    def _go_on(self, stamp: list[Any]) -> Iterator[Symptom]:
        store = self.visit.store
        counted = store.profiles.stretches(self.visit.key)
        self.stretches = [one for one in counted if one.reference]
        checks = store.checks.counts(self.visit.key, "training")
        rotation = self.visit.service.settings.rotation_seconds
        usual = usual_dependence(self.note.past)
        seconds = periods.length_of(
            self.stretches,
            self.visit.rules,
            rotation=rotation,
            now=self.visit.now,
            new=len(periods.parted(periods.uncovered(self.stretches, checks), rotation)),
            worth=usual.rows,
        )
        waiting = periods.due(
            self.stretches, checks, self.visit.rules, seconds=seconds, now=self.visit.now
        )
        if self.has_other_rules:
            waiting = self._with_newest(waiting, seconds)
        yield from self._walk(waiting[:PERIODS_AT_ONCE])
        is_done = len(waiting) <= PERIODS_AT_ONCE
        self.note.stamp = stamp if is_done else ()
        # Periods that are over tell how long periods are, and no traffic may come meanwhile.
        lengths = {*periods.rungs(rotation), seconds}
        ends = (periods.next_end(self.stretches, one, self.visit.now) for one in lengths)
        self.note.next_at = min(filter(None, ends), default=1e18)

    def _with_newest(self, waiting: list[Period], seconds: int) -> list[Period]:
        """Let other rules look at the newest period again."""
        closed = [
            one for one in periods.parted(self.stretches, seconds) if one.is_closed(self.visit.now)
        ]
        known = {one.key for one in waiting}
        return [*waiting, *(one for one in closed[-1:] if one.key not in known)]

    def _walk(self, waiting: Sequence[Period]) -> Iterator[Symptom]:
        """Check periods and tell of those that end together as one."""
        is_past = False
        for ends_at, group in groupby(waiting, key=lambda one: one.ends_at):
            checks = [check for period in group for check in self._checks(period)]
            is_older = ends_at < self.note.at
            # What is seen now must not be closed by a log of last year.
            if not (is_older and self.note.is_present):
                yield from self._seen(
                    [one for one in checks if one.against == self.visit.rules.against]
                )
                is_past = is_past or is_older
            self.visit.store.checks.put(checks)
        if is_past:
            last = self.visit.store.checks.last(self.visit.key, self.visit.rules.against)
            yield from self._seen(
                [] if last is None else [rule.judge_again(last, self.visit.rules)]
            )

    def _seen(self, checks: Sequence[Check]) -> Iterator[Symptom]:
        """Yield what some checks of one moment show; nothing when they show neither."""
        drifts = [one for check in checks for one in check.drifts]
        if not drifts:
            return
        moved = [check for check in checks if check.moved]
        at = checks[0].ends_at
        if moved:
            begins = min(self._begins(check) for check in moved)
            self.note.since = self.note.since if self.note.is_present else begins
            self.note.is_present, self.note.at = True, max(at, self.note.at)
            yield self._present(max(moved, key=lambda one: one.rows), at)
        elif all(one.is_calm for one in drifts):
            self.note.is_present, self.note.at = False, max(at, self.note.at)
            # By other rules it is over now, and not two days ago, when its period ended.
            ended_at = self.visit.now if self.has_other_rules and self.note.stamp else at
            yield Symptom(CAUSE, "drift", is_present=False, at=ended_at)

    def _begins(self, check: Check) -> float:
        """Return since when what moved has departed, where that was noted."""
        departed = self.note.departed.get(check.reference, LastTwo()).now.departures
        since = [departed[one.column].since for one in check.moved if one.column in departed]
        is_of_training = check.against == "training"
        return min([check.starts_at, *(since if is_of_training else [])])

    def _present(self, check: Check, at: float) -> Symptom:
        moved = check.moved
        is_grave = 2 * len(moved) > len(check.drifts) or moved[0].distance >= GRAVE_DISTANCE
        return Symptom(
            CAUSE,
            "drift",
            is_present=True,
            at=at,
            since=self.note.since,
            gravity="grave" if is_grave else "warning",
            sentence=sentence_of(check, self.visit.rules),
            advice=ADVICE,
            features=tuple(one.column for one in moved),
            evidence={
                "version": check.version,
                "against": check.against,
                "starts_at": check.starts_at,
                "ends_at": check.ends_at,
                "rows": check.rows,
                "rows_before": check.rows_before,
                "drifts": [asdict(one) for one in moved[:MOST_TOLD]],
            },
        )

    # ── one period ───────────────────────────────────────────────────────────────────────────

    def _checks(self, period: Period) -> list[Check]:
        """Compare a period with the training and with the one before it."""
        small = Check(
            *(self.visit.key, period.version, period.starts_at, period.ends_at, "training"),
            rows=period.rows,
            rows_before=0,
            reference=period.reference,
        )
        reference = references.on_bins(
            self.visit.service, self.visit.key, small.version, period.reference
        )
        if period.rows < self.visit.rules.least_rows:
            return [small]
        profiles = profiles_of(self.visit, period.stretches)
        summary, rows = _sum(profiles), self._rows(period, reference)
        seconds = period.ends_at - period.starts_at
        if self._depend(rows, seconds).rows(period.rows, seconds) < self.visit.rules.least_rows:
            return [small]
        self.note.looks += 1
        found = [small]
        if reference is not None:
            found = [self._against_training(small, period, summary, rows, reference)]
        earlier = periods.previous(period, self.stretches, self.visit.rules.least_rows)
        if earlier is not None:
            found.append(self._against(small, earlier, summary, rows, reference))
        return found

    def _against_training(
        self, check: Check, period: Period, summary: Summary, rows: PeriodRows, reference: Reference
    ) -> Check:
        worth = self._worth(rows, summary)
        before = rule.against_training(reference)
        drifts = rule.compare(summary, before, self.visit.rules, rows.all_values, worth)
        look = PeriodLook(
            visit=self.visit,
            stretches=self.stretches,
            period=period,
            summary=summary,
            rows=rows,
            reference=reference,
            worth=worth,
        )
        last = self.note.departed.get(period.reference, LastTwo())
        drifts, last = look.weigh(drifts, last, level(self.note.looks, BUDGET))
        self.note.note_departed(period.reference, last)
        return replace(check, rows_before=reference.rows, drifts=tuple(drifts))

    def _against(
        self,
        check: Check,
        earlier: Period,
        summary: Summary,
        rows: PeriodRows,
        reference: Reference | None,
    ) -> Check:
        """Compare with the period before: what is unlikely by chance is surprising there."""
        total_before = _sum(profiles_of(self.visit, earlier.stretches))
        rows_before = self._rows(earlier, reference)
        before = Before(
            total_before, rows_before.all_values, worth=self._worth(rows_before, total_before)
        )
        worth = self._worth(rows, summary)
        drifts = rule.compare(summary, before, self.visit.rules, rows.all_values, worth)
        spent = level(self.note.looks, BUDGET)
        return replace(
            check,
            against="previous",
            rows_before=earlier.rows,
            drifts=tuple(
                rule.judge_drift(replace(one, surprise=one.chance, level=spent), self.visit.rules)
                for one in drifts
            ),
            before_starts_at=earlier.starts_at,
            before_ends_at=earlier.ends_at,
        )

    # ── what its rows are worth ──────────────────────────────────────────────────────────────

    def _rows(self, period: Period, reference: Reference | None) -> PeriodRows:
        """Read the rows of a period, if they are still kept."""
        if period.key not in self.held:
            while len(self.held) > 1:
                del self.held[next(iter(self.held))]
            self.held[period.key] = read_rows(
                self.visit,
                period,
                profiles_of(self.visit, period.stretches),
                reference or Reference({}),
                MOST_ROWS,
                self._daytimes(period),
            )
        return self.held[period.key]

    def _daytimes(self, period: Period) -> dict[str, dict[int, Hourly]]:
        """Return what was usual at each hour of the week before a period of a day or more."""
        begins = period.starts_at
        earlier = [
            one
            for one in self.stretches
            if begins - WEEK <= one.starts_at < begins and one.reference == period.reference
        ]
        if period.ends_at - begins < DAY or not earlier:
            return {}
        return daytimes(profiles_of(self.visit, earlier))

    def _depend(self, rows: PeriodRows, seconds: float) -> Dependence:
        """Return how much rows depend on each other, and note it for those that are not kept."""
        found = rows.dependence
        if found is None:
            return usual_dependence(self.note.past)
        runs = found.runs if seconds < DAY else 0.0
        self.note.past = [*self.note.past, (found.repeats, runs)][-REMEMBERED:]
        return found

    def _worth(self, rows: PeriodRows, summary: Summary) -> dict[str, float]:
        if rows.dependence is not None:
            return {name: rows.dependence.shares.get(name, 1.0) for name in summary}
        return dict.fromkeys(summary, 1 / usual_dependence(self.note.past).repeats)


def _sum(profiles: Sequence[Profile]) -> Summary:
    return total(one.summary for one in profiles)
