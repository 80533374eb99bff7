"""Drift and profiles over HTTP: figures that can be made again, files that whylogs reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import VIEWER
from tests.watch.monitors.drift.days import DAY, MIDNIGHT, bring_in, flowers, log_of, spoilt
from unrot.core.rules import Rules
from unrot.serve.service import Service
from unrot.watch.monitors.drift import look as drift
from unrot.watch.profiles.sketches import WhylogsProfiler
from unrot.watch.visit import Visit

HEADERS = {"Authorization": f"Bearer {VIEWER}"}
DRIFT, PROFILES = "/api/v1/models/iris/drift", "/api/v1/models/iris/profiles"


@pytest.fixture
def client(
    app: Flask, trained_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    """An app that has seen three days, the second one with outliers."""
    monkeypatch.setenv("UNROT_HOME", str(trained_home))
    days = [flowers(1), spoilt(flowers(2), 2, "far above"), flowers(3)]
    bring_in(log_of(tmp_path / "log.csv", days, seconds=1_200))
    service: Service = app.extensions["unrot"]
    list(drift.look(Visit(service, service.catalogue().model("iris"), Rules(), 2e9)))
    return app.test_client()


def asked(client: FlaskClient, path: str, code: int = 200, **query: object) -> Any:
    answer = client.get(path, query_string=query, headers=HEADERS)
    assert answer.status_code == code, answer.text
    body: Any = answer.json
    return body["data"] if code == 200 else body


def hellinger(first: Sequence[int], second: Sequence[int]) -> float:
    pairs = zip(first, second, strict=True)
    return math.sqrt(
        1 - sum(math.sqrt(p * q) for p, q in pairs) / math.sqrt(sum(first) * sum(second))
    )


def column(columns: Sequence[Mapping[str, Any]], name: str = "sepal_width_cm") -> Mapping[str, Any]:
    return next(one for one in columns if one["column"] == name)


def test_checks_show_both_sides_on_the_same_bins(client: FlaskClient) -> None:
    data = asked(client, DRIFT)

    found = [column(check["columns"]) for check in data["checks"]]
    assert [one["has_moved"] for one in found] == [False, True, False]
    assert found[1]["now"]["edges"] == found[1]["before"]["edges"]
    by_hand = [hellinger(one["now"]["counts"], one["before"]["counts"]) for one in found]
    assert [one["distance"] for one in found] == pytest.approx(by_hand, abs=1e-9)
    assert (found[1]["unseen"], found[1]["unseen_before"]) == (0.2, 0.0)
    assert found[1]["now"]["counts"][-1] == 30
    assert (data["against"], data["left_out"]) == ("training", 0)


def test_day_before_is_the_other_side_when_asked(client: FlaskClient) -> None:
    data = asked(client, DRIFT, against="previous")

    checks = data["checks"]
    found = column(checks[0]["columns"])
    by_hand = hellinger(found["now"]["counts"], found["before"]["counts"])
    assert found["distance"] == pytest.approx(by_hand)
    assert [one["rows_before"] for one in checks] == [150, 150]


def test_stretch_of_time_and_number_are_as_asked(client: FlaskClient) -> None:
    of_a_day = asked(client, DRIFT, **{"from": "2026-01-02", "to": MIDNIGHT + 2 * DAY})
    newest = asked(client, DRIFT, limit=1)

    assert [one["starts_at"] for one in of_a_day["checks"]] == ["2026-01-02T09:00:00.000+00:00"]
    assert [one["starts_at"] for one in newest["checks"]] == ["2026-01-03T09:00:00.000+00:00"]
    assert newest["left_out"] == 2


def test_any_period_is_compared_with_any_other(client: FlaskClient) -> None:
    data = asked(
        client,
        DRIFT,
        **{"from": "2026-01-02", "to": "2026-01-03T00:00:00Z"},
        against_from=MIDNIGHT,
        against_to="2026-01-02T01:00:00+01:00",
    )

    first = data["columns"][0]
    assert (first["column"], first["has_moved"], first["is_exact"]) == (
        "sepal_width_cm",
        True,
        False,
    )
    assert first["distance"] == pytest.approx(
        hellinger(first["now"]["counts"], first["before"]["counts"])
    )
    assert (data["now"]["rows"], data["before"]["rows"]) == (150, 150)
    assert data["now"]["versions"] == ["v1"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "-1"}, "to"),
        ({"to": "1e999"}, "to"),
        ({"to": "nan"}, "to"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "to"),
        ({"against": "tomorrow"}, "against"),
        ({"limit": "0"}, "limit"),
        ({"against_from": "2026-01-01"}, "from"),
        ({"from": "1", "to": "2", "against_from": "3"}, "against_to"),
    ],
)
def test_what_is_wrong_is_named(client: FlaskClient, query: dict[str, str], field: str) -> None:
    body = asked(client, DRIFT, 422, **query)

    assert [detail["field"] for detail in body["details"]] == [field]


def test_time_without_traffic_is_said(client: FlaskClient) -> None:
    query = {"from": "1", "to": "2", "against_from": "3", "against_to": "4"}

    body = asked(client, DRIFT, 404, **query)

    assert body["message"].startswith("Of the profiles of iris in this time there is none.")


def test_profiles_are_listed_shown_and_handed_out(client: FlaskClient) -> None:
    listed = asked(client, PROFILES, **{"from": "2026-01-02", "to": "2026-01-03"})["profiles"]
    shown = asked(client, f"{PROFILES}/{listed[0]['id']}")
    file = client.get(f"{PROFILES}/{listed[0]['id']}.bin", headers=HEADERS)

    assert [one["rows"] for one in listed] == [38, 37, 38, 37]
    assert shown["columns"]["sepal_width_cm"]["types"] == {"fractional": 38}
    assert set(shown["columns"]["sepal_width_cm"]["quantiles"]) == {
        "0.05",
        "0.25",
        "0.5",
        "0.75",
        "0.95",
    }
    assert file.headers["Content-Disposition"] == f"attachment; filename={listed[0]['id']}.bin"
    assert WhylogsProfiler().read(file.data)["sepal_width_cm"].rows == 38


def test_profile_of_another_model_is_not_found(client: FlaskClient) -> None:
    id = asked(client, PROFILES, **{"from": MIDNIGHT})["profiles"][0]["id"]

    for path in (f"/api/v1/models/zombies/profiles/{id}", f"{PROFILES}/nothing.bin"):
        assert asked(client, path, 404)["reason"] == "not_found"


@pytest.mark.parametrize("path", [DRIFT, PROFILES, f"{PROFILES}/x", f"{PROFILES}/x.bin"])
def test_strangers_see_nothing(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 401
