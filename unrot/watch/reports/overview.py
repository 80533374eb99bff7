"""How a model is over a stretch of time: everything that its monitor page shows.

All of it reads windows, closed periods and the newest verdicts, each by an index and each once, so
that it costs the same however many events the store keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf

from unrot.core.latency import quantile
from unrot.core.records import (
    CHAMPION,
    Check,
    Distribution,
    Drift,
    Finding,
    ModelKey,
    Outcome,
    Version,
    Window,
)
from unrot.core.rules import Rules
from unrot.core.time import DAY, HOUR, short_time
from unrot.core.windows import total
from unrot.serve.service import Service
from unrot.watch.monitors.estimate.calibration import mean_of
from unrot.watch.reports import accuracy, accuracy_line, periods
from unrot.watch.reports.accuracy import Mark, OverTime, Point
from unrot.watch.reports.accuracy_line import Stint
from unrot.watch.reports.champion import signs_of, silence, since_findings
from unrot.watch.reports.health import Health, health, part_snoozed
from unrot.watch.reports.signals import SignalCount, said_by, signals_in
from unrot.watch.reports.signs import Signs
from unrot.watch.statistics.accuracy import Rolled, Share
from unrot.watch.statistics.rewards import MeanReward, mean_reward

ROLLED_POINTS = 300
CLOSED_FINDINGS = 5


MOST_STEPS = 96
STEPS = (60, 120, 300, 600, 900, 1_800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR)


def step_of(seconds: float) -> int:
    """Return a step that parts a stretch of time into at most about a hundred.

    >>> step_of(HOUR), step_of(DAY), step_of(400 * DAY) // DAY
    (60, 900, 5)
    """
    least = seconds / MOST_STEPS
    return next((step for step in STEPS if step >= least), int(-(-least // DAY)) * DAY)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, parted into steps of some seconds, and how it is called."""

    since: float
    until: float
    step: float
    words: str


@dataclass(frozen=True, slots=True)
class Lately:
    """The newest verdicts, whatever stretch of time is looked at."""

    last: int
    """How many a point rolls over."""
    points: Sequence[Rolled]
    """Of all versions, each point of one."""
    signs: Signs = field(repr=False)
    """What those on the champion say, or on the one version that is looked at."""
    constant: Share = Share(0, 0, None)

    @property
    def right(self) -> Share:
        """How right they say that it is."""
        return self.signs.accuracy

    @property
    def trusted(self) -> int:
        """How many of them are a judge's."""
        return self.signs.whose.trusted if self.signs.whose else 0


@dataclass(frozen=True, slots=True)
class Closer:
    """One column in one period, beside what it is compared with; None where it is not kept."""

    check: Check
    drift: Drift
    now: Distribution | None
    before: Distribution | None


@dataclass(frozen=True, slots=True)
class Condition:
    """How a model is."""

    health: Health
    span: Span
    version: str | None
    """The one version that is looked at; None for all."""
    known_versions: Sequence[str]
    champion: Version | None
    over_time: OverTime
    points: Sequence[Point]
    """Stretch by stretch."""
    stints: Sequence[Stint]
    """The line of accuracy: of each version by itself, with verdicts enough in each point."""
    whole: Window
    """All that was counted in the stretch of time."""
    lately: Lately
    marks: Sequence[Mark]
    checks: Sequence[Check]
    rules: Rules
    open_findings: Sequence[Finding]
    """Those that are not snoozed."""
    snoozed_findings: Sequence[Finding]
    closed_findings: Sequence[Finding]
    now: float = inf
    """When that was: a stretch that is not over yet ends here."""

    @property
    def of_whom(self) -> str:
        """Say whose figures of the stretch of time are, where that is not plain."""
        if self.version is not None:
            return f" of {self.version}"
        return ", all versions" if len(self.over_time.versions) > 1 else ""

    @property
    def latency(self) -> tuple[float | None, float | None]:
        """Within which time half, and nineteen of twenty, predictions were made."""
        return quantile(self.whole.latency, 0.5), quantile(self.whole.latency, 0.95)

    @property
    def reward(self) -> MeanReward | None:
        """How good the answers were said to be, where that was said."""
        return mean_reward(self.whole.rewards)

    @property
    def signals(self) -> list[SignalCount]:
        """What was seen to happen with the answers."""
        return signals_in(self.whole.signals, self.rules.signals)

    @property
    def by_signals(self) -> Share:
        """How often signals say right, of those that say right or wrong."""
        return said_by(self.signals)

    @property
    def outlier_share(self) -> float | None:
        """How many of those that were looked at were odd."""
        return self.whole.outliers / self.whole.looked_at if self.whole.looked_at else None


def condition(service: Service, name: str, span: Span, *, version: str | None = None) -> Condition:
    """Gather how a model is over a stretch of time, of one version or of all."""
    shelved = service.catalogue().model(name)
    model, key, store = shelved.model.name, shelved.model.key, service.store
    timed = accuracy.over_time(service, model, since=span.since, until=span.until, step=span.step)
    points = timed.points if version is None else timed.versions.get(version, ())
    rules = store.findings.rules(key)
    opened, snoozed = part_snoozed(store.findings.open(key), service.clock())
    closed = [one for one in store.findings.of_model(key, limit=50) if not one.is_open]
    champion = shelved.champion
    marks = accuracy.marks(service, model, since=span.since, until=span.until)
    whole = total([point.window for point in points])
    rolled = accuracy.rolling(service, model, points=ROLLED_POINTS)
    signs = signs_of(service, shelved, rolled)
    at_champion = replace(
        signs,
        period=span.words,
        silent_for=silence(rolled.own, span.until),
        predictions=sum(point.predictions for point in timed.points),
        estimated=_estimated(timed, rolled.version),
        findings=opened,
        snoozed=len(snoozed),
    )
    at_champion = since_findings(service, key, at_champion)
    if not at_champion.predictions:
        at = last_predicted_at(service, key)
        at_champion = replace(at_champion, last_predicted="" if at is None else short_time(at))
    if version not in (None, rolled.version):
        rolled = accuracy.rolling(service, model, points=ROLLED_POINTS, version=version)
        signs = signs_of(service, shelved, rolled)
    return Condition(
        health=health(at_champion),
        span=span,
        version=version,
        known_versions=list(shelved.versions),
        champion=champion,
        over_time=timed,
        points=points,
        stints=_stints(service, key, timed, version, [*opened, *snoozed, *closed], marks),
        whole=whole,
        lately=Lately(rolled.last, rolled.points, signs, rolled.constant),
        marks=marks,
        checks=periods.checks(service, model, since=span.since, until=span.until),
        rules=rules,
        open_findings=opened,
        snoozed_findings=snoozed,
        closed_findings=closed[:CLOSED_FINDINGS],
        now=service.clock(),
    )


def _stints(
    service: Service,
    model: ModelKey,
    timed: OverTime,
    version: str | None,
    findings: Sequence[Finding],
    marks: Sequence[Mark],
) -> list[Stint]:
    """Draw the line of accuracy finely enough: what began or ended parts it, so do champions."""
    of = {name: one for name, one in timed.versions.items() if version in (None, name)}
    rot = [one for one in findings if one.kind == "rot"]
    cuts = [at for one in rot for at in (one.since, one.closed_at) if at is not None]
    moves = [(mark.at, mark.version) for mark in marks if mark.kind == CHAMPION]
    known: Sequence[Outcome] = ()
    if cuts or moves or accuracy_line.has_many(of):
        known = service.store.traffic.outcomes(model, limit=accuracy_line.KNOWN)
    return accuracy_line.stints(of, known, cuts, moves)


def unknown() -> Health:
    """Say of a model what can be said while the store is away."""
    return health(Signs(is_store_away=True))


def closer(
    service: Service, name: str, column: str, ends_at: float, version: str | None = None
) -> Closer | None:
    """Look closer at one column of the period that ended then; None where there is none."""
    for check in periods.checks(service, name, since=ends_at - 1, until=ends_at):
        for drift in check.drifts:
            if drift.column == column and version in (None, check.version):
                now, before = periods.sides(service, check)
                return Closer(check, drift, now.get(column), before.get(column))
    return None


def moved_most(service: Service, found: Finding, most: int) -> list[Closer]:
    """Look closer at the columns that a finding of drift says moved farthest.

    Empty where its period is not kept any more, or was merged into a longer one.
    """
    told = found.evidence
    ends_at, named = float(told.get("ends_at", 0.0)), told.get("drifts", ())
    name = service.catalogue().name_of(found.model)
    for check in periods.checks(
        service, name, since=ends_at - 1, until=ends_at, against=told.get("against")
    ):
        if (check.version, check.ends_at) == (told.get("version"), ends_at):
            drifts = {one.column: one for one in check.drifts}
            now, before = periods.sides(service, check)
            return [
                Closer(check, drifts[one["column"]], now.get(one["column"]),
                       before.get(one["column"]))
                for one in named[:most]
                if one["column"] in drifts
            ]  # fmt: skip
    return []


def _estimated(timed: OverTime, version: str) -> float | None:
    found = mean_of(point.estimated for point in timed.versions.get(version, ()) if point.estimated)
    return found.value if found else None


def last_predicted_at(service: Service, model: ModelKey) -> float | None:
    """Return when a model was last asked, None where it never was."""
    rows = service.store.traffic.recent(model, limit=1)
    return rows[0].prediction.predicted_at if rows else None
