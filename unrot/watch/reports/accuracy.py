"""How right a model is, for pages, API and monitors.

    rolling     over its last verdicts, the newest included, each version by itself
    over_time   stretch by stretch, with what its confidence makes one expect
    versions    version by version, over the same time
    classes     class by class, with the confusion
    slices      by the values of one feature, over the newest judged rows
    marks       what was done to the model meanwhile: moves of its aliases, finished jobs

All of it reads windows, and the newest rows by an index: it costs the same however many events
the store keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unrot.core.artefacts import CALIBRATION, REFERENCE
from unrot.core.errors import wrong_field
from unrot.core.plurals import counted
from unrot.core.records import CHAMPION, JudgedPrediction, Outcome, Version, Window
from unrot.core.windows import grouped, total
from unrot.hear.truth import was_right
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel
from unrot.watch.monitors.estimate.calibration import (
    FEWEST_ROWS,
    FEWEST_TO_SCORE,
    Calibration,
    Estimate,
    calibrations,
    estimate_windows,
)
from unrot.watch.reports.accuracy_by_feature import Slice, sliced
from unrot.watch.statistics import accuracy
from unrot.watch.statistics.accuracy import ClassScore, Rolled, Scored, Share
from unrot.watch.worth.leaning import noted_leaning
from unrot.watch.worth.verdicts import worth_of_last

MOST_POINTS = 1_000
"""Points of a line: more cannot be told apart on a page."""
ROLLED_POINTS = 500
PAST = 300
"""Verdicts before the last ones, which tell whether they come in bursts."""
MOST_LAST = 1_000
MOST_SLICED = 5_000
MOST_MARKS = 100


@dataclass(frozen=True, slots=True)
class Rolling:
    """Accuracy over the last verdicts, a point a verdict, oldest first."""

    model: str
    version: str
    """The champion, or the version that was asked for; empty where there is none."""
    last: int
    """How many verdicts a point rolls over, all on the version of the point."""
    points: Sequence[Rolled]
    """Of all versions, each point of one."""
    own: Sequence[Outcome] = ()
    """The last verdicts on that version, whenever it answered."""
    newest: Rolled | None = None
    """What these come to; None without any."""
    worth: float = 1.0
    """How many of them say as much as one."""

    @property
    def constant(self) -> Share:
        """What the best constant guess would have reached on them."""
        return accuracy.constant_of(self.own)


@dataclass(frozen=True, slots=True)
class Point:
    """One stretch of time. A rolled hour or day is longer than a step that was asked for."""

    starts_at: float
    seconds: float
    window: Window = field(repr=False)
    """All that was counted in it."""
    accuracy: Share
    errors: Scored
    constant: Share
    """What the best constant guess would have reached on the same verdicts."""
    estimated: Estimate | None = None
    """What the confidence of all predictions of the stretch makes one expect."""
    versions: tuple[str, ...] = ()
    """Whose answers were judged."""

    @property
    def predictions(self) -> int:
        """How many there were."""
        return self.window.predictions

    @property
    def verdicts(self) -> int:
        """How many of its predictions were judged."""
        return self.window.verdicts


@dataclass(frozen=True, slots=True)
class OverTime:
    """Accuracy stretch by stretch, oldest first; a stretch without traffic has no point."""

    model: str
    since: float
    until: float
    step: float
    points: Sequence[Point]
    """Of all versions together."""
    versions: Mapping[str, Sequence[Point]]
    """Of each version by itself."""
    estimate_error: float | None
    """The mean distance of the estimated from the realised accuracy, over closed stretches."""
    estimate_stretches: int
    """How many stretches have enough verdicts to say so."""
    no_estimate: str
    """Why the champion's accuracy is not estimated; empty where it is."""


@dataclass(frozen=True, slots=True)
class Classes:
    """How each class is told, and what was taken for what."""

    model: str
    labels: Sequence[str]
    confusion: Mapping[str, Mapping[str, int]]
    """Predicted → true → how often."""
    scores: Sequence[ClassScore]
    accuracy: Share
    constant: Share
    unlabelled: int
    """Verdicts that say wrong and not what is right."""


@dataclass(frozen=True, slots=True)
class Slices:
    """The newest judged rows, parted by one feature."""

    model: str
    feature: str
    rows: int
    slices: Sequence[Slice]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was done to a model."""

    at: float
    kind: str
    """An alias, or the kind of a job."""
    version: str
    sentence: str


# ── by verdicts ──────────────────────────────────────────────────────────────────────────────


def rolling(
    service: Service,
    name: str,
    last: int | None = None,
    points: int = ROLLED_POINTS,
    version: str | None = None,
) -> Rolling:
    """Roll accuracy over the last verdicts, usually as many as the rules say, on the champion."""
    shelved = service.catalogue().model(name)
    model, traffic = shelved.model.key, service.store.traffic
    version = version or shelved.aliases.get(CHAMPION, "")
    last = last or service.store.findings.rules(model).last_verdicts
    every = traffic.outcomes(model, limit=last + PAST, versions=(version,), with_inputs=True)
    newest = traffic.outcomes(model, limit=last + points - 1)
    # What it answered before these is rolled over as well, and has no points of its own.
    older = [one for one in every if one.given_at < newest[0].given_at]
    worth = worth_of_last(every, last)
    counts = {version: worth}
    rolled = accuracy.rolled([*older, *newest], last, min(points, len(newest)), counts)
    own = accuracy.rolled(every, last, 1, counts)
    return Rolling(
        shelved.model.name, version, last, rolled, every[-last:], own[0] if own else None, worth
    )


def slices(service: Service, name: str, feature: str) -> Slices:
    """Part the newest judged rows by a feature."""
    model = service.catalogue().model(name).model
    if feature not in model.schema.names:
        expected = "one of " + ", ".join(model.schema.names[:20])
        raise wrong_field("slice", feature, expected)
    place = model.schema.names.index(feature)
    rows = service.store.traffic.last_judged(model.key, limit=MOST_SLICED)
    pairs = [
        (row.prediction.inputs[place], outcome)
        for row in rows
        if (outcome := _outcome(row)) is not None and len(row.prediction.inputs) > place
    ]
    values, outcomes = [value for value, _ in pairs], [outcome for _, outcome in pairs]
    return Slices(model.name, feature, len(pairs), sliced(values, outcomes))


def _outcome(row: JudgedPrediction) -> bool | float | None:
    """Return right or wrong, or how far off a number was."""
    made, said = row.prediction, row.feedback
    if said is None:
        return None
    if made.value is not None:
        return abs(made.value - said.label) if isinstance(said.label, int | float) else None
    return was_right(made, said)


# ── by time ──────────────────────────────────────────────────────────────────────────────────


def over_time(service: Service, name: str, *, since: float, until: float, step: float) -> OverTime:
    """Sum the windows of a stretch of time, step by step (seconds, from full UTC days on)."""
    check_span(since, until, step)
    shelved = service.catalogue().model(name)
    windows = service.store.traffic.windows(shelved.model.key, since=since, until=until)
    known = calibrations(service, shelved, [window.version for window in windows])
    points = _points(windows, step, known)
    by_version = grouped(windows, lambda window: window.version)
    is_of_all = not _leans(service, shelved)  # An estimate is of all answers.
    error, stretches = _error_of_estimates(points if is_of_all else (), service.clock())
    return OverTime(
        shelved.model.name,
        since,
        until,
        step,
        points,
        {version: _points(of, step, known) for version, of in sorted(by_version.items())},
        error,
        stretches,
        _no_estimate(shelved.champion, known),
    )


def versions(service: Service, name: str, *, since: float, until: float) -> dict[str, Point]:
    """Sum the windows of a stretch of time for each version."""
    shelved = service.catalogue().model(name)
    windows = service.store.traffic.windows(shelved.model.key, since=since, until=until)
    known = calibrations(service, shelved, [window.version for window in windows])
    parts = grouped(windows, lambda window: window.version)
    return {
        version: _point(of, since, until - since, known) for version, of in sorted(parts.items())
    }


def classes(
    service: Service, name: str, *, since: float, until: float, version: str | None = None
) -> Classes:
    """Sum what was taken for what in a stretch of time, of one version or all."""
    model = service.catalogue().model(name).model
    windows = service.store.traffic.windows(model.key, since=since, until=until)
    of = [one for one in windows if version in (None, one.version)]
    whole = total(of)
    return Classes(
        model.name,
        model.schema.classes,
        whole.confusion,
        accuracy.classes(whole.confusion, model.schema.classes),
        accuracy.share(whole.correct, whole.judged),
        accuracy.constant(whole.confusion, whole.judged),
        accuracy.unlabelled(whole.confusion, whole.judged),
    )


def check_span(since: float, until: float, step: float) -> None:
    """Raise Invalid for a stretch of time that has no point, or more than a page can show."""
    if not since < until:
        raise wrong_field("to", until, "a time after `from`")
    if step < 60 or (until - since) / step > MOST_POINTS:
        least = max(60, -(-int(until - since) // MOST_POINTS))
        expected = f"at least {least} seconds, so that there are at most {MOST_POINTS:,} points"
        raise wrong_field("step", step, expected)


def _points(
    windows: Sequence[Window], step: float, known: Mapping[str, Calibration]
) -> list[Point]:
    parts = grouped(windows, lambda window: window.minute * 60 // step * step)
    return [
        _point(of, starts_at, max(step, *(one.minutes * 60 for one in of)), known)
        for starts_at, of in sorted(parts.items())
    ]


def _point(
    windows: Sequence[Window], starts_at: float, seconds: float, known: Mapping[str, Calibration]
) -> Point:
    whole = total(windows)
    return Point(
        starts_at,
        seconds,
        whole,
        accuracy.share(whole.correct, whole.judged),
        accuracy.scored(whole.errors),
        accuracy.constant(whole.confusion, whole.judged),
        estimate_windows(windows, known),
        tuple(sorted({one.version for one in windows if one.verdicts})),
    )


# ── estimated ────────────────────────────────────────────────────────────────────────────────


def _error_of_estimates(points: Sequence[Point], now: float) -> tuple[float | None, int]:
    """Hold the estimates of closed stretches against what verdicts have said of them since."""
    apart = [
        abs(point.estimated.value - point.accuracy.value)
        for point in points
        if point.estimated is not None
        and point.accuracy.value is not None
        and point.accuracy.count >= FEWEST_TO_SCORE
        and point.starts_at + point.seconds <= now
    ]
    return (sum(apart) / len(apart) if apart else None), len(apart)


def _leans(service: Service, shelved: ShelvedModel) -> bool:
    champion, key = shelved.champion, shelved.model.key
    return bool(champion and noted_leaning(service.store, key, champion.name))


def _no_estimate(champion: Version | None, known: Mapping[str, Calibration]) -> str:
    if champion is None or champion.name in known:
        return ""
    name, held_out = champion.name, champion.metrics.get("rows_held_out", 0)
    if "mae" in champion.metrics:
        return f"{name} answers numbers, which have no probability: nothing can be estimated."
    if held_out < FEWEST_ROWS:
        return (
            f"{name} has a test set of {counted(held_out, 'row')}, and {FEWEST_ROWS} "
            "are needed to learn how often it is right when it is so sure."
        )
    if CALIBRATION in champion.artefacts:
        return ""
    if "log_loss" not in champion.metrics:
        return f"{name} answers without probabilities: nothing can be estimated."
    if REFERENCE in champion.artefacts:
        return (
            f"The world has moved since the test set of {name}: how often it is right when it is "
            "so sure is known once judges have gone through more of its answers and it is refitted."
        )
    return f"{name} was made before accuracy was estimated: the next version has what it takes."


# ── marks ────────────────────────────────────────────────────────────────────────────────────


def marks(service: Service, name: str, *, since: float, until: float) -> list[Mark]:
    """List what was done to a model in a stretch of time, oldest first."""
    model = service.catalogue().model(name).model.key
    found = [
        Mark(
            move.moved_at,
            move.alias,
            move.moved_to or "",
            f"{move.moved_to} became {move.alias}" + (f": {move.reason}." if move.reason else "."),
        )
        for move in service.store.registry.moves(model)
        if move.moved_to and since <= move.moved_at < until
    ]
    for job in service.store.jobs.of_model(model, MOST_MARKS):
        version = str((job.result or {}).get("version") or "")
        if job.ended_at is not None and since <= job.ended_at < until and version:
            found.append(Mark(job.ended_at, job.kind, version, f"{job.kind} made {version}."))
    return sorted(found, key=lambda mark: mark.at)[-MOST_MARKS:]
