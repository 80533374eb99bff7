"""The requests that are answered without Flask: predict, feedback, health.

They are nearly all that a server is asked. What they answer stands in `api/answers.py`, which
Flask's views call as well, so here is only what Flask does around a view: which function an
address means, who calls, what is counted. Whatever is unusual (a CSV file, another method, an
address with a slash at its end, a host that is none) is left to Flask.
`tests/web/test_fast_lane.py`
plays the same requests to both.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import Flask
from werkzeug.http import parse_list_header, parse_options_header

from unrot.core.records import Caller
from unrot.run.lanes import Reply
from unrot.run.wsgi import Head, parted
from unrot.serve.service import Service
from unrot.serve.shelf import Contents
from unrot.web.api import answers
from unrot.web.api.answers import Sent
from unrot.web.metrics.counting import GATHERED
from unrot.web.routes import API
from unrot.web.security import Doorkeeper

Answer = Callable[[Service, Sent], Reply]
Run = Callable[[Service, bytes, Contents | None], Reply]
AtHand = Callable[[Service, bytes], Contents | None]
"""What is served, if a body can be answered from it in microseconds."""

QUICK_BYTES = 65_536
"""A body of more bytes holds many rows: it is answered by a thread, so that nobody waits for it."""
MOST_KNOWN = 1_000
LONGEST_KEY = 400
PREDICT = re.compile(
    rf"{API}/models/([a-z0-9][a-z0-9_-]{{0,63}})(?:/versions/([A-Za-z0-9_-]{{1,64}}))?/predict"
)
PLAIN_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*(:[0-9]{1,5})?")
_OF_MODEL = f"{API}/models/<model>/predict"
_OF_VERSION = f"{API}/models/<model>/versions/<version>/predict"
_FEEDBACK = f"{API}/feedback"
NOTHING_NEEDED = Contents()


@dataclass(frozen=True, slots=True)
class Call:
    """What answers one request, or many alike."""

    lane: FastLane
    route: str
    method: str
    run: Run
    at_hand: AtHand

    def answer_now(self, body: bytes) -> Reply | None:
        """Answer, if nothing has to be waited for: neither a store nor a model to be loaded."""
        contents = self.at_hand(self.lane.service, body) if len(body) <= QUICK_BYTES else None
        return None if contents is None else self.answer(body, contents)

    def answer(self, body: bytes, contents: Contents | None = None) -> Reply:
        """Answer, and count it."""
        began = time.perf_counter()
        reply = self.run(self.lane.service, body, contents)
        GATHERED.request(self.route, self.method, reply.status, time.perf_counter() - began)
        return reply


@dataclass
class FastLane:
    """Finds the call for a request; one for each app."""

    app: Flask
    proxies: int
    _known: dict[tuple[Any, ...], Call | None] = field(default_factory=dict)

    @property
    def service(self) -> Service:
        """What answers."""
        found: Service = self.app.extensions["unrot"]
        return found

    def find(self, head: Head) -> Call | None:
        """Return what answers a request; None where Flask does."""
        headers = head.headers
        # All that a call depends on, but for who gives a verdict.
        key = head.method, head.path, headers.get("content-type"), headers.get("host")
        try:
            call = self._known[key]
        except KeyError:
            call = self._learn(key, head)
        if call is None or (self.proxies and headers.get("x-forwarded-host") is not None):
            return None
        return self._by(head, call) if call.route == _FEEDBACK else call

    def _learn(self, key: tuple[Any, ...], head: Head) -> Call | None:
        call = self._made(head)
        if sum(len(part or "") for part in key) <= LONGEST_KEY:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = call
        return call

    def _made(self, head: Head) -> Call | None:
        headers = head.headers
        if os.environ.get("SCRIPT_NAME") or not PLAIN_HOST.fullmatch(headers.get("host") or ""):
            return None
        if head.method == "GET":
            is_health = head.path == f"{API}/health"
            return Call(self, head.path, "GET", _healthy, _held) if is_health else None
        mimetype = mimetype_of(headers.get("content-type") or "")
        if head.method != "POST" or mimetype == "text/csv":
            return None
        return self._posted(head.path, mimetype)

    def _posted(self, path: str, mimetype: str) -> Call | None:
        plain: dict[str, Answer] = {
            f"{API}/predict": answers.predict_default,
            f"{API}/predictions": answers.predict_instances,
        }
        if path in plain:
            answer = plain[path]
            return Call(
                *(self, path, "POST"),
                lambda of, body, contents: answer(of, Sent(mimetype, body, contents)),
                _all_at_hand,
            )
        if path == _FEEDBACK:
            return Call(self, path, "POST", _never, _nothing_at_hand)
        found = PREDICT.fullmatch(path)
        if found is None:
            return None
        model, version = found.groups()
        return Call(
            *(self, _OF_VERSION if version else _OF_MODEL, "POST"),
            lambda of, body, contents: answers.predict(
                of, Sent(mimetype, body, contents), model, version
            ),
            lambda of, _body: of.shelf.at_hand(model, version),
        )

    def _by(self, head: Head, call: Call) -> Call:
        """Return the call of a verdict, which knows who gives it."""
        mimetype = mimetype_of(head.headers.get("content-type") or "")
        address = self._address(head)
        given = head.headers.get_all("authorization")
        header = ",".join(given) if given else None
        keeper: Doorkeeper = self.app.extensions["doorkeeper"]

        def who() -> Caller:
            return keeper.caller(address, header)

        def run(of: Service, body: bytes, _contents: Contents | None) -> Reply:
            return answers.feedback(of, Sent(mimetype, body), who)

        return Call(self, call.route, call.method, run, _nothing_at_hand)

    def _address(self, head: Head) -> str:
        """Return where a request comes from, as ProxyFix reads it."""
        said = parse_list_header(",".join(head.headers.get_all("x-forwarded-for")))
        if self.proxies and len(said) >= self.proxies:
            return said[-self.proxies]
        return parted(head.client)[0]


@lru_cache(maxsize=256)
def mimetype_of(content_type: str) -> str:
    """Return a type without what is said of it, as Flask does."""
    return parse_options_header(content_type)[0].lower()


def _healthy(_of: Service, _body: bytes, _contents: Contents | None) -> Reply:
    return answers.HEALTHY


def _never(_of: Service, _body: bytes, _contents: Contents | None) -> Reply:
    raise NotImplementedError("A verdict is answered by a call that knows who gives it.")


def _held(_of: Service, _body: bytes) -> Contents:
    return NOTHING_NEEDED


def _nothing_at_hand(_of: Service, _body: bytes) -> None:
    return None


def _all_at_hand(of: Service, body: bytes) -> Contents | None:
    """The older form may name a version, which is loaded when it is first asked."""
    return None if b"/versions/" in body else of.shelf.at_hand()
