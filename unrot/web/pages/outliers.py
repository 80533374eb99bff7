"""The page of outliers: the feed, newest first, with what made each row odd; their rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import render_template, request

from unrot.core.records import (
    Feature,
    JudgedPrediction,
    Model,
    Oddity,
    Reason,
    Schema,
    Value,
)
from unrot.watch import findings
from unrot.watch.monitors.outliers.neighbours import EXPECTED_SHARE
from unrot.watch.reports import outliers as feed
from unrot.watch.reports.overview import Span
from unrot.web import spans
from unrot.web.address import TIMES, address_of
from unrot.web.charts.axes import time_axis
from unrot.web.charts.chart import Chart
from unrot.web.charts.odd_rows import build_odd_rows, read_rate
from unrot.web.current import service
from unrot.web.forms import hint
from unrot.web.pages.models import blueprint
from unrot.web.routes import VIEWER
from unrot.web.wording import spoken

OUTLIERS_A_PAGE = 25
TOLD_SHARE = 0.15
"""Features with less than this part of a row's oddness are not worth a word."""

JUST_ABOVE, MOST_TIMES = 1.1, 1_000


@dataclass(frozen=True, slots=True)
class OddFeature:
    """A feature that made a row odd, as people call it."""

    feature: Feature
    value: Value
    share: float
    usual: str


@dataclass(frozen=True, slots=True)
class OddRow:
    """An outlier as the page shows it."""

    oddity: Oddity
    judged: JudgedPrediction | None
    odd: tuple[OddFeature, ...]
    rest: tuple[tuple[Feature, Value], ...]


@blueprint.page("GET", "/models/<model>/outliers", needs=VIEWER)
def list_outliers(model: str) -> str:
    """List a model's outliers, and how many there were in the last periods."""
    shelved, now = service().catalogue().model(model), service().clock()
    before, asked = request.args.get("before"), spans.asked(request.args, now)
    period = spans.period_of({} if asked.problem else request.args, now) or feed.ALL_TIME
    found = feed.feed(service(), model, limit=OUTLIERS_A_PAGE, before=before, period=period)
    schema, champion = shelved.model.schema, shelved.champion
    return render_template(
        "outliers.html",
        model=shelved.model,
        champion=champion,
        can_be_told=champion is not None and feed.can_be_told(champion),
        rows=[odd_row(oddity, judged, schema) for oddity, judged in found.rows],
        rate_chart=_build_rates(shelved.model, asked.span if asked.is_given else None),
        usual=EXPECTED_SHARE,
        before=before,
        next_before=found.next_before,
        asked=replace(spans.shown(request.args, now), problem=asked.problem),
        here=address_of("pages.list_outliers", (*TIMES, "was").__contains__),
    )


@blueprint.app_template_filter()
def times(score: float) -> str:
    """Say how far a row is from its nearest training rows.

    >>> [times(score) for score in (1.04, 3.14, 28.4)]
    ['just above the usual', '3.1 times the usual', '28 times the usual']
    """
    if score < JUST_ABOVE:
        return "just above the usual"
    if score > MOST_TIMES:
        return f"over {MOST_TIMES:,} times the usual"
    return f"{score:.1f} times the usual" if score < 10 else f"{score:.0f} times the usual"


@blueprint.app_template_filter()
def unlike(oddity: Oddity, schema: Schema) -> str:
    """Say that a row is unlike anything that training saw, and what made it so."""
    features = {feature.name: feature for feature in schema.features}
    named = [spoken(features[one.feature]) for one in told(oddity) if one.feature in features]
    listed = " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))
    above_all = f", above all in {listed}" if len(features) > 1 and named else ""
    far = f"{times(oddity.score)} distance from the nearest training rows"
    return f"Unlike anything it was trained on: {far}{above_all}."


def told(oddity: Oddity) -> tuple[Reason, ...]:
    """Return the features that are worth a word, at least the first."""
    return tuple(
        one for place, one in enumerate(oddity.reasons) if not place or one.share >= TOLD_SHARE
    )


def odd_row(oddity: Oddity, judged: JudgedPrediction | None, schema: Schema) -> OddRow:
    """Part the inputs of an outlier: what made it odd, and the rest."""
    cells = {} if judged is None else dict(zip(schema.names, judged.prediction.inputs, strict=True))
    features = {feature.name: feature for feature in schema.features}
    odd = tuple(
        OddFeature(
            features[one.feature], cells.get(one.feature), one.share, hint(features[one.feature])
        )
        for one in told(oddity)
        if one.feature in features
    )
    names = {one.feature.name for one in odd}
    rest = tuple((features[name], value) for name, value in cells.items() if name not in names)
    return OddRow(oddity, judged, odd, rest)


def _build_rates(model: Model, span: Span | None) -> Chart | None:
    """Draw how many rows were odd in a stretch of time, or in the last periods."""
    if span is None:
        rates = feed.rates(service(), model.name)
    else:
        ends = {"since": span.since, "until": span.until}
        rates = feed.rates_around(service(), model.key, int(span.step), **ends)
    if not rates:
        return None
    first, last = rates[0].starts_at, rates[-1].ends_at
    return build_odd_rows(
        [read_rate(one.ends_at, one.outliers, one.looked_at) for one in rates],
        findings.rules(service(), model.name),
        x=time_axis(span.since, span.until) if span else time_axis(first, last),
    )
