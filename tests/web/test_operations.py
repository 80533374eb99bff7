"""The page of operations and its route: what is kept, what went, and no secret."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import JUDGE, OPERATOR, VIEWER
from unrot.core.records import Job, Limits, Prediction, Profile, Shipment
from unrot.core.settings import Settings
from unrot.run.operations import SHOWN_SETTINGS
from unrot.serve.readiness import Heartbeat, beat
from unrot.serve.service import Service
from unrot.watch.event_spool import Spool

DAYS = 86_400.0
TOKEN = {"Authorization": f"Bearer {VIEWER}"}


@pytest.fixture
def kept(app: Flask) -> Service:
    """Three predictions of long ago, one of today; the oldest was let go and the hour added up."""
    service: Service = app.extensions["unrot"]
    now = service.clock()
    old = now // DAYS * DAYS - 90 * DAYS
    times = (old, old + 60, old + 120, now - 5)
    rows = [
        Prediction(f"p{n}", "iris", "v1", at, [5, 3, 1, 0.2], "Iris-setosa", None, None, 0.001)
        for n, at in enumerate(times)
    ]
    service.store.traffic.ship(Shipment("s1", 0, 1, "me", rows))
    tidying = service.store.tidying
    tidying.drop_predictions("iris", Limits(old + 1, 0), after=(0, ""), most=9, now=now)
    tidying.roll_windows("iris", after=0, before=now - DAYS, minutes=60, now=now)
    profile = Profile("iris.p", "iris", "v1", "me", old, old + 300, 3, b"p")
    service.store.profiles.put(profile)
    return service


def signed_in(client: FlaskClient, token: str = VIEWER) -> FlaskClient:
    page = client.get("/login").text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    client.post("/login", data={"token": token, "csrf_token": csrf.group(1) if csrf else ""})
    return client


def test_store_that_does_not_tell_its_size_is_shown_without_one(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept.store.database, "size", lambda: None)  # type: ignore[attr-defined]

    told = client.get("/api/v1/operations", headers=TOKEN)
    page = signed_in(client).get("/operations")
    metrics = client.get("/metrics", headers=TOKEN)

    assert told.json is not None
    assert told.json["data"]["store"] == {"kind": "SQLite", "bytes": None}
    assert (page.status_code, metrics.status_code) == (200, 200)
    assert "unrot_store_bytes " not in metrics.text


def test_route_says_what_is_kept_and_what_went(client: FlaskClient, kept: Service) -> None:
    data = client.get("/api/v1/operations", headers=TOKEN).json["data"]  # type: ignore[index]

    [iris] = [one for one in data["models"] if one["model"] == "iris"]
    assert iris["predictions"]["answered"] == 4
    assert iris["predictions"]["kept"] == 3
    assert [(one["seconds"], one["rows"], one["predictions"]) for one in iris["windows"]] == [
        (60, 1, 1),
        (3_600, 1, 3),
    ]
    assert [(one["seconds"], one["rows"]) for one in iris["profiles"]] == [(300, 1)]
    assert [(one["what"], one["dropped"]) for one in iris["tidied"]] == [
        ("predictions", 1),
        ("minute totals", 2),
    ]
    assert iris["versions"] == {"all": 1, "pruned": 0}
    assert iris["job"] is None
    assert data["store"] == {"kind": "SQLite", "bytes": kept.store.size()}


def test_route_needs_a_viewer(client: FlaskClient) -> None:
    assert client.get("/api/v1/operations").status_code == 401
    for token in (VIEWER, JUDGE, OPERATOR):
        bearer = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/operations", headers=bearer).status_code == 200


def test_store_that_is_away_leaves_the_machine(client: FlaskClient, settings: Settings) -> None:
    (settings.home / "unrot.db").rename(settings.home / "away.db")

    data = client.get("/api/v1/operations", headers=TOKEN).json["data"]  # type: ignore[index]
    page = signed_in(client).get("/operations")

    assert (data["store"], data["models"]) == (None, [])
    assert data["components"]["store"]["state"] == "degraded"
    assert data["journal"]["limit"] == settings.journal_max
    assert page.status_code == 200
    assert "The store does not answer, so what is kept cannot be told now." in page.text


def test_caretaker_says_what_fails(client: FlaskClient, settings: Settings) -> None:
    beat(settings.home / "caretaker.json", Heartbeat(90.0, 80.0, 1_500, ("journal",)))

    data = client.get("/api/v1/operations", headers=TOKEN).json["data"]  # type: ignore[index]
    page = signed_in(client).get("/operations").text

    assert data["caretaker"] == {
        "heard_at": "1970-01-01T00:01:30Z",
        "shipped_at": "1970-01-01T00:01:20Z",
        "backlog_bytes": 1_500,
        "failing": ["journal"],
    }
    assert "The background worker tries again: journal." in page
    assert "1.5 kB" in page


def test_page_is_for_viewers_and_in_the_navigation(client: FlaskClient, kept: Service) -> None:
    stranger = client.get("/operations")
    before = client.get("/").text
    page = signed_in(client).get("/operations")

    assert stranger.status_code == 302
    assert stranger.headers["Location"].startswith("/login")
    assert "/operations" not in before
    assert page.status_code == 200
    assert '<a href="/operations" aria-current="page">Operations</a>' in page.text
    for said in (
        "Predictions that nobody judged, removed",
        "Totals by minute, added up to hours",
        "Profiles of 300 s",
        "UNROT_KEEP_ROWS",
    ):
        assert said in page.text


def test_page_leads_to_the_job_that_runs(client: FlaskClient, app: Flask) -> None:
    service: Service = app.extensions["unrot"]
    service.store.jobs.add(Job("j1", "iris", "refit", {}, service.clock()))

    page = signed_in(client).get("/operations").text

    assert '<a href="/jobs/j1">Fit afresh on training data and verdicts</a>' in page


def test_removal_that_is_not_over_is_told(client: FlaskClient, kept: Service) -> None:
    kept.store.registry.remove_model("iris")
    kept.store.registry.remove_model("zombies", undo_until=kept.clock() + 60)

    page = signed_in(client).get("/operations").text

    assert "iris was removed. Now the background worker erases what was kept of it" in page
    assert "zombies was removed. Until " in page


def test_no_secret_is_shown(settings: Settings) -> None:
    secrets = {"secret_key", "admin_token", "viewer_token", "judge_tokens", "store", "home"}

    assert not secrets & set(SHOWN_SETTINGS)


def test_nothing_secret_is_on_the_page(client: FlaskClient, settings: Settings) -> None:
    page = signed_in(client).get("/operations").text
    answer = client.get("/api/v1/operations", headers=TOKEN).text

    hidden = (OPERATOR, VIEWER, JUDGE, str(settings.home))
    assert [word for word in hidden if word in page or word in answer] == []


def test_what_is_kept_is_told_after_all_went(client: FlaskClient, kept: Service) -> None:
    everything = Limits(kept.clock() + 60, 0)
    kept.store.tidying.drop_predictions("iris", everything, after=(0, ""), most=9, now=0.0)

    data = client.get("/api/v1/operations", headers=TOKEN).json["data"]  # type: ignore[index]

    [iris] = [one for one in data["models"] if one["model"] == "iris"]
    assert iris["predictions"] == {"answered": 4, "kept": 0, "since": None}


def test_page_tells_of_events_and_their_dead_letters(
    client: FlaskClient, app: Flask, settings: Settings
) -> None:
    spool = Spool(settings.home / "events", most_bytes=10**6, now=0.0)
    spool.add([{"id": str(number)} for number in range(3)])
    for _ in range(2):
        load = spool.next(1)
        assert load is not None
        spool.bury(load, "It was refused.")
    service = app.extensions["unrot"]
    sink = replace(service.settings, events_url="https://sink.example/secret")
    app.extensions["unrot"] = replace(service, settings=sink)

    told = client.get("/api/v1/operations", headers=TOKEN).json
    counted = client.get("/metrics", headers=TOKEN).text
    page = signed_in(client).get("/operations").text

    assert "2 events were given up" in page
    assert "dead-letters.jsonl" in page
    assert "https://sink.example/…" in page and "example/secret" not in page
    assert told is not None
    events = told["data"]["events"]
    assert (events["dead"], events["sent"], events["backlog_bytes"]) == (2, 0, len('{"id":"2"}\n'))
    assert "unrot_events_dead_lettered_total 2.0" in counted
    assert "unrot_events_backlog_bytes 11.0" in counted
