"""Outcomes by a client's own key instead of the id that predict answered."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from unrot.run.caretaker import Caretaker
from unrot.serve import key_finder
from unrot.serve.service import Service
from unrot.web.api.predictions import IRIS

VERSICOLOR = "Iris-versicolor"


def ship(of: Service) -> None:
    Caretaker(of, "tests").go_round()


def posted(client: FlaskClient, path: str, body: Any) -> tuple[int, Any]:
    answer = client.post(f"/api/v1{path}", json=body)
    told = answer.get_json()
    return answer.status_code, told.get("data") or told


def test_verdict_finds_its_prediction_by_the_key(client: FlaskClient, kept: Service) -> None:
    _, one = posted(client, "/models/iris/predict", {"inputs": IRIS, "key": "order-4711"})
    _, many = posted(
        client, "/models/iris/predict", {"inputs": [IRIS] * 3, "keys": ["a", None, "c"]}
    )
    _, older = posted(
        client, "/predictions", {"instances": [list(IRIS.values())], "model": "iris", "keys": ["o"]}
    )
    ship(kept)

    code, told = posted(
        client, "/feedback", {"model": "iris", "key": "order-4711", "label": VERSICOLOR}
    )
    verdicts = [{"model": "iris", "key": key, "was_correct": True} for key in ("c", "o", "b")]
    _, results = posted(client, "/feedback", verdicts)

    assert (code, told["id"]) == (201, one["id"])
    assert kept.store.verdicts.of(one["id"]).label == VERSICOLOR  # type: ignore[union-attr]
    assert [(each["id"], each["status"]) for each in results["results"]] == [
        (many["predictions"][2]["id"], "created"),
        (older["ids"][0], "created"),
        (None, "not_found"),
    ]


def test_key_that_is_on_its_way_is_waited_for_and_one_that_is_not_is_not(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def shipped_meanwhile(seconds: float) -> None:
        waits.append(seconds)
        ship(kept)

    monkeypatch.setattr(key_finder.time, "sleep", shipped_meanwhile)
    _, made = posted(client, "/models/iris/predict", {"inputs": IRIS, "key": "quick"})

    code, told = posted(client, "/feedback", {"model": "iris", "key": "quick", "was_correct": True})
    unknown, said = posted(
        client, "/feedback", {"model": "iris", "key": "slow", "was_correct": True}
    )

    assert (code, told["id"], len(waits)) == (201, made["id"], 1)
    assert (unknown, said["reason"]) == (404, "not_found")
    assert '"slow"' in said["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inputs": IRIS, "key": ""}, "key"),
        ({"inputs": IRIS, "key": "\n"}, "key"),
        ({"inputs": IRIS, "key": "ä" * 129}, "key"),
        ({"inputs": IRIS, "key": 4711}, "key"),
        ({"inputs": IRIS, "key": None}, "key"),
        ({"inputs": IRIS, "keys": ["a", "b"]}, "keys"),
        ({"inputs": [IRIS], "keys": "a"}, "keys"),
        ({"inputs": [IRIS], "keys": [7]}, "keys"),
        ({"inputs": IRIS, "key": "a", "keys": ["a"]}, "keys"),
        ({"inputs": IRIS, "kee": "a"}, "kee"),
    ],
)
def test_wrong_key_is_named(client: FlaskClient, body: Any, field: str) -> None:
    code, told = posted(client, "/models/iris/predict", body)

    assert (code, told["details"][0]["field"]) == (422, field)


@pytest.mark.parametrize("key", ["\ud800", "x" * 300, 7, None, ["a"]])
def test_verdict_by_a_wrong_key_is_refused(client: FlaskClient, key: Any) -> None:
    code, told = posted(client, "/feedback", {"model": "iris", "key": key, "was_correct": True})

    assert (code, told["details"][0]["field"]) == (422, "key")
