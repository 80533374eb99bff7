"""The charts of a finding's page, each kind over real traffic, now and of the past."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.clock import Clock
from tests.conftest import VIEWER
from tests.learning_model import School, zombies_of
from tests.web.visitor import sign_in
from tests.web.watch.test_monitor_pages import (
    HOUR,
    MINUTE,
    NOON,
    app,
    client,
    passed,
    school,
    text_of,
)
from unrot.core.records import Finding, FindingKind
from unrot.core.rules import Rules
from unrot.store.kinds import CHECK, FEEDBACK, Kind
from unrot.store.operations import Delete
from unrot.watch.finding_keeper import FindingKeeper
from unrot.watch.monitors.drift import look as drift
from unrot.watch.monitors.rot import look as rot
from unrot.watch.visit import Visit
from unrot.web.wording import percent

__all__ = ["app", "client", "school"]

DAY = 24 * HOUR
NOT_KEPT = "What it was read from is not kept any more, so it cannot be drawn."
PLAIN = Finding("f1", "zombies", "drift", "drift", "grave", NOON, NOON + HOUR, NOON + HOUR, "", "")


def put(school: School, kind: FindingKind, **changes: Any) -> None:
    """Keep a finding as a monitor would have."""
    changes = {"cause": kind, **changes}
    school.service.store.findings.put(replace(PLAIN, kind=kind, **changes))


def emptied(school: School, kind: Kind) -> None:
    """Let go of all documents of a kind, as time would."""
    database = school.service.store.database  # type: ignore[attr-defined]
    while there := database.scan(kind, "of model", ("zombies",), limit=100, only=[]):
        database.commit([Delete(kind, one.key) for one in there])


def found(school: School, clock: Clock, look: Any) -> Finding:
    """Let a monitor look at all that was; return what is open then."""
    service = school.service
    shelved = service.catalogue().model("zombies")
    keeper = FindingKeeper(Visit(service, shelved, Rules(), clock.now))
    for symptom in look(Visit(service, shelved, Rules(), clock.now)):
        keeper.keep(symptom)
    [one] = service.store.findings.open("zombies")
    return one


def page_of(client: FlaskClient, id: str = "f1") -> str:
    answer = client.get(f"/models/zombies/findings/{id}")
    assert answer.status_code == 200
    return answer.text


def figures(page: str) -> list[str]:
    """Return the charts of a page, as what is read of each."""
    return [text_of(part.split("</figure>")[0]) for part in page.split("<figure ")[1:]]


def marks(page: str) -> list[str]:
    """Return the labels of the marks of a finding."""
    parts = page.split('<g class="mark tone-finding"')[1:]
    return [text_of(part.split("</title>")[1].split("</g>")[0]) for part in parts]


def drawn(page: str) -> int:
    """Count what is drawn: lines of values, and bars."""
    bars = re.findall(r'class="bar tone-\w+" x="[0-9.]+%"', page)
    strokes = re.findall(r'class="stroke solid tone-\w+" d="M[^"]*L', page)
    return len(strokes) + len(bars)


def test_rot_is_drawn_verdict_by_verdict_with_what_it_was_before(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    for minute in range(12):
        school.taught(25, seed=minute, mutated=minute >= 8)
        clock.now += MINUTE
    one = found(school, clock, rot.look)

    page = page_of(client, one.id)

    [figure] = figures(page)
    assert re.search(
        r"Accuracy over the last 50 verdicts Accuracy: .*, at 2023-11-15 12:11;", figure
    )
    assert f"Before: {percent(one.evidence['before']['value'])}." in figure
    assert " ".join(marks(page)).split() == ["began", "noticed"]
    assert drawn(page) == 1
    assert "/models/zombies/monitor?from=2023-11-15T" in page


def test_rot_of_the_past_is_drawn_by_the_totals_of_its_time(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock)
    passed(school, clock, mutated=True, seed=2)
    began = NOON + HOUR + MINUTE
    put(school, "rot", since=began, opened_at=began + MINUTE, updated_at=began + MINUTE,
        closed_at=began + 5 * MINUTE)  # fmt: skip
    emptied(school, FEEDBACK)
    clock.now += 300 * DAY
    sign_in(client, VIEWER)  # no session lasts so long

    page = page_of(client)

    [figure] = figures(page)
    assert "between" in figure and "150 verdicts" in figure
    assert marks(page) == ["began", "noticed", ""]  # two rows of labels, and a line alone
    assert drawn(page) == 1


def test_drift_is_drawn_as_the_columns_that_moved_over_training(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock, mutated=True)
    school.service.store.findings.stand("zombies", "drift", {})
    emptied(school, CHECK)
    one = found(school, clock, drift.look)

    page = page_of(client, one.id)

    first, *rest = figures(page)
    assert len(rest) == min(4, len(one.features)) - 1
    assert first.split(">")[-1].strip().startswith("groan pitch: distance 0.")
    assert "Training of v1: " in first and "2023-11-15 12:00 to 13:00: 150 values" in first
    [link] = [part.split('"')[0] for part in page.split('href="')[1:] if "pick=" in part[:200]]
    beside = client.get(link.replace("&amp;", "&")).text
    assert "training of v1" in beside and "2023-11-15 12:00 to 13:00" in beside


def test_burst_of_odd_rows_is_drawn_with_what_the_rules_allow(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock)
    school.predicted([{"hunger": 40.0 + n, "shamble": 0, "groan_pitch": 0, "decay": 0}
                      for n in range(20)])  # fmt: skip
    begins = NOON + HOUR
    clock.now += HOUR
    put(school, "outliers", since=begins, opened_at=begins + HOUR, updated_at=begins + HOUR,
        evidence={"starts_at": begins, "ends_at": begins + HOUR, "looked_at": 20})  # fmt: skip

    page = page_of(client)

    [figure] = figures(page)
    assert "2023-11-15 14:00 100 %, 20 of 20 rows 2023-11-15 13:00 " in figure
    assert "The most that the rules allow: 5 %." in figure
    assert drawn(page) == 1
    assert 'href="/models/zombies/outliers"' in page
    assert "Rows looked at 20" in text_of(page)


@pytest.mark.parametrize(
    ("cause", "title", "said"),
    [
        ("quality:missing", "Values that are missing",
         "groan pitch: 40 %, usually 1 %. hunger: 25 %, usually 0 %."),
        ("quality:unseen", "Values that are never seen in training",
         "groan pitch: 40 %, usually 1 %. hunger: 25 %, usually 0 %."),
    ],
)  # fmt: skip
def test_bad_columns_are_drawn_as_they_are_beside_what_is_usual(
    client: FlaskClient, school: School, cause: str, title: str, said: str
) -> None:
    columns = [{"column": "groan_pitch", "share": 0.4, "usual": 0.01},
               {"column": "hunger", "share": 0.25, "usual": 0.0}]  # fmt: skip
    put(school, "quality", cause=cause, evidence={"rows": 200, "features": columns})

    page = page_of(client)

    [figure] = figures(page)
    assert f"{title} {said}" in figure
    assert "Column Usually Now groan pitch 1 % 40 % hunger 0 % 25 %" in figure
    assert drawn(page) == 4


@pytest.mark.parametrize(
    ("kind", "evidence", "said"),
    [
        ("reasons", {"features": [{"feature": "groan_pitch", "share": 0.6, "usual": 0.25},
                                  {"feature": "hunger", "share": 0.4, "usual": 0.75}]},
         "Feature In training Now groan pitch 25 % 60 % hunger 75 % 40 %"),
        ("coverage", {"promised": 0.9, "static": [0.5, 0.4, 0.6], "told": [0.875, 0.8, 0.95]},
         "Sets Promised Now By the test set 90 % 50 % As told 90 % 87.5 %"),
        ("abstentions", {"share": 0.4, "usual": 0.1}, "Answer Usually Now Not sure 10 % 40 %"),
    ],
)  # fmt: skip
def test_shares_are_drawn_beside_what_they_were_or_were_to_be(
    client: FlaskClient, school: School, kind: FindingKind, evidence: dict[str, Any], said: str
) -> None:
    put(school, kind, evidence=evidence)

    page = page_of(client)

    [figure] = figures(page)
    assert said in figure


@pytest.mark.parametrize("kind", ["reasons", "coverage", "abstentions"])
def test_evidence_of_an_earlier_release_is_no_error(
    client: FlaskClient, school: School, kind: FindingKind
) -> None:
    put(school, kind, evidence={"share": None} if kind == "abstentions" else {})

    assert figures(page_of(client)) == []


def test_refused_rows_are_drawn_by_their_reasons(client: FlaskClient, school: School) -> None:
    told = {"rows": 200, "refused": 60, "reasons": {"out of range": 12, "missing value": 48}}
    put(school, "quality", cause="quality:rejected", evidence=told)

    page = page_of(client)

    [figure] = figures(page)
    assert "60 of 200 rows were refused, most often: missing value (48)." in figure
    assert "Reason Refused rows missing value 48 out of range 12" in figure


def test_estimate_is_drawn_beside_the_holdout_and_the_verdicts(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock)
    clock.now = NOON + 2 * HOUR
    school.predicted([row for row, _ in zombies_of(150, seed=3, mutated=True)])
    clock.now += HOUR + MINUTE
    put(school, "estimate", since=NOON + 2 * HOUR, opened_at=NOON + 3 * HOUR,
        updated_at=NOON + 3 * HOUR, evidence={"promised": 0.9, "estimated": 0.7})  # fmt: skip

    page = page_of(client)

    [figure] = figures(page)
    assert "Accuracy, estimated and by verdicts Accuracy: " in figure
    assert "Estimated from its confidence: " in figure and "On its test set: 90 %." in figure
    assert 'class="stroke dashed tone-estimate"' in page


def test_parts_that_fell_are_drawn_as_they_were_and_are(
    client: FlaskClient, school: School
) -> None:
    part = {"part": "region is north", "share": 0.1, "accuracy": 0.12, "verdicts": 150,
            "before": 0.89, "verdicts_before": 900, "elsewhere": 0.9, "since": NOON}  # fmt: skip
    put(school, "slice", evidence={"parts": [part], "fallen": 1})

    page = page_of(client)

    [figure] = figures(page)
    assert "region is north: 12 %, before 89 %." in figure
    assert re.findall("<td[^>]*>([^<]*)</td>", page)[-7:-1] == [
        *("10 %", "12 %", "150", "89 %", "900", "90 %"),
    ]


@pytest.mark.parametrize("kind", ["rot", "drift", "outliers", "quality", "estimate"])
@pytest.mark.parametrize("evidence", [{}, {"starts_at": 0.0, "ends_at": NOON, "drifts": []}])
def test_what_is_not_kept_any_more_is_a_sentence(
    client: FlaskClient, school: School, kind: FindingKind, evidence: dict[str, Any]
) -> None:
    put(school, kind, evidence=evidence)

    page = page_of(client)

    assert NOT_KEPT in page
    assert figures(page) == []


def test_loss_of_predictions_has_no_chart(client: FlaskClient, school: School) -> None:
    put(school, "operations", evidence={"dropped": 3})

    page = page_of(client)

    assert "Dropped 3" in text_of(page)
    assert figures(page) == [] and NOT_KEPT not in page


def test_findings_are_marks_of_the_monitor_that_lead_to_them(
    client: FlaskClient, school: School, clock: Clock
) -> None:
    passed(school, clock)
    put(school, "rot", since=NOON, opened_at=NOON + MINUTE, sentence="It fell.")

    page = client.get("/models/zombies/monitor?range=day").text

    assert 'data-href="/models/zombies/findings/f1"' in page
    assert marks(page) == ["rot"]
