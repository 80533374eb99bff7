"""What a person at the pages does: sign in, fill in a form, give a verdict, read."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from unrot.web.masked import masked

IRIS = {
    "sepal_length_cm": "5.1",
    "sepal_width_cm": "3.5",
    "petal_length_cm": "1.4",
    "petal_width_cm": "0.2",
}
FRAGMENT = {"X-Fragment": "1"}


def text_of(answer: TestResponse) -> str:
    """Return what a person reads, in one line."""
    bare = re.sub(r"<template.*?</template>|<[^>]+>", " ", answer.text, flags=re.S)
    return " ".join(unescape(bare).split())


def csrf(client: FlaskClient) -> str:
    client.get("/models/iris")
    with client.session_transaction() as session:
        return masked(str(session["csrf"]))


def post(client: FlaskClient, path: str, fields: dict[str, str], **headers: str) -> TestResponse:
    form = {"csrf_token": csrf(client), **fields}
    return client.post(path, data=form, headers={**headers})


def ask(client: FlaskClient, model: str = "iris", **fields: str) -> TestResponse:
    return post(client, f"/models/{model}", {**IRIS, **fields} if model == "iris" else fields)


def id_in(answer: TestResponse) -> str:
    found = re.search(r'name="id" value="([\w-]{32})"', answer.text)
    assert found, text_of(answer)
    return found[1]


def vote(client: FlaskClient, id: str, verdict: str, model: str = "iris", **more: str) -> str:
    answer = post(client, f"/models/{model}/feedback", {"id": id, "verdict": verdict, **more})
    assert answer.status_code == 200
    return text_of(answer)


def sign_in(client: FlaskClient, token: str, **more: str) -> TestResponse:
    return post(client, "/login", {"token": token, **more})


def take_store_away(home: Path) -> None:
    (home / "unrot.db").rename(home / "aside.db")
