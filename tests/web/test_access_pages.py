"""Tokens of persons, sessions that end, and the audit log, as people and programs meet them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.clock import Clock
from tests.conftest import JUDGE, OPERATOR, VIEWER, noon
from tests.lessons import published
from tests.web.visitor import IRIS, post, sign_in, take_store_away, text_of
from unrot.app import create_app
from unrot.core.acting import Act, acting
from unrot.core.records import Action
from unrot.core.settings import Settings
from unrot.serve.service import Service
from unrot.serve.shelf import sync
from unrot.serve.tokens import KnownTokens
from unrot.web.masked import masked

API = "/api/v1"
ROW = {name: float(value) for name, value in IRIS.items()}
AS_OPERATOR = {"Authorization": f"Bearer {OPERATOR}"}
AS_JUDGE = {"Authorization": f"Bearer {JUDGE}"}


@pytest.fixture
def seconds() -> Clock:
    """The clock of the other worker's memory."""
    return Clock(0.0)


@pytest.fixture
def other(settings: Settings, seconds: Clock) -> Iterator[Flask]:
    """Another worker on the same home."""
    made = create_app(settings)
    known: Service = made.extensions["unrot"]
    tokens = KnownTokens(known.store.tokens, clock=seconds)
    made.extensions["unrot"] = replace(known, tokens=tokens, clock=noon)
    yield made
    known.store.close()


@pytest.fixture
def make(operator: FlaskClient) -> Callable[..., str]:
    """Make a person a token on the page; return it as it is shown."""

    def made(name: str = "ada byron", role: str = "judge", days: str = "90") -> str:
        answer = post(operator, "/tokens", {"name": name, "role": role, "days": days})
        assert answer.status_code == 200, text_of(answer)
        found = re.search(r"unrot_[\w-]{43}", answer.text)
        assert found
        return found[0]

    return made


def newest(kept: Service, count: int = 50) -> list[Action]:
    return kept.store.audit_log.newest(count)


def predicted(client: FlaskClient, count: int = 1) -> list[str]:
    body = {"inputs": [ROW] * count}
    answer = client.post(f"{API}/models/iris/predict", json=body)
    return [one["id"] for one in answer.json["data"]["predictions"]]


# ── tokens ───────────────────────────────────────────────────────────────────────────────────


def test_token_is_shown_once_and_works_as_its_role_says(
    app: Flask, operator: FlaskClient, make: Callable[..., str]
) -> None:
    token = make()

    page = operator.get("/tokens")
    assert token not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "ada byron judge good until " in text_of(page)
    judge = app.test_client()
    sign_in(judge, f" {token} ")
    assert judge.get("/models/iris/audits").status_code == 200
    assert judge.get("/tokens").status_code == 403
    assert "Signed in as ada byron" in judge.get("/").text


def test_viewer_has_a_name_in_the_log_and_no_judges_word(
    app: Flask, kept: Service, make: Callable[..., str]
) -> None:
    sign_in(app.test_client(), make("grace", "viewer"))

    [came] = newest(kept, 1)
    assert (came.who, came.role, came.what) == ("grace", "viewer", "sign in")
    [id] = predicted(app.test_client())
    headers = {"Authorization": f"Bearer {make('bob', 'viewer')}"}
    app.test_client().post(f"{API}/feedback", json={"id": id, "was_correct": True}, headers=headers)
    said = kept.store.verdicts.of(id)
    assert said is not None
    assert (said.judge, said.is_trusted) == (None, False)


def test_verdict_of_a_person_is_trusted_under_the_own_name(
    app: Flask, kept: Service, make: Callable[..., str]
) -> None:
    anyone = app.test_client()
    [id] = predicted(anyone)
    headers = {"Authorization": f"Bearer {make()}"}

    answer = anyone.post(f"{API}/feedback", json={"id": id, "was_correct": True}, headers=headers)

    assert answer.status_code == 201
    said = kept.store.verdicts.of(id)
    assert said is not None
    assert (said.judge, said.is_trusted) == ("ada byron", True)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, 'name "": expected a name of 1 to 40 letters'),
        ({"name": "<b>"}, 'name "<b>": expected a name'),
        ({"role": "king"}, 'role "king": expected viewer, judge or operator.'),
        ({"days": "ever"}, 'days "ever": expected a whole number of days'),
        ({"days": "9999999999999"}, 'days "9999999999999": expected a whole number of days'),
        ({"days": "0"}, "days 0: expected a whole number of days, 1 to 3,650, or nothing."),
    ],
)
def test_what_cannot_be_made_is_said_and_what_was_typed_stays(
    operator: FlaskClient, kept: Service, fields: dict[str, str], said: str
) -> None:
    typed = {"name": "bob", "role": "judge", "days": "7", **fields}

    answer = post(operator, "/tokens", typed)

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert kept.store.tokens.all() == []


def test_revoked_token_is_refused_by_every_worker_and_its_sessions_are_over(
    operator: FlaskClient, other: Flask, seconds: Clock, make: Callable[..., str]
) -> None:
    token = make("bob", "operator")
    bob, program = other.test_client(), other.test_client()
    sign_in(bob, token)
    headers = {"Authorization": f"Bearer {token}"}
    assert bob.get("/tokens").status_code == 200
    assert program.get(f"{API}/operations", headers=headers).status_code == 200

    done = post(operator, "/tokens/revoke", {"name": "bob"})
    seconds.now += 1.0

    assert "The token of bob is revoked" in text_of(operator.get(done.location))
    assert bob.get("/tokens").location.startswith("/login")
    refused = program.get(f"{API}/operations", headers=headers)
    assert refused.status_code == 401
    assert re.fullmatch(
        r"This token was revoked on \d{4}-\d\d-\d\d \d\d:\d\d UTC: ask an operator for a new one\.",
        refused.json["message"],
    )
    assert "This token was revoked on" in text_of(sign_in(bob, token))


def test_only_its_holder_is_told_that_a_token_was_revoked(
    client: FlaskClient, operator: FlaskClient, make: Callable[..., str]
) -> None:
    token = make("bob")
    post(operator, "/tokens/revoke", {"name": "bob"})
    guess = token[:-4] + "AAAA"

    answer = client.get(f"{API}/operations", headers={"Authorization": f"Bearer {guess}"})

    assert answer.json["message"] == (  # as for any other guess
        "The token is not known: send Authorization: Bearer <token>."
    )


def test_expired_token_is_refused_and_says_so(
    app: Flask, kept: Service, make: Callable[..., str]
) -> None:
    token = make("bob", "viewer", "1")
    later = kept.clock() + 86_401
    app.extensions["unrot"] = replace(kept, clock=lambda: later)

    answer = app.test_client().get(
        f"{API}/operations", headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.status_code == 401
    assert answer.json["message"].startswith("This token expired on ")


def test_guesses_of_tokens_of_persons_are_slowed(client: FlaskClient) -> None:
    def asked(number: int) -> int:
        headers = {"Authorization": f"Bearer unrot_{number:043}"}
        return client.get(f"{API}/operations", headers=headers).status_code

    assert [asked(number) for number in range(21)] == [401] * 20 + [429]


def test_predict_asks_nothing_of_a_token(client: FlaskClient, settings: Settings) -> None:
    take_store_away(settings.home)

    answer = client.post(
        f"{API}/models/iris/predict",
        json={"inputs": ROW},
        headers={"Authorization": "Bearer unrot_" + "x" * 43},
    )

    assert answer.status_code == 200


# ── sessions ─────────────────────────────────────────────────────────────────────────────────


def test_copied_cookie_ends_with_the_session_on_every_worker(
    app: Flask, operator: FlaskClient, other: Flask, seconds: Clock
) -> None:
    cookie = operator.get_cookie("unrot")
    assert cookie is not None
    copies = [app.test_client(), other.test_client()]
    for copy in copies:
        copy.set_cookie("unrot", cookie.value)
    assert [copy.get("/operations").status_code for copy in copies] == [200, 200]

    post(operator, "/logout", {})
    seconds.now += 1.0

    assert [copy.get("/operations").status_code for copy in copies] == [302, 302]


def test_another_session_of_the_same_token_goes_on(app: Flask, operator: FlaskClient) -> None:
    second = app.test_client()
    sign_in(second, OPERATOR)

    post(operator, "/logout", {})

    assert second.get("/operations").status_code == 200


def test_session_has_an_end_however_often_it_is_used(app: Flask, kept: Service) -> None:
    client = app.test_client()
    sign_in(client, OPERATOR)
    later = kept.clock() + 32 * 86_400
    app.extensions["unrot"] = replace(kept, clock=lambda: later)

    assert client.get("/operations").status_code == 302


def test_signing_out_while_the_store_is_away_says_what_is_not_done(
    operator: FlaskClient, settings: Settings
) -> None:
    operator.get("/operations")
    form = {"csrf_token": ""}
    with operator.session_transaction() as session:
        form["csrf_token"] = masked(session["csrf"])
    take_store_away(settings.home)

    answer = operator.post("/logout", data=form)

    assert answer.status_code == 503
    assert "You are signed out in this browser." in text_of(answer)
    assert "Sign in" in text_of(operator.get("/"))


def test_signing_in_works_while_the_store_is_away(client: FlaskClient, settings: Settings) -> None:
    take_store_away(settings.home)

    assert sign_in(client, VIEWER).status_code == 303


# ── the audit log ────────────────────────────────────────────────────────────────────────────


def test_promotion_says_between_which_versions(client: FlaskClient, kept: Service) -> None:
    published(kept)
    sync(kept.shelf.folder, kept.store.registry)
    sign_in(client, OPERATOR)

    asked = {"version": "v2", "force": True, "reason": "a private reason"}
    promoted = client.post(f"{API}/models/iris/promote", json=asked, headers=AS_OPERATOR)
    back = post(client, "/models/iris/rollback", {})

    assert (promoted.status_code, back.status_code) == (200, 303)
    found = [(one.who, one.what, one.moved_from, one.moved_to) for one in newest(kept, 2)]
    assert found == [("operator", "rollback", "v2", "v1"), ("operator", "promote", "v1", "v2")]
    assert "private" not in str(newest(kept))


def test_page_and_api_tell_the_log_alike(client: FlaskClient, kept: Service) -> None:
    sign_in(client, OPERATOR)
    post(client, "/models/iris/policy", {"gate": "off"})
    there = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    client.put(f"{API}/models/iris/versions/v1/pin", headers=AS_OPERATOR, **there)

    pin, policy, came = newest(kept, 3)

    assert (pin.who, pin.role, pin.what, pin.model, pin.on, pin.where) == (
        *("operator", "operator", "pin", "iris", "v1", "203.0.113.9"),
    )
    assert (policy.what, policy.model, policy.where) == ("set policy", "iris", "127.0.0.1")
    assert (came.what, came.who) == ("sign in", "operator")


def test_who_may_not_and_who_only_looks_leaves_no_entry(client: FlaskClient, kept: Service) -> None:
    before = newest(kept, 1)

    headers = {"Authorization": f"Bearer {VIEWER}"}
    client.put(f"{API}/models/iris/versions/v1/pin", headers=headers)
    client.get(f"{API}/models/iris/versions", headers=headers)
    client.post(f"{API}/models/iris/promote", json={"version": "v9"}, headers=AS_OPERATOR)

    assert newest(kept, 1) == before


def test_verdicts_of_a_judge_are_one_entry_a_request(client: FlaskClient, kept: Service) -> None:
    ids = predicted(client, 4)
    before = len(newest(kept))
    many = [{"id": id, "was_correct": True, "comment": "a private comment"} for id in ids]

    client.post(f"{API}/feedback", json=many, headers=AS_JUDGE)
    client.post(f"{API}/feedback", json={"id": ids[0], "was_correct": False}, headers=AS_JUDGE)
    client.delete(f"{API}/feedback/{ids[0]}", headers=AS_JUDGE)
    client.post(f"{API}/feedback", json={"id": ids[1], "was_correct": True})

    found = newest(kept)[: -before or None]
    assert [(one.who, one.role, one.what, one.model) for one in found] == [
        ("ada", "judge", "take back", "iris"),
        ("ada", "judge", "judge", "iris"),
        ("ada", "judge", "judge", "iris"),
    ]


def test_file_of_a_judge_is_one_entry_however_long(
    client: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unrot.make.csv import labels

    monkeypatch.setattr(labels, "MOST_VERDICTS", 2)
    ids = predicted(client, 5)
    before = len(newest(kept))
    file = "id,label\n" + "".join(f"{id},Iris-setosa\n" for id in ids)

    answer = client.post(f"{API}/feedback", data=file, content_type="text/csv", headers=AS_JUDGE)

    assert answer.json["data"]["counts"] == {"created": 5}
    assert [one.what for one in newest(kept)[: -before or None]] == ["judge a file"]


def test_nothing_private_gets_into_the_log(
    app: Flask, operator: FlaskClient, kept: Service, make: Callable[..., str]
) -> None:
    token = make()
    headers = {"Authorization": f"Bearer {token}"}
    [id] = predicted(operator)
    verdict = {"id": id, "was_correct": False, "label": "Iris-virginica", "comment": "a secret"}
    operator.post(f"{API}/feedback", json=verdict, headers=headers)
    hook = {"webhook": "https://hooks.example.com/very/secret"}
    operator.put(f"{API}/models/iris/rules", json=hook, headers=AS_OPERATOR)

    written = json.dumps([str(replace(one, at=0.0)) for one in kept.store.audit_log.all()])

    assert "'ada byron'" in written
    for private in (token, OPERATOR, "a secret", "very", "virginica", "sepal", "5.1"):
        assert private not in written
    assert [one.what for one in newest(kept, 2)] == ["change rules", "judge"]


def test_log_is_shown_a_page_at_a_time(
    operator: FlaskClient, kept: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unrot.web.pages import access

    monkeypatch.setattr(access, "ENTRIES_A_PAGE", 2)
    total = len(newest(kept))

    first = operator.get("/audit-log")
    found = re.search(r'href="(/audit-log\?before=(\d+))">Older', first.text)
    assert found
    older = operator.get(found[1])

    assert re.findall(r'scope="row">(\d+)<', first.text) == [str(total), str(total - 1)]
    assert re.findall(r'scope="row">(\d+)<', older.text) == [str(total - 2), str(total - 3)]
    assert "sign in" in text_of(first)
    assert operator.get("/audit-log?before=x").status_code == 404
    assert "There is nothing older." in text_of(operator.get("/audit-log?before=1"))


def test_program_goes_through_the_log(client: FlaskClient, kept: Service) -> None:
    whole, before = [], ""
    while True:
        page = client.get(f"{API}/audit-log?limit=2{before}", headers=AS_OPERATOR).json["data"]
        whole += page["entries"]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"

    assert [one["number"] for one in whole] == list(range(len(newest(kept)), 0, -1))
    promoted = next(one for one in whole if one["what"] == "promote")
    assert promoted["who"] == "command line"
    assert (promoted["from"], promoted["to"]) == (None, "v1")


def test_saved_log_is_all_of_it_and_no_spreadsheet_runs_it(
    operator: FlaskClient, kept: Service
) -> None:
    with acting(Act("=1+1", "judge", "judge")):
        kept.store.audit_log.note()
    entries = list(kept.store.audit_log.all())

    table = operator.get("/audit-log.csv")
    lines = operator.get("/audit-log.jsonl")

    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(int(row["number"]), row["digest"]) for row in rows] == [
        (one.number, one.digest) for one in entries
    ]
    assert (entries[-1].who, rows[-1]["who"]) == ("=1+1", "'=1+1")
    assert table.headers["Content-Disposition"] == "attachment; filename=audit-log.csv"
    saved = [json.loads(line) for line in lines.text.splitlines()]
    assert [one["digest"] for one in saved] == [one.digest for one in entries]
    assert operator.get("/audit-log.exe").status_code == 404


def test_log_says_that_the_store_is_away(operator: FlaskClient, settings: Settings) -> None:
    take_store_away(settings.home)

    assert operator.get("/audit-log").status_code == 503
    assert operator.get("/tokens").status_code == 503
    assert operator.get("/", headers=AS_OPERATOR).status_code == 200


def test_rooms_of_operations_are_for_operators(viewer: FlaskClient) -> None:
    assert "Audit log" not in text_of(viewer.get("/operations"))
    sign_in(viewer, OPERATOR)
    assert "Operations Tokens Audit log" in text_of(viewer.get("/operations"))
