"""The charts of the monitor page, drawn from the condition of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from unrot.core.latency import EDGES, quantile
from unrot.core.plurals import counted
from unrot.core.records import Finding, Model, Schema
from unrot.watch.accuracy import Point
from unrot.watch.monitors.health import KINDS
from unrot.watch.overview import Closer, Condition
from unrot.web.charts import (
    Bucket,
    Chart,
    Happening,
    Heat,
    Matrix,
    Moved,
    Part,
    Reading,
    Series,
    bars,
    brief,
    distributions,
    heat,
    lines,
    matrix,
    stretch,
)
from unrot.web.charts.accuracy import accuracy_chart, end_of, lately_chart
from unrot.web.charts.outliers import rate_chart, rate_reading
from unrot.web.wording import called, spoken

CALLED = {
    "output.class": "answer",
    "output.probability": "confidence of the answer",
    "output.value": "answer",
}
"""How people call the columns of what was answered."""

Linked = Callable[[str, float], str]
"""Return where the period of a column that ends then can be looked at."""
Led = Callable[[Finding], str]
"""Return where a finding is told of."""


@dataclass(frozen=True, slots=True)
class Charts:
    """All charts of the page."""

    accuracy: Chart
    lately: Chart
    traffic: Chart
    latency: Chart
    drift: Heat
    confusion: Matrix
    outliers: Chart


def charts_of(
    model: Model, found: Condition, linked: Linked, led: Led, chosen: tuple[str, float] | None
) -> Charts:
    """Draw how a model is."""
    return Charts(
        accuracy=accuracy_chart(model.schema, found, happened=_happened(found, led)),
        lately=lately_chart(model.schema, found),
        traffic=_traffic(found),
        latency=_latency(found),
        drift=_drift(model.schema, found, linked, chosen),
        confusion=_confusion(model.schema, found),
        outliers=_outliers(found),
    )


def closer_chart(schema: Schema, found: Closer, *, name: str = "period", title: str = "") -> Chart:
    """Lay a period of one column over what it is compared with."""
    names = column_names(schema)
    units = {feature.name: feature.unit for feature in schema.features}
    check = found.check
    sides = [
        (f"training of {check.version}" if check.against == "training" else "before", found.before),
        (stretch(check.starts_at, check.ends_at), found.now),
    ]
    parts = [Part(name, one) for name, one in sides if one is not None]
    return distributions(
        name,
        title or f"{names.get(found.drift.column, found.drift.column)}, {sides[1][0]}",
        parts,
        unit=units.get(found.drift.column) or "",
        sentence=None if parts else "Its distributions are not kept any more.",
    )


def column_names(schema: Schema) -> dict[str, str]:
    """Return how people call each column."""
    return {feature.name: spoken(feature) for feature in schema.features} | CALLED


def duration(seconds: float) -> str:
    """Write how long a prediction took.

    >>> duration(5e-05), duration(0.02), duration(1.0)
    ('0.05 ms', '20 ms', '1,000 ms')
    """
    return f"{brief(1_000 * seconds)} ms"


def _happened(found: Condition, led: Led) -> list[Happening]:
    """Mark when findings were opened."""
    return [
        Happening(one.opened_at, KINDS[one.kind], one.sentence, "finding", led(one))
        for one in (*found.open_findings, *found.closed_findings)
        if found.span.since <= one.opened_at < found.span.until
    ]


# ── traffic ──────────────────────────────────────────────────────────────────────────────────


def _traffic(found: Condition) -> Chart:
    chosen = [found.version] if found.version else list(found.over_time.versions)
    parts = [name for name in found.known_versions if name in chosen]
    parts = [*(name for name in chosen if name not in parts), *parts]
    buckets: dict[float, dict[str, float]] = {}
    lengths: dict[float, float] = {}
    for version in chosen:
        for point in found.over_time.versions.get(version, ()):
            buckets.setdefault(point.starts_at, {})[version] = point.predictions
            lengths[point.starts_at] = max(lengths.get(point.starts_at, 0.0), point.seconds)
    judged = {point.starts_at: point.verdicts for point in found.points}
    return bars(
        "traffic",
        "Traffic",
        [
            Bucket(at, at + lengths[at], counts, f"{judged.get(at, 0):,} of them judged")
            for at, counts in sorted(buckets.items())
        ],
        since=found.span.since,
        until=found.span.until,
        parts=parts,
        what="predictions",
        nothing="Nobody asked it in this time.",
    )


def _latency(found: Condition) -> Chart:
    half = [_within(point, 0.5, found) for point in found.points if sum(point.window.latency)]
    most = [_within(point, 0.95, found) for point in found.points if sum(point.window.latency)]
    return lines(
        "latency",
        "How long a prediction takes",
        [Series("Half of them within", half), Series("95% within", most, "three", "dashed")],
        since=found.span.since,
        until=found.span.until,
        says=duration,
        low=0.0,
        height="low",
        nothing="Nobody asked it in this time.",
    )


def _within(point: Point, part: float, found: Condition) -> Reading:
    seconds = quantile(point.window.latency, part)
    words = "or longer" if seconds == inf else ""
    return Reading(end_of(point, found), EDGES[-1] if seconds == inf else seconds, words=words)


def _outliers(found: Condition) -> Chart:
    looked = [point for point in found.points if point.window.looked_at]
    return rate_chart(
        [
            rate_reading(end_of(point, found), point.window.outliers, point.window.looked_at)
            for point in looked
        ],
        rules=found.rules,
        since=found.span.since,
        until=found.span.until,
        height="low",
        nothing="No row of this time was looked at for oddness.",
    )


# ── drift and confusion ──────────────────────────────────────────────────────────────────────


def _drift(
    schema: Schema, found: Condition, linked: Linked, chosen: tuple[str, float] | None
) -> Heat:
    rules = found.rules
    moved = []
    for check in found.checks:
        if found.version not in (None, check.version):
            continue
        for one in check.drifts:
            words = f"{counted(check.rows, 'row')} of {check.version}"
            address = linked(one.column, check.ends_at)
            moved.append(
                Moved(
                    one.column,
                    check.starts_at,
                    check.ends_at,
                    one.distance,
                    rules.distance_of(one.column),
                    one.has_moved,
                    one.is_calm,
                    words,
                    address,
                    check.rows,
                    one.why,
                )
            )
    before = "training" if rules.against == "training" else "the period before"
    return heat(
        "drift",
        f"How far each column has moved from {before}",
        moved,
        since=found.span.since,
        until=found.span.until,
        labels=column_names(schema),
        chosen=chosen,
        nothing=(
            f"No period of this time has been compared with {before} yet: a period is compared "
            f"once it is over and has {counted(rules.least_rows, 'row')}."
        ),
    )


def _confusion(schema: Schema, found: Condition) -> Matrix:
    return matrix(
        "confusion",
        "What was taken for what",
        found.whole.confusion,
        classes=schema.classes,
        called={name: called(name, schema) for name in schema.classes},
        nothing="No verdict on a prediction of this time says what was true.",
    )
