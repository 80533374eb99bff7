"""The REST routes of drift and profiles: checks with both distributions, and whylogs files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from flask import Blueprint, Response, request

from unrot.core.errors import Detail, Invalid
from unrot.core.records import Against, Check, Distribution, Drift, Profile, Summary
from unrot.core.rules import Rules
from unrot.core.time import WEEK
from unrot.watch import periods
from unrot.watch.periods import Portrait
from unrot.web import moments
from unrot.web.api import shapes
from unrot.web.api.envelope import success
from unrot.web.api.models import limit_of
from unrot.web.charts.drift import excuse_of, step_of
from unrot.web.current import service
from unrot.web.security import needs

blueprint = Blueprint("drift_api", __name__, url_prefix="/api/v1")

USUAL_CHECKS = "20"
OTHER_PERIOD = ("against_from", "against_to")


@blueprint.get("/models/<model>/drift")
@needs("viewer")
def drift(model: str) -> Response:
    """Say how far each column moved, period by period, or between two stretches of time."""
    if moments.has_any(*OTHER_PERIOD):
        return _between(model)
    against = _against()
    since, until = moments.stretch("from", "to", usual=(0.0, service().clock()))
    limit = limit_of(request.args.get("limit", USUAL_CHECKS))
    found = periods.checks(service(), model, since=since, until=until, against=against)
    name = service().catalogue().model(model).model.name
    rules = service().store.findings.rules(name)
    shown = found[-limit:]
    return success(
        {
            "model": name,
            "against": against,
            "checks": [_check(one, rules) for one in shown],
            "left_out": len(found) - len(shown),
        }
    )


@blueprint.get("/models/<model>/profiles")
@needs("viewer")
def profiles(model: str) -> Response:
    """List the profiles that start in a stretch of time, the last week if unsaid."""
    name = service().catalogue().model(model).model.name
    now = service().clock()
    until = moments.moment("to", now)
    since, until = moments.stretch("from", "to", usual=(max(0.0, until - WEEK), until))
    limit = limit_of(request.args.get("limit", "50"))
    found = service().store.profiles.of_model(name, since=since, until=until)
    shown = found[-limit:]
    return success(
        {
            "profiles": [_profile(one) for one in shown],
            "left_out": len(found) - len(shown),
        }
    )


@blueprint.get("/models/<model>/profiles/<id>.bin")
@needs("viewer")
def profile_file(model: str, id: str) -> Response:
    """Hand a profile out as the file that whylogs reads."""
    found = periods.profile(service(), model, id)
    answer = Response(found.data, mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{id}.bin")
    return answer


@blueprint.get("/models/<model>/profiles/<id>")
@needs("viewer")
def profile(model: str, id: str) -> Response:
    """Show the distributions of one profile."""
    found = periods.profile(service(), model, id)
    return success({**_profile(found), "columns": columns_of(found.summary)})


def _between(model: str) -> Response:
    """Compare any stretch of time with any other."""
    moments.demand("from", "to", *OTHER_PERIOD)
    now = _portrait(model, "from", "to")
    before = _portrait(model, *OTHER_PERIOD)
    found = periods.apart(service(), model, now, before)
    rules = service().store.findings.rules(service().catalogue().model(model).model.name)
    return success(
        {
            "model": service().catalogue().model(model).model.name,
            "now": portrait(now),
            "before": portrait(before),
            "columns": [_drift(one, now.summary, before.summary, rules, now.rows) for one in found],
        }
    )


def _portrait(model: str, first: str, last: str) -> Portrait:
    since, until = moments.stretch(first, last, usual=(0.0, 0.0))
    return periods.portrait(service(), model, since=since, until=until)


def _against() -> Against:
    given = request.args.get("against") or "training"
    if given not in ("training", "previous"):
        detail = Detail("against", given, "training or previous")
        raise Invalid(detail.sentence, details=[detail])
    return cast(Against, given)


def portrait(one: Portrait) -> dict[str, Any]:
    """Say what a portrait is of, without its distributions."""
    return {
        "starts_at": None if one.starts_at is None else shapes.moment(one.starts_at),
        "ends_at": None if one.ends_at is None else shapes.moment(one.ends_at),
        "rows": one.rows,
        "versions": list(one.versions),
        "left_out": one.left_out,
    }


def columns_of(summary: Summary) -> dict[str, Any]:
    """Write the distributions of all columns."""
    return {name: distribution(one) for name, one in summary.items()}


def distribution(one: Distribution) -> dict[str, Any]:
    """Write a distribution with its bins."""
    bins: dict[str, Sequence[Any]]
    bins = {"edges": one.edges} if one.kind == "number" else {"choices": one.choices}
    return {
        "kind": one.kind,
        "rows": one.rows,
        "missing": one.missing,
        "unseen": one.unseen,
        **bins,
        "counts": one.counts,
        "low": one.low,
        "high": one.high,
        "mean": one.mean,
        "quantiles": one.quantiles,
        "types": one.types,
    }


def _check(check: Check, rules: Rules) -> dict[str, Any]:
    now, before = periods.sides(service(), check)
    return {
        "version": check.version,
        "starts_at": shapes.moment(check.starts_at),
        "ends_at": shapes.moment(check.ends_at),
        "rows": check.rows,
        "rows_before": check.rows_before,
        "columns": [_drift(one, now, before, rules, check.rows) for one in check.drifts],
    }


def _drift(one: Drift, now: Summary, before: Summary, rules: Rules, rows: int) -> dict[str, Any]:
    is_there = one.column in now and one.column in before
    threshold = rules.distance_of(one.column)
    return {
        "column": one.column,
        "distance": one.distance,
        "test": one.test,
        "statistic": one.statistic,
        "is_exact": one.is_exact,
        "chance": one.chance,
        "threshold": threshold,
        "state": step_of(one, threshold),
        "excuse": excuse_of(one, threshold, rows) or None,
        "has_moved": one.has_moved,
        "is_calm": one.is_calm,
        "missing": one.missing,
        "missing_before": one.missing_before,
        "unseen": one.unseen,
        "unseen_before": one.unseen_before,
        "unseen_expected": one.unseen_expected,
        "expected": one.expected,
        "worth": one.worth,
        "surprise": one.surprise,
        "why": one.why,
        "now": distribution(now[one.column]) if is_there else None,
        "before": distribution(before[one.column]) if is_there else None,
    }


def _profile(one: Profile) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "writer": one.writer,
        "starts_at": shapes.moment(one.starts_at),
        "ends_at": shapes.moment(one.ends_at),
        "rows": one.rows,
        "has_bins": bool(one.summary),
    }
