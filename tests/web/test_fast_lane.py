"""The fast lane and Flask say the same, whatever is asked: two thousand requests played to both."""

from __future__ import annotations

import itertools
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from flask import Flask
from werkzeug.test import Client

from tests.conftest import JUDGE, OPERATOR, VIEWER
from tests.run.test_lanes import Head, Headers
from unrot.core.logs import JsonLine
from unrot.run.lanes import Reply
from unrot.serve.limits import Limits, limits_of
from unrot.serve.service import Service
from unrot.web.fast_lane import FastLane
from unrot.web.metrics.counting import GATHERED
from unrot.web.proxies import Proxies, behind_proxies
from unrot.web.security import HTTPS_ALONE

REQUESTS = 2_000
MADE = re.compile(r"[0-9a-f]{16}")
ID = re.compile(rb"[A-Za-z0-9_-]{32}|unverified-[A-Za-z0-9_-]{16}")
PREDICT = "/api/v1/models/{}/predict"
AT = 1_790_000_000.0

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
ODD_VALUES = (
    *(None, True, False, "5.1", "", [], {}, [1], {"a": 1}, 0, -0.0, 5, -3, 1e300, -1e19, 2**63),
    *(2**70, 10**400, 1e18, "x" * 200, "\ud800", "\0", "ä\n"),
)
TEXTS = (
    *(b"", b" ", b"{", b"nonsense", b"NaN", b'{"inputs": NaN}', b'{"inputs": 1e999}', b"\xff\xfe"),
    *(b'"a"', b"[]", b"{}", b"3", b"null", b'{"inputs": {"a": -Infinity}}', b"[" * 20_000),
    *(b"\x1f\x8b\x08\x00gzipped", "häuser".encode("latin-1"), b'{"inputs": []}'),
)
REQUEST_IDS = ("ours-1", "a.b_C-9", "x" * 64, "x" * 65, "", "a b", "a,b", "<a>", "ä", "{}")
TYPES = (
    *("application/json; charset=utf-8", "application/vnd.api+json", "text/plain", "", "a"),
    *("APPLICATION/JSON", 'application/json; charset="x', "application/x-www-form-urlencoded"),
)


@dataclass
class Request:
    """One request as both lanes get it."""

    path: str
    body: bytes
    method: str = "POST"
    content_type: str | None = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def head(self) -> Head:
        given = [("host", "localhost"), ("content-length", str(len(self.body)))]
        given += [] if self.content_type is None else [("content-type", self.content_type)]
        given += [(name.lower(), value) for name, value in self.headers.items()]
        return Head(self.path, self.method, Headers(given), client="127.0.0.1:1")


@dataclass
class Playing:
    """Makes requests by chance, as honest and as hostile clients would."""

    chance: random.Random
    ids: list[str]

    def requests(self, count: int) -> Iterator[Request]:
        makers = (self.one_row, self.many_rows, self.bare, self.instances, self.feedback)
        for _ in range(count):
            request = self.chance.choice(makers)()
            if self.chance.random() < 0.06:
                request = replace(request, body=self.chance.choice(TEXTS))
            if self.chance.random() < 0.05:
                request = replace(request, content_type=self.chance.choice((*TYPES, None)))
            if self.chance.random() < 0.2:
                id = {"X-Request-Id": self.chance.choice(REQUEST_IDS)}
                request = replace(request, headers={**request.headers, **id})
            yield request

    def row(self) -> Any:
        """Return a row, most often a good one."""
        row: dict[str, Any] = {name: self.number() for name in IRIS}
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2))):
            name = self.chance.choice([*IRIS])
            match self.chance.randrange(4):
                case 0:
                    row[name] = self.chance.choice(ODD_VALUES)
                case 1:
                    row.pop(name, None)
                case 2:
                    row[self.chance.choice((name.upper(), "petal", "", "x" * 120))] = 1
                case 3:
                    row[name] = self.chance.randrange(9)
        return self.chance.choice(ODD_VALUES) if self.chance.random() < 0.03 else row

    def number(self) -> float:
        return self.chance.choice((round(self.chance.uniform(0, 8), 2), self.chance.random() * 5))

    def model(self) -> str:
        return self.chance.choice(("iris",) * 6 + ("zombies", "nobody", "Iris", "a" * 70, "i%20s"))

    def path(self) -> str:
        if self.chance.random() < 0.3:
            version = self.chance.choice(("v1", "v1", "v9", "V1", "x" * 70))
            return f"/api/v1/models/{self.model()}/versions/{version}/predict"
        return PREDICT.format(self.model())

    def one_row(self) -> Request:
        return self.sent(self.path(), {"inputs": self.row(), **self.more()})

    def many_rows(self) -> Request:
        rows = [self.row() for _ in range(self.chance.choice((0, 1, 2, 3, 7, 30)))]
        return self.sent(self.path(), {"inputs": rows, **self.more()})

    def more(self) -> dict[str, Any]:
        return self.chance.choice(({},) * 12 + ({"model": "iris"}, {"b": 1}, {"": None}))

    def bare(self) -> Request:
        return self.sent("/api/v1/predict", self.row())

    def instances(self) -> Request:
        rows: Any = [self.instance() for _ in range(self.chance.choice((0, 1, 1, 2, 5)))]
        if self.chance.random() < 0.05:
            rows = self.chance.choice(ODD_VALUES)
        given = {"instances": rows}
        names = ("iris", "iris/versions/v1", "zombies/versions/v9", "", "a/b", "nobody", 3, None)
        if self.chance.random() < 0.5:
            given["model"] = self.chance.choice(names)
        if self.chance.random() < 0.05:
            given["other"] = 1
        path = self.chance.choice(("/api/v1/predict", "/api/v1/predictions"))
        return self.sent(path, given)

    def instance(self) -> Any:
        size = self.chance.choice((4,) * 8 + (0, 3, 5))
        row = [self.number() for _ in range(size)]
        if row and self.chance.random() < 0.1:
            row[0] = self.chance.choice(ODD_VALUES)  # type: ignore[call-overload]
        return self.chance.choice(ODD_VALUES) if self.chance.random() < 0.03 else row

    def feedback(self) -> Request:
        given: Any = self.verdict()
        if self.chance.random() < 0.2:
            given = [self.verdict() for _ in range(self.chance.choice((0, 1, 3)))]
        token = self.chance.choice((JUDGE, OPERATOR, VIEWER, "wrong", ""))
        header = self.chance.choice((f"Bearer {token}", f"bearer  {token} ", f"Basic {token}", ""))
        headers = {"Authorization": header} if self.chance.random() < 0.3 else {}
        return replace(self.sent("/api/v1/feedback", given), headers=headers)

    def verdict(self) -> Any:
        if self.chance.random() < 0.1:
            return self.chance.choice((*ODD_VALUES, self.older()))
        letters = "".join(self.chance.choices(string.ascii_letters, k=32))
        ids = (*(self.ids.pop() if self.ids else letters,) * 9, letters, "short", 3, None)
        labels = ("Iris-setosa", "Iris-virginica", "tulip", 3, None)
        given = {
            "id": self.chance.choice(ids),
            "was_correct": self.chance.choice((True, False, None, "yes")),
            "label": self.chance.choice(labels),
            "comment": self.chance.choice(("", "A tulip.", 5, "x" * 3_000, "a\0")),
        }
        said = {name: value for name, value in given.items() if self.chance.random() < 0.6}
        return {**said, **self.beside(said)}

    def beside(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return a reward or a signal, most often where nothing else is said."""
        if self.chance.random() < 0.2:
            return {"reward": self.chance.choice((0, 1, 0.7, 1.5, -0.0, "0.5", True, None))}
        if ("label" in said or "was_correct" in said) and self.chance.random() < 0.9:
            return {}
        return {"signal": self.chance.choice(("abandoned", "copied", "a,b", "x" * 65, "", 5, None))}

    def older(self) -> Any:
        given = {"model": "iris", "input data": 1, "prediction": "a", "was correct": True}
        given |= self.chance.choice(({}, {}, {"reward": 0.5}, {"reward": 0}, {"signal": "copied"}))
        return {name: value for name, value in given.items() if self.chance.random() < 0.9}

    def sent(self, path: str, given: Any) -> Request:
        try:
            return Request(path, orjson.dumps(given))
        except TypeError:  # Not all of this can be written strictly.
            import json

            return Request(path, json.dumps(given).encode())


def by_flask(app: Flask, request: Request) -> Reply:
    answer = app.test_client().open(
        request.path.replace("%", "%25"),
        method=request.method,
        data=request.body,
        headers={**request.headers, **_typed(request)},
    )
    return Reply(answer.status_code, [*answer.headers.items()], answer.data)


def _typed(request: Request) -> dict[str, str]:
    return {} if request.content_type is None else {"Content-Type": request.content_type}


def by_fast_lane(app: Flask, request: Request) -> Reply | None:
    lane: FastLane = app.extensions["fast_lane"]
    call = lane.find(request.head())
    return None if call is None else call.answer(request.body)


LANES = (by_fast_lane, by_flask)


def told(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return all that a client sees, but for ids and for the length that each server writes."""
    headers = sorted((name.lower(), MADE.sub("made", value)) for name, value in reply.headers)
    return (
        reply.status,
        [one for one in headers if one[0] != "content-length"],
        ID.sub(b"an id", reply.body),
    )


@pytest.fixture
def still(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An app whose clock stands, and whose limits nobody meets, however slow the machine is."""
    service: Service = app.extensions["unrot"]
    hours = itertools.count(AT, 3_600)
    limits = Limits(
        service.settings.home / "limits", limits_of(service.settings), clock=lambda: next(hours)
    )
    app.extensions["unrot"] = replace(service, clock=lambda: AT, limits=limits)
    return app


def ids_of(app: Flask, count: int) -> list[str]:
    service: Service = app.extensions["unrot"]
    made = service.predict("iris", [IRIS] * count).predictions
    return [one.id for one in made if one.id is not None]


@pytest.mark.parametrize("seed", range(4))
def test_two_thousand_requests_are_answered_alike(still: Flask, seed: int) -> None:
    """Verdicts get predictions of their own on each lane, so that each is as new."""
    count = REQUESTS // 4
    ids = [ids_of(still, 2 * count), ids_of(still, 2 * count)]
    first, second = (Playing(random.Random(seed), some).requests(count) for some in ids)
    statuses = Counter[int]()

    for asked, again in zip(first, second, strict=True):
        fast = by_fast_lane(still, asked)
        slow = by_flask(still, again)
        if fast is not None:
            statuses[fast.status] += 1
            assert told(fast) == told(slow), (asked, again)

    assert statuses.keys() >= {200, 201, 400, 401, 403, 404, 415, 422}
    assert statuses.total() > count * 0.8


@pytest.mark.parametrize(
    "request_",
    [
        Request("/api/v1/models/iris/predict/", b"{}"),
        Request("/api/v1//predict", b"{}"),
        Request("/api/v1/predict", b"", "GET"),
        Request("/api/v1/predict", b"", "OPTIONS"),
        Request("/api/v1/health", b"", "HEAD"),
        Request("/api/v1/health", b"", "POST"),
        Request("/api/v1/feedback", b"", "DELETE"),
        Request("/api/v1/models/iris/predict", b"a,b", content_type="text/csv; header=present"),
        Request("/api/v1/feedback", b"id,label", content_type="text/csv"),
        Request("/api/v1/models", b"", "GET"),
        Request("/", b"", "GET"),
    ],
)
def test_what_is_unusual_is_left_to_flask(app: Flask, request_: Request) -> None:
    assert by_fast_lane(app, request_) is None


@pytest.mark.parametrize("host", ["a b", "a..b", "", "[::", "a,b", "x" * 300, "a:b", "-:99999999"])
def test_host_that_may_be_none_is_left_to_flask(app: Flask, host: str) -> None:
    head = replace(Request("/api/v1/health", b"", "GET").head(), headers=Headers([("host", host)]))

    assert app.extensions["fast_lane"].find(head) is None


def test_health_is_answered_alike(app: Flask) -> None:
    request = Request("/api/v1/health", b"", "GET", None)
    fast = by_fast_lane(app, request)

    assert fast is not None
    assert told(fast) == told(by_flask(app, request))


def behind(app: Flask, proxies: int, **more: Any) -> FastLane:
    service: Service = app.extensions["unrot"]
    return FastLane(app, replace(service.settings, trusted_proxies=proxies, **more))


def test_verdict_counts_for_the_address_that_a_trusted_proxy_tells(app: Flask) -> None:
    given = [("x-forwarded-for", "6.6.6.6, 203.0.113.9"), ("x-forwarded-for", "10.0.0.1")]
    head = Head("/api/v1/feedback", headers=Headers(given))

    assert behind(app, 2)._address(head) == "203.0.113.9"
    assert behind(app, 2)._address(Head(client="[2001:db8::1]:80")) == "2001:db8::1"
    assert behind(app, 0)._address(head) == "10.0.0.7"


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ('", 203.0.113.9', "203.0.113.9"),
        ("\\, 203.0.113.9", "203.0.113.9"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_nobody_counts_as_this_machine_by_what_a_header_says(
    still: Flask, sent: str | None, known: str
) -> None:
    """Behind a proxy on a socket without addresses, on both lanes."""
    headers = {} if sent is None else {"X-Forwarded-For": sent}
    seen: list[str] = []

    def app_behind(environ: dict[str, Any], start_response: Any) -> Any:
        seen.append(environ["REMOTE_ADDR"])
        return still(environ, start_response)

    client = Client(Proxies(app_behind, x_for=1))
    client.get("/api/v1/health", headers=headers, environ_base={"REMOTE_ADDR": ""})
    head = Head(client="unix:", headers=Headers([*((k.lower(), v) for k, v in headers.items())]))

    assert seen == [known] == [behind(still, 1)._address(head)]


HEALTH = Request("/api/v1/health", b"", "GET")
BY_PROXY = {
    "no host": {"X-Forwarded-Host": "a b"},
    "http": {"X-Forwarded-Proto": "http"},
    "https": {"X-Forwarded-Proto": "https"},
    "twice": {"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "evil.test, a.test"},
    "neither": {"X-Forwarded-Proto": "gopher"},
    "a quote": {"X-Forwarded-Proto": '"https, http', "X-Forwarded-Host": '"evil.test, a.test'},
    "a token": {"Authorization": "Bearer x", "X-Forwarded-Proto": "https"},
    "ssl": {"X-Forwarded-Ssl": "on"},
    "a cookie": {"Cookie": "unrot=x"},
    "a page elsewhere": {"Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("asked", [*BY_PROXY])
@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/predict"])
@pytest.mark.parametrize("chosen", [{}, {"https": True}, {"hosts": ("a.test", "localhost")}])
@pytest.mark.parametrize("forwarded_host", [False, True])
def test_behind_a_proxy_both_lanes_say_the_same(
    still: Flask, asked: str, path: str, chosen: dict[str, Any], *, forwarded_host: bool
) -> None:
    """What the fast lane does not answer itself is Flask's, which is as well."""
    method, body = ("GET", b"") if path == HEALTH.path else ("POST", orjson.dumps(IRIS))
    request = Request(path, body, method, headers=BY_PROXY[asked])
    still.config["TRUSTED_HOSTS"] = list(chosen.get("hosts", ())) or None
    still.config[HTTPS_ALONE] = chosen.get("https", False)
    lane = behind(still, 1, forwarded_host=forwarded_host, **chosen)
    still.wsgi_app = behind_proxies(still.wsgi_app, lane.settings)  # type: ignore[method-assign]

    call = lane.find(request.head())

    if call is not None:
        assert told(call.answer(body)) == told(by_flask(still, request))


@pytest.mark.parametrize("forwarded_host", [False, True])
def test_host_is_what_a_proxy_says_only_where_a_setting_says_so(
    app: Flask, *, forwarded_host: bool
) -> None:
    lane = behind(app, 1, forwarded_host=forwarded_host, hosts=("a.test",))
    request = replace(HEALTH, headers={"X-Forwarded-Host": "a.test"})

    assert (lane.find(request.head()) is not None) == forwarded_host


def test_proxy_that_nobody_trusts_is_not_heard(app: Flask) -> None:
    called = {
        name: behind(app, 0).find(replace(HEALTH, headers=given).head()) is not None
        for name, given in BY_PROXY.items()
    }

    assert called == {name: name == "no host" for name in BY_PROXY}


def test_body_beyond_the_limit_is_left_to_flask(app: Flask) -> None:
    request = Request("/api/v1/predict", b" " * 2_000)

    assert behind(app, 0, max_body=1_999).find(request.head()) is None
    assert behind(app, 0, max_body=2_000).find(request.head()) is not None


def test_unexpected_error_is_answered_alike(still: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Service, "predict", breaks)
    request = Request("/api/v1/predict", orjson.dumps(IRIS))

    fast = by_fast_lane(still, request)

    assert fast is not None
    assert fast.status == 500
    assert told(fast) == told(by_flask(still, request))


def id_in(reply: Reply | None) -> list[str]:
    assert reply is not None
    return [value for name, value in reply.headers if name == "X-Request-Id"]


def test_answer_carries_the_id_that_its_client_gave_or_that_stands_in_the_log(
    still: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(caplog.handler, "formatter", JsonLine())
    request = Request(PREDICT.format("iris"), orjson.dumps({"inputs": IRIS}))
    named = replace(request, headers={"X-Request-Id": "ours-1"})
    before = [id_in(lane(still, one)) for one in (request, named) for lane in LANES]

    def breaks(*_: Any, **__: Any) -> Any:
        raise ValueError("quotes 5.1")

    monkeypatch.setattr(Service, "predict", breaks)
    after = [id_in(lane(still, one)) for one in (request, named) for lane in LANES]
    logged = [orjson.loads(line)["request_id"] for line in caplog.text.splitlines()]

    assert before == [[], [], ["ours-1"], ["ours-1"]]
    assert after == [[id] for id in logged]
    assert all(MADE.fullmatch(id) for id in logged[:2])
    assert logged[2:] == ["ours-1", "ours-1"]
    assert "quotes" not in caplog.text


# ── what is quick ────────────────────────────────────────────────────────────────────────────


def quick(app: Flask, path: str, body: bytes = b"{}") -> bool:
    call = app.extensions["fast_lane"].find(Request(path, body).head())
    assert call is not None
    return call.answer_now(body) is not None


def test_only_what_waits_for_nothing_is_quick(app: Flask) -> None:
    service: Service = app.extensions["unrot"]
    before = quick(app, PREDICT.format("iris"))
    service.catalogue()

    assert not before
    assert quick(app, PREDICT.format("iris"))
    assert quick(app, PREDICT.format("nobody"))
    assert quick(app, "/api/v1/predict")
    assert not quick(app, "/api/v1/predictions", b'{"model": "iris/versions/v1"}')
    assert not quick(app, "/api/v1/feedback")
    assert not quick(app, PREDICT.format("iris"), b" " * 70_000)


def test_new_pointer_is_followed_by_a_thread(app: Flask, touch: Callable[[Service], None]) -> None:
    service: Service = app.extensions["unrot"]
    service.catalogue()

    touch(service)

    assert not quick(app, PREDICT.format("iris"))
    service.catalogue()
    assert quick(app, PREDICT.format("iris"))


@pytest.fixture
def touch() -> Callable[[Service], None]:
    def write_again(service: Service) -> None:
        pointer = service.shelf.folder / "pointer.json"
        draft = pointer.with_name("draft")
        draft.write_bytes(pointer.read_bytes())
        draft.replace(pointer)

    return write_again


# ── counts ───────────────────────────────────────────────────────────────────────────────────


def sample(app: Flask, wanted: str) -> float:
    client = app.test_client()
    text = client.get("/metrics", headers={"Authorization": f"Bearer {VIEWER}"}).text
    found = re.search(rf"^{re.escape(wanted)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_both_lanes_count_the_same(app: Flask) -> None:
    answered = (
        'unrot_requests_total{method="POST",route="/api/v1/models/<model>/predict",status="2xx"}'
    )
    took = 'unrot_request_duration_seconds_count{route="/api/v1/models/<model>/predict"}'
    rows = 'unrot_predictions_total{model="iris",version="v1"}'
    request = Request(PREDICT.format("iris"), orjson.dumps({"inputs": [IRIS, IRIS]}))
    names = (answered, took, rows)
    GATHERED.flush()
    before = [sample(app, name) for name in names]
    by_flask(app, request)
    between = [sample(app, name) for name in names]
    by_fast_lane(app, request)

    after = [sample(app, name) for name in names]

    by_flasks = [late - early for early, late in zip(before, between, strict=True)]
    by_fasts = [late - early for early, late in zip(between, after, strict=True)]
    assert by_flasks == by_fasts == [1.0, 1.0, 2.0]
