"""The report of a period: one file that needs nothing else, true for a model of any state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.clock import NOON, Clock
from tests.conftest import VIEWER
from tests.learning_model import School
from tests.web.visitor import sign_in
from tests.web.watch.test_monitor_pages import passed, text_of
from unrot.app import create_app
from unrot.core.records import Finding, Schema
from unrot.core.settings import Settings
from unrot.learn import promote
from unrot.watch.reports.period import Reached, report_period, span_of
from unrot.watch.statistics.accuracy import Scored, share
from unrot.web.report_file import describe_reached

AT = "/models/zombies/report"
API = "/api/v1/models/zombies/report"
MOST_BYTES = 300_000
HOUR = 3_600.0


@pytest.fixture
def app(settings: Settings, clock: Clock) -> Iterator[Flask]:
    app = create_app(replace(settings, rotation_seconds=3_600))
    app.extensions["unrot"] = replace(app.extensions["unrot"], clock=clock)
    yield app
    app.extensions["unrot"].store.close()


@pytest.fixture
def school(app: Flask) -> School:
    return School(app.extensions["unrot"])


def test_report_of_a_model_that_nobody_asked_says_so(viewer: FlaskClient, school: School) -> None:
    said = text_of(viewer.get(AT).text)

    for words in (
        "Nobody has asked this model yet.",
        "v1 answers, since",
        "no verdict no verdict",
        "There are too few verdicts to compare this period with the one before.",
        "No finding was open in this period.",
        "Nobody asked it in this period.",
        "No part of this period was compared with training",
    ):
        assert words in said


def test_report_draws_no_accuracy_of_few_verdicts(
    viewer: FlaskClient, school: School, clock: Clock
) -> None:
    school.taught(1)
    school.caretaker.go_round()
    clock.now += 60

    page = viewer.get(AT).text

    assert "too few verdicts to say" in text_of(page)
    assert 'id="chart-accuracy"' not in page
    assert "1 prediction in this time." in text_of(page)


def test_report_tells_the_period_beside_the_one_before(
    viewer: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock)
    before = clock.now
    passed(school, clock, mutated=True, seed=2)

    made = report_period(school.service, "zombies", span_of(before, clock.now))
    whole = text_of(viewer.get(f"{AT}?range=day").text)

    assert (made.before.predictions, made.before.share.count) == (150, 150)
    assert (made.now.predictions, made.now.share.count) == (150, 150)
    assert made.now.share.right < made.before.share.right
    assert "Predictions 300 0" in whole
    assert re.search(
        r"Right, by these verdicts [\d.]+ % \([\d.]+ % to [\d.]+ %\) no verdict", whole
    )
    assert re.search(r"v1 \(champion now\) 300 300 [\d.]+ %", whole)
    assert re.search(r"groan pitch 0\.\d\d 0\.15 2023-11-15 13:00 to \S+ 14:00 yes", whole)


def test_period_that_is_not_over_ends_when_the_report_is_made(school: School, clock: Clock) -> None:
    passed(school, clock)
    began = clock.now - 3 * HOUR

    made = report_period(school.service, "zombies", span_of(began, clock.now + 5 * HOUR))

    assert (made.span.until, made.length) == (clock.now, 3 * HOUR)
    assert made.now.predictions == 150


def test_report_tells_what_was_found_and_done(
    viewer: FlaskClient, school: School, clock: Clock
) -> None:
    rot = Finding("f1", "zombies", "rot", "rot", "grave", NOON, NOON, NOON, "It <fell>.", "")
    early = replace(rot, id="f0", opened_at=NOON - 9e6, closed_at=NOON - 8e6, sentence="Long ago.")
    for one in (early, rot):
        school.service.store.findings.put(one)
    school.taught(60)
    school.done("learn")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    clock.now += HOUR

    page = viewer.get(f"{AT}?range=day").text
    said = text_of(page)

    assert "open Rot It &lt;fell&gt;. grave" in said
    assert "Long ago." not in said
    assert "Learn from the verdicts that wait: made v2. operator" in said
    assert said.index("made v2.") < said.index("v2 became champion")


def test_file_needs_nothing_else(viewer: FlaskClient, school: School, clock: Clock) -> None:
    passed(school, clock)
    passed(school, clock, mutated=True, seed=2)

    answer = viewer.get(f"{AT}?range=day")
    page = answer.text

    assert re.findall(r"<(?:script|link|img|iframe|object|base)\b", page) == []
    assert re.findall(r"""(?:href|src|action)=["'](?!#)[^"']""", page) == []
    assert re.findall(r"url\(|@import|https?://", page) == []
    assert '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;' in page
    assert page.count('<svg role="img"') == 2
    assert len(answer.data) < MOST_BYTES


def test_file_is_handed_out_or_read(viewer: FlaskClient, school: School) -> None:
    handed, read = viewer.get(AT), viewer.get(f"{AT}?inline=1")

    assert handed.headers["Content-Disposition"] == "attachment; filename=zombies-2023-11-15.html"
    assert read.headers["Content-Disposition"].startswith("inline; ")
    assert read.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    )


def test_report_is_for_viewers(client: FlaskClient, school: School) -> None:
    assert client.get(AT).status_code == 302
    assert client.get(API).status_code == 401
    sign_in(client, VIEWER)
    assert client.get("/models/none/report").status_code == 404


def test_program_gets_the_same_file(client: FlaskClient, school: School, clock: Clock) -> None:
    passed(school, clock)
    headers = {"Authorization": f"Bearer {VIEWER}"}

    answer = client.get(f"{API}?from={NOON:.0f}&to={NOON + HOUR:.0f}", headers=headers)

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Predictions 150 0" in text_of(answer.text)


@pytest.mark.parametrize(
    "query", ["from=x", "to=never", "from=2024-01-01&to=2023-01-01", "from=nan", "to=-5"]
)
def test_period_that_is_none_is_refused(client: FlaskClient, school: School, query: str) -> None:
    sign_in(client, VIEWER)
    program = client.get(f"{API}?{query}", headers={"Authorization": f"Bearer {VIEWER}"})

    page = client.get(f"{AT}?{query}")
    assert page.status_code == 422
    assert 'href="/models/zombies/monitor">To the monitor' in page.text
    assert program.status_code == 422


def test_longest_period_is_reported(viewer: FlaskClient, school: School) -> None:
    assert viewer.get(f"{AT}?from=1970-01-01T00:00&to=2099-01-01T00:00").status_code == 200


def test_words_of_the_model_are_never_markup(viewer: FlaskClient, school: School) -> None:
    bad = "</style><script>alert(1)</script>"
    found = Finding("f1", "zombies", bad, "rot", "grave", NOON, NOON, NOON, bad, bad, (bad,))
    school.service.store.findings.put(replace(found, assigned_to=bad))

    page = viewer.get(AT).text

    assert "<script" not in page
    assert page.count("</style>") == 1


def test_errors_of_numbers_have_bounds() -> None:
    reached = Reached(100, 25, share(0, 0), Scored(25, mae=2.0, rmse=2.5))

    assert describe_reached(reached, Schema((), "rent")) == "off by 2 (1.41 to 2.59)"
