"""How the OpenAPI document describes a route: its parameters, its body, its answers and errors."""

from __future__ import annotations

from typing import Any

from unrot.web.openapi.schemas import Json, ref, shape

_ERRORS = {
    400: "The body is not JSON, not UTF-8 or nested too deeply.",
    401: "No token, or one that is not known.",
    403: "The token may not do this, or no operator token is set.",
    404: "No such model, version, job or verdict.",
    409: "It cannot be done as things stand; for `busy` the `job` that runs stands beside it.",
    410: "The prediction is too old to be judged.",
    411: "A file was sent without its length.",
    413: "The body or the list is too large.",
    415: "The content type is neither JSON nor, where a file is taken, text/csv.",
    422: "Well-formed and wrong: details name the row, the field, the value and what is expected.",
    503: "It cannot be done now: try again after Retry-After seconds.",
}
READING = (400, 413, 415, 422)
LOOKING = (401, 403, 404, 503)


def operation(
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
    answers_files: bool = False,
) -> Json:
    """Describe one way to call a route: what it takes, what it answers, what goes wrong."""
    responses = {"200": _answer(answer, is_enveloped)}
    if answers_files:
        responses["200"]["content"]["text/csv"] = _FILE
    for code, schema in (others or {}).items():
        responses[str(code)] = _answer(schema, is_enveloped)
    for code in errors:
        responses[str(code)] = _response(_ERRORS[code], {"$ref": ref("Error")})
    made: Json = {"operationId": name, "tags": [tag], "summary": summary}
    if parameters:
        made["parameters"] = parameters
    if body:
        made["requestBody"] = body
    if is_guarded:
        made["security"] = [{"token": []}]
    elif tag == "feedback":
        made["security"] = [{}, {"token": []}]
    return {**made, "responses": responses}


def _answer(schema: str, is_enveloped: bool) -> Json:
    inner = {"$ref": ref(schema)}
    if not is_enveloped:
        return _response("What was asked for.", inner)
    envelope = shape({"data": inner, "message": {"type": "string", "example": "Success"}})
    return _response("What was asked for.", envelope)


def _response(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def body(schema: str, **examples: Any) -> Json:
    """Describe what is to be sent, with examples that can be pasted."""
    named = {name: {"value": value} for name, value in examples.items()}
    content = {"schema": {"$ref": ref(schema)}, "examples": named}
    return {"required": True, "content": {"application/json": content}}


_FILE = {"schema": {"type": "string", "format": "binary"}}


def or_file(body: Json, example: str) -> Json:
    """Take a CSV file as well."""
    file = {**_FILE, "examples": {"file": {"value": example}}}
    return {**body, "content": {**body["content"], "text/csv": file}}


def in_path(name: str, example: str, description: str = "") -> Json:
    """Describe a part of the address."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description or f"The name of a {name}.",
        "schema": {"type": "string"},
        "example": example,
    }


def paging(word: str, said: str) -> list[Json]:
    """Return the parameters of a list that comes in pages."""
    return [
        {
            "name": "limit",
            "in": "query",
            "description": "How many, 1 to 200.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
        },
        {"name": word, "in": "query", "description": said, "schema": {"type": "string"}},
    ]
