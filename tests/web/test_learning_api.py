"""Learning over HTTP: jobs and waiting for them, versions, aliases, policy, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.lessons import IRIS_ROW, judged, learnt, published, verdict, working
from tests.newest import newest
from unrot.core.errors import Conflict
from unrot.core.policy import describe, parse_policy
from unrot.core.records import Fate
from unrot.learn import promote
from unrot.serve.service import Service
from unrot.serve.shelf import sync

IRIS = "/api/v1/models/iris"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that is an operator unless it says otherwise."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {OPERATOR}"
    return client


@pytest.fixture
def served(app: Flask) -> Service:
    service: Service = app.extensions["unrot"]
    return service


@pytest.fixture
def learner(served: Service) -> Iterator[None]:
    """Somebody does the jobs."""
    with working(served):
        yield


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────


def test_asking_answers_202_with_the_job_and_its_address(
    client: FlaskClient, served: Service
) -> None:
    judged(served)

    answer = client.post(f"{IRIS}/learn")

    job = answer.json["data"]["job"]
    assert (answer.status_code, answer.json["message"]) == (202, "Success")
    assert (job["kind"], job["state"], job["asked_by"]) == ("learn", "queued", "operator")
    assert (job["result"], job["error"], job["ended_at"]) == (None, None, None)
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert client.get(answer.headers["Location"]).json["data"]["job"] == job
    assert client.get(f"{IRIS}/jobs").json["data"] == {"jobs": [job]}
    assert client.get("/api/v1/models/zombies/jobs").json["data"] == {"jobs": []}


@pytest.mark.usefixtures("learner")
def test_waiting_answers_200_with_the_finished_job(client: FlaskClient, served: Service) -> None:
    judged(served, 2)

    answer = client.post(f"{IRIS}/learn?wait=30")

    job = answer.json["data"]["job"]
    assert answer.status_code == 200
    assert (job["state"], job["progress"]) == ("done", 1.0)
    assert job["result"] == {"version": "v2", "learnt": 2}
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"


def test_job_that_failed_while_one_waited_is_an_answer_too(
    client: FlaskClient, served: Service
) -> None:
    def refuse(*_: object) -> None:
        raise Conflict("No row is left to learn from.", reason="nothing_to_learn")

    judged(served)
    with working(served, refuse):
        answer = client.post(f"{IRIS}/refit?wait=30")

    job = answer.json["data"]["job"]
    assert answer.status_code == 200
    assert (job["state"], job["result"]) == ("failed", None)
    assert (job["error"], job["reason"]) == ("No row is left to learn from.", "nothing_to_learn")


def test_patience_that_is_shorter_than_the_job_answers_202(
    client: FlaskClient, served: Service
) -> None:
    judged(served)

    assert client.post(f"{IRIS}/learn?wait=0.1").status_code == 202


def test_rebuild_without_a_body_is_told_that_the_version_is_missing(
    client: FlaskClient,
) -> None:
    answer = client.post(f"{IRIS}/rebuild")

    assert answer.status_code == 422
    assert answer.json["message"] == "version null: expected the name of a version, such as v2."


@pytest.mark.parametrize("wait", ["61", "-1", "soon", "1e1", "nan", "٣"])
def test_wait_that_is_no_time_is_refused_and_nothing_is_asked_for(
    client: FlaskClient, served: Service, wait: str
) -> None:
    judged(served)

    answer = client.post(f"{IRIS}/learn", query_string={"wait": wait})

    assert answer.status_code == 422
    assert answer.json["details"][0]["field"] == "wait"
    assert client.get(f"{IRIS}/jobs").json["data"] == {"jobs": []}


def test_busy_model_answers_409_with_the_job_that_runs(
    client: FlaskClient, served: Service
) -> None:
    judged(served)
    job = client.post(f"{IRIS}/learn").json["data"]["job"]

    answer = client.post(f"{IRIS}/refit")

    assert answer.status_code == 409
    assert (answer.json["reason"], answer.json["data"]) == ("busy", None)
    assert answer.json["job"] == job
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"data": b"", "content_type": "application/x-www-form-urlencoded"},
        {"data": b" ", "content_type": "text/plain"},
        {"json": {}},
    ],
)
def test_job_that_needs_no_body_takes_none(
    client: FlaskClient, served: Service, sent: dict[str, Any]
) -> None:
    judged(served)

    assert client.post(f"{IRIS}/learn", **sent).status_code == 202


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ({"data": b"{}", "content_type": "text/plain"}, 415, "not_json"),
        ({"data": b"{", "content_type": "application/json"}, 400, "not_json"),
        ({"json": [1]}, 400, "not_object"),
        ({"json": {"n": 1}}, 422, "invalid"),
        ({"json": {"\ud800": "\ud800"}}, 422, "invalid"),
    ],
)
def test_body_that_is_wrong_is_said(
    client: FlaskClient, served: Service, sent: dict[str, Any], code: int, reason: str
) -> None:
    judged(served)

    answer = client.post(f"{IRIS}/learn", **sent)

    assert (answer.status_code, answer.json["reason"]) == (code, reason)


@pytest.mark.parametrize(
    ("path", "body", "code", "reason"),
    [
        ("learn", {}, 409, "nothing_to_learn"),
        ("refit", {}, 409, "nothing_to_learn"),
        ("refit", {"weights": {"trusted": "much"}}, 422, "invalid"),
        ("train_batch", {"n": 25}, 409, "no_stream"),
        ("train_batch", {"n": 0}, 422, "invalid"),
        ("train_batch", {"n": 2**70}, 422, "invalid"),
        ("reset", {}, 409, "no_stream"),
        ("rebuild", {}, 422, "invalid"),
        ("rebuild", {"version": "v7"}, 404, "not_found"),
        ("rebuild", {"version": "v1", "without": ["\ud800"]}, 422, "invalid"),
        ("versions/v1/weigh", {}, 409, "conflict"),
        ("versions/v7/weigh", {}, 404, "not_found"),
        ("versions/v1/weigh", {"version": "v2"}, 422, "invalid"),
        ("promote", {"version": "v7"}, 404, "not_found"),
        ("promote", {}, 422, "invalid"),
        ("promote", {"version": "v1", "force": "yes"}, 422, "invalid"),
        ("promote", {"version": "v1", "alias": "king"}, 422, "invalid"),
        ("promote", {"version": "v1", "whom": "me"}, 422, "invalid"),
        ("promote", {"version": "v1", "reason": "\ud800"}, 422, "invalid"),
        ("promote", {"version": "v1", "reason": 3}, 422, "invalid"),
        ("rollback", {}, 409, "nothing_to_roll_back"),
        ("rollback", {"version": "v1"}, 422, "invalid"),
    ],
)
def test_what_cannot_be_done_is_said(
    client: FlaskClient, path: str, body: dict[str, Any], code: int, reason: str
) -> None:
    answer = client.post(f"{IRIS}/{path}", json=body)

    assert (answer.status_code, answer.json["reason"]) == (code, reason)
    assert answer.json["data"] is None


def test_unknown_models_and_jobs_are_404(client: FlaskClient) -> None:
    there = "/api/v1/models/unicorns"
    answers = [
        client.post(f"{there}/learn"),
        client.post(f"{there}/promote", json={"version": "v1"}),
        client.post(f"{there}/rollback"),
        client.delete(f"{there}/aliases/challenger"),
        client.get(f"{there}/policy"),
        client.put(f"{there}/policy", json={}),
        client.get(f"{there}/jobs"),
        client.get(f"{there}/versions"),
        client.get(f"{there}/versions/v1"),
        client.get("/api/v1/jobs/nonsense"),
        client.delete("/api/v1/jobs/%00%ff"),
    ]

    assert [(one.status_code, one.json["reason"]) for one in answers] == [(404, "not_found")] * 11


def test_cancelled_job_has_ended(client: FlaskClient, served: Service) -> None:
    judged(served)
    address = client.post(f"{IRIS}/learn").headers["Location"]

    first, second = client.delete(address), client.delete(address)

    assert [one.json["data"]["job"]["reason"] for one in (first, second)] == ["cancelled"] * 2
    assert client.post(f"{IRIS}/learn").status_code == 202


def test_root_routes_speak_of_the_default_model_and_in_json(client: FlaskClient) -> None:
    for path in ("/train_batch", "/reset"):
        answer = client.post(path)
        refused = client.get(path)

        assert (answer.status_code, answer.json["reason"]) == (409, "no_stream")
        assert answer.json["message"].startswith("iris has no training stream")
        assert (refused.status_code, refused.json["reason"]) == (405, "method_not_allowed")


# ── who may ──────────────────────────────────────────────────────────────────────────────────

CHANGING = [
    *(("post", f"{IRIS}/{kind}") for kind in ("learn", "train_batch", "reset", "refit", "rebuild")),
    ("post", f"{IRIS}/versions/v1/weigh"),
    ("post", f"{IRIS}/promote"),
    ("post", f"{IRIS}/rollback"),
    ("delete", f"{IRIS}/aliases/challenger"),
    ("put", f"{IRIS}/policy"),
    ("delete", "/api/v1/jobs/j1"),
    ("post", "/train_batch"),
    ("post", "/reset"),
]
LOOKING = [f"{IRIS}/versions", f"{IRIS}/versions/v1", f"{IRIS}/jobs", f"{IRIS}/policy"]


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_only_the_operator_changes_something(app: Flask, method: str, path: str) -> None:
    client = app.test_client()

    codes = [
        client.open(path, method=method, headers=headers).status_code
        for headers in ({}, bearer(VIEWER), bearer(JUDGE), bearer("nobody's token"))
    ]

    assert codes == [401, 403, 403, 401]


@pytest.mark.parametrize("path", LOOKING)
def test_viewers_and_judges_may_look(app: Flask, path: str) -> None:
    client = app.test_client()

    codes = [
        client.get(path, headers=headers).status_code
        for headers in ({}, bearer(VIEWER), bearer(JUDGE))
    ]

    assert codes == [401, 200, 200]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# ── versions ─────────────────────────────────────────────────────────────────────────────────


def test_versions_say_who_points_at_them_and_what_the_gate_said(
    client: FlaskClient, served: Service
) -> None:
    published(served, gate=verdict("undecided"))

    data = client.get(f"{IRIS}/versions").json["data"]

    first, second = data["versions"]
    assert data["aliases"] == {"champion": "v1"}
    assert (first["version"], first["aliases"], first["gate"]) == ("v1", ["champion"], None)
    assert (second["version"], second["aliases"], second["gate"]) == ("v2", [], "undecided")
    assert (second["parent"], second["made"], second["is_pruned"]) == ("v1", first["made"], False)
    assert second["anchor"] == first["anchor"]
    assert len(first["anchor"]) == 64


def test_version_tells_how_it_came_about(client: FlaskClient, served: Service) -> None:
    ids = judged(served, 4)
    rows = {row.prediction.id: row for row in newest(served, "iris")}
    fates = [
        learnt(rows[ids[0]]),
        Fate(ids[1], "held out", rows[ids[1]].feedback.given_at),  # type: ignore[union-attr]
        Fate(ids[2], "set aside", rows[ids[2]].feedback.given_at, "far out: 9"),  # type: ignore[union-attr]
    ]
    published(served, gate=verdict("refused"), fates=fates)

    data = client.get(f"{IRIS}/versions/v2").json["data"]

    assert data["line"] == ["v2", "v1"]
    assert data["gate"] == data["gates"][0]
    assert (data["gate"]["decision"], data["gate"]["rows"]) == ("refused", 40)
    assert data["fates"] == {
        "verdicts": 4,
        "learnt": {"v2": 1},
        "held_out": 1,
        "set_aside": {"far out": 1},
        "waiting": 1,
    }
    assert {one["id"]: (one["fate"], one["reason"]) for one in data["learnt_from"]} == {
        ids[0]: ("learnt", None),
        ids[1]: ("held out", None),
        ids[2]: ("set aside", "far out: 9"),
    }
    assert data["learnt_from"][0]["prediction"]["feedback"]["trusted"]
    assert data["next"] is None


def test_verdicts_of_a_version_come_in_pages(client: FlaskClient, served: Service) -> None:
    ids = judged(served, 3)
    published(served, fates=[Fate(id, "learnt", 1.0) for id in ids])

    first = client.get(f"{IRIS}/versions/v2?limit=2").json["data"]
    second = client.get(f"{IRIS}/versions/v2?limit=2&after={first['next']}").json["data"]

    pages = [[one["id"] for one in page["learnt_from"]] for page in (first, second)]
    assert pages == [sorted(ids)[:2], sorted(ids)[2:]]
    assert second["next"] is None
    assert client.get(f"{IRIS}/versions/v2?limit=0").status_code == 422


# ── aliases and policy ───────────────────────────────────────────────────────────────────────


def test_promoted_version_answers_until_it_is_rolled_back(
    client: FlaskClient, served: Service
) -> None:
    published(served, gate=verdict())
    row = {"instances": [IRIS_ROW], "model": "iris"}

    promoted = client.post(f"{IRIS}/promote", json={"version": "v2", "reason": "it is better"})
    now = client.post("/api/v1/predictions", json=row).json["version"]
    back = client.post(f"{IRIS}/rollback")
    then = client.post("/api/v1/predictions", json=row).json["version"]

    assert promoted.json["data"] == {"model": "iris", "aliases": {"champion": "v2"}}
    assert back.json["data"] == {"model": "iris", "aliases": {"champion": "v1"}}
    assert (now, then) == ("v2", "v1")
    assert [move.moved_by for move in served.store.registry.moves("iris")[-2:]] == ["operator"] * 2


def test_refused_version_needs_force_and_a_reason(client: FlaskClient, served: Service) -> None:
    published(served, gate=verdict("refused"))
    answers = [
        client.post(f"{IRIS}/promote", json={"version": "v2", **more})
        for more in ({}, {"force": True}, {"force": True, "reason": "The anchor is stale."})
    ]

    assert [(one.status_code, one.json.get("reason")) for one in answers] == [
        (409, "gate_refused"),
        (422, "invalid"),
        (200, None),
    ]


def test_challenger_comes_and_goes(client: FlaskClient, served: Service) -> None:
    published(served)

    come = client.post(f"{IRIS}/promote", json={"version": "v2", "alias": "challenger"})
    gone = client.delete(f"{IRIS}/aliases/challenger")
    again = client.delete(f"{IRIS}/aliases/challenger")

    assert come.json["data"]["aliases"] == {"champion": "v1", "challenger": "v2"}
    assert gone.json["data"]["aliases"] == {"champion": "v1"}
    assert again.status_code == 409


def test_policy_is_read_changed_and_sent_back(client: FlaskClient, served: Service) -> None:
    before = client.get(f"{IRIS}/policy").json["data"]
    changed = client.put(f"{IRIS}/policy", json={"promote": "auto", "learn": "every 50 verdicts"})
    same = client.put(f"{IRIS}/policy", json=changed.json["data"])

    plain = promote.policy(served, "zombies")
    wanted = parse_policy({"promote": "auto", "learn": "every 50 verdicts"}, plain)
    assert before == describe(plain)
    assert changed.json["data"] == describe(wanted) == same.json["data"]
    assert client.get(f"{IRIS}/policy").json["data"] == describe(wanted)


def test_policy_that_is_wrong_names_the_keys(client: FlaskClient) -> None:
    answer = client.put(f"{IRIS}/policy", json={"cap": 2, "promte": "auto"})

    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json["details"]] == ["cap", "promte"]


def test_a_model_that_was_renamed_is_found_by_its_old_name(
    client: FlaskClient, served: Service
) -> None:
    published(served, gate=verdict())
    served.store.registry.rename_model("iris", "flowers")
    sync(served.shelf.folder, served.store.registry)

    answers = [
        client.get(f"{IRIS}/policy"),
        client.get(f"{IRIS}/versions/v2"),
        client.post(f"{IRIS}/promote", json={"version": "v2"}),
        client.get(f"{IRIS}/jobs"),
    ]

    assert [one.status_code for one in answers] == [200] * 4
