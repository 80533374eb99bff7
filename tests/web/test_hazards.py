"""Whatever a stranger types or sends, wherever: an answer below 500, or a meant 503.

A share of all attempts is made in each run, the same ones each time; `make fuzz` makes them all.
"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from tests.conftest import OPERATOR, Server
from tests.run.test_servers import SERVERS
from tests.web.hazards import (
    AMPLE,
    BODIES,
    FILES,
    HEADERS,
    SHARE,
    SURROGATES,
    TEXTS,
    VALUES,
    Attempt,
    attempts,
)
from tests.web.test_hostile import send
from tests.web.visitor import csrf, sign_in
from unrot.core.policy import POLICY
from unrot.core.rules import RULES

_NAMES = re.compile(r'(?:args|form|given)(?:\.get)?[(\[]"(\w+)"|moment\("(\w+)"')
WIDE = {"from", "until", "to"}
TO_SIGN_IN = ("/login", "/logout")
"""Where a session may end, so that a new one is opened."""
ON_THE_WIRE = 0.1
BROKEN = (
    *("Traceback", "Unexpected error", " failed.", "panicked", "SIGSEGV", "SIGABRT", "SIGKILL"),
    "WORKER TIMEOUT",
)
"""What a log says of an error of ours, or of a worker that ended with one."""
OF_JSON = b"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
HEADED = (
    b"GET /models/iris HTTP/1.1\r\nHost: localhost\r\n",
    b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n",
    b"GET /api/v1/models/iris HTTP/1.1\r\nHost: localhost\r\n",
    b"POST /api/v1/predict HTTP/1.1\r\n" + OF_JSON,
    b"POST /api/v1/feedback HTTP/1.1\r\n" + OF_JSON,
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n",
)
"""The beginnings of requests that a header is added to."""


def fields_of(app: Flask) -> dict[str, tuple[str, ...]]:
    """Return the names that the modules of the pages look for in queries and forms."""
    found = {}
    for endpoint, view in app.view_functions.items():
        module = inspect.getmodule(inspect.unwrap(view))
        source = inspect.getsource(module) if module else ""
        names = {name for pair in _NAMES.findall(source) for name in pair if name} | WIDE
        if endpoint.endswith(("set_policy", "set_rules")):
            names |= {*POLICY.options, *RULES.options}
        found[endpoint] = tuple(sorted(names - {"csrf_token"}))
    return found


def chosen(app: Flask, share: float) -> Iterator[Attempt]:
    """Return a share of all attempts, the same ones each time."""
    chance = random.Random(14)
    return (one for one in attempts(app, fields_of(app)) if chance.random() < share)


def signed_in(client: FlaskClient) -> str:
    sign_in(client, OPERATOR)
    return csrf(client)


def is_meant(status: int) -> bool:
    return status < 500 or status == 503


def test_nothing_that_is_sent_is_an_error_of_ours(app: Flask) -> None:
    client = app.test_client()
    token = signed_in(client)
    seen: set[int] = set()
    for attempt in chosen(app, SHARE):
        answer = client.open(
            attempt.path, method=attempt.method, **attempt.sent_by(OPERATOR, token)
        )
        assert is_meant(answer.status_code), f"{attempt}: {answer.text[:300]}"
        seen.add(answer.status_code)
        if attempt.path in TO_SIGN_IN:
            token = signed_in(client)

    assert {200, 303, 403, 404, 415, 422} <= seen


# ── on the wire ──────────────────────────────────────────────────────────────────────────────


@dataclass
class Wire:
    """An operator at a real server, who sends bytes."""

    server: Server
    cookie: str = ""
    csrf: str = ""

    def sign_in(self) -> None:
        """Open a session and keep what it goes on with."""
        session, url = requests.Session(), self.server.url
        form = {"csrf_token": token_in(session.get(f"{url}/login").text), "token": OPERATOR}
        session.post(f"{url}/login", form)
        self.csrf = token_in(session.get(f"{url}/models/iris").text)
        self.cookie = "; ".join(f"{one.name}={one.value}" for one in session.cookies)

    def play(self, attempt: Attempt) -> tuple[int, str]:
        """Send an attempt; return the status and all that came."""
        environ = EnvironBuilder(**attempt.sent_by(OPERATOR, self.csrf)).get_environ()
        body = environ["wsgi.input"].read()
        headers = {
            "Host": "localhost",
            "Connection": "close",
            "Cookie": self.cookie,
            "Content-Type": environ.get("CONTENT_TYPE", ""),
            "Content-Length": str(len(body)),
            "Authorization": environ.get("HTTP_AUTHORIZATION", ""),
        }
        lines = [f"{name}: {value}" for name, value in headers.items() if value]
        query = f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else ""
        head = "\r\n".join([f"{attempt.method} {attempt.path}{query} HTTP/1.1", *lines, "", ""])
        return send(self.server, head.encode("latin-1") + body)


def token_in(page: str) -> str:
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    return str(token)


@pytest.fixture(scope="module", params=SERVERS)
def wire(request: pytest.FixtureRequest, start_shared_server: Callable[..., Server]) -> Wire:
    return Wire(start_shared_server(UNROT_SERVER=request.param, WEB_CONCURRENCY="1", **AMPLE))


def test_nothing_on_the_wire_is_an_error_of_ours(wire: Wire, app: Flask) -> None:
    """Fewer of them at a time: each comes on a connection of its own."""
    seen: set[int] = set()
    wire.sign_in()
    for attempt in chosen(app, SHARE * ON_THE_WIRE):
        status, answer = wire.play(attempt)
        assert is_meant(status), f"{attempt}: {answer[-300:]}"
        seen.add(status)
        if attempt.path in TO_SIGN_IN:
            wire.sign_in()

    assert_nothing_broke(wire.server)
    assert {200, 303, 403, 404, 415, 422} <= seen


@pytest.mark.parametrize("asked", HEADED)
def test_no_header_is_an_error_of_ours(wire: Wire, asked: bytes) -> None:
    """A server that shuts the door on what is no HTTP has answered as well."""
    statuses = {header: status_of(wire.server, asked, header) for header in HEADERS}

    assert {header: told for header, told in statuses.items() if not is_meant(told)} == {}
    assert {*statuses.values()} - {400}
    assert_nothing_broke(wire.server)


def assert_nothing_broke(server: Server) -> None:
    log = server.log.read_text()
    assert [word for word in BROKEN if word in log] == [], log[-2_000:]


def status_of(server: Server, asked: bytes, header: bytes) -> int:
    try:
        return send(server, asked + header + b"\r\nConnection: close\r\n\r\n{}")[0]
    except (IndexError, ConnectionError):
        return 400


def test_corpus_has_at_least_two_hundred_inputs() -> None:
    assert len({*TEXTS, *SURROGATES, *VALUES, *BODIES, *FILES, *HEADERS}) >= 200
