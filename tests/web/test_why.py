"""Why an answer was given: on the pages, in the API, and as other people's clients ask it."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.explain.test_turn import somebody_elses_turn
from tests.web.test_prediction_page import ship
from tests.web.visitor import FRAGMENT, IRIS, ask, id_in, post, text_of
from unrot.explain import explaining, sampling


@pytest.fixture(autouse=True)
def same_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time stand still while samples are drawn: as many each time."""
    monkeypatch.setattr(sampling, "MOST_PASSES", 1)
    monkeypatch.setattr(explaining, "sample", partial(sampling.sample, clock=lambda: 0.0))


ROW = {name: float(value) for name, value in IRIS.items()}
PREDICT = "/api/v1/models/iris/predict"


def explained(client: FlaskClient, **more: object) -> dict[str, Any]:
    answer = client.post(f"{PREDICT}?explain=1", json={"inputs": {**ROW, **more}})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json["data"]
    return found


# ── API ──────────────────────────────────────────────────────────────────────────────────────


def test_answer_says_why_and_all_parts_add_up(client: FlaskClient) -> None:
    data = explained(client)

    why = data["explanation"]
    assert data["id"]
    assert (why["class"], why["version"]) == ("Iris-setosa", "v1")
    assert {one["feature"] for one in why["contributions"]} == set(ROW)
    added = sum(one["amount"] for one in why["contributions"])
    assert why["average"] + added == pytest.approx(why["score"], abs=1e-9)
    assert why["sentence"].startswith("Mostly because petal ")


def test_answer_says_what_would_change_it(client: FlaskClient) -> None:
    change = explained(client)["explanation"]["change"]

    row = {**ROW, **{one["feature"]: one["after"] for one in change["moved"]}}
    answer = client.post(PREDICT, json={"inputs": row})
    assert answer.json["data"]["class"] == change["class"] != "Iris-setosa"


def test_each_of_a_few_rows_is_explained(client: FlaskClient) -> None:
    answer = client.post(
        f"{PREDICT}?explain=1", json={"inputs": [ROW, {**ROW, "petal_width_cm": 2.2}]}
    )

    told = [one["explanation"] for one in answer.json["data"]["predictions"]]
    assert len(told) == 2
    assert told[0] != told[1]


def test_more_rows_than_are_explained_are_refused(client: FlaskClient) -> None:
    answer = client.post(f"{PREDICT}?explain=1", json={"inputs": [ROW] * 21})

    assert answer.status_code == 422
    assert "at most 20 rows" in answer.json["message"]


def test_who_is_sent_away_has_no_prediction_kept(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with somebody_elses_turn(monkeypatch):
        answer = client.post(f"{PREDICT}?explain=1", json={"inputs": ROW})
    ship(app)

    assert answer.status_code == 429
    kept = client.get(
        "/api/v1/models/iris/predictions", headers={"Authorization": f"Bearer {VIEWER}"}
    )
    assert kept.json["data"]["predictions"] == []


def test_plain_answer_has_no_explanation(client: FlaskClient) -> None:
    answer = client.post(PREDICT, json={"inputs": ROW})

    assert "explanation" not in answer.json["data"]


def test_kept_prediction_is_explained_as_it_was_when_it_was_made(
    client: FlaskClient, app: Flask
) -> None:
    data = explained(client)
    ship(app)

    answer = client.get(f"/api/v1/predictions/{data['id']}/explanation")

    assert answer.json["data"] == data["explanation"]


def test_prediction_that_is_not_known_has_no_explanation(client: FlaskClient) -> None:
    assert client.get(f"/api/v1/predictions/{'A' * 32}/explanation").status_code == 403


def test_kserve_explains_and_keeps_nothing(client: FlaskClient) -> None:
    body = orjson.dumps({"instances": [list(ROW.values())]})

    answer = client.post("/v1/models/iris:explain", data=body)

    [why] = answer.json["explanations"]
    assert why == explained(client)["explanation"]
    assert "ids" not in answer.json


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"instances": [["x"]]}', b'{"instances": []}'])
def test_kserve_says_what_is_wrong_with_rows(client: FlaskClient, body: bytes) -> None:
    assert client.post("/v1/models/iris:explain", data=body).status_code == 400


# ── pages ────────────────────────────────────────────────────────────────────────────────────


def fields(**more: str) -> dict[str, str]:
    return {"inputs": orjson.dumps(ROW).decode(), "version": "v1", **more}


def test_answer_offers_to_say_why(client: FlaskClient) -> None:
    answer = ask(client)

    assert 'action="/models/iris/why"' in answer.text
    assert "Why this answer?" in text_of(answer)


@pytest.mark.parametrize("headers", [FRAGMENT, {}], ids=["script", "no script"])
def test_page_says_why(client: FlaskClient, headers: dict[str, str]) -> None:
    said = text_of(post(client, "/models/iris/why", fields(), **headers))

    assert "Mostly because petal " in said
    assert "the parts add up to the difference" in said
    assert "Feature Here Usually Added" in said


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"inputs": ""}, 422),
        ({"inputs": "[" * 100_000}, 422),
        ({"inputs": '{"petal_width_cm": 1}'}, 422),
        ({"version": "v9"}, 404),
        ({"csrf_token": "no"}, 403),
    ],
)
def test_page_that_is_asked_wrongly_says_so(
    client: FlaskClient, more: dict[str, str], code: int
) -> None:
    assert post(client, "/models/iris/why", fields(**more)).status_code == code


def test_page_of_a_prediction_says_why_when_it_is_asked(client: FlaskClient, app: Flask) -> None:
    id = id_in(ask(client))
    ship(app)

    offered, said = client.get(f"/p/{id}"), text_of(client.get(f"/p/{id}?why=1"))

    assert 'name="why" value="1"' in offered.text
    assert "Mostly because petal " in said


def test_plain_server_loads_nothing_that_explains() -> None:
    asked = "import sys, unrot.app; print([one for one in sys.modules if 'unrot.explain' in one])"

    found = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
