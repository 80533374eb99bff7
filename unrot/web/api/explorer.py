"""The REST routes of the explorer: rows of two periods, and a version on its holdout."""

from __future__ import annotations

from flask import Blueprint, Response, request

from unrot.core.errors import Conflict, Detail, Invalid
from unrot.watch import explorer
from unrot.watch import holdout as holdouts
from unrot.web.api import explorer_shapes
from unrot.web.api.envelope import success
from unrot.web.api.models import limit_of
from unrot.web.current import service
from unrot.web.explorer_query import asked_of
from unrot.web.security import needs

blueprint = Blueprint("explorer_api", __name__, url_prefix="/api/v1/models/<model>")

NO_HOLDOUT = "{name} has no test set to be scored on: no row was set apart when it was trained."


@blueprint.get("/scatter")
@needs("viewer")
def scatter(model: str) -> Response:
    """Return the rows of two periods by two columns, right and wrong apart."""
    found = explorer.explore(service(), model, asked_of(request.args))
    return success(explorer_shapes.explored(found))


@blueprint.get("/holdout")
@needs("viewer")
def holdout(model: str) -> Response:
    """Let a version answer its test set: report, confusion, AUC, and the surest mistakes."""
    limit, offset = limit_of(request.args.get("limit", "50")), _offset()
    shelved = service().catalogue().model(model)
    found = holdouts.holdout(service(), model, request.args.get("version") or None)
    if found is None:
        name = request.args.get("version") or "The champion"
        raise Conflict(NO_HOLDOUT.format(name=name), reason="no_holdout")
    rows = list(found.wrong[offset : offset + limit])
    shape = explorer_shapes.holdout(found, shelved.model.schema, rows)
    return success({"model": shelved.model.name, **shape})


def _offset() -> int:
    text = request.args.get("offset", "0")
    if not text.isdecimal() or not text.isascii() or len(text) > 6:
        detail = Detail("offset", text, "a whole number: how many mistakes to pass over")
        raise Invalid(detail.sentence, details=[detail])
    return int(text)
