"""The REST routes of windows and accuracy."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import Any

from flask import Blueprint, Response, request

from unrot.core import confidence, latency
from unrot.core.errors import Detail, Invalid
from unrot.core.records import Window
from unrot.core.time import DAY, HOUR, MINUTE, WEEK
from unrot.watch import accuracy, judgements
from unrot.watch.accuracy import Classes, OverTime, Point, Rolling, Slices
from unrot.watch.monitors.accuracy import Rolled, Scored, Share
from unrot.watch.monitors.estimates import Estimate
from unrot.watch.monitors.signs import Signs
from unrot.web import moments
from unrot.web.api import shapes
from unrot.web.api.envelope import success
from unrot.web.current import service
from unrot.web.security import needs

blueprint = Blueprint("accuracy_api", __name__, url_prefix="/api/v1")

USUAL_SECONDS = float(DAY)
USUAL_POINTS = 300
STEPS = {"minute": float(MINUTE), "hour": float(HOUR), "day": float(DAY)}
SHOWN_BINS = 20


@blueprint.get("/models/<model>/windows")
@needs("viewer")
def windows(model: str) -> Response:
    """Sum what was counted, step by step, of all versions and of each."""
    found = _over_time(model)
    by_version = {
        (version, point.starts_at): point
        for version, points in found.versions.items()
        for point in points
    }
    points = [
        {
            **_stretch(point),
            **window(point.window),
            "versions": {
                version: window(by_version[version, point.starts_at].window)
                for version in found.versions
                if (version, point.starts_at) in by_version
            },
        }
        for point in found.points
    ]
    return success({**_span(found), "points": points})


@blueprint.get("/models/<model>/accuracy")
@needs("viewer")
def accuracies(model: str) -> Response:
    """Say how right a model is: rolled over verdicts, over time, by version, class and slice."""
    found = _over_time(model)
    version = request.args.get("version") or None
    span = {"since": found.since, "until": found.until}
    by_version = accuracy.versions(service(), model, **span)
    classes = accuracy.classes(service(), model, **span, version=version)
    feature = request.args.get("slice")
    return success(
        {
            **_span(found),
            "rolling": _rolling(model, version),
            "over_time": [point(one) for one in found.points],
            "versions": {name: point(one) for name, one in by_version.items()},
            "classes": class_scores(classes) if classes.labels else None,
            "estimate": {
                "mean_error": found.estimate_error,
                "stretches": found.estimate_stretches,
                "none_because": found.no_estimate or None,
            },
            "slice": sliced(accuracy.slices(service(), model, feature)) if feature else None,
            "marks": [
                {**asdict(mark), "at": shapes.moment(mark.at)}
                for mark in accuracy.marks(service(), model, **span)
            ],
        }
    )


# ── read ─────────────────────────────────────────────────────────────────────────────────────


def _over_time(model: str) -> OverTime:
    now = service().clock()
    since, until = moments.stretch("from", "to", usual=(now - USUAL_SECONDS, now))
    return accuracy.over_time(service(), model, since=since, until=until, step=_step(until - since))


def _step(seconds: float) -> float:
    given = request.args.get("step", "").strip()
    if not given:
        return next((one for one in STEPS.values() if seconds <= one * USUAL_POINTS), float(WEEK))
    if given in STEPS:
        return STEPS[given]
    try:
        read = float(given)
    except ValueError:
        read = 0.0
    if isfinite(read) and read > 0:
        return read
    raise _wrong("step", given, "minute, hour, day, or a number of seconds")


def _rolling(model: str, version: str | None) -> dict[str, Any]:
    rolled = accuracy.rolling(service(), model, _last(), version=version)
    shelved = service().catalogue().model(model)
    return rolling(rolled, judgements.signs_of(service(), shelved, rolled))


def _last() -> int | None:
    given = request.args.get("last", "").strip()
    if not given:
        return None
    is_number = given.isdecimal() and given.isascii() and len(given) < 7
    if not is_number or not 1 <= int(given) <= accuracy.MOST_LAST:
        raise _wrong("last", given, f"how many verdicts, 1 to {accuracy.MOST_LAST:,}")
    return int(given)


def _wrong(name: str, given: str, expected: str) -> Invalid:
    detail = Detail(name, given, expected)
    return Invalid(detail.sentence, details=[detail])


# ── shapes ───────────────────────────────────────────────────────────────────────────────────


def _span(found: OverTime) -> dict[str, Any]:
    return {
        "model": found.model,
        "from": shapes.moment(found.since),
        "to": shapes.moment(found.until),
        "step": found.step,
    }


def _stretch(of: Point) -> dict[str, Any]:
    return {"starts_at": shapes.moment(of.starts_at), "seconds": of.seconds}


def window(counted: Window) -> dict[str, Any]:
    """What was counted; a time of null took more than a second, or is not known."""
    quantiles = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        "predictions": counted.predictions,
        "verdicts": counted.verdicts,
        "judged": counted.judged,
        "correct": counted.correct,
        "looked_at": counted.looked_at,
        "outliers": counted.outliers,
        "rejected": dict(counted.rejected),
        "latency_seconds": {
            name: latency.quantile(counted.latency, share) for name, share in quantiles.items()
        },
        "confidence": confidence.coarser(counted.confidence, SHOWN_BINS)
        if counted.confidence
        else None,
    }


def point(of: Point) -> dict[str, Any]:
    """How right one stretch of time was."""
    return {
        **_stretch(of),
        "predictions": of.predictions,
        "verdicts": of.verdicts,
        "accuracy": share(of.accuracy),
        "errors": errors(of.errors),
        "constant_guess": of.constant.value,
        "estimated": estimated(of.estimated),
    }


def share(of: Share) -> dict[str, Any] | None:
    """A share with its interval; null without verdicts."""
    if of.value is None:
        return None
    return {"value": of.value, "low": of.low, "high": of.high, "verdicts": of.count}


def errors(of: Scored) -> dict[str, Any] | None:
    """How far off numbers were; null without verdicts that tell."""
    if not of.count:
        return None
    return {
        "mae": of.mae,
        "rmse": of.rmse,
        "r2": of.r2,
        "constant_guess_rmse": of.constant_rmse,
        "verdicts": of.count,
    }


def estimated(of: Estimate | None) -> dict[str, Any] | None:
    """An estimated accuracy; null where nothing is estimated."""
    return None if of is None else {"value": of.value, "error": of.error, "predictions": of.rows}


def rolling(of: Rolling, signs: Signs) -> dict[str, Any]:
    """Accuracy over the last verdicts: of one version the newest, each point of its own."""
    return {
        "whose": {
            **(asdict(signs.whose) if signs.whose else {}),
            "judged": signs.judged_then,
            "predicted": signs.predicted_then,
            "is_sample": not signs.is_chosen,
        },
        "last": of.last,
        "version": of.version or None,
        "newest": None if of.newest is None else rolled(of.newest),
        "constant_guess": of.constant.value,
        "points": [rolled(one) for one in of.points],
    }


def rolled(of: Rolled) -> dict[str, Any]:
    """One verdict, and what the last ones on the same version come to."""
    return {
        "at": shapes.moment(of.at),
        "version": of.version,
        "accuracy": share(of.accuracy),
        "errors": errors(of.errors),
    }


def class_scores(of: Classes) -> dict[str, Any]:
    """How each class is told, and what was taken for what."""
    return {
        "accuracy": share(of.accuracy),
        "constant_guess": of.constant.value,
        "unlabelled": of.unlabelled,
        "scores": [asdict(one) for one in of.scores],
        "confusion": {name: dict(row) for name, row in of.confusion.items()},
    }


def sliced(of: Slices) -> dict[str, Any]:
    """The newest judged rows, parted by one feature."""
    return {
        "feature": of.feature,
        "rows": of.rows,
        "slices": [
            {
                "label": one.label,
                "verdicts": one.count,
                "accuracy": share(one.accuracy),
                "mae": one.mae,
                "is_few": one.is_few,
            }
            for one in of.slices
        ],
    }
