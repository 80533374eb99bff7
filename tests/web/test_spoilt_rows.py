"""Nonsense for a model of every kind of column: refused by name, or answered; never a 5xx."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from unrot.app import create_app
from unrot.core.settings import Settings
from unrot.web.masked import masked

GOOD = {"width (cm)": 1.5, "rooms": 2, "town": "Rome", "heated": True}
PATH = "/api/v1/models/houses/predict"


@pytest.fixture(scope="module")
def client(houses: Path) -> Iterator[FlaskClient]:
    app = create_app(Settings(home=houses))
    yield app.test_client()
    app.extensions["unrot"].store.close()


REFUSED: list[tuple[str, str]] = [
    *(("width (cm)", value) for value in ('"1.5"', '"12 %"', '"1,5"', '""', "true", "[]", "{}")),
    *(("width (cm)", value) for value in ("NaN", "Infinity", "-Infinity", "1e999", '"NaN"')),
    *(("width (cm)", value) for value in (str(2**70), str(-(2**70)), '"\\u0000"', '"= 1+1"')),
    *(("rooms", value) for value in ('"2"', "null", "true", "[2]", "1e400", "NaN")),
    *(("town", value) for value in ("7", "null", "true", '["Rome"]', '{"town": "Rome"}')),
    *(("town", value) for value in ('"\\ud800"', "NaN", '"\\u0000"', '"\\u202e"')),
    *(("heated", value) for value in ("1", "0", '"yes"', '"true"', "null", "[true]", "0.5", '""')),
]
ANSWERED: list[tuple[str, str]] = [
    ("width (cm)", "null"),
    ("width (cm)", "-1e9"),
    ("rooms", "2.0"),
    ("rooms", "2.5"),
    ("rooms", "-5"),
    ("town", '"Atlantis"'),
    ("town", '"<script>alert(1)</script>"'),
    ("town", json.dumps("x" * 256)),
]


def body_with(field: str, value: str) -> str:
    cells = {name: json.dumps(cell) for name, cell in GOOD.items()} | {field: value}
    row = ", ".join(f"{json.dumps(name)}: {cell}" for name, cell in cells.items())
    return f'{{"inputs": {{{row}}}}}'


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_value_that_is_none_of_its_kind_is_refused_by_name(
    client: FlaskClient, field: str, value: str
) -> None:
    answer = client.post(PATH, data=body_with(field, value), content_type="application/json")

    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json["details"]] == [field]
    assert answer.json["message"].endswith(".")


@pytest.mark.parametrize(("field", "value"), ANSWERED)
def test_value_that_training_never_saw_is_answered(
    client: FlaskClient, field: str, value: str
) -> None:
    answer = client.post(PATH, data=body_with(field, value), content_type="application/json")

    assert answer.status_code == 200
    assert answer.json["data"]["class"] in ("a", "b")


TYPED: list[tuple[dict[str, Any], int]] = [
    ({}, 200),
    ({"width (cm)": ""}, 200),
    ({"width (cm)": "wide"}, 422),
    ({"width (cm)": "1e999"}, 422),
    ({"width (cm)": "nan"}, 422),
    ({"width (cm)": "1.5; DROP TABLE models"}, 422),
    ({"width (cm)": "9" * 400}, 422),
    ({"rooms": ""}, 422),
    ({"rooms": "2.5"}, 200),
    ({"rooms": "two"}, 422),
    ({"rooms": "\0"}, 422),
    ({"town": "Atlantis"}, 200),
    ({"town": "<script>alert(1)</script>"}, 200),
    ({"town": ""}, 422),
    ({"heated": "perhaps"}, 422),
    ({"heated": ""}, 422),
    ({"width (cm)": "wide", "rooms": "two", "heated": "perhaps"}, 422),
    ({"nonsense": "1"}, 200),
]


@pytest.mark.parametrize(("typed", "code"), TYPED)
def test_typed_nonsense_is_a_page(client: FlaskClient, typed: dict[str, str], code: int) -> None:
    client.get("/models/houses")
    with client.session_transaction() as session:
        token = masked(session["csrf"])
    good = {"width (cm)": "1.5", "rooms": "2", "town": "Rome", "heated": "true"}

    answer = client.post("/models/houses", data={"csrf_token": token, **good, **typed})

    assert answer.status_code == code
    assert answer.content_type.startswith("text/html")
    assert "<script>alert" not in answer.text
    assert ('class="said"' in answer.text) == (code == 200)
