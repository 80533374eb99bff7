"""How a model did over a period: what a report says to somebody who asked how it is doing.

The figures of the period stand beside those of the one before, which is as long. What is said of
now is of the moment that the report is made, and is marked so. All of it is read from what the
monitor page reads as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from unrot.core.errors import wrong_field
from unrot.core.records import (
    CHAMPION,
    JOB_WORDS,
    Finding,
    Job,
    Model,
    ModelKey,
    Unmoved,
    Version,
    Window,
)
from unrot.core.test_sets import MeasuredOn, measured_on
from unrot.core.time import DAY, LATEST, MINUTE, WEEK, iso_time
from unrot.core.windows import total
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.reports import accuracy
from unrot.watch.reports.overview import Condition, Span, condition, step_of
from unrot.watch.reports.signs import FEWEST_VERDICTS
from unrot.watch.statistics.accuracy import Scored, Share, Z, scored, share

USUAL_SECONDS = WEEK
WORDS = "this period"
MOST_FINDINGS, MOST_CHANGES, MOST_COLUMNS, MOST_VERSIONS = 50, 100, 40, 50
MOST_JOBS = 500


@dataclass(frozen=True, slots=True)
class Reached:
    """What was counted in a stretch of time, and how right it was by the verdicts in it."""

    predictions: int
    verdicts: int
    share: Share
    errors: Scored

    @property
    def judged(self) -> int:
        """How many verdicts tell how right it was."""
        return max(self.share.count, self.errors.count)

    @property
    def is_enough(self) -> bool:
        """True when they are not too few to say anything."""
        return self.judged >= FEWEST_VERDICTS

    @property
    def error_bounds(self) -> tuple[float, float] | None:
        """Between which the mean error lies, at 95 %."""
        count, mae, rmse = self.errors.count, self.errors.mae, self.errors.rmse
        if mae is None or rmse is None or count < FEWEST_VERDICTS:
            return None
        reach = Z * sqrt(max(rmse * rmse - mae * mae, 0.0) / count)
        return max(0.0, mae - reach), mae + reach


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was done to a model, and who asked for it."""

    at: float
    what: str
    who: str


@dataclass(frozen=True, slots=True)
class Answerer:
    """One version, and what it did in the period."""

    name: str
    version: Version | None
    """None of answers that no version of ours gave."""
    on: MeasuredOn | None
    """The test set that its own score is of."""
    is_champion: bool
    reached: Reached


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one column lay from what it is compared with, at its farthest in the period."""

    column: str
    distance: float
    threshold: float
    starts_at: float
    ends_at: float
    has_moved: bool
    """In any part of the period."""
    why: Unmoved
    """Why it had not moved where it lay farthest."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a model did over a period."""

    model: Model
    made_at: float
    condition: Condition
    """Its health is of the moment when the report is made."""
    champion_since: float | None
    now: Reached
    before: Reached
    findings: Sequence[Finding]
    """Those that were open in the period, newest first."""
    changes: Sequence[Change]
    """Oldest first; of one minute what was made before what moved."""
    answerers: Sequence[Answerer]
    columns: Sequence[Moved]
    """The farthest first."""
    left_out: int
    """Columns that are not listed."""
    days_kept: tuple[int, int]
    """After how many days minutes became hours, and hours days."""

    @property
    def span(self) -> Span:
        """The period."""
        return self.condition.span

    @property
    def length(self) -> float:
        """How long it is, in seconds."""
        return self.span.until - self.span.since

    @property
    def days(self) -> int:
        """How many days that is; 0 where it is off by more than a quarter of one."""
        days = round(self.length / DAY)
        return days if abs(self.length - days * DAY) <= DAY / 4 else 0


def span_of(since: float, until: float) -> Span:
    """Return a period with steps that a chart can show.

    >>> span_of(0.0, 604_800.0).step / 3_600
    2.0
    """
    if not 0 <= since < until <= LATEST:
        raise wrong_field("to", iso_time(min(max(until, 0.0), LATEST)), "a time after from")
    return Span(since, until, step_of(until - since), WORDS)


def report_period(service: Service, name: str, span: Span) -> Report:
    """Gather how a model did over a period; one that is not over yet ends now."""
    shelved = service.catalogue().model(name)
    model, now = shelved.model, service.clock()
    if span.since < now < span.until:
        span = replace(span, until=now)
    found = condition(service, model.name, replace(span, words=WORDS))
    since, until, key = span.since, span.until, model.key
    columns = _columns(found)
    return Report(
        model=model,
        made_at=now,
        condition=found,
        champion_since=_champion_since(service, key, found.champion),
        now=_reached(found.whole),
        before=_between(service, key, since - (until - since), since),
        findings=_findings(service, key, since, until),
        changes=_changes(service, shelved, since, until),
        answerers=_answerers(service, shelved, found),
        columns=columns[:MOST_COLUMNS],
        left_out=max(0, len(columns) - MOST_COLUMNS),
        days_kept=(service.settings.minutes_days, service.settings.hours_days),
    )


def _reached(whole: Window) -> Reached:
    return Reached(
        whole.predictions,
        whole.verdicts,
        share(whole.correct, whole.judged),
        scored(whole.errors),
    )


def _between(service: Service, model: ModelKey, since: float, until: float) -> Reached:
    windows = service.store.traffic.windows(model, since=max(0.0, since), until=until)
    return _reached(total(windows))


def _champion_since(service: Service, model: ModelKey, champion: Version | None) -> float | None:
    if champion is None:
        return None
    moves = [one for one in service.store.registry.moves(model) if one.alias == CHAMPION]
    return moves[-1].moved_at if moves else champion.created_at


def _findings(service: Service, model: ModelKey, since: float, until: float) -> list[Finding]:
    def was_open(one: Finding) -> bool:
        return one.opened_at <= until and (one.closed_at is None or one.closed_at >= since)

    return service.store.findings.of_model(model, limit=MOST_FINDINGS, wanted=was_open)


# ── what was done ────────────────────────────────────────────────────────────────────────────


def _changes(service: Service, shelved: ShelvedModel, since: float, until: float) -> list[Change]:
    key = shelved.model.key
    jobs = [
        one
        for one in service.store.jobs.of_model(key, MOST_JOBS)
        if one.ended_at is not None and since <= one.ended_at <= until
    ]
    moved = [
        Change(move.moved_at, _moved(move.alias, move.moved_from, move.moved_to, move.reason),
               move.moved_by)
        for move in service.store.registry.moves(key)
        if since <= move.moved_at <= until
    ]  # fmt: skip
    made = {_made_by(job) for job in jobs}
    brought = [
        Change(one.created_at, f"{one.name} was added: {one.origin}.", "")
        for one in shelved.versions.values()
        if since <= one.created_at <= until and one.name not in made
    ]
    ended = [Change(job.ended_at or 0.0, _ended(job), job.asked_by) for job in jobs]
    made_first = [*sorted([*brought, *ended], key=lambda one: one.at), *moved]
    return sorted(made_first, key=lambda one: one.at // MINUTE)[-MOST_CHANGES:]


def _moved(alias: str, before: str | None, now: str | None, reason: str) -> str:
    if now is None:
        return f"{before} is {alias} no more."
    instead = f" in place of {before}" if before else ""
    why = f": {reason.removesuffix('.')}" if reason else ""
    return f"{now} became {alias}{instead}{why}."


def _made_by(job: Job) -> str:
    return str((job.result or {}).get("version") or "")


def _ended(job: Job) -> str:
    what = JOB_WORDS[job.kind]
    if job.reason == "cancelled":
        return f"{what}: cancelled."
    if job.state == "failed":
        return f"{what}: failed. {job.error}"
    if job.kind == "weigh":
        return f"{_made_by(job) or 'A version'} was weighed against the champion."
    return f"{what}: made {_made_by(job) or 'no new version'}."


# ── who answered, and what was asked ─────────────────────────────────────────────────────────


def _answerers(service: Service, shelved: ShelvedModel, found: Condition) -> list[Answerer]:
    span = found.span
    points = accuracy.versions(service, shelved.model.name, since=span.since, until=span.until)
    champion = found.champion.name if found.champion else ""
    sets = measured_on(shelved.versions.values())
    listed = [
        Answerer(
            name,
            shelved.versions.get(name),
            sets.get(name),
            name == champion,
            _reached(point.window),
        )
        for name, point in points.items()
        if point.predictions or point.verdicts
    ]
    return sorted(listed, key=lambda one: -one.reached.predictions)[:MOST_VERSIONS]


def _columns(found: Condition) -> list[Moved]:
    """Return each column where it lay farthest, those that moved first."""
    farthest: dict[str, Moved] = {}
    for check in found.checks:
        for one in check.drifts:
            threshold = found.rules.distance_of(one.column)
            known = farthest.get(one.column)
            moved = one.has_moved or (known is not None and known.has_moved)
            if known is None or one.distance > known.distance:
                known = Moved(one.column, one.distance, threshold, check.starts_at,
                              check.ends_at, moved, one.why)  # fmt: skip
            farthest[one.column] = replace(known, threshold=threshold, has_moved=moved)
    return sorted(farthest.values(), key=lambda one: (not one.has_moved, -one.distance, one.column))
