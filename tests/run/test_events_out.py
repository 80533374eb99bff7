"""What the caretaker tells the sink: everything once, and after a crash rather twice than never."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for
from tests.receiver import Receiver, receiving
from unrot.core.errors import StoreAway
from unrot.core.records import Caller, Finding, Job, ModelKey, Shipment
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.watch import event_teller
from unrot.watch.event_spool import read_state
from unrot.watch.event_teller import EventTeller
from unrot.watch.webhook_client import WebhookClient

ROW = [5.1, 3.5, 1.4, 0.2]
FINDING = Finding(
    "f1", "iris", "drift", "drift", "grave", 1_000.0, 4e9, 4e9, "It moved.", "Refit it.",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_teller, "LOOK_SECONDS", 0.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def telling(service: Service, receiver: Receiver) -> Service:
    return telling_to(service, receiver.url)


def telling_to(service: Service, url: str, **more: Any) -> Service:
    settings = replace(service.settings, events_url=f"{url}/sink", **more)
    return replace(service, settings=settings, messenger=WebhookClient(allow_private=True))


def predict(service: Service, count: int, keys: list[str | None] | None = None) -> list[str]:
    answer = service.predict_instances("iris", [ROW] * count, keys=keys or [])
    return [id or "" for id in answer.ids]


def told(service: Service) -> list[dict[str, Any]]:
    """What stands in the files, sent or not."""
    files = sorted((service.settings.home / "events").glob("0*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().splitlines()]


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in events if one["type"] == f"dev.unrot.{kind}"]


def test_prediction_is_told_with_its_inputs_and_key(telling: Service) -> None:
    [id] = predict(telling, 1, ["order-4711"])

    Caretaker(telling, "me").go_round()

    [event] = of_kind(told(telling), "prediction")
    assert (event["id"], event["subject"], event["source"]) == (id, id, "/models/iris")
    data = event["data"]
    assert (data["id"], data["model"], data["version"], data["key"]) == (
        *(id, "iris", "v1"),
        "order-4711",
    )
    assert data["class"] == "Iris-setosa"
    assert set(data["probabilities"]) == {"Iris-setosa", "Iris-versicolor", "Iris-virginica"}
    assert list(data["inputs"].values()) == ROW


@pytest.mark.parametrize("has_private", [False, True])
def test_private_features_are_left_out_unless_a_setting_says_so(
    telling: Service, has_private: bool
) -> None:
    model = telling.catalogue().model("iris").model
    first, *rest = model.schema.features
    features = (replace(first, is_private=True), *rest)
    schema = replace(model.schema, features=features)
    telling.store.registry.describe_model(replace(model, schema=schema))
    telling = replace(telling, settings=replace(telling.settings, events_private=has_private))
    keeper = Caretaker(telling, "me")
    keeper.go_round()
    predict(telling, 1)

    keeper.go_round()

    [event] = of_kind(told(telling), "prediction")
    assert (first.name in event["data"]["inputs"]) == has_private


def test_verdict_and_its_change_are_told_each_once(telling: Service) -> None:
    keeper = Caretaker(telling, "me")
    [id] = predict(telling, 1)
    keeper.go_round()
    telling.judge({"id": id, "was_correct": True}, Caller())
    keeper.go_round()
    keeper.go_round()
    later = replace(telling, clock=lambda: telling.clock() + 5.0)
    later.judge({"id": id, "label": "Iris-virginica"}, Caller())
    keeper.go_round()

    first, second = of_kind(told(telling), "verdict")
    assert (first["data"]["was_correct"], first["subject"]) == (True, id)
    assert (second["data"]["was_correct"], second["data"]["label"]) == (False, "Iris-virginica")
    assert first["id"] != second["id"] and first["id"].startswith(id)


def test_signal_is_told_once_as_implicit_and_a_reward_with_its_verdict(telling: Service) -> None:
    keeper = Caretaker(telling, "me")
    [id] = predict(telling, 1)
    keeper.go_round()
    for said in ({"signal": "abandoned"}, {"signal": "abandoned"}, {"reward": 0.7}):
        telling.judge({"id": id, **said}, Caller(role="judge", judge="ada"))
        keeper.go_round()

    first, second = of_kind(told(telling), "verdict")
    assert (first["data"]["signal"], first["data"]["is_implicit"]) == ("abandoned", True)
    assert (first["data"]["was_correct"], first["data"]["is_trusted"]) == (None, False)
    assert (second["data"]["reward"], second["data"]["is_trusted"]) == (0.7, True)
    assert "signal" not in second["data"]
    assert first["id"] != second["id"]


def test_finding_promotion_and_job_are_told_as_they_happen_and_history_is_not(
    telling: Service,
) -> None:
    EventTeller(telling).look()
    before = told(telling)
    telling.store.findings.put(FINDING)
    telling.store.registry.move_alias("iris", "challenger", to="v1", expected=None, at=4e9)
    telling.store.jobs.add(Job("j1", ModelKey("iris"), "refit", {}, 4e9, "ada"))
    EventTeller(telling).look()
    telling.store.findings.put(replace(FINDING, closed_at=4.1e9))
    for _ in range(2):
        EventTeller(telling).look()

    assert before == []
    events = told(telling)
    assert [one["id"] for one in of_kind(events, "finding")] == ["f1.open", "f1.closed"]
    [move] = of_kind(events, "promotion")
    assert (move["data"]["alias"], move["data"]["to"]) == ("challenger", "v1")
    assert of_kind(events, "job")[0]["data"]["state"] == "queued"
    assert max(Counter(one["id"] for one in events).values()) == 1


def test_types_that_are_not_wanted_are_not_told(telling: Service) -> None:
    telling = replace(telling, settings=replace(telling.settings, events_types=("verdict",)))
    [id] = predict(telling, 1)
    keeper = Caretaker(telling, "me")
    telling.store.findings.put(FINDING)
    keeper.go_round()
    telling.judge({"id": id, "was_correct": True}, Caller())

    keeper.go_round()

    assert [one["type"] for one in told(telling)] == ["dev.unrot.verdict"]


def test_crash_before_the_store_has_it_tells_it_again_with_the_same_id(
    telling: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = predict(telling, 3)

    def dies(_: Shipment) -> int:
        raise StoreAway("It died here.")

    with monkeypatch.context() as patch:
        patch.setattr(telling.store.traffic, "ship", dies)
        keeper = Caretaker(telling, "me")
        keeper.go_round()
        keeper.go_round()
        ids += predict(telling, 2)
        keeper.go_round()
    once = [one["id"] for one in told(telling)]
    Caretaker(telling, "me").go_round()

    assert once == ids, "A store that is away makes no repeats."
    assert [one["id"] for one in told(telling)] == [*ids, *ids]
    assert telling.store.traffic.prediction(ids[0]) is not None


def test_sink_that_is_away_holds_up_no_shipping(service: Service) -> None:
    telling = telling_to(service, "http://127.0.0.1:9")
    keeper = Caretaker(telling, "me")
    assert keeper._teller is not None
    keeper._teller.start()
    ids = predict(telling, 20)

    keeper.go_round()
    keeper._teller.stop()

    assert telling.store.traffic.prediction(ids[19]) is not None
    assert [one["id"] for one in told(telling)] == ids


def test_caretaker_sends_what_it_tells(telling: Service, receiver: Receiver) -> None:
    keeper = Caretaker(telling, "me")
    assert keeper._teller is not None
    keeper._teller.start()
    ids = predict(telling, 5)

    keeper.go_round()
    wait_for(lambda: len(receiver.bodies) == 5)
    keeper._teller.stop()

    assert [one["id"] for one in receiver.bodies] == ids
    state = read_state(telling.settings.home / "events")
    assert state is not None and state.sent == 5


def test_nothing_is_told_where_no_sink_is_named(service: Service, trained_home: Path) -> None:
    predict(service, 1)

    Caretaker(service, "me").go_round()

    assert not (trained_home / "events").exists()
