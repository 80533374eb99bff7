"""Why this answer: an explanation for whoever asks, of a row or of a kept prediction.

A row that is explained is scored anew, by the version that answered it, and not kept.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request

from unrot.core.errors import Invalid, UnrotError
from unrot.core.records import Prediction, Row
from unrot.core.schema import parse_row
from unrot.serve.shelf import ShelvedModel
from unrot.web import reasons, security
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.pages.models import about, blueprint, part
from unrot.web.routes import ANYONE

MOST_CHARACTERS = 1_000_000


@blueprint.page("POST", "/models/<model>/why", needs=ANYONE)
def why(model: str) -> Response:
    """Explain the answer to a row, which comes with the form."""
    shelved = service().catalogue().model(model)
    try:
        security.check_csrf()
        row = parse_row(shelved.model.schema, _inputs(request.form.get("inputs", "")))
        said = explained(shelved, request.form.get("version", ""), row)
    except UnrotError as error:
        parts: dict[str, Any] = {"problem": error.message}
        return part("why", "_why.html", status_of(error), **about(shelved), **parts)
    return part("why", "_why.html", 200, **about(shelved), **said)


def explained(shelved: ShelvedModel, version: str, row: Row) -> dict[str, Any]:
    """Return what a page shows of why a version answers so."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.explaining import explain_row, version_of

    of, contents = service(), service().catalogue()
    found = explain_row(of.shelf, contents, shelved, version_of(shelved, version), row)
    return {"why": reasons.why(found, shelved.model.schema)}


def of_kept(shelved: ShelvedModel, made: Prediction) -> dict[str, Any]:
    """Return why a kept prediction was answered so, if the address asks for it."""
    if request.args.get("why") != "1":
        return {"may_ask_why": made.version in shelved.versions}
    try:
        return explained(shelved, made.version, made.inputs)
    except UnrotError as error:
        return {"problem": error.message, "why": None}


def _inputs(text: str) -> dict[str, Any]:
    """Read the row that the answer's form has in it."""
    try:
        given = json.loads(text[:MOST_CHARACTERS])
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Invalid("The row did not come with the question: predict again, then ask why.")
    return given
