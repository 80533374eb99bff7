"""No visitor without a token adds more than a day's bytes, whatever form it comes in."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import OPERATOR, VIEWER
from tests.web.test_fast_lane import AT, IRIS, LANES, PREDICT, Request, by_fast_lane, told
from tests.web.visitor import ask, csrf, sign_in
from unrot.core.time import DAY
from unrot.run.lanes import Reply
from unrot.serve.journal import backlog_bytes
from unrot.serve.limits import BYTES, BYTES_OF_TOKEN, Limit, Limits, limits_of
from unrot.serve.service import Service

DAILY = 20_000
LINES = ",".join(IRIS) + "\n" + (",".join(map(str, IRIS.values())) + "\n") * 15
ROWS = {"inputs": [IRIS] * 10}
INSTANCES = {"instances": [[*IRIS.values()]], "model": "iris"}
JSON = {
    "one row": Request(PREDICT.format("iris"), orjson.dumps({"inputs": IRIS})),
    "of a version": Request(
        "/api/v1/models/iris/versions/v1/predict", orjson.dumps({"inputs": IRIS})
    ),
    "many rows": Request(PREDICT.format("iris"), orjson.dumps(ROWS)),
    "bare": Request("/api/v1/predict", orjson.dumps(IRIS)),
    "instances": Request("/api/v1/predict", orjson.dumps(INSTANCES)),
    "predictions": Request("/api/v1/predictions", orjson.dumps(INSTANCES)),
}


@pytest.fixture
def limited(app: Flask) -> Flask:
    """An app whose visitors have few bytes a day, in which time stands."""
    service: Service = app.extensions["unrot"]
    given = {
        **limits_of(service.settings),
        BYTES: Limit(DAILY, DAY),
        BYTES_OF_TOKEN: Limit(4 * DAILY, DAY),
    }
    limits = Limits(service.settings.home / "limits", given, clock=lambda: AT)
    app.extensions["unrot"] = replace(service, clock=lambda: AT, limits=limits)
    service.catalogue()
    return app


def sent_file(client: FlaskClient) -> tuple[int, str]:
    answer = client.post(PREDICT.format("iris"), data=LINES.encode(), content_type="text/csv")
    return read(answer)


def read(answer: TestResponse) -> tuple[int, str]:
    with answer:
        return answer.status_code, answer.text


def sent_form(client: FlaskClient) -> tuple[int, str]:
    file = io.BytesIO(LINES.encode()), "rows.csv"
    form = {"csrf_token": csrf(client), "file": file}
    return read(client.post("/models/iris/files/predict", data=form))


def typed(client: FlaskClient) -> tuple[int, str]:
    return read(ask(client))


def framed(client: FlaskClient) -> tuple[int, str]:
    fields = {name: str(value) for name, value in IRIS.items()}
    return read(client.post("/models/iris/embed", data=fields))


def as_tensors(client: FlaskClient) -> tuple[int, str]:
    table = {"name": "table", "datatype": "FP64", "shape": [1, 4], "data": [*IRIS.values()]}
    return read(client.post("/v2/models/iris/infer", json={"inputs": [table]}))


def posted(path: str, body: object) -> Callable[[FlaskClient], tuple[int, str]]:
    return lambda client: read(client.post(path, json=body))


ROW = [*IRIS.values()]
PEOPLE = {
    "TF Serving": posted("/v1/models/iris:predict", {"instances": [ROW]}),
    "ML Engine": posted("/v1/projects/p/models/iris:predict", {"instances": [ROW]}),
    "Vertex": posted("/v1/projects/p/locations/l/endpoints/iris:predict", {"instances": [ROW]}),
    "MLflow": posted("/invocations", {"inputs": [IRIS]}),
    "SageMaker": posted("/endpoints/iris/invocations", {"instances": [ROW]}),
    "Seldon": posted("/seldon/default/iris/api/v1.0/predictions", {"data": {"ndarray": [ROW]}}),
    "CloudEvents": lambda client: read(
        client.post(
            "/events",
            json=IRIS,
            headers={
                "ce-specversion": "1.0",
                "ce-id": "order-1",
                "ce-source": "/shop",
                "ce-type": "dev.unrot.predict",
            },
        )
    ),
    "a file": sent_file,
    "a file in a form": sent_form,
    "a form": typed,
    "a form in a frame": framed,
    "tensors": as_tensors,
}
REFUSED = "More came from this address today"


def asked_by(lane: Callable[[Flask, Request], Reply | None], app: Flask, request: Request) -> Reply:
    reply = lane(app, request)
    assert reply is not None
    return reply


@pytest.mark.parametrize("form", [*JSON])
@pytest.mark.parametrize("lane", LANES)
def test_predictions_end_where_the_day_of_their_sender_does(
    limited: Flask, lane: Callable[[Flask, Request], Reply | None], form: str
) -> None:
    statuses = [asked_by(lane, limited, JSON[form]).status for _ in range(160)]

    assert {*statuses} == {200, 429}
    assert {*statuses[:10]} == {200}
    # Until the last byte is spent a shorter line may find room.
    spend_the_rest(limited)
    last = [asked_by(lane, limited, JSON[form]).status for _ in range(5)]

    assert {*last} == {429}
    assert DAILY * 0.8 < backlog_bytes(limited.extensions["unrot"].journal.folder) <= DAILY


@pytest.mark.parametrize("form", [*PEOPLE])
def test_files_and_forms_end_there_as_well(limited: Flask, form: str) -> None:
    client = limited.test_client()

    answers = [PEOPLE[form](client) for _ in range(160)]

    assert answers[0][0] == 200
    assert REFUSED not in answers[0][1]
    spend_the_rest(limited)
    assert all(REFUSED in PEOPLE[form](client)[1] for _ in range(5))
    assert backlog_bytes(limited.extensions["unrot"].journal.folder) <= DAILY


def test_file_of_one_who_has_nothing_left_is_refused_before_it_is_read(limited: Flask) -> None:
    client = limited.test_client()
    while asked_by(by_fast_lane, limited, JSON["many rows"]).status == 200:
        pass
    while asked_by(by_fast_lane, limited, JSON["one row"]).status == 200:
        pass
    spend_the_rest(limited)

    assert [status for status, _ in (sent_file(client), sent_form(client), typed(client))] == (
        [429] * 3
    )


def spend_the_rest(app: Flask) -> None:
    service: Service = app.extensions["unrot"]
    subject = app.extensions["doorkeeper"].subject("127.0.0.1")
    while not service.limits.spend(BYTES, subject, 1):
        pass


def without_wait(reply: Reply) -> Reply:
    """How long it is depends on how many digits the line has that is refused."""
    return reply._replace(headers=[one for one in reply.headers if one[0] != "Retry-After"])


@pytest.mark.parametrize("form", [*JSON])
def test_both_lanes_refuse_in_the_same_words(limited: Flask, form: str) -> None:
    spend_the_rest(limited)

    fast, slow = (asked_by(lane, limited, JSON[form]) for lane in LANES)
    waits = [int(dict(reply.headers)["Retry-After"]) for reply in (fast, slow)]

    assert told(without_wait(fast)) == told(without_wait(slow))
    assert fast.status == 429
    assert min(waits) > 0
    assert orjson.loads(fast.body)["message"] == (
        "More came from this address today than one visitor may add: send a token, or wait."
    )


@pytest.mark.parametrize("lane", LANES)
def test_who_has_a_token_has_an_allowance_of_their_own(
    limited: Flask, lane: Callable[[Flask, Request], Reply | None]
) -> None:
    spend_the_rest(limited)
    known = replace(JSON["many rows"], headers={"Authorization": f"Bearer {VIEWER}"})

    statuses = [asked_by(lane, limited, known).status for _ in range(160)]
    refused = asked_by(lane, limited, known)

    assert statuses[0] == 200
    assert {*statuses} == {200, 429}
    assert b"UNROT_DAILY_BYTES_OF_TOKEN" in refused.body
    page = limited.test_client().get(
        "/api/v1/operations", headers={"Authorization": f"Bearer {OPERATOR}"}
    )
    assert {one["limit"]: one["subject"] for one in page.json["data"]["refused"]} == {  # type: ignore[index]
        BYTES: limited.extensions["doorkeeper"].subject("127.0.0.1"),
        BYTES_OF_TOKEN: "viewer",
    }


@pytest.mark.parametrize("lane", LANES)
def test_token_that_nobody_knows_opens_nothing_and_is_a_guess_once_it_matters(
    limited: Flask, lane: Callable[[Flask, Request], Reply | None]
) -> None:
    def status_with(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return asked_by(lane, limited, replace(JSON["one row"], headers=headers)).status

    before = [status_with(f"of-a-gateway-{number:04}") for number in range(25)]
    spend_the_rest(limited)
    guesses = [status_with(f"guess-number-{number:04}") for number in range(20)]

    assert before == [200] * 25
    assert guesses == [429] * 20
    assert status_with(OPERATOR) == 429


def test_form_is_told_how_long_to_wait_and_keeps_what_was_typed(limited: Flask) -> None:
    spend_the_rest(limited)

    answer = ask(limited.test_client(), petal_width_cm="0.7")

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert 'value="0.7"' in answer.text


def test_who_has_signed_in_goes_on_at_the_page(limited: Flask) -> None:
    client = limited.test_client()
    sign_in(client, VIEWER)
    spend_the_rest(limited)

    assert ask(client).status_code == 200


def test_verdict_that_is_taken_back_has_cost_its_bytes(limited: Flask) -> None:
    client = limited.test_client()
    spend_the_rest(limited)

    assert client.delete(f"/api/v1/feedback/{'a' * 32}").status_code == 429
