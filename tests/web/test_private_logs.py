"""Nothing of a prediction gets into the log of a server: what was sent, answered or said of it."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPResponse
from typing import Any
from urllib.error import HTTPError

import orjson
import pytest
from flask import Flask

from tests.conftest import OPERATOR, Server
from unrot.core.logs import JsonLine
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.watch.profiles.keeper import ProfileKeeper
from unrot.web.api import predictions

IRIS = {
    "sepal_length_cm": 5.123454321,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
COMMENT = "It was a tulip of Ada Lovelace."
WORDS = ("5.123454321", "Lovelace", "virginica")
API = "/api/v1"


@pytest.fixture
def log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    """All that is logged, at the lowest level, as our formatter writes it."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(caplog.handler, "formatter", JsonLine())
    return caplog


def quotes(*_: Any, **__: Any) -> Any:
    raise ValueError(f"could not convert {IRIS} or {COMMENT} to Iris-virginica")


def test_errors_that_quote_a_row_leave_nothing_of_it(
    app: Flask, log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    service: Service = app.extensions["unrot"]
    made = client.post(f"{API}/models/iris/predict", json={"inputs": IRIS}).json["data"]
    verdict = {"id": made["id"], "label": "Iris-virginica", "comment": COMMENT}
    client.post(f"{API}/feedback", json=verdict)
    client.post(f"{API}/models/iris/predict", json={"inputs": {**IRIS, "petal": COMMENT}})

    with monkeypatch.context() as broken:
        broken.setattr(Service, "_scored", quotes)
        broken.setattr(Service, "judge", quotes)
        broken.setattr(predictions, "find_predictions", quotes)
        answers = [
            client.post(f"{API}/models/iris/predict", json={"inputs": [IRIS, IRIS]}),
            client.post(f"{API}/feedback", json=verdict),
            client.get(
                f"{API}/models/iris/predictions", headers={"Authorization": f"Bearer {OPERATOR}"}
            ),
        ]
    with monkeypatch.context() as broken:
        broken.setattr(service.store.traffic, "ship", quotes)
        broken.setattr(ProfileKeeper, "add", quotes)
        broken.setattr(service.store.verdicts, "count_new", quotes)
        Caretaker(service, "me").go_round()

    assert [one.status_code for one in answers] == [500, 500, 500]
    ids = [one.headers["X-Request-Id"] for one in answers]
    lines = [orjson.loads(line) for line in log.text.splitlines()]
    assert [line["request_id"] for line in lines if "request_id" in line] == ids
    assert sum("The caretaker's step" in line["message"] for line in lines) == 2
    assert not [word for word in WORDS if word in log.text]


def post(url: str, given: Any, **more: str) -> HTTPResponse:
    headers = {"Content-Type": "application/json", **more}
    asked = urllib.request.Request(url, orjson.dumps(given), headers)
    answer: HTTPResponse = urllib.request.urlopen(asked, timeout=5)
    return answer


def test_server_that_logs_json_writes_nothing_else_and_nothing_of_a_prediction(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(
        UNROT_LOG="json", GUNICORN_CMD_ARGS="--access-logfile - --log-level debug"
    )
    predict = f"{server.url}{API}/models/iris/predict"
    id = orjson.loads(post(predict, {"inputs": IRIS}).read())["data"]["id"]
    verdict = {"id": id, "label": "Iris-virginica", "comment": COMMENT}

    post(f"{server.url}{API}/feedback", verdict)
    with suppress(HTTPError):
        post(predict, {"inputs": {**IRIS, "petal": COMMENT}})
    named = post(predict, {"inputs": [IRIS]}, **{"X-Request-Id": "ours-1"})
    urllib.request.urlopen(f"{server.url}/models/iris?sepal_length_cm=5.123454321", timeout=5)

    text = server.log.read_text()
    lines = [orjson.loads(line) for line in text.splitlines()]
    assert named.headers["X-Request-Id"] == "ours-1"
    assert any(f"POST {API}/models/iris/predict 200" in line["message"] for line in lines)
    assert any(line["message"].endswith(" ours-1") for line in lines)
    assert not [word for word in WORDS if word in text]
