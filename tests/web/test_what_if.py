"""What if: a row is answered and not kept, along one feature, and to a wanted number."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import OPERATOR
from tests.web.test_prediction_page import ship
from tests.web.visitor import FRAGMENT, IRIS, ask, id_in, post, text_of
from unrot.serve import limits
from unrot.serve.service import Service

ROW = {name: float(value) for name, value in IRIS.items()}
PATH, PAGE = "/api/v1/models/iris/what-if", "/models/iris/what-if"
FIELDS = {"from": "fields", "version": "", **IRIS}


def asked(client: FlaskClient, **more: object) -> dict[str, Any]:
    answer = client.post(PATH, json={"inputs": ROW, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json["data"]
    return found


# ── API ──────────────────────────────────────────────────────────────────────────────────────


def test_answer_is_that_of_a_prediction_without_its_id(client: FlaskClient) -> None:
    made = client.post("/api/v1/models/iris/predict", json={"inputs": ROW}).json["data"]

    found = asked(client)

    same = ("model", "version", "class", "probabilities")
    assert {name: found[name] for name in same} == {name: made[name] for name in same}
    assert "id" not in found
    assert (found["value"], found["curve"], found["change"]) == (None, None, None)


def test_nothing_of_it_is_kept(client: FlaskClient, app: Flask) -> None:
    asked(client, feature="petal_width_cm")
    post(client, PAGE, {**FIELDS, "feature": "petal_width_cm"})
    ship(app)

    listed = client.get(
        "/api/v1/models/iris/predictions", headers={"Authorization": f"Bearer {OPERATOR}"}
    )
    assert listed.json["data"]["predictions"] == []


def test_version_can_be_named(client: FlaskClient) -> None:
    path = "/api/v1/models/iris/versions/v1/what-if"

    assert client.post(path, json={"inputs": ROW}).json["data"] == asked(client)
    assert client.post(path.replace("v1/what", "v9/what"), json={"inputs": ROW}).status_code == 404


def test_curve_is_what_the_model_answers(client: FlaskClient) -> None:
    curve = asked(client, feature="petal_width_cm")["curve"]

    values = [one["value"] for one in curve["steps"]]
    rows = [{**ROW, "petal_width_cm": value} for value in values]
    made = client.post("/api/v1/models/iris/predict", json={"inputs": rows}).json["data"]
    assert values == sorted(values)
    assert (values[0], values[-1], len(values)) == (0.1, 2.5, 21)
    assert [one["here"] for one in curve["steps"]] == pytest.approx(
        [one["probabilities"][curve["class"]] for one in made["predictions"]], abs=1e-6
    )
    assert all(0 <= one["usually"] <= 1 for one in curve["steps"])
    assert curve["rows"] >= 10


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"inputs": ROW, "feature": "x"}, "the name of a feature"),
        ({"inputs": ROW, "feature": 3}, "a text"),
        ({"inputs": [ROW]}, "an object of features"),
        ({"inputs": {}}, "sepal_length_cm"),
        ({}, "an object of features"),
        ({"inputs": ROW, "wanted": 2}, "is no number"),
        ({"inputs": ROW, "wanted": "x"}, "a number"),
        ({"inputs": ROW, "wanted": True}, "a number"),
        ({"inputs": ROW, "more": 1}, "only inputs, feature, wanted"),
    ],
)
def test_what_is_wrong_is_named(client: FlaskClient, body: dict[str, Any], named: str) -> None:
    answer = client.post(PATH, json=body)

    assert answer.status_code == 422
    assert named in answer.text


def test_it_is_no_way_around_being_counted(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    admitted: list[int] = []
    monkeypatch.setattr(kept.limits, "admit", lambda _caller, size: admitted.append(size))

    client.post("/api/v1/models/iris/predict", json={"inputs": [ROW]})
    asked(client, feature="petal_width_cm")

    assert len(admitted) == 2
    assert 0.75 < admitted[1] / admitted[0] < 1.25


def test_one_address_asks_so_often_and_no_more(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, kept: Service
) -> None:
    few = {**kept.limits._limits, limits.WHAT_IFS: limits.Limit(3, 60.0)}
    monkeypatch.setattr(kept.limits, "_limits", few)
    visitor = {"REMOTE_ADDR": "192.0.2.7"}

    def code(**more: Any) -> int:
        return client.post(
            PATH, json={"inputs": ROW}, environ_base=visitor, **more
        ).status_code

    codes = [code() for _ in range(4)]
    refused = client.post(PATH, json={"inputs": ROW}, environ_base=visitor)

    assert codes == [200, 200, 200, 429]
    assert int(refused.headers["Retry-After"]) > 0
    assert "what-ifs" in refused.json["message"]
    assert code(headers={"Authorization": f"Bearer {OPERATOR}"}) == 200


# ── pages ────────────────────────────────────────────────────────────────────────────────────


def test_page_offers_the_example_and_answers_nothing_yet(client: FlaskClient) -> None:
    said = text_of(client.get(PAGE))

    assert "Nothing that you try here is kept" in said
    assert "press Show" in said


@pytest.mark.parametrize("headers", [FRAGMENT, {}], ids=["script", "no script"])
def test_page_answers_with_a_curve(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = post(client, PAGE, {**FIELDS, "feature": "petal_width_cm"}, **headers)

    said = text_of(answer)
    assert answer.status_code == 200
    assert "Iris-setosa" in said
    assert "Chance of “Iris-setosa” along petal width" in said
    assert "Whatever petal width is, with all else as it stands, this row gets" in said
    assert "The data as a table" in said
    assert ("<form" in answer.text) is not bool(headers)


def test_answer_leads_to_its_row(client: FlaskClient, app: Flask) -> None:
    answer = ask(client, petal_width_cm="0.3")
    ship(app)
    page = client.get(f"/p/{id_in(answer)}")

    for one in (answer, page):
        assert f'action="{PAGE}#answer"' in one.text
    row = {"from": "answer", "version": "v1", "inputs": orjson.dumps(ROW).decode()}
    assert 'value="0.2"' in post(client, PAGE, row).text


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"petal_width_cm": "x"}, 422),
        ({"feature": "x"}, 422),
        ({"version": "v9"}, 404),
        ({"csrf_token": "no"}, 403),
        ({"from": "answer"}, 422),
        ({"from": "answer", "inputs": '{"petal_width_cm": [1]}'}, 422),
    ],
)
def test_page_that_is_asked_wrongly_says_so(
    client: FlaskClient, more: dict[str, str], code: int
) -> None:
    assert post(client, PAGE, {**FIELDS, **more}).status_code == code
