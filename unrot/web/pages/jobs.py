"""The pages of jobs: ask for one, watch it, cancel it, see what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, make_response, render_template, request, url_for

from unrot.core.errors import Invalid, UnrotError
from unrot.core.plurals import there_are
from unrot.core.records import JOB_WORDS, GateVerdict, Job, JobKind, Version
from unrot.learn import jobs
from unrot.learn.promote import last_gate
from unrot.web import security
from unrot.web.current import name_of, service
from unrot.web.pages.models import back_to_versions, blueprint, who
from unrot.web.pages.standing import go, refuse, shown, standing
from unrot.web.reading import whole_or_text
from unrot.web.routes import OPERATOR, VIEWER

MOST_LISTED = 50
KINDS: dict[str, JobKind] = {kind: kind for kind in JOB_WORDS}


@blueprint.app_context_processor
def job_words() -> dict[str, Mapping[JobKind, str]]:
    """Return how jobs are called."""
    return {"job_words": JOB_WORDS}


@blueprint.page("POST", "/models/<model>/jobs", needs=OPERATOR)
def ask(model: str) -> Response:
    """Ask for a job; a model that is busy leads to the job that keeps it so."""
    security.check_csrf()
    kind = KINDS.get(request.form.get("kind", ""))
    if kind is None:
        raise Invalid(f"There is no such kind of job; {there_are(KINDS)}.")
    try:
        made = jobs.ask(service(), model, kind, _asked(kind), by=who())
    except jobs.Busy as busy:
        refuse(busy)
        return go(url_for("pages.job", id=busy.job.id))
    except UnrotError as error:
        refuse(error)
        return go(back_to_versions(model))
    return go(url_for("pages.job", id=made.id))


@blueprint.page("GET", "/models/<model>/jobs", needs=VIEWER)
def list_jobs(model: str) -> str:
    """List a model's jobs, newest first."""
    stands = standing(model)
    listed = jobs.listed(service(), model, MOST_LISTED)
    return render_template("jobs.html", **shown(stands), jobs=listed)


@blueprint.page("GET", "/jobs/<id>", needs=VIEWER)
def job(id: str) -> Response:
    """Show a job; a script asks for the part that changes, whole or as a bar."""
    found = jobs.job(service(), id)
    if request.headers.get("X-Fragment") == "1":
        part = "_job_bar.html" if request.args.get("as") == "bar" else "_job.html"
        answer = make_response(render_template(part, **_about(found)))
        answer.headers["X-Fragment"] = "1"
        return answer
    stands = standing(name_of(found.model))
    return make_response(render_template("job.html", **{**shown(stands), **_about(found)}))


@blueprint.page("POST", "/jobs/<id>/cancel", needs=OPERATOR)
def cancel(id: str) -> Response:
    """Ask that a job ends."""
    security.check_csrf()
    try:
        jobs.cancel(service(), id)
    except UnrotError as error:
        refuse(error)
    return go(url_for("pages.job", id=id))


def _about(found: Job) -> dict[str, Any]:
    made = _made(found)
    said: GateVerdict | None = None
    if made is not None:
        said = last_gate(service(), found.model, made.name)
    model = service().catalogue().by_key(found.model).model
    table = (found.result or {}).get("recipes") or (made.made.get("recipes") if made else None)
    return {
        "job": found,
        "model": model,
        "made": made,
        "gate": said,
        "recipes": table if isinstance(table, list) else [],
    }


def _made(found: Job) -> Version | None:
    """Return the version that a job made or weighed."""
    name = (found.result or {}).get("version")
    if found.kind == "weigh" and found.state == "done":
        name = found.asked.get("version")
    versions = service().store.registry.versions(found.model) if name else []
    return next((one for one in versions if one.name == name), None)


def _asked(kind: JobKind) -> dict[str, Any]:
    form = request.form
    if kind == "train_batch":
        return {"n": whole_or_text(form.get("n", "25").strip())}
    if kind == "rebuild":
        return {"version": form.get("version", ""), "without": form.getlist("without")}
    return {"version": form.get("version", "")} if kind == "weigh" else {}
