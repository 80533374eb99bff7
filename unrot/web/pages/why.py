"""Why this answer: an explanation for whoever asks, of a row or of a kept prediction.

A row that is explained is scored anew, by the version that answered it, and not kept.
"""

from __future__ import annotations

import json
from hmac import compare_digest
from typing import Any

from flask import Response, request

from unrot.core.errors import Invalid, UnrotError
from unrot.core.records import Model, Prediction, Row, Schema, Value, Version
from unrot.core.schema import parse_row
from unrot.serve.limits import RULE_COSTS
from unrot.serve.shelf import ShelvedModel
from unrot.web import neighbours, reasons, security
from unrot.web.current import service
from unrot.web.errors import headers_of, status_of
from unrot.web.pages.models import about, blueprint, part
from unrot.web.routes import ANYONE
from unrot.web.rule import tell_rule

MOST_CHARACTERS = 1_000_000
RULE = "rule"
"""In the address of a kept prediction: tell the rule as well."""


@blueprint.page("POST", "/models/<model>/why", needs=ANYONE)
def why(model: str) -> Response:
    """Explain the answer to a row, which comes with the form."""
    shelved = service().catalogue().model(model)
    try:
        security.check_csrf()
        row = parse_row(shelved.model.schema, read_inputs(request.form.get("inputs", "")))
        said = explained(shelved, request.form.get("version", ""), row, _id_of_form(shelved.model))
    except UnrotError as error:
        return _refusal("why", shelved, error)
    row_in_text, version = request.form["inputs"], request.form.get("version", "")
    asked = {"row_in_text": row_in_text, "version": version}
    return part("why", "_why.html", 200, **about(shelved), **said, **asked)


@blueprint.page("POST", "/models/<model>/rule", needs=ANYONE)
def rule(model: str) -> Response:
    """Find the rule that holds the answer to a row, which comes with the form."""
    shelved = service().catalogue().model(model)
    try:
        security.check_csrf()
        row = parse_row(shelved.model.schema, read_inputs(request.form.get("inputs", "")))
        said = ruled(shelved, request.form.get("version", ""), row)
    except UnrotError as error:
        return _refusal("rule", shelved, error)
    return part("rule", "_rule.html", 200, **about(shelved), **said)


def _refusal(page: str, shelved: ShelvedModel, error: UnrotError) -> Response:
    """Say why something is not explained, and when to come back."""
    said: dict[str, Any] = {"problem": error.message}
    answer = part(page, f"_{page}.html", status_of(error), **about(shelved), **said)
    answer.headers.update(headers_of(error))
    return answer


def explained(shelved: ShelvedModel, version: str, row: Row, id: str | None) -> dict[str, Any]:
    """Return what a page shows of why a version answers so."""
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.explaining import explain_row, turn, version_of

    of, contents = service(), service().catalogue()
    named = version_of(shelved, version)
    of.limits.admit_explaining(security.caller_of_page())
    withheld = _withheld(shelved)  # Before the turn: who has it waits for no store.
    with turn():
        found = explain_row(of.shelf, contents, shelved, named, row)
        like = withheld or _neighbours(shelved, named, row)
    return {"why": reasons.why(found, shelved.model.schema, id), **like}


def ruled(shelved: ShelvedModel, version: str, row: Row) -> dict[str, Any]:
    """Return what a page shows of the rule that holds what a version answers."""
    # It is loaded when somebody asks for the rule.
    from unrot.explain.asking import rule_of
    from unrot.explain.explaining import version_of

    of, contents = service(), service().catalogue()
    named = version_of(shelved, version)
    of.limits.admit_explaining(security.caller_of_page(), RULE_COSTS)
    found = rule_of(of.shelf, contents, shelved, named, row)
    return {"rule": tell_rule(found, shelved.model.schema)}


def _withheld(shelved: ShelvedModel) -> dict[str, Any]:
    """Return what stands in the place of rows that who asks may not see; nothing if they may."""
    try:
        shown_to = neighbours.shown_to(service(), shelved.model.key)
    except UnrotError as error:
        return {"no_neighbours": error.message}
    if neighbours.is_among(security.caller_of_page(), shown_to):
        return {}
    return {"no_neighbours": neighbours.FOR_VIEWERS if shown_to == neighbours.VIEWERS else ""}


def _neighbours(shelved: ShelvedModel, version: Version, row: Row) -> dict[str, Any]:
    """Return the rows that are like one, or why there are none."""
    # It is loaded when somebody asks why.
    from unrot.explain.asking import neighbours_of

    try:
        found = neighbours_of(service().shelf, shelved, version, row)
    except UnrotError as error:
        return {"no_neighbours": error.message}
    return {"neighbours": neighbours.tell_neighbours(found, row, shelved.model.schema)}


def of_kept(shelved: ShelvedModel, made: Prediction) -> dict[str, Any]:
    """Return why a kept prediction was answered so, if the address asks for it."""
    if made.version not in shelved.versions:
        return {}
    asked = request.args.get("why")
    said: dict[str, Any] = {"what_if_row": json.dumps(_public(shelved.model.schema, made.inputs))}
    if asked not in ("1", RULE):
        return {**said, "may_ask_why": True}
    try:
        said |= explained(shelved, made.version, made.inputs, made.id)
    except UnrotError as error:
        return {**said, "problem": error.message, "why": None}
    try:
        return said | (ruled(shelved, made.version, made.inputs) if asked == RULE else {})
    except UnrotError as error:
        return said | {"rule_problem": error.message}


def _public(schema: Schema, row: Row) -> dict[str, Value]:
    pairs = zip(schema.features, row, strict=True)
    return {feature.name: value for feature, value in pairs if not feature.is_private}


def _id_of_form(model: Model) -> str | None:
    """Return the prediction that the form is about; None unless its row came with it from here."""
    told = (request.form.get(name, "") for name in ("id", "version", "inputs", "row_token"))
    (id, version, row, token), ids = told, service().ids
    is_ours = compare_digest(ids.sign_row(id, version, row).encode(), token.encode())
    return id if is_ours and ids.read(id).model_number == model.number else None


def read_inputs(text: str) -> dict[str, Any]:
    """Read the row that a form has in it."""
    try:
        given = json.loads(text[:MOST_CHARACTERS])
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Invalid("The row did not come with the question: predict again, then ask why.")
    return given
