"""KServe version 1, TensorFlow Serving, ML Engine and Vertex AI."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.protocols.conftest import NAMES, irises, named, own_labels
from unrot.app import create_app
from unrot.core.errors import BadSetting, Invalid, TooLarge
from unrot.core.records import Feature, Schema
from unrot.core.settings import Settings, load
from unrot.web.protocols.tables import fitted, rows_of_inputs, rows_of_instances

KSERVE = "/v1/models/iris:predict"
ENGINE = "/v1/projects/p/models/iris:predict"
VERTEX = "/v1/projects/p/locations/europe-west6/endpoints/iris:predict"
SAME = (
    KSERVE,
    "/v1/models/iris/versions/1:predict",
    "/v1/models/iris/versions/v1:predict",
    "/v1/models/iris/labels/champion:predict",
    ENGINE,
    "/v1/projects/p/models/iris/versions/v1:predict?alt=json",
    VERTEX,
    f"{VERTEX}?$alt=json;enum-encoding=int",
    VERTEX.replace("/v1/", "/v1beta1/"),
    VERTEX.replace(":predict", ":rawPredict"),
)
ROW = [5.1, 3.5, 1.4, 0.2]


@pytest.mark.parametrize("path", SAME)
def test_answers_equal_those_of_our_own_api(
    client: FlaskClient, judged: Callable[..., Any], path: str
) -> None:
    rows = irises()

    told = client.post(path, json={"instances": rows})

    assert told.status_code == 200, told.text
    body = told.json or {}
    assert body["predictions"] == own_labels(client, rows)
    ids = (body.get("metadata") or body)["ids"]
    assert len(set(ids)) == 500
    found = judged(id=ids[7])
    assert (found.prediction.inputs, found.feedback.was_correct) == (rows[7], True)


@pytest.mark.parametrize(
    "given",
    [
        {"instances": named([ROW, ROW])},
        {"instances": [[[value] for value in ROW]] * 2},
        {"instances": [{name: [value] for name, value in named([ROW])[0].items()}] * 2},
        {"instances": [["5.1", 3.5, 1.4, 0.2], ROW], "signature_name": "any"},
        {"inputs": {name: [value] * 2 for name, value in zip(NAMES, ROW, strict=True)}},
        {"inputs": {name: [[value]] * 2 for name, value in zip(NAMES, ROW, strict=True)}},
        {"inputs": [ROW, ROW]},
    ],
    ids=["objects", "tensors", "named tensors", "texts", "columns", "deep columns", "matrix"],
)
def test_rows_come_in_many_forms(client: FlaskClient, given: Any) -> None:
    told = client.post(KSERVE, json=given).json or {}

    form = "outputs" if "inputs" in given else "predictions"
    assert told[form] == ["Iris-setosa"] * 2


@pytest.mark.parametrize(
    ("path", "more"),
    [(KSERVE, {"keys": ["a", "b"]}), (VERTEX, {"parameters": {"keys": ["a", "b"]}})],
)
def test_keys_stand_beside_the_rows_or_in_them(
    client: FlaskClient, judged: Callable[..., Any], path: str, more: dict[str, Any]
) -> None:
    rows = irises(2)
    client.post(path, json={"instances": rows, **more})
    client.post(path, json={"instances": [{**named(rows)[1], "key": "c"}]})

    assert judged(model="iris", key="b").prediction.inputs == rows[1]
    assert judged(model="iris", key="c").prediction.inputs == rows[1]


def test_state_of_models_reads_as_each_client_has_it(client: FlaskClient) -> None:
    status, metadata = client.get("/v1/models/iris").json, client.get("/v1/models/iris/metadata")

    assert client.get("/v1/models").json == {"models": ["iris", "zombies"]}
    assert status == {
        "name": "iris",
        "ready": True,
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ],
    }
    assert client.get("/v1/models/iris/versions/1").json == status
    assert client.get("/v1/models/iris/labels/champion").json == status
    told = metadata.json or {}
    assert told["model_spec"] == {"name": "iris", "signature_name": "", "version": "1"}
    signature = told["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert list(signature["inputs"]) == NAMES
    assert client.get("/v1/models/iris/versions/1/metadata").json == told


def test_vertex_answers_the_fields_that_its_client_knows(client: FlaskClient) -> None:
    told = client.post(VERTEX.replace("/iris:", "/7421:"), json={"instances": [ROW]}).json or {}

    assert {name: value for name, value in told.items() if name != "metadata"} == {
        "predictions": ["Iris-setosa"],
        "deployedModelId": "v1",
        "model": "projects/p/locations/europe-west6/models/iris",
        "modelDisplayName": "Iris",
        "modelVersionId": "1",
    }


WRONG: list[Any] = [
    *(b"", b"{", b"\xff", b"[]", b"7", b"null", b'"x"', b"{}", b"[" * 5000),
    *({"instances": each} for each in (None, 7, "x", {}, [], [None], [[]], [[1]], ["x"], [{}])),
    *({"instances": [[*ROW[:3], each]]} for each in (None, "x", {}, [], [1, 2], True, 1e300)),
    *({"instances": [{"b64": each}]} for each in ("AA==", 7)),
    {"instances": [[*ROW[:3], {"b64": "AA=="}]]},
    {"instances": [{**named([ROW])[0], "sepal_length_cm": {"b64": "AA=="}}]},
    {"instances": [{**named([ROW])[0], "other": 1}]},
    {"instances": [ROW, ROW[:2]]},
    {"instances": [[ROW]]},
    {"instances": [ROW], "inputs": [ROW]},
    *({"inputs": each} for each in (None, 7, "x", {}, [], {"a": [1]}, {"a": {}}, {"a": None})),
    {"inputs": {name: [1] * number for number, name in enumerate(NAMES)}},
    *({"instances": [ROW], "keys": each} for each in (7, "x", {}, ["a", "b"], [7], ["x" * 300])),
    *({"instances": [ROW], "parameters": each} for each in (7, [], "x", {"keys": 7})),
    *({"instances": [{**named([ROW])[0], "key": each}]} for each in (7, "", "\0", [])),
    {"instances": [ROW] * 10_001},
    *({"a": 1, "instances": [each]} for each in (False, 1e999, "\ud800")),
]


@pytest.mark.parametrize("path", [KSERVE, ENGINE, VERTEX])
def test_what_is_wrong_is_said_in_the_shape_of_the_protocol(client: FlaskClient, path: str) -> None:
    assert len(WRONG) >= 60
    for body in WRONG:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()

        answer = client.post(path, data=sent)

        assert answer.status_code in (400, 413), (body, answer.text)
        assert answer.content_type == "application/json"
        error = answer.json["error"]  # type: ignore[index]
        if path == KSERVE:
            assert isinstance(error, str)
        else:
            assert (error["code"], error["status"]) == (answer.status_code, "INVALID_ARGUMENT")
            assert isinstance(error["message"], str)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/models/nobody", 404),
        ("GET", "/v1/models/iris/versions/9", 404),
        ("GET", "/v1/models/iris/labels/x/metadata", 404),
        ("GET", "/v1/models/iris/nothing", 404),
        ("POST", "/v1/models/nobody:predict", 404),
        ("POST", "/v1/models/iris/versions/9:predict", 404),
        ("POST", "/v1/models/iris:classify", 405),
        ("POST", "/v1/projects/p/models/nobody:predict", 404),
        ("POST", "/v1/projects/p/models/iris/versions/x:predict", 404),
        ("POST", VERTEX.replace("/iris:", "/nobody:"), 404),
        ("GET", VERTEX, 405),
    ],
)
def test_errors_of_addresses_have_that_shape_too(
    client: FlaskClient, method: str, path: str, code: int
) -> None:
    answer = client.open(path, method=method, data=orjson.dumps({"instances": [ROW]}))

    assert answer.status_code == code
    assert set(answer.json) == {"error"}  # type: ignore[arg-type]
    assert isinstance(answer.json["error"], dict if "projects" in path else str)  # type: ignore[index]


def test_home_is_a_page_for_browsers_and_two_words_for_programs(client: FlaskClient) -> None:
    program = client.get("/", headers={"Accept": "*/*"})
    browser = client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert (program.json, "accept" in program.vary) == ({"status": "alive"}, True)
    assert (browser.mimetype, "accept" in browser.vary) == ("text/html", True)
    assert client.get("/").mimetype == "text/html"


# ── schemas of other kinds ───────────────────────────────────────────────────────────────────────

ODD = Schema(
    (
        Feature("age", "number", nullable=True),
        Feature("is_tame", "boolean"),
        Feature("grade", "category", choices=("1", "2")),
        Feature("b64", "number"),
    ),
    "price",
)


def test_gaps_truths_and_choices_come_as_their_features_take_them() -> None:
    rows = rows_of_instances(ODD, [[float("nan"), 1, 2.0, 3], {"age": "7", "is_tame": 0, "b64": 1}])

    assert fitted(ODD, rows) == [
        {"age": None, "is_tame": True, "grade": "2", "b64": 3.0},
        {"age": 7.0, "is_tame": False, "b64": 1.0},
    ]


def test_scalar_is_a_row_of_a_model_with_one_feature() -> None:
    schema = Schema((Feature("x", "number"),), "y")

    assert rows_of_instances(schema, [1, [2]]) == [{"x": 1}, {"x": 2}]
    assert rows_of_inputs(schema, {"x": 3}) == [{"x": 3}]
    with pytest.raises(TooLarge):
        rows_of_instances(schema, [1] * 10_001)
    with pytest.raises(Invalid, match="a list of 2"):
        rows_of_instances(schema, [[1, 2]])


# ── a container of Vertex AI ─────────────────────────────────────────────────────────────────────


def test_container_answers_where_vertex_says(settings: Settings) -> None:
    said = replace(settings, health_route="/alive", predict_route="/do/it")
    app: Flask = create_app(said)
    client = app.test_client()

    answer = client.post("/do/it", json={"instances": [ROW]})
    wrong = client.post("/do/it", json={})

    assert client.get("/alive").status_code == 200
    assert (answer.json or {})["predictions"] == ["Iris-setosa"]
    assert (wrong.json or {})["error"]["code"] == 400
    app.extensions["unrot"].store.close()


def test_variables_of_vertex_are_settings() -> None:
    said = {"AIP_HTTP_PORT": "8081", "AIP_HEALTH_ROUTE": "/h", "AIP_PREDICT_ROUTE": "/p/q"}
    made = load({"PORT": "5000", "UNROT_ALLOW_EPHEMERAL": "1", **said}, dotenv=None)

    assert (made.port, made.host, made.health_route) == (8081, "0.0.0.0", "/h")
    with pytest.raises(BadSetting, match="AIP_PREDICT_ROUTE"):
        load({"AIP_PREDICT_ROUTE": "predict me"}, dotenv=None)
