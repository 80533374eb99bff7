"""What open pages ask for every few seconds: what is new, and nothing when nothing is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.clock import Clock
from tests.learning_model import School
from tests.web.visitor import take_store_away
from tests.web.watch.findings import DRIFT, put
from unrot.serve.service import Service
from unrot.web.pages.news import LOOK_SECONDS

OF_ZOMBIES = "/models/zombies/news"


@pytest.fixture
def clock(app: Flask) -> Clock:
    """The clock of the app, which goes when it is told to."""
    clock = Clock(app.extensions["unrot"].clock())
    app.extensions["unrot"] = replace(app.extensions["unrot"], clock=clock)
    return clock


@pytest.fixture
def kept(app: Flask, clock: Clock) -> Service:
    found: Service = app.extensions["unrot"]
    return found


def news(client: FlaskClient, clock: Clock, path: str = OF_ZOMBIES) -> dict[str, Any]:
    """Ask when it is time for another look."""
    clock.now += LOOK_SECONDS
    answer = client.get(path)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what a script says: what is new, then what is gone."""
    came = [said for name, (said, _) in after["facts"].items() if name not in before["facts"]]
    went = [gone for name, (_, gone) in before["facts"].items() if name not in after["facts"]]
    return [said for said in [*came, *went] if said]


def test_nothing_new_is_304_without_a_look_at_the_store(
    viewer: FlaskClient, kept: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = viewer.get(OF_ZOMBIES)
    monkeypatch.setattr(type(kept.store.findings), "open", lambda *_: pytest.fail("it looked"))

    again = viewer.get(OF_ZOMBIES, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert len(first.data) < 500
    assert first.headers["Cache-Control"] == "no-store"


def test_verdicts_of_others_are_counted(viewer: FlaskClient, kept: Service, clock: Clock) -> None:
    school = School(kept)
    before = news(viewer, clock)

    school.taught(3)
    after = news(viewer, clock)
    kept.store.verdicts.count_new(100)
    counted = news(viewer, clock)

    assert after["verdicts"] - before["verdicts"] == 3
    assert told(before, after) == []
    assert len({before["word"], after["word"], counted["word"]}) == 3
    assert news(viewer, clock) == counted


def test_predictions_change_the_word_and_are_not_said(
    viewer: FlaskClient, kept: Service, clock: Clock
) -> None:
    before = news(viewer, clock)

    School(kept).predicted([{"hunger": 1.0, "shamble": 0.0, "groan_pitch": 0.0, "decay": 0.0}])
    after = news(viewer, clock)

    assert before["word"] != after["word"]
    assert (before["facts"], before["verdicts"]) == (after["facts"], after["verdicts"])


def test_finding_is_said_when_it_opens_and_when_it_is_over(
    viewer: FlaskClient, kept: Service, clock: Clock
) -> None:
    path = "/models/iris/news"
    found = replace(DRIFT, opened_at=clock.now, updated_at=clock.now)
    before = news(viewer, clock, path)

    put(kept, found)
    opened = news(viewer, clock, path)
    put(kept, replace(found, closed_at=clock.now))
    closed = news(viewer, clock, path)

    assert told(before, opened) == ["New finding: Input drifted: sepal width."]
    assert told(opened, closed) == ["A finding is over: Input drifted: sepal width."]


def test_learning_is_said_with_the_version_and_who_answers(
    viewer: FlaskClient, kept: Service, clock: Clock
) -> None:
    school = School(kept)
    school.taught(60, mutated=True)
    before = news(viewer, clock)

    school.done("learn")
    made = news(viewer, clock)

    assert told(before, made)[:1] == ["Version v2 was made."]
    assert "Done: Learn from the verdicts that wait." in told(before, made)
    assert news(viewer, clock) == made


def test_home_says_of_which_model(
    viewer: FlaskClient, app: Flask, kept: Service, clock: Clock
) -> None:
    before = news(viewer, clock, "/news")
    of_anyone = news(app.test_client(), clock, "/news")

    put(kept, replace(DRIFT, opened_at=clock.now, updated_at=clock.now))
    after = news(viewer, clock, "/news")
    School(kept).taught(1)
    asked = news(viewer, clock, "/news")

    assert told(before, after) == ["Iris: new finding: Input drifted: sepal width."]
    assert told(of_anyone, news(app.test_client(), clock, "/news")) == []
    assert asked["word"] != after["word"]


def test_news_of_a_model_is_for_viewers(client: FlaskClient) -> None:
    assert client.get(OF_ZOMBIES).status_code == 302


@pytest.mark.parametrize("path", ["/news", OF_ZOMBIES])
def test_store_that_went_away_is_news(
    viewer: FlaskClient, kept: Service, clock: Clock, path: str
) -> None:
    before = news(viewer, clock, path)

    take_store_away(kept.settings.home)
    away = news(viewer, clock, path)

    assert away["facts"]["away"] == ["The store does not answer.", "The store answers again."]
    assert (before["word"] != away["word"], away["sees"]) == (True, "away")


@pytest.mark.parametrize(
    "page",
    ["/", *(f"/models/zombies{one}" for one in ("", "/monitor", "/versions", "/findings"))],
)
def test_pages_ask_for_news_and_send_no_part_that_is_there(viewer: FlaskClient, page: str) -> None:
    whole = viewer.get(page).text
    words = re.findall(r'data-word="(\w+)"', whole)

    rest = viewer.get(page, headers={"X-Parts": " ".join(words)}).text

    address = re.search(
        r'<main id="main" tabindex="-1" data-news="([^"]+)" data-every="\d+">', whole
    )
    assert address is not None and viewer.get(address[1]).status_code == 200
    assert len(words) > 1
    assert re.findall(r'data-word="(\w+)"', rest) == words
    assert re.findall(r"data-word=\"\w+\">(?!</)", rest) == []


def test_page_that_is_renewed_takes_no_sentence_away(
    operator: FlaskClient, kept: Service, clock: Clock
) -> None:
    with operator.session_transaction() as session:
        session["_flashes"] = [("good", "It was done.")]

    renewed = operator.get("/models/zombies/versions", headers={"X-Parts": "none"}).text
    read = operator.get("/models/zombies/versions").text

    assert ("It was done." in renewed, "It was done." in read) == (False, True)
