"""The charts of the monitor page, drawn from the condition of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from unrot.accuracy import Mark, Point
from unrot.condition import Closer, Condition, taken_together
from unrot.monitors.latency import EDGES, quantile
from unrot.records import CHAMPION, Model, Schema
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
    share,
    stretch,
)
from unrot.web.words import called, percent, spoken

CALLED = {
    "output.class": "answer",
    "output.probability": "confidence of the answer",
    "output.value": "answer",
}
"""How people call the columns of what was answered."""
SHADOW = "challenger"

Linked = Callable[[str, float], str]
"""Return where the period of a column that ends then can be looked at."""


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
    model: Model, found: Condition, linked: Linked, chosen: tuple[str, float] | None
) -> Charts:
    """Draw how a model is."""
    return Charts(
        accuracy=_accuracy(model.schema, found),
        lately=_lately(model.schema, found),
        traffic=_traffic(found),
        latency=_latency(found),
        drift=_drift(model.schema, found, linked, chosen),
        confusion=_confusion(model.schema, found),
        outliers=_outliers(found),
    )


def closer_chart(schema: Schema, found: Closer) -> Chart:
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
        "period",
        f"{names.get(found.drift.column, found.drift.column)}, {sides[1][0]}",
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


# ── accuracy ─────────────────────────────────────────────────────────────────────────────────


def _accuracy(schema: Schema, found: Condition) -> Chart:
    if not schema.is_classifier:
        return _errors(found)
    points = found.rolled_points
    realised = [_share_reading(point, found) for point in points if point.accuracy.count]
    guesses = [
        Reading(_end(point, found), point.constant.value)
        for point in points
        if point.constant.value is not None
    ]
    expected = [
        Reading(_end(point, found), point.estimated.value)
        for point in taken_together(found.points)
        if point.estimated is not None
    ]
    return lines(
        "accuracy",
        "Accuracy",
        [
            Series("Accuracy", realised),
            Series("Estimated from its confidence", expected, "estimate", "dashed"),
            Series("A constant guess", guesses, "guess", "dotted"),
        ],
        since=found.span.since,
        until=found.span.until,
        happened=_happenings(found.marks),
        says=_percent,
        high=1.0,
        nothing="There is no verdict on a prediction of this time, and nothing to estimate from.",
    )


def _share_reading(point: Point, found: Condition) -> Reading:
    one = point.accuracy
    return Reading(_end(point, found), one.value, one.low, one.high, _counted(one.count, "verdict"))


def _errors(found: Condition) -> Chart:
    points = [point for point in found.rolled_points if point.errors.count]
    guess = found.champion.metrics.get("constant_guess_mae") if found.champion else None
    off = [
        Reading(_end(point, found), point.errors.mae, words=_counted(point.errors.count, "verdict"))
        for point in points
    ]
    squared = [Reading(_end(point, found), point.errors.rmse) for point in points]
    ends = (found.span.since, found.span.until)
    constant = [Reading(at, guess) for at in ends] if guess is not None and points else []
    return lines(
        "accuracy",
        "How far off its answers are",
        [
            Series("Mean error (MAE)", off),
            Series("Root of the mean squared error (RMSE)", squared, "three", "dashed"),
            Series("A constant guess (MAE, at its making)", constant, "guess", "dotted"),
        ],
        since=ends[0],
        until=ends[1],
        happened=_happenings(found.marks),
        low=0.0,
        nothing="No verdict on a prediction of this time says what was true.",
    )


def _lately(schema: Schema, found: Condition) -> Chart:
    """Draw a point a verdict: the line that a fall is seen on first."""
    newest = len(found.lately.points) - 1
    readings = [
        Reading(
            float(number - newest),
            point.accuracy.value if schema.is_classifier else point.errors.mae,
            point.accuracy.low if schema.is_classifier else None,
            point.accuracy.high if schema.is_classifier else None,
            point.version,
        )
        for number, point in enumerate(found.lately.points)
    ]
    last = found.lately.last
    what = "Accuracy" if schema.is_classifier else "Mean error"
    return lines(
        "lately",
        f"Verdict by verdict, over the last {last}",
        [Series(what, readings)],
        since=min(-10.0, float(-newest)),
        until=0.0,
        says=_percent if schema.is_classifier else brief,
        low=None if schema.is_classifier else 0.0,
        high=1.0 if schema.is_classifier else None,
        height="low",
        places=_ago,
        nothing="There is no verdict yet.",
    )


def _ago(place: float) -> str:
    """Say which verdict it is.

    >>> _ago(0.0), _ago(-1.0), _ago(-20.0)
    ('the newest', '1 before', '20 before')
    """
    return f"{-place:.0f} before" if place < -0.5 else "the newest"


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
            Bucket(at, at + lengths[at], counts, _counted(judged.get(at, 0), "of them judged", ""))
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
    return Reading(_end(point, found), EDGES[-1] if seconds == inf else seconds, words=words)


def _outliers(found: Condition) -> Chart:
    looked = [point for point in found.points if point.window.looked_at]
    readings = [
        Reading(
            _end(point, found),
            point.window.outliers / point.window.looked_at,
            words=f"{point.window.outliers:,} of {point.window.looked_at:,} rows",
        )
        for point in looked
    ]
    return lines(
        "outliers",
        "Odd rows",
        [Series("Share of rows that look like nothing in training", readings, "two")],
        since=found.span.since,
        until=found.span.until,
        says=_percent,
        low=0.0,
        high=0.1,
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
            own = rules.features.get(one.column)
            threshold = own.distance if own and own.distance is not None else rules.distance
            words = f"{_counted(check.rows, 'row')} of {check.version}"
            address = linked(one.column, check.ends_at)
            moved.append(
                Moved(
                    one.column,
                    check.starts_at,
                    check.ends_at,
                    one.distance,
                    threshold,
                    one.has_moved,
                    one.is_calm,
                    words,
                    address,
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
            f"once it is over and has {rules.least_rows:,} rows."
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


# ── words ────────────────────────────────────────────────────────────────────────────────────


def _happenings(marks: Sequence[Mark]) -> list[Happening]:
    made = []
    for mark in marks:
        if mark.kind == CHAMPION:
            made.append(Happening(mark.at, mark.version, mark.sentence))
        else:
            label = f"{mark.version} in the shadow" if mark.kind == SHADOW else mark.kind
            made.append(Happening(mark.at, label, mark.sentence, "job"))
    return made


def _end(point: Point, found: Condition) -> float:
    return min(point.starts_at + point.seconds, found.span.until)


def _counted(count: int, what: str, plural: str = "s") -> str:
    return f"{count:,} {what}{'' if count == 1 else plural}"


def _percent(value: float) -> str:
    return share(value) if round(100 * value, 6).is_integer() else percent(value)
