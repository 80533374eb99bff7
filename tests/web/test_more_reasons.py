"""The rule that holds an answer and the rows that are like its own: in the API and on the pages."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import OPERATOR, VIEWER
from tests.explain.test_turn import somebody_elses_turn
from tests.web.test_prediction_page import ship
from tests.web.visitor import FRAGMENT, IRIS, ask, id_in, post, sign_in, text_of
from unrot.core.newest import Newest
from unrot.explain import anchors, examples, explaining
from unrot.make import models
from unrot.serve.service import Service
from unrot.serve.shelf import Shelf

PREDICT = "/api/v1/models/iris/predict"
ROW = {name: float(value) for name, value in IRIS.items()}
AS_VIEWER = {"Authorization": f"Bearer {VIEWER}"}
AS_OPERATOR = {"Authorization": f"Bearer {OPERATOR}"}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reasons take no time, and a rule as long as it takes, which is the same each time."""
    monkeypatch.setattr(explaining, "SECONDS", 0.0)
    monkeypatch.setattr("unrot.explain.asking.SECONDS", 60.0)
    monkeypatch.setattr(anchors, "LOOKS", (150, 500))


def told(client: FlaskClient, explain: str, **headers: str) -> dict[str, Any]:
    answer = client.post(f"{PREDICT}?explain={explain}", json={"inputs": ROW}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json["data"]["explanation"]
    return found


def show_rows_to(client: FlaskClient, whom: str) -> None:
    path = "/api/v1/models/iris/policy"
    assert client.put(path, json={"neighbours": whom}, headers=AS_OPERATOR).status_code == 200


def make_older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let versions be from before examples were kept."""
    file = Shelf.file
    monkeypatch.setattr(
        Shelf, "file", lambda *asked: None if asked[3] == "examples" else file(*asked)
    )
    monkeypatch.setattr(examples, "_KEPT", Newest(1))


# ── API ──────────────────────────────────────────────────────────────────────────────────────


def test_rule_is_told_beside_the_reasons(client: FlaskClient) -> None:
    found = told(client, "1,rule")

    rule = found["rule"]
    assert rule["holds"]
    assert 0.95 <= rule["precision_from"] <= rule["precision"] <= rule["precision_to"] <= 1
    assert 0 < rule["coverage_from"] <= rule["coverage"] <= rule["coverage_to"] <= 1
    assert {one["feature"] for one in rule["conditions"]} <= {*ROW}
    for one in rule["conditions"]:
        here = ROW[one["feature"]]
        assert here > one["value"] if one["is"] == "above" else here <= one["value"]
    assert rule["sentence"].startswith("If ")
    assert found["contributions"]
    assert "neighbours" not in found


def test_rows_that_are_alike_have_their_own_truth(client: FlaskClient) -> None:
    found = told(client, "neighbours", **AS_VIEWER)

    assert len(found["neighbours"]) == 3
    assert [one["truth"] for one in found["neighbours"]] == ["Iris-setosa"] * 3
    distances = [one["distance"] for one in found["neighbours"]]
    assert distances == sorted(distances)
    for one in found["neighbours"]:
        assert {name for name, value in one["inputs"].items() if value != ROW[name]} == {
            *one["differs"]
        }
    assert "rule" not in found


def test_what_is_not_asked_for_is_not_there(client: FlaskClient) -> None:
    assert {"rule", "neighbours"}.isdisjoint(told(client, "1"))


def test_kept_prediction_has_the_same_rule_and_rows(client: FlaskClient, app: Flask) -> None:
    answer = client.post(
        f"{PREDICT}?explain=rule,neighbours", json={"inputs": ROW}, headers=AS_VIEWER
    ).json["data"]
    ship(app)

    path = f"/api/v1/predictions/{answer['id']}/explanation"
    kept = client.get(f"{path}?explain=rule,neighbours", headers=AS_VIEWER).json["data"]
    plain = client.get(path).json["data"]

    assert kept["rule"] == answer["explanation"]["rule"]
    assert kept["neighbours"] == answer["explanation"]["neighbours"]
    assert {"rule", "neighbours"}.isdisjoint(plain)


@pytest.mark.parametrize(
    ("whom", "code", "of_viewer"),
    [("viewers", 401, 200), ("anyone", 200, 200), ("nobody", 403, 403)],
)
def test_policy_says_who_sees_rows_of_the_training(
    client: FlaskClient, app: Flask, whom: str, code: int, of_viewer: int
) -> None:
    show_rows_to(client, whom)
    body = {"inputs": ROW}

    answer = client.post(f"{PREDICT}?explain=neighbours", json=body)
    seen = client.post(f"{PREDICT}?explain=neighbours", json=body, headers=AS_VIEWER)
    ship(app)

    assert (answer.status_code, seen.status_code) == (code, of_viewer)
    found = client.get("/api/v1/models/iris/predictions", headers=AS_VIEWER).json["data"]
    # Who is refused has nothing kept.
    assert len(found["predictions"]) == [code, of_viewer].count(200)


def test_private_value_is_in_no_answer(client: FlaskClient, service: Service) -> None:
    words = {"features": {name: {"private": True} for name in [*ROW][:3]}}
    models.describe(service, "iris", words)

    found = told(client, "rule,neighbours", **AS_VIEWER)

    for one in found["neighbours"]:
        assert {*one["inputs"]} == {"petal_width_cm"}
        assert {*one["differs"]} <= {"petal_width_cm"}
    assert {one["feature"] for one in found["rule"]["conditions"]} <= {"petal_width_cm"}


@pytest.mark.parametrize("explain", ["2", "rule;neighbours", "rule,,", "x" * 500])
def test_part_that_is_not_known_is_refused(client: FlaskClient, explain: str) -> None:
    answer = client.post(f"{PREDICT}?explain={explain}", json={"inputs": ROW})

    assert answer.status_code == 422
    assert "1, rule or neighbours" in answer.json["message"]


def test_rule_is_for_one_row_and_neighbours_for_a_few(client: FlaskClient) -> None:
    body = {"inputs": [ROW, {**ROW, "petal_width_cm": 2.2, "petal_length_cm": 6.0}]}

    refused = client.post(f"{PREDICT}?explain=rule", json=body)
    answer = client.post(f"{PREDICT}?explain=neighbours", json=body, headers=AS_VIEWER)

    assert refused.status_code == 422
    first, second = (one["explanation"] for one in answer.json["data"]["predictions"])
    assert first["neighbours"][0]["truth"] != second["neighbours"][0]["truth"]


@pytest.mark.parametrize("body", [[], {}, {"inputs": 1}, {"inputs": []}, {"inputs": [{}]}])
def test_what_is_wrong_with_a_row_is_said(client: FlaskClient, body: object) -> None:
    answer = client.post(f"{PREDICT}?explain=rule", json=body)

    assert answer.status_code in (400, 422)


def test_version_from_before_says_that_it_cannot_tell(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_older(monkeypatch)

    answer = client.post(f"{PREDICT}?explain=rule", json={"inputs": ROW})

    assert answer.status_code == 404
    assert "v1 was made before" in answer.json["message"]


def test_rule_waits_for_its_turn(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with somebody_elses_turn(monkeypatch):
        answer = client.post(f"{PREDICT}?explain=rule", json={"inputs": ROW})

    assert answer.status_code == 429


# ── pages ────────────────────────────────────────────────────────────────────────────────────


def fields(**more: str) -> dict[str, str]:
    return {"inputs": orjson.dumps(ROW).decode(), "version": "v1", **more}


def test_page_offers_the_rule_and_shows_rows_to_viewers(client: FlaskClient) -> None:
    before = text_of(post(client, "/models/iris/why", fields(), **FRAGMENT))
    sign_in(client, VIEWER)
    after = post(client, "/models/iris/why", fields(), **FRAGMENT)

    assert "Viewers are shown here the rows of the training" in before
    assert "Of the 3 rows of the training that are most like this one, all were" in text_of(after)
    assert 'action="/models/iris/rule"' in after.text
    assert "<mark>" in after.text


def test_page_shows_rows_to_nobody_where_the_policy_says_so(client: FlaskClient) -> None:
    show_rows_to(client, "nobody")
    sign_in(client, VIEWER)

    said = text_of(post(client, "/models/iris/why", fields(), **FRAGMENT))

    assert "rows like this" not in said


@pytest.mark.parametrize("headers", [FRAGMENT, {}], ids=["script", "no script"])
def test_page_tells_the_rule(client: FlaskClient, headers: dict[str, str]) -> None:
    said = text_of(post(client, "/models/iris/rule", fields(), **headers))

    assert "Which rule holds it?" in said
    assert "the answer is “Iris-setosa” in at least 95 % of rows like these." in said.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "mixed rows" in said


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"inputs": ""}, 422),
        ({"inputs": "[" * 100_000}, 422),
        ({"version": "v9"}, 404),
        ({"csrf_token": "no"}, 403),
    ],
)
def test_page_that_is_asked_wrongly_says_so(
    client: FlaskClient, more: dict[str, str], code: int
) -> None:
    assert post(client, "/models/iris/rule", fields(**more)).status_code == code


def test_page_of_a_prediction_tells_the_rule(client: FlaskClient, app: Flask) -> None:
    id = id_in(ask(client))
    ship(app)

    offered, said = client.get(f"/p/{id}?why=1"), text_of(client.get(f"/p/{id}?why=rule"))

    assert 'name="why" value="rule"' in offered.text
    assert "Mostly because petal " in said
    assert "the answer is “Iris-setosa” in at least" in said


def test_page_of_an_older_version_keeps_its_reasons(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = id_in(ask(client))
    ship(app)
    make_older(monkeypatch)
    sign_in(client, VIEWER)

    said = text_of(client.get(f"/p/{id}?why=rule"))

    assert "Mostly because petal " in said
    assert said.count("v1 was made before") == 2
