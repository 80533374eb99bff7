"""The code on a model's page works as it stands when it is pasted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.conftest import Server
from tests.web.visitor import post
from unrot.core.records import Feature, Schema
from unrot.web.snippets import snippets

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
CLASSES = Schema(tuple(Feature(name, "number") for name in IRIS), "species", ("a", "b"))


def test_pasted_code_is_answered(server: Server, tmp_path: Path) -> None:
    curl, python, javascript = snippets(server.url, "iris", CLASSES, IRIS)
    first, _ = curl.text.split("\n\n")
    script = tmp_path / "code.mjs"
    script.write_text(javascript.text)

    assert json.loads(_said("bash", "-c", first))["data"]["class"] == "Iris-setosa"
    assert _said(sys.executable, "-c", python.text) == "Iris-setosa\n"
    if shutil.which("node"):
        assert _said("node", str(script)) == "Iris-setosa\n"


def _said(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


@pytest.mark.parametrize("text", ["O'Brien", 'said "no"', "née $HOME `id` \\n", "</code>"])
def test_every_text_reaches_the_body_as_it_is(text: str) -> None:
    schema = Schema((Feature("who", "category"),), "rent")

    curl, python, _ = snippets("http://here", "rent", schema, {"who": text})

    assert _echoed(curl.text) == {"inputs": {"who": text}}
    names: dict[str, object] = {}
    exec("\n".join(_row_of(python.text)), names)
    assert names["row"] == {"who": text}


def _echoed(curl: str) -> object:
    """Let a shell read the command, and return the body that curl would get."""
    first, _ = curl.split("\n\n")
    told = _said("bash", "-c", f'curl() {{ printf %s "${{@: -1}}"; }}\n{first}')
    return json.loads(told)


def _row_of(python: str) -> Sequence[str]:
    lines = python.splitlines()
    return lines[lines.index("row = {") : lines.index("}") + 1]


def test_form_is_written_as_code_and_nothing_is_predicted(client: FlaskClient) -> None:
    typed = {"sepal_length_cm": "5,9", "sepal_width_cm": "3", "petal_width_cm": "none"}

    answer = post(client, "/models/iris/code", typed, **{"X-Fragment": "1"})

    body = '{"sepal_length_cm": 5.9, "sepal_width_cm": 3, "petal_width_cm": "none"}'
    assert answer.status_code == 200
    assert body in unescape(answer.text)
    assert 'class="said"' not in answer.text


def test_code_without_scripts_opens_on_the_page(client: FlaskClient) -> None:
    page = post(client, "/models/iris/code", {"sepal_length_cm": "5.9"})

    assert '<details class="fold code" open id="code">' in page.text
    assert 'value="5.9"' in page.text
