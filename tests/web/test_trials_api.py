"""Audits and comparisons over HTTP: who may, what is answered, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.conftest import JUDGE, VIEWER
from tests.large_store import ZOMBIES, copy_of, predicted, second
from unrot.serve.service import Service

AUDITS = f"/api/v1/models/{ZOMBIES}/audits"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def begun(client: FlaskClient, **given: Any) -> dict[str, Any]:
    answer = client.post(AUDITS, json=given, headers=bearer(JUDGE))
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json["data"]  # type: ignore[index]
    return data


def test_judge_goes_through_an_audit(client: FlaskClient, kept: Service) -> None:
    predicted(kept, 12)
    audit = begun(client, rows=10)

    for _ in range(10):
        id = audit["next"]["id"]
        client.post("/api/v1/feedback", json={"id": id, "was_correct": True}, headers=bearer(JUDGE))
        audit = client.get(f"/api/v1/audits/{audit['id']}", headers=bearer(JUDGE)).json["data"]  # type: ignore[index]

    counts = {name: audit[name] for name in ("all", "judged", "right", "left", "gone")}
    assert counts == {"all": 10, "judged": 10, "right": 10, "left": 0, "gone": 0}
    assert audit["next"] is None
    listed = client.get(AUDITS, headers=bearer(JUDGE)).json["data"]["audits"]  # type: ignore[index]
    assert [one["id"] for one in listed] == [audit["id"]]


def test_audit_goes_on_with_200(client: FlaskClient, kept: Service) -> None:
    predicted(kept, 12)
    audit = begun(client)

    again = client.post(AUDITS, headers=bearer(JUDGE))

    assert (again.status_code, again.json["data"]) == (200, audit)  # type: ignore[index]


def test_audit_is_for_judges(client: FlaskClient) -> None:
    assert client.post(AUDITS).status_code == 401
    assert client.post(AUDITS, headers=bearer(VIEWER)).status_code == 403
    assert client.get("/api/v1/audits/a", headers=bearer(VIEWER)).status_code == 403


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"rows": 5}, 422, "rows 5: expected a whole number from 10 to 1,000."),
        ({"row": 60}, 422, 'row 60: expected only "rows": how many.'),
        ({}, 409, "There are only 0 recent predictions"),
    ],
)
def test_audit_that_cannot_begin_says_why(
    client: FlaskClient, given: dict[str, int], code: int, said: str
) -> None:
    answer = client.post(AUDITS, json=given, headers=bearer(JUDGE))

    assert answer.status_code == code
    assert answer.json["message"].startswith(said)  # type: ignore[index]


def test_unknown_audit_is_not_found(client: FlaskClient) -> None:
    answer = client.get("/api/v1/audits/none", headers=bearer(JUDGE))

    assert (answer.status_code, answer.json["message"]) == (404, 'There is no audit "none".')  # type: ignore[index]


def test_two_versions_are_put_side_by_side(client: FlaskClient, kept: Service) -> None:
    second(kept)

    answer = client.get(f"/api/v1/models/{ZOMBIES}/versions/v1/compare/v2", headers=bearer(VIEWER))

    assert answer.status_code == 200
    data = answer.json["data"]  # type: ignore[index]
    [ground] = data["grounds"]
    assert (data["first"], data["second"], ground["ground"]) == ("v1", "v2", "anchor")
    assert ground["rows"] == sum(map(sum, ground["confusions"][0]))
    assert ground["differ"] == ground["first_only_right"] + ground["second_only_right"]
    assert set(ground["differing"][0]["inputs"]) == {"hunger", "shamble", "groan_pitch", "decay"}
    assert data["missing"] == [
        "No judge's verdict is held out yet. An audit has nothing to ask: 0 recent predictions "
        "have no judge yet, and it needs 10. More predictions would help."
    ]


def test_version_beside_itself_or_none_is_refused(client: FlaskClient, kept: Service) -> None:
    copy_of(kept)
    address = f"/api/v1/models/{ZOMBIES}/versions/v1/compare"

    codes = [
        client.get(f"{address}/{other}", headers=bearer(VIEWER)).status_code
        for other in ("v1", "v9", "v2")
    ]

    assert codes == [409, 404, 200]
    assert client.get(f"{address}/v2").status_code == 401
