"""One visitor holds so many connections and no more, and loses those first that say nothing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import Server, wait_for
from unrot.run.connections import CAN_LOOK, Connections

pytestmark = pytest.mark.skipif(not CAN_LOOK, reason="Only Linux tells who holds connections.")
MOST = 20
GREEDY = "127.9.9.9"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def listener(stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_server(("127.0.0.1", 0)))


def connect(port: int, stack: ExitStack, source: str = GREEDY) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0))
    return stack.enter_context(made)


def taken(listener: socket.socket, stack: ExitStack, source: str = GREEDY) -> socket.socket:
    """Connect, and let this process hold the other end as a worker does."""
    made = connect(listener.getsockname()[1], stack, source)
    stack.enter_context(listener.accept()[0])
    return made


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True


def test_those_beyond_the_limit_are_closed_the_longest_silent_first(
    listener: socket.socket, stack: ExitStack
) -> None:
    made = [taken(listener, stack) for _ in range(MOST + 5)]
    other = taken(listener, stack, "127.0.0.1")
    time.sleep(0.05)
    for one in made[5:]:
        one.send(b"x")

    Connections(listener.getsockname()[1], MOST).look_after()

    assert [is_open(one) for one in made] == [False] * 5 + [True] * MOST
    assert is_open(other)


@pytest.mark.parametrize(("most_spared", "left"), [(MOST, MOST), (2 * MOST, MOST + 5)])
def test_those_in_use_are_spared_as_long_as_they_leave_room(
    listener: socket.socket, stack: ExitStack, most_spared: int, left: int
) -> None:
    made = [taken(listener, stack) for _ in range(MOST + 15)]
    for one in made[:5]:
        one.send(b"x")
    time.sleep(0.3)
    silent = [taken(listener, stack) for _ in range(5)]
    time.sleep(0.02)
    for one in made[10:]:
        one.send(b"x")

    Connections(listener.getsockname()[1], MOST - 5, 0.25, most_spared).look_after()

    assert not any(map(is_open, [*made[:10], *silent]))
    assert sum(map(is_open, made[10:])) == left


@pytest.mark.parametrize(("most", "port"), [(0, None), (MOST, 1)])
def test_no_limit_and_other_ports_close_nothing(
    listener: socket.socket, stack: ExitStack, most: int, port: int | None
) -> None:
    made = [taken(listener, stack) for _ in range(MOST + 5)]

    Connections(port or listener.getsockname()[1], most).look_after()

    assert all(map(is_open, made))


def test_those_that_were_closed_count_no_more(listener: socket.socket, stack: ExitStack) -> None:
    made = [taken(listener, stack) for _ in range(MOST + 5)]
    looking = Connections(listener.getsockname()[1], MOST)

    for _ in range(3):
        looking.look_after()

    assert sum(map(is_open, made)) == MOST


def test_looking_leaves_no_file_open(listener: socket.socket, stack: ExitStack) -> None:
    for _ in range(MOST + 5):
        taken(listener, stack)
    before = len(os.listdir("/proc/self/fd"))

    Connections(listener.getsockname()[1], MOST).look_after()

    assert len(os.listdir("/proc/self/fd")) == before


def test_server_closes_what_one_visitor_holds_beyond_and_answers_another(
    start_server: Callable[..., Server], stack: ExitStack
) -> None:
    most = 50
    server = start_server(WEB_CONCURRENCY="1", UNROT_MOST_CONNECTIONS=str(most))
    port = int(server.url.rpartition(":")[2])

    made = [connect(port, stack) for _ in range(2 * most)]
    wait_for(lambda: sum(map(is_open, made)) <= most, 12, server.log.read_text)
    other = connect(port, stack, "127.0.0.1")
    other.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert other.recv(12) == b"HTTP/1.1 200"
    assert f"more than the {most} connections" in server.log.read_text()
