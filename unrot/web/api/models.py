"""The REST routes: read the request, call one use case, answer. docs/api.md is their contract."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from unrot.core.errors import Detail, Invalid
from unrot.hear.verdicts import is_older_form
from unrot.make.csv.labels import TruthFile
from unrot.web import uploads
from unrot.web.api import shapes
from unrot.web.api.envelope import body, body_object, plain, success
from unrot.web.current import service
from unrot.web.security import caller_of_api, needs
from unrot.web.uploads import Upload

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

FEEDBACK_CODES = {"created": 201, "queued": 202}
MOST_LISTED = 200


@blueprint.get("/health")
def health() -> Response:
    """Say that the process answers."""
    return success({"state": "healthy"})


@blueprint.get("/ready")
def ready() -> Response:
    """Say how each component is; 503 when predictions or verdicts cannot be taken."""
    found = service().ready()
    is_ready = all(part.state != "down" for part in found.values())
    parts = {name: shapes.component(part) for name, part in found.items()}
    data = {"state": "ready" if is_ready else "not ready", "components": parts}
    if is_ready:
        return success(data)
    answer = plain({"data": data, "message": "Not ready.", "reason": "not_ready"}, 503)
    answer.headers["Retry-After"] = "5"
    return answer


@blueprint.get("/models")
def models() -> Response:
    """List the models."""
    listed = [shapes.model(shelved) for shelved in service().catalogue().models.values()]
    return success({"models": listed})


@blueprint.get("/models/<model>")
def model(model: str) -> Response:
    """Describe one model: schema, classes, aliases, versions."""
    return success(shapes.model(service().catalogue().model(model)))


@blueprint.post("/models/<model>/predict")
@blueprint.post("/models/<model>/versions/<version>/predict")
def predict(model: str, version: str | None = None) -> Response:
    """Score one row or many, or a whole file."""
    if uploads.is_csv():
        with uploads.taken(Upload.take_body) as upload:
            shares = "probabilities" in request.args
            return uploads.predicted(upload, model, version, shares=shares)
    given = body_object()
    if set(given) != {"inputs"}:
        raise _only("inputs", given, 'only "inputs": an object of features, or a list of them')
    answer = service().predict(model, given["inputs"], version=version)
    return success(shapes.predictions(answer, is_one=isinstance(given["inputs"], dict)))


@blueprint.post("/predict")
def predict_default() -> Response:
    """Score the bare features of the default model, or the older form."""
    given = body_object()
    if "instances" in given:
        return _predict_instances(given)
    answer = service().predict(service().default_model().model.name, given)
    return success(shapes.predictions(answer, is_one=True))


@blueprint.post("/predictions")
def predict_instances() -> Response:
    """Score the older form."""
    return _predict_instances(body_object())


@blueprint.get("/models/<model>/predictions")
@needs("viewer")
def predictions(model: str) -> Response:
    """List a model's kept predictions with their verdicts, newest first."""
    limit, before = limit_of(request.args.get("limit", "50")), request.args.get("before")
    page = service().recent(model, limit=limit, before=before)
    of = service().catalogue().model(model).model.schema
    return success(
        {"predictions": [shapes.judged(row, of) for row in page.rows], "next": page.next_before}
    )


@blueprint.post("/feedback")
def feedback() -> Response:
    """Keep one verdict, a list of verdicts, a file of labels, or one in the older form."""
    if uploads.is_csv():
        return _feedback_file()
    given, caller = body(), caller_of_api()
    if isinstance(given, list):
        results = service().judge_many(given, caller)
        return success({"results": [{"id": id, "status": status} for id, status in results]})
    if is_older_form(given):
        unverified, status = service().judge_unverified(given, caller)
        data = {"id": unverified.id, "status": status, "model": unverified.model}
        return success({**data, "verified": False}, FEEDBACK_CODES[status])
    verdict, status = service().judge(given, caller)
    return success(shapes.feedback(verdict, status), FEEDBACK_CODES.get(status, 200))


@blueprint.delete("/feedback/<id>")
def withdraw(id: str) -> Response:
    """Take a verdict back."""
    status = service().withdraw(id, caller_of_api())
    return success({"id": id, "status": status}, FEEDBACK_CODES.get(status, 200))


def _feedback_file() -> Response:
    caller = caller_of_api()
    with uploads.taken(Upload.take_body) as upload:
        truths = TruthFile(service(), upload.path)
        problem = uploads.judged(truths, caller)
    upload.forget()
    return success(uploads.told(truths, problem))


def _predict_instances(given: dict[str, Any]) -> Response:
    if not set(given) <= {"instances", "model"} or "instances" not in given:
        raise _only("instances", given, '"instances": a list of rows, and perhaps "model"')
    answer = service().predict_instances(given.get("model"), given["instances"])
    return plain(shapes.instances(answer))


def _only(wanted: str, given: dict[str, Any], expected: str) -> Invalid:
    wrong = next((name for name in given if name not in (wanted, "model")), None)
    if wanted not in given:
        detail = Detail(wanted, None, expected, is_missing=True)
    else:
        name = wrong or "model"
        detail = Detail(name[:80], given[name], expected)
    return Invalid(detail.sentence, details=[detail])


def limit_of(text: str) -> int:
    """Read how many to list."""
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text[:6]) <= MOST_LISTED:
        detail = Detail("limit", text, f"a whole number, 1 to {MOST_LISTED}")
        raise Invalid(detail.sentence, details=[detail])
    return int(text)
