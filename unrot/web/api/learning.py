"""The REST routes of learning: ask for jobs and follow them, look at versions, move aliases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for

from unrot.core.errors import Detail, Invalid
from unrot.core.policy import describe
from unrot.core.records import CHAMPION, JobKind
from unrot.learn import jobs, origins
from unrot.learn import promote as promotion
from unrot.web.api import learning_shapes as shapes
from unrot.web.api.envelope import body_object, failure, parameters, success
from unrot.web.api.models import limit_of
from unrot.web.current import service
from unrot.web.security import caller_of_api, needs

blueprint = Blueprint("learning_api", __name__)

MODEL = "/api/v1/models/<model>"
SECONDS = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")


@blueprint.errorhandler(jobs.Busy)
def busy(error: jobs.Busy) -> Response:
    """Answer with the job that is in the way."""
    answer = failure(409, error.reason, error.message, job=shapes.job(error.job))
    answer.headers["Location"] = _address(error.job.id)
    return answer


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────


@blueprint.post(f"{MODEL}/learn")
@needs("operator")
def learn(model: str) -> Response:
    """Learn on from the verdicts that the champion has not learnt."""
    return _asked(model, "learn", parameters())


@blueprint.post(f"{MODEL}/train_batch")
@needs("operator")
def train_batch(model: str) -> Response:
    """Feed the next rows of the training stream."""
    return _asked(model, "train_batch", parameters())


@blueprint.post(f"{MODEL}/reset")
@needs("operator")
def reset(model: str) -> Response:
    """Begin the training stream anew."""
    return _asked(model, "reset", parameters())


@blueprint.post(f"{MODEL}/refit")
@needs("operator")
def refit(model: str) -> Response:
    """Fit afresh on training data and verdicts."""
    return _asked(model, "refit", parameters())


@blueprint.post(f"{MODEL}/rebuild")
@needs("operator")
def rebuild(model: str) -> Response:
    """Make a version again, perhaps without some verdicts."""
    return _asked(model, "rebuild", parameters())


@blueprint.post(f"{MODEL}/versions/<version>/weigh")
@needs("operator")
def weigh(model: str, version: str) -> Response:
    """Let the gate judge a version once more."""
    _check_only(parameters())
    return _asked(model, "weigh", {"version": version})


@blueprint.post("/train_batch")
@needs("operator")
def train_batch_default() -> Response:
    """Feed the default model."""
    return _asked(service().default_model().model.name, "train_batch", parameters())


@blueprint.post("/reset")
@needs("operator")
def reset_default() -> Response:
    """Begin the default model's training stream anew."""
    return _asked(service().default_model().model.name, "reset", parameters())


@blueprint.get("/api/v1/jobs/<job>")
@needs("viewer")
def job(job: str) -> Response:
    """Say how far a job is, or what came of it."""
    return success({"job": shapes.job(jobs.job(service(), job))})


@blueprint.delete("/api/v1/jobs/<job>")
@needs("operator")
def cancel(job: str) -> Response:
    """Ask that a job ends."""
    return success({"job": shapes.job(jobs.cancel(service(), job))})


@blueprint.get(f"{MODEL}/jobs")
@needs("viewer")
def jobs_of_model(model: str) -> Response:
    """List a model's jobs, newest first."""
    found = jobs.listed(service(), model, limit_of(request.args.get("limit", "50")))
    return success({"jobs": [shapes.job(one) for one in found]})


def _asked(model: str, kind: JobKind, asked: Mapping[str, Any]) -> Response:
    """Queue a job, wait for it as long as the caller wants to, and answer with it."""
    seconds = _seconds(request.args.get("wait", ""))
    made = jobs.ask(service(), model, kind, asked, by=caller_of_api().judge or "")
    if seconds:
        made = jobs.follow(service(), made.id, seconds)
    answer = success({"job": shapes.job(made)}, 202 if made.is_active else 200)
    answer.headers["Location"] = _address(made.id)
    return answer


def _address(job: str) -> str:
    return url_for("learning_api.job", job=job)


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    if SECONDS.fullmatch(text) and float(text) <= jobs.LONGEST_WAIT_SECONDS:
        return float(text)
    expected = f"how many seconds to wait, 0 to {jobs.LONGEST_WAIT_SECONDS:.0f}"
    detail = Detail("wait", text, expected)
    raise Invalid(detail.sentence, details=[detail])


# ── versions ─────────────────────────────────────────────────────────────────────────────────


@blueprint.get(f"{MODEL}/versions")
@needs("viewer")
def versions(model: str) -> Response:
    """List a model's versions with their metrics and what the gate said of them."""
    found = [shapes.listed(one) for one in origins.listed(service(), model)]
    return success({"versions": found, "aliases": service().aliases(model)})


@blueprint.get(f"{MODEL}/versions/<version>")
@needs("viewer")
def version(model: str, version: str) -> Response:
    """Tell how one version came about."""
    limit, after = limit_of(request.args.get("limit", "50")), request.args.get("after", "")
    found = origins.origin(service(), model, version, limit=limit, after=after)
    return success(shapes.origin(found, service().catalogue().model(model).model.schema))


# ── aliases and policy ───────────────────────────────────────────────────────────────────────


@blueprint.post(f"{MODEL}/promote")
@needs("operator")
def promote(model: str) -> Response:
    """Point an alias at a version."""
    given = body_object()
    _check_only(given, "version", "alias", "force", "reason")
    aliases = promotion.promote(
        service(),
        model,
        _text(given, "version", "the name of a version, such as v2"),
        alias=_text(given, "alias", "champion or challenger", CHAMPION),
        force=_flag(given, "force"),
        reason=_text(given, "reason", "a text", ""),
        by=caller_of_api().judge or "",
    )
    return _aliases(model, aliases)


@blueprint.post(f"{MODEL}/rollback")
@needs("operator")
def rollback(model: str) -> Response:
    """Take the champion back to what it was before."""
    given = parameters()
    _check_only(given, "reason")
    reason = _text(given, "reason", "a text", "")
    by = caller_of_api().judge or ""
    return _aliases(model, promotion.rollback(service(), model, by=by, reason=reason))


@blueprint.put(f"{MODEL}/versions/<version>/pin")
@blueprint.delete(f"{MODEL}/versions/<version>/pin")
@needs("operator")
def pin(model: str, version: str) -> Response:
    """Keep the files of a version whatever retention says, or no longer."""
    made = promotion.pin(service(), model, version, is_pinned=request.method == "PUT")
    return success({"version": made.name, "is_pinned": made.is_pinned})


@blueprint.delete(f"{MODEL}/aliases/challenger")
@needs("operator")
def dismiss(model: str) -> Response:
    """Take the challenger out of the shadow."""
    return _aliases(model, promotion.dismiss(service(), model, by=caller_of_api().judge or ""))


@blueprint.get(f"{MODEL}/policy")
@needs("viewer")
def policy(model: str) -> Response:
    """Say what a model may do by itself."""
    return success(describe(promotion.policy(service(), model)))


@blueprint.put(f"{MODEL}/policy")
@needs("operator")
def change_policy(model: str) -> Response:
    """Change what a model may do by itself."""
    return success(describe(promotion.change_policy(service(), model, body_object())))


def _aliases(model: str, aliases: Mapping[str, str]) -> Response:
    return success({"model": model, "aliases": dict(aliases)})


def _check_only(given: Mapping[str, Any], *known: str) -> None:
    for name, value in given.items():
        if name not in known:
            expected = f"only {', '.join(known)}" if known else "no parameters"
            raise _wrong(name, value, expected)


def _text(given: Mapping[str, Any], name: str, expected: str, unsaid: str | None = None) -> str:
    value = given.get(name, unsaid)
    if not isinstance(value, str):
        raise _wrong(name, value, expected)
    return value


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def _wrong(name: str, value: Any, expected: str) -> Invalid:
    detail = Detail(name[:80], value, expected)
    return Invalid(detail.sentence, details=[detail])
