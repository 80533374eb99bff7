"""The home page: a row for each model, the worst first, found by a word or a tag."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.large_store import judged, predicted
from tests.web.visitor import ask, id_in, take_store_away, text_of, vote
from unrot.app import create_app
from unrot.core.records import Caller, Finding, ModelKey
from unrot.core.settings import Settings
from unrot.make import models
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

ROT = Finding(
    "f1", ModelKey("zombies"), "rot", "rot", "grave", 0.0, 0.0, 0.0, "It fell.", "Refit."
)  # fmt: skip


def names(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/models/(\w+)">', page)


def ship(app: Flask) -> None:
    Caretaker(app.extensions["unrot"], "tests").go_round()


def test_home_has_a_row_for_each_model(client: FlaskClient) -> None:
    said = text_of(client.get("/"))

    assert "Models 2 models. Find a model" in said
    assert "Iris Which of three species an iris belongs to" in said
    assert re.search(
        "Not asked lately Right lately – no verdicts on v1 yet Predictions 0 since .+:00"
        ".* Champion v1 made",
        said,
    )
    assert "Zombies" in said


def test_home_counts_predictions_and_shames_no_model_for_one_verdict(
    client: FlaskClient, app: Flask
) -> None:
    vote(client, id_in(ask(client)), "down", label="Iris-virginica")
    ask(client)
    ship(app)

    said = text_of(client.get("/"))

    assert (
        "Few verdicts Right lately – 1 verdict on v1, by one visitor Predictions 2 since " in said
    )
    assert "Last verdict less than a minute ago" in said


def test_home_says_how_right_a_model_is_and_whose_word_that_is(
    client: FlaskClient, kept: Service
) -> None:
    rows = predicted(kept, 40)
    judged(kept, rows[:30])
    judged(kept, rows[30:], Caller(subject="here"), was_correct=False)
    Caretaker(kept, "tests").go_round()

    page = client.get("/")

    assert (
        "Right lately 75 % 40 verdicts on v1, 30 by judges, 10 by one visitor Predictions 40 since "
        in text_of(page)
    )
    assert "Of each ten verdicts in a row: from " in page.text
    assert "Hour by hour: at most 40 predictions in one, 40 in this." in page.text


def test_home_puts_the_worst_first_for_those_who_may_see_why(
    client: FlaskClient, viewer: FlaskClient, app: Flask, kept: Service
) -> None:
    kept.store.findings.put(ROT)

    found, public = viewer.get("/"), app.test_client().get("/")

    assert names(found.text) == ["zombies", "iris"]
    assert "2 models: 1 is in trouble, 1 not known yet." in text_of(found)
    assert "In trouble 1 open finding Rot Right lately" in text_of(found)
    assert names(public.text) == ["iris", "zombies"]
    assert "trouble" not in public.text
    assert "finding" not in public.text


def test_home_finds_models_by_words_and_by_tags(client: FlaskClient, kept: Service) -> None:
    models.describe(kept, "zombies", {"tags": ["Undead", "demo"]})

    by_word, by_tag = client.get("/?q=iris+species"), client.get("/?tag=undead")
    neither = client.get("/?q=zombis&tag=demo")

    assert names(by_word.text) == ["iris"]
    assert "1 model of 2 has “iris species” in its name or description." in text_of(by_word)
    assert names(by_tag.text) == ["zombies"]
    assert "<option selected>undead</option>" in by_tag.text
    assert names(neither.text) == []
    assert (
        "No model has “zombis” in its name or description and the tag “demo”. "
        "The nearest name is zombies ." in text_of(neither)
    )


def test_home_without_models_says_how_to_get_one(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path / "empty"))

    answer = app.test_client().get("/")

    assert answer.status_code == 200
    assert "python -m unrot train iris" in text_of(answer)


def test_home_works_while_the_store_is_away(client: FlaskClient, trained_home: Path) -> None:
    take_store_away(trained_home)

    answer = client.get("/")

    assert answer.status_code == 200
    assert "Not known now Right lately – Predictions – Champion v1" in text_of(answer)
    assert "The store does not answer" in text_of(answer)


ROW = {"sepal_length_cm": 5.1, "sepal_width_cm": 3.5, "petal_length_cm": 1.4, "petal_width_cm": 0.2}
LISTS = {"instances": [[*ROW.values()]]}
TENSOR = {"name": "x", "shape": [1, 4], "datatype": "FP64", "data": [*ROW.values()]}
DOORS: list[tuple[str, dict[str, object] | None]] = [
    ("/api/v1/predict", {"model": "iris", **LISTS}),
    ("/api/v1/models/iris/predict", {"inputs": ROW}),
    ("/v1/models/iris:predict", LISTS),
    ("/v2/models/iris/infer", {"inputs": [TENSOR]}),
    ("/v2/models/iris", None),
    ("/api/v1/models", None),
    ("/api/v1/models/iris", None),
    ("/models/iris", None),
]


def codes_at_doors(client: FlaskClient) -> dict[str, int]:
    """Ask at each without asking for a page that waits for the store."""
    return {
        path: (client.get(path) if body is None else client.post(path, json=body)).status_code
        for path, body in DOORS
    }


def test_every_door_says_that_the_store_is_away_until_its_models_are_here(
    trained_home: Path,
) -> None:
    """A program that hears that there is no model does not ask again."""
    (trained_home / "shelf" / "pointer.json").unlink()
    app = create_app(Settings(home=trained_home))
    client = app.test_client()
    take_store_away(trained_home)
    away = codes_at_doors(client)
    (trained_home / "aside.db").rename(trained_home / "unrot.db")

    back = codes_at_doors(client)
    told = client.get("/api/v1/models/iris").json["message"]  # type: ignore[index]
    ship(app)
    here = codes_at_doors(client)

    assert away == back == dict.fromkeys(away, 503)
    assert told == "This machine is fetching its models from the store: ask again soon."
    assert here == dict.fromkeys(here, 200)


def test_home_that_never_heard_of_the_store_says_that_it_is_away(trained_home: Path) -> None:
    (trained_home / "shelf" / "pointer.json").unlink()
    settings = Settings(home=trained_home, viewer_token=VIEWER)
    client, token = create_app(settings).test_client(), {"Authorization": f"Bearer {VIEWER}"}
    take_store_away(trained_home)

    page = client.get("/")
    asked = client.post("/api/v1/models/iris/predict", json={"inputs": {}})
    unnamed = client.post("/api/v1/predict", json={"inputs": {}})
    components = client.get("/api/v1/ready").json["data"]["components"]  # type: ignore[index]
    for path in ("/metrics", "/api/v1/operations"):
        assert client.get(path, headers=token).status_code == 200

    assert page.status_code == 503
    assert "This machine has had no model from it yet." in text_of(page)
    assert {answer.json["reason"] for answer in (asked, unnamed)} == {"store_away"}  # type: ignore[index]
    assert asked.headers["Retry-After"] == "5"
    assert components["shelf"]["sentence"] == "This machine has had no model from the store yet."
    assert "Predictions go on" not in components["store"]["sentence"]


def test_words_are_explained_one_click_away(client: FlaskClient) -> None:
    assert 'href="/glossary">What the words mean</a>' in client.get("/").text

    said = text_of(client.get("/glossary"))

    assert "Champion The version that answers." in said
    assert "Verdict What a person says of one prediction: right, wrong, or what is true." in said
