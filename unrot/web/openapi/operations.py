"""The OpenAPI operation of a declared route, and its row in the table of docs/api.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from unrot.web.openapi.schema import Json, Schemas, reference
from unrot.web.routes import ANYONE, Route
from unrot.web.shape import Member, members

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
    429: "Too much of this, or too many wrong tokens, from one address: wait Retry-After seconds.",
    503: "It cannot be done now: try again after Retry-After seconds.",
}
_FILE: Json = {"schema": {"type": "string", "format": "binary"}}


def paths_of(routes: Iterable[Route], schemas: Schemas) -> dict[str, Json]:
    """Describe each route; schemas that have a name are gathered on the way."""
    paths: dict[str, Json] = {}
    for route in routes:
        path = route.path.replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[route.method.lower()] = operation(route, schemas)
    return paths


def table_of(routes: Iterable[Route]) -> str:
    """Write the table of routes."""
    rows = ["| route | for | does | refuses with |", "|---|---|---|---|"]
    for route in routes:
        errors = ", ".join(map(str, route.all_errors))
        address = f"`{route.method} {route.path}`"
        rows.append(f"| {address} | {route.needs} | {route.summary} | {errors} |")
    return "\n".join(rows)


def operation(route: Route, schemas: Schemas) -> Json:
    """Describe one way to call the API."""
    made: Json = {"operationId": route.name, "tags": [route.tag], "summary": route.summary}
    if route.description:
        made["description"] = route.description
    if parameters := [*_in_path(route, schemas), *_in_query(route, schemas)]:
        made["parameters"] = parameters
    if route.body is not None:
        made["requestBody"] = _body(route, schemas)
    if route.needs != ANYONE:
        made["security"] = [{"token": []}]
    elif route.heeds_token:
        made["security"] = [{}, {"token": []}]
    return {**made, "responses": _responses(route, schemas)}


def _in_path(route: Route, schemas: Schemas) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, **_beside(schemas.of(kind))}
        for name, kind in route.places.items()
    ]


def _in_query(route: Route, schemas: Schemas) -> list[Json]:
    if route.query is None:
        return []
    described = schemas.of_members(route.query)
    return [_parameter(one, described[one.name]) for one in members(route.query)]


def _parameter(one: Member, schema: Json) -> Json:
    """Describe a part of a query: what is not there is not null."""
    schema = {name: value for name, value in schema.items() if name != "nullable"}
    is_required = {"required": True} if one.is_required else {}
    return {"name": one.name, "in": "query", **is_required, **_beside(schema)}


def _beside(schema: Json) -> Json:
    """Write what belongs beside the schema of a parameter, and not into it."""
    outside = {"description", "example", "allowEmptyValue"} & schema.keys()
    inner = {name: value for name, value in schema.items() if name not in outside}
    return {**{name: schema[name] for name in outside}, "schema": inner}


def _body(route: Route, schemas: Schemas) -> Json:
    examples = {name: {"value": value} for name, value in route.examples.items()}
    schema = schemas.of(route.body)
    content: Json = {"application/json": {"schema": schema, "examples": examples}}
    if route.file:
        content["text/csv"] = {**_FILE, "examples": {"file": {"value": route.file}}}
    return {"required": not route.takes_nothing, "content": content}


def _responses(route: Route, schemas: Schemas) -> Mapping[str, Json]:
    answers = {str(code): _answer(route, schemas) for code in (200, *route.also)}
    if route.answers_file:
        answers["200"]["content"][route.answers_file] = _FILE
    errors = {str(code): _json(_ERRORS[code], reference("Error")) for code in route.all_errors}
    return {**answers, **errors}


def _answer(route: Route, schemas: Schemas) -> Json:
    if route.answer is None:
        return {"description": "What was asked for.", "content": {}}
    data = schemas.of(route.answer)
    if not route.is_enveloped:
        return _json("What was asked for.", data)
    properties = {"data": data, "message": {"type": "string", "example": "Success"}}
    enveloped = {"type": "object", "properties": properties, "required": ["data", "message"]}
    return _json("What was asked for.", enveloped)


def _json(description: str, schema: Any) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
