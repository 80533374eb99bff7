"""Who may, of every route by every method, as it is declared; checked over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.web.hazards import OF_PROGRAMS, path_of
from tests.web.visitor import csrf, sign_in
from unrot.core.records import Token
from unrot.serve.service import Service
from unrot.serve.tokens import MARK, digest_of, make_token
from unrot.web import security
from unrot.web.routes import ANYONE, OF_LIBRARIES
from unrot.web.security import RANKS, Role

FRAMED = "/models/iris/embed"
"""The form for frames of other sites, which knows no session: test_elsewhere.py."""

FORGED = MARK + "x" * 43


@dataclass(frozen=True)
class Place:
    """One route by one method, and who may."""

    method: str
    path: str
    needs: Role

    @property
    def is_page(self) -> bool:
        return not self.path.startswith(OF_PROGRAMS)


def places(app: Flask) -> Iterator[Place]:
    """Return all that is declared."""
    for rule in app.url_map.iter_rules():
        if OF_LIBRARIES.fullmatch(rule.endpoint):
            continue
        needs = security.access_of(app.view_functions[rule.endpoint])
        assert needs is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Place(method, path_of(rule), needs)


@pytest.fixture
def guarded(app: Flask) -> list[Place]:
    """What not anyone may; of these alone it can be told that somebody may not."""
    return [one for one in places(app) if one.needs != ANYONE]


@pytest.fixture
def token_of(kept: Service) -> Callable[[str], str]:
    """A token by who holds it."""
    now = kept.clock()

    def made(role: str) -> str:
        given = (kept.store.tokens, kept.settings, f"A {role}", role, None)
        return make_token(*given, by="operator", now=now).secret  # type: ignore[arg-type]

    def find(who: str) -> str:
        if who == "expired":
            token = Token("old", "operator", digest_of(FORGED), now - 9.0, "", now - 1.0)
            kept.store.tokens.add(token)
            return FORGED
        if who == "revoked":
            secret = made("operator")
            kept.store.tokens.revoke("A operator", now)
            return secret
        known = {"viewer": VIEWER, "judge": JUDGE, "operator": OPERATOR, "forged": FORGED}
        return known[who] if who in known else made(who.removeprefix("own "))

    return find


WHO: dict[str, Role] = {
    "anyone": "anyone",
    "viewer": "viewer",
    "judge": "judge",
    "operator": "operator",
    "own viewer": "viewer",
    "own judge": "judge",
    "own operator": "operator",
    "expired": "anyone",
    "revoked": "anyone",
    "forged": "anyone",
}


@pytest.mark.parametrize("who", WHO)
def test_route_of_programs_lets_in_who_may(
    app: Flask, guarded: list[Place], token_of: Callable[[str], str], who: str
) -> None:
    headers = {} if who == "anyone" else {"Authorization": f"Bearer {token_of(who)}"}
    client = app.test_client()
    wrong = {}
    for number, one in enumerate(one for one in guarded if not one.is_page):
        address = f"198.51.{number}.1"  # guesses of one address are slowed
        code = client.open(
            *(one.path,),
            method=one.method,
            headers=headers,
            environ_base={"REMOTE_ADDR": address},
        ).status_code
        expected = 401 if WHO[who] == "anyone" else 403 if not may(who, one) else None
        if (code != expected) if expected else code in (401, 403):
            wrong[one] = code

    assert wrong == {}


@pytest.mark.parametrize("who", WHO)
def test_page_lets_in_who_may(
    app: Flask, guarded: list[Place], token_of: Callable[[str], str], who: str
) -> None:
    client = app.test_client()
    if who != "anyone":
        code = sign_in(client, token_of(who)).status_code
        assert code == (401 if WHO[who] == "anyone" else 303)
    form = {"csrf_token": csrf(client)}
    wrong = {}
    for one in guarded:
        if one.is_page:
            answer = client.open(one.path, method=one.method, data=form)
            if not is_as_declared(answer, who, one):
                wrong[one] = (answer.status_code, answer.location)

    assert wrong == {}


def is_as_declared(answer: TestResponse, who: str, place: Place) -> bool:
    is_sent_to_sign_in = (answer.location or "").startswith("/login")
    if WHO[who] == "anyone":
        return answer.status_code == 302 and is_sent_to_sign_in
    if not may(who, place):
        return answer.status_code == 403
    return answer.status_code != 403 and not is_sent_to_sign_in


def may(who: str, place: Place) -> bool:
    return RANKS[WHO[who]] >= RANKS[place.needs]


def test_form_of_another_origin_is_refused_everywhere(app: Flask, operator: FlaskClient) -> None:
    """The browser sends its cookie, but no page of ours has told the form its token."""
    own = [one for one in places(app) if one.is_page and not one.path.startswith(FRAMED)]
    posts = [one for one in own if one.method == "POST"]
    codes = {one: operator.post(one.path, data={"name": "x"}).status_code for one in posts}

    assert len(posts) > 15
    assert {one: code for one, code in codes.items() if code != 403} == {}


def test_matrix_has_the_routes_of_tokens_and_of_the_log(guarded: list[Place]) -> None:
    found = {(one.method, one.path, one.needs) for one in guarded}

    assert {
        ("GET", "/tokens", "operator"),
        ("POST", "/tokens", "operator"),
        ("POST", "/tokens/revoke", "operator"),
        ("GET", "/audit-log", "operator"),
        ("GET", "/api/v1/audit-log", "operator"),
    } <= found
