"""The charts of a finding: what its numbers looked like around the time that it began.

    rot, estimate   how right it was, and what its confidence made one expect
    drift           the columns that moved farthest, over what they were compared with
    slice           how right the worst parts were before, and are now
    outliers        the share of odd rows, period by period
    quality         each column before and now; refused rows by their reasons

They cost the same however much traffic there was, and are drawn of the past as well. What is not
kept any more is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for

from unrot.core.plurals import counted
from unrot.core.records import Check, Finding, Model
from unrot.core.time import DAY, HOUR, MINUTE
from unrot.serve.service import Service
from unrot.watch import accuracy, overview
from unrot.watch.distributions_view import TRAINING, word_of
from unrot.watch.outliers import feed
from unrot.watch.outliers.bursts import start_of
from unrot.watch.overview import Closer, Span
from unrot.web import spans
from unrot.web.charts import Chart, Group, Happening, Level, brief, groups
from unrot.web.charts.accuracy import accuracy_chart, happenings, percents, verdict_chart
from unrot.web.charts.monitor import closer_chart, column_names
from unrot.web.charts.outliers import rate_chart, rate_reading

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
class Drawn:
    """The charts of a finding, and where more of the same is to be seen."""

    charts: Sequence[Chart] = ()
    href: str = ""
    more: str = ""
    said: str = ""
    """Why there is none."""


def charts_of(service: Service, name: str, found: Finding) -> Drawn:
    """Draw the evidence of a finding."""
    model = service.catalogue().model(name).model
    draw = {
        "rot": _rot,
        "drift": _drift,
        "outliers": _outliers,
        "quality": _quality,
        "estimate": _estimate,
        "slice": _parts,
    }.get(found.kind)
    return Drawn() if draw is None else draw(service, model, found)


# ── how right it was ─────────────────────────────────────────────────────────────────────────


def _rot(service: Service, model: Model, found: Finding) -> Drawn:
    """Draw the fall verdict by verdict while they can be read; later by the totals of its time."""
    now = service.clock()
    span, rolling = spans.around(found, now), accuracy.rolling(service, model.name, points=POINTS)
    before = sum(one.at < found.since for one in rolling.points)
    if before < FEWEST_BEFORE:
        return _over_time(service, model, found, MINUTE, _before(found), "Accuracy")
    until = min(span.until, now)
    shown = [one for one in rolling.points[max(0, before - MOST_BEFORE) :] if one.at <= until]
    marks = accuracy.marks(service, model.name, since=shown[0].at, until=until)
    chart = verdict_chart(
        model.schema,
        shown,
        rolling.last,
        until=until,
        happened=[*happenings(marks), *_moments(found)],
        levels=_before(found),
    )
    return _with_monitor(model, chart, span)


def _estimate(service: Service, model: Model, found: Finding) -> Drawn:
    promised = _level(found.evidence.get("promised"), "On its holdout")
    return _over_time(service, model, found, HOUR, promised, "Accuracy, estimated and by verdicts")


def _over_time(
    service: Service,
    model: Model,
    found: Finding,
    least: float,
    levels: Sequence[Level],
    title: str,
) -> Drawn:
    span = _reaching_back(service, model, found, least)
    then = overview.condition(service, model.name, span)
    begins = min((point.starts_at for point in then.points), default=span.since)
    then = replace(then, span=replace(span, since=max(span.since, min(begins, found.since))))
    chart = accuracy_chart(
        model.schema,
        then,
        happened=_moments(found),
        levels=levels,
        title=title,
        nothing=NOT_KEPT,
    )
    return _with_monitor(model, chart, span)


def _reaching_back(service: Service, model: Model, found: Finding, least: float) -> Span:
    """Return the shortest time around a finding that has traffic from before it."""
    wider = [spans.around(found, service.clock(), least=least, far=far) for far in REACHES]
    for span in wider:
        timed = accuracy.over_time(
            service, model.name, since=span.since, until=span.until, step=span.step
        )
        if any(point.starts_at + point.seconds <= found.since for point in timed.points):
            return span
    return wider[0]


def _with_monitor(model: Model, chart: Chart, span: Span) -> Drawn:
    times: dict[str, Any] = {"from": spans.written(span.since), "to": spans.written(span.until)}
    href = url_for("pages.monitor", model=model.name, **times)
    return _drawn([chart], href, "That time on the monitor page")


def _before(found: Finding) -> list[Level]:
    """Return what it is held against: a floor, what it was before, or what its holdout promised."""
    told = found.evidence
    before = told.get("before")
    name = "Promised by its holdout" if told.get("is_from_start") else "Before"
    value = before.get("value") if isinstance(before, Mapping) else None
    return [*_level(told.get("floor"), "Its floor"), *_level(value, name)]


def _level(value: Any, name: str) -> list[Level]:
    return [Level(float(value), name)] if isinstance(value, int | float) else []


def _moments(found: Finding) -> list[Happening]:
    """Mark when it began, was noticed and was over."""
    marks = [
        Happening(found.since, "began", "It began.", "finding"),
        Happening(found.opened_at, "noticed", "It was noticed.", "finding"),
    ]
    if found.closed_at is not None:
        marks.append(Happening(found.closed_at, "over", "It was over.", "finding"))
    return marks


# ── columns and rows ─────────────────────────────────────────────────────────────────────────


def _drift(service: Service, model: Model, found: Finding) -> Drawn:
    closers = overview.moved_most(service, found, MOST_COLUMNS)
    names = column_names(model.schema)
    charts = [
        closer_chart(
            model.schema,
            one,
            name=f"moved-{number}",
            title=f"{names.get(one.drift.column, one.drift.column)}: {_far(one)}",
        )
        for number, one in enumerate(closers)
        if one.now is not None
    ]
    if not closers:
        return _drawn([], "", "")
    href = url_for("pages.profiles", model=model.name, pick=_picked(closers[0].check))
    return _drawn(charts, href, "All columns of that period")


def _far(one: Closer) -> str:
    before = "training" if one.check.against == "training" else "the period before"
    return f"distance {one.drift.distance:.2f} from {before}"


def _picked(check: Check) -> list[str]:
    """Return the words by which the page of profiles lays both sides over each other."""
    now = word_of(check.starts_at, check.ends_at)
    if check.before_starts_at is None or check.before_ends_at is None:
        return [f"{TRAINING}:{check.version}", now]
    return [word_of(check.before_starts_at, check.before_ends_at), now]


def _outliers(service: Service, model: Model, found: Finding) -> Drawn:
    told = found.evidence
    length = int(told.get("ends_at", 0.0) - told.get("starts_at", 0.0)) or int(HOUR)
    span = spans.around(found, service.clock(), least=length)
    length = next((one for one in (length, *LONGER) if _periods(span, one) <= MOST_PERIODS), DAY)
    since, until = start_of(span.since, length), start_of(span.until, length) + length
    rates = feed.rates_around(service, model.name, length, since=since, until=until)
    chart = rate_chart(
        [rate_reading(one.ends_at, one.outliers, one.looked_at) for one in rates],
        rules=service.store.findings.rules(model.name),
        since=min((one.starts_at for one in rates), default=since),
        until=until,
        happened=_moments(found),
        nothing=NOT_KEPT,
    )
    return _drawn([chart], url_for("pages.list_outliers", model=model.name), "The odd rows")


def _periods(span: Span, length: int) -> float:
    return (span.until - span.since) / length


def _quality(service: Service, model: Model, found: Finding) -> Drawn:
    del service  # The finding itself has all of it.
    reasons, columns = found.evidence.get("reasons"), found.evidence.get("features")
    if isinstance(reasons, Mapping) and reasons:
        return _drawn([_refused(found, reasons)], "", "")
    risen = [one for one in columns or () if {"column", "share", "usual"} <= set(one)]
    return _drawn([_risen(model, found, risen[:MOST_BARS])] if risen else [], "", "")


def _parts(service: Service, model: Model, found: Finding) -> Drawn:
    del service  # The finding itself has all of it.
    parts = list(found.evidence.get("parts", ()))[:MOST_BARS]
    if not parts:
        return Drawn()
    names = [one["part"] for one in parts]
    said = [
        f"{one['part']}: {percents(one['accuracy'])}, before {percents(one['before'])}."
        for one in parts[:MOST_TOLD]
    ]
    chart = groups(
        "parts",
        "Right answers in each part",
        [
            Group(title, dict(zip(names, (one[side] for one in parts), strict=True)), tone)
            for title, side, tone in (("Before", "before", "reference"),
                                      ("Since it fell", "accuracy", "two"))
        ],
        head="Part",
        says=percents,
        sentence=" ".join(said),
    )  # fmt: skip
    return _drawn([chart], url_for("pages.explorer", model=model.name), "Its rows in the explorer")


def _refused(found: Finding, reasons: Mapping[str, int]) -> Chart:
    first = max(reasons, key=lambda reason: reasons[reason])
    kept = dict(sorted(reasons.items(), key=lambda one: -one[1])[:MOST_BARS])
    sent, refused = found.evidence.get("rows", 0), found.evidence.get("refused", 0)
    return groups(
        "refused",
        "Refused rows, by reason",
        [Group("Refused rows", kept, "two")],
        head="Reason",
        says=brief,
        sentence=f"{refused:,} of {counted(sent, 'row was', 'rows were')} refused, most "
        f"often: {first} "
        f"({reasons[first]:,}).",
    )


def _risen(model: Model, found: Finding, risen: Sequence[Mapping[str, Any]]) -> Chart:
    names = column_names(model.schema)
    what = SPOILT.get(found.cause.rpartition(":")[2], "not whole")
    called = [names.get(one["column"], one["column"]) for one in risen]
    said = [
        f"{name}: {percents(one['share'])}, usually {percents(one['usual'])}."
        for name, one in zip(called, risen, strict=True)
    ]
    return groups(
        "risen",
        f"Values that are {what}",
        [
            Group(title, dict(zip(called, (one[side] for one in risen), strict=True)), tone)
            for title, side, tone in (("Usually", "usual", "reference"), ("Now", "share", "two"))
        ],
        head="Column",
        says=percents,
        sentence=" ".join(said[:MOST_TOLD]),
    )  # fmt: skip


def _drawn(charts: Sequence[Chart], href: str, more: str) -> Drawn:
    if all(chart.is_empty for chart in charts):
        return Drawn(said=NOT_KEPT)
    return Drawn(charts, href, more)
