"""What if: a row is answered and not kept, along one feature, and to a wanted number."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import OPERATOR
from tests.web.test_prediction_page import ship
from tests.web.visitor import FRAGMENT, IRIS, ask, id_in, post, text_of
from unrot.app import create_app
from unrot.cli import main
from unrot.core.artefacts import EXPLAINER
from unrot.core.errors import TooMany
from unrot.core.records import Caller
from unrot.core.settings import Settings
from unrot.explain import explaining, what_if
from unrot.explain.explaining import kept_of
from unrot.explain.kept import Kept
from unrot.explain.what_if import ask_what_if, find_feature
from unrot.serve import limits
from unrot.serve.service import Service
from unrot.web.masked import masked

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


def test_mean_is_over_the_rows_of_the_version_that_is_asked(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions may have one graph and other rows: then the values that are tried differ."""
    asked(client, feature="petal_width_cm")
    shelved = kept.catalogue().model("iris")
    version = shelved.version()
    rows = kept_of(kept.shelf, shelved, version).rows[:5]
    other = replace(version, artefacts={**version.artefacts, EXPLAINER: "0" * 64})
    monkeypatch.setattr(what_if, "kept_of", lambda *_: Kept(rows))
    where = kept, kept.catalogue(), shelved, other, [*ROW.values()], Caller()

    found = ask_what_if(*where, along=find_feature(shelved.model.schema, "petal_width_cm"))

    assert found.curve is not None
    assert found.curve.rows == len(rows)


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


def test_who_has_no_bytes_left_takes_no_turn(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TooMany("More came from this address today.", 1.0)

    monkeypatch.setattr(kept.limits, "admit", refuse)
    monkeypatch.setattr(explaining, "_TURN", None)  # Nobody gets as far as to take it.

    assert client.post(PATH, json={"inputs": ROW}).status_code == 429


def test_one_address_asks_so_often_and_no_more(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, kept: Service
) -> None:
    few = {**kept.limits._limits, limits.EXPLANATIONS: limits.Limit(3, 60.0)}
    monkeypatch.setattr(kept.limits, "_limits", few)
    visitor = {"REMOTE_ADDR": "192.0.2.7"}

    def code(**more: Any) -> int:
        return client.post(PATH, json={"inputs": ROW}, environ_base=visitor, **more).status_code

    codes = [code() for _ in range(4)]
    refused = client.post(PATH, json={"inputs": ROW}, environ_base=visitor)

    assert codes == [200, 200, 200, 429]
    assert int(refused.headers["Retry-After"]) > 0
    assert "what-ifs" in refused.json["message"]
    assert code(headers={"Authorization": f"Bearer {OPERATOR}"}) == 200


def test_guesses_of_a_token_are_slowed_by_what_is_refused_here(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, kept: Service
) -> None:
    few = {**kept.limits._limits, limits.EXPLANATIONS: limits.Limit(1, 60.0)}
    monkeypatch.setattr(kept.limits, "_limits", few)
    visitor = {"REMOTE_ADDR": "192.0.2.7"}

    def code(path: str, token: str, **more: Any) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return client.open(path, headers=headers, environ_base=visitor, **more).status_code

    for number in range(22):
        code(PATH, f"guess-number-{number:04}", method="POST", json={"inputs": ROW})

    assert code("/metrics", OPERATOR) == 429


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
    assert "With petal width from 0.1 to 2.5 and all else as it stands, this row gets" in said
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


# ── what stays ───────────────────────────────────────────────────────────────────────────────


def describe(client: FlaskClient, **features: dict[str, bool]) -> None:
    answer = client.put(
        "/api/v1/models/iris/description",
        json={"features": features},
        headers={"Authorization": f"Bearer {OPERATOR}"},
    )
    assert answer.status_code == 200, answer.text


def test_fixed_and_private_features_are_said_and_not_swept(client: FlaskClient) -> None:
    describe(client, sepal_width_cm={"fixed": True}, petal_width_cm={"private": True})

    page = client.get(PAGE)

    said = text_of(page)
    assert "Sepal width is fixed: no slider moves it, and no curve is drawn." in said
    assert "1 feature is private: no curve is drawn." in said
    options = page.text.split('id="along"')[1].split("</select>")[0]
    assert "petal_length_cm" in options
    assert "sepal_width_cm" not in options
    assert "petal_width_cm" not in options
    for name, why in (("sepal_width_cm", "fixed"), ("petal_width_cm", "private")):
        refused = client.post(PATH, json={"inputs": ROW, "feature": name})
        assert refused.status_code == 422
        assert f"this one is {why}" in refused.text
        answer = post(client, PAGE, {**FIELDS, "feature": name})
        assert answer.status_code == 422


def test_row_of_a_kept_prediction_comes_without_what_is_private(
    client: FlaskClient, app: Flask
) -> None:
    id = id_in(ask(client, petal_width_cm="0.3"))
    ship(app)
    describe(client, petal_width_cm={"private": True})

    page = client.get(f"/p/{id}")

    row = page.text.split('name="inputs" value="')[1].split('"')[0]
    assert "petal_length_cm" in row
    assert "petal_width_cm" not in row


# ── choices, and a number ────────────────────────────────────────────────────────────────────


def test_choices_are_a_list(houses: Path) -> None:
    app = create_app(Settings(home=houses))
    with closing(app.extensions["unrot"].store):
        client = app.test_client()
        row = {"from": "fields", "width (cm)": "3", "rooms": "4", "town": "Oslo", "heated": "true"}
        token = csrf_of(client, "/models/houses")

        said = [
            client.post(
                "/models/houses/what-if",
                data={"csrf_token": token, "feature": name, **row},
                headers=FRAGMENT,
            )
            for name in ("town", "heated", "rooms")
        ]

    assert [one.status_code for one in said] == [200, 200, 200]
    town, heated, rooms = map(text_of, said)
    assert "Oslo (as it is)" in town
    assert "town This row On average Köln" in town
    assert "yes (as it is)" in heated
    assert "along rooms" in rooms


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a model of a number: three times the size, and ten a floor."""
    folder = tmp_path_factory.mktemp("prices")
    rows = "".join(f"{n % 20},{n % 7},{3 * (n % 20) + 10 * (n % 7)}\n" for n in range(140))
    (folder / "prices.csv").write_text(f"size,floor,price\n{rows}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROT_HOME", str(folder / "home"))
        command = ["train", "--csv", str(folder / "prices.csv"), "--target", "price"]
        assert main.main([*command, "--name", "prices", "--estimator", "linear"]) == 0
    return folder / "home"


def test_wanted_number_is_reached_along_few_features(prices: Path) -> None:
    app = create_app(Settings(home=prices))
    row = {"size": 2, "floor": 1}
    with closing(app.extensions["unrot"].store):
        client = app.test_client()
        path = "/api/v1/models/prices/what-if"

        found = [
            client.post(path, json={"inputs": row, "wanted": wanted}).json["data"]
            for wanted in (40, 100, 1e6)
        ]
        token = csrf_of(client, "/models/prices")
        form = {"csrf_token": token, "from": "fields", "size": "2", "floor": "1"}
        pages = [
            client.post("/models/prices/what-if", data={**form, "wanted": text})
            for text in ("40", "1e6", "much", "1e999")
        ]

    assert found[0]["value"] == pytest.approx(16, abs=1e-3)
    assert [len(one["change"]["moved"]) for one in found[:2]] == [1, 2]
    for one, wanted in zip(found[:2], (40, 100), strict=True):
        moved = {**row, **{it["feature"]: it["after"] for it in one["change"]["moved"]}}
        made = 3 * moved["size"] + 10 * moved["floor"]
        assert one["change"]["value"] == pytest.approx(made, abs=1e-3)
        assert made >= wanted
        assert one["change"]["class"] is None
    assert found[2]["change"] is None
    assert [one.status_code for one in pages] == [200, 200, 422, 422]
    assert "40 is wanted." in text_of(pages[0])
    assert "no way was found to 1,000,000." in text_of(pages[1])


def csrf_of(client: FlaskClient, path: str) -> str:
    client.get(path)
    with client.session_transaction() as session:
        return masked(str(session["csrf"]))
