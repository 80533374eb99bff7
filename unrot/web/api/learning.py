"""The REST routes of learning: ask for jobs, follow them, move aliases, say what may be done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from flask import Response, url_for

from unrot.core.policy import describe
from unrot.core.records import Caller, JobKind
from unrot.learn import jobs as work
from unrot.learn import promote as promotion
from unrot.web.api.envelope import body_object, failure, parameters
from unrot.web.api.parameters import Limit, ModelName, VersionName
from unrot.web.api.records import Job
from unrot.web.current import service
from unrot.web.openapi.options import Policy, PolicyBody
from unrot.web.routes import OPERATOR, VIEWER, Coded, route
from unrot.web.shape import UNSET, Expects, From, Keywords, Shape, Unset

SECONDS = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")
LONGEST_WAIT = int(work.LONGEST_WAIT_SECONDS)
JobId = Annotated[
    str, "The id that the job was answered with.", Keywords(example="0123456789abcdef")
]


def busy(error: work.Busy) -> Response:
    """Answer with the job that is in the way."""
    answer = failure(409, error.reason, error.message, job=Job.of(error.job))
    answer.headers["Location"] = _address(error.job.id)
    return answer


# ── what is asked and answered ───────────────────────────────────────────────────────────────


def seconds(text: str) -> float:
    """Read how many seconds to wait."""
    if not SECONDS.fullmatch(text) or float(text) > LONGEST_WAIT:
        raise ValueError
    return float(text)


class WaitQuery(Shape):
    """How long to wait for a job to end."""

    wait: Annotated[
        float,
        "Wait for the end so many seconds, 0 to 60; 200 if it has come.",
        Keywords(minimum=0, maximum=LONGEST_WAIT),
        Expects(f"how many seconds to wait, 0 to {LONGEST_WAIT}", seconds, skips_blank=True),
    ] = 0.0


class JobsQuery(Shape):
    """How many jobs to list."""

    limit: Limit = 50


class Nothing(Shape, named=True, closed=True):
    """No parameters."""


class BatchBody(Shape, named=True, closed=True):
    """How many rows to feed."""

    n: Annotated[int, Keywords(minimum=1)] = 25


class RefitBody(Shape, named=True, closed=True):
    """What rows weigh, by where they come from."""

    weights: dict[str, float] | Unset = UNSET


class RebuildBody(Shape, named=True, closed=True):
    """Which version to make again, and which verdicts to leave out."""

    version: str
    without: Annotated[list[str], Keywords(maxItems=work.MOST_LEFT_OUT)] | Unset = UNSET


class PromoteBody(Shape, named=True, closed=True):
    """Which version answers, or runs in the shadow."""

    version: Annotated[str, Expects("the name of a version, such as v2")]
    alias: Annotated[Literal["champion", "challenger"], Expects("champion or challenger")] = (
        "champion"
    )
    force: bool = False
    reason: Annotated[str, Keywords(maxLength=500)] = ""


class ReasonBody(Shape, named=True, closed=True):
    """Why."""

    reason: Annotated[str, Keywords(maxLength=500)] = ""


class JobAnswer(Shape, named=True):
    """A job."""

    job: Job


class Jobs(Shape, named=True):
    """Jobs, newest first."""

    jobs: list[Job]


class Aliases(Shape, named=True):
    """The aliases of a model as they now stand."""

    model: str
    aliases: dict[str, str]


class Pin(Shape, named=True):
    """Whether the files of a version are kept whatever retention says."""

    version: Annotated[str, From("name")]
    is_pinned: bool


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────

NOTHING: dict[str, Any] = {"nothing": {}}
BATCH = {"batch": {"n": 25}}
WEIGHTS: dict[str, Any] = {"plain": {}, "weighted": {"weights": {"training": 0.5}}}
VERSION = {"version": "v1"}
ANSWERS = (
    "202: the job waits or runs, and `Location` is its address. 200: it has ended while you "
    "waited, done or failed. 409: it cannot be done as things stand; with the reason `busy` the "
    "answer has the `job` that runs."
)


job_route = partial(
    route,
    "POST",
    needs=OPERATOR,
    tag="learning",
    errors=(404, 409, 503),
    takes_nothing=True,
    also=(202,),
    more=ANSWERS,
)
"""A route that asks for a job; what is sent is the job's own to judge."""


@job_route("/models/<model>/learn", body=Nothing, examples=NOTHING)
def learn(model: ModelName, query: WaitQuery, caller: Caller) -> Coded[JobAnswer]:
    """Learn on from the verdicts that wait."""
    return _asked(model, "learn", parameters(), query, caller)


@job_route("/models/<model>/train_batch", body=BatchBody, examples=BATCH)
def train_batch(model: ModelName, query: WaitQuery, caller: Caller) -> Coded[JobAnswer]:
    """Feed the next rows of the training stream."""
    return _asked(model, "train_batch", parameters(), query, caller)


@job_route("/models/<model>/reset", body=Nothing, examples=NOTHING)
def reset(model: ModelName, query: WaitQuery, caller: Caller) -> Coded[JobAnswer]:
    """Begin the training stream anew."""
    return _asked(model, "reset", parameters(), query, caller)


@job_route("/models/<model>/refit", body=RefitBody, examples=WEIGHTS)
def refit(model: ModelName, query: WaitQuery, caller: Caller) -> Coded[JobAnswer]:
    """Fit afresh on training data and verdicts."""
    return _asked(model, "refit", parameters(), query, caller)


# A body is needed, for `version` is; where none is sent, that is what the job finds missing.
@job_route(
    "/models/<model>/rebuild", body=RebuildBody, takes_nothing=False, examples={"again": VERSION}
)
def rebuild(model: ModelName, query: WaitQuery, caller: Caller) -> Coded[JobAnswer]:
    """Make a version again, perhaps without some verdicts."""
    return _asked(model, "rebuild", parameters(), query, caller)


@job_route("/models/<model>/versions/<version>/weigh", examples=NOTHING)
def weigh(
    model: ModelName,
    version: VersionName,
    query: WaitQuery,
    body: Nothing,  # noqa: ARG001  # read so that whatever is sent is refused
    caller: Caller,
) -> Coded[JobAnswer]:
    """Let the gate judge a version once more."""
    return _asked(model, "weigh", {"version": version}, query, caller)


@job_route("/train_batch", prefix="", body=BatchBody, examples=BATCH)
def train_batch_default(query: WaitQuery, caller: Caller) -> Coded[JobAnswer]:
    """Feed the default model."""
    default = service().default_model().model.name
    return _asked(default, "train_batch", parameters(), query, caller)


@job_route("/reset", prefix="", body=Nothing, examples=NOTHING)
def reset_default(query: WaitQuery, caller: Caller) -> Coded[JobAnswer]:
    """Reset the default model."""
    return _asked(service().default_model().model.name, "reset", parameters(), query, caller)


@route("GET", "/jobs/<job>", needs=VIEWER, tag="learning")
def job(job: JobId) -> JobAnswer:
    """Say how far a job is."""
    return JobAnswer(job=Job.of(work.job(service(), job)))


@route("DELETE", "/jobs/<job>", needs=OPERATOR, tag="learning", errors=(409,))
def cancel(job: JobId) -> JobAnswer:
    """Cancel a job: a running one ends at its next step."""
    return JobAnswer(job=Job.of(work.cancel(service(), job)))


@route("GET", "/models/<model>/jobs", needs=VIEWER, tag="learning")
def jobs(model: ModelName, query: JobsQuery) -> Jobs:
    """List jobs, newest first."""
    return Jobs(jobs=[Job.of(one) for one in work.listed(service(), model, query.limit)])


def _asked(
    model: str, kind: JobKind, asked: Mapping[str, Any], query: WaitQuery, caller: Caller
) -> Coded[JobAnswer]:
    """Queue a job, wait for it as long as the caller wants to, and answer with it."""
    made = work.ask(service(), model, kind, asked, by=caller.judge or "")
    if query.wait:
        made = work.follow(service(), made.id, query.wait)
    headers = {"Location": _address(made.id)}
    return Coded(JobAnswer(job=Job.of(made)), 202 if made.is_active else 200, headers)


def _address(job: str) -> str:
    return url_for("api.job", job=job)


# ── aliases and policy ───────────────────────────────────────────────────────────────────────


@route(
    "POST",
    "/models/<model>/promote",
    needs=OPERATOR,
    tag="learning",
    errors=(409,),
    examples={"champion": VERSION},
)
def promote(model: ModelName, body: PromoteBody, caller: Caller) -> Aliases:
    """Let a version answer, or run in the shadow as challenger."""
    moved = promotion.promote(
        service(),
        model,
        body.version,
        alias=body.alias,
        force=body.force,
        reason=body.reason,
        by=caller.judge or "",
    )
    return Aliases(model=model, aliases=moved)


@route(
    "POST",
    "/models/<model>/rollback",
    needs=OPERATOR,
    tag="learning",
    errors=(409,),
    takes_nothing=True,
    examples={"plain": {}, "why": {"reason": "It was worse on Mondays."}},
)
def rollback(model: ModelName, body: ReasonBody, caller: Caller) -> Aliases:
    """Take the champion back to what it was before."""
    by = caller.judge or ""
    moved = promotion.rollback(service(), model, by=by, reason=body.reason)
    return Aliases(model=model, aliases=moved)


@route(
    "DELETE",
    "/models/<model>/aliases/challenger",
    needs=OPERATOR,
    tag="learning",
    errors=(409,),
)
def dismiss(model: ModelName, caller: Caller) -> Aliases:
    """Take the challenger out of the shadow."""
    moved = promotion.dismiss(service(), model, by=caller.judge or "")
    return Aliases(model=model, aliases=moved)


PIN = "/models/<model>/versions/<version>/pin"


@route("DELETE", PIN, needs=OPERATOR, tag="learning", errors=(409,))
def unpin(model: ModelName, version: VersionName) -> Pin:
    """Keep them no longer than others."""
    return Pin.of(promotion.pin(service(), model, version, is_pinned=False))


@route("PUT", PIN, needs=OPERATOR, tag="learning", errors=(409,))
def pin(model: ModelName, version: VersionName) -> Pin:
    """Keep the files of a version whatever retention says."""
    return Pin.of(promotion.pin(service(), model, version, is_pinned=True))


@route("GET", "/models/<model>/policy", needs=VIEWER, tag="learning")
def policy(model: ModelName) -> Policy:
    """Say what a model may do by itself."""
    return describe(promotion.policy(service(), model))


@route(
    "PUT",
    "/models/<model>/policy",
    needs=OPERATOR,
    tag="learning",
    errors=(409,),
    body=PolicyBody,
    examples={"some": {"promote": "manual", "batch": 50}},
)
def change_policy(model: ModelName) -> Policy:
    """Change some of what a model may do by itself."""
    return describe(promotion.change_policy(service(), model, body_object()))
