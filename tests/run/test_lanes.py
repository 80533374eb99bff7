"""What a web worker does with bodies that trickle, break or are large, and with too much."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from tests.conftest import wait_for
from unrot.core.logs import JsonLine
from unrot.run import lanes, threads
from unrot.run.lanes import BodyBroke, Lanes, Reply
from unrot.run.threads import Threads, Work
from unrot.run.wsgi import WHOLE_BYTES, Header, Trust, environ_of

BODY = 1_000
UPLOAD = 5 * 2**20
NOBODY = Trust(frozenset(), {})


@dataclass
class Headers:
    given: list[Header]

    def get(self, key: str, default: Any = None) -> Any:
        return next((value for name, value in self.given if name == key), default)

    def get_all(self, key: str) -> list[str]:
        return [value for name, value in self.given if name == key]

    def items(self) -> list[Header]:
        return self.given


@dataclass
class Head:
    path: str = "/api/v1/echo"
    method: str = "POST"
    headers: Headers = field(default_factory=lambda: Headers([]))
    query_string: str = "a=1"
    http_version: str = "1.1"
    client: str = "10.0.0.7:1234"
    server: str = "10.0.0.1:80"


class Never:
    """What is waited for and never comes."""

    def __await__(self) -> Iterator[Never]:
        yield self


class Exchange:
    """A request whose pieces are known, and what was answered."""

    def __init__(self, pieces: Sequence[bytes | None], head: Head) -> None:
        self.head = head
        self.pieces = iter(pieces)
        self.sent: list[Reply] = []
        self.has_stopped = False

    async def whole(self) -> bytes:
        return b"".join([piece async for piece in self._all()])

    async def _all(self) -> Any:
        while piece := await self.piece():
            yield piece

    async def piece(self) -> bytes:
        piece = next(self.pieces, b"")
        if piece is None:
            await Never()  # type: ignore[misc]
        if piece == b"!":
            raise BodyBroke
        assert piece is not None
        return piece

    def stop(self) -> None:
        self.has_stopped = True

    def watch(self) -> None:
        assert not self.sent

    def send(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        self.sent.append(Reply(status, headers, body))

    def stream(self, status: int, headers: Sequence[Header], parts: Iterable[bytes]) -> None:
        self.send(status, [*headers, ("streamed", "yes")], b"".join(parts))

    def answer(self) -> Reply:
        wait_for(lambda: self.sent)
        [answer] = self.sent
        return answer


def request(
    *pieces: bytes | None, size: int | None = -1, path: str = "/api/v1/echo", kind: str = ""
) -> Exchange:
    """Make a request; it says how long its body is, unless `size` says another or None."""
    length = sum(len(piece or b"") for piece in pieces) if size == -1 else size
    told = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
    given = [told, *([("content-type", kind)] if kind else [])]
    return Exchange(pieces, Head(path=path, headers=Headers(given)))


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer how long the body is, or that it broke, and where it lay."""
    stream = environ["wsgi.input"]
    try:
        said = {"size": len(stream.read()), "is_on_disk": getattr(stream, "_rolled", False)}
    except BodyBroke as error:
        said = {"broke": str(error)}
    body = orjson.dumps(said)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


class BySender:
    """Answers nothing, and knows who sends by the address."""

    def find(self, _head: Head) -> None:
        return None

    def sender_of(self, head: Head) -> str:
        return head.client


@dataclass
class Desk:
    lanes: Lanes
    threads: Threads

    def take(self, exchange: Exchange) -> Exchange:
        """Begin a request as the server does; what waits for ever stays where it is."""
        steps: Coroutine[Any, None, None] = self.lanes.answer(exchange)
        with suppress(StopIteration):
            exchange.waiting = steps.send(None), steps  # type: ignore[attr-defined]
        return exchange


def desk(app: Any = echo, *, threads: int = 2, most_waiting: int = 4, seconds: float = 60) -> Desk:
    some = Threads(threads, most_waiting=most_waiting, seconds=seconds)
    table = Lanes(app, None, some, trust=NOBODY, most_body=BODY, most_upload=UPLOAD)
    return Desk(table, some)


def test_small_body_goes_to_the_app_from_memory() -> None:
    answer = desk().take(request(b"abc", b"de")).answer()

    assert orjson.loads(answer.body) == {"size": 5, "is_on_disk": False}


def test_large_file_goes_to_the_app_from_the_disk() -> None:
    pieces = [b"x" * 2**20] * 4

    answer = desk().take(request(*pieces, kind="text/csv")).answer()

    assert orjson.loads(answer.body) == {"size": 4 * 2**20, "is_on_disk": True}


@pytest.mark.parametrize("kind", ["application/json", "text/csv"])
def test_body_beyond_the_limit_is_read_to_its_end_and_not_kept(kind: str) -> None:
    pieces = [b"x" * 2**20] * 6
    exchange = request(*pieces, kind=kind)

    answer = desk().take(exchange).answer()

    assert orjson.loads(answer.body)["size"] == 0
    assert list(exchange.pieces) == []


def test_body_of_unknown_length_is_kept_one_byte_beyond_the_limit() -> None:
    answer = desk().take(request(b"x" * 600, b"x" * 600, b"x" * 600, size=None)).answer()

    assert orjson.loads(answer.body)["size"] == BODY + 1


@pytest.mark.parametrize("size", [100, None])
def test_body_that_breaks_off_is_told_to_the_app(size: int | None) -> None:
    answer = desk().take(request(b"abc", b"!", size=size)).answer()

    assert orjson.loads(answer.body) == {"broke": "The body does not arrive whole."}


@pytest.mark.parametrize("size", [100, None])
def test_body_that_does_not_come_is_cut(size: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PATIENCE_SECONDS", -1.0)
    table = desk()
    exchange = table.take(request(b"a", None, size=size))
    assert exchange.sent == []

    table.lanes.look_after()

    assert exchange.answer().status == 408
    assert ("connection", "close") in exchange.answer().headers
    assert exchange.has_stopped


def test_large_body_that_stands_still_is_cut_however_much_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "PATIENCE_SECONDS", -1.0)
    table = desk()
    exchange = table.take(request(b"x" * 2**20, None, size=4 * 2**20, kind="text/csv"))

    table.lanes.look_after()

    assert exchange.answer().status == 408


def test_body_that_has_time_left_is_waited_for() -> None:
    table = desk()
    exchange = table.take(request(b"a", None, size=100))

    table.lanes.look_after()

    assert exchange.sent == []


def test_more_bodies_than_can_be_waited_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST_ARRIVING", 2)
    monkeypatch.setattr(lanes, "BRIEF_SECONDS", 0.0)
    table = desk()

    taken = [table.take(request(None, size=9)) for _ in range(3)]

    assert [len(one.sent) for one in taken] == [0, 0, 1]
    assert taken[2].answer().status == 503
    assert ("retry-after", "5") in taken[2].answer().headers


def test_bodies_that_come_with_their_heads_are_not_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "MOST_ARRIVING", 2)
    monkeypatch.setattr(lanes, "BRIEF_SECONDS", 0.2)
    table = desk()

    fresh = [table.take(request(None, size=9)) for _ in range(3)]
    time.sleep(0.3)
    later = table.take(request(None, size=9))

    assert [len(one.sent) for one in fresh] == [0, 0, 0]
    assert later.answer().status == 503


def test_one_sender_takes_not_all_the_places_of_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST_ARRIVING", 9)
    monkeypatch.setattr(lanes, "CROWD", 3)
    monkeypatch.setattr(lanes, "BRIEF_SECONDS", 0.0)
    some = Threads(2, most_waiting=9, seconds=60)
    table = Desk(
        Lanes(echo, BySender(), some, trust=NOBODY, most_body=BODY, most_upload=UPLOAD), some
    )

    def sent_by(client: str) -> int:
        exchange = request(None, size=9)
        exchange.head = replace(exchange.head, client=client)
        return len(table.take(exchange).sent)

    assert [sent_by("ada") for _ in range(5)] == [0, 0, 0, 1, 1]
    assert [sent_by("bob") for _ in range(4)] == [0, 0, 0, 1]
    assert [sent_by("") for _ in range(4)] == [0, 0, 0, 1]


def test_half_sent_files_of_one_sender_leave_room_on_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "MOST_SPOOLED", 3)
    some = Threads(2, most_waiting=9, seconds=60)
    table = Desk(
        Lanes(echo, BySender(), some, trust=NOBODY, most_body=BODY, most_upload=UPLOAD), some
    )

    def sent_by(client: str) -> Exchange:
        exchange = request(b"x" * 2**20, None, size=UPLOAD, kind="text/csv")
        exchange.head = replace(exchange.head, client=client)
        return table.take(exchange)

    adas, bobs = ([sent_by(one) for _ in range(3)] for one in ("ada", "bob"))

    assert [len(one.sent) for one in adas + bobs] == [0, 0, 1, 0, 1, 1]
    assert (adas[2].answer().status, bobs[1].answer().status) == (429, 503)

    later = time.monotonic() + 600
    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", lambda: later)
        table.lanes.look_after()
    assert [one.answer().status for one in adas] == [408, 408, 429]
    assert sent_by("ada").sent == []


def test_large_bodies_that_wait_leave_room_for_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MOST_HELD", 2 * 2**17)
    some = Threads(2, most_waiting=4, seconds=60)
    table = Desk(Lanes(echo, None, some, trust=NOBODY, most_body=2**20, most_upload=2**20), some)
    for _ in range(2):
        table.take(request(None, size=2**17))

    answers = [table.take(request(b"x" * size)).answer() for size in (lanes.SMALL_BYTES, 2**17)]

    assert [orjson.loads(answer.body)["size"] for answer in answers] == [lanes.SMALL_BYTES, 2**17]
    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.parametrize(("size", "is_streamed"), [(WHOLE_BYTES, False), (WHOLE_BYTES + 1, True)])
def test_large_answer_of_the_fast_lane_is_sent_no_faster_than_it_is_taken(
    size: int, is_streamed: bool
) -> None:
    class Fast:
        def find(self, _head: Head) -> Fast:
            return self

        def answer_now(self, _body: bytes) -> None:
            return None

        def answer(self, _body: bytes) -> Reply:
            return Reply(200, [], b"x" * size)

    some = Threads(2, most_waiting=4, seconds=60)
    table = Lanes(echo, Fast(), some, trust=NOBODY, most_body=BODY, most_upload=UPLOAD)

    answer = Desk(table, some).take(request(b"a")).answer()

    told = [("content-length", str(size)), ("streamed", "yes")] if is_streamed else []
    assert (len(answer.body), list(answer.headers)) == (size, told)


def test_more_requests_than_can_be_answered_soon_are_refused_at_once() -> None:
    may_end = threading.Event()

    def slow(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        may_end.wait()
        start_response("200 OK", [("Content-Length", "0")])
        return []

    table = desk(slow, threads=1, most_waiting=2)
    taken = [table.take(request(b"a"))]
    wait_for(lambda: table.threads._doing[0])
    taken += [table.take(request(b"a")) for _ in range(4)]
    refused = [one.sent[0].status if one.sent else None for one in taken]
    may_end.set()

    assert refused == [None, None, None, 503, 503]
    assert orjson.loads(taken[4].answer().body)["reason"] == "busy"
    assert [one.answer().status for one in taken] == [200, 200, 200, 503, 503]


def test_beyond_so_many_a_second_who_is_refused_is_told_so_a_second_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "TOLD_AT_ONCE", 2)
    monkeypatch.setattr(lanes, "WAIT_SECONDS", 0.3)
    table = desk(threads=1, most_waiting=0)

    taken = [table.take(request(b"a")) for _ in range(4)]
    table.lanes.look_after()
    at_once = [len(one.sent) for one in taken]
    time.sleep(0.3)
    table.lanes.look_after()
    later = table.take(request(b"a"))

    assert at_once == [1, 1, 0, 0]
    assert {one.answer().status for one in [*taken, later]} == {503}


def test_who_was_turned_away_is_told_so_before_the_worker_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "TOLD_AT_ONCE", 0)
    table = desk(threads=1, most_waiting=0)
    exchange = table.take(request(b"a"))

    table.lanes.tell_turned_away(until=math.inf)

    assert exchange.answer().status == 503


def test_heavy_body_that_would_wait_in_vain_is_let_go_of_so_that_its_sender_reads_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "HEAVY_BYTES", 9)
    may_end = threading.Event()

    def slow(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        may_end.wait()
        start_response("200 OK", [("Content-Length", "0")])
        return []

    table = desk(slow, threads=1)
    taken = [table.take(request(b"a" * 10)) for _ in range(3)]
    time.sleep(0.1)
    may_end.set()
    assert [one.answer().status for one in taken] == [200] * 3
    wait_for(table.threads.are_idle)
    may_end.clear()

    monkeypatch.setattr(threads, "WAIT_SECONDS", 0.001)
    taken = [table.take(request(b"a" * 10))]
    wait_for(lambda: table.threads._doing[0])
    taken += [table.take(request(b"a" * 10)) for _ in range(2)]
    light = table.take(request(b"a" * 9))
    monkeypatch.setattr(lanes, "TOLD_AT_ONCE", 0)
    later = table.take(request(b"a" * 10))
    may_end.set()
    table.lanes.tell_turned_away(until=math.inf)

    assert (list(taken[2].pieces), list(later.pieces)) == ([], [b"a" * 10])
    assert later.answer().status == 503
    assert [one.answer().status for one in [*taken, light]] == [200, 200, 503, 200]


def test_answer_that_does_not_come_is_given_up_and_its_thread_is_stuck() -> None:
    may_end = threading.Event()

    def hangs(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        may_end.wait()
        start_response("200 OK", [("Content-Length", "0")])
        return []

    table = desk(hangs, threads=1, seconds=0.0)
    exchange = table.take(request(b"a"))
    wait_for(lambda: table.threads._doing[0])
    assert not table.threads.are_stuck()

    table.threads.give_up_the_late()

    assert orjson.loads(exchange.answer().body)["reason"] == "late"
    assert table.threads.are_stuck()
    may_end.set()
    wait_for(lambda: not table.threads.are_stuck())


def test_answer_that_gets_on_is_not_given_up() -> None:
    some = Threads(1, most_waiting=1, seconds=3_600.0)
    may_end = threading.Event()
    given_up: list[bool] = []
    some.take(
        Work(lambda work: (work.get_on(), may_end.wait())[0], lambda _: given_up.append(True))
    )
    wait_for(lambda: some._doing[0])

    some.give_up_the_late()
    may_end.set()

    assert given_up == []


def test_who_has_waited_too_long_for_a_thread_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = threading.Event()

    def slow(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        may_end.wait()
        start_response("200 OK", [("Content-Length", "0")])
        return []

    table = desk(slow, threads=1)
    first = table.take(request(b"a"))
    wait_for(lambda: table.threads._doing[0])
    second = table.take(request(b"a"))
    table.threads.give_up_the_late()
    assert second.sent == []

    monkeypatch.setattr(threads, "WAIT_SECONDS", -1.0)
    table.threads.give_up_the_late()
    may_end.set()

    assert orjson.loads(second.answer().body)["reason"] == "busy"
    assert ("retry-after", "5") in second.answer().headers
    assert first.answer().status == 200
    wait_for(table.threads.are_idle)


def test_predictions_that_wait_go_before_all_else() -> None:
    some = Threads(1, most_waiting=9, seconds=60.0)
    may_end, done = threading.Event(), list[str]()
    some.take(Work(lambda _: bool(may_end.wait()), print))
    wait_for(lambda: some._doing[0])
    for name in ("page", "prediction", "upload", "next prediction"):
        is_first = name.endswith("prediction")
        some.take(Work(lambda _, name=name: done.append(name), print, is_first))
    may_end.set()
    wait_for(some.are_idle)

    assert done == ["prediction", "next prediction", "page", "upload"]


def test_little_heavy_work_is_done_at_once_until_its_answer_is_sent() -> None:
    some = Threads(4, most_waiting=9, seconds=60.0)
    may_send, may_end = threading.Event(), threading.Event()
    reading, sending = list[int](), list[int]()

    def do(work: Work, number: int) -> None:
        reading.append(number)
        may_send.wait()
        some.get_on(work)
        sending.append(number)
        may_end.wait()

    for number in range(2):
        some.take(Work(lambda work, number=number: do(work, number), print, is_heavy=True))
    wait_for(lambda: reading)
    light = threading.Event()
    some.take(Work(lambda _: light.set(), print))
    assert light.wait(5)
    at_once = list(reading)
    may_send.set()
    wait_for(lambda: len(sending) == 2)
    may_end.set()
    wait_for(some.are_idle)

    assert at_once == [0]
    assert some._doing_heavy == 0


@pytest.mark.parametrize(
    ("kind", "are_heavy"),
    [
        ("application/json", [False, True]),
        ("text/csv", [False, False]),
        ("application/vnd.apache.parquet", [True, True]),
    ],
)
def test_large_body_is_heavy_but_for_a_file_which_is_read_in_parts(
    kind: str, are_heavy: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    table, taken = desk(), list[Work]()
    monkeypatch.setattr(table.threads, "take", lambda work: taken.append(work) or True)

    for size in (lanes.HEAVY_BYTES, lanes.HEAVY_BYTES + 1):
        table.take(request(b"x" * size, kind=kind))
    for work in taken:
        work.do(work)  # It closes what was kept of the body.

    assert [work.is_heavy for work in taken] == are_heavy


def test_failing_app_is_an_answer_and_the_thread_goes_on() -> None:
    def fails(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> list[bytes]:
        raise ZeroDivisionError

    table = desk(fails, threads=1)

    answers = [table.take(request(b"a", path=path)).answer() for path in ("/api/v1/x", "/x")]

    assert [answer.status for answer in answers] == [500, 500]
    assert [answer.headers[0][1] for answer in answers] == [
        "application/json",
        "text/plain; charset=utf-8",
    ]


def test_answer_of_unknown_length_is_streamed_and_closed() -> None:
    closed: list[bool] = []

    class Parts:
        def __iter__(self) -> Iterator[bytes]:
            return iter((b"a", b"b"))

        def close(self) -> None:
            closed.append(True)

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("X-Name", "häuser")])
        return Parts()

    answer = desk(app).take(request(b"a")).answer()

    assert (answer.body, answer.headers) == (b"ab", [("X-Name", "h?user"), ("streamed", "yes")])
    wait_for(lambda: closed)


# ── what an app is told ──────────────────────────────────────────────────────────────────────


def environ(*given: Header, trust: Trust = NOBODY, **more: str) -> dict[str, Any]:
    return environ_of(Head(headers=Headers([*given]), **more), None, trust)  # type: ignore[arg-type]


def test_environment_is_what_gunicorn_would_make() -> None:
    made = environ(
        ("content-type", "a/b"), ("content-length", "3"), ("x-a", "1"), ("x-a", "2"), path="/ä/b"
    )

    assert made["PATH_INFO"] == "/Ã¤/b"
    assert (made["CONTENT_TYPE"], made["CONTENT_LENGTH"], made["HTTP_X_A"]) == ("a/b", "3", "1,2")
    assert (made["REMOTE_ADDR"], made["SERVER_PORT"]) == ("10.0.0.7", "80")
    assert made["wsgi.url_scheme"] == "http"


def test_header_that_would_pass_for_another_is_dropped() -> None:
    made = environ(("x_forwarded_for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4"))

    assert made["HTTP_X_FORWARDED_FOR"] == "1.2.3.4"


@pytest.mark.parametrize(
    ("proxies", "client", "said", "scheme"),
    [
        (("10.0.0.7",), "10.0.0.7:1", "https", "https"),
        (("*",), "10.0.0.8:1", "https", "https"),
        (("*",), "10.0.0.8:1", "http", "http"),
        (("10.0.0.7",), "10.0.0.8:1", "https", "http"),
        ((), "unix:/run/app", "https", "https"),
    ],
)
def test_only_a_trusted_proxy_says_that_it_was_https(
    proxies: tuple[str, ...], client: str, said: str, scheme: str
) -> None:
    trust = Trust(frozenset(proxies), {"HTTP_X_FORWARDED_PROTO": "https"})

    made = environ(("x-forwarded-proto", said), trust=trust, client=client)

    assert made["wsgi.url_scheme"] == scheme


# ── the request's id ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", ["", "ours-1", "not sane"])
def test_answer_to_what_failed_carries_the_id_that_was_logged(
    given: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_environ: dict[str, Any], _start_response: Callable[..., Any]) -> list[bytes]:
        raise ValueError("quotes a value")

    monkeypatch.setattr(caplog.handler, "formatter", JsonLine())
    exchange = request(b"abc")
    exchange.head.headers.given += [("x-request-id", given)] if given else []

    answer = desk(fails).take(exchange).answer()

    [line] = [orjson.loads(line) for line in caplog.text.splitlines()]
    assert answer.status == 500
    assert dict(answer.headers)["x-request-id"] == line["request_id"]
    assert (line["request_id"] == "ours-1") == (given == "ours-1")
    assert "quotes" not in caplog.text


@pytest.mark.parametrize(("given", "expected"), [("ours-1", ["ours-1"]), ("not sane", [])])
def test_refusal_carries_the_id_that_its_client_gave(given: str, expected: list[str]) -> None:
    exchange = request(b"abc")
    exchange.head.headers.given.append(("x-request-id", given))

    lanes.refuse(exchange, "busy")

    told = [value for name, value in exchange.answer().headers if name == "x-request-id"]
    assert told == expected
