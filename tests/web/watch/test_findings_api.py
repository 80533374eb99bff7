"""Findings and rules over HTTP: who may, what is answered, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.web.watch.findings import AT, DRIFT, NOON, ROT, past, put
from unrot.core.rules import FeatureRule, Rules, describe
from unrot.serve.service import Service

IRIS = "/api/v1/models/iris"
FINDINGS, RULES = f"{IRIS}/findings", f"{IRIS}/rules"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def asked(client: FlaskClient, path: str) -> Any:
    answer = client.get(path, headers=bearer(VIEWER))
    assert answer.status_code == 200, answer.text
    return answer.json["data"]  # type: ignore[index]


def refused(answer: Any, code: int) -> Any:
    assert answer.status_code == code, answer.text
    return answer.json


@pytest.mark.parametrize("path", [FINDINGS, f"{FINDINGS}/d1f7", RULES])
def test_looking_is_for_viewers(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_changing_is_for_those_who_may(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    acknowledge = f"{FINDINGS}/d1f7/acknowledge"

    assert client.post(acknowledge, json={}, headers=bearer(VIEWER)).status_code == 403
    assert client.put(RULES, json={}, headers=bearer(JUDGE)).status_code == 403
    assert client.post(acknowledge, json={}, headers=bearer(JUDGE)).status_code == 200


def test_finding_is_told_whole(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    kept.store.deliveries.begin(DRIFT, target="https://x.example/…", next_at=NOON + 60)

    assert asked(client, f"{FINDINGS}/d1f7") == {
        "id": "d1f7",
        "model": "iris",
        "cause": "drift",
        "kind": "drift",
        "gravity": "warning",
        "state": "open",
        "sentence": DRIFT.sentence,
        "advice": "Look at how it is measured.",
        "features": ["sepal_width_cm"],
        "evidence": DRIFT.evidence,
        "since": "2023-11-14T12:00:00.000+00:00",
        "opened_at": AT,
        "updated_at": AT,
        "closed_at": None,
        "acknowledged": None,
        "head": "Input drifted: sepal width",
        "assigned_to": None,
        "snoozed": None,
        "notes": [],
        "mail": None,
        "delivery": {
            "by": "webhook",
            "to": "https://x.example/…",
            "attempts": 1,
            "delivered_at": None,
            "next_at": "2023-11-15T12:01:00.000+00:00",
            "error": None,
        },
    }


def test_findings_come_newest_first_and_a_page_at_a_time(
    client: FlaskClient, kept: Service
) -> None:
    put(kept, DRIFT, *(past(number) for number in range(1, 6)))
    seen, before = [], ""

    while before is not None:
        page = asked(client, f"{FINDINGS}?limit=2{before and f'&before={before}'}")
        seen.append([one["id"] for one in page["findings"]])
        before = page["next"]

    assert seen == [["old05", "old04"], ["old03", "old02"], ["old01", "d1f7"]]


def test_findings_are_listed_by_state(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT, ROT, past(2))

    listed = {
        state: [one["id"] for one in asked(client, f"{FINDINGS}?state={state}")["findings"]]
        for state in ("open", "closed", "all")
    }

    assert listed == {
        "open": ["a07e", "d1f7"],
        "closed": ["old02"],
        "all": ["old02", "a07e", "d1f7"],
    }


def test_nothing_found_is_an_empty_list(client: FlaskClient) -> None:
    assert asked(client, FINDINGS) == {"findings": [], "next": None}


def test_what_is_not_there_is_said(client: FlaskClient, kept: Service) -> None:
    put(kept, DRIFT)
    headers = bearer(OPERATOR)

    assert refused(client.get(f"{FINDINGS}/none", headers=headers), 404)["message"] == (
        'iris has no finding "none".'
    )
    other = client.get("/api/v1/models/zombies/findings/d1f7", headers=headers)
    assert refused(other, 404)["message"] == 'zombies has no finding "d1f7".'
    assert refused(client.get(f"{FINDINGS}?before=none", headers=headers), 404)
    assert refused(client.get(f"{FINDINGS}?state=half", headers=headers), 422)["message"] == (
        'state "half": expected open, snoozed, closed or all.'
    )
    assert refused(client.get(f"{FINDINGS}?limit=0", headers=headers), 422)


def test_person_says_that_they_have_seen_it_and_the_first_one_stays(
    client: FlaskClient, kept: Service
) -> None:
    put(kept, DRIFT)
    address = f"{FINDINGS}/d1f7/acknowledge"

    first = client.post(address, json={"note": " The sensor. "}, headers=bearer(JUDGE))
    second = client.post(address, json={"note": "Me too."}, headers=bearer(OPERATOR))

    seen = first.json["data"]["acknowledged"]  # type: ignore[index]
    assert (seen["by"], seen["note"]) == ("ada", "The sensor.")
    assert second.json["data"]["acknowledged"] == seen  # type: ignore[index]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"note": 3}, 'note 3: expected only "note": a text.'),
        ({"notes": "x"}, 'notes "x": expected only "note": a text.'),
        ({"note": "x" * 2_001}, "expected a text of at most 2,000 characters."),
        ({"note": "a\0b"}, "expected a text of at most 2,000 characters."),
    ],
)
def test_wrong_note_is_refused(
    client: FlaskClient, kept: Service, given: dict[str, Any], said: str
) -> None:
    put(kept, DRIFT)

    answer = client.post(f"{FINDINGS}/d1f7/acknowledge", json=given, headers=bearer(JUDGE))

    assert refused(answer, 422)["message"].endswith(said)


def test_rules_are_read_changed_and_sent_back(client: FlaskClient, kept: Service) -> None:
    before = asked(client, RULES)
    feature = {"sepal_width_cm": {"watched": "on", "distance": 0.3}}
    changed = client.put(RULES, json={"rot": "off", "features": feature}, headers=bearer(OPERATOR))
    same = client.put(RULES, json=changed.json["data"], headers=bearer(OPERATOR))  # type: ignore[index]

    assert before == describe(Rules())
    assert same.json["data"] == {**before, "rot": "off", "features": feature}  # type: ignore[index]
    assert kept.store.findings.rules("iris") == Rules(
        rot=False, features={"sepal_width_cm": FeatureRule(distance=0.3)}
    )


def test_wrong_rules_change_nothing_and_are_named(client: FlaskClient, kept: Service) -> None:
    answer = client.put(RULES, json={"rot": "off", "distanse": 1}, headers=bearer(OPERATOR))

    assert refused(answer, 422)["details"] == [
        {
            "row": None,
            "field": "distanse",
            "value": 1,
            "expected": "no such key; the nearest known one is distance",
        }
    ]
    assert kept.store.findings.rules("iris") == Rules()


def test_nobody_reads_the_secret_of_a_webhook(client: FlaskClient, kept: Service) -> None:
    client.put(RULES, json={"webhook": "https://x.example/secret"}, headers=bearer(OPERATOR))

    assert asked(client, RULES)["webhook"] == "https://x.example/…"
    assert kept.store.findings.rules("iris").webhook == "https://x.example/secret"


# ── what people say of one ────────────────────────────────────────────────────────────────────


def sent(client: FlaskClient, step: str, given: Any, token: str = JUDGE) -> Any:
    return client.post(f"{FINDINGS}/d1f7/{step}", json=given, headers=bearer(token))


def test_finding_is_assigned_snoozed_written_beside_and_woken(
    client: FlaskClient, kept: Service
) -> None:
    put(kept, DRIFT, ROT)

    sent(client, "assign", {"to": "bob"})
    sent(client, "notes", {"text": "On Monday."})
    told = sent(client, "snooze", {"seconds": 3_600}).json["data"]
    mine = asked(client, f"{FINDINGS}?assigned_to=bob")["findings"]
    asleep = asked(client, f"{FINDINGS}?state=snoozed")["findings"]
    woken = sent(client, "wake", {}).json["data"]

    assert (told["assigned_to"], told["state"], told["snoozed"]["by"]) == ("bob", "open", "ada")
    assert [(one["by"], one["text"]) for one in told["notes"]] == [("ada", "On Monday.")]
    assert [one["id"] for one in mine] == [one["id"] for one in asleep] == ["d1f7"]
    assert woken["snoozed"] is None
    assert sent(client, "snooze", {}).json["data"]["snoozed"]["until"] is None
    assert sent(client, "assign", {"to": ""}).json["data"]["assigned_to"] is None


@pytest.mark.parametrize("step", ["assign", "snooze", "wake", "notes"])
def test_only_judges_say_something_of_a_finding(
    client: FlaskClient, kept: Service, step: str
) -> None:
    put(kept, DRIFT)

    assert sent(client, step, {}, VIEWER).status_code == 403


def test_what_people_do_with_a_finding_is_in_the_audit_log(
    client: FlaskClient, kept: Service
) -> None:
    put(kept, DRIFT)

    sent(client, "assign", {"to": "bob"})
    sent(client, "snooze", {})

    done = [(one.who, one.what, one.on) for one in kept.store.audit_log.newest(2)]
    assert done == [("ada", "snooze finding", "d1f7"), ("ada", "assign finding", "d1f7")]


@pytest.mark.parametrize(
    ("step", "given", "said"),
    [
        ("assign", {"to": 3}, "a name, or an empty text for nobody."),
        ("assign", {"to": "x" * 81}, "a text of at most 80 characters."),
        ("notes", {}, "a text of 1 to 2,000 characters."),
        ("snooze", {"seconds": 3}, "60 to 31,622,400 seconds."),
        ("snooze", {"seconds": 60.5}, 'or "seconds", a whole number.'),
        ("snooze", {"seconds": True}, "60 to 31,622,400 seconds."),
        ("snooze", {"until": "soon"}, "2026-01-02T09:00:00Z or 1767312000."),
        ("snooze", {"until": "2000-01-01"}, "a moment to come, at most a year from now."),
        ("snooze", {"until": "2090-01-01", "seconds": 60}, 'either "until" or "seconds".'),
    ],
)  # fmt: skip
def test_what_cannot_be_said_of_a_finding_is_refused(
    client: FlaskClient, kept: Service, step: str, given: Any, said: str
) -> None:
    put(kept, DRIFT)

    assert refused(sent(client, step, given), 422)["message"].endswith(said)
