"""The pages over Flask's test client: what stands on them, who may see them, what a form does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.web.visitor import (
    FRAGMENT,
    IRIS,
    ask,
    csrf,
    id_in,
    post,
    sign_in,
    take_store_away,
    text_of,
    vote,
)
from unrot.app import create_app
from unrot.core.records import Feature, Feedback, Model, Outputs, Row, Schema, Serving, Version
from unrot.core.settings import Settings
from unrot.run.caretaker import Caretaker
from unrot.serve.limits import MOST_SIGN_INS, SIGN_INS
from unrot.serve.service import Service
from unrot.serve.shelf import Contents, ShelvedModel
from unrot.web.pages.models import local_path


def ask_zombies(client: FlaskClient) -> tuple[str, str]:
    """Return the id of a prediction on zombies and the class that it was not."""
    page = client.get("/models/zombies").text
    fields = dict(re.findall(r'<input id="field-\d+" name="(\w+)".*?value="([^"]*)"', page))
    answer = ask(client, "zombies", **fields)
    said = re.search(r'class="said">(\w+)<', answer.text)
    assert said
    return id_in(answer), {"hostile": "friendly", "friendly": "hostile"}[said[1]]


def ship(app: Flask) -> None:
    Caretaker(app.extensions["unrot"], "tests").go_round()


# ── a model ──────────────────────────────────────────────────────────────────────────────────


def test_model_page_explains_itself(client: FlaskClient, kept: Service) -> None:
    accuracy = kept.version("iris", "v1").metrics["accuracy"]

    said = text_of(client.get("/models/iris"))

    assert "Which of three species an iris belongs to, by the size of its flower." in said
    assert "It answers Iris-setosa Iris-versicolor Iris-virginica Right on rows new to it" in said
    assert "always the commonest answer: 33.3 % Version v1 made 20" in said
    assert "It predicts “species”, one of 3 answers, from 4 values. It can be wrong." in said
    assert "What you send and the answer to it, so that the owner of the model can look" in said
    assert f"On 30 rows that it had not learnt from it was right {100 * accuracy:g} %" in said
    assert "No verdict tells yet how good the answers of v1 are." in said


def test_model_page_says_what_people_thought_of_it(client: FlaskClient, app: Flask) -> None:
    vote(client, id_in(ask(client)), "up")
    vote(client, id_in(ask(client)), "down")
    ship(app)

    said = text_of(client.get("/models/iris"))

    assert "People have judged 2 answers of v1 so far: too few to say how good it is." in said
    assert "Right lately – 2 verdicts on v1 so far" in said


def test_form_has_label_unit_help_range_and_example(client: FlaskClient) -> None:
    page = client.get("/models/iris").text

    assert '<label for="field-1">sepal width <span class="unit">(cm)</span></label>' in page
    assert '<p class="help" id="field-1-help">Width of a sepal</p>' in page
    assert re.search(r'id="field-1-hint">usually [\d.]+ to [\d.]+ cm<', page)
    assert re.search(
        '<input id="field-1" name="sepal_width_cm" aria-describedby="field-1-help field-1-hint" '
        r'required type="number" step="any" value="\d(\.\d)?"',
        page,
    )


def test_model_page_works_while_the_store_is_away(client: FlaskClient, trained_home: Path) -> None:
    take_store_away(trained_home)

    answer = client.get("/models/iris")

    assert answer.status_code == 200
    assert "Today –" in text_of(answer)
    assert "The store does not answer" in text_of(answer)


def test_model_page_says_why_scikit_learn_serves(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "KNeighborsClassifier has no ONNX form."
    shelved = kept.catalogue().model("iris")
    served = Serving(by="scikit-learn", digest="0" * 64, reason=reason)
    version = replace(shelved.version(), serving=served)
    contents = Contents(models={"iris": replace(shelved, versions={version.name: version})})
    monkeypatch.setattr(kept.shelf, "contents", lambda: contents)

    assert reason in text_of(client.get("/models/iris"))


def test_model_without_champion_has_a_remedy(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelved = replace(kept.catalogue().model("iris"), aliases={})
    contents = Contents(models={"iris": shelved})
    monkeypatch.setattr(kept.shelf, "contents", lambda: contents)

    answer = client.get("/models/iris")

    assert answer.status_code == 200
    assert "It cannot be asked yet" in text_of(answer)
    assert "python -m unrot train iris" in text_of(answer)


def test_unknown_model_is_a_page(client: FlaskClient) -> None:
    answer = client.get("/models/nope")

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert 'There is no model "nope"; there are iris, zombies.' in text_of(answer)


# ── asking ───────────────────────────────────────────────────────────────────────────────────


def test_predict_answers_with_bars_for_every_class_and_keeps_the_values(
    client: FlaskClient, kept: Service
) -> None:
    answer = ask(client, sepal_length_cm="5,4")

    assert answer.status_code == 200
    assert '<span class="said">Iris-setosa</span>' in answer.text
    assert len(re.findall(r"<meter ", answer.text)) == 3
    assert re.search(r'name="sepal_length_cm".* value="5,4"', answer.text)
    assert kept.ids.read(id_in(answer)).class_index == 0


def test_predict_answers_a_script_with_the_part_only(client: FlaskClient) -> None:
    answer = post(client, "/models/iris", IRIS, **FRAGMENT)

    assert answer.headers["X-Fragment"] == "1"
    assert answer.text.lstrip().startswith('<div class="try">')
    assert "<html" not in answer.text


def test_predict_with_text_for_a_number_names_the_field_and_keeps_the_value(
    client: FlaskClient,
) -> None:
    answer = ask(client, petal_width_cm='wide" onfocus="alert(1)')

    assert answer.status_code == 422
    assert 'value="wide&#34; onfocus=&#34;alert(1)"' in answer.text
    assert re.search(r'id="field-3-error">Expected a finite number, usually', answer.text)
    assert 'value="5.1"' in answer.text


def test_predict_with_a_missing_field_says_so(client: FlaskClient) -> None:
    answer = post(client, "/models/iris", {"sepal_length_cm": "5.1"})

    assert answer.status_code == 422
    assert "3 fields need another look" in text_of(answer)


def test_predict_outside_the_range_is_answered_with_a_warning(client: FlaskClient) -> None:
    answer = ask(client, sepal_length_cm="50")

    assert answer.status_code == 200
    assert "sepal length 50 lies outside what the model was trained on" in text_of(answer)


def test_predict_without_csrf_token_keeps_the_values(client: FlaskClient) -> None:
    answer = client.post("/models/iris", data={**IRIS, "sepal_length_cm": "6.6"})

    assert answer.status_code == 403
    assert 'value="6.6"' in answer.text
    assert "This form is too old" in text_of(answer)


def test_predict_with_nothing_in_a_field_says_so(client: FlaskClient) -> None:
    answer = ask(client, sepal_width_cm="")

    said = re.search(r'id="field-1-error">([^<]*)<', answer.text)
    assert said
    assert said[1].startswith("Nothing is filled in yet: expected a finite number, usually")
    assert answer.text.index("data-focus") < answer.text.index('id="field-1-error"')


def test_predict_asks_no_store(client: FlaskClient, trained_home: Path) -> None:
    token = csrf(client)
    take_store_away(trained_home)

    answer = client.post("/models/iris", data={"csrf_token": token, **IRIS})

    assert answer.status_code == 200
    assert "Was it right?" in text_of(answer)


def test_prediction_that_was_not_kept_cannot_be_judged(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = csrf(client)
    monkeypatch.setattr(kept.journal, "_limit", 0)
    monkeypatch.setattr(kept.journal, "_checked_at", -1e9)

    answer = client.post("/models/iris", data={"csrf_token": token, **IRIS})

    assert answer.status_code == 200
    assert "Iris-setosa" in text_of(answer)
    assert "it cannot be judged" in text_of(answer)
    assert 'name="verdict"' not in answer.text


# ── judging ──────────────────────────────────────────────────────────────────────────────────


def verdict_on(kept: Service, id: str) -> Feedback:
    verdict = kept.store.verdicts.of(id)
    assert verdict is not None
    return verdict


def test_thumb_up_is_kept_and_thanked(client: FlaskClient, kept: Service) -> None:
    id = id_in(ask(client))

    said = vote(client, id, "up")

    assert "Thank you. You said it was right: Iris-setosa. Undo" in said
    assert "Another prediction" in said
    assert verdict_on(kept, id).was_correct is True


def test_thumb_down_is_kept_at_once_and_asks_for_the_truth(
    client: FlaskClient, kept: Service
) -> None:
    id = id_in(ask(client))

    said = vote(client, id, "down")

    assert "What was it really? Iris-versicolor Iris-virginica I don’t know" in said
    assert verdict_on(kept, id).was_correct is False


def test_true_label_and_comment_are_kept(client: FlaskClient, kept: Service) -> None:
    id = id_in(ask(client))
    vote(client, id, "down")

    said = vote(client, id, "down", label="Iris-virginica", comment="A <b>stripe</b>.\r\nTwo.")

    assert "You said it was wrong, and that it really was Iris-virginica." in said
    assert "A <b>stripe</b>. Two." in said
    verdict = verdict_on(kept, id)
    assert (verdict.label, verdict.comment) == ("Iris-virginica", "A <b>stripe</b>.\nTwo.")


def test_not_knowing_the_truth_is_thanked_too(client: FlaskClient, kept: Service) -> None:
    id = id_in(ask(client))
    vote(client, id, "down")

    said = vote(client, id, "down", label="", comment="")

    assert "Thank you. You had told us already; it counts once. You said it was wrong." in said
    assert verdict_on(kept, id).label is None


def test_thumb_down_of_two_classes_implies_the_other(client: FlaskClient) -> None:
    id, other = ask_zombies(client)

    said = vote(client, id, "down", model="zombies")

    assert f"You said it was wrong, so it was {other}." in said
    assert "What was it really?" not in said
    assert "Add a comment" in said


def test_comment_on_two_classes_is_kept(client: FlaskClient, kept: Service) -> None:
    id, _ = ask_zombies(client)
    vote(client, id, "down", model="zombies")

    said = vote(client, id, "down", model="zombies", comment="It waved.")

    assert "It waved. Undo" in said
    assert "Add a comment" not in said
    assert verdict_on(kept, id).comment == "It waved."


def test_undo_takes_back_and_offers_the_thumbs_again(client: FlaskClient, kept: Service) -> None:
    id = id_in(ask(client))
    vote(client, id, "up")

    answer = post(client, "/models/iris/feedback/undo", {"id": id})

    assert answer.status_code == 200
    assert "Taken back. Was it right? Right Wrong" in text_of(answer)
    assert verdict_on(kept, id).withdrawn


def test_undo_of_nothing_says_so(client: FlaskClient) -> None:
    answer = post(client, "/models/iris/feedback/undo", {"id": id_in(ask(client))})

    assert answer.status_code == 404
    assert "There is no verdict on this prediction to take back." in text_of(answer)


def test_voting_twice_counts_once(client: FlaskClient, app: Flask, kept: Service) -> None:
    id = id_in(ask(client))

    vote(client, id, "up")
    said = vote(client, id, "up")
    ship(app)

    assert "it counts once" in said
    assert kept.today("iris").verdicts == 1


def test_vote_answers_a_script_with_the_part_only(client: FlaskClient) -> None:
    id = id_in(ask(client))

    answer = post(client, "/models/iris/feedback", {"id": id, "verdict": "up"}, **FRAGMENT)

    assert answer.headers["X-Fragment"] == "1"
    assert "<html" not in answer.text
    assert text_of(answer) == "Thank you. You said it was right: Iris-setosa. Undo"


def test_vote_without_csrf_token_is_refused_and_can_be_repeated(
    client: FlaskClient, kept: Service
) -> None:
    id = id_in(ask(client))

    answer = client.post("/models/iris/feedback", data={"id": id, "verdict": "up"})

    assert answer.status_code == 403
    assert "This form is too old" in text_of(answer)
    assert "Was it right?" in text_of(answer)
    assert kept.store.verdicts.of(id) is None


def test_vote_on_a_forged_id_is_refused(client: FlaskClient) -> None:
    answer = post(client, "/models/iris/feedback", {"id": "A" * 32, "verdict": "up"})

    assert answer.status_code == 403
    assert "This prediction id was not given out by this app." in text_of(answer)
    assert "Was it right?" not in text_of(answer)


def test_vote_on_a_prediction_of_another_model_is_refused(
    client: FlaskClient, kept: Service
) -> None:
    id = id_in(ask(client))

    answer = post(client, "/models/zombies/feedback", {"id": id, "verdict": "up"})

    assert answer.status_code == 403
    assert "This prediction was not made by zombies." in text_of(answer)
    assert kept.store.verdicts.of(id) is None


def test_vote_on_an_old_prediction_is_refused_kindly(client: FlaskClient, kept: Service) -> None:
    number = kept.catalogue().model("iris").model.number
    old = time.time() - 31 * 86_400
    id = kept.ids.make(at=old, segment=b"12345", row=0, model_number=number, class_index=0)

    answer = post(client, "/models/iris/feedback", {"id": id, "verdict": "up"})

    assert answer.status_code == 410
    assert "older than 30 days and can no longer be judged" in text_of(answer)


def test_label_that_contradicts_is_asked_for_again(client: FlaskClient) -> None:
    id = id_in(ask(client))

    answer = post(
        client,
        "/models/iris/feedback",
        {"id": id, "verdict": "down", "label": "Iris-setosa", "comment": "Hm."},
    )

    assert answer.status_code == 422
    assert "contradict each other" in text_of(answer)
    assert ">Hm.</textarea>" in answer.text


@pytest.mark.parametrize("fields", [{}, {"verdict": "sideways"}, {"verdict": "up", "label": "x"}])
def test_vote_that_says_nothing_sensible_is_refused(
    client: FlaskClient, fields: dict[str, str]
) -> None:
    answer = post(client, "/models/iris/feedback", {"id": id_in(ask(client)), **fields})

    assert answer.status_code == 422


def test_vote_while_the_store_is_away_is_kept(client: FlaskClient, trained_home: Path) -> None:
    id, token = id_in(ask(client)), csrf(client)
    take_store_away(trained_home)

    answer = client.post(
        "/models/iris/feedback", data={"csrf_token": token, "id": id, "verdict": "up"}
    )

    assert answer.status_code == 200
    assert "It is kept safely here and will be counted" in text_of(answer)


def test_vote_after_a_judge_is_kept_beside_it(app: Flask, client: FlaskClient) -> None:
    id = id_in(ask(client))
    judge = app.test_client()
    sign_in(judge, JUDGE)

    trusted = vote(judge, id, "up")
    said = vote(client, id, "down")

    assert "It counts as trusted, because you are signed in as ada." in trusted
    assert "so the judge's word counts; yours is kept beside it." in said


def test_address_of_a_vote_leads_back_to_the_model(client: FlaskClient) -> None:
    assert client.get("/models/iris/feedback").location == "/models/iris"


# ── a regression ─────────────────────────────────────────────────────────────────────────────


class Doubler:
    """A predictor that answers twice the first feature."""

    def predict(self, rows: Sequence[Row]) -> Outputs:
        return Outputs(values=[2.0 * float(row[0] or 0) for row in rows])


@pytest.fixture
def doubling(client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client of an app that serves one regression."""
    schema = Schema((Feature("size", "number", example=1.25),), target="price")
    model = Model("iris", 900, "Prices", "What a thing costs.", schema, 0.0)
    served = Serving(by="onnx", digest="0" * 64)
    version = Version("iris", "v1", None, "trained", "tree", 0.0, {}, {}, "", {}, served)
    shelved = ShelvedModel(model, {"champion": "v1"}, {"v1": version})
    contents = Contents(models={"iris": shelved}, predictors={("", served.digest): Doubler()})
    monkeypatch.setattr(kept.shelf, "contents", lambda: contents)
    return client


def test_regression_answers_with_the_name_of_its_target(doubling: FlaskClient) -> None:
    answer = post(doubling, "/models/iris", {"size": "1.25"})

    text = text_of(answer)
    assert "price 2.5 " in text
    assert "What was it really? The true price." in text
    assert "<meter" not in answer.text


def test_regression_takes_the_true_number(doubling: FlaskClient, kept: Service) -> None:
    id = id_in(post(doubling, "/models/iris", {"size": "1.25"}))
    asked = vote(doubling, id, "down")
    number_alone = post(doubling, "/models/iris/feedback", {"id": id, "label": "2,75"})

    said = vote(doubling, id, "down", label="3,5")

    assert "Noted: wrong." in asked
    assert "and that it really was 2.75." in text_of(number_alone)
    assert "You said it was wrong, and that it really was 3.5." in said
    assert verdict_on(kept, id).label == 3.5


def test_regression_shows_how_far_it_was_off_lately(
    doubling: FlaskClient, app: Flask, kept: Service
) -> None:
    id = id_in(post(doubling, "/models/iris", {"size": "1.25"}))
    vote(doubling, id, "down", label="3,5")
    ship(app)

    page, home = text_of(doubling.get("/models/iris")), text_of(doubling.get("/"))

    assert "Lately off by – 1 true value on v1 so far" in page
    assert "People have judged 1 answer of v1 so far" in page
    assert "Lately off by – 1 true value on v1, by one visitor" in home
    assert "Last accuracy" not in page + home


# ── a pasted row ─────────────────────────────────────────────────────────────────────────────


def paste(client: FlaskClient, row: str, model: str = "iris", **headers: str) -> TestResponse:
    return post(client, f"/models/{model}/paste", {"row": row}, **headers)


def values_in(answer: TestResponse) -> dict[str, str]:
    found = re.findall(r'<input id="field-\d+" name="([^"]+)".*? value="([^"]*)"', answer.text)
    return dict(found)


@pytest.mark.parametrize(
    "row",
    [
        '{"inputs": {"sepal_length_cm": 6.5, "sepal_width_cm": 3, "petal_length_cm": 5.5, '
        '"petal_width_cm": 1.8}}',
        "6,5\t3\t5,5\t1,8",
        "petal_width_cm;sepal_width_cm;sepal_length_cm;petal_length_cm\r\n1,8;3;6,5;5,5",
    ],
    ids=["json", "tabs", "semicolons"],
)
def test_pasted_row_fills_the_form_and_predicts_nothing(
    client: FlaskClient, app: Flask, row: str
) -> None:
    answer = paste(client, row)

    assert answer.status_code == 200
    assert values_in(answer) == {
        "sepal_length_cm": "6.5",
        "sepal_width_cm": "3",
        "petal_length_cm": "5.5",
        "petal_width_cm": "1.8",
    }
    assert "4 of 4 fields are filled in from your row. Look at them" in text_of(answer)
    ship(app)
    assert "0 predictions" in text_of(client.get("/models/iris"))


def test_pasted_row_with_faults_names_them_beside_the_fields(client: FlaskClient) -> None:
    answer = paste(client, '{"sepal_length_cm": "long", "sepal_widht_cm": 3, "<b>": 1}')

    said = text_of(answer)
    assert answer.status_code == 200
    assert values_in(answer)["sepal_length_cm"] == "long"
    assert "sepal_widht_cm (perhaps sepal_width_cm?), <b> ." in said
    assert said.count("Nothing is filled in yet: expected a finite number") == 3
    assert 'id="field-0-error">Expected a finite number' in answer.text


def test_text_that_is_no_row_is_kept_with_a_sentence(client: FlaskClient) -> None:
    answer = paste(client, "{</textarea>", **FRAGMENT)

    assert answer.status_code == 422
    assert "\n{&lt;/textarea&gt;</textarea>" in answer.text
    assert "It begins like JSON and is none from line 1, column 2 on" in text_of(answer)
    assert values_in(answer)["sepal_length_cm"]


def test_paste_needs_the_csrf_token_and_keeps_the_text(client: FlaskClient) -> None:
    answer = client.post("/models/iris/paste", data={"row": "5.1,3.5,1.4,0.2"})

    assert answer.status_code == 403
    assert "5.1,3.5,1.4,0.2</textarea>" in answer.text


def test_address_of_a_paste_leads_back_to_the_model(client: FlaskClient) -> None:
    assert client.get("/models/iris/paste").location == "/models/iris"


# ── many features, many classes, words of one's own ──────────────────────────────────────────


class First:
    """A predictor that is surest of the first class, and less of each that follows."""

    def __init__(self, classes: int) -> None:
        whole = classes * (classes + 1) / 2
        self.chances = [(classes - place) / whole for place in range(classes)]

    def predict(self, rows: Sequence[Row]) -> Outputs:
        return Outputs(classes=[0] * len(rows), probabilities=[self.chances] * len(rows))


@pytest.fixture
def serve(kept: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Serve one schema as the only model, under the name of iris."""

    def serve_one(schema: Schema, title: str = "Wide") -> None:
        model = Model("iris", 901, title, "", schema, 0.0)
        served = Serving(by="onnx", digest="0" * 64)
        version = Version("iris", "v1", None, "added", "tree", 0.0, {}, {}, "", {}, served)
        shelved = ShelvedModel(model, {"champion": "v1"}, {"v1": version})
        predictors = {("", served.digest): First(len(schema.classes))}
        contents = Contents(models={"iris": shelved}, predictors=predictors)
        monkeypatch.setattr(kept.shelf, "contents", lambda: contents)

    return serve_one


CLASSES = tuple(f"kind {number}" for number in range(50))


def wide(features: int, classes: tuple[str, ...] = ("a", "b")) -> Schema:
    made = [Feature(f"x{number}", "number", low=0, high=9, example=1) for number in range(features)]
    return Schema(tuple(made), "kind", classes)


def test_long_form_comes_in_parts_with_a_search(
    client: FlaskClient, serve: Callable[..., None]
) -> None:
    serve(wide(60))

    page = client.get("/models/iris").text

    assert re.findall(r"<span>(x\d+ … x\d+)</span>", page) == ["x0 … x19", "x20 … x39", "x40 … x59"]
    assert re.findall(r'id="(group-\d)" open', page) == ["group-0"]
    assert "Find a field" in page
    assert "novalidate" in page


def test_short_form_has_no_parts_and_no_search(
    client: FlaskClient, serve: Callable[..., None]
) -> None:
    serve(wide(15))

    page = client.get("/models/iris").text

    assert "Find a field" not in page
    assert 'class="group"' not in page


def test_wrong_field_of_a_long_form_keeps_its_value_and_opens_its_part(
    client: FlaskClient, serve: Callable[..., None]
) -> None:
    serve(wide(60))
    fields = {f"x{number}": "1" for number in range(60)}

    answer = post(client, "/models/iris", {**fields, "x59": "lots"})

    assert answer.status_code == 422
    assert re.findall(r'id="(group-\d)" open', answer.text) == ["group-0", "group-2"]
    assert "20 fields 1 to look at" in text_of(answer)
    assert 'value="lots"' in answer.text
    assert '<a href="#field-59">x59</a>: Expected a finite number, usually 0 to 9.' in answer.text


def test_page_of_two_hundred_features_is_small(
    client: FlaskClient, serve: Callable[..., None]
) -> None:
    serve(wide(200))

    assert len(client.get("/models/iris").data) < 100_000


def test_many_classes_are_answered_with_the_likeliest_and_the_rest_folded(
    client: FlaskClient, serve: Callable[..., None]
) -> None:
    serve(wide(2, CLASSES))

    page = text_of(client.get("/models/iris"))
    answer = post(client, "/models/iris", {"x0": "1", "x1": "1"})

    assert "kind 5 and 44 more kind 6" in page
    folded = answer.text.index("<summary>45 more</summary>")
    assert answer.text[:folded].count("<meter") == 5
    assert answer.text.count("<meter") == 50


def test_truth_among_many_classes_is_searched_for(
    client: FlaskClient, serve: Callable[..., None], kept: Service
) -> None:
    serve(wide(2, CLASSES))
    answer = post(client, "/models/iris", {"x0": "1", "x1": "1"})
    near = re.search(r'name="near" value="([\d ]+)"', answer.text)
    assert near
    told = {"id": id_in(answer), "verdict": "down", "near": near[1]}

    asked = post(client, "/models/iris/feedback", told)
    unknown = post(client, "/models/iris/feedback", {**told, "label": "", "other": "kind 4x"})
    found = post(client, "/models/iris/feedback", {**told, "label": "kind 2", "other": "KIND 42 "})

    assert re.findall(r'name="label" value="([^"]*)"', asked.text) == [
        *CLASSES[1:6],
        "",
    ]
    main = asked.text.partition("</main>")[0]
    assert re.findall(r'<option value="([^"]*)">', main) == [*CLASSES[1:]]
    assert unknown.status_code == 422
    assert 'No answer is called "kind 4x". Perhaps kind 4?' in text_of(unknown)
    assert 'name="other" list="others"' in unknown.text
    assert 'value="kind 4x"' in unknown.text
    assert "it really was kind 42." in text_of(found)
    assert verdict_on(kept, told["id"]).label == "kind 42"


@pytest.mark.parametrize("near", ["", "99 -1 x 1e9", "0 0 0", "٣", "9" * 5_000])
def test_forged_neighbours_are_let_be(
    client: FlaskClient, serve: Callable[..., None], near: str
) -> None:
    serve(wide(2, CLASSES))
    id = id_in(post(client, "/models/iris", {"x0": "1", "x1": "1"}))

    answer = post(client, "/models/iris/feedback", {"id": id, "verdict": "down", "near": near})

    assert answer.status_code == 200
    assert "What was it really?" in text_of(answer)


def test_page_speaks_in_the_words_of_the_description(
    client: FlaskClient, serve: Callable[..., None], kept: Service
) -> None:
    size = Feature("sz", "number", low=0, example=1, label="Size <of it>", unit="m", group="Body")
    other = Feature("q", "boolean", example=True, description="Asked at the door.")
    serve(Schema((size, other), "left", ("0", "1", "2"), ("stays", "leaves", "")))

    page = client.get("/models/iris")
    answer = post(client, "/models/iris", {"sz": "1", "q": "true"})
    told = {"id": id_in(answer), "verdict": "down"}
    thanked = post(client, "/models/iris/feedback", {**told, "label": "1"})

    assert "It answers stays leaves 2 " in text_of(page)
    assert "Size &lt;of it&gt; <span" in page.text
    assert 'aria-describedby="field-1-help"' in page.text
    assert "<span>Body</span> <small>1 field</small>" in page.text
    assert "<span>More fields</span>" in page.text
    assert '<span class="said">stays</span>' in answer.text
    assert "it really was leaves." in text_of(thanked)
    assert verdict_on(kept, told["id"]).label == "1"


def test_model_that_nobody_measured_says_so(
    client: FlaskClient, serve: Callable[..., None]
) -> None:
    serve(wide(2))

    assert "so there is nothing trusted to judge it by" in text_of(client.get("/models/iris"))


# ── versions and predictions ─────────────────────────────────────────────────────────────────

LOOKING = ["/models/iris/versions", "/models/iris/versions/v1", "/models/iris/predictions"]


@pytest.mark.parametrize("path", LOOKING)
def test_looking_without_signing_in_leads_to_sign_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer.location == f"/login?next={path}"


@pytest.mark.parametrize("token", [OPERATOR, VIEWER, JUDGE])
@pytest.mark.parametrize("path", LOOKING)
def test_looking_is_for_whoever_is_signed_in(client: FlaskClient, path: str, token: str) -> None:
    sign_in(client, token)

    answer = client.get(path)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_versions_shows_the_champion_and_how_it_is_served(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    said = text_of(client.get("/models/iris/versions"))

    assert "Always the commonest answer would be right on 33.3 % of the test set." in said
    assert re.search(
        r"v1 champion \w+ [\d.]+ % champion – – 20\d\d-.* UTC trained [\d.]+ kB [\d.]+ ms ONNX",
        said,
    )


def test_only_version_is_followed_by_how_to_make_another(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    said = text_of(client.get("/models/iris/versions"))

    assert "There is only one so far" in said
    assert "v1 goes on answering: python -m unrot train iris" in said


def test_versions_come_from_the_shelf_while_the_store_is_away(
    client: FlaskClient, trained_home: Path
) -> None:
    sign_in(client, VIEWER)
    take_store_away(trained_home)

    said = text_of(client.get("/models/iris/versions"))

    assert "these are the versions on this machine's shelf" in said
    assert "Older versions" not in said and "There is only one so far" not in said
    assert "v1 champion" in said


def test_version_shows_all_that_is_on_record(client: FlaskClient, kept: Service) -> None:
    sign_in(client, VIEWER)
    version = kept.version("iris", "v1")

    said = text_of(client.get("/models/iris/versions/v1"))

    assert f"compared with scikit-learn on {version.serving.compared_rows} rows" in said
    assert version.serving.digest in said
    assert version.schema_hash in said
    assert all(digest in said for digest in version.artefacts.values())
    assert f"scikit-learn {version.libraries['scikit-learn']}" in said


def test_unknown_version_is_a_page(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    answer = client.get("/models/iris/versions/v9")

    assert answer.status_code == 404
    assert 'iris has no version "v9"; it has v1.' in text_of(answer)


def test_predictions_without_any_say_when_they_come(client: FlaskClient) -> None:
    sign_in(client, VIEWER)

    assert "No prediction has arrived yet." in text_of(client.get("/models/iris/predictions"))


def test_predictions_stand_beside_their_verdicts(client: FlaskClient, app: Flask) -> None:
    id = id_in(ask(client))
    vote(client, id, "down", label="Iris-virginica", comment="A stripe.")
    ship(app)
    sign_in(client, VIEWER)

    said = text_of(client.get("/models/iris/predictions"))

    assert "sepal length 5.1 sepal width 3.5 petal length 1.4 petal width 0.2" in said
    assert "wrong really Iris-virginica not trusted A stripe." in said


def test_predictions_are_paged_newest_first(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrot.web.pages.predictions.PREDICTIONS_A_PAGE", 2)
    for length in ("4.1", "4.2", "4.3"):
        ask(client, sepal_length_cm=length)
    ship(app)
    sign_in(client, VIEWER)

    first = client.get("/models/iris/predictions")
    older = re.search(r'href="(/models/iris/predictions\?before=[\w-]+)"', first.text)
    assert older
    second = client.get(older[1])

    assert re.findall(r"sepal length (\d\S+)", text_of(first)) == ["4.3", "4.2"]
    assert re.findall(r"sepal length (\d\S+)", text_of(second)) == ["4.1"]
    assert "Older" not in text_of(second)


def test_predictions_while_the_store_is_away_are_not_there_just_now(
    client: FlaskClient, trained_home: Path
) -> None:
    sign_in(client, VIEWER)
    take_store_away(trained_home)

    answer = client.get("/models/iris/predictions")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Not just now" in text_of(answer)
    assert "Try again" in text_of(answer)


# ── signing in ───────────────────────────────────────────────────────────────────────────────


def test_sign_in_leads_to_where_one_came_from(client: FlaskClient) -> None:
    answer = sign_in(client, f" {OPERATOR} ", next="/models/iris/predictions?before=")

    assert answer.status_code == 303
    assert answer.location == "/models/iris/predictions?before="
    assert "Sign out" in text_of(client.get("/"))


def test_sign_in_with_a_wrong_token_asks_again(client: FlaskClient) -> None:
    answer = sign_in(client, "not-the-token", next="/models/iris/versions")

    assert answer.status_code == 401
    assert "This token is not known here." in text_of(answer)
    assert 'value="/models/iris/versions"' in answer.text
    assert "not-the-token" not in answer.text


def test_one_token_opens_so_many_sessions_a_day(client: FlaskClient, app: Flask) -> None:
    """Each stands in the audit log for ever."""
    limits = app.extensions["unrot"].limits
    keeper = app.extensions["doorkeeper"]
    for _ in range(MOST_SIGN_INS - 1):
        limits.pour(SIGN_INS, keeper.subject("127.0.0.1") + keeper.fingerprint(VIEWER), 1)

    last = sign_in(client, VIEWER)
    post(client, "/logout", {})
    refused = sign_in(client, VIEWER)
    other = sign_in(client, OPERATOR)

    assert (last.status_code, refused.status_code, other.status_code) == (303, 429, 303)
    assert "too many sessions from here" in refused.text and refused.headers["Retry-After"]


def test_sign_in_needs_the_csrf_token(client: FlaskClient) -> None:
    answer = client.post("/login", data={"token": OPERATOR})

    assert answer.status_code == 403
    assert "Sign in" in text_of(client.get("/"))


def test_sign_out_closes_the_session(client: FlaskClient) -> None:
    sign_in(client, OPERATOR)

    answer = post(client, "/logout", {})

    assert answer.location == "/"
    assert client.get("/models/iris/versions").status_code == 302


def test_sign_out_needs_the_csrf_token(client: FlaskClient) -> None:
    sign_in(client, OPERATOR)

    assert client.post("/logout").status_code == 403
    assert client.get("/models/iris/versions").status_code == 200


def test_login_without_any_token_says_what_to_set(trained_home: Path) -> None:
    app = create_app(Settings(home=trained_home))

    answer = app.test_client().get("/login")

    assert "Set UNROT_ADMIN_TOKEN" in text_of(answer)
    assert 'name="token"' not in answer.text


def test_login_says_where_the_token_is(client: FlaskClient) -> None:
    said = text_of(client.get("/login"))

    assert "UNROT_ADMIN_TOKEN" in said
    assert "operator-token in the home folder" in said


@pytest.mark.parametrize(
    "given",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "evil.example",
        "",
    ],
)
def test_next_leads_nowhere_else(client: FlaskClient, given: str) -> None:
    assert local_path(given) is None
    assert sign_in(client, OPERATOR, next=given).location == "/"


# ── every page ───────────────────────────────────────────────────────────────────────────────

PAGES = ["/", "/models/iris", "/models/zombies", "/login", "/models/nope", *LOOKING]


@pytest.mark.parametrize("path", PAGES)
def test_page_holds_no_inline_script_style_or_foreign_address(
    client: FlaskClient, path: str
) -> None:
    sign_in(client, OPERATOR)

    page = client.get(path).text

    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page) == []
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//', page) == []


def test_wrong_method_is_a_page(client: FlaskClient) -> None:
    answer = client.put("/models/iris")

    assert answer.status_code == 405
    assert answer.mimetype == "text/html"
