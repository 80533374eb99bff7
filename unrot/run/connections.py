"""How many connections one visitor may hold at once with a web worker.

granian's core tells who is at the other end of a connection only when a request has come, so one
who says nothing would hold as many as there are. The system knows: this process looks through its
own open files now and then, and closes what is beyond the limit, first what has been silent for
longest. Those on which something came just now are spared, as long as they leave room for others.
That is looked at only while more files are open than one visitor may hold connections.

Behind a proxy all connections are the proxy's, so it is for the proxy to count them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache

from unrot.core.networks import network_of

FILES = "/proc/self/fd"
CAN_LOOK = hasattr(socket, "TCP_INFO") and os.path.isdir(FILES)
"""Only Linux tells."""
LAST_DATA_AT, RECEIVED, INFO_BYTES = 52, 128, 136
"""Where the system's facts of a connection have the milliseconds since something came (four bytes),
and how many bytes came in all."""
ESTABLISHED, CLOSE_WAIT = 1, 8
"""What the first byte of these facts says until our end is closed."""
SAY_SECONDS = 60.0
_log = logging.getLogger(__name__)
_network_of = lru_cache(maxsize=4_096)(network_of)


@dataclass
class Connections:
    """Those of one listening port in this process."""

    port: int
    most: int
    """Of one visitor; nothing is any number."""
    spared_seconds: float = 0.0
    most_spared: int = 0
    """So many of one visitor are not closed where something came in the last seconds."""
    _said_at: float = field(default=-SAY_SECONDS, init=False)
    _looked_at: float = field(default=0.0, init=False)

    def look_after(self) -> None:
        """Close what one visitor holds beyond the limit."""
        if not self.most or not CAN_LOOK or not self._is_time(len(os.listdir(FILES))):
            return
        self._looked_at = time.monotonic()
        held = defaultdict[str, list[socket.socket]](list)
        with ExitStack() as handles:
            for connection, network in self._held():
                held[network].append(handles.enter_context(connection))
            closed = 0
            for some in held.values():
                for connection in self._beyond(some):
                    _close(connection)
                    closed += 1
        if closed:
            self._say(closed)

    def _is_time(self, files: int) -> bool:
        """Tell whether to look: seldom where there may be enough in use, and room for others."""
        is_late = time.monotonic() - self._looked_at >= self.spared_seconds / 3
        return files > self.most_spared or (files > self.most and is_late)

    def _beyond(self, some: list[socket.socket]) -> Iterator[socket.socket]:
        """Return which of one visitor's connections are to be closed."""
        if len(some) > self.most:
            some.sort(key=_silent_for)
            for place, connection in enumerate(some[self.most :], self.most):
                if place >= self.most_spared or not self._is_in_use(connection):
                    yield connection

    def _is_in_use(self, connection: socket.socket) -> bool:
        is_new = not any(_facts(connection)[RECEIVED:INFO_BYTES])
        return not is_new and _silent_for(connection) < 1_000 * self.spared_seconds

    def _held(self) -> Iterator[tuple[socket.socket, str]]:
        """Return a handle of each connection of ours, and the network at its other end."""
        files = [int(name) for name in os.listdir(FILES)]
        beyond = max(files) + 1  # Handles are not to take the number that the list itself had.
        for file in files:
            connection = _opened(file, beyond)
            if connection is None:
                continue
            try:
                if connection.getsockname()[1] == self.port and _is_held(connection):
                    yield connection, _network_of(connection.getpeername()[0])
                    continue
            except (OSError, IndexError, TypeError):  # It listens, is of another kind, or is gone.
                pass
            connection.close()

    def _say(self, count: int) -> None:
        if time.monotonic() - self._said_at >= SAY_SECONDS:
            self._said_at = time.monotonic()
            _log.warning(
                "One visitor held more than the %d connections that one may "
                "(UNROT_MOST_CONNECTIONS): %d were closed.",
                self.most,
                count,
            )


def _opened(file: int, beyond: int) -> socket.socket | None:
    """Return a second handle of an open file if it is a socket; the first stays as it is."""
    try:
        copy = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, beyond)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None


def _is_held(connection: socket.socket) -> bool:
    """Tell whether it is not closed already, by us or by a look before."""
    return _facts(connection)[:1] in (bytes([ESTABLISHED]), bytes([CLOSE_WAIT]))


def _silent_for(connection: socket.socket) -> int:
    """Return for how many milliseconds nothing came."""
    facts = _facts(connection)
    return int.from_bytes(facts[LAST_DATA_AT : LAST_DATA_AT + 4], sys.byteorder)


def _facts(connection: socket.socket) -> bytes:
    """Return what the system knows of a connection; nothing of one that is gone."""
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO_BYTES)
    except OSError:
        return b""


def _close(connection: socket.socket) -> None:
    """End a connection, whoever else holds it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # It is gone already.
        return
