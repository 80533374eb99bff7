"""The OpenAPI document: valid, complete, and with examples that work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from tests.conftest import OPERATOR, ROOT
from tests.large_store import predicted
from tests.lessons import judged, published, verdict
from unrot.core.records import Audit, Check, Distribution, Drift, Fate, Finding, Profile
from unrot.learn import jobs, promote

FINDING = Finding("a", "iris", "rot", "rot", "grave", 0.0, 1.0, 2.0, "It fell.", "Refit.")
OPERATORS = {"Authorization": f"Bearer {OPERATOR}"}


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
        if rule.rule.startswith(("/api/v1/", "/train_batch", "/reset"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    documented = {(path, method) for path, item in spec["paths"].items() for method in item}

    assert documented == routes


def test_examples_of_bodies_work_when_pasted(app: Flask, spec: dict[str, Any]) -> None:
    codes = {
        f"{path} {name}": app.test_client().post(address, json=value).status_code
        for path, address, _, name, value in examples(spec, "serving", "feedback")
    }

    wants_an_id = {name for name in codes if "/feedback" in name and not name.endswith("older")}
    assert len(codes) == 11
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


def test_examples_of_learning_are_taken_by_a_model_that_has_something_to_learn(
    app: Flask, spec: dict[str, Any]
) -> None:
    """Each stands alone: the champion is v2, and what was asked for before is cancelled."""
    service = app.extensions["unrot"]
    judged(service)
    published(service)
    client = app.test_client()
    said: dict[str, Any] = {}

    for path, address, method, name, value in examples(spec, "learning"):
        promote.promote(service, "iris", "v2", force=True, reason="a test")
        answer = client.open(address, method=method, json=value, headers=OPERATORS)
        said[f"{path.rpartition('/')[2]} {name}"] = (answer.json or {}).get(
            "reason", answer.status_code
        )
        if answer.status_code == 202:
            client.delete(answer.headers["Location"], headers=OPERATORS)

    assert said == {
        "learn nothing": 202,
        "refit plain": 202,
        "refit weighted": 202,
        "rebuild again": 202,
        "weigh nothing": 202,
        "train_batch batch": "no_stream",
        "reset nothing": "no_stream",
        "promote champion": 200,
        "rollback plain": 200,
        "rollback why": 200,
        "policy some": 200,
    }


def examples(spec: dict[str, Any], *tags: str) -> Iterator[tuple[str, str, str, str, Any]]:
    """Yield path, address, method, name and body of each example."""
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if "requestBody" not in operation or not {*tags} & {*operation["tags"]}:
                continue
            address = path.format(model="iris", version="v1")
            content = operation["requestBody"]["content"]["application/json"]
            for name, example in content["examples"].items():
                yield path, address, method, name, example["value"]


def test_answers_have_the_shape_that_is_documented(app: Flask, spec: dict[str, Any]) -> None:
    from openapi_schema_validator import OAS30Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    service, client = app.extensions["unrot"], app.test_client()
    ids = judged(service)
    published(service, gate=verdict(), fates=[Fate(ids[0], "set aside", 1.0, "far out")])
    job = jobs.ask(service, "iris", "learn", {})
    [left] = predicted(service, 1, "iris")
    service.store.trials.add_audit(Audit("a", "iris", 1.0, (ids[0], left.prediction.id or "")))
    lay = Distribution("number", 9, edges=(1.0, 2.0), counts=(0, 9, 0), mean=1.5)
    moved = Drift("sepal_width_cm", 0.2, "ks", 0.3, 0.0, has_moved=True, is_calm=False)
    summary = {"sepal_width_cm": lay}
    service.store.profiles.put(
        Profile("a", "iris", "v1", "me", 60.0, 120.0, 9, b"-", summary, reference="d")
    )
    service.store.checks.put([Check("iris", "v1", 60.0, 120.0, "training", 9, 120, (moved,), "d")])
    service.store.findings.put(FINDING)
    service.store.deliveries.begin(FINDING, target="https://x/…", next_at=60.0)
    registry = Registry().with_resource("", Resource(spec, DRAFT4))

    for path, item in spec["paths"].items():
        if "get" not in item:
            continue
        named = {"model": "iris", "version": "v2", "other": "v1", "job": job.id, "id": "a"}
        if path.startswith("/api/v1/predictions/"):
            named["id"] = ids[0]
        answer = client.get(path.format(**named), headers=OPERATORS)
        assert answer.status_code == 200, path
        [(type, content)] = item["get"]["responses"]["200"]["content"].items()
        assert answer.mimetype == type
        if type != "application/json":
            continue
        schema = content["schema"]
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
