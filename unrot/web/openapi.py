"""The API as an OpenAPI 3 document: one entry a route, with its errors and a working example.

The examples speak of the iris demo, which `make run` trains, so that they work when pasted.
"""

from __future__ import annotations

from typing import Any

from unrot import __version__
from unrot.web import openapi_trials
from unrot.web.openapi_schemas import Json, ref, schemas, shape

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
_ID = "aR8tYAECAwQFAAAAAAABAEqk2c0fW3nG"

_ERRORS = {
    400: "The body is not JSON, not UTF-8 or nested too deeply.",
    401: "No token, or one that is not known.",
    403: "The token may not do this, or no operator token is set.",
    404: "No such model, version or verdict.",
    409: "It cannot be done as things stand; the message says why.",
    410: "The prediction is too old to be judged.",
    413: "The body or the list is too large.",
    415: "The content type is not JSON.",
    422: "Well-formed and wrong: details name the row, the field, the value and what is expected.",
    503: "It cannot be done now: try again after Retry-After seconds.",
}
_READING = (400, 413, 415, 422)
_LOOKING = (401, 403, 404, 503)


def spec() -> Json:
    """Return the document."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Unrot",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "serving", "description": "Predict, and say how the service is."},
            {"name": "feedback", "description": "Judge predictions by their ids."},
            {"name": "looking", "description": "What was served. Needs a viewer's token."},
            openapi_trials.TAG,
        ],
        "paths": {**_paths(), **openapi_trials.paths(_op, _body, _in_path)},
        "components": {
            "schemas": {**schemas(), **openapi_trials.schemas()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_DESCRIPTION = (
    "Unrot serves scikit-learn models and hears what became of their predictions.\n\n"
    "Every success is `{data, message}`, every error `{data: null, message, reason}` and "
    "perhaps `details`. A prediction's `id` is what a verdict on it is sent with."
)


def _paths() -> dict[str, Json]:
    model, version = _in_path("model", "iris"), _in_path("version", "v1")
    return {
        "/api/v1/health": {
            "get": _op("health", "serving", "Say that the process answers.", "State")
        },
        "/api/v1/ready": {
            "get": _op("ready", "serving", "Say how each component is.", "Readiness", errors=(503,))
        },
        "/api/v1/models": {"get": _op("models", "serving", "List the models.", "Models")},
        "/api/v1/models/{model}": {
            "get": _op(
                "model",
                "serving",
                "Describe a model: its schema, classes, aliases and versions.",
                "Model",
                parameters=[model],
                errors=(404,),
            )
        },
        "/api/v1/models/{model}/predict": {
            "post": _op(
                "predict",
                "serving",
                "Score one row, or a list of at most 10,000.",
                "PredictionOrMany",
                parameters=[model],
                body=_body("Inputs", one={"inputs": IRIS}, many={"inputs": [IRIS, IRIS]}),
                errors=(*_READING, 404, 503),
            )
        },
        "/api/v1/models/{model}/versions/{version}/predict": {
            "post": _op(
                "predict_version",
                "serving",
                "Score rows with one version, whoever is champion.",
                "PredictionOrMany",
                parameters=[model, version],
                body=_body("Inputs", one={"inputs": IRIS}),
                errors=(*_READING, 404, 503),
            )
        },
        "/api/v1/predict": {
            "post": _op(
                "predict_default",
                "serving",
                "Score the bare features of the default model, or rows in the older form.",
                "BareAnswer",
                body=_body("BareInputs", bare=IRIS, instances=_INSTANCES),
                errors=(*_READING, 404, 503),
                is_enveloped=False,
            )
        },
        "/api/v1/predictions": {
            "post": _op(
                "predict_instances",
                "serving",
                "Score rows in the older form: lists in the order of the schema, no envelope.",
                "InstancesAnswer",
                body=_body("Instances", instances=_INSTANCES),
                errors=(*_READING, 404, 503),
                is_enveloped=False,
            )
        },
        "/api/v1/models/{model}/versions": {
            "get": _op(
                "versions",
                "looking",
                "List a model's versions with their metrics.",
                "Versions",
                parameters=[model],
                errors=_LOOKING,
                is_guarded=True,
            )
        },
        "/api/v1/models/{model}/versions/{version}": {
            "get": _op(
                "version",
                "looking",
                "Describe one version: lineage, metrics, artefacts, who serves it.",
                "Version",
                parameters=[model, version],
                errors=_LOOKING,
                is_guarded=True,
            )
        },
        "/api/v1/models/{model}/predictions": {
            "get": _op(
                "kept_predictions",
                "looking",
                "List kept predictions with their verdicts, newest first.",
                "KeptPredictions",
                parameters=[model, *_PAGING],
                errors=(*_LOOKING, 422),
                is_guarded=True,
            )
        },
        "/api/v1/feedback": {"post": _feedback()},
        "/api/v1/feedback/{id}": {
            "delete": _op(
                "withdraw",
                "feedback",
                "Take a verdict back.",
                "Withdrawal",
                parameters=[_in_path("id", _ID, "The id of the prediction.")],
                errors=(401, 403, 404, 410, 503),
                others={202: "Withdrawal"},
            )
        },
    }


def _feedback() -> Json:
    older = {
        "model": "iris",
        "input data": IRIS,
        "prediction": "Iris-setosa",
        "was correct": True,
    }
    operation = _op(
        "feedback",
        "feedback",
        "Keep one verdict, or a list of at most 1,000.",
        "FeedbackAnswer",
        body=_body(
            "FeedbackBody",
            older=older,
            thumb={"id": _ID, "was_correct": True},
            label={"id": _ID, "label": "Iris-virginica"},
            several=[{"id": _ID, "was_correct": False, "comment": "It was a tulip."}],
        ),
        errors=(400, 401, 403, 404, 410, 413, 415, 422, 503),
        others={201: "FeedbackAnswer", 202: "FeedbackAnswer"},
    )
    operation["description"] = (
        "201: new and committed. 200: the same verdict again (`duplicate`), a changed mind "
        "(`revised`), or a list (`results`, in order). 202: the store is away, the verdict is on "
        "the disk and will be shipped (`queued`). The example in the older form works as it "
        "stands; the others want an `id` that predict answered."
    )
    return operation


_INSTANCES = {"instances": [[5.1, 3.5, 1.4, 0.2]], "model": "iris"}
_PAGING = [
    {
        "name": "limit",
        "in": "query",
        "description": "How many, 1 to 200.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    },
    {
        "name": "before",
        "in": "query",
        "description": "The `next` of the page before.",
        "schema": {"type": "string"},
    },
]


def _op(
    name: str,
    tag: str,
    summary: str,
    answer: str,
    *,
    parameters: list[Json] | None = None,
    body: Json | None = None,
    errors: tuple[int, ...] = (),
    others: dict[int, str] | None = None,
    is_guarded: bool = False,
    is_enveloped: bool = True,
) -> Json:
    responses = {"200": _answer(answer, is_enveloped)}
    for code, schema in (others or {}).items():
        responses[str(code)] = _answer(schema, is_enveloped)
    for code in errors:
        responses[str(code)] = _response(_ERRORS[code], {"$ref": ref("Error")})
    operation: Json = {"operationId": name, "tags": [tag], "summary": summary}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = body
    if is_guarded:
        operation["security"] = [{"token": []}]
    elif tag == "feedback":
        operation["security"] = [{}, {"token": []}]
    return {**operation, "responses": responses}


def _answer(schema: str, is_enveloped: bool) -> Json:
    inner = {"$ref": ref(schema)}
    if not is_enveloped:
        return _response("What was asked for.", inner)
    envelope = shape({"data": inner, "message": {"type": "string", "example": "Success"}})
    return _response("What was asked for.", envelope)


def _response(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body(schema: str, **examples: Any) -> Json:
    named = {name: {"value": value} for name, value in examples.items()}
    content = {"schema": {"$ref": ref(schema)}, "examples": named}
    return {"required": True, "content": {"application/json": content}}


def _in_path(name: str, example: str, description: str = "") -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description or f"The name of a {name}.",
        "schema": {"type": "string"},
        "example": example,
    }
