"""The two lanes of a web worker: what is answered at once, and what goes to Flask.

The fast lane answers predict, feedback and health where it stands, or in a thread where it may take
its time. All else is Flask's, on the same threads, when its body has arrived: in memory while it is
small, in a temporary file when it is not. A body that trickles holds a place in a table and no
thread, and is cut when its time is up; so is an answer that does not come. What comes while too
much waits is told so at once.

One table belongs to one listening socket and is filled by its one thread; `look_after` is called by
another.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol, cast

import orjson

from unrot.core.request_ids import HEADER, RequestId, in_request
from unrot.run.threads import WAIT_SECONDS, Threads, Work
from unrot.run.wsgi import WHOLE_BYTES, Head, Header, Headers, Sink, Trust, call_app, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PATIENCE_SECONDS = 20.0
"""So long a small body may take; each SLOWEST bytes of a large one make good for a second of it."""
SLOWEST = 16_384
MOST_SPOOLED, MOST_OF_SENDER = 8, 2
"""So many times the largest upload lies on the disk of bodies on their way; so many are one's.

They are those of one table, so of one worker.
"""
MOST_ARRIVING, CROWD = 512, 128
"""So many bodies are waited for at once; from one sender, once they are a crowd, no more than that.
"""
BRIEF_SECONDS = 0.5
"""A small body that is waited for no longer counts as none: it comes with its head, as they do."""
SMALL_BYTES, FAST_BYTES = 2**16, 2**22
"""A body of fewer bytes is always held in memory, one for the fast lane of more never."""
MOST_HELD = 64 * 2**20
"""Bytes in memory of bodies that are not small and have not arrived whole."""
HEAVY_BYTES = 2**18
"""A body of more bytes, but of a file, becomes many objects in memory: few are read at once."""
DRAIN_BYTES = 256 * 2**20
"""So much of a body that is not taken is read and thrown away, so that its sender reads why."""
TOLD_AT_ONCE = 500
"""So many a second are told at once that there is too much to do, a large body by its 64 kB.
All others are told so a second later: who asks again at once would leave no time for answers."""
FILES = ("text/csv", "multipart/form-data")
PARQUET = "application/vnd.apache.parquet"
"""A process of its own reads it: however small it is, it is heavy."""
READ_WHOLE = "/invocations"
"""What is sent to such an address is read from memory, a file as well."""
REFUSALS = {
    "busy": (503, "More requests wait than can be answered soon: try again in a moment."),
    "files": (429, "Other files from your network are on their way: send this one after them."),
    "late": (503, "The answer took too long and was given up: ask for less at once, or later."),
    "too_slow": (408, "The body did not arrive in time: send it again on a better connection."),
    "internal": (500, "Something went wrong here. It was written to the log."),
}
_log = logging.getLogger(__name__)


class BodyBroke(Exception):
    """The body ended before its end, or its chunks are none."""


class Reply(NamedTuple):
    """A whole answer."""

    status: int
    headers: Sequence[Header]
    body: bytes


class Exchange(Sink, Protocol):
    """A request and the way back to its client."""

    @property
    def head(self) -> Head:
        """The request without its body."""

    async def whole(self) -> bytes:
        """Return the body; raise BodyBroke."""
        ...

    async def piece(self) -> bytes:
        """Return the next piece of the body, nothing at its end; raise BodyBroke."""
        ...

    def stop(self) -> None:
        """Wait for no more of the body."""

    def watch(self) -> None:
        """Notice from now on when the client goes."""


class Call(Protocol):
    """What the fast lane makes of a request's head."""

    def answer_now(self, body: bytes) -> Reply | None:
        """Answer, if nothing has to be waited for; never raise."""

    def answer(self, body: bytes) -> Reply:
        """Answer, however long it takes; never raise."""


class FastLane(Protocol):
    """Finds what can be answered without Flask."""

    def find(self, head: Head) -> Call | None:
        """Return what answers a request, None where Flask does."""

    def sender_of(self, head: Head) -> str:
        """Return who sends a request, as far as its address tells; nothing of this machine."""


class Lanes:
    """Takes the requests of one listening socket."""

    def __init__(
        self,
        app: WSGIApplication,
        fast: FastLane | None,
        threads: Threads,
        *,
        trust: Trust,
        most_body: int,
        most_upload: int,
    ) -> None:
        self._app, self._fast, self._threads, self._trust = app, fast, threads, trust
        self._most_body, self._most_upload = most_body, most_upload
        self._arriving: dict[Exchange, float] = {}
        self._senders: dict[Exchange, str] = {}
        """Of those that arrive, where it was asked."""
        self._held = 0
        self._spooled: dict[Exchange, tuple[str, int]] = {}
        """Who sends what goes to the disk, and how large it may become."""
        self._turned_away = deque[tuple[float, Exchange]]()
        self._told_since, self._told = 0.0, 0

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request, or see to it that somebody will."""
        head = exchange.head
        call = self._fast.find(head) if self._fast is not None else None
        size = size_of(head.headers)
        is_heavy = _is_heavy(head, size, is_fast=call is not None)
        if is_heavy and self._threads.are_full(is_heavy=True):
            await self._let_go(exchange)
            return
        if size is None or not self._can_hold(size, WHOLE_BYTES if call is None else FAST_BYTES):
            await self._take_large(exchange, size)
            return
        body = await self._whole(exchange, size) if size else b""
        if body is None:
            return
        if call is None:
            self._hand_over(exchange, BytesIO(body))
            return
        reply = call.answer_now(body)
        if reply is not None:
            exchange.send(*reply)
        else:
            self._submit(
                exchange,
                lambda work: self._send(exchange, call.answer(body), work),
                is_first=True,
                is_heavy=len(body) > HEAVY_BYTES,
            )

    def _are_too_many(self, head: Head) -> bool:
        """Tell whether no more bodies are waited for: in all, or of who sends this one."""
        if len(self._arriving) < min(CROWD, MOST_ARRIVING):
            return False
        arriving = [*self._waited_for()]
        if len(arriving) < CROWD or self._fast is None:
            return len(arriving) >= MOST_ARRIVING
        known, sender_of = self._senders, self._fast.sender_of
        self._senders = {
            one: known[one] if one in known else sender_of(one.head) for one in arriving
        }
        sender = sender_of(head)
        is_greedy = bool(sender) and [*self._senders.values()].count(sender) >= CROWD
        return is_greedy or len(arriving) >= MOST_ARRIVING

    def _waited_for(self) -> Iterator[Exchange]:
        """Return those whose bodies are waited for already: the first in the table came first."""
        brief = time.monotonic() + PATIENCE_SECONDS - BRIEF_SECONDS
        for exchange, ends_at in [*self._arriving.items()]:  # Another thread takes out of it.
            if exchange in self._spooled:
                yield exchange
            elif ends_at > brief:
                return
            else:
                yield exchange

    def _can_hold(self, size: int, most: int) -> bool:
        """Tell whether there is memory for a body; large ones leave room for small ones."""
        most = min(most, self._most_body)
        return size <= SMALL_BYTES or (size <= most and self._held + size <= MOST_HELD)

    async def _whole(self, exchange: Exchange, size: int) -> bytes | None:
        """Return a small body; None when somebody has answered already."""
        if self._are_too_many(exchange.head):
            self._turn_away(exchange)
            return None
        self._arriving[exchange] = time.monotonic() + PATIENCE_SECONDS
        held = size if size > SMALL_BYTES else 0
        self._held += held
        try:
            body = await exchange.whole()
        except BodyBroke:
            if self._arriving.pop(exchange, None) is not None:
                self._hand_over(exchange, Broken())
            return None
        finally:
            self._held -= held
        return body if self._arriving.pop(exchange, None) is not None else None

    async def _take_large(self, exchange: Exchange, size: int | None) -> None:
        """Take a large body, or one of unknown length, to the disk and on to Flask."""
        if self._are_too_many(exchange.head):
            self._turn_away(exchange)
            return
        most = self._most_of(exchange.head.headers, size)
        kept = 0 if size is not None and size > most else 1 + (most if size is None else size)
        reason = self._no_room_for(exchange, kept)
        if reason:
            refuse(exchange, reason)
            return
        try:
            await self._take_to_disk(exchange, kept)
        finally:
            self._spooled.pop(exchange, None)

    async def _let_go(self, exchange: Exchange) -> None:
        """Turn away a body that would wait in vain: it is kept nowhere, and read all the same.

        Its sender looks for an answer when all is sent: before, there is nobody to read why. Where
        more come than are told at once, theirs are not read: it would take the time of others.
        """
        if self._are_too_many(exchange.head) or not self._is_told_at_once(exchange):
            self._tell_later(exchange)
            return
        try:
            is_whole = await self._spool(exchange, BytesIO(), 0)
        except BodyBroke:
            is_whole = True
        finally:
            is_waiting = self._arriving.pop(exchange, None) is not None
        if is_whole and is_waiting:
            refuse(exchange, "busy")

    def _no_room_for(self, exchange: Exchange, kept: int) -> str:
        """Take note of a body that goes to the disk; else say why there is no room for it."""
        sender = "" if self._fast is None else self._fast.sender_of(exchange.head)
        largest, known = max(self._most_upload, self._most_body) + 1, [*self._spooled.values()]
        whole = kept + sum(size for _, size in known)
        own = kept + sum(size for one, size in known if one == sender)
        if sender and own > MOST_OF_SENDER * largest:
            return "files"
        if whole > MOST_SPOOLED * largest:
            return "busy"
        self._spooled[exchange] = sender, kept
        return ""

    async def _take_to_disk(self, exchange: Exchange, kept: int) -> None:
        file = cast(IO[bytes], SpooledTemporaryFile(WHOLE_BYTES))  # noqa: SIM115 (Flask closes it)
        try:
            is_whole = await self._spool(exchange, file, kept)
        except (BodyBroke, OSError):
            file.close()
            file, is_whole = Broken(), True
        except GeneratorExit:  # It was cut, and is not gone on with.
            file.close()
            raise
        if not is_whole or self._arriving.pop(exchange, None) is None:
            file.close()
            return
        file.seek(0)
        self._hand_over(exchange, file)

    async def _spool(self, exchange: Exchange, file: IO[bytes], kept: int) -> bool:
        """Keep the beginning of a body and read the rest; false when it was cut."""
        taken = 0
        self._arriving[exchange] = time.monotonic() + PATIENCE_SECONDS
        while taken < kept + DRAIN_BYTES:
            piece = await exchange.piece()
            if not piece:
                return True
            ends_at = self._arriving.get(exchange)
            if ends_at is None:
                return False
            if taken < kept:
                file.write(piece[: kept - taken])
            taken += len(piece)
            at_most = time.monotonic() + PATIENCE_SECONDS
            self._arriving[exchange] = min(ends_at + len(piece) / SLOWEST, at_most)
        return True

    def _most_of(self, headers: Headers, size: int | None) -> int:
        """Return how large a body may be; a file says how large it is."""
        is_file = size is not None and _is_file(headers)
        return max(self._most_upload, self._most_body) if is_file else self._most_body

    def _hand_over(self, exchange: Exchange, body: IO[bytes]) -> None:
        """Let Flask answer."""

        def do(work: Work) -> None:
            with body:
                environ = environ_of(exchange.head, body, self._trust)
                call_app(self._app, environ, exchange, partial(self._threads.get_on, work))

        size = size_of(exchange.head.headers)
        self._submit(exchange, do, is_heavy=_is_heavy(exchange.head, size, is_fast=False))

    def _submit(
        self,
        exchange: Exchange,
        do: Callable[[Work], None],
        *,
        is_first: bool = False,
        is_heavy: bool = False,
    ) -> None:
        def guarded(work: Work) -> None:
            try:
                do(work)
            except Exception:
                with in_request(_id_of(exchange)) as id:
                    _log.exception("%s %s failed.", exchange.head.method, exchange.head.path)
                refuse(exchange, "internal", id)

        exchange.watch()
        if not self._threads.take(Work(guarded, partial(refuse, exchange), is_first, is_heavy)):
            self._turn_away(exchange)

    def _turn_away(self, exchange: Exchange) -> None:
        """Say that there is too much to do, at once unless too many are told so."""
        if self._is_told_at_once(exchange):
            refuse(exchange, "busy")
        else:
            self._tell_later(exchange)

    def _is_told_at_once(self, exchange: Exchange) -> bool:
        now = time.monotonic()
        if now - self._told_since >= WAIT_SECONDS:
            self._told_since, self._told = now, 0
        self._told += 1 + (size_of(exchange.head.headers) or 0) // SMALL_BYTES
        return self._told <= TOLD_AT_ONCE

    def _tell_later(self, exchange: Exchange) -> None:
        self._turned_away.append((time.monotonic() + WAIT_SECONDS, exchange))

    def tell_turned_away(self, until: float) -> None:
        """Tell those whose second was over by then."""
        while self._turned_away and self._turned_away[0][0] <= until:
            refuse(self._turned_away.popleft()[1], "busy")

    def _send(self, exchange: Exchange, reply: Reply, work: Work) -> None:
        """Send an answer whole, or no faster than its client takes it."""
        self._threads.get_on(work)
        if len(reply.body) <= WHOLE_BYTES:
            exchange.send(*reply)
            return
        length = ("content-length", str(len(reply.body)))
        exchange.stream(reply.status, [*reply.headers, length], [reply.body])

    def look_after(self) -> None:
        """Cut the bodies whose time is up, and tell those that were turned away."""
        now = time.monotonic()
        self.tell_turned_away(now)
        for exchange, ends_at in list(self._arriving.items()):
            if ends_at < now and self._arriving.pop(exchange, None) is not None:
                self._spooled.pop(exchange, None)
                exchange.stop()
                refuse(exchange, "too_slow")


class Broken(BytesIO):
    """A body that did not arrive whole: whoever reads it is told so."""

    def read(self, _size: int | None = -1, /) -> bytes:
        """Raise what every server raises in its own way."""
        raise BodyBroke("The body does not arrive whole.")

    readline = read


def size_of(headers: Headers) -> int | None:
    """Return how long a body is; None when its sender does not say."""
    if headers.get("transfer-encoding") is not None:
        return None
    length = headers.get("content-length") or "0"
    return int(length) if length.isdecimal() else None


def _is_file(headers: Headers, of: str | tuple[str, ...] = FILES) -> bool:
    return (headers.get("content-type") or "").lower().startswith(of)


def _is_heavy(head: Head, size: int | None, *, is_fast: bool) -> bool:
    """Tell whether a body becomes many objects in memory: a file is read in parts."""
    if is_fast:
        return size is None or size > HEAVY_BYTES
    is_large = size is None or size > HEAVY_BYTES or _is_file(head.headers, PARQUET)
    return is_large and (not _is_file(head.headers) or head.path.endswith(READ_WHOLE))


def _id_of(exchange: Exchange) -> RequestId:
    given = exchange.head.headers.get_all(HEADER.lower())
    return RequestId(",".join(given))


def refuse(exchange: Exchange, reason: str, id: RequestId | None = None) -> None:
    """Say why there is no other answer."""
    status, message = REFUSALS[reason]
    headers = [("content-type", "application/json"), ("x-content-type-options", "nosniff")]
    body = orjson.dumps({"data": None, "message": message, "reason": reason})
    if not exchange.head.path.startswith("/api/"):
        headers[0], body = ("content-type", "text/plain; charset=utf-8"), message.encode()
    known = (id or _id_of(exchange)).known
    if known is not None:
        headers.append((HEADER.lower(), known))
    if status in (429, 503):
        headers.append(("retry-after", "5"))
    if status == 408:
        headers.append(("connection", "close"))
    exchange.send(status, headers, body)
