"""What would teach most is asked of judges, and nothing that a judge has said already."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.web.visitor import post, sign_in, text_of
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.watch.reports import ask
from unrot.web.pages import ask as pages

BEARER = {"Authorization": f"Bearer {JUDGE}"}
SURE, BETWEEN, CLOSER = (
    {"sepal_length_cm": 5.1, "sepal_width_cm": 3.5, "petal_length_cm": 1.4, "petal_width_cm": 0.2},
    {"sepal_length_cm": 6.0, "sepal_width_cm": 2.7, "petal_length_cm": 5.0, "petal_width_cm": 1.6},
    {"sepal_length_cm": 6.0, "sepal_width_cm": 2.7, "petal_length_cm": 4.9, "petal_width_cm": 1.7},
)


@pytest.fixture
def made(client: FlaskClient, app: Flask) -> list[dict[str, Any]]:
    rows = {"inputs": [SURE, BETWEEN, CLOSER, BETWEEN]}
    found = client.post("/api/v1/models/iris/predict", json=rows).json["data"]["predictions"]
    Caretaker(app.extensions["unrot"], "tests").go_round()
    return found  # type: ignore[no-any-return]


def asked(client: FlaskClient, model: str = "iris") -> dict[str, Any]:
    answer = client.get(f"/api/v1/models/{model}/ask", headers=BEARER)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]  # type: ignore[no-any-return]


def accuracy(client: FlaskClient, app: Flask) -> tuple[int, int, int]:
    """Return how many verdicts the last ones are, those counted in all, and those asked for."""
    Caretaker(app.extensions["unrot"], "tests").go_round()
    headers = {"Authorization": f"Bearer {VIEWER}"}
    found = client.get("/api/v1/models/iris/accuracy", headers=headers).json["data"]
    windows = client.get("/api/v1/models/iris/windows", headers=headers).json["data"]["points"]
    rolled = found["rolling"]["newest"]
    assert sum(one["verdicts"] for one in windows) == found["over_time"][-1]["verdicts"]
    last = 0 if rolled is None else rolled["accuracy"]["verdicts"]
    return last, found["over_time"][-1]["verdicts"], sum(one["asked"] for one in windows)


def margin(one: dict[str, Any]) -> float:
    first, second = sorted(one["probabilities"].values())[:-3:-1]
    return float(first - second)


def test_least_sure_are_asked_first_and_equal_rows_once(
    client: FlaskClient, made: list[dict[str, Any]]
) -> None:
    found = asked(client)["questions"]

    assert [len(one["set"]) for one in found] == sorted(
        (len(one["set"]) for one in found), reverse=True
    )
    assert {one["prediction"]["id"] for one in found} == {made[n]["id"] for n in (0, 2, 3)}
    assert found[-1]["prediction"]["id"] == made[0]["id"]
    by_id = {one["id"]: one for one in made}
    for one in found:
        assert one["margin"] == pytest.approx(margin(by_id[one["prediction"]["id"]]))


def test_what_a_judge_has_said_is_not_asked(
    client: FlaskClient, app: Flask, made: list[dict[str, Any]]
) -> None:
    first = asked(client)["questions"][0]["prediction"]["id"]
    client.post("/api/v1/feedback", json={"id": made[0]["id"], "was_correct": True})
    client.post("/api/v1/feedback", json={"id": first, "label": "Iris-setosa"}, headers=BEARER)

    left = [one["prediction"]["id"] for one in asked(client)["questions"]]

    assert (first in left, made[0]["id"] in left) == (False, True)


def test_verdict_with_its_token_is_kept_apart_from_what_is_measured(
    client: FlaskClient, app: Flask, made: list[dict[str, Any]]
) -> None:
    one = asked(client)["questions"][0]
    id = one["prediction"]["id"]
    said = {"id": id, "label": "Iris-setosa"}

    answer = client.post(
        "/api/v1/feedback", json={**said, "asked_token": one["asked_token"]}, headers=BEARER
    )
    kept = client.get(f"/api/v1/predictions/{id}", headers=BEARER).json["data"]["feedback"]

    assert (answer.status_code, kept["asked"]) == (201, True)
    assert accuracy(client, app) == (0, 0, 1)
    assert id not in [one["prediction"]["id"] for one in asked(client)["questions"]]
    wrong = {"id": made[0]["id"], "was_correct": True, "asked_token": one["asked_token"]}
    assert client.post("/api/v1/feedback", json=wrong, headers=BEARER).status_code == 422

    assert client.post("/api/v1/feedback", json=said, headers=BEARER).status_code == 200
    assert accuracy(client, app) == (1, 1, 0)
    kept = client.get(f"/api/v1/predictions/{id}", headers=BEARER).json["data"]["feedback"]
    assert "asked" not in kept


def test_what_a_judge_gave_a_reward_between_is_still_asked(
    client: FlaskClient, made: list[dict[str, Any]]
) -> None:
    """The audit takes it for unjudged too: nobody has said right, wrong, or what is true."""
    first = asked(client)["questions"][0]["prediction"]["id"]
    client.post("/api/v1/feedback", json={"id": first, "reward": 0.5}, headers=BEARER)

    assert first in [one["prediction"]["id"] for one in asked(client)["questions"]]


def test_what_lies_before_the_world_moved_is_not_asked(
    client: FlaskClient, app: Flask, made: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    of: Service = app.extensions["unrot"]
    shelved = of.catalogue().model("iris")
    moved = replace(shelved.versions["v1"], anchor_since=of.clock() + 1.0)

    monkeypatch.setitem(shelved.versions, "v1", moved)

    assert asked(client) == {"questions": [], "looked_at": 0, "none_because": ask.NOTHING}


def test_numbers_say_why_none_is_asked(client: FlaskClient, service: Service) -> None:
    names = [n for n, one in service.catalogue().models.items() if not one.model.schema.classes]
    for name in names:
        assert asked(client, name)["none_because"] == ask.NUMBERS
    assert asked(client)["none_because"] == ask.NOTHING


def test_list_is_a_screenful_and_looks_up_no_more_than_it_may(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**BETWEEN, "petal_length_cm": 4 + place / 100} for place in range(60)]
    client.post("/api/v1/models/iris/predict", json={"inputs": rows})
    Caretaker(app.extensions["unrot"], "tests").go_round()
    found = asked(client)
    monkeypatch.setattr(ask, "NEWEST", 5)

    assert (len(found["questions"]), found["looked_at"]) == (12, 60)
    assert asked(client)["looked_at"] == 5


def test_page_takes_a_verdict_and_asks_the_rest(
    client: FlaskClient, app: Flask, made: list[dict[str, Any]]
) -> None:
    sign_in(client, JUDGE)
    page = client.get("/models/iris/ask")
    one = asked(client)["questions"][0]
    id, token = one["prediction"]["id"], one["asked_token"]
    assert f'name="asked_token" value="{token}"' in page.text

    post(client, "/models/iris/ask", {"id": id, "label": "Iris-virginica", "asked_token": token})
    assert accuracy(client, app) == (0, 0, 1)
    assert "asked for: it teaches, and measures nothing" in text_of(client.get(f"/p/{id}"))
    assert "1 more was asked for" in text_of(client.get("/models/iris/monitor"))
    answer = client.get("/models/iris/ask")

    assert f'value="{id}"' in page.text
    assert "Thank you: that is kept." in text_of(answer)
    assert f'value="{id}"' not in answer.text


def test_of_many_classes_the_page_of_the_prediction_takes_the_token_along(
    client: FlaskClient,
    app: Flask,
    made: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "SIDE_BY_SIDE", 2)
    sign_in(client, JUDGE)
    one = asked(client)["questions"][0]
    id, token = one["prediction"]["id"], one["asked_token"]
    assert f"/p/{id}?asked={token}#answer" in client.get("/models/iris/ask").text

    thumbs = client.get(f"/p/{id}?asked={token}")
    assert f'name="asked_token" value="{token}"' in thumbs.text
    assert f'name="asked" value="{token}"' in thumbs.text
    why = client.get(f"/p/{id}?why=1&asked={token}")
    assert f'name="asked_token" value="{token}"' in why.text
    fields = {"id": id, "verdict": "down", "asked_token": token}
    question = post(client, "/models/iris/feedback", fields)
    assert f'name="asked_token" value="{token}"' in question.text
    undone = post(client, "/models/iris/feedback/undo", fields)
    assert f'name="asked_token" value="{token}"' in undone.text
    post(client, "/models/iris/feedback", fields)

    assert accuracy(client, app) == (0, 0, 1)


def test_page_refuses_what_is_no_class_in_a_sentence(
    client: FlaskClient, made: list[dict[str, Any]]
) -> None:
    sign_in(client, JUDGE)
    for given in ({"id": made[0]["id"], "label": "rose"}, {"id": "x"}, {}):
        answer = post(client, "/models/iris/ask", given)
        assert answer.status_code == 303
        assert 'role="alert"' in client.get("/models/iris/ask").text


@pytest.mark.parametrize(("token", "status"), [(OPERATOR, 200), (VIEWER, 403), ("", 401)])
def test_judges_alone_are_asked(client: FlaskClient, token: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    assert client.get("/api/v1/models/iris/ask", headers=headers).status_code == status
