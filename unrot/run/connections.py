"""How many connections one visitor may hold at once with a web worker.

granian's core tells who is at the other end of a connection only when a request has come, so one
who says nothing would hold as many as there are. The system knows: this process looks through its
own open files now and then, and closes what is beyond the limit, first what has been silent for
longest. That is looked at only while more files are open than one visitor may hold connections.

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
LAST_DATA_AT, INFO_BYTES = 52, 56
"""Where the system's facts of a connection have the milliseconds since something came."""
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
    _said_at: float = field(default=-SAY_SECONDS, init=False)

    def look_after(self) -> None:
        """Close what one visitor holds beyond the limit."""
        if not self.most or not CAN_LOOK or len(os.listdir(FILES)) <= self.most:
            return
        held = defaultdict[str, list[socket.socket]](list)
        with ExitStack() as handles:
            for connection, network in self._held():
                held[network].append(handles.enter_context(connection))
            greedy = [some for some in held.values() if len(some) > self.most]
            for some in greedy:
                some.sort(key=_silent_for)
                for connection in some[self.most :]:
                    _close(connection)
        if greedy:
            self._say(sum(len(some) - self.most for some in greedy))

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
    return int.from_bytes(facts[LAST_DATA_AT:INFO_BYTES], sys.byteorder)


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
