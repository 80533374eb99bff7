"""The Open Inference Protocol over HTTP: JSON, binary, metadata, errors, the repository."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import OPERATOR
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.web.api.predictions import IRIS

INFER = "/v2/models/iris/infer"
NAMES = list(IRIS)
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 5.6, 2.4]]
FLAT = [*ROWS[0], *ROWS[1]]
TABLE = {"name": "table", "datatype": "FP64", "shape": [2, 4], "data": ROWS}
OPERATORS = {"Authorization": f"Bearer {OPERATOR}"}


def columns(rows: list[list[float]] = ROWS, datatype: str = "FP64") -> list[dict[str, Any]]:
    return [
        {"name": name, "datatype": datatype, "shape": [len(rows), 1], "data": list(column)}
        for name, column in zip(NAMES, zip(*rows, strict=True), strict=True)
    ]


def asked(client: FlaskClient, body: Any, path: str = INFER, **headers: str) -> TestResponse:
    """Ask as tritonclient does: without a content type."""
    return client.post(path, data=orjson.dumps(body), headers=headers)


def outputs(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json["outputs"]}  # type: ignore[index]


def plainly(client: FlaskClient) -> list[dict[str, Any]]:
    """What our own API answers to the same rows."""
    rows = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    told = client.post("/api/v1/models/iris/predict", json={"inputs": rows}).json
    found: list[dict[str, Any]] = told["data"]["predictions"]  # type: ignore[index]
    return found


@pytest.mark.parametrize(
    "inputs",
    [
        columns(),
        [TABLE],
        [{**TABLE, "data": FLAT}],
        [{**TABLE, "datatype": "FP32"}],
        [{**TABLE, "shape": [8], "data": FLAT}],
        columns()[::-1],
    ],
    ids=["columns", "table", "flat", "single", "one dimension", "another order"],
)
def test_answers_equal_those_of_our_own_api(client: FlaskClient, inputs: Any) -> None:
    answer = asked(client, {"id": "42", "inputs": inputs, "model_name": "iris"})
    expected = plainly(client)

    found, told = outputs(answer), answer.json or {}
    assert found["predict"] == {
        "name": "predict",
        "datatype": "BYTES",
        "shape": [2, 1],
        "data": [one["class"] for one in expected],
    }
    shares = [share for one in expected for share in one["probabilities"].values()]
    assert found["predict_proba"]["shape"] == [2, 3]
    assert found["predict_proba"]["data"] == pytest.approx(shares, abs=1e-6)
    assert (told["model_name"], told["id"]) == ("iris", "42")
    assert answer.content_type == "application/json"


def test_prediction_is_judged_by_what_stands_in_the_parameters(
    client: FlaskClient, kept: Service
) -> None:
    many = asked(client, {"inputs": [*columns()]}).json or {}
    named = {"inputs": columns(ROWS[:1]), "parameters": {"key": "order-1"}}
    one = asked(client, named).json or {}
    keys = {"name": "key", "datatype": "BYTES", "shape": [2, 1], "data": ["a", "b"]}
    asked(client, {"inputs": [TABLE, keys]})
    Caretaker(kept, "tests").go_round()

    ids = [*many["parameters"]["prediction_ids"].split(","), one["parameters"]["prediction_id"]]
    verdicts = [{"id": id, "was_correct": True} for id in ids]
    verdicts += [{"model": "iris", "key": key, "was_correct": True} for key in ("b", "order-1")]
    told = client.post("/api/v1/feedback", json=verdicts).json or {}

    assert [each["status"] for each in told["data"]["results"]] == [*["created"] * 4, "duplicate"]
    assert one["id"] == ids[2]  # where a client gives no id of its own


def test_binary_form_is_read_and_written(client: FlaskClient) -> None:
    tensors = [
        {"name": name, "datatype": "FP32", "shape": [2, 1], "parameters": {"binary_data_size": 8}}
        for name in NAMES
    ]
    wanted = [
        {"name": "predict", "parameters": {"binary_data": True}},
        {"name": "predict_proba", "parameters": {"binary_data": False}},
    ]
    head = orjson.dumps({"inputs": tensors, "outputs": wanted})
    behind = np.array(ROWS, "<f4").T.tobytes()

    answer = client.post(
        INFER, data=head + behind, headers={"Inference-Header-Content-Length": str(len(head))}
    )

    expected = plainly(client)
    length = int(answer.headers["Inference-Header-Content-Length"])
    told, data = orjson.loads(answer.data[:length]), answer.data[length:]
    [size] = struct.unpack_from("<I", data)
    assert answer.content_type == "application/octet-stream"
    assert told["outputs"][0]["parameters"] == {"binary_data_size": len(data)}
    assert data[4 : 4 + size].decode() == expected[0]["class"]
    assert len(told["outputs"][1]["data"]) == 6


def test_texts_gaps_and_truths_come_as_their_features_take_them(client: FlaskClient) -> None:
    texts = b"".join(struct.pack("<I", len(one)) + one for one in (b"5.1", b"3.5", b"1.4", b"0.2"))
    tensor = {
        "name": "table",
        "datatype": "BYTES",
        "shape": [1, 4],
        "parameters": {"binary_data_size": len(texts)},
    }
    head = orjson.dumps({"inputs": [tensor]})

    answer = client.post(
        INFER, data=head + texts, headers={"Inference-Header-Content-Length": str(len(head))}
    )

    assert outputs(answer)["predict"]["data"] == ["Iris-setosa"]


def test_metadata_names_what_is_taken_and_answered(client: FlaskClient) -> None:
    server, model = client.get("/v2/").json or {}, client.get("/v2/models/iris").json or {}

    assert server["extensions"] == ["binary_tensor_data", "model_repository"]
    assert [one["name"] for one in model["inputs"]] == NAMES
    assert {(one["datatype"], *one["shape"]) for one in model["inputs"]} == {("FP64", -1, 1)}
    assert [one["name"] for one in model["outputs"]] == ["predict", "predict_proba"]
    assert model["versions"] == ["v1"]
    assert client.get("/v2/models/iris/versions/1").json == model
    assert client.get("/v2/health/live").json == {"live": True}
    assert client.get("/v2/models/iris/ready").json == {"name": "iris", "ready": True}
    assert client.get("/v2/health/ready").json in ({"ready": True}, {"ready": False})


WRONG: list[tuple[Any, str]] = [
    ([], "The body is a list of 0"),
    ({}, "inputs is missing"),
    ({"inputs": []}, "inputs a list of 0"),
    ({"inputs": "x"}, "inputs"),
    ({"inputs": [7]}, "inputs 7"),
    ({"inputs": [{}]}, "name is missing"),
    ({"inputs": [{**TABLE, "datatype": "FP8"}]}, 'datatype "FP8"'),
    ({"inputs": [{**TABLE, "datatype": []}]}, "datatype"),
    ({"inputs": [{**TABLE, "shape": []}]}, "shape"),
    ({"inputs": [{**TABLE, "shape": [2, -4]}]}, "shape"),
    ({"inputs": [{**TABLE, "shape": [10**9, 10**9]}]}, "shape"),
    ({"inputs": [{**TABLE, "shape": [True, 4]}]}, "shape"),
    ({"inputs": [{**TABLE, "shape": [4, 2]}]}, "a shape of [4, 4]"),
    ({"inputs": [{**TABLE, "shape": [3, 4]}]}, "12 values"),
    ({"inputs": [{**TABLE, "data": None}]}, "data"),
    ({"inputs": [{**TABLE, "data": [ROWS, 7]}]}, "data"),
    ({"inputs": [{**TABLE, "data": [{}] * 8}]}, "data"),
    ({"inputs": [{**TABLE, "data": ["x"] * 8}]}, "sepal_length_cm"),
    ({"inputs": [{**TABLE, "data": [1e999] * 8}]}, "not JSON"),
    ({"inputs": [{**TABLE, "parameters": 7}]}, "parameters"),
    ({"inputs": [{**TABLE, "parameters": {"binary_data_size": 9}}]}, "binary_data_size"),
    ({"inputs": columns()[1:]}, "sepal_length_cm is missing"),
    ({"inputs": [*columns(), columns(ROWS[:1])[0]]}, "sepal"),
    ({"inputs": [{**each, "name": "x"} for each in columns()]}, "sepal_length_cm is missing"),
    ({"id": 7, "inputs": [TABLE]}, "id 7"),
    ({"id": "x" * 300, "inputs": [TABLE]}, "id"),
    ({"inputs": [TABLE], "outputs": "x"}, "outputs"),
    ({"inputs": [TABLE], "outputs": [{"name": "nothing"}]}, 'outputs "nothing"'),
    ({"inputs": [TABLE], "outputs": [{"name": []}]}, "outputs"),
    ({"inputs": [TABLE], "parameters": {"key": "two rows"}}, "keys"),
    ({"inputs": [TABLE], "parameters": {"key": ""}}, "key"),
]


@pytest.mark.parametrize(("body", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_in_the_shape_of_the_protocol(
    client: FlaskClient, body: Any, said: str
) -> None:
    text = orjson.dumps(body) if "1e999" not in said else b"{"

    answer = client.post(INFER, data=text)

    assert answer.status_code == 400, answer.text
    assert answer.content_type == "application/json"
    assert set(answer.json) == {"error"}  # type: ignore[arg-type]
    if said != "not JSON":
        assert said in answer.json["error"]  # type: ignore[index]


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5_000, "²", "100"])
def test_wrong_length_of_the_json_is_refused(client: FlaskClient, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    answer = client.post(INFER, data=b'{"inputs": []}', headers=headers)

    assert (answer.status_code, set(answer.json)) == (400, {"error"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v2/models/nobody", 404),
        ("GET", "/v2/models/nobody/ready", 404),
        ("GET", "/v2/models/iris/versions/9", 404),
        ("GET", "/v2/models/iris/versions/9/ready", 404),
        ("POST", "/v2/models/nobody/infer", 404),
        ("POST", "/v2/models/iris/versions/v9/infer", 404),
        ("GET", "/v2/models/iris/infer", 405),
        ("GET", "/v2/nothing", 404),
        ("POST", "/v2/repository/index", 401),
        ("POST", "/v2/repository/models/iris/unload", 401),
    ],
)
def test_errors_are_objects_with_a_sentence(
    client: FlaskClient, method: str, path: str, code: int
) -> None:
    answer = client.open(path, method=method, data=orjson.dumps({"inputs": [TABLE]}))

    assert answer.status_code == code
    assert set(answer.json) == {"error"}  # type: ignore[arg-type]


def test_operator_lists_and_loads_and_moves_nothing(client: FlaskClient, kept: Service) -> None:
    before = kept.store.registry.generation()

    listed = client.post("/v2/repository/index", headers=OPERATORS).json or []
    loaded = client.post("/v2/repository/models/iris/load", headers=OPERATORS)
    unloaded = client.post("/v2/repository/models/iris/unload", headers=OPERATORS)
    sent = {"parameters": {"config": "{}"}}
    refused = client.post("/v2/repository/models/iris/load", json=sent, headers=OPERATORS)

    assert {"name": "iris", "version": "v1", "state": "READY", "reason": ""} in listed
    assert (loaded.status_code, unloaded.status_code, refused.status_code) == (200, 200, 400)
    assert kept.store.registry.generation() == before
    assert asked(client, {"inputs": [TABLE]}).status_code == 200
