"""The OpenAPI document: valid, complete, and with examples that work."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from tests.conftest import ROOT


@pytest.fixture
def spec(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/apispec.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json or {}
    return document


def test_document_is_valid_openapi_3(spec: dict[str, Any]) -> None:
    assert spec["openapi"] == "3.0.3"
    validate(spec)


def test_every_route_of_the_api_is_in_the_document(app: Flask, spec: dict[str, Any]) -> None:
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    documented = {(path, method) for path, item in spec["paths"].items() for method in item}

    assert documented == routes


def test_examples_of_bodies_work_when_pasted(app: Flask, spec: dict[str, Any]) -> None:
    client = app.test_client()
    codes: dict[str, int] = {}

    for path, item in spec["paths"].items():
        body = item.get("post", {}).get("requestBody")
        if body is None:
            continue
        address = path.format(model="iris", version="v1")
        for name, example in body["content"]["application/json"]["examples"].items():
            codes[f"{path} {name}"] = client.post(address, json=example["value"]).status_code

    wants_an_id = {name for name in codes if "/feedback" in name and not name.endswith("older")}
    assert len(codes) == 10
    assert all(codes[name] in (200, 403) for name in wants_an_id)
    assert all(code in (200, 201) for name, code in codes.items() if name not in wants_an_id)


def test_examples_of_files_work_when_pasted(app: Flask, spec: dict[str, Any]) -> None:
    client = app.test_client()
    answers: dict[str, tuple[int, str]] = {}

    for path, item in spec["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {})
        for example in content.get("text/csv", {}).get("examples", {}).values():
            address = path.format(model="iris", version="v1")
            answer = client.post(
                address, data=example["value"], content_type="text/csv", buffered=True
            )
            answers[path] = (answer.status_code, answer.mimetype)

    assert answers == {
        "/api/v1/models/{model}/predict": (200, "text/csv"),
        "/api/v1/models/{model}/versions/{version}/predict": (200, "text/csv"),
        "/api/v1/feedback": (200, "application/json"),
    }


def test_answers_have_the_shape_that_is_documented(app: Flask, spec: dict[str, Any]) -> None:
    from openapi_schema_validator import OAS30Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    client = app.test_client()
    token = {"Authorization": "Bearer operator-token-1"}
    registry = Registry().with_resource("", Resource(spec, DRAFT4))

    for path, item in spec["paths"].items():
        if "get" not in item:
            continue
        answer = client.get(path.format(model="iris", version="v1"), headers=token)
        schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        inlined = json.loads(json.dumps(schema).replace('"#/', '"#/'))
        validator = OAS30Validator({**inlined, "components": spec["components"]}, registry=registry)
        assert [error.message for error in validator.iter_errors(answer.json)] == [], path


def test_swagger_page_asks_nobody_else(app: Flask) -> None:
    page = app.test_client().get("/apidocs")

    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "http://" not in text
    assert "https://" not in text
    assert "/apispec.json" in text
    for line in text.splitlines():
        assert "<script>" not in line
        if "src=" in line or 'rel="stylesheet"' in line:
            address = line.split('src="' if "src=" in line else 'href="')[1].split('"')[0]
            with app.test_client().get(address) as asset:
                assert asset.status_code == 200, address


def test_postage_of_the_document_names_no_machine(spec: dict[str, Any]) -> None:
    assert str(ROOT) not in json.dumps(spec)
