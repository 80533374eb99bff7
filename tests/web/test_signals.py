"""Rewards and signals: the same at every door, shown apart, trusted nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.web.visitor import post, sign_in
from unrot.core.errors import StoreAway
from unrot.core.records import Feedback, JudgedPrediction
from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.watch.findings import change_rules
from unrot.web.api.predictions import IRIS

SETOSA, VERSICOLOR = "Iris-setosa", "Iris-versicolor"
AS_JUDGE = {"Authorization": f"Bearer {JUDGE}"}
AS_VIEWER = {"Authorization": f"Bearer {VIEWER}"}
FILES = {
    "text/csv": lambda told: "\n".join(
        [",".join(told[0]), *(",".join(map(str, row.values())) for row in told)]
    ),
    "application/jsonlines": lambda told: "".join(json.dumps(row) + "\n" for row in told),
}


def ship(of: Service) -> None:
    Caretaker(of, "tests").go_round()


def predicted(client: FlaskClient, of: Service, keys: list[str]) -> list[str]:
    body = {"inputs": [IRIS] * len(keys), "keys": keys}
    made = client.post("/api/v1/models/iris/predict", json=body).get_json()["data"]
    ship(of)
    return [one["id"] for one in made["predictions"]]


def judge(client: FlaskClient, body: Any, code: int = 201, **headers: str) -> Any:
    answer = client.post("/api/v1/feedback", json=body, headers=headers)
    assert answer.status_code == code, answer.get_json()
    told = answer.get_json()
    return told.get("data") or told


def looked_up(of: Service, id: str) -> JudgedPrediction:
    ship(of)
    found = of.store.traffic.prediction(id)
    assert found is not None
    return found


def said(of: Service, id: str) -> Feedback | None:
    return looked_up(of, id).feedback


def accuracy(client: FlaskClient, **query: str) -> Any:
    answer = client.get("/api/v1/models/iris/accuracy", query_string=query, headers=AS_VIEWER)
    return answer.get_json()["data"]


# ── doors ────────────────────────────────────────────────────────────────────────────────────


def by_api(client: FlaskClient, key: str, what: dict[str, Any]) -> None:
    judge(client, {"model": "iris", "key": key, **what})


def by_list(client: FlaskClient, key: str, what: dict[str, Any]) -> None:
    told = judge(client, [{"model": "iris", "key": key, **what}], 200)
    assert [one["status"] for one in told["results"]] == ["created"]


def by_event(client: FlaskClient, key: str, what: dict[str, Any]) -> None:
    head = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/shop"}
    head |= {"ce-type": "dev.unrot.feedback", "ce-model": "iris"}
    answer = client.post("/events", json={"key": key, **what}, headers=head)
    assert answer.status_code == 200, answer.get_data(as_text=True)


def by_file(type: str) -> Callable[..., None]:
    def door(client: FlaskClient, key: str, what: dict[str, Any]) -> None:
        answer = client.post(
            "/api/v1/feedback?model=iris",
            data=FILES[type]([{"key": key, **what}]),
            content_type=type,
        )
        assert answer.get_json()["data"]["counts"] == {"created": 1}, answer.get_json()

    return door


DOORS = {
    "the api": by_api,
    "a list": by_list,
    "a cloud event": by_event,
    "csv": by_file("text/csv"),
    "json lines": by_file("application/jsonlines"),
}


@pytest.mark.parametrize("door", DOORS)
def test_reward_and_signal_come_by_every_door(
    client: FlaskClient, kept: Service, door: str
) -> None:
    ids = predicted(client, kept, ["a", "b", "c", "d"])

    for key, what in [
        ("a", {"reward": 0.7}),
        ("b", {"reward": 1}),
        ("c", {"reward": 0}),
        ("d", {"signal": "abandoned"}),
    ]:
        DOORS[door](client, key, what)

    told = [said(kept, id) for id in ids]
    assert [one and (one.reward, one.was_correct) for one in told] == [
        (0.7, None),
        (1.0, True),
        (0.0, False),
        None,
    ]
    assert looked_up(kept, ids[3]).signals == ("abandoned",)


def test_seldons_reward_between_right_and_wrong_is_kept(client: FlaskClient, kept: Service) -> None:
    ids = predicted(client, kept, ["a", "b"])
    truth = {"data": {"ndarray": [[VERSICOLOR]]}}

    for key, what in [("a", {"reward": 0.7}), ("b", {"reward": 0.2, "truth": truth})]:
        message = {"response": {"meta": {"puid": key}}, **what}
        assert client.post("/seldon/ns/iris/api/v1.0/feedback", json=message).status_code == 200

    first, second = said(kept, ids[0]), said(kept, ids[1])
    assert first is not None and second is not None
    assert (first.reward, first.was_correct) == (0.7, None)
    assert (second.reward, second.label, second.was_correct) == (0.2, VERSICOLOR, False)


def test_older_form_takes_both(client: FlaskClient, kept: Service) -> None:
    plain = {"model": "iris", "input data": IRIS, "prediction": SETOSA}

    told = [judge(client, {**plain, **what}) for what in ({"reward": 0.7}, {"signal": "abandoned"})]
    empty = judge(client, plain, 422)

    assert [(one["status"], one["verified"]) for one in told] == [("created", False)] * 2
    assert empty["details"][0]["field"] == "was correct"


# ── what is refused ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("what", "field"),
    [
        *(({"reward": each}, "reward") for each in (1.01, -0.1, "0.5", True, [], {}, 10**400)),
        *(({"signal": each}, "signal") for each in ("", " a", "a,b", "x" * 65, 7, [], "a\n", "\0")),
        ({"signal": "abandoned", "was_correct": False}, "signal"),
        ({"signal": "abandoned", "reward": 0.5}, "signal"),
        ({"signal": "abandoned", "label": SETOSA}, "signal"),
        ({"reward": 1, "was_correct": False}, "reward"),
        ({"reward": 0, "was_correct": True}, "reward"),
    ],
)
def test_what_is_none_is_refused_and_named(
    client: FlaskClient, kept: Service, what: dict[str, Any], field: str
) -> None:
    [id] = predicted(client, kept, ["a"])
    body = json.dumps({"id": id, **what})

    answer = client.post("/api/v1/feedback", data=body, content_type="application/json")

    told = answer.get_json()
    assert answer.status_code == 422
    assert told["details"][0]["field"] == field
    assert looked_up(kept, id) == JudgedPrediction(looked_up(kept, id).prediction, None)


# ── trust ────────────────────────────────────────────────────────────────────────────────────


def test_signal_of_a_judge_is_nobodys_word(client: FlaskClient, kept: Service) -> None:
    [id] = predicted(client, kept, ["a"])
    change_rules(kept, "iris", {"signals": {"abandoned": "wrong"}})

    told = judge(client, {"id": id, "signal": "abandoned"}, 201, **AS_JUDGE)
    again = judge(client, {"id": id, "signal": "abandoned"}, 200, **AS_JUDGE)

    assert (told["signal"], told["implicit"], told["trusted"]) == ("abandoned", True, False)
    assert (told["was_correct"], again["status"]) == (None, "duplicate")
    ship(kept)
    model = kept.catalogue().model("iris").model.key
    assert kept.store.traffic.outcomes(model, limit=9) == []
    assert kept.store.lessons.count_waiting(model, []) == 0
    none = client.delete(f"/api/v1/feedback/{id}")
    assert none.status_code == 404


def test_verdict_wins_whatever_came_first(client: FlaskClient, kept: Service) -> None:
    ids = predicted(client, kept, ["a", "b", "c"])
    change_rules(kept, "iris", {"signals": {"abandoned": "wrong", "copied": "right"}})
    for first, second in ((0, 1), (1, 0)):
        id, both = ids[first], [{"signal": "abandoned"}, {"was_correct": True}]
        for what in (both[first], both[second]):
            judge(client, {"id": id, **what})
    judge(client, {"id": ids[2], "signal": "abandoned"})
    judge(client, {"id": ids[2], "signal": "copied"})
    ship(kept)

    found = accuracy(client)

    assert (found["rolling"]["newest"]["accuracy"]["value"], found["over_time"][0]["verdicts"]) == (
        1,
        2,
    )
    assert found["signals"]["seen"] == [
        {"name": "abandoned", "means": "wrong", "predictions": 3, "with_verdict": 2},
        {"name": "copied", "means": "right", "predictions": 1, "with_verdict": 0},
    ]
    assert found["signals"]["right"]["value"] == 0.5
    assert found["signals"]["right"]["verdicts"] == 2
    assert found["over_time"][0]["signals"] == {"abandoned": 3, "copied": 1}


def test_rule_holds_for_what_came_before_it(client: FlaskClient, kept: Service) -> None:
    [id] = predicted(client, kept, ["a"])
    judge(client, {"id": id, "signal": "abandoned"})
    ship(kept)
    assert accuracy(client)["signals"]["seen"][0]["means"] == "counted"

    change_rules(kept, "iris", {"signals": "abandoned: wrong"})

    found = accuracy(client)["signals"]
    assert found["seen"][0]["means"] == "wrong"
    assert found["right"]["value"] == 0


def test_judges_reward_between_leaves_an_audited_row_to_judge(
    client: FlaskClient, kept: Service
) -> None:
    [id] = predicted(client, kept, ["a"])

    judge(client, {"id": id, "reward": 0.7}, 201, **AS_JUDGE)

    model = kept.catalogue().model("iris").model.key
    ship(kept)
    left = kept.store.trials.to_sample(model, since=0, limit=9)
    assert [one.prediction.id for one in left] == [id]


def test_what_was_queued_while_the_store_was_away_is_counted_once(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = predicted(client, kept, ["a", "b"])
    judge(client, {"id": ids[1], "signal": "abandoned"})

    def away(_: Any) -> None:
        raise StoreAway("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(kept.store.verdicts, "put", away)
        told = [judge(client, {"id": id, "signal": "abandoned"}, 202) for id in ids]
        told.append(judge(client, {"id": ids[0], "reward": 0.5}, 202))
    for _ in range(2):
        ship(kept)

    assert [one["status"] for one in told] == ["queued"] * 3
    found = accuracy(client)
    assert found["signals"]["seen"] == [
        {"name": "abandoned", "means": "counted", "predictions": 2, "with_verdict": 1}
    ]
    assert (found["reward"]["rewards"], found["reward"]["value"]) == (1, 0.5)


# ── what is shown ────────────────────────────────────────────────────────────────────────────


def test_mean_reward_is_told_by_the_api_the_monitor_and_metrics(
    client: FlaskClient, kept: Service
) -> None:
    ids = predicted(client, kept, ["a", "b", "c", "d"])
    change_rules(kept, "iris", {"signals": {"<abandoned>": "wrong"}})
    for id, reward in zip(ids, (0.5, 0.7, 0.9), strict=False):
        judge(client, {"id": id, "reward": reward})
    judge(client, {"id": ids[3], "signal": "<abandoned>"})
    ship(kept)

    found = accuracy(client)
    metrics = client.get("/metrics", headers=AS_VIEWER).get_data(as_text=True)
    sign_in(client, VIEWER)
    page = client.get("/models/iris/monitor").get_data(as_text=True)

    assert found["reward"]["rewards"] == 3
    assert found["reward"]["value"] == pytest.approx(0.7)
    assert 0.25 < found["reward"]["low"] < 0.7 < found["reward"]["high"] < 0.95
    assert found["over_time"][0]["reward"] == found["reward"]
    assert 'unrot_rewards_last_hour{model="iris"} 3.0' in metrics
    assert 'unrot_reward_last_hour_mean{model="iris"} 0.7' in metrics
    assert 'unrot_signals_last_hour{means="wrong",model="iris"} 1.0' in metrics
    assert "abandoned" not in metrics
    assert "<dt>Mean reward</dt><dd>0.70<small>of 3 rewards;" in page
    assert "&lt;abandoned&gt;" in page and "<abandoned>" not in page
    assert "1 counted as wrong" in page


def test_nothing_is_shown_of_rewards_and_signals_where_there_are_none(
    client: FlaskClient, kept: Service
) -> None:
    predicted(client, kept, ["a"])

    sign_in(client, VIEWER)
    page = client.get("/models/iris/monitor").get_data(as_text=True)

    assert "Mean reward" not in page
    assert "Signals" not in page
    assert accuracy(client)["reward"] is None
    assert accuracy(client)["signals"] == {"seen": [], "right": None}


def test_kept_prediction_shows_them_apart(client: FlaskClient, kept: Service) -> None:
    one, two = predicted(client, kept, ["a", "b"])
    judge(client, {"id": one, "signal": "abandoned"})
    judge(client, {"id": two, "reward": 0.7, "comment": "so so"})
    ship(kept)

    listed = client.get("/api/v1/models/iris/predictions", headers=AS_VIEWER).get_json()["data"]
    sign_in(client, VIEWER)
    pages = [client.get(f"/p/{id}").get_data(as_text=True) for id in (one, two)]
    table = client.get("/models/iris/predictions").get_data(as_text=True)
    shown = "/models/iris/predictions?show=reward&show=signals&show=implicit"
    chosen = client.get(shown).get_data(as_text=True)

    rows = {row["id"]: row for row in listed["predictions"]}
    assert (rows[one]["feedback"], rows[one]["signals"]) == (None, ["abandoned"])
    assert rows[two]["feedback"]["reward"] == 0.7
    assert "signals" not in rows[two]
    assert "seen to happen; nobody has judged it" in pages[0]
    assert "reward 0.7" in pages[1]
    assert "abandoned" in table and "reward 0.7" in table
    assert "abandoned" in chosen and "0.7" in chosen


def test_rules_are_edited_on_their_page_and_by_the_api(client: FlaskClient, kept: Service) -> None:
    sign_in(client, OPERATOR)

    wrong = post(client, "/models/iris/rules", {"signals": "abandoned: wrong, copied: maybe"})
    right = post(client, "/models/iris/rules", {"signals": "abandoned: wrong"})
    page = client.get("/models/iris/rules").get_data(as_text=True)
    head = {"Authorization": f"Bearer {OPERATOR}"}
    told = client.get("/api/v1/models/iris/rules", headers=head).get_json()["data"]

    assert wrong.status_code == 422
    assert right.status_code in (302, 303)
    assert 'value="abandoned: wrong"' in page
    assert "abandoned counted as wrong; all others only counted" in page
    assert told["signals"] == {"abandoned": "wrong"}
