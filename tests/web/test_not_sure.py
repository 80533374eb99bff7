"""\"Not sure\" as an answer: told, counted as it was told then, and found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.clock import Clock
from tests.conftest import OPERATOR
from tests.web.visitor import sign_in, text_of
from unrot.core.records import ModelKey
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

BEARER = {"Authorization": f"Bearer {OPERATOR}"}
BETWEEN = {"sepal_length_cm": 6.0, "sepal_width_cm": 2.7, "petal_length_cm": 5.0,
           "petal_width_cm": 1.6}  # fmt: skip
SETOSA = {"sepal_length_cm": 5.1, "sepal_width_cm": 3.5, "petal_length_cm": 1.4,
          "petal_width_cm": 0.2}  # fmt: skip


@pytest.fixture
def clock(app: Flask) -> Clock:
    made = Clock()
    app.extensions["unrot"] = replace(app.extensions["unrot"], clock=made)
    return made


def wants(client: FlaskClient, clock: Clock, **policy: Any) -> None:
    answer = client.put("/api/v1/models/iris/policy", json=policy, headers=BEARER)
    assert answer.status_code == 200, answer.json
    clock.now += 2


def predict(client: FlaskClient, *rows: dict[str, float]) -> list[dict[str, Any]]:
    answer = client.post("/api/v1/models/iris/predict", json={"inputs": list(rows)})
    found: list[dict[str, Any]] = answer.json["data"]["predictions"]
    return found


def ship(app: Flask) -> None:
    Caretaker(app.extensions["unrot"], "tests").go_round()


def counted(client: FlaskClient, clock: Clock) -> tuple[int, int, int]:
    given = {"from": clock.now - 300, "to": clock.now + 300, "step": 3600}
    answer = client.get("/api/v1/models/iris/windows", query_string=given, headers=BEARER)
    points = answer.json["data"]["points"]
    return tuple(  # type: ignore[return-value]
        sum(one[name] for one in points) for name in ("predictions", "asked_sure", "unsure")
    )


def found(client: FlaskClient) -> list[str]:
    answer = client.get("/api/v1/models/iris/predictions?unsure=1", headers=BEARER)
    return [one["id"] for one in answer.json["data"]["predictions"]]


def test_answer_is_as_ever_where_nobody_wants_it(client: FlaskClient, clock: Clock) -> None:
    [made] = predict(client, BETWEEN)

    assert made.keys() == {"id", "model", "version", "class", "probabilities"}


def test_answer_stays_and_says_that_it_is_not_sure(client: FlaskClient, clock: Clock) -> None:
    [plain] = predict(client, BETWEEN)
    wants(client, clock, not_sure="on", coverage=0.96)

    unsure, sure = predict(client, BETWEEN, SETOSA)
    one = client.post("/api/v1/models/iris/predict", json={"inputs": BETWEEN}).json["data"]
    bare = client.post("/api/v1/predict", json=BETWEEN).json["data"]

    assert (unsure["class"], unsure["sure"]) == (plain["class"], False)
    assert set(unsure["set"]) == {"Iris-versicolor", "Iris-virginica"}
    assert (sure["sure"], sure["set"]) == (True, ["Iris-setosa"])
    assert one["sure"] is bare["sure"] is False


def test_what_is_counted_is_what_was_answered_then(
    client: FlaskClient, app: Flask, clock: Clock
) -> None:
    predict(client, BETWEEN)
    wants(client, clock, not_sure="on", coverage=0.96)
    told = predict(client, BETWEEN, SETOSA, BETWEEN)
    wants(client, clock, coverage=0.5)
    told += predict(client, BETWEEN, SETOSA)
    wants(client, clock, not_sure="off")
    predict(client, BETWEEN)
    ship(app)

    unsure = [one["id"] for one in told if not one["sure"]]

    assert counted(client, clock) == (7, 5, len(unsure))
    assert 0 < len(unsure) < 5
    assert sorted(found(client)) == sorted(unsure)


def test_answer_that_is_shipped_when_nobody_knows_what_held_counts_neither_way(
    client: FlaskClient, app: Flask, clock: Clock
) -> None:
    wants(client, clock, not_sure="on", coverage=0.96)
    [late] = predict(client, BETWEEN)
    then = clock.now
    clock.now += 5_000
    wants(client, clock, coverage=0.9)
    wants(client, clock, coverage=0.5)
    clock.now += 5_000
    wants(client, clock, coverage=0.6)
    predict(client, BETWEEN)
    ship(app)

    assert counted(client, clock)[:2] == (1, 1)
    assert late["id"] not in found(client)
    clock.now = then
    assert counted(client, clock) == (1, 0, 0)


def test_pages_show_how_often_and_which(client: FlaskClient, app: Flask, clock: Clock) -> None:
    sign_in(client, OPERATOR)
    before = text_of(client.get("/models/iris/monitor?range=hour"))
    wants(client, clock, not_sure="on", coverage=0.96)
    unsure, sure = predict(client, BETWEEN, SETOSA)
    ship(app)

    monitor = text_of(client.get("/models/iris/monitor?range=hour"))
    listed = client.get("/models/iris/predictions?unsure=1")
    page = text_of(client.get(f"/p/{unsure['id']}"))

    assert "Answered “not sure”" not in before
    assert "Answered “not sure”" in monitor
    assert "1 of 2 predictions" in monitor
    assert (unsure["id"] in listed.text, sure["id"] in listed.text) == (True, False)
    assert "not sure only" in text_of(listed)
    assert "Not sure:" in page


def test_what_is_no_switch_is_said(client: FlaskClient) -> None:
    answer = client.get("/api/v1/models/iris/predictions?unsure=perhaps", headers=BEARER)

    assert (answer.status_code, answer.json["details"][0]["field"]) == (422, "unsure")


def test_changes_begin_soon_and_the_past_is_kept_while_it_may_be_counted(
    service: Service,
) -> None:
    from unrot.serve import sure

    folder, key = service.shelf.folder, service.catalogue().model("iris").model.key

    def write(asked: sure.SureSettings, at: float) -> None:
        sure.write_asked(folder, lambda _: {key: asked}, lambda: at)

    for at, miss in ((100.0, 0.1), (200.0, 0.2), (9_000.0, 0.3)):
        write(sure.SureSettings(0.9, {"v1": miss}, not_sure=True), at)
    history = sure.read_history(folder, key)

    asked = [sure.asked_at(history, at).miss("v1") for at in (200.5, 201.0, 9_000.5, 9_001.5)]

    assert asked == [0.2, 0.2, 0.2, 0.3]
    assert len(history) == 2
    write(sure.SureSettings(), 9_002.0)
    assert [one.not_sure for one in sure.read_history(folder, key)] == [True, True, False]
    write(sure.SureSettings(0.8), 99_000.0)
    write(sure.SureSettings(0.7), 199_000.0)
    write(sure.SureSettings(0.6), 299_000.0)
    assert sure.read_history(folder, key) == (sure.SureSettings(0.6),)


def test_plain_way_is_open_again_soon_after_it_is_switched_off(service: Service) -> None:
    from unrot.serve import sure

    folder, key = service.shelf.folder, service.catalogue().model("iris").model.key
    for at, is_on in ((100.0, True), (200.0, False)):
        asked = {key: sure.SureSettings(not_sure=is_on)}
        sure.write_asked(folder, lambda _, asked=asked: asked, lambda at=at: at)

    told = [sure.may_be_unsure(folder, key, lambda at=at: at) for at in (150.0, 202.0, 210.0)]

    assert told == [True, True, False]


def test_what_is_asked_is_found_when_nobody_else_writes(service: Service) -> None:
    from unrot.serve import sure

    folder = service.shelf.folder
    iris, other = service.catalogue().model("iris").model.key, ModelKey("other")
    sure.write_asked(folder, lambda _: {iris: sure.SureSettings(0.8)}, lambda: 1.0)
    sure.read_asked(folder)  # what a process remembers for a moment
    beside = (folder / sure.FILE).read_bytes().replace(b"0.8", b"0.7")
    (folder / sure.FILE).unlink()
    (folder / sure.FILE).write_bytes(beside)
    sure.write_asked(folder, lambda before: {**before, other: sure.SureSettings(0.6)}, lambda: 2.0)

    found = sure.read_asked(folder)

    assert (found[iris].coverage, found[other].coverage) == (0.7, 0.6)


def test_kept_answer_is_told_by_what_was_asked_then(
    client: FlaskClient, app: Flask, clock: Clock
) -> None:
    [before] = predict(client, BETWEEN)
    wants(client, clock, not_sure="on", coverage=0.96)
    [then] = predict(client, BETWEEN)
    wants(client, clock, coverage=0.5)
    ship(app)

    told = [
        client.get(f"/api/v1/predictions/{one['id']}?sure=1").json["data"] for one in (then, before)
    ]
    pages = [text_of(client.get(f"/p/{one['id']}")) for one in (then, before)]

    assert [(one["coverage"], one["sure_by_now"]) for one in told] == [(0.96, False), (0.5, True)]
    assert set(told[0]["set"]) == set(then["set"])
    assert ["by what is asked of it now" in page for page in pages] == [False, True]
    assert "the truth 96 % of the time" in pages[0]
