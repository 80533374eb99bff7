"""The two forms for whole files on a model's page: predict a file, send true labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for

from unrot.core.errors import UnrotError
from unrot.core.records import Model
from unrot.make.truth_files import open_truths
from unrot.web import security, uploads
from unrot.web.current import service
from unrot.web.errors import headers_of, status_of
from unrot.web.routes import ANYONE, Pages
from unrot.web.uploads import Upload

blueprint = Pages("files", __name__)


@blueprint.page("POST", "/models/<model>/files/predict", needs=ANYONE)
def predict(model: str) -> Response:
    """Answer a file with a file."""
    known = service().catalogue().model(model).model

    def answer(upload: Upload) -> Response:
        shares, caller = "probabilities" in request.form, security.caller_of_page()
        return uploads.predicted(upload, known.name, None, shares=shares, caller=caller)

    return _taken(known, "predict_problem", answer)


@blueprint.page("POST", "/models/<model>/files/labels", needs=ANYONE)
def judge(model: str) -> Response:
    """Take true labels; answer with what became of them."""
    known = service().catalogue().model(model).model

    def answer(upload: Upload) -> Response:
        truths = open_truths(service(), upload.path, known.name)
        problem = uploads.judged(truths, security.caller_of_page())
        upload.forget()
        said = {"judged": truths.judged, "labels_problem": problem, "labels_name": upload.path.name}
        return _part(known, 200, **said)

    return _taken(known, "labels_problem", answer)


@blueprint.page(
    "GET",
    "/models/<model>/files/predict",
    "/models/<model>/files/labels",
    needs=ANYONE,
)
def after_upload(model: str) -> Any:
    """Lead whoever comes back to the address of an upload to the forms."""
    return redirect(url_for("pages.model", model=model, _anchor="files"))


@blueprint.app_template_global()
def upload_limit() -> str:
    """Say how large a file may be."""
    return f"{service().settings.max_upload / 2**20:,.0f} MB"


def _taken(model: Model, field: str, answer: Callable[[Upload], Response]) -> Response:
    """Take the file of a form and answer it; say beside the field what is wrong with it."""
    try:
        with uploads.taken(_from_form) as upload:
            return answer(upload)
    except UnrotError as error:
        refusal = _part(model, status_of(error), **{field: error.message})
        refusal.headers.update(headers_of(error))
        return refusal


def _from_form(upload: Upload) -> None:
    security.check_csrf()
    upload.take_form()


def _part(model: Model, code: int, **context: Any) -> Response:
    """Answer a script with the forms, everybody else with a page around them."""
    is_fragment = request.headers.get("X-Fragment") == "1"
    template = "_files.html" if is_fragment else "files.html"
    answer = make_response(render_template(template, model=model, **context), code)
    answer.headers["Cache-Control"] = "no-store"
    if is_fragment:
        answer.headers["X-Fragment"] = "1"
    return answer
