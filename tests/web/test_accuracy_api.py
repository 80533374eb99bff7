"""Windows and accuracy over HTTP, from predictions and verdicts that the app itself has taken."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.lessons import judged
from unrot.serve.service import Service

WHO = {"Authorization": f"Bearer {VIEWER}"}


def ask(app: Flask, path: str, code: int = 200, **query: Any) -> Any:
    client: FlaskClient = app.test_client()
    answer = client.get(f"/api/v1/models/{path}", query_string=query, headers=WHO)
    assert answer.status_code == code, answer.json
    return answer.json if code != 200 else answer.json["data"]


@pytest.fixture
def service(app: Flask) -> Service:
    service: Service = app.extensions["unrot"]
    judged(service, 3)
    service.store.verdicts.count_new(10)
    return service


def test_windows_are_summed_by_step_and_version(app: Flask, service: Service) -> None:
    found = ask(app, "iris/windows", step="hour", to=service.clock() + 60)

    [point] = found["points"]
    assert (found["model"], found["step"], point["seconds"]) == ("iris", 3600.0, 3600.0)
    assert (point["predictions"], point["verdicts"], point["correct"]) == (3, 3, 3)
    assert point["versions"]["v1"]["predictions"] == 3
    assert point["latency_seconds"]["p50"] <= 1.0
    assert sum(point["confidence"]) == 3 and len(point["confidence"]) == 20
    assert point["rejected"] == {}


def test_accuracy_tells_all_of_it(app: Flask, service: Service) -> None:
    found = ask(
        app, "iris/accuracy", to=service.clock() + 60, slice="petal_width_cm", last=2, version="v1"
    )

    rolling = found["rolling"]
    assert (rolling["last"], len(rolling["points"])) == (2, 3)
    assert rolling["newest"]["accuracy"]["value"] == 1.0
    assert rolling["newest"]["accuracy"]["verdicts"] == 2
    assert found["over_time"][0]["accuracy"]["verdicts"] == 3
    assert found["versions"]["v1"]["constant_guess"] == 1.0
    [score] = [one for one in found["classes"]["scores"] if one["support"]]
    assert (score["label"], score["precision"], score["specificity"]) == ("Iris-setosa", 1.0, None)
    assert found["classes"]["confusion"] == {"Iris-setosa": {"Iris-setosa": 3}}
    assert found["slice"]["slices"][0]["is_few"] is True
    assert found["estimate"]["none_because"].startswith("v1 has a test set of 30 rows")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"step": "fortnight"}, "minute, hour, day, or a number of seconds"),
        ({"step": "nan"}, "minute, hour, day, or a number of seconds"),
        ({"step": "1"}, "at least"),
        ({"from": "2020-01-01", "to": "2021-01-01", "step": "minute"}, "at least 31623 seconds"),
        ({"from": "yesterday"}, "a time such as"),
        ({"from": "2021-01-01", "to": "2020-01-01"}, "a time after from"),
        ({"last": "0"}, "how many verdicts, 1 to 1,000"),
        ({"last": "²"}, "how many verdicts"),
        ({"slice": "brains"}, "one of sepal_length_cm"),
    ],
)
def test_query_that_cannot_be_answered_says_what_is_expected(
    app: Flask, query: dict[str, str], said: str
) -> None:
    answer = ask(app, "iris/accuracy", 422, **query)

    assert said in answer["message"]


def test_only_viewers_look_and_unknown_models_are_not_found(app: Flask) -> None:
    client = app.test_client()

    assert client.get("/api/v1/models/iris/accuracy").status_code == 401
    assert client.get("/api/v1/models/iris/windows").status_code == 401
    assert ask(app, "nobody/accuracy", 404)["reason"] == "not_found"


def test_model_without_traffic_answers_all_the_same(app: Flask) -> None:
    found = ask(app, "zombies/accuracy")

    assert (found["over_time"], found["rolling"]["newest"], found["slice"]) == ([], None, None)
