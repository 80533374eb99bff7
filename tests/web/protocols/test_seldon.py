"""Seldon, version 1: messages, feedback by reward and truth, puids."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import JUDGE
from tests.web.protocols.conftest import NAMES, irises, own_labels
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

PREDICT, FEEDBACK = "/api/v1.0/predictions", "/api/v1.0/feedback"
PUID = "seldon-puid"
FORM = "application/x-www-form-urlencoded"
ROW = [5.1, 3.5, 1.4, 0.2]
FLAT = [value for row in irises() for value in row]
TENSOR = {"shape": [500, 4], "values": FLAT}
MESSAGES: dict[str, Any] = {
    "ndarray": {"data": {"ndarray": irises()}},
    "names": {"data": {"names": NAMES, "ndarray": irises()}, "meta": {}},
    "another order": {
        "data": {"names": [*NAMES[::-1], "more"], "ndarray": [[*r[::-1], 7] for r in irises()]}
    },
    "names of nothing": {"data": {"names": ["t:0", "t:1", "t:2", "t:3"], "ndarray": irises()}},
    "tensor": {"data": {"names": NAMES, "tensor": TENSOR}},
    "jsonData": {"jsonData": [dict(zip(NAMES, row, strict=True)) for row in irises()]},
}


def ask(client: FlaskClient, message: Any, **headers: str) -> dict[str, Any]:
    answer = client.post(PREDICT, json=message, headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json or {}
    assert answer.headers[PUID] == told["meta"]["puid"]
    return told


def verdict(kept: Service, id: str) -> Any:
    found = kept.store.verdicts.of(id)
    assert found is not None
    return found


@pytest.mark.parametrize("form", MESSAGES)
def test_answers_equal_those_of_our_own_api(client: FlaskClient, form: str) -> None:
    told = ask(client, MESSAGES[form])

    tags, data = told["meta"]["tags"], told["data"]
    assert tags["labels"] == own_labels(client, irises())
    assert len(set(tags["ids"])) == 500
    assert data["names"] == ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]
    shares = (
        data["tensor"]["values"]
        if form == "tensor"
        else [share for each in data["ndarray"] for share in each]
    )
    assert len(shares) == 1500


@pytest.mark.parametrize(
    "path",
    [PREDICT, "/api/v0.1/predictions", "/predict", "/seldon/default/iris/api/v1.0/predictions"],
)
def test_message_comes_as_json_or_in_a_form_or_in_the_address(
    client: FlaskClient, path: str
) -> None:
    message = {"data": {"ndarray": ROW}}

    answers = [
        client.post(path, json=message),
        client.post(path, data={"json": json.dumps(message)}),
        client.post(path, query_string={"json": json.dumps(message)}),
        client.post(path, data=json.dumps(message), content_type=FORM),
    ]

    labels = [answer.json["meta"]["tags"]["labels"] for answer in answers]  # type: ignore[index]
    assert labels == [["Iris-setosa"]] * 4


@pytest.mark.parametrize(
    ("reward", "is_right"), [(1.0, True), (1, True), (0.0, False), (None, False)]
)
def test_reward_judges_the_prediction_of_the_puid(
    client: FlaskClient, kept: Service, reward: Any, is_right: bool
) -> None:
    message = {"data": {"ndarray": [ROW]}}
    told = ask(client, message)
    said = {} if reward is None else {"reward": reward}

    answer = client.post(
        "/send-feedback",
        data={"json": json.dumps({"request": message, "response": told, **said})},
    )

    assert answer.json == {"meta": {"tags": {"statuses": ["created"]}}}
    assert verdict(kept, told["meta"]["puid"]).was_correct is is_right


def test_puid_that_is_sent_is_the_clients_own_key(client: FlaskClient, kept: Service) -> None:
    one = ask(client, {"data": {"ndarray": [ROW]}}, **{PUID: "order-1"})
    two = ask(client, {"data": {"ndarray": [ROW]}, "meta": {"puid": "order-2"}})
    many = ask(client, {"data": {"ndarray": [ROW, ROW]}}, **{PUID: "orders"})
    Caretaker(kept, "tests").go_round()
    truth = {"data": {"ndarray": [["Iris-virginica"]]}}
    judge = {"Authorization": f"Bearer {JUDGE}"}

    client.post(FEEDBACK, json={"truth": truth}, headers={PUID: "order-1", **judge})
    client.post(FEEDBACK, json={"response": {"meta": {"puid": "order-2"}}, "reward": 1})
    client.post(
        "/api/v0.1/feedback",
        json={"request": {"meta": {"puid": "orders"}}, "truth": {"jsonData": ["Iris-setosa"] * 2}},
    )

    first = verdict(kept, one["meta"]["tags"]["ids"][0])
    assert (first.label, first.was_correct, first.judge) == ("Iris-virginica", False, "ada")
    assert verdict(kept, two["meta"]["tags"]["ids"][0]).was_correct is True
    assert [verdict(kept, id).label for id in many["meta"]["tags"]["ids"]] == ["Iris-setosa"] * 2


def test_truth_of_many_rows_is_of_the_ids_in_the_answer(client: FlaskClient, kept: Service) -> None:
    told = ask(client, {"data": {"ndarray": [ROW, ROW]}})
    truth = {"data": {"ndarray": [["Iris-setosa"], ["Iris-virginica"]]}}

    answer = client.post(FEEDBACK, json={"response": told, "truth": truth})
    alone = client.post(FEEDBACK, json={"response": told, "reward": 1})

    assert answer.json == {"meta": {"tags": {"statuses": ["created"] * 2}}}
    ids = told["meta"]["tags"]["ids"]
    assert [verdict(kept, id).was_correct for id in ids] == [True, False]
    assert alone.status_code == 400


def row(last: Any) -> Any:
    return {"data": {"ndarray": [[*ROW[:3], last]]}}


WRONG: list[Any] = [
    *("", "{", "7", "null", "[]", '"x"', "{}", "[" * 5000),
    *({"data": each} for each in (None, 7, "x", [], {})),
    *({"data": {"ndarray": each}} for each in (None, 7, "x", {}, [], [[]], [7], ["x"], [[1, 2]])),
    *map(row, (None, "x", {}, [], True, 1e300, 1e999)),
    *(
        {"data": {"names": each, "ndarray": [ROW]}}
        for each in (7, "x", {}, [7], NAMES[:3], NAMES[:1])
    ),
    {"data": {"names": NAMES, "ndarray": [ROW, 7]}},
    {"data": {"names": [*NAMES[:3], "x"], "ndarray": [ROW]}},
    *({"data": {"tensor": each}} for each in (None, 7, [], {}, {"shape": [1, 4]}, {"values": ROW})),
    *(
        {"data": {"tensor": {"shape": shape, "values": ROW}}}
        for shape in (
            [],
            [4, 1],
            [2, 4],
            [0, 4],
            [-1, -4],
            [1.0, 4],
            ["1", 4],
            [1, 4, 1],
            [None],
            7,
        )
    ),
    *({"jsonData": each} for each in (None, 7, "x", [], {}, [7], [{}])),
    *({name: "x"} for name in ("strData", "binData", "customData")),
    {"data": {"tftensor": {}}},
    *({**row(0.2), "meta": each} for each in (7, [], "x", {"puid": 7}, {"puid": "x" * 300})),
    {"data": {"ndarray": [ROW] * 10_001}},
]
WRONG_FEEDBACK: list[Any] = [
    *("", "{", "7", "[]", "{}"),
    *(
        {"reward": each, "response": {"meta": {"puid": "a"}}}
        for each in (0.5, 2, -1, "1", True, [], {})
    ),
    *({"reward": 1, "response": each} for each in (7, [], {}, {"meta": 7}, {"meta": {"puid": 7}})),
    {"reward": 1, "response": {"meta": {"tags": 7}}},
    {"reward": 1, "response": {"meta": {"tags": {"ids": [7]}}}},
    *(
        {"truth": each, "response": {"meta": {"puid": "a"}}}
        for each in (
            7,
            [],
            {"data": 7},
            {"data": {}},
            {"data": {"ndarray": []}},
            {"strData": ""},
            {"data": {"ndarray": [[1, 2]]}},
            {"data": {"tensor": 7}},
            {"jsonData": {"a": 1}},
        )
    ),
]


@pytest.mark.parametrize(
    ("path", "bodies"),
    [(PREDICT, WRONG), ("/predict", WRONG), (FEEDBACK, WRONG_FEEDBACK)],
    ids=["predictions", "predict", "feedback"],
)
def test_what_is_wrong_is_said_in_the_shape_of_the_protocol(
    client: FlaskClient, path: str, bodies: list[Any]
) -> None:
    assert len(WRONG) >= 60
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body)

        answer = client.post(path, data=text)

        assert answer.status_code in (400, 413), (body, answer.text)
        _check_shape(answer)


FORMS = ["", "x", "json", "json=", "json=%7B", "json=%ff", "\xff", "a&" * 99]


@pytest.mark.parametrize("sent", FORMS)
def test_form_without_a_message_is_refused(client: FlaskClient, sent: str) -> None:
    answer = client.post(PREDICT, data=sent.encode("latin-1"), content_type=FORM)

    assert answer.status_code == 400
    _check_shape(answer)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/v1.0/nothing", {}, 404),
        ("/seldon/default/nobody/api/v1.0/predictions", {"data": {"ndarray": [ROW]}}, 404),
        (FEEDBACK, {"reward": 1, "response": {"meta": {"puid": "nobody"}}}, 404),
    ],
)
def test_errors_of_addresses_have_that_shape_too(
    client: FlaskClient, path: str, body: Any, code: int
) -> None:
    answer = client.post(path, json=body)
    token = client.post(FEEDBACK, json={"reward": 1}, headers={"Authorization": "Bearer nobody"})

    assert (answer.status_code, token.status_code) == (code, 401)
    _check_shape(answer)
    _check_shape(token)


def _check_shape(answer: TestResponse) -> None:
    assert answer.content_type == "application/json"
    status = answer.json["status"]  # type: ignore[index]
    assert (status["status"], status["code"]) == (1, -1)
    assert isinstance(status["info"], str)
    assert status["reason"] == status["reason"].upper()
