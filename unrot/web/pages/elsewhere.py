"""A model in pages of other sites: a script, a form in a frame, and the page that shows how.

The form in a frame has no session, because browsers give it no cookie there: whoever fills it in is
a stranger like any client of the API, so it needs no token against forgery, and no script either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, current_app, make_response, render_template, request

from unrot.core.errors import Detail, UnrotError
from unrot.core.records import Caller
from unrot.core.schema import example_row
from unrot.web import forms, security
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.pages import models
from unrot.web.routes import ANYONE, Pages
from unrot.web.snippets import Snippet, in_a_frame, in_a_page

blueprint = Pages("elsewhere", __name__)

VERDICTS = {"up": True, "down": False}
SCRIPT_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Said:
    """What stands under the answer."""

    thanks: bool = False
    problem: str = ""


@models.blueprint.page("GET", "/models/<model>/elsewhere", needs=ANYONE)
def show_elsewhere(model: str) -> str:
    """Show how a page of another site asks a model."""
    shelved = service().catalogue().model(model)
    return render_template(
        "elsewhere.html",
        **models.about(shelved),
        snippets=_snippets(shelved.model.name, example_row(shelved.model.schema)),
        settings=service().settings,
    )


@blueprint.page("GET", "/unrot.js", needs=ANYONE)
def script() -> Response:
    """Serve the script to pages of any site; what it may do there is another matter."""
    text = (Path(current_app.static_folder or "") / "js/unrot.js").read_bytes()
    answer = Response(text, mimetype="text/javascript")
    answer.add_etag()
    answer.make_conditional(request)
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = f"public, max-age={SCRIPT_SECONDS}"
    return answer


@blueprint.page("GET", "/models/<model>/embed", needs=ANYONE)
def embedded_form(model: str) -> Response:
    """Offer the form."""
    schema = service().catalogue().model(model).model.schema
    return _form(model, forms.example(schema))


@blueprint.page("POST", "/models/<model>/embed", needs=ANYONE)
def answer_embedded(model: str) -> Response:
    """Answer the form."""
    schema = service().catalogue().model(model).model.schema
    texts = forms.typed(schema, request.form)
    try:
        inputs = forms.inputs(schema, texts)
        answer = service().predict(model, inputs, caller=_stranger())
    except UnrotError as error:
        return _form(model, texts, status_of(error), error.details, problem=error.message)
    made = answer.predictions[0]
    return _form(model, texts, **models.answer_parts(answer.shelved, made))


@blueprint.page("POST", "/models/<model>/embed/verdict", needs=ANYONE)
def judge_embedded(model: str) -> Response:
    """Keep a verdict on an answer of the form."""
    texts = forms.typed(service().catalogue().model(model).model.schema, request.form)
    said = VERDICTS.get(request.form.get("verdict", ""))
    verdict = {"id": request.form.get("id"), "was_correct": said}
    try:
        service().judge(verdict, _stranger())
    except UnrotError as error:
        return _form(model, texts, status_of(error), said=Said(problem=error.message))
    return _form(model, texts, said=Said(thanks=True))


def _stranger() -> Caller:
    """Return whoever sends the form: an address, and no session even where there is one."""
    return Caller(subject=security.doorkeeper().subject(request.remote_addr))


def _form(
    model: str,
    texts: Mapping[str, str],
    code: int = 200,
    details: Sequence[Detail] = (),
    **more: Any,
) -> Response:
    shelved = service().catalogue().model(model)
    shown = {**models.form_parts(shelved, texts, details), "said": Said(), **more}
    page = render_template("embed.html", **models.about(shelved), **shown)
    answer = make_response(page, code)
    framed_by = service().settings.frame_origins
    answer.headers["Content-Security-Policy"] = security.policy_framed_by(framed_by)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _snippets(model: str, row: Mapping[str, Any]) -> list[Snippet]:
    site = request.url_root.rstrip("/")
    return [in_a_page(site, model, row), in_a_frame(site, model)]
