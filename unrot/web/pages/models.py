"""The pages for people: read the form, call one use case, render.

A form that a script sent (`X-Fragment`) is answered with the part of the page that changes; the
same template renders it inside the whole page when there is no script.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import (
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from unrot import __version__
from unrot.core.errors import Detail, NotFound, NotKnown, StoreAway, UnrotError
from unrot.core.plurals import counted, plural
from unrot.core.records import Prediction, Tally, Version
from unrot.core.test_sets import measured_on
from unrot.core.time import short_time, spoken_age
from unrot.make.csv import pasted
from unrot.serve.shelf import ShelvedModel
from unrot.serve.sure import HowSure, how_sure
from unrot.watch.monitors.outliers.detector import oddity_of
from unrot.watch.profiles.histograms import histograms
from unrot.web import forms, security, wording
from unrot.web.current import service
from unrot.web.errors import headers_of, status_of
from unrot.web.pages import groups, story, thumbs
from unrot.web.routes import ANYONE, Pages
from unrot.web.snippets import snippets

blueprint = Pages("pages", __name__)
blueprint.add_app_template_filter(wording.unbroken, "percent")
for word in (
    wording.together,
    wording.number,
    wording.thousands,
    wording.rough,
    wording.signed,
    wording.valued,
    wording.origin,
    wording.metrics,
    wording.iso,
    short_time,
    spoken_age,
    wording.spoken,
    wording.called,
    counted,
    plural,
    story.purpose,
    story.quality,
    story.judged,
    story.lately,
    story.next_version,
):
    blueprint.add_app_template_filter(word)


@blueprint.page("GET", "/models/<model>", needs=ANYONE)
def model(model: str) -> str:
    """Say what a model does and offer its form."""
    shelved = service().catalogue().model(model)
    schema = shelved.model.schema
    tallies = _tallies({model: shelved})
    return render_template(
        "model.html",
        **about(shelved),
        **form_parts(shelved, forms.example(schema)),
        is_fresh=True,
        tally=tallies.get(model),
        is_store_away=not tallies,
    )


@blueprint.page("POST", "/models/<model>", needs=ANYONE)
def predict(model: str) -> Response:
    """Answer the form. Nothing here asks the store, so that a dead one stops no answer."""
    shelved = service().catalogue().model(model)
    schema = shelved.model.schema
    texts = forms.typed(schema, request.form)
    try:
        security.check_csrf()
        inputs = forms.inputs(schema, texts)
        answer = service().predict(model, inputs, caller=security.caller_of_page())
    except UnrotError as error:
        said = {**form_parts(shelved, texts, error.details), "problem": error.message}
        refusal = part("model", "_try.html", status_of(error), **about(shelved), **said)
        refusal.headers.update(headers_of(error))
        return refusal
    made = answer.predictions[0]
    row_in_text = json.dumps(dict(zip(schema.names, made.inputs, strict=True)))
    said = {
        **form_parts(shelved, texts),
        **answer_parts(answer.shelved, made),
        "thumbs": thumbs.offer(shelved.model, made),
        "row_in_text": row_in_text,
        "row_token": service().ids.sign_row(made.id, made.version, row_in_text) if made.id else "",
        "what_if_row": row_in_text,
    }
    return part("model", "_try.html", 200, **about(shelved), **said)


@blueprint.page("POST", "/models/<model>/paste", needs=ANYONE)
def paste(model: str) -> Response:
    """Fill the form from a pasted row; nothing is predicted until somebody has seen it."""
    shelved = service().catalogue().model(model)
    schema = shelved.model.schema
    text = request.form.get("row", "")
    try:
        security.check_csrf()
        found = pasted.read(schema, text)
    except UnrotError as error:
        example = forms.example(schema)
        said = {**form_parts(shelved, example), "row": text, "paste_problem": error.message}
        return part("model", "_try.html", status_of(error), **about(shelved), **said)
    texts = forms.pasted(schema, found.values)
    said = {**form_parts(shelved, texts, forms.problems(schema, texts)), "pasted": found}
    return part("model", "_try.html", 200, **about(shelved), **said)


@blueprint.page("POST", "/models/<model>/code", needs=ANYONE)
def code(model: str) -> Response:
    """Write the values of the form as a request of a program; nothing is predicted."""
    shelved = service().catalogue().model(model)
    security.check_csrf()
    texts = forms.typed(shelved.model.schema, request.form)
    said = {**form_parts(shelved, texts), "shows_code": True}
    return part("model", "_code.html", 200, **about(shelved), **said)


@blueprint.page("POST", "/models/<model>/feedback", needs=ANYONE)
def feedback(model: str) -> Response:
    """Keep a verdict."""
    shelved = service().catalogue().model(model)
    caller = security.caller_of_page()
    under = thumbs.vote(service(), shelved.model, request.form, caller)
    return part("verdict", "_verdict.html", under.code, **about(shelved), thumbs=under)


@blueprint.page("POST", "/models/<model>/feedback/undo", needs=ANYONE)
def undo(model: str) -> Response:
    """Take a verdict back."""
    shelved = service().catalogue().model(model)
    caller = security.caller_of_page()
    under = thumbs.undo(service(), shelved.model, request.form, caller)
    return part("verdict", "_verdict.html", under.code, **about(shelved), thumbs=under)


@blueprint.page(
    "GET",
    "/models/<model>/paste",
    "/models/<model>/code",
    "/models/<model>/feedback",
    "/models/<model>/feedback/undo",
    "/models/<model>/why",
    needs=ANYONE,
)
def after_feedback(model: str) -> Any:
    """Lead whoever comes back to the address of a vote, a pasted row or a why to the model."""
    return redirect(url_for("pages.model", model=model))


@blueprint.page("GET", "/login", needs=ANYONE)
def login() -> str:
    """Ask for a token."""
    return _login_page()


@blueprint.page("POST", "/login", needs=ANYONE)
def sign_in() -> Any:
    """Exchange a token for a session."""
    security.check_csrf()
    problem = "This token is not known here."
    try:
        if security.sign_in(request.form.get("token", "")):
            return redirect(_next(), 303)
    except NotKnown as ended:
        problem = ended.message
    answer = make_response(_login_page(problem=problem), 401)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


@blueprint.page("POST", "/logout", needs=ANYONE)
def sign_out() -> Any:
    """Close the session."""
    security.check_csrf()
    security.sign_out()
    return redirect(url_for("pages.home"), 303)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Let no cache hand one person's page to another, nor the back button a signed-in one."""
    is_signed_in = security.caller_of_page().role != "anyone"
    response.headers["Cache-Control"] = "no-store" if is_signed_in else "private, no-cache"
    return response


@blueprint.app_template_global()
def asset(name: str) -> str:
    """Return the address of a static file; it changes when the file does."""
    made_at = (Path(current_app.static_folder or "") / name).stat().st_mtime
    return url_for("static", filename=name, v=int(made_at))


@blueprint.app_context_processor
def everywhere() -> dict[str, str]:
    """Return what every page shows."""
    return {"unrot_version": __version__}


def local_path(given: str) -> str | None:
    """Return a path of this site as it was given; None for whatever could lead elsewhere.

    >>> [local_path(given) for given in ("/models/iris", "//evil", "/\\\\evil", "https://evil")]
    ['/models/iris', None, None, None]
    """
    is_path = given.startswith("/") and not given.startswith("//") and "\\" not in given
    return given if is_path and given.isprintable() and " " not in given else None


def back_to_versions(model: str) -> str:
    """Return the page that a form came from, else that of the model's versions."""
    return local_path(request.form.get("back", "")) or url_for("pages.versions", model=model)


def who() -> str:
    """Return who it is that asks for something, as records have it."""
    return security.caller_of_page().called


def _next() -> str:
    return local_path(request.values.get("next", "")) or url_for("pages.home")


def _login_page(problem: str = "") -> str:
    can_sign_in = security.doorkeeper().can_be("viewer", service())
    return render_template("login.html", next=_next(), can_sign_in=can_sign_in, problem=problem)


def part(page: str, part: str, code: int, **context: Any) -> Response:
    """Answer a script with a part, everybody else with the page that holds it."""
    is_fragment = request.headers.get("X-Fragment") == "1"
    answer = make_response(render_template(part if is_fragment else f"{page}.html", **context))
    answer.status_code = code
    if is_fragment:
        answer.headers["X-Fragment"] = "1"
    if code == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def about(shelved: ShelvedModel) -> dict[str, Any]:
    """Return what every page of a model that anyone may see knows of it."""
    try:
        champion = shelved.version()
    except NotFound:
        champion = None
    trouble = service().catalogue().problems.get(shelved.model.name, "")
    on = None
    if champion is not None:
        on = measured_on(shelved.versions.values()).get(champion.name)
    return {"model": shelved.model, "champion": champion, "measured_on": on, "trouble": trouble}


def form_parts(
    shelved: ShelvedModel, texts: Mapping[str, str], details: Sequence[Detail] = ()
) -> dict[str, Any]:
    """Return what the form of a model shows."""
    model, schema = shelved.model, shelved.model.schema
    champion = shelved.champion
    bars = {} if champion is None else histograms(service().shelf, shelved, champion)
    is_long = groups.is_long(schema)
    fields = forms.fields(schema, texts, details, keeps_all=is_long, bars=bars)
    inputs = forms.inputs_to_paste(schema, texts)
    return {
        "fields": fields,
        "groups": groups.grouped(fields) if is_long else [],
        "snippets": snippets(request.url_root.rstrip("/"), model.name, schema, inputs),
    }


def answer_parts(shelved: ShelvedModel, made: Prediction) -> dict[str, Any]:
    """Return what is shown of an answer beside the thumbs."""
    schema, version = shelved.model.schema, shelved.versions.get(made.version)
    bars = zip(schema.classes, made.probabilities or (), strict=False)
    on = measured_on(shelved.versions.values()).get(made.version)
    return {
        "prediction": made,
        "bars": sorted(bars, key=lambda bar: -bar[1]),
        "outside": forms.outside(schema, made.inputs),
        "oddity": oddity_of(service().shelf, shelved, made),
        "how_sure": None if version is None else _how_sure(shelved, version, made),
        "usual_error": "" if version is None else story.usual_error(version, on),
    }


def _how_sure(shelved: ShelvedModel, version: Version, made: Prediction) -> HowSure:
    return how_sure(service().shelf, shelved, version, made.probabilities, made.value)


def _tallies(models: Mapping[str, ShelvedModel]) -> dict[str, Tally]:
    """Return what the store says of today; nothing more is asked once it does not answer."""
    tallies: dict[str, Tally] = {}
    try:
        for name in models:
            tallies[name] = service().today(name)
    except StoreAway:
        return tallies
    return tallies
