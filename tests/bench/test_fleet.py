"""The door before a store passes on what it is told, is shut, and breaks connections."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from bench import fleet
from bench.fleet import Door, family, quantile


@pytest.fixture
def door() -> Iterator[Door]:
    """A door to a server that says what it is told."""
    server = socket.create_server(("127.0.0.1", 0))

    def repeat() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                client.sendall(client.recv(100))

    thread = threading.Thread(target=repeat)
    thread.start()
    made = Door(server.getsockname()[1])
    made.open()
    yield made
    made.close()
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def said(door: Door) -> bytes:
    with socket.create_connection(("127.0.0.1", door.port), 5) as client:
        client.sendall(b"hello")
        return client.recv(100)


def test_open_door_passes_on_what_is_said(door: Door) -> None:
    assert said(door) == b"hello"


def test_shut_door_refuses_and_can_be_opened_again(door: Door) -> None:
    door.close()
    with pytest.raises(ConnectionRefusedError):
        said(door)

    door.open()

    assert said(door) == b"hello"


def test_door_that_breaks_all_lets_nothing_through(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "INTRODUCTION", 0)
    door.breaks = 1.0

    assert said(door) == b""
    assert door.broken == 1


def test_family_begins_with_the_one_that_started_the_others() -> None:
    assert family(os.getpid())[0] == os.getpid()


def test_quantile_is_what_a_share_of_all_took_at_most() -> None:
    assert [quantile([3.0, 1.0, 2.0, 4.0], share) for share in (0.0, 0.5, 0.99)] == [1.0, 3.0, 4.0]
