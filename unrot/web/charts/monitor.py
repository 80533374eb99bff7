"""The charts of the monitor page, drawn from the condition of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from unrot.core.latency import EDGES, quantile
from unrot.core.records import FINDING_KINDS, Finding, Model
from unrot.watch.reports.accuracy import Point
from unrot.watch.reports.overview import Condition
from unrot.watch.statistics.accuracy import unlabelled
from unrot.web.charts.accuracy import build_accuracy, build_lately, end_of
from unrot.web.charts.axes import Axis, brief, time_axis
from unrot.web.charts.bars import Bucket, bars
from unrot.web.charts.chart import Chart
from unrot.web.charts.confusion import build_confusion
from unrot.web.charts.drift import Linked, build_drift
from unrot.web.charts.grid import Grid
from unrot.web.charts.lines import Measure, Reading, Series, lines
from unrot.web.charts.odd_rows import build_odd_rows, read_rate
from unrot.web.charts.rewards import build_rewards, build_signals
from unrot.web.charts.unsure import build_unsure
from unrot.web.charts.xy import Happening

NOBODY = "Nobody asked it in this time."
UNTIMED = "No prediction of this time was timed."

Led = Callable[[Finding], str]
"""Return where a finding is told of."""


@dataclass(frozen=True, slots=True)
class MonitorCharts:
    """All charts of the page."""

    accuracy: Chart
    lately: Chart
    traffic: Chart
    latency: Chart
    drift: Grid
    confusion: Grid
    outliers: Chart
    rewards: Chart
    signals: Chart
    unsure: Chart | None
    """Of a model that may answer "not sure"."""


def build_monitor(
    model: Model, found: Condition, linked: Linked, led: Led, chosen: tuple[str, float] | None
) -> MonitorCharts:
    """Draw how a model is."""
    x = time_axis(found.span.since, found.span.until)
    checks = [one for one in found.checks if found.version in (None, one.version)]
    return MonitorCharts(
        accuracy=build_accuracy(model.schema, found, happened=_happened(found, led)),
        lately=build_lately(model.schema, found),
        traffic=_build_traffic(found, x),
        latency=_build_latency(found, x),
        drift=build_drift(model.schema, checks, found.rules, x=x, linked=linked, chosen=chosen),
        confusion=build_confusion(
            "confusion",
            "What was taken for what",
            found.whole.confusion,
            model.schema,
            untold=unlabelled(found.whole.confusion, found.whole.judged),
            leaning=found.lately.signs.leaning,
        ),
        outliers=_build_outliers(found, x),
        rewards=build_rewards(found, x),
        signals=build_signals(found, x),
        unsure=_build_unsure(found, x),
    )


def duration(seconds: float) -> str:
    """Write how long a prediction took.

    >>> duration(5e-05), duration(0.02), duration(1.0)
    ('0.05 ms', '20 ms', '1,000 ms')
    """
    return f"{brief(1_000 * seconds)} ms"


def _happened(found: Condition, led: Led) -> list[Happening]:
    """Mark when findings were opened."""
    return [
        Happening(one.opened_at, FINDING_KINDS[one.kind].called, one.sentence, "finding", led(one))
        for one in (*found.open_findings, *found.snoozed_findings, *found.closed_findings)
        if found.span.since <= one.opened_at < found.span.until
    ]


def _build_traffic(found: Condition, x: Axis) -> Chart:
    chosen = [found.version] if found.version else list(found.over_time.versions)
    strangers = [name for name in chosen if name not in found.known_versions]
    return bars(
        "traffic",
        "Traffic",
        _buckets(found, chosen),
        x=x,
        parts=[*strangers, *(name for name in found.known_versions if name in chosen)],
        what="prediction",
        nothing=NOBODY,
    )


def _buckets(found: Condition, versions: list[str]) -> list[Bucket]:
    counts: dict[float, dict[str, float]] = {}
    lengths: dict[float, float] = {}
    for version in versions:
        for point in found.over_time.versions.get(version, ()):
            counts.setdefault(point.starts_at, {})[version] = point.predictions
            lengths[point.starts_at] = max(lengths.get(point.starts_at, 0.0), point.seconds)
    judged = {point.starts_at: point.verdicts for point in found.points}
    return [
        Bucket(at, at + lengths[at], parts, f"{judged.get(at, 0):,} of them judged")
        for at, parts in sorted(counts.items())
    ]


def _build_latency(found: Condition, x: Axis) -> Chart:
    timed = [point for point in found.points if sum(point.window.latency)]
    half, most = ([_within(point, part, found) for point in timed] for part in (0.5, 0.95))
    return lines(
        "latency",
        "How long a prediction takes",
        [Series("Half of them within", half), Series("95 % within", most, "three", "dashed")],
        x=x,
        measure=Measure(duration, low=0.0),
        height="low",
        nothing=UNTIMED if found.whole.predictions else NOBODY,
    )


def _within(point: Point, part: float, found: Condition) -> Reading:
    seconds = quantile(point.window.latency, part)
    words = "or longer" if seconds == inf else ""
    return Reading(end_of(point, found), EDGES[-1] if seconds == inf else seconds, words=words)


def _build_outliers(found: Condition, x: Axis) -> Chart:
    looked = [point for point in found.points if point.window.looked_at]
    return build_odd_rows(
        [
            read_rate(end_of(point, found), point.window.outliers, point.window.looked_at)
            for point in looked
        ],
        found.rules,
        x=x,
        nothing="No row of this time was looked at for oddness.",
    )


def _build_unsure(found: Condition, x: Axis) -> Chart | None:
    asked = [point for point in found.points if point.window.asked_sure]
    return build_unsure([(end_of(point, found), point.window) for point in asked], x=x)
