"""Outliers on their page, beside an answer and over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import OPERATOR, VIEWER
from tests.large_store import ship
from tests.web.visitor import FRAGMENT, IRIS, ask, post, sign_in, take_store_away, text_of
from unrot.core.records import Caller, Feature, Model, Oddity, Prediction, Reason, Schema, Shipment
from unrot.serve.service import Service
from unrot.serve.shelf import Contents
from unrot.store.kinds import BATCH
from unrot.store.operations import Delete
from unrot.web.pages import outliers

ADDRESS = "/api/v1/models/iris/outliers"
ODD = {"sepal_length_cm": 5.1, "sepal_width_cm": 9.0, "petal_length_cm": 1.4, "petal_width_cm": 0.2}


def listed(client: FlaskClient, query: str = "", token: str = VIEWER) -> dict[str, Any]:
    answer = client.get(ADDRESS + query, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json["data"]  # type: ignore[index]
    return data


def page_of(client: FlaskClient, query: str = "") -> str:
    sign_in(client, VIEWER)
    answer = client.get(f"/models/iris/outliers{query}")
    assert answer.status_code == 200
    return text_of(answer)


def odd_ones(service: Service, count: int) -> list[str]:
    """Predict flowers, each odder than the one before; return their ids, newest first."""
    for place in range(count):
        service.predict("iris", [{**ODD, "sepal_width_cm": 9.0 + place / 10}])
    ship(service)
    return [oddity.prediction for oddity, _ in service.store.oddities.recent("iris", limit=count)]


# ── beside an answer ─────────────────────────────────────────────────────────────────────────


def test_odd_row_is_answered_with_a_warning_at_once(client: FlaskClient) -> None:
    said = text_of(ask(client, sepal_length_cm="7.7", petal_length_cm="1.2"))

    assert (
        "Unlike anything it was trained on: 1.7 times the usual distance from the nearest training "
        "rows, above all in sepal length and petal length. Take the answer with care."
    ) in said
    assert "Take it with care" not in said


def test_value_outside_the_range_and_odd_warns_once(client: FlaskClient) -> None:
    said = text_of(ask(client, sepal_width_cm="9"))

    assert "Take it with care: sepal width 9 lies outside what the model was trained on." in said
    assert "the nearest training rows, above all in sepal width." in said
    assert "Take the answer with care." not in said


def test_usual_row_is_answered_without_a_word(client: FlaskClient) -> None:
    assert "Unlike anything" not in text_of(ask(client))


def test_odd_row_is_told_while_the_store_is_away(client: FlaskClient, kept: Service) -> None:
    fields = {**IRIS, "sepal_width_cm": "9"}
    post(client, "/models/iris", fields)
    take_store_away(kept.settings.home)

    assert "Unlike anything" in text_of(post(client, "/models/iris", fields, **FRAGMENT))


# ── the page ─────────────────────────────────────────────────────────────────────────────────


def test_page_without_outliers_tells_what_it_would_show(client: FlaskClient) -> None:
    said = page_of(client)

    assert "None so far. Each prediction is looked at when it reaches the store" in said


def test_page_shows_what_is_odd_the_answer_and_the_verdict(
    client: FlaskClient, kept: Service
) -> None:
    [id] = odd_ones(kept, 1)
    kept.judge({"id": id, "label": "Iris-virginica"}, Caller("judge", "ada"))

    said = page_of(client)

    assert "sepal width 9 cm" in said
    assert "usually 2 to 4.4 cm" in said
    assert "The other 3 values sepal length 5.1 petal length 1.4 petal width 0.2" in said
    assert "Iris-setosa" in said
    assert "wrong really Iris-virginica trusted: ada" in said


def test_page_leads_from_the_newest_to_the_oldest_and_back(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outliers, "OUTLIERS_A_PAGE", 2)
    ids = odd_ones(kept, 3)

    first, second = page_of(client), page_of(client, f"?before={ids[1]}")

    assert ("sepal width 9.2" in first, "sepal width 9.1" in first) == (True, True)
    assert ("sepal width 9 cm" in first, "sepal width 9 cm" in second) == (False, True)
    assert ("Older" in first, "Newest" in second, "Older" in second) == (True, True, False)
    assert "There is nothing older." in page_of(client, f"?before={ids[2]}")


def test_page_shows_the_rate_over_time(client: FlaskClient, kept: Service) -> None:
    noon = 1_767_268_800
    rates = [[noon, noon + 3_600, 200, 30], [noon + 3_600, noon + 7_200, 1_500, 12]]
    kept.store.findings.stand("iris", "outliers", {"to": noon, "rates": rates})

    said = page_of(client)

    assert (
        "0.8 %, 12 of 1,500 rows, at 2026-01-01 14:00; between 0.8 % and 15 % in this time." in said
    )
    assert "The most that the rules allow: 5 %." in said
    assert "2026-01-01 14:00 0.8 %, 12 of 1,500 rows 2026-01-01 13:00 15 %, 30 of 200 rows" in said


def test_page_says_when_the_version_cannot_tell(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = kept.catalogue()
    shelved = contents.models["iris"]
    bare = replace(shelved.versions["v1"], artefacts={})
    changed = replace(shelved, versions={"v1": bare})
    monkeypatch.setattr(kept.shelf, "_contents", replace(contents, models={"iris": changed}))

    said = page_of(client)

    assert "v1 keeps nothing to tell outliers by" in said
    assert "None so far" not in said


def test_page_of_many_features_shows_the_odd_ones_and_folds_the_rest(
    client: FlaskClient, kept: Service
) -> None:
    sign_in(client, VIEWER)
    name = ("a_name_of_eighty_letters_as_" * 3)[:77]
    features = tuple(Feature(f"{name}{place:03}", "number") for place in range(200))
    schema = Schema(features, "kind", ("a", "b"))
    model = kept.store.registry.add_model(Model("wide", 0, "Wide", "", schema, 0.0))
    made = Prediction("id", "wide", "v1", 1e9, [0.5] * 200, "a", None, None)
    reasons = (Reason(features[7].name, 0.7), Reason("gone", 0.2), Reason(features[9].name, 0.1))
    odd = Oddity("id", "wide", "v1", 1e9, 31.4, reasons)
    kept.store.traffic.ship(
        Shipment("segment", 0, 1, "me", [made], oddities=[odd], looked_at={"id"})
    )
    contents = kept.catalogue()
    shelved = replace(contents.models["iris"], model=model, aliases={})
    kept.shelf._contents = Contents(contents.generation, {"wide": shelved})

    answer = client.get("/models/wide/outliers")

    said = text_of(answer)
    assert "31 times the usual" in said
    assert "lett007 0.5 70 % of the distance" in said
    assert "The other 199 values" in said
    assert answer.text.count("odd-name") == 1


def test_outlier_whose_prediction_was_let_go_is_still_told(
    client: FlaskClient, kept: Service
) -> None:
    odd_ones(kept, 1)
    database = kept.store.database  # type: ignore[attr-defined]
    for batch in database.scan(BATCH, "of model", ("iris",), limit=100, only=[]):
        database.commit([Delete(BATCH, batch.key)])

    said = page_of(client)

    assert "sepal width" in said
    assert "Its inputs are not kept any more." in said
    assert listed(client)["outliers"][0]["prediction"] is None


def test_page_is_for_viewers(client: FlaskClient) -> None:
    answer = client.get("/models/iris/outliers")

    assert answer.status_code == 302
    assert "/login?next=/models/iris/outliers" in answer.headers["Location"]


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────


def test_outliers_are_listed_with_features_and_prediction(
    client: FlaskClient, kept: Service
) -> None:
    [id] = odd_ones(kept, 1)

    data = listed(client)

    [found] = data["outliers"]
    assert (data["next"], data["rates"], data["usual_share"]) == (None, [], 0.01)
    assert (found["id"], found["model"], found["version"]) == (id, "iris", "v1")
    assert found["score"] > 3
    assert found["features"][0]["feature"] == "sepal_width_cm"
    assert sum(one["share"] for one in found["features"]) <= 1
    assert found["prediction"]["inputs"] == ODD
    assert found["prediction"]["id"] == id


def test_outliers_come_in_pages(client: FlaskClient, kept: Service) -> None:
    ids = odd_ones(kept, 5)

    pages = [listed(client, "?limit=2")]
    while pages[-1]["next"]:
        pages.append(listed(client, f"?limit=2&before={pages[-1]['next']}"))

    assert [[one["id"] for one in page["outliers"]] for page in pages] == [
        ids[:2], ids[2:4], ids[4:],
    ]  # fmt: skip


def test_rates_are_listed(client: FlaskClient, kept: Service) -> None:
    kept.store.findings.stand("iris", "outliers", {"rates": [[0, 300, 200, 30]]})

    assert listed(client, token=OPERATOR)["rates"] == [
        {
            "starts_at": "1970-01-01T00:00:00.000+00:00",
            "ends_at": "1970-01-01T00:05:00.000+00:00",
            "looked_at": 200,
            "outliers": 30,
            "share": 0.15,
        }
    ]


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("?limit=0", 422, 'limit "0": expected a whole number, 1 to 200.'),
        ("?before=nothing", 404, "The outlier to go on from is not kept any more."),
    ],
)
def test_what_cannot_be_listed_says_why(
    client: FlaskClient, query: str, code: int, said: str
) -> None:
    answer = client.get(ADDRESS + query, headers={"Authorization": f"Bearer {VIEWER}"})

    assert (answer.status_code, answer.json["message"]) == (code, said)  # type: ignore[index]


def test_list_is_for_viewers(client: FlaskClient) -> None:
    assert client.get(ADDRESS).status_code == 401
