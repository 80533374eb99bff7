"""The API over Flask's test client: what docs/api.md promises, and what bad input gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import JUDGE, OPERATOR, VIEWER
from unrot.core.records import CHAMPION
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
PREDICT = "/api/v1/models/iris/predict"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def predicted(client: FlaskClient) -> dict[str, Any]:
    data: dict[str, Any] = client.post(PREDICT, json={"inputs": IRIS}).json["data"]
    return data


def ship(app: Flask) -> None:
    keeper = Caretaker(app.extensions["unrot"], "tests")
    assert keeper.go_round()


# ── serving ──────────────────────────────────────────────────────────────────────────────────


def test_health_is_healthy(client: FlaskClient) -> None:
    answer = client.get("/api/v1/health")

    assert answer.status_code == 200
    assert answer.json == {"data": {"state": "healthy"}, "message": "Success"}


def test_ready_has_an_entry_and_a_sentence_for_each_component(client: FlaskClient) -> None:
    answer = client.get("/api/v1/ready")

    components = answer.json["data"]["components"]
    assert answer.status_code == 200
    assert list(components) == ["store", "journal", "caretaker", "shelf"]
    assert all(part["state"] and part["sentence"] for part in components.values())
    assert components["caretaker"]["state"] == "degraded"


def test_bare_iris_call_answers_setosa(client: FlaskClient) -> None:
    answer = client.post("/api/v1/predict", json=IRIS)

    data = answer.json["data"]
    assert answer.json["message"] == "Success"
    assert list(data) == ["id", "model", "version", "class", "probabilities"]
    assert (data["model"], data["version"], data["class"]) == ("iris", "v1", "Iris-setosa")
    assert list(data["probabilities"]) == ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]
    assert sum(data["probabilities"].values()) == pytest.approx(1)
    assert len(data["id"]) == 32


def test_one_row_and_many_rows_answer_the_same(client: FlaskClient) -> None:
    one = predicted(client)

    many = client.post(PREDICT, json={"inputs": [IRIS, IRIS]}).json["data"]["predictions"]

    assert len({one["id"], *(row["id"] for row in many)}) == 3
    for row in many:
        assert {**row, "id": one["id"]} == one


def test_ten_thousand_rows_are_taken_and_one_more_is_not(client: FlaskClient) -> None:
    taken = client.post(PREDICT, json={"inputs": [IRIS] * 10_000})
    refused = client.post(PREDICT, json={"inputs": [IRIS] * 10_001})

    ids = {row["id"] for row in taken.json["data"]["predictions"]}
    assert len(ids) == 10_000
    assert (refused.status_code, refused.json["reason"]) == (413, "too_large")


def test_instances_answer_the_class_index_without_envelope(client: FlaskClient) -> None:
    rows = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]

    bare = client.post("/api/v1/predict", json={"instances": rows})
    named = client.post(
        "/api/v1/predictions", json={"instances": rows, "model": "iris/versions/v1"}
    )

    for answer in (bare, named):
        ids = answer.json["ids"]
        assert answer.json == {
            "predictions": [0, 2],
            "ids": ids,
            "model": "iris",
            "version": "v1",
        }
        assert len(set(ids)) == 2


def test_pinned_version_goes_on_answering_after_the_champion_moved(
    client: FlaskClient, app: Flask
) -> None:
    service: Service = app.extensions["unrot"]
    first = service.catalogue().model("iris").version("v1")
    golden = {first.artefacts[kind] for kind in first.artefacts}
    artefacts = {digest: service.store.registry.artefact(digest) for digest in golden}
    second = service.store.registry.add_version(first, artefacts)
    service.store.registry.move_alias("iris", CHAMPION, to=second.name, expected="v1")
    ship(app)

    champion = predicted(client)
    pinned = client.post("/api/v1/models/iris/versions/v1/predict", json={"inputs": IRIS})

    assert champion["version"] == "v2"
    assert pinned.json["data"]["version"] == "v1"


def test_models_are_listed_first_trained_first(client: FlaskClient) -> None:
    listed = client.get("/api/v1/models").json["data"]["models"]
    one = client.get("/api/v1/models/iris").json["data"]

    assert [model["name"] for model in listed] == ["iris", "zombies"]
    assert one == listed[0]
    assert one["classes"] == ["Iris-setosa", "Iris-versicolor", "Iris-virginica"]
    assert (one["champion"], one["aliases"], one["versions"]) == ("v1", {"champion": "v1"}, ["v1"])
    assert client.post(PREDICT, json={"inputs": one["schema"]["example"]}).status_code == 200


# ── bad input ────────────────────────────────────────────────────────────────────────────────

BAD_VALUES = {
    "nan": "NaN",
    "infinite": "1e999",
    "text": '"5.1"',
    "boolean": "true",
    "null": "null",
    "too large": str(2**80),
    "surrogate": '"\\ud800"',
    "list": "[1]",
    "object": '{"a": 1}',
}


@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES.keys())
@pytest.mark.parametrize("path", [PREDICT, "/api/v1/predict"])
def test_bad_value_is_refused_with_the_field_named(
    client: FlaskClient, path: str, value: str
) -> None:
    row = json.dumps(IRIS).replace("1.4", value)
    body = row if path == "/api/v1/predict" else '{"inputs": ' + row + "}"

    answer = client.post(path, data=body, content_type="application/json")

    assert answer.status_code == 422
    assert answer.json["data"] is None
    assert answer.json["details"][0]["field"] == "petal_length_cm"
    assert "petal_length_cm" in answer.json["message"]


def test_missing_and_extra_features_are_named_with_the_nearest(client: FlaskClient) -> None:
    row = {name.replace("petal_length", "petal_lenght"): value for name, value in IRIS.items()}

    answer = client.post(PREDICT, json={"inputs": row})

    details = answer.json["details"]
    assert answer.status_code == 422
    assert [detail["field"] for detail in details] == ["petal_length_cm", "petal_lenght_cm"]
    assert "nearest known one is petal_length_cm" in details[1]["expected"]


BAD_BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "blank": (b"  \n", 400),
    "not json": (b"{", 400),
    "not utf-8": (b'{"inputs": "\xff"}', 400),
    "nested": (b"[" * 100_000, 400),
    "nested objects": (b'{"inputs":' * 100_000, 400),
    "long number": (b'{"inputs": ' + b"9" * 100_000 + b"}", 400),
    "a list": (b"[]", 400),
    "a number": (b"7", 400),
    "nothing": (b"null", 400),
    "no inputs": (b"{}", 422),
    "empty inputs": (b'{"inputs": []}', 422),
    "null inputs": (b'{"inputs": null}', 422),
    "text inputs": (b'{"inputs": "5.1"}', 422),
    "list rows": (b'{"inputs": [[5.1, 3.5, 1.4, 0.2]]}', 422),
    "more than inputs": (b'{"inputs": {}, "outputs": {}}', 422),
}


@pytest.mark.parametrize(("body", "code"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_bad_body_is_refused_with_a_sentence(client: FlaskClient, body: bytes, code: int) -> None:
    answer = client.post(PREDICT, data=body, content_type="application/json")

    assert answer.status_code == code
    assert answer.content_type == "application/json"
    assert answer.json["data"] is None
    assert answer.json["message"].endswith(".")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_wrong_content_type_is_refused(client: FlaskClient, content_type: str) -> None:
    answer = client.post(PREDICT, data=b"{}", content_type=content_type)

    assert (answer.status_code, answer.json["reason"]) == (415, "not_json")


def test_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    answer = client.post(PREDICT, data=b" " * (9 * 2**20), content_type="application/json")

    assert (answer.status_code, answer.json["reason"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/v1/models/nobody/predict", {"inputs": IRIS}, 404),
        ("/api/v1/models/iris/versions/v9/predict", {"inputs": IRIS}, 404),
        ("/api/v1/predictions", {"instances": [[1, 2, 3, 4]], "model": "nobody"}, 404),
        ("/api/v1/predictions", {"instances": [[1, 2, 3, 4]], "model": "iris/v1"}, 422),
        ("/api/v1/predictions", {"instances": [[1, 2, 3, 4]], "model": 7}, 422),
        ("/api/v1/predictions", {"instances": [[1, 2, 3]]}, 422),
        ("/api/v1/predictions", {"instances": [1, 2, 3, 4]}, 422),
        ("/api/v1/predictions", {"instances": []}, 422),
        ("/api/v1/predictions", {"instances": {}}, 422),
        ("/api/v1/predictions", {"instances": [[1, 2, 3, 4]], "versoin": "v1"}, 422),
        ("/api/v1/nowhere", {}, 404),
    ],
)
def test_wrong_address_or_reference_is_a_sentence(
    client: FlaskClient, path: str, body: Any, code: int
) -> None:
    answer = client.post(path, json=body)

    assert answer.status_code == code
    assert answer.json["data"] is None
    assert answer.json["message"].endswith(".")


def test_wrong_method_says_which_are_taken(client: FlaskClient) -> None:
    answer = client.get(PREDICT)

    assert (answer.status_code, answer.json["reason"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_number_far_outside_the_training_range_is_taken_or_named(client: FlaskClient) -> None:
    far = client.post(PREDICT, json={"inputs": {**IRIS, "petal_width_cm": 1e6}})
    farther = client.post(PREDICT, json={"inputs": {**IRIS, "petal_width_cm": -9e18}})

    assert far.status_code == 200
    assert farther.status_code in (200, 422)


# ── feedback ─────────────────────────────────────────────────────────────────────────────────


def judge(client: FlaskClient, body: Any, token: str = "") -> tuple[int, Any]:
    answer = client.post("/api/v1/feedback", json=body, headers=bearer(token) if token else {})
    assert answer.json is not None
    return answer.status_code, answer.json


def test_verdict_is_created_then_duplicate_then_revised(client: FlaskClient) -> None:
    id = predicted(client)["id"]

    answers = [
        judge(client, {"id": id, "was_correct": True}),
        judge(client, {"id": id, "was_correct": True}),
        judge(client, {"id": id, "label": "Iris-virginica"}),
    ]

    said = [(code, body["data"]["status"], body["data"]["was_correct"]) for code, body in answers]
    assert said == [(201, "created", True), (200, "duplicate", True), (200, "revised", False)]


@pytest.mark.parametrize(
    ("verdict", "code", "reason"),
    [
        ({"was_correct": True, "label": "Iris-virginica"}, 422, "contradiction"),
        ({"was_correct": False, "label": "Iris-setosa"}, 422, "contradiction"),
        ({"label": "Iris-rosa"}, 422, "unknown_label"),
        ({"label": 1}, 422, "unknown_label"),
        ({}, 422, "empty_verdict"),
        ({"was_correct": "yes"}, 422, "invalid"),
        ({"was_correct": 1}, 422, "invalid"),
        ({"was_correct": True, "comment": 7}, 422, "invalid"),
        ({"was_correct": True, "comment": "x" * 2001}, 422, "invalid"),
    ],
)
def test_wrong_verdict_is_refused(
    client: FlaskClient, verdict: Any, code: int, reason: str
) -> None:
    id = predicted(client)["id"]

    answer = judge(client, {"id": id, **verdict})

    assert (answer[0], answer[1]["reason"]) == (code, reason)


@pytest.mark.parametrize("id", ["A" * 32, "", "x", "é" * 32, 7, None, ["A" * 32]])
def test_id_that_was_not_given_out_is_refused(client: FlaskClient, id: Any) -> None:
    code, body = judge(client, {"id": id, "was_correct": True})

    assert code == (403 if isinstance(id, str) else 422)
    assert body["data"] is None


def test_list_of_verdicts_keeps_the_valid_and_names_the_rest(
    client: FlaskClient, app: Flask
) -> None:
    first, second = predicted(client)["id"], predicted(client)["id"]

    code, body = judge(
        client,
        [
            {"id": first, "was_correct": True},
            {"id": "forged", "was_correct": True},
            {"id": second, "label": "Iris-rosa"},
            {"id": second},
            {"id": second, "was_correct": False},
            "nonsense",
            {"id": first, "was_correct": True},
        ],
    )

    assert code == 200
    assert [result["status"] for result in body["data"]["results"]] == [
        "created",
        "unknown_id",
        "unknown_label",
        "empty_verdict",
        "created",
        "invalid",
        "duplicate",
    ]
    service: Service = app.extensions["unrot"]
    assert service.store.verdicts.of(second) is not None


def test_list_of_verdicts_has_its_limits(client: FlaskClient) -> None:
    assert judge(client, [])[0] == 422
    assert judge(client, [{}] * 1_001)[0] == 413
    assert judge(client, [{}] * 1_000)[0] == 200


def test_verdict_of_a_judge_is_trusted_and_not_overruled(client: FlaskClient) -> None:
    id = predicted(client)["id"]

    answers = [
        judge(client, {"id": id, "was_correct": False}),
        judge(client, {"id": id, "was_correct": True}, JUDGE),
        judge(client, {"id": id, "was_correct": False}),
        judge(client, {"id": id, "was_correct": False}, "wrong-token"),
    ]

    assert [code for code, _ in answers] == [201, 200, 200, 401]
    assert [body["data"] and body["data"]["status"] for _, body in answers] == [
        "created",
        "revised",
        "overruled",
        None,
    ]
    assert client.delete(f"/api/v1/feedback/{id}").status_code == 403
    assert client.delete(f"/api/v1/feedback/{id}", headers=bearer(OPERATOR)).status_code == 200


def test_verdict_is_taken_back_once(client: FlaskClient) -> None:
    id = predicted(client)["id"]
    judge(client, {"id": id, "was_correct": True})

    codes = [client.delete(f"/api/v1/feedback/{id}").status_code for _ in range(2)]
    forged = client.delete("/api/v1/feedback/forged")

    assert codes == [200, 404]
    assert forged.status_code == 403
    assert judge(client, {"id": id, "was_correct": True})[1]["data"]["status"] == "created"


def test_verdict_in_the_older_form_is_kept_apart(client: FlaskClient, app: Flask) -> None:
    older = {"model": "iris", "input data": IRIS, "prediction": "Iris-setosa", "was correct": True}

    code, body = judge(client, older)
    unknown, _ = judge(client, {**older, "model": "nobody"})
    wrong, _ = judge(client, {**older, "was correct": "yes"})

    tally = app.extensions["unrot"].today("iris")
    assert (code, body["data"]["status"], body["data"]["verified"]) == (201, "created", False)
    assert (unknown, wrong) == (404, 422)
    assert (tally.unverified, tally.verdicts) == (1, 0)


def test_verdict_while_the_store_is_away_is_queued_and_shipped_later(
    client: FlaskClient, app: Flask, trained_home: Path
) -> None:
    id, other = predicted(client)["id"], predicted(client)["id"]
    database, aside = trained_home / "unrot.db", trained_home / "aside.db"
    database.rename(aside)

    queued = [
        judge(client, {"id": id, "was_correct": True}),
        judge(client, [{"id": other, "was_correct": False}, {"id": "forged"}]),
    ]
    undone = client.delete(f"/api/v1/feedback/{other}")
    ready = client.get("/api/v1/ready")
    answered = client.post(PREDICT, json={"inputs": IRIS})

    aside.rename(database)
    ship(app)
    service: Service = app.extensions["unrot"]
    verdicts = [service.store.verdicts.of(one) for one in (id, other)]
    assert (queued[0][0], queued[0][1]["data"]["status"]) == (202, "queued")
    assert [result["status"] for result in queued[1][1]["data"]["results"]] == [
        "queued",
        "unknown_id",
    ]
    assert undone.status_code == 202
    assert ready.json["data"]["components"]["store"]["state"] == "degraded"
    assert answered.status_code == 200
    assert [(one.was_correct, one.withdrawn) for one in verdicts if one] == [
        (True, False),
        (None, True),
    ]


# ── looking ──────────────────────────────────────────────────────────────────────────────────

GUARDED = [
    "/api/v1/models/iris/versions",
    "/api/v1/models/iris/versions/v1",
    "/api/v1/models/iris/predictions",
]


@pytest.mark.parametrize("path", GUARDED)
def test_looking_needs_a_token(client: FlaskClient, path: str) -> None:
    codes = [
        client.get(path).status_code,
        client.get(path, headers=bearer("wrong-token")).status_code,
        client.get(path, headers={"Authorization": "Basic abc"}).status_code,
        *(
            client.get(path, headers=bearer(token)).status_code
            for token in (VIEWER, JUDGE, OPERATOR)
        ),
    ]

    assert codes == [401, 401, 401, 200, 200, 200]
    assert client.get(path).headers["WWW-Authenticate"] == "Bearer"


def test_kept_predictions_stand_beside_their_verdicts(client: FlaskClient, app: Flask) -> None:
    ids = [predicted(client)["id"] for _ in range(3)]
    judge(client, {"id": ids[1], "label": "Iris-versicolor", "comment": "petals"}, JUDGE)
    ship(app)

    path = "/api/v1/models/iris/predictions?limit=2"
    first = client.get(path, headers=bearer(VIEWER)).json["data"]
    second = client.get(f"{path}&before={first['next']}", headers=bearer(VIEWER)).json["data"]

    rows = first["predictions"] + second["predictions"]
    assert {row["id"] for row in rows} == set(ids)
    assert second["next"] is None
    judged = next(row for row in rows if row["id"] == ids[1])
    assert judged["inputs"] == IRIS
    assert judged["feedback"]["label"] == "Iris-versicolor"
    assert (judged["feedback"]["trusted"], judged["feedback"]["comment"]) == (True, "petals")


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "1e3", "9" * 5000])
def test_kept_predictions_refuse_a_wrong_limit(client: FlaskClient, limit: str) -> None:
    path = f"/api/v1/models/iris/predictions?limit={limit}"

    assert client.get(path, headers=bearer(VIEWER)).status_code == 422


def test_version_tells_where_it_comes_from(client: FlaskClient) -> None:
    data = client.get(GUARDED[1], headers=bearer(VIEWER)).json["data"]

    assert (data["version"], data["parent"], data["origin"]) == ("v1", None, "trained")
    assert data["served_by"] == "onnx"
    assert data["largest_difference"] <= 1e-4
    assert {"skops", "onnx", "golden", "profile"} <= set(data["artefacts"])
    assert "scikit-learn" in data["libraries"]
    assert data["metrics"]["accuracy"] > data["metrics"]["constant_guess"]
