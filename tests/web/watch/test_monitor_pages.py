"""The monitor page over real predictions, verdicts and closed periods."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.clock import NOON, Clock
from tests.conftest import ROOT, VIEWER, environment
from tests.learning_model import School, zombies_of
from unrot.app import create_app
from unrot.core.records import Finding
from unrot.core.settings import Settings
from unrot.watch.monitors.drift import look as drift
from unrot.watch.reports import overview
from unrot.watch.reports.overview import Span
from unrot.watch.visit import Visit

MINUTE, HOUR = 60.0, 3_600.0


@pytest.fixture
def app(settings: Settings, clock: Clock) -> Iterator[Flask]:
    app = create_app(replace(settings, rotation_seconds=3_600))
    app.extensions["unrot"] = replace(app.extensions["unrot"], clock=clock)
    yield app
    app.extensions["unrot"].store.close()


@pytest.fixture
def school(app: Flask) -> School:
    return School(app.extensions["unrot"])


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that is signed in as a viewer."""
    client = app.test_client()
    page = client.get("/login").get_data(as_text=True)
    [token] = re.findall(r'name="csrf_token" value="([^"]+)"', page)[:1]
    signed = client.post("/login", data={"token": VIEWER, "csrf_token": token})
    assert signed.status_code == 303
    return client


def passed(school: School, clock: Clock, *, mutated: bool = False, seed: int = 1) -> None:
    """Let an hour with traffic and verdicts go by, and be looked at."""
    school.taught(150, seed=seed, mutated=mutated)
    clock.now += HOUR + MINUTE
    school.caretaker._profiles.write_ended(clock.now)
    while school.service.store.verdicts.count_new(1_000):
        pass
    shelved = school.service.catalogue().model("zombies")
    rules = school.service.store.findings.rules("zombies")
    list(drift.look(Visit(school.service, shelved, rules, clock.now)))


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_stranger_is_sent_to_sign_in(app: Flask) -> None:
    answer = app.test_client().get("/models/zombies/monitor")

    assert answer.status_code == 302
    assert answer.location == "/login?next=/models/zombies/monitor"


def test_page_of_a_model_that_nobody_asked_says_so(client: FlaskClient) -> None:
    page = text_of(client.get("/models/zombies/monitor").get_data(as_text=True))

    assert "Nobody has asked this model yet." in page
    assert "There is no verdict yet." in page
    assert "No period of this time has been compared with training yet" in page


def test_page_shows_each_chart_with_its_words_and_its_table(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock)
    passed(school, clock, mutated=True, seed=2)

    page = client.get("/models/zombies/monitor?range=day").get_data(as_text=True)

    for name in ("accuracy", "traffic", "lately", "latency", "drift"):
        figure = page.split(f'id="chart-{name}"')[1].split("</figure>")[0]
        assert 'role="img" aria-label="' in figure
        assert "<title>" in figure
        assert f'id="table-{name}"' in figure and "<tbody>" in figure
    assert "300 predictions in this time" in page
    assert re.search(r"In the newest period, .*? columns had moved: ", text_of(page))
    assert "style=" not in page


def test_period_of_a_column_is_shown_beside_its_training(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock, mutated=True)
    page = client.get("/models/zombies/monitor?range=day").get_data(as_text=True)
    [link] = re.findall(r'href="([^"]*column=hunger[^"]*)#period"', page)[:1]

    closer = text_of(client.get(link.replace("&amp;", "&")).get_data(as_text=True))

    assert "hunger, 2023-11-15 12:00 to 13:00 Training of v1: " in closer
    assert "such a difference" in closer
    assert "range=day" in link


@pytest.mark.parametrize("ends", ["1", "nan", "", "1e999", "-5"])
def test_period_that_is_not_there_is_a_sentence(client: FlaskClient, ends: str) -> None:
    answer = client.get("/models/zombies/monitor", query_string={"column": "x", "ends": ends})

    assert answer.status_code == 200


def test_parts_that_the_page_has_are_not_sent_again(client: FlaskClient) -> None:
    whole = client.get("/models/zombies/monitor")
    words = re.findall(r'data-word="(\w+)"', whole.text)

    rest = client.get("/models/zombies/monitor", headers={"X-Parts": " ".join(words[3:])})

    assert re.findall(r'data-word="(\w+)"', rest.text) == words
    assert "Nobody has asked this model yet." in rest.text
    assert rest.text.count("<section") < whole.text.count("<section") / 2


def test_parts_that_did_not_change_keep_their_word(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    def words() -> dict[str, str]:
        page = client.get("/models/zombies/monitor?range=hour")
        found = re.findall(r'id="part-(\w+)" data-part data-word="(\w+)"', page.text)
        return dict(found)

    before = words()
    school.predicted([{"hunger": 0.0, "shamble": 0.0, "groan_pitch": 0.0, "decay": 0.0}])
    after = words()

    changed = {name for name in before if before[name] != after[name]}
    assert {"health", "figures", "traffic"} <= changed
    assert changed.isdisjoint({"range", "lately", "drift", "confusion", "findings", "open"})


def test_page_says_so_while_the_store_is_away(client: FlaskClient, app: Flask) -> None:
    away = app.extensions["unrot"].settings.home / "unrot.db"
    away.rename(away.with_name("elsewhere"))

    answer = client.get("/models/zombies/monitor")

    assert answer.status_code == 200
    assert "the store does not answer" in answer.text


@pytest.mark.parametrize(("verdicts", "share"), [(9, False), (10, True)])
def test_few_verdicts_make_no_share(
    client: FlaskClient, school: School, verdicts: int, share: bool
) -> None:
    school.taught(verdicts)
    school.service.store.verdicts.count_new(1_000)

    said = text_of(client.get("/models/zombies/monitor").text)

    few = f"Right lately on v1 – {verdicts} verdicts so far, by judges: too few to say"
    assert (few in said, "Right, of the last 10 on v1" in said) == (not share, share)
    assert ("A constant guess: " in said, ", 10 verdicts on v1" in said) == (share, share)
    assert ("9 verdicts in this time: too few to say how good it is." in said) != share
    assert ("9 verdicts so far: too few to say how good it is." in said) != share


def test_accuracy_is_estimated_before_anybody_judges_and_of_no_handful(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    """Two hours have answers enough; the three of the last one would say anything."""
    for count in (40, 40, 3):
        clock.now += HOUR
        school.predicted([row for row, _ in zombies_of(count, seed=count)])
    clock.now += MINUTE

    said = text_of(client.get("/models/zombies/monitor").text)

    ends = re.findall(r"(\d\d:\d\d) Estimated from its confidence: ", said)
    assert ends == ["13:15", "14:15"]


def test_version_is_looked_at_alone(client: FlaskClient, school: School, clock: Clock) -> None:
    school.taught(20)

    page = text_of(client.get("/models/zombies/monitor?version=v9").get_data(as_text=True))

    assert "Nobody asked it in this time." in page
    assert "20 predictions in the last 10 minutes" in page


def test_open_and_closed_findings_are_listed(client: FlaskClient, school: School) -> None:
    put = school.service.store.findings.put
    one = Finding("f1", "zombies", "rot", "rot", "grave", NOON, NOON, NOON, "It fell.", "Refit it.")
    put(one)
    put(replace(one, id="f2", sentence="It fell before.", closed_at=NOON))

    page = text_of(client.get("/models/zombies/monitor").get_data(as_text=True))

    assert "This model is rotting. It fell." in page
    assert "1 open finding grave Rot rot · since" in page
    assert "Findings that are over over Rot rot · " in page


def test_line_takes_stretches_together_until_there_are_verdicts_enough(
    school: School, clock: Clock
) -> None:
    for number in range(4):
        school.taught(20, seed=number)
        clock.now += 900
    while school.service.store.verdicts.count_new(1_000):
        pass

    found = overview.condition(
        school.service, "zombies", Span(NOON - 3_600, NOON + 7_200, 900, "this time")
    )

    assert [point.verdicts for point in found.points] == [20, 20, 20, 20]
    [stint] = found.stints
    assert [(point.starts_at, point.seconds) for point in stint.points] == [
        (NOON, 1_800),
        (NOON + 1_800, 1_800),
    ]
    assert [point.accuracy.count for point in stint.points] == [40, 40]
    assert found.whole.verdicts == 80
    assert (found.lately.right.count, found.lately.trusted) == (50, 50)


PROGRAM = """
import re, sys
from unrot.app import create_app
from unrot.watch.visit import Visit
client = create_app().test_client()
page = client.get("/login").get_data(as_text=True)
token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[0]
client.post("/login", data={"token": "viewer-token-001", "csrf_token": token})
assert client.get("/models/zombies/monitor").status_code == 200
heavy = ("sklearn", "pandas", "whylogs", "scipy", "skl2onnx", "skops", "altair", "vl_convert")
print([name for name in heavy if name in sys.modules])
"""


def test_page_imports_no_training_code(trained_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment(trained_home, UNROT_VIEWER_TOKEN=VIEWER),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_model_that_was_last_asked_long_ago_is_shown_as_it_was_then(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock)
    clock.now += 10 * 24 * HOUR

    page = text_of(client.get("/models/zombies/monitor").get_data(as_text=True))
    asked = text_of(client.get("/models/zombies/monitor?range=day").get_data(as_text=True))

    words = "in the week until 2023-11-15 12:00 UTC, when it was last asked."
    assert f"150 predictions {words}" in page
    assert "Nobody has asked it in the last 24 hours." in asked
