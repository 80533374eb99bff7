"""Outcomes by a client's own key instead of the id that predict answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import JUDGE
from tests.web.visitor import sign_in
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


def test_files_of_outcomes_by_key_are_taken_as_lines_and_as_parquet(
    client: FlaskClient, kept: Service, tmp_path: Path
) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    from pyarrow import parquet

    _, many = posted(client, "/models/iris/predict", {"inputs": [IRIS] * 2, "keys": ["a", "b"]})
    ship(kept)
    file = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([{"key": "b", "was_correct": False}]), file)
    bodies = [
        ("application/jsonlines", b'{"key": "a", "was_correct": true}\n'),
        ("application/vnd.apache.parquet", file.read_bytes()),
    ]

    for type, body in bodies:
        path = "/api/v1/feedback?model=iris"
        told = client.post(path, data=body, content_type=type).json["data"]  # type: ignore[index]
        assert told["counts"] == {"created": 1}
    nobody = client.post("/api/v1/feedback?model=x", data=bodies[0][1], content_type=bodies[0][0])

    verdicts = [kept.store.verdicts.of(one["id"]) for one in many["predictions"]]
    assert [one and one.was_correct for one in verdicts] == [True, False]
    assert nobody.status_code == 404


def test_prediction_is_looked_for_by_its_key_and_shows_it_to_viewers_alone(
    client: FlaskClient, kept: Service
) -> None:
    key = "order <4711>"
    _, one = posted(client, "/models/iris/predict", {"inputs": IRIS, "key": key})
    posted(client, "/models/iris/predict", {"inputs": IRIS, "key": "other"})
    ship(kept)
    viewer = {"Authorization": f"Bearer {JUDGE}"}

    def found(key: str) -> list[str]:
        query = {"key": key}
        path = "/api/v1/models/iris/predictions"
        told = client.get(path, query_string=query, headers=viewer)
        return [one["id"] for one in told.json["data"]["predictions"]]  # type: ignore[index]

    path = f"/api/v1/predictions/{one['id']}"
    stranger, known = client.get(path), client.get(path, headers=viewer)
    too_long = client.get(
        "/api/v1/models/iris/predictions", query_string={"key": "x" * 300}, headers=viewer
    )

    assert (found(key), found("nobody")) == ([one["id"]], [])
    assert stranger.json["data"]["keys"] == []  # type: ignore[index]
    assert known.json["data"]["keys"] == [key]  # type: ignore[index]
    assert too_long.status_code == 422


def test_pages_look_for_a_key_and_show_it(client: FlaskClient, kept: Service) -> None:
    _, one = posted(client, "/models/iris/predict", {"inputs": IRIS, "key": "order <4711>"})
    posted(client, "/models/iris/predict", {"inputs": IRIS, "key": "other"})
    ship(kept)
    own, query = f"/p/{one['id']}", {"key": "order <4711>"}
    before = client.get(own).text

    sign_in(client, JUDGE)
    listed = client.get("/models/iris/predictions", query_string=query).text
    file = client.get("/models/iris/predictions.csv", query_string=query).text

    assert own in listed
    assert listed.count("<tr") == 2
    assert len(file.splitlines()) == 2
    assert "order &lt;4711&gt;" not in before
    assert "order &lt;4711&gt;" in client.get(own).text
