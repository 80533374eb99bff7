"""CloudEvents in: predictions and feedback, in binary, structured and batch mode."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import JUDGE
from tests.web.protocols.conftest import NAMES, irises, named, own_labels
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service

ROW = dict(zip(NAMES, [5.1, 3.5, 1.4, 0.2], strict=True))
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
KSERVE, SELDON = "org.kubeflow.serving.inference", "io.seldon.serving.inference"


def event(type: str = "dev.unrot.predict", data: Any = ROW, **more: Any) -> dict[str, Any]:
    plain = {"specversion": "1.0", "id": "order-4711", "source": "/shop", "type": type}
    return {**plain, "data": data, **more}


def send(client: FlaskClient, given: Any, kind: str = STRUCTURED, **headers: str) -> TestResponse:
    return client.post("/events", data=json.dumps(given), content_type=kind, headers=headers)


def ask(client: FlaskClient, given: Any, **headers: str) -> dict[str, Any]:
    answer = send(client, given, **headers)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == STRUCTURED
    told: dict[str, Any] = json.loads(answer.data)
    return told


def send_binary(client: FlaskClient, given: dict[str, Any]) -> TestResponse:
    headers = {f"ce-{name}": value for name, value in given.items() if name != "data"}
    return client.post("/events", json=given["data"], headers=headers)


def test_structured_event_is_answered_by_one_and_its_id_is_the_key(
    client: FlaskClient, judged: Callable[..., Any]
) -> None:
    told = ask(client, event(subject="iris"))

    data = told["data"]
    assert (told["type"], told["source"]) == ("dev.unrot.prediction", "/models/iris")
    assert told["id"] == told["subject"] == data["id"]
    assert told["requestid"] == "order-4711"
    assert (data["class"], data["version"]) == ("Iris-setosa", "v1")
    assert judged(model="iris", key="order-4711").prediction.id == data["id"]


def test_binary_event_is_answered_in_binary(client: FlaskClient) -> None:
    answer = send_binary(client, event(id="Grün%20%25".replace("ü", "%C3%BC")))

    assert answer.status_code == 200, answer.text
    assert answer.headers["ce-type"] == "dev.unrot.prediction"
    assert answer.headers["ce-requestid"] == "Gr%C3%BCn%20%25"
    assert answer.json is not None and answer.headers["ce-id"] == answer.json["id"]


def test_batch_answers_each_and_stops_for_none(client: FlaskClient) -> None:
    sent = [event(id="a"), event(id="b", data={}), {"id": "c"}, 7, event(id="d")]

    answer = send(client, sent, BATCH)

    assert (answer.status_code, answer.content_type) == (200, BATCH)
    told = json.loads(answer.data)
    assert [one["type"].removeprefix("dev.unrot.") for one in told] == [
        *("prediction", "error", "error", "error", "prediction")
    ]
    assert [one["id"] for one in told[1:4]] == ["b", "c", "unknown"]
    assert NAMES[0] in told[1]["data"]["error"]


def test_500_rows_are_answered_as_by_our_own_api(client: FlaskClient) -> None:
    told = ask(client, event(data={"inputs": named(irises())}))

    assert told["type"] == "dev.unrot.predictions"
    assert [one["class"] for one in told["data"]["predictions"]] == own_labels(client, irises())


def test_rows_of_kserve_and_seldon_are_understood(
    client: FlaskClient, judged: Callable[..., Any]
) -> None:
    rows = irises(3)
    kserve = ask(client, event(f"{KSERVE}.request", {"instances": rows}, id="k"))
    seldon = ask(client, event(f"{SELDON}.request", {"data": {"ndarray": rows}}, requestid="s"))

    labels = own_labels(client, rows)
    assert (kserve["type"], kserve["data"]["predictions"]) == (f"{KSERVE}.response", labels)
    assert seldon["type"] == f"{SELDON}.response"
    assert seldon["data"]["meta"]["tags"]["labels"] == labels
    second = judged(model="iris", key="s-item-1").prediction.id
    assert second == seldon["data"]["meta"]["tags"]["ids"][1]


@pytest.mark.parametrize(
    "named_by",
    [{"model": "iris"}, {"subject": "iris"}, {"source": "https://x.example/models/iris"}, {}],
)
def test_model_is_named_by_extension_subject_or_source(
    client: FlaskClient, named_by: dict[str, str]
) -> None:
    assert ask(client, event(**named_by))["source"] == "/models/iris"


def test_feedback_by_id_subject_or_key(client: FlaskClient, kept: Service) -> None:
    keeper, kind = Caretaker(kept, "tests"), "dev.unrot.feedback"
    ids = [ask(client, event(id=key))["data"]["id"] for key in "abc"]
    keeper.go_round()

    told = [
        ask(client, event(kind, {"id": ids[0], "was_correct": True})),
        ask(client, event(kind, {"label": "Iris-virginica"}, subject=ids[1])),
        ask(client, event(kind, {"key": "c", "was_correct": True}, model="iris")),
        ask(client, event(kind, {"key": "c", "was_correct": True}, model="iris")),
    ]

    assert [one["subject"] for one in told] == [*ids, ids[2]]
    assert [one["data"]["status"] for one in told] == [*["created"] * 3, "duplicate"]
    found = [kept.store.verdicts.of(id) for id in ids]
    assert [one and one.was_correct for one in found] == [True, False, True]


def test_feedback_with_a_judges_token_is_trusted(client: FlaskClient, kept: Service) -> None:
    id = ask(client, event())["data"]["id"]
    Caretaker(kept, "tests").go_round()

    told = ask(
        client,
        event("dev.unrot.feedback", {"id": id, "was_correct": True}),
        Authorization=f"Bearer {JUDGE}",
    )

    assert told["data"]["is_trusted"]


def test_seldons_feedback_is_joined_by_its_puid(client: FlaskClient, kept: Service) -> None:
    ask(client, event(f"{SELDON}.request", {"data": {"ndarray": irises(1)}}, requestid="p1"))
    Caretaker(kept, "tests").go_round()

    told = ask(client, event("io.seldon.serving.feedback", {"reward": 1}, requestid="p1"))

    assert told["data"] == {"statuses": ["created"]}


WRONG: dict[str, Any] = {
    "no specversion": {**event(), "specversion": None},
    "another specversion": event(specversion="0.3"),
    "no id": {**event(), "id": None},
    "an empty id": event(id=""),
    "a number as source": event(source=1.5),
    "a long id": event(id="x" * 300),
    "a long subject": event(subject="x" * 3_000),
    "an id of two lines": event(id="a\nb"),
    "an unknown type": event("com.example.other"),
    "an attribute with a bad name": {**event(), "Not-Good": "x"},
    "an attribute that is a list": {**event(), "other": []},
    "no data": event(data=None),
    "a text as data": event(data="elf"),
    "a number as data": event(data=3),
    "an empty list": event(data=[]),
    "a missing feature": event(data={NAMES[0]: 1}),
    "a wrong value": event(data={**ROW, NAMES[0]: "big"}),
    "data of XML": event(datacontenttype="text/xml"),
    "broken Base64": {**event(), "data": None, "data_base64": "§"},
    "Base64 of no JSON": {**event(), "data": None, "data_base64": "AAAA"},
    "Base64 that is a number": {**event(), "data": None, "data_base64": 7},
    "an unknown model": event(model="nobody"),
    "an unknown subject": event(subject="nobody"),
    "an unknown version": event(modelversion="v99"),
    "feedback of nothing": event("dev.unrot.feedback", {}),
    "feedback of no object": event("dev.unrot.feedback", [1]),
    "feedback of a forged id": event("dev.unrot.feedback", {"id": "x" * 32, "was_correct": True}),
    "feedback of an unknown key": event("dev.unrot.feedback", {"key": "x", "was_correct": True}),
    "feedback with no word": event("dev.unrot.feedback", {}, subject="x"),
    "kserve without instances": event(f"{KSERVE}.request", {}),
    "kserve with a text": event(f"{KSERVE}.request", {"instances": "x"}),
    "kserve with no object": event(f"{KSERVE}.request", []),
    "seldon without data": event(f"{SELDON}.request", {}),
    "seldon with binData": event(f"{SELDON}.request", {"binData": "x"}),
    "seldon with a ragged table": event(f"{SELDON}.request", {"data": {"ndarray": [[1], 2]}}),
    "seldon's feedback of nobody": event("io.seldon.serving.feedback", {"reward": 1}),
    "seldon's feedback with half a reward": event("io.seldon.serving.feedback", {"reward": 0.5}),
    "a list": [event()],
    "a text": "x",
    "nothing": None,
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("mode", ["structured", "binary", "batch"])
def test_what_is_wrong_is_said_in_a_plain_shape(client: FlaskClient, mode: str, case: str) -> None:
    given = WRONG[case]
    if mode == "batch":
        answer = send(client, [given], BATCH)
        [told] = json.loads(answer.data)
        assert (answer.status_code, told["type"]) == (200, "dev.unrot.error")
        assert told["data"]["error"]
        return
    if mode == "binary":
        whole = given if isinstance(given, dict) else {"data": given}
        texts = {
            name: value
            for name, value in whole.items()
            if isinstance(value, str) and "\n" not in value and value.isascii()
        }
        answer = send_binary(client, {**texts, "data": whole.get("data")})
        if answer.status_code == 200:  # Some of it cannot be written in a header.
            return
    else:
        answer = send(client, given)
    assert answer.status_code in (400, 403, 404, 415, 422), answer.text
    assert answer.json is not None and set(answer.json) == {"error"}


def test_what_is_no_event_is_told_what_to_send(client: FlaskClient) -> None:
    answer = client.post("/events", json=ROW)

    assert answer.status_code == 400
    assert "ce-specversion" in str(answer.json)


def test_too_long_a_batch_is_refused(client: FlaskClient) -> None:
    assert send(client, [event()] * 1_001, BATCH).status_code == 413


def test_body_that_curl_calls_a_form_is_read_as_json(client: FlaskClient) -> None:
    headers = {f"ce-{name}": str(value) for name, value in event().items() if name != "data"}

    answer = client.post(
        "/events",
        data=json.dumps(ROW),
        headers=headers,
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 200, answer.text
