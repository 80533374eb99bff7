"""Pages and files are sent compressed, which tells nobody the token of a form."""

from __future__ import annotations

import gzip
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.visitor import IRIS

TAKES = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize(
    "path", ["/static/css/app.css", "/static/js/frame.js", "/login", "/models/iris"]
)
def test_compressed_answer_is_the_same(client: FlaskClient, path: str) -> None:
    plain = client.get(path, follow_redirects=True, buffered=True)
    small = client.get(path, headers=TAKES, follow_redirects=True)

    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert int(small.headers["Content-Length"]) == len(small.data) < len(plain.data) / 2
    assert without_token(gzip.decompress(small.data)) == without_token(plain.data)


def without_token(page: bytes) -> bytes:
    return re.sub(rb'(name="csrf_token" value=)"[^"]+"', rb"\1", page)


def test_file_that_a_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/static/css/app.css", headers=TAKES)

    again = client.get(
        "/static/css/app.css",
        headers={**TAKES, "If-None-Match": first.headers["ETag"]},
        buffered=True,
    )

    assert (again.status_code, again.data) == (304, b"")


def test_answers_of_the_api_stay_as_they_are(client: FlaskClient) -> None:
    row = {name: float(text) for name, text in IRIS.items()}
    answer = client.post("/api/v1/models/iris/predict", json={"inputs": [row] * 50}, headers=TAKES)

    assert len(answer.data) > 5_000
    assert "Content-Encoding" not in answer.headers


def test_token_of_a_form_is_another_each_time_and_each_is_good(app: Flask) -> None:
    client = app.test_client()
    tokens = {
        re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/models/iris").text)[0]
        for _ in range(3)
    }
    stranger = app.test_client()
    stranger.get("/models/iris")

    assert len(tokens) == 3
    for token in tokens:
        form = {**IRIS, "csrf_token": token}
        assert client.post("/models/iris", data=form).status_code == 200
        assert stranger.post("/models/iris", data=form).status_code == 403
