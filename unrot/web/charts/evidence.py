"""The charts of a finding: what its numbers looked like around the time that it began.

    rot, estimate   how right it was, and what its confidence made one expect
    drift           the columns that moved farthest, over what they were compared with
    slice           how right the worst parts were before, and are now
    outliers        the share of odd rows, period by period
    quality         each column before and now; refused rows by their reasons
    reasons         what moves its answers, in training and now
    coverage        how often sets held the truth, and what was promised
    abstentions     how often "not sure" was the answer, usually and now

They cost the same however much traffic there was, and are drawn of the past as well. What is not
kept any more is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for

from unrot.core.conformal import sets_of
from unrot.core.percent import roughly
from unrot.core.plurals import counted
from unrot.core.records import Check, Finding, FindingKind, Model
from unrot.core.time import DAY, HOUR, MINUTE
from unrot.serve.service import Service
from unrot.watch.monitors.outliers.rule import start_of
from unrot.watch.reports import accuracy, overview
from unrot.watch.reports import outliers as feed
from unrot.watch.reports.distributions import TRAINING, word_of
from unrot.watch.reports.overview import Closer, Span
from unrot.web import spans
from unrot.web.charts.accuracy import build_accuracy, build_verdicts, happenings
from unrot.web.charts.axes import brief, time_axis
from unrot.web.charts.bars import Group, groups
from unrot.web.charts.chart import Chart
from unrot.web.charts.drift import build_period, column_names
from unrot.web.charts.lines import Level
from unrot.web.charts.odd_rows import build_odd_rows, read_rate
from unrot.web.charts.xy import Happening

MOST_COLUMNS = 4
POINTS = 1_000
"""Verdicts that are read; older falls are drawn by the totals of their time."""
MOST_BEFORE = 150
REACHES = (1, 12, 288)
"""So many times farther back it is looked for traffic from before: what comes once a day too."""
FEWEST_BEFORE = 20
"""So many verdicts before it began make a fall readable verdict by verdict."""
LONGER, MOST_PERIODS = (HOUR, DAY), 300
SPOILT = {
    "missing": "missing",
    "unseen": "never seen in training",
    "range": "outside the range of training",
}
"""What is said of values, by the last word of the cause."""
MOST_BARS, MOST_TOLD = 12, 3
NOT_KEPT = "What it was read from is not kept any more, so it cannot be drawn."


@dataclass(frozen=True, slots=True)
class Evidence:
    """The charts of a finding, and where more of the same is to be seen."""

    charts: Sequence[Chart] = ()
    href: str = ""
    more: str = ""
    said: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A finding, its model, and where all that is kept of it can be read."""

    service: Service
    model: Model
    finding: Finding

    @property
    def told(self) -> Mapping[str, Any]:
        """What the monitor noted."""
        return self.finding.evidence

    def link(self, endpoint: str, **arguments: Any) -> str:
        """Return the address of a page of the model."""
        return url_for(f"pages.{endpoint}", model=self.model.name, **arguments)

    def span(self, least: float, far: int = 1) -> Span:
        """Return the time around it."""
        return spans.around(self.finding, self.service.clock(), least=least, far=far)


def build_evidence(service: Service, name: str, found: Finding) -> Evidence:
    """Draw the evidence of a finding."""
    build = BUILDERS.get(found.kind)
    if build is None:
        return Evidence()
    return build(_Case(service, service.catalogue().model(name).model, found))


def _shown(charts: Sequence[Chart], href: str = "", more: str = "") -> Evidence:
    if all(chart.is_empty for chart in charts):
        return Evidence(said=NOT_KEPT)
    return Evidence(charts, href, more)


# ── how right it was ─────────────────────────────────────────────────────────────────────────


def _build_rot(case: _Case) -> Evidence:
    """Draw the fall verdict by verdict while they can be read; later by the totals of its time."""
    now, span = case.service.clock(), case.span(MINUTE)
    rolling = accuracy.rolling(case.service, case.model.name, points=POINTS)
    before = sum(one.at < case.finding.since for one in rolling.points)
    if before < FEWEST_BEFORE:
        return _build_over_time(case, MINUTE, _before(case.told), "Accuracy")
    until = min(span.until, now)
    shown = [one for one in rolling.points[max(0, before - MOST_BEFORE) :] if one.at <= until]
    marks = accuracy.marks(case.service, case.model.name, since=shown[0].at, until=until)
    chart = build_verdicts(
        case.model.schema,
        shown,
        rolling.last,
        until=until,
        happened=[*happenings(marks), *_moments(case.finding)],
        levels=_before(case.told),
    )
    return _with_monitor(case, chart, span)


def _build_estimate(case: _Case) -> Evidence:
    promised = _level(case.told.get("promised"), "On its test set")
    return _build_over_time(case, HOUR, promised, "Accuracy, estimated and by verdicts")


def _build_over_time(case: _Case, least: float, levels: Sequence[Level], title: str) -> Evidence:
    span = _reaching_back(case, least)
    then = overview.condition(case.service, case.model.name, span)
    begins = min((point.starts_at for point in then.points), default=span.since)
    since = max(span.since, min(begins, case.finding.since))
    chart = build_accuracy(
        case.model.schema,
        replace(then, span=replace(span, since=since)),
        happened=_moments(case.finding),
        levels=levels,
        title=title,
        nothing=NOT_KEPT,
    )
    return _with_monitor(case, chart, span)


def _reaching_back(case: _Case, least: float) -> Span:
    """Return the shortest time around a finding that has traffic from before it."""
    wider = [case.span(least, far) for far in REACHES]
    return next((one for one in wider if _has_traffic_before(case, one)), wider[0])


def _has_traffic_before(case: _Case, span: Span) -> bool:
    timed = accuracy.over_time(
        case.service, case.model.name, since=span.since, until=span.until, step=span.step
    )
    return any(one.starts_at + one.seconds <= case.finding.since for one in timed.points)


def _with_monitor(case: _Case, chart: Chart, span: Span) -> Evidence:
    times: dict[str, Any] = {"from": spans.written(span.since), "to": spans.written(span.until)}
    return _shown([chart], case.link("monitor", **times), "That time on the monitor page")


def _before(told: Mapping[str, Any]) -> list[Level]:
    """Return what it is held against: a floor, what it was before, or what its holdout promised."""
    before = told.get("before")
    name = "Promised by its test set" if told.get("is_from_start") else "Before"
    value = before.get("value") if isinstance(before, Mapping) else None
    return [*_level(told.get("floor"), "Its floor"), *_level(value, name)]


def _level(value: Any, name: str) -> list[Level]:
    return [Level(float(value), name)] if isinstance(value, int | float) else []


def _moments(found: Finding) -> list[Happening]:
    """Mark when it began, was noticed and was over."""
    moments = [
        (found.since, "began", "It began."),
        (found.opened_at, "noticed", "It was noticed."),
        (found.closed_at, "over", "It was over."),
    ]
    return [Happening(at, label, text, "finding") for at, label, text in moments if at is not None]


# ── columns and rows ─────────────────────────────────────────────────────────────────────────


def _build_drift(case: _Case) -> Evidence:
    closers = overview.moved_most(case.service, case.finding, MOST_COLUMNS)
    if not closers:
        return _shown([])
    charts = [
        build_period(case.model.schema, one, name=f"moved-{number}", title=_far(case, one))
        for number, one in enumerate(closers)
        if one.now is not None
    ]
    href = case.link("profiles", pick=_picked(closers[0].check))
    return _shown(charts, href, "All columns of that period")


def _far(case: _Case, one: Closer) -> str:
    name = column_names(case.model.schema).get(one.drift.column, one.drift.column)
    before = "training" if one.check.against == "training" else "the period before"
    return f"{name}: distance {one.drift.distance:.2f} from {before}"


def _picked(check: Check) -> list[str]:
    """Return the words by which the page of profiles lays both sides over each other."""
    now = word_of(check.starts_at, check.ends_at)
    if check.before_starts_at is None or check.before_ends_at is None:
        return [f"{TRAINING}:{check.version}", now]
    return [word_of(check.before_starts_at, check.before_ends_at), now]


def _build_outliers(case: _Case) -> Evidence:
    told = case.told
    length = int(told.get("ends_at", 0.0) - told.get("starts_at", 0.0)) or int(HOUR)
    span = case.span(length)
    most = (span.until - span.since) / MOST_PERIODS
    length = next((one for one in (length, *LONGER) if one >= most), DAY)
    since, until = start_of(span.since, length), start_of(span.until, length) + length
    rates = feed.rates_around(case.service, case.model.key, length, since=since, until=until)
    chart = build_odd_rows(
        [read_rate(one.ends_at, one.outliers, one.looked_at) for one in rates],
        case.service.store.findings.rules(case.model.key),
        x=time_axis(min((one.starts_at for one in rates), default=since), until),
        happened=_moments(case.finding),
        height="tall",
        nothing=NOT_KEPT,
    )
    return _shown([chart], case.link("list_outliers"), "The outliers")


def _build_quality(case: _Case) -> Evidence:
    if reasons := case.told.get("reasons"):
        return _shown([_build_refused(case.told, reasons)])
    columns = case.told.get("features") or ()
    risen = [one for one in columns if {"column", "share", "usual"} <= set(one)]
    return _shown([_build_risen(case, risen[:MOST_BARS])] if risen else [])


def _build_refused(told: Mapping[str, Any], reasons: Mapping[str, int]) -> Chart:
    most_first = dict(sorted(reasons.items(), key=lambda one: -one[1])[:MOST_BARS])
    first, count = next(iter(most_first.items()))
    sent, refused = counted(told.get("rows", 0), "row was", "rows were"), told.get("refused", 0)
    return groups(
        "refused",
        "Refused rows, by reason",
        [Group("Refused rows", most_first, "two")],
        head="Reason",
        says=brief,
        sentence=f"{refused:,} of {sent} refused, most often: {first} ({count:,}).",
    )


def _build_risen(case: _Case, risen: Sequence[Mapping[str, Any]]) -> Chart:
    names = column_names(case.model.schema)
    called = [names.get(one["column"], one["column"]) for one in risen]
    return _build_before_and_now(
        "risen",
        f"Values that are {SPOILT.get(case.finding.cause.rpartition(':')[2], 'not whole')}",
        "Column",
        ("Usually", {name: one["usual"] for name, one in zip(called, risen, strict=True)}),
        ("Now", {name: one["share"] for name, one in zip(called, risen, strict=True)}),
    )


def _build_parts(case: _Case) -> Evidence:
    parts = case.told.get("parts", ())[:MOST_BARS]
    if not parts:
        return Evidence()
    chart = _build_before_and_now(
        "parts",
        "Right answers in each part",
        "Part",
        ("Before", {one["part"]: one["before"] for one in parts}),
        ("Since it fell", {one["part"]: one["accuracy"] for one in parts}),
    )
    return _shown([chart], case.link("explorer"), "Its rows in the explorer")


def _build_reasons(case: _Case) -> Evidence:
    told = case.told.get("features", ())[:MOST_BARS]
    if not told:
        return Evidence()
    names = column_names(case.model.schema)
    called = [names.get(one["feature"], one["feature"]) for one in told]
    chart = _build_before_and_now(
        "reasons",
        "What moves its answers",
        "Feature",
        ("In training", {name: one["usual"] for name, one in zip(called, told, strict=True)}),
        ("Now", {name: one["share"] for name, one in zip(called, told, strict=True)}),
    )
    return _shown([chart], case.link("explorer"), "The rows in the explorer")


def _build_coverage(case: _Case) -> Evidence:
    told = case.told
    if not {"promised", "static", "told"} <= set(told):
        return Evidence()
    held = {"By the test set": told["static"][0], "As told": told["told"][0]}
    promised = dict.fromkeys(held, told["promised"])
    sets = sets_of(case.model.schema).capitalize()
    chart = _build_before_and_now(
        "coverage", "How often they held the truth", sets, ("Promised", promised), ("Now", held)
    )
    return _shown([chart])


def _build_abstentions(case: _Case) -> Evidence:
    told = case.told
    if not {"share", "usual"} <= set(told):
        return Evidence()
    chart = _build_before_and_now(
        "abstentions",
        "Answers of “not sure”",
        "Answer",
        ("Usually", {"Not sure": told["usual"]}),
        ("Now", {"Not sure": told["share"]}),
    )
    return _shown([chart])


def _build_before_and_now(
    name: str,
    title: str,
    head: str,
    before: tuple[str, Mapping[str, float]],
    now: tuple[str, Mapping[str, float]],
) -> Chart:
    """Set shares that each name has now beside those that it had."""
    said = [
        f"{each}: {roughly(share)}, {before[0].lower()} {roughly(before[1][each])}."
        for each, share in now[1].items()
    ]
    return groups(
        name,
        title,
        [Group(*before, "reference"), Group(*now, "two")],
        head=head,
        sentence=" ".join(said[:MOST_TOLD]),
    )


BUILDERS: Mapping[FindingKind, Callable[[_Case], Evidence]] = {
    "rot": _build_rot,
    "drift": _build_drift,
    "outliers": _build_outliers,
    "quality": _build_quality,
    "estimate": _build_estimate,
    "slice": _build_parts,
    "reasons": _build_reasons,
    "coverage": _build_coverage,
    "abstentions": _build_abstentions,
}
