"""The page of outliers: the feed, newest first, with what made each row odd; their rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import render_template, request

from unrot import outliers
from unrot.errors import NotFound
from unrot.monitors.bursts import DAY, Rate
from unrot.monitors.neighbours import EXPECTED_SHARE
from unrot.records import Feature, JudgedPrediction, Schema, Value, Version
from unrot.shelf import ShelvedModel
from unrot.symptoms import Oddity, Reason
from unrot.web.forms import hint
from unrot.web.here import service
from unrot.web.pages import blueprint, only
from unrot.web.words import spoken

OUTLIERS_A_PAGE = 25
RATES_SHOWN = 12
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


@blueprint.get("/models/<model>/outliers")
@only("viewer")
def list_outliers(model: str) -> str:
    """List a model's outliers, and how many there were in the last periods."""
    shelved = service().catalogue().model(model)
    before = request.args.get("before")
    found = outliers.feed(service(), model, limit=OUTLIERS_A_PAGE, before=before)
    schema = shelved.model.schema
    champion = _champion(shelved)
    return render_template(
        "outliers.html",
        model=shelved.model,
        champion=champion,
        can_be_told=champion is not None and outliers.can_be_told(champion),
        rows=[odd_row(oddity, judged, schema) for oddity, judged in found.rows],
        rates=outliers.rates(service(), model)[::-1],
        rates_shown=RATES_SHOWN,
        usual=EXPECTED_SHARE,
        before=before,
        next_before=found.next_before,
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
def span(rate: Rate) -> str:
    """Write a period: the end in full only where it is on another day.

    >>> noon = 1_767_355_200
    >>> span(Rate(noon, noon + 3_600, 9, 1)), span(Rate(noon - 43_200, noon + 43_200, 9, 1))
    ('2026-01-02 12:00–13:00', '2026-01-02')
    """
    starts, ends = (datetime.fromtimestamp(at, UTC) for at in (rate.starts_at, rate.ends_at))
    if rate.ends_at - rate.starts_at == DAY:
        return f"{starts:%Y-%m-%d}"
    if rate.ends_at - rate.starts_at > DAY:
        return f"{starts:%Y-%m-%d} to {ends:%Y-%m-%d}"
    return f"{starts:%Y-%m-%d %H:%M}–{ends:%H:%M}"


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


def _champion(shelved: ShelvedModel) -> Version | None:
    try:
        return shelved.version()
    except NotFound:
        return None
