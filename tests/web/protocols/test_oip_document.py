"""Requests that a document of the Open Inference Protocol gives rise to, as it wants them and not.

The document is written here from the protocol: names, types and what must be there. Whatever comes,
the answer has its shape, and is below 500.
"""

from __future__ import annotations

from typing import Any

import schemathesis
from flask import Flask

from tests.web.test_fuzz import Referee, play_all

CASES = 400
SERVED = {"MODEL_NAME": "iris", "MODEL_VERSION": "v1"}

TEXT, TEXTS = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
SHAPE = {"type": "array", "items": {"type": "integer"}}
PARAMETERS = {"type": "object"}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def needing(*needed: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(needed)}


def listed(name: str) -> dict[str, Any]:
    return {"type": "array", "items": ref(name)}


TENSOR = {"name": TEXT, "shape": SHAPE, "datatype": TEXT}
VALUE = [{"type": "number"}, {"type": "string"}, {"type": "boolean"}]
SCHEMAS = {
    "server": needing("name", "version", "extensions", name=TEXT, version=TEXT, extensions=TEXTS),
    "described": needing("name", "datatype", "shape", **TENSOR),
    "model": needing(
        *("name", "platform"),
        name=TEXT,
        versions=TEXTS,
        platform=TEXT,
        inputs=listed("described"),
        outputs=listed("described"),
    ),
    "data": {"type": "array", "items": {"anyOf": [ref("data"), *VALUE]}},
    "tensor": needing(*TENSOR, "data", **TENSOR, parameters=PARAMETERS, data=ref("data")),
    "wanted": needing("name", name=TEXT, parameters=PARAMETERS),
    "asked": needing(
        "inputs",
        id=TEXT,
        parameters=PARAMETERS,
        inputs=listed("tensor"),
        outputs=listed("wanted"),
    ),
    "answered": needing(
        *("model_name", "outputs"),
        model_name=TEXT,
        model_version=TEXT,
        id=TEXT,
        parameters=PARAMETERS,
        outputs=listed("tensor"),
    ),
    "wrong": needing("error", error=TEXT),
}


def answers(name: str = "") -> dict[str, Any]:
    def saying(what: dict[str, Any]) -> dict[str, Any]:
        return {"description": "", "content": {"application/json": {"schema": what}}}

    well = saying(ref(name)) if name else saying({"type": "object"})
    return {"responses": {"200": well, "4XX": saying(ref("wrong"))}}


def document() -> dict[str, Any]:
    versioned = "/v2/models/{MODEL_NAME}/versions/{MODEL_VERSION}"
    places = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in SERVED
    ]
    body = {"content": {"application/json": {"schema": ref("asked")}}}
    asked = {**answers("answered"), "requestBody": body}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Open Inference Protocol", "version": "2.0"},
        "paths": {
            "/v2/": {"get": answers("server")},
            "/v2/health/live": {"get": answers()},
            "/v2/health/ready": {"get": answers()},
            versioned: {"parameters": places, "get": answers("model")},
            f"{versioned}/ready": {"parameters": places, "get": answers()},
            f"{versioned}/infer": {"parameters": places, "post": asked},
        },
        "components": {"schemas": SCHEMAS},
    }


def test_no_answer_is_outside_the_protocol(app: Flask) -> None:
    referee = Referee()

    def play(case: Any) -> None:
        given = case.path_parameters or {}
        for place in SERVED.keys() & given.keys():
            given[place] = SERVED[place] if referee.seen.total() % 4 else given[place]
        referee.judge(case, case.call(app=app))

    play_all(schemathesis.openapi.from_dict(document()), CASES, play)

    assert referee.wrong == {}
    assert {200, 400, 404} <= referee.seen.keys()
