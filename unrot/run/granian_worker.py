"""A worker of gunicorn in which granian's core speaks HTTP.

gunicorn keeps the processes: sockets, reload, graceful stop, the caretaker beside, heartbeats.
granian's core, written in Rust, reads and writes on one thread of its own and calls Python on
another, always the same: no event loop of Python stands between.

This is the only file that touches granian's private interface (`granian._granian`), which may
change with any release: `TESTED` is the release that it was tried with, requirements.txt pins it,
and with another one, or none, `gunicorn.conf.py` takes gunicorn's own threads and says so.
docs/architecture.md tells the way back. What it relies on:

    SocketHolder(file, is_unix, backlog)          a listening socket that somebody else made
    RSGIWorker(…).serve_mtr[_uds]                 serves it from a thread of the runtime
    CallbackScheduler._schedule_fn                is called with a watcher for each request
    watcher.scope, watcher.proto, watcher.done()  the request, the way back, and that it has ended
    proto()                                       a future of the body, which asks the loop that it
                                                  was given to call back: ours does so where it is
    WorkerSignal.set(), .add_cb()                 stop, and be told when that is done
"""

from __future__ import annotations

import errno
import math
import os
import resource
import select
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from granian import __version__ as installed
from granian import _granian
from granian.http import HTTP1Settings
from gunicorn.workers.base import Worker

from unrot.core.errors import BadSetting
from unrot.run.connections import Connections
from unrot.run.lanes import BodyBroke, Lanes
from unrot.run.priority import interrupt_nobody
from unrot.run.threads import Threads
from unrot.run.wsgi import Head, Header, Trust

TESTED = "2.8.9"
HEAD_BYTES = 65_536
KEEP_FILES = 256
"""Files that a worker opens for itself: what is left of its limit are connections."""
WAITING_FOR_A_THREAD = 16
"""Requests that may wait for each thread."""
OPEN_SECONDS = 10.0
STREAM_SECONDS, HURRY_SECONDS = 60.0, 3.0
"""So long a client may take nothing of an answer that is sent in parts: while there are threads for
others, and while there are none."""
SPARED_SECONDS = 3.0
"""One visitor may hold more connections of those on which something came in this time: it is longer
than most wait for an answer."""
LOOK_SECONDS = 0.25
FIRST_WORD_SECONDS = 0.25
"""So long who has just connected may take for the first word of a request, when a worker ends."""
STOP_SECONDS = 4.0
"""So long before gunicorn kills it a worker has ended."""
core: Any = _granian


def why_not() -> str:
    """Say why granian cannot be used here; nothing where it can."""
    if installed == TESTED:
        return ""
    return f"granian {installed} is installed, and {TESTED} is what Unrot was tested with"


class GranianWorker(Worker):  # type: ignore[misc]
    """Serves gunicorn's sockets by granian's core."""

    @classmethod
    def check_config(cls, cfg: Any, _log: Any) -> None:
        """Refuse what this worker does not do, rather than leave it out in silence."""
        if cfg.is_ssl:
            raise BadSetting(
                "This server speaks no TLS: let a proxy do that, or set UNROT_SERVER=gthread."
            )

    def run(self) -> None:
        """Serve until told to stop."""
        interrupt_nobody()
        settings = self.wsgi.extensions["unrot"].settings
        self.threads = Threads(
            self.cfg.threads,
            most_waiting=WAITING_FOR_A_THREAD * self.cfg.threads,
            seconds=self.cfg.timeout or sys.maxsize,
        )
        trust = _trust_of(self.cfg)
        self.listeners = []
        for sock in self.sockets:
            lanes = Lanes(
                self.wsgi,
                self.wsgi.extensions.get("fast_lane"),
                self.threads,
                trust=trust,
                most_body=settings.max_body,
                most_upload=settings.max_upload,
            )
            most = 0 if settings.trusted_proxies else settings.most_connections
            self.listeners.append(Listener(self, sock, lanes, most))
        while self.alive:
            self._look_after()
        self._stop()

    def _look_after(self) -> None:
        """Wait a moment, for a signal at most; tell the arbiter that all is well if it is."""
        ready, _, _ = select.select([self.PIPE[0]], [], [], LOOK_SECONDS)
        if ready:
            with suppress(BlockingIOError):
                os.read(self.PIPE[0], 4096)
        self.threads.give_up_the_late()
        for listener in self.listeners:
            listener.lanes.look_after()
            listener.connections.look_after()
        if not self._is_stuck():
            self.notify()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            self.alive = False
        if self.nr >= self.max_requests:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False

    def _is_stuck(self) -> bool:
        late = time.monotonic() - (self.cfg.timeout or sys.maxsize)
        is_held = any(0.0 < one.called_at < late for one in self.listeners)
        return is_held or self.threads.are_stuck()

    def _stop(self) -> None:
        """Take nothing new, finish what was taken, and end in time whatever is left."""
        ends_at = time.monotonic() + max(1.0, self.cfg.graceful_timeout - STOP_SECONDS)
        for listener in self.listeners:
            listener.accept_no_more()
        time.sleep(FIRST_WORD_SECONDS)
        for listener in self.listeners:
            listener.stop()
        while time.monotonic() < ends_at:
            self.notify()
            for listener in self.listeners:
                listener.lanes.tell_turned_away(until=math.inf)
            is_done = all(one.has_stopped.is_set() for one in self.listeners)
            if is_done and self.threads.are_idle():
                return
            time.sleep(0.02)
        self.log.warning("Some requests were not finished in time, and are cut.")

    def handle_quit(self, *_: Any) -> None:
        """End at once."""
        self.alive = False
        self.cfg.worker_int(self)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def note(self, exchange: Exchange, status: int, headers: Sequence[Header], sent: int) -> None:
        """Count an answer, and write it into the access log where there is one."""
        self.nr += 1
        if not self.log.access_log_enabled:
            return
        head = exchange.head
        response = SimpleNamespace(status=str(status), sent=sent, headers=list(headers))
        environ = {
            "REQUEST_METHOD": head.method,
            "RAW_URI": head.path,
            "PATH_INFO": head.path,
            "QUERY_STRING": "",
            "SERVER_PROTOCOL": f"HTTP/{head.http_version}",
            "REMOTE_ADDR": head.client.rpartition(":")[0],
        }
        request = SimpleNamespace(headers=head.headers.items())
        self.log.access(response, request, environ, exchange.age)


class Listener:
    """One listening socket, served by one thread of granian's."""

    def __init__(self, worker: GranianWorker, sock: Any, lanes: Lanes, most: int) -> None:
        self.worker, self.lanes = worker, lanes
        self.called_at = 0.0
        """When the call of Python began that goes on now; 0 between calls."""
        self.has_stopped = threading.Event()
        self._signal = core.WorkerSignal()
        self._signal.add_cb(self.has_stopped.set)
        self._loop = Here()
        is_unix = sock.sock.family == socket.AF_UNIX
        port = 0 if is_unix else sock.sock.getsockname()[1]
        self.connections = Connections(
            *(port, 0 if is_unix else most, SPARED_SECONDS, _most_connections(worker.cfg) // 2)
        )
        self._file = os.dup(sock.fileno())
        os.set_blocking(self._file, False)
        holder = core.SocketHolder(self._file, is_unix, worker.cfg.backlog)
        # The arguments of the rest: HTTP/1 alone, no websockets, no static files, no TLS.
        self._server = core.RSGIWorker(
            *(worker.age, (None, holder), None, 1, 512, 1, 30, _most_connections(worker.cfg)),
            *("1", _http_settings(worker.cfg), None, False, None),
            *(False, None, None, None, "tls1.3", None, [], False, (None, None)),
        )
        scheduler = core.CallbackScheduler(self._loop, self._begin, None, None, None)
        scheduler._schedule_fn = self._begin
        serve = self._server.serve_mtr_uds if is_unix else self._server.serve_mtr
        serve(scheduler, self._loop, self._signal)

    def accept_no_more(self) -> None:
        """Leave who connects from now on to other workers.

        granian's core stops all at once, and closes a connection on which it has read nothing yet:
        whoever is about to ask would get no answer. So it is given, in place of its socket, one
        to which nobody connects.
        """
        with socket.create_server(("127.0.0.1", 0)) as unknown:
            unknown.setblocking(False)
            os.dup2(unknown.fileno(), self._file, inheritable=False)

    def stop(self) -> None:
        """Close each connection after what it is at."""
        self._signal.set()

    def _begin(self, watcher: Any) -> None:
        """Start on a request."""
        exchange = Exchange(self.worker, watcher)
        self._go_on(exchange, self.lanes.answer(exchange))

    def _go_on(self, exchange: Exchange, steps: Coroutine[Any, None, None], *_: Any) -> None:
        """Go on until the next thing that has to be waited for."""
        self.called_at = time.monotonic()
        # What was awaited holds its callback, which holds the exchange: Python would not see that
        # they hold each other only, because granian's objects do not tell.
        exchange.awaited = None
        try:
            awaited = exchange.awaited = steps.send(None)
        except StopIteration:
            return
        except BaseException:
            self.worker.log.exception("A request was not answered.")
            exchange.send(500, [], b"")
            return
        finally:
            self.called_at = 0.0
        awaited.add_done_callback(lambda *_: self._go_on(exchange, steps), context=None)


class Here:
    """What granian takes for an event loop: it is told to call something, and calls it."""

    def call_soon_threadsafe(self, call: Callable[..., Any], *arguments: Any, **_: Any) -> None:
        """Call it here and now."""
        call(*arguments)

    call_soon = call_soon_threadsafe


class Exchange:
    """A request of granian's and the way back."""

    awaited: Any = None

    def __init__(self, worker: GranianWorker, watcher: Any) -> None:
        self._worker, self._watcher = worker, watcher
        self._proto = watcher.proto
        self.head: Head = watcher.scope
        self._began = time.monotonic()
        self._is_reading = self._is_answered = False
        self._leaving: Any = None
        self._gone: list[bool] = []

    async def whole(self) -> bytes:
        """Return the body."""
        try:
            body: bytes = await self._proto()
        except (RuntimeError, OSError) as error:
            raise BodyBroke(str(error)) from error
        return body

    async def piece(self) -> bytes:
        """Return the next piece of the body, nothing at its end.

        granian ends a body by a piece of nothing, and shows an error by another one before it.
        """
        if not self._is_reading:
            self._proto.__aiter__()
            self._is_reading = True
        piece: bytes = await self._proto.__anext__()
        if piece:
            return piece
        with suppress(StopAsyncIteration):
            await self._proto.__anext__()
            raise BodyBroke("The body does not arrive whole.")
        return b""

    def stop(self) -> None:
        """Wait for no more of the body."""
        awaited, self.awaited = self.awaited, None
        if awaited is not None:
            awaited.cancel()

    def watch(self) -> None:
        """Notice from now on when the client goes: granian tells it only to who asked before."""
        gone = self._gone  # Not the exchange itself: see `_go_on`.
        self._leaving = self._proto.client_disconnect()
        self._leaving.add_done_callback(lambda *_: gone.append(True), context=None)

    def _watch_no_more(self) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leaving.cancel()

    def send(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        """Answer; the first answer counts, later ones are lost."""
        self._watch_no_more()
        self._proto.response_bytes(status, headers, body)
        self._watcher.done()
        self._note(status, headers, len(body))

    def stream(self, status: int, headers: Sequence[Header], parts: Iterable[bytes]) -> None:
        """Answer through a pipe, so that no more is made than the client takes.

        granian's own stream would keep in memory whatever a slow client has not taken.
        """
        sent = 0
        try:
            file = self._opened(status, headers)
            with open(file, "wb", buffering=0):
                for part in parts:
                    _write(file, part, self._worker.threads.are_wanted)
                    sent += len(part)
        except (BrokenPipeError, TimeoutError, FileNotFoundError) as error:
            self._worker.log.debug("An answer was not taken to its end: %s", error)
        self._note(status, headers, sent)

    def _opened(self, status: int, headers: Sequence[Header]) -> int:
        """Begin to answer, and open the pipe that granian reads the rest from."""
        try:
            with tempfile.TemporaryDirectory(prefix="unrot-") as folder:
                pipe = os.path.join(folder, "answer")
                os.mkfifo(pipe, 0o600)
                self._proto.response_file(status, headers, pipe)
                self._watcher.done()
                return _open(pipe, self._gone)
        finally:
            self._watch_no_more()

    def _note(self, status: int, headers: Sequence[Header], sent: int) -> None:
        if not self._is_answered:
            self._is_answered = True
            self._worker.note(self, status, headers, sent)

    @property
    def age(self) -> timedelta:
        """How long ago it began."""
        return timedelta(seconds=time.monotonic() - self._began)


def _open(pipe: str, gone: Sequence[bool]) -> int:
    """Open a pipe to write once granian reads it, which it does not for a client that has gone."""
    ends_at = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if gone or time.monotonic() > ends_at:
                raise TimeoutError("The client did not wait for its answer.") from error
            time.sleep(0.001)


def _write(file: int, part: bytes, is_wanted: Callable[[], bool]) -> None:
    """Write all of a part, as fast as it is taken."""
    left, taken_at = memoryview(part), time.monotonic()
    room = select.poll()  # `select` knows no file beyond the thousandth.
    room.register(file, select.POLLOUT)
    while left:
        if room.poll(1_000 * LOOK_SECONDS):
            left, taken_at = left[os.write(file, left) :], time.monotonic()
        elif time.monotonic() - taken_at > (HURRY_SECONDS if is_wanted() else STREAM_SECONDS):
            raise TimeoutError("The client takes nothing any more.")


def _http_settings(cfg: Any) -> HTTP1Settings:
    """Say how long an idle connection is kept, in which time a head has to arrive as well."""
    return HTTP1Settings(
        header_read_timeout=1000 * max(1, cfg.keepalive),
        keep_alive=bool(cfg.keepalive),
        max_buffer_size=HEAD_BYTES,
    )


def _most_connections(cfg: Any) -> int:
    """Return how many connections fit into what this process may open."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return int(max(64, min(cfg.worker_connections, most - KEEP_FILES)))


def _trust_of(cfg: Any) -> Trust:
    names = {
        name.upper().replace("-", "_"): said for name, said in cfg.secure_scheme_headers.items()
    }
    secure = {f"HTTP_{name}": said for name, said in names.items()}
    return Trust(frozenset(str(one) for one in cfg.forwarded_allow_ips), secure)
