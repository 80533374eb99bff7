"""The settings of a model on its page: words, what is private, removing and forgetting."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import OPERATOR, VIEWER
from tests.web.visitor import post, sign_in, text_of
from unrot.core.records import Model
from unrot.core.schema import schema_hash
from unrot.make import models
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.web.api import descriptions
from unrot.web.pages.settings import ELSEWHERE

AT = "/models/iris/settings"
LENGTH = "features.sepal_length_cm."
TOKEN = {"Authorization": f"Bearer {OPERATOR}"}
LOOK = {"Authorization": f"Bearer {VIEWER}"}


def iris(kept: Service) -> Model:
    return kept.catalogue().model("iris").model


def predicted(kept: Service, count: int) -> list[str]:
    answer = kept.predict_instances("iris", [[5.1, 3.5, 1.4, 0.2]] * count)
    Caretaker(kept, "tests").go_round()
    return [one.id or "" for one in answer.predictions]


# ── words ────────────────────────────────────────────────────────────────────────────────────


def test_words_of_a_model_and_its_classes_are_changed(operator: FlaskClient, kept: Service) -> None:
    before = iris(kept)

    about = {"title": "Which iris?", "description": "By its size.", "tags": "Flowers, , demo,"}
    led = post(operator, AT, about)
    post(operator, AT, {"classes.Iris-setosa": "Bristle-pointed", "classes.Iris-virginica": ""})

    now = iris(kept)
    assert (led.status_code, led.headers["Location"]) == (303, AT)
    assert (now.title, now.description, now.tags) == (
        "Which iris?",
        "By its size.",
        ("flowers", "demo"),
    )
    assert now.schema.class_names[0] == "Bristle-pointed"
    assert now.schema.features == before.schema.features
    assert schema_hash(now.schema) == schema_hash(before.schema)
    assert [one.what for one in kept.store.audit_log.newest(2)] == ["describe", "describe"]


def test_words_of_one_feature_are_changed_and_the_next_one_is_shown(
    operator: FlaskClient, kept: Service
) -> None:
    before = iris(kept).schema.features
    said = {"label": "Sepal", "unit": "mm", "example": "6,5", "fixed": "on", "private": ""}
    form = {LENGTH + key: text for key, text in said.items()}

    led = post(operator, AT, {"feature": "sepal_length_cm", "go": "on", **form})

    length, *others = iris(kept).schema.features
    assert length == replace(before[0], label="Sepal", unit="mm", example=6.5, is_fixed=True)
    assert others == list(before[1:])
    assert led.headers["Location"] == f"{AT}?feature=sepal_width_cm#feature"


def test_word_that_does_not_fit_stays_beside_its_sentence(
    operator: FlaskClient, kept: Service
) -> None:
    before = iris(kept)
    form = {LENGTH + "example": "long", LENGTH + "label": "Kept as typed"}

    page = post(operator, AT, {"feature": "sepal_length_cm", **form})
    doubled = post(operator, AT, {"classes.Iris-setosa": "same", "classes.Iris-virginica": "same"})

    assert page.status_code == doubled.status_code == 422
    assert 'value="long"' in page.text and 'value="Kept as typed"' in page.text
    assert "Nothing was changed." in text_of(page)
    assert "Expected a finite number, usually 4.3 to 7.7 cm." in text_of(page)
    assert "Two classes would be called" in text_of(doubled)
    assert iris(kept) == before


@pytest.mark.parametrize("feature", ["nothing", "", "x" * 5_000, "\x00"])
def test_unknown_feature_is_no_error(operator: FlaskClient, feature: str) -> None:
    assert operator.get(AT, query_string={"feature": feature}).status_code == 200
    assert post(operator, AT, {"feature": feature, "title": "A"}).status_code == 303


def test_viewer_sees_the_settings_and_cannot_change_them(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    page = client.get(f"{AT}?feature=sepal_width_cm")

    assert "An operator can change all of this." in text_of(page)
    assert "Danger" not in page.text and 'class="main"' not in page.text
    assert page.text.count("<fieldset") == page.text.count(" disabled>") == 3
    assert post(client, AT, {"title": "A"}).status_code == 403
    for path in ("remove", "forget"):
        assert client.get(f"/models/iris/{path}").status_code == 403


def test_every_setting_of_policy_and_rules_is_led_to(operator: FlaskClient) -> None:
    page = operator.get(AT).text

    for knobs in ELSEWHERE:
        there = operator.get(f"/models/iris/{knobs.page.removeprefix('pages.')}").text
        for option in (one for one in knobs.table.options.values() if one.group):
            id = f"{knobs.prefix}-{option.key}" if option.label else option.key
            assert f'#{id}"' in page
            assert f'id="{id}"' in there


def test_which_version_and_model_answer_is_said(operator: FlaskClient) -> None:
    said = text_of(operator.get("/models/zombies/settings"))

    assert "Version v1 answers" in said
    assert "Where no model is named, iris answers It is the model that was trained first" in said


# ── private ──────────────────────────────────────────────────────────────────────────────────


def test_nothing_that_training_saw_of_a_private_feature_is_public(
    app: Flask, kept: Service
) -> None:
    client = app.test_client()
    before = client.get("/api/v1/models/iris").json
    models.describe(kept, "iris", {"features": {"sepal_length_cm": {"private": True}}})

    public = client.get("/models/iris")
    told = client.get("/api/v1/models/iris").json
    example = told["data"]["schema"]["example"]
    wrong = {**example, "sepal_length_cm": "x"}
    refused = client.post("/api/v1/models/iris/predict", json={"inputs": wrong})
    answer = client.post("/api/v1/models/iris/predict", json={"inputs": example})
    mine = client.get("/api/v1/models/iris/description", headers=LOOK)

    length, known = (said["data"]["schema"]["features"][0] for said in (told, before))
    assert (known["range"], known["example"]) == ([4.3, 7.7], 5.7)
    assert (length["range"], length["example"], length["private"]) == (None, None, True)
    assert 'name="sepal_length_cm"' in public.text
    for said in (text_of(public), refused.text):
        assert "4.3" not in said and "7.7" not in said
    assert 'value="5.7"' not in public.text
    assert "no example of it is shown" in public.text
    assert (refused.status_code, answer.status_code) == (422, 200)
    assert mine.json["data"]["features"]["sepal_length_cm"]["example"] == 5.7


def test_code_of_a_private_feature_works_when_pasted(client: FlaskClient, kept: Service) -> None:
    models.describe(kept, "iris", {"features": {"sepal_length_cm": {"private": True}}})

    page = unescape(client.get("/models/iris").text)

    body = re.search(r"-d '(\{\"inputs\".*?\}\})'", page)
    assert body
    inputs = json.loads(body[1])["inputs"]
    sent = client.post("/api/v1/models/iris/predict", json={"inputs": inputs})
    assert (inputs["sepal_length_cm"], sent.status_code) == (0, 200)


def test_private_value_of_a_prediction_is_for_viewers(app: Flask, kept: Service) -> None:
    models.describe(kept, "iris", {"features": {"sepal_length_cm": {"private": True}}})
    answer = kept.predict_instances("iris", [[77.25, 3.5, 1.4, 0.2]])
    Caretaker(kept, "tests").go_round()
    id = answer.predictions[0].id
    visitor, looker = app.test_client(), app.test_client()
    sign_in(looker, VIEWER)

    pages = [one.get(f"/p/{id}") for one in (visitor, looker)]
    told = [visitor.get(f"/api/v1/predictions/{id}", headers=who).json for who in ({}, LOOK)]

    assert "77.25" not in pages[0].text and "private" in text_of(pages[0])
    assert "77.25" in text_of(pages[1])
    assert [one["data"]["inputs"]["sepal_length_cm"] for one in told] == [None, 77.25]
    assert told[0]["data"]["inputs"]["sepal_width_cm"] == 3.5


# ── the API ──────────────────────────────────────────────────────────────────────────────────


def test_description_is_read_changed_and_sent_back(client: FlaskClient, kept: Service) -> None:
    at = "/api/v1/models/iris/description"
    before = client.get(at, headers=LOOK).json["data"]

    changed = client.put(at, headers=TOKEN, json={"tags": ["a"], "features": {}})
    back = client.put(at, headers=TOKEN, json=before)

    assert changed.json["data"] == {**before, "tags": ["a"]}
    assert back.json["data"] == before
    assert client.get(at).status_code == 401
    assert client.put(at, headers=LOOK, json={}).status_code == 403


def test_examples_of_the_document_work_when_sent(client: FlaskClient) -> None:
    [route] = descriptions.describe.declared  # type: ignore[attr-defined]
    sent = [
        client.put("/api/v1/models/iris/description", headers=TOKEN, json=body)
        for body in route.examples.values()
    ]

    assert [answer.status_code for answer in sent] == [200, 200]


def test_description_that_does_not_fit_is_refused_by_name(client: FlaskClient) -> None:
    body = {"features": {"sepal_width_cm": {"unit": 5}}}

    refused = client.put("/api/v1/models/iris/description", headers=TOKEN, json=body)

    assert refused.status_code == 422
    assert refused.json["details"][0]["field"] == "features.sepal_width_cm.unit"


# ── removing ─────────────────────────────────────────────────────────────────────────────────


def test_model_is_removed_by_its_name_and_brought_back(
    operator: FlaskClient, kept: Service
) -> None:
    ids = predicted(kept, 3)
    asked = text_of(operator.get("/models/iris/remove"))

    mistaken = post(operator, "/models/iris/remove", {"name": "irs"})
    there = operator.get("/models/iris").status_code
    post(operator, "/models/iris/remove", {"name": "iris"})
    home = operator.get("/")
    gone = operator.get("/models/iris").status_code
    post(operator, "/bring-back", {"key": "iris"})

    assert "Iris with 1 version, 3 predictions, 0 verdicts and 0 profiles go away" in asked
    assert (mistaken.status_code, there, gone) == (303, 200, 404)
    assert "iris was removed" in text_of(home) and "Undo: bring iris back" in text_of(home)
    assert "iris is back, with all that was kept of it." in text_of(operator.get("/"))
    assert kept.store.traffic.prediction(ids[0]) is not None
    assert "Undo" not in text_of(operator.get("/"))
    assert [one.what for one in kept.store.audit_log.newest(2)] == ["undo removal", "remove"]


def test_undo_is_for_operators(operator: FlaskClient, app: Flask) -> None:
    looker = app.test_client()
    sign_in(looker, VIEWER)
    refused = post(looker, "/bring-back", {"key": "iris"})
    post(operator, "/models/iris/remove", {"name": "iris"})

    assert refused.status_code == 403
    assert "bring iris back" in operator.get("/").text
    assert "bring iris back" not in looker.get("/").text


def test_what_cannot_be_brought_back_is_said(operator: FlaskClient) -> None:
    led = post(operator, "/bring-back", {"key": "iris"})

    assert led.status_code == 303
    assert "That cannot be undone any more" in text_of(operator.get("/"))


# ── forgetting ───────────────────────────────────────────────────────────────────────────────


def test_predictions_are_counted_before_they_are_forgotten(
    operator: FlaskClient, kept: Service
) -> None:
    first, second, third = predicted(kept, 3)
    post(operator, "/models/iris/feedback", {"id": first, "verdict": "up"})
    Caretaker(kept, "tests").go_round()
    form = {"ids": f"{first}\n{second}"}

    counted = text_of(post(operator, "/models/iris/forget", form))
    mistaken = post(operator, "/models/iris/forget", {**form, "agreed": "yes"})
    still = kept.store.traffic.prediction(first)
    done = text_of(post(operator, "/models/iris/forget", {**form, "agreed": "forget"}))

    assert "2 predictions and 1 verdict on them will be erased, which cannot be undone." in counted
    assert mistaken.status_code == 422 and still is not None
    assert "2 predictions forgotten" in done
    assert kept.store.traffic.prediction(first) is None
    assert kept.store.traffic.prediction(third) is not None


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ("", "0 ids: expected 1 to 100 at once."),
        ("nonsense", '"nonsense": This'),
        ("x " * 101, "101 ids: expected 1 to 100 at once."),
    ],
)
def test_ids_that_are_none_are_refused(operator: FlaskClient, ids: str, sentence: str) -> None:
    page = post(operator, "/models/iris/forget", {"ids": ids, "agreed": "forget"})

    assert page.status_code == 422
    assert sentence in text_of(page)


def test_prediction_of_another_model_is_not_forgotten_here(
    operator: FlaskClient, kept: Service
) -> None:
    [id] = predicted(kept, 1)

    page = post(operator, "/models/zombies/forget", {"ids": id, "agreed": "forget"})

    assert "is no prediction of zombies. Nothing was erased." in text_of(page)
    assert kept.store.traffic.prediction(id) is not None
