"""Every worker follows: all that serve one store answer with the champion, soon and for good."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.conftest import Server
from tests.learning_model import zombies_of
from tests.live_server import Town, call, prepare
from tests.test_journey import opened
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train

FOLLOW_SECONDS = 2.0
MOVES = 6
CLIENTS = 2
"""Of each server; each asks on a new connection every time, so that all workers are met."""

PAUSE_SECONDS = 0.01

ENOUGH = 30
"""Answers in a row after which each worker of a server was surely asked."""

ROW = zombies_of(1, seed=1)[0][0]

FORCED = {"version": "v2", "force": True, "reason": "no gate weighed it"}


@dataclass(frozen=True)
class Heard:
    """What a client was answered."""

    asked_at: float
    code: int
    version: str


@dataclass
class Clients:
    """Who asks a server all the time, and what they heard."""

    url: str
    body: dict[str, Any]
    heard: list[Heard] = field(default_factory=list)

    def ask(self, stop: threading.Event) -> None:
        while not stop.is_set():
            asked_at = time.monotonic()
            code, answer = call(self.url, self.body)
            time.sleep(PAUSE_SECONDS)
            version = (answer.get("data") or answer).get("version", answer.get("message"))
            self.heard.append(Heard(asked_at, code, version))


@contextmanager
def asking(*groups: Clients) -> Iterator[None]:
    """Let clients ask for as long as it lasts."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=group.ask, args=(stop,)) for group in groups for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def with_three_versions(folder: Path) -> Path:
    """Make a home folder whose champion is v1; v2 will be it, v3 never."""
    home = prepare(folder / "first", {"zombies": "tree"})
    data = zombies.load()
    data = replace(data, rows=data.rows[:300], labels=data.labels[:300])
    with opened(home) as service:
        model = service.catalogue().model("zombies").model
        for estimator in ("sgd", "tree"):
            publish(service, model, train(data, estimator, lambda *_: None))
        assert service.aliases("zombies") == {"champion": "v1"}
    return home


def follow(clients: Clients, version: str, moved_at: float) -> None:
    """Return when a server answers with a version and no other, again and again."""
    in_a_row = 0
    while in_a_row < ENOUGH:
        time.sleep(0.01)
        since = [one for one in list(clients.heard) if one.asked_at >= moved_at]
        late = [one for one in since if one.version != version]
        assert all(one.asked_at - moved_at <= FOLLOW_SECONDS for one in late)
        in_a_row = len(since) - (since.index(late[-1]) + 1 if late else 0)


def test_every_worker_of_every_server_follows_and_no_request_fails(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    home = with_three_versions(tmp_path)
    key = (home / "secret-key").read_text()
    shared = {"UNROT_STORE": f"sqlite:///{home / 'unrot.db'}", "UNROT_SECRET_KEY": key}
    (tmp_path / "second").mkdir()
    towns = [Town(serve(place, **shared).url) for place in (home, tmp_path / "second")]
    followers = [Clients(f"{town.address}/predict", {"inputs": ROW}) for town in towns]
    instances = {"instances": [list(ROW.values())], "model": "zombies/versions/v1"}
    faithful = Clients(f"{towns[0].url}/api/v1/predict", instances)

    with asking(*followers, faithful):
        for move in range(MOVES):
            version = "v2" if move % 2 == 0 else "v1"
            town = towns[move // 2 % 2]
            asked = ("/promote", FORCED) if version == "v2" else ("/rollback", {})
            assert town.told(*asked)["aliases"] == {"champion": version}
            moved_at = time.monotonic()
            for clients in followers:
                follow(clients, version, moved_at)
        time.sleep(max(0.0, moved_at + FOLLOW_SECONDS - time.monotonic()))
        settled_at = time.monotonic()
        time.sleep(0.5)

    heard = [one for clients in (*followers, faithful) for one in clients.heard]
    assert {one.code for one in heard} == {200}
    assert {one.version for one in faithful.heard} == {"v1"}
    for clients in followers:
        assert {one.version for one in clients.heard} == {"v1", "v2"}
        assert {one.version for one in clients.heard if one.asked_at > settled_at} == {"v1"}
