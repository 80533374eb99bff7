"""The page and the route of one prediction: its id is the permission to look."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import JUDGE
from tests.large_store import ZOMBIES, copy_of
from tests.newest import newest
from tests.web.visitor import ask, id_in, sign_in, text_of, vote
from unrot.core.schema import example_row
from unrot.learn.promote import change_policy
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service


def ship(app: Flask) -> None:
    assert Caretaker(app.extensions["unrot"], "tests").go_round()


def test_page_shows_what_was_asked_and_answered(client: FlaskClient, app: Flask) -> None:
    id = id_in(ask(client))
    ship(app)

    said = text_of(client.get(f"/p/{id}"))

    assert "sepal length (cm) 5.1 sepal width (cm) 3.5" in said
    assert "The answer Iris-setosa" in said
    assert "Was it right?" in said
    assert "No version that can still answer was made after v1, which gave this answer." in said


def test_answer_links_to_its_page(client: FlaskClient) -> None:
    answer = ask(client)

    assert f'href="/p/{id_in(answer)}"' in answer.text


def test_page_of_a_prediction_that_is_on_its_way_asks_again(client: FlaskClient) -> None:
    answer = client.get(f"/p/{id_in(ask(client))}")

    assert (answer.status_code, answer.headers["Refresh"]) == (404, "2")
    assert "was made a moment ago and is not in the store yet" in answer.text


def test_id_that_was_not_given_out_shows_nothing(client: FlaskClient) -> None:
    page = client.get(f"/p/{'A' * 32}")
    answer = client.get(f"/api/v1/predictions/{'A' * 32}")

    assert (page.status_code, answer.status_code) == (404, 403)
    assert answer.json["reason"] == "unknown_id"


def test_verdict_stands_on_the_page_and_its_comment_is_for_viewers(
    client: FlaskClient, app: Flask
) -> None:
    id = id_in(ask(client))
    vote(client, id, "down", label="Iris-virginica", comment="It hung from my window.")
    ship(app)

    anyone = client.get(f"/p/{id}")
    data = client.get(f"/api/v1/predictions/{id}").json["data"]
    sign_in(client, JUDGE)
    judge = client.get(f"/p/{id}")

    assert "really Iris-virginica" in text_of(anyone)
    assert "It hung from my window." not in anyone.text
    assert (data["feedback"]["label"], data["feedback"]["comment"]) == ("Iris-virginica", None)
    assert "It hung from my window." in judge.text
    assert "Was it right?" not in anyone.text


def test_later_versions_answer_the_same_row_and_that_is_not_kept(
    client: FlaskClient, app: Flask, kept: Service
) -> None:
    inputs = example_row(kept.catalogue().model(ZOMBIES).model.schema)
    [made] = kept.predict(ZOMBIES, inputs).predictions
    ship(app)
    copy_of(kept, created_at=kept.clock())
    before = newest(kept, ZOMBIES)

    said = text_of(client.get(f"/p/{made.id}"))
    data = client.get(f"/api/v1/predictions/{made.id}").json["data"]
    ship(app)

    assert "All answer the same." in said
    assert re.search(rf"v2 20\S+ \S+ UTC {made.label} \d", said)
    assert [(one["version"], one["class"], one["is_champion"]) for one in data["later"]] == [
        ("v2", made.label, False)
    ]
    assert data["inputs"] == inputs
    assert newest(kept, ZOMBIES) == before


def test_how_sure_an_answer_is_is_told_where_it_is_asked_for(
    client: FlaskClient, app: Flask, kept: Service
) -> None:
    inputs = dict(
        zip(
            kept.catalogue().model(ZOMBIES).model.schema.names,
            example_row(kept.catalogue().model(ZOMBIES).model.schema).values(),
            strict=True,
        )
    )
    at = f"/api/v1/models/{ZOMBIES}/predict"

    plain = client.post(at, json={"inputs": inputs}).json["data"]
    told = client.post(f"{at}?sure=1", json={"inputs": [inputs, inputs]}).json["data"]
    [one, other] = told["predictions"]
    ship(app)
    later = client.get(f"/api/v1/predictions/{one['id']}?sure=1").json["data"]
    page = text_of(client.get(f"/p/{one['id']}"))

    assert "sure" not in plain
    assert one["set"] == other["set"] == later["set"]
    assert one["coverage"] == later["coverage"] == 0.9
    assert one["sure"] == (len(one["set"]) == 1)
    assert ("Sure: " if one["sure"] else "Not sure: ") in page


def test_few_held_out_rows_say_how_far_the_promise_may_be_off(
    client: FlaskClient, app: Flask
) -> None:
    id = id_in(ask(client))
    ship(app)

    told = client.get(f"/api/v1/predictions/{id}?sure=1").json["data"]
    page = text_of(client.get(f"/p/{id}"))

    assert (told["set"], told["coverage"]) == (["Iris-setosa"], 0.9)
    assert (
        "30 rows were held out to learn that: of rows like those it truly is 77.9 % to 97.9 %"
        in page
    )


def test_version_with_too_few_held_out_rows_cannot_say_how_sure_it_is(
    client: FlaskClient, app: Flask
) -> None:
    change_policy(app.extensions["unrot"], "iris", {"coverage": 0.99})  # 99 rows are needed
    told = client.post(
        "/api/v1/models/iris/predict?sure=1",
        json={
            "inputs": {
                "sepal_length_cm": 5.1,
                "sepal_width_cm": 3.5,
                "petal_length_cm": 1.4,
                "petal_width_cm": 0.2,
            }
        },
    ).json["data"]

    assert (told["sure"], told["set"]) == (None, None)
    assert told["why"].startswith("v1 cannot say how sure it is at 99 %: too few rows")
