"""The requests that are answered without Flask: predict, feedback, health.

They are nearly all that a server is asked. What they answer stands in `api/answers.py`, which
Flask's views call as well, so here is only what Flask does around a view: which function an
address means, who calls, what is counted. Whatever is unusual (a CSV file, another method, an
address with a slash at its end, a host that is none, a browser with its cookies) is left to Flask.
`tests/web/test_fast_lane.py` plays the same requests to both.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from flask import Flask
from werkzeug.http import parse_options_header
from werkzeug.sansio.utils import host_is_trusted

from unrot.core.records import THIS_MACHINE, Caller
from unrot.core.request_ids import HEADER, RequestId, in_request, is_sane
from unrot.core.settings import Settings
from unrot.run import lanes
from unrot.run.lanes import Reply, size_of
from unrot.run.wsgi import Head, Header, Headers, parted
from unrot.serve.service import Service
from unrot.serve.shelf import Contents
from unrot.web.api import answers
from unrot.web.api.answers import Sent
from unrot.web.metrics.counting import GATHERED
from unrot.web.proxies import NOBODY_KNOWS, said_by
from unrot.web.routes import API
from unrot.web.security import FOR_ONE_ALONE, HEALTH, OVER_HTTPS, Doorkeeper, caller_of
from unrot.web.uploads import TRUTHS

Answer = Callable[[Service, Sent], Reply]
Run = Callable[[Service, bytes, Contents | None, Caller], Reply]
AtHand = Callable[[Service, bytes], Contents | None]
"""What is served, if a body can be answered from it in microseconds."""

QUICK_BYTES = 65_536
"""A body of more bytes holds many rows: it is answered by a thread, so that nobody waits for it."""
FOR_FLASK = ("cookie", "origin", "sec-fetch-site", "x-forwarded-protocol", "x-forwarded-ssl")
"""Headers that mean more than is looked at here."""
MORE = ("explain", "sure", "%")
"""What in a query takes more than a plain answer, or may say so in other letters."""
REQUEST_ID = HEADER.lower()
MOST_KNOWN = 1_000
LONGEST_KEY = 400
PREDICT = re.compile(
    rf"{API}/models/([a-z0-9][a-z0-9_-]{{0,63}})(?:/versions/([A-Za-z0-9_-]{{1,64}}))?/predict"
)
PLAIN_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*(:[0-9]{1,5})?")
_OF_MODEL = f"{API}/models/<model>/predict"
_OF_VERSION = f"{API}/models/<model>/versions/<version>/predict"
_FEEDBACK = f"{API}/feedback"
BY_SESSION = ("Vary", "Cookie")
"""Flask says so of each answer for which it has looked for a session."""
NOTHING_NEEDED = Contents()


@dataclass(frozen=True, slots=True)
class Identified:
    """What answers a request whose client has given it an id: the answer and the log carry it."""

    call: lanes.Call
    id: RequestId

    def answer_now(self, body: bytes) -> Reply | None:
        """Answer, if nothing has to be waited for."""
        with in_request(self.id):
            reply = self.call.answer_now(body)
        return None if reply is None else self._told(reply)

    def answer(self, body: bytes) -> Reply:
        """Answer."""
        with in_request(self.id):
            return self._told(self.call.answer(body))

    def _told(self, reply: Reply) -> Reply:
        if any(name == HEADER for name, _ in reply.headers):
            return reply
        return reply._replace(headers=[*reply.headers, (HEADER, self.id.tell())])


@dataclass(frozen=True, slots=True)
class Call:
    """What answers requests that are alike, but for who sends them."""

    lane: FastLane
    route: str
    method: str
    run: Run
    at_hand: AtHand
    more: tuple[Header, ...] = ()
    """Headers of the answer, because of how it was asked."""

    def answer(self, body: bytes, caller: Caller, contents: Contents | None = None) -> Reply:
        """Answer, and count it."""
        began = time.perf_counter()
        reply = self.run(self.lane.service, body, contents, caller)
        GATHERED.request(self.route, self.method, reply.status, time.perf_counter() - began)
        if not self.more:
            return reply
        return Reply(reply.status, [*reply.headers, *self.more], reply.body)


class Asking(NamedTuple):
    """What answers one request."""

    call: Call
    caller: Caller

    def answer_now(self, body: bytes) -> Reply | None:
        """Answer, if nothing has to be waited for: neither a store nor a model to be loaded."""
        call, caller = self
        if len(body) > QUICK_BYTES:
            return None
        contents = call.at_hand(call.lane.service, body)
        return None if contents is None else call.answer(body, caller, contents)

    def answer(self, body: bytes) -> Reply:
        """Answer, however long it takes."""
        return self.call.answer(body, self.caller)


class HeadKey(NamedTuple):
    """All of a request's head that its call depends on, but for who sends it."""

    method: str
    path: str
    content_type: str | None
    host: str | None
    scheme: str
    is_private: bool


@dataclass
class FastLane:
    """Finds the call for a request; one for each app and home folder."""

    app: Flask
    settings: Settings
    _known: dict[HeadKey, Call | None] = field(default_factory=dict)

    @property
    def service(self) -> Service:
        """What answers."""
        found: Service = self.app.extensions["unrot"]
        return found

    def find(self, head: Head) -> lanes.Call | None:
        """Return what answers a request; None where Flask does."""
        call = self._find(head)
        given = head.headers.get(REQUEST_ID)
        if call is None or given is None or not is_sane(given):
            return call
        is_alone = len(head.headers.get_all(REQUEST_ID)) == 1
        return Identified(call, RequestId(given)) if is_alone else call

    def _find(self, head: Head) -> Asking | None:
        headers = head.headers
        for name in FOR_FLASK:
            if headers.get(name) is not None:
                return None
        query = head.query_string
        if query and any(word in query for word in MORE):
            return None
        if (size_of(headers) or 0) > self.settings.max_body:
            return None
        asked = HeadKey(
            head.method,
            head.path,
            headers.get("content-type"),
            self._host(headers),
            self._scheme(headers),
            headers.get("authorization") is not None,
        )
        try:
            call = self._known[asked]
        except KeyError:
            call = self._learn(asked)
        if call is None:
            return None
        if call.route == HEALTH:
            return Asking(call, THIS_MACHINE)
        address, header = self._address(head), None
        if asked.is_private:
            header = ",".join(headers.get_all("authorization"))
        keeper: Doorkeeper = self.app.extensions["doorkeeper"]
        if call.route == _FEEDBACK:
            call = self._by(call, keeper, asked.content_type, address, header)
            return Asking(call, THIS_MACHINE)
        return Asking(call, keeper.visitor(address, header, lambda: self.service))

    def _said(self, headers: Headers, name: str) -> str | None:
        """Return what the outermost of our proxies says of how it was asked."""
        count = self.settings.trusted_proxies
        if not count or headers.get(name) is None:
            return None
        return said_by(",".join(headers.get_all(name)), count)

    def _host(self, headers: Headers) -> str | None:
        """Return by which name it was asked."""
        by_proxy = None
        if self.settings.forwarded_host:
            by_proxy = self._said(headers, "x-forwarded-host")
        return by_proxy or headers.get("host")

    def _scheme(self, headers: Headers) -> str:
        """Return http or https; nothing where gunicorn's settings are to say whom to believe."""
        if headers.get("x-forwarded-proto") is None:
            return "http"
        return self._said(headers, "x-forwarded-proto") or ""

    def _learn(self, asked: HeadKey) -> Call | None:
        call = self._made(asked)
        if sum(len(part or "") for part in asked[:5]) <= LONGEST_KEY:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[asked] = call
        return call

    def _made(self, asked: HeadKey) -> Call | None:
        host, hosts = asked.host or "", self.settings.hosts
        if os.environ.get("SCRIPT_NAME") or not PLAIN_HOST.fullmatch(host):
            return None
        if hosts and not host_is_trusted(host, hosts):
            return None
        if asked.scheme not in ("http", "https"):
            return None
        is_health = (asked.method, asked.path) == ("GET", HEALTH)
        if self.settings.https and asked.scheme == "http" and not is_health:
            return None
        call = Call(self, HEALTH, "GET", _healthy, _held) if is_health else None
        mimetype = mimetype_of(asked.content_type or "")
        if asked.method == "POST" and mimetype not in TRUTHS:
            call = self._posted(asked.path, mimetype)
        if call is None:
            return None
        more = [OVER_HTTPS] if asked.scheme == "https" else []
        more += [FOR_ONE_ALONE if asked.is_private else BY_SESSION]
        return replace(call, more=tuple(more))

    def _posted(self, path: str, mimetype: str) -> Call | None:
        plain: dict[str, Answer] = {
            f"{API}/predict": answers.predict_default,
            f"{API}/predictions": answers.predict_instances,
        }
        if path in plain:
            answer = plain[path]
            return Call(
                *(self, path, "POST"),
                lambda of, body, contents, caller: answer(
                    of, Sent(mimetype, body, caller, contents)
                ),
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
            lambda of, body, contents, caller: answers.predict(
                of, Sent(mimetype, body, caller, contents), model, version
            ),
            lambda of, _body: of.shelf.at_hand(model, version),
        )

    def _by(
        self,
        call: Call,
        keeper: Doorkeeper,
        content_type: str | None,
        address: str,
        header: str | None,
    ) -> Call:
        """Return the call of a verdict, whose token is looked at when it is read."""
        mimetype = mimetype_of(content_type or "")

        def who() -> Caller:
            return caller_of(lambda: self.service, keeper, address, header)

        def run(of: Service, body: bytes, _contents: Contents | None, caller: Caller) -> Reply:
            return answers.feedback(of, Sent(mimetype, body, caller), who)

        return replace(call, run=run)

    def sender_of(self, head: Head) -> str:
        """Return who sends a request, as far as its address tells; nothing of this machine."""
        keeper: Doorkeeper = self.app.extensions["doorkeeper"]
        return keeper.visitor(self._address(head), None, lambda: self.service).subject

    def _address(self, head: Head) -> str:
        """Return where a request comes from."""
        peer = parted(head.client)[0] or (NOBODY_KNOWS if self.settings.trusted_proxies else "")
        return self._said(head.headers, "x-forwarded-for") or peer


@lru_cache(maxsize=256)
def mimetype_of(content_type: str) -> str:
    """Return a type without what is said of it, as Flask does."""
    return parse_options_header(content_type)[0].lower()


def _healthy(_of: Service, _body: bytes, _contents: Contents | None, _caller: Caller) -> Reply:
    return answers.HEALTHY


def _never(_of: Service, _body: bytes, _contents: Contents | None, _caller: Caller) -> Reply:
    raise NotImplementedError("A verdict is answered by a call that knows who gives it.")


def _held(_of: Service, _body: bytes) -> Contents:
    return NOTHING_NEEDED


def _nothing_at_hand(_of: Service, _body: bytes) -> None:
    return None


def _all_at_hand(of: Service, body: bytes) -> Contents | None:
    """The older form may name a version, which is loaded when it is first asked."""
    return None if b"/versions/" in body else of.shelf.at_hand()
