"""The loop over real HTTP against a real gunicorn and caretaker: train, predict, vote, seen."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import JUDGE, VIEWER, Server, answers, train, wait_for
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}


def call(
    url: str, body: Any = None, *, token: str = "", method: str | None = None
) -> tuple[int, Any]:
    """Ask the API; return the status and the JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def processes_of(_server: Server) -> dict[int, list[int]]:
    """Return the children of each process of a server."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(folder.name))
    return children


def web_workers(server: Server) -> list[int]:
    """Return the processes that listen, by the arbiter's title-less children that serve HTTP."""
    found = processes_of(server)
    direct = found.get(server.process.pid, [])
    return [child for child in direct if child not in found]


def caretaker_of(server: Server) -> int | None:
    found = processes_of(server)
    for child in found.get(server.process.pid, []):
        if child in found:
            return found[child][0]
    return None


def everyone(server: Server) -> list[int]:
    found = processes_of(server)
    family, waiting = [], [server.process.pid]
    while waiting:
        family.append(waiting.pop())
        waiting += found.get(family[-1], [])
    return family


@contextmanager
def opened(home: Path, store_url: str = "") -> Iterator[Service]:
    service = open_service(Settings(home=home, store=store_url))
    try:
        yield service
    finally:
        service.store.close()


@pytest.fixture
def start_on_store(
    start_server: Callable[..., Server],
    serve: Callable[..., Server],
    new_store: Callable[[], str],
    tmp_path: Path,
) -> Callable[..., Server]:
    """Start a server with iris on a store that nobody else uses."""

    def start(**more: str) -> Server:
        url = new_store()
        if not url:
            return start_server(**more)
        trained = train(tmp_path / "home", "iris", store_url=url)
        assert trained.returncode == 0, trained.stderr
        return serve(tmp_path / "home", UNROT_STORE=url, **more)

    return start


def test_prediction_and_verdict_are_seen_within_a_second(server: Server) -> None:
    _, predicted = call(f"{server.url}/api/v1/predict", IRIS)
    id = predicted["data"]["id"]
    code, judged = call(
        f"{server.url}/api/v1/feedback", {"id": id, "label": "Iris-virginica"}, token=JUDGE
    )

    def kept() -> Any:
        path = f"{server.url}/api/v1/models/iris/predictions?limit=200"
        rows = call(path, token=VIEWER)[1]["data"]["predictions"]
        return next((row for row in rows if row["id"] == id), None)

    wait_for(kept, 1.5)
    row = kept()
    assert predicted["data"]["class"] == "Iris-setosa"
    assert (code, judged["data"]["status"]) == (201, "created")
    assert row["inputs"] == IRIS
    assert row["feedback"]["label"] == "Iris-virginica"
    assert (row["feedback"]["was_correct"], row["feedback"]["trusted"]) == (False, True)


def test_ready_is_ok_in_every_component(server: Server) -> None:
    _, ready = call(f"{server.url}/api/v1/ready")

    states = {name: part["state"] for name, part in ready["data"]["components"].items()}
    assert states == {"store": "ok", "journal": "ok", "caretaker": "ok", "shelf": "ok"}


def test_hundred_megabytes_are_refused_and_the_client_gets_to_read_it(server: Server) -> None:
    body = b'{"inputs": "' + b"x" * (100 * 2**20) + b'"}'
    request = urllib.request.Request(
        f"{server.url}/api/v1/predict", body, {"Content-Type": "application/json"}
    )

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)

    with caught.value as answer:
        assert answer.code == 413
        assert json.load(answer)["reason"] == "too_large"


def test_half_sent_requests_give_their_threads_back(start_server: Callable[..., Server]) -> None:
    server = start_server(WEB_CONCURRENCY="1", UNROT_THREADS="2")
    host, port = server.url.removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(4)]
    try:
        for connection in silent:
            connection.sendall(b"POST /api/v1/predict HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
        time.sleep(0.5)

        wait_for(lambda: answers(f"{server.url}/api/v1/health"), 40)
    finally:
        for connection in silent:
            connection.close()


def test_killed_workers_lose_nothing_that_was_answered(
    start_on_store: Callable[..., Server],
) -> None:
    server = start_on_store()
    predicted: list[str] = []
    voted: list[str] = []
    stop = threading.Event()

    def client() -> None:
        while not stop.is_set():
            try:
                _, answer = call(f"{server.url}/api/v1/predict", IRIS)
                predicted.append(answer["data"]["id"])
                body = {"id": answer["data"]["id"], "was_correct": True}
                code, _ = call(f"{server.url}/api/v1/feedback", body)
                if code in (200, 201, 202):
                    voted.append(body["id"])
            except (OSError, HTTPException, ValueError, KeyError):
                continue

    clients = [threading.Thread(target=client) for _ in range(4)]
    for thread in clients:
        thread.start()
    kills, seen = 0, 0
    ends_at = time.monotonic() + 120
    while len(predicted) < 1_000 and time.monotonic() < ends_at:
        time.sleep(0.05)
        if len(predicted) - seen >= 200:
            seen = len(predicted)
            for worker in web_workers(server):
                os.kill(worker, signal.SIGKILL)
                kills += 1
    stop.set()
    for thread in clients:
        thread.join()
    wait_for(lambda: answers(f"{server.url}/api/v1/ready"), 30)

    with opened(server.home, server.store_url) as service:
        missing = set(predicted)

        def are_all_there() -> bool:
            missing.difference_update(
                [id for id in missing if service.store.traffic.prediction(id)]
            )
            return not missing

        wait_for(are_all_there, 20, lambda: f"{len(missing)} predictions are missing")
        unvoted = [id for id in set(voted) if service.store.verdicts.of(id) is None]
        counted = sum(
            window.predictions
            for window in service.store.traffic.windows("iris", since=0, until=time.time() + 60)
        )

    assert kills >= 4
    assert len(set(predicted)) == len(predicted) >= 1_000
    assert unvoted == []
    assert counted >= len(predicted)


def test_killed_caretaker_is_started_again_and_counts_each_prediction_once(
    start_on_store: Callable[..., Server],
) -> None:
    server = start_on_store(UNROT_ROTATION_SECONDS="1")
    seen = [caretaker_of(server)]
    ids = []
    for number in range(120):
        ids.append(call(f"{server.url}/api/v1/predict", IRIS)[1]["data"]["id"])
        if number in (40, 80):
            os.kill(seen[-1], signal.SIGKILL)
            wait_for(lambda: caretaker_of(server) not in (None, *seen))
            seen.append(caretaker_of(server))

    with opened(server.home, server.store_url) as service:
        wait_for(lambda: all(service.store.traffic.prediction(id) is not None for id in ids), 20)
        windows = service.store.traffic.windows("iris", since=0, until=time.time() + 60)
        wait_for(
            lambda: sum(one.rows for one in service.store.profiles.of_model("iris")) == len(ids),
            20,
        )

    assert len(set(seen)) == 3
    assert sum(window.predictions for window in windows) == len(ids)


def test_stopped_server_leaves_nothing_behind_in_the_journal(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    ids = [call(f"{server.url}/api/v1/predict", IRIS)[1]["data"]["id"] for _ in range(50)]

    server.process.send_signal(signal.SIGTERM)
    code = server.process.wait(30)

    with opened(server.home, server.store_url) as service:
        kept = [service.store.traffic.prediction(id) for id in ids]
        rows = sum(one.rows for one in service.store.profiles.of_model("iris"))
    assert code == 0
    assert None not in kept
    assert rows == 50


def test_memory_of_two_workers_and_the_caretaker_stays_under_400_mb(
    start_server: Callable[..., Server],
) -> None:
    server = start_server(UNROT_ROTATION_SECONDS="1")
    for _ in range(10):
        call(f"{server.url}/api/v1/models/iris/predict", {"inputs": [IRIS] * 100})
    with opened(server.home, server.store_url) as service:
        wait_for(
            lambda: sum(one.rows for one in service.store.profiles.of_model("iris")) == 1_000, 20
        )

    family = everyone(server)
    kilobytes = sum(proportional_set_size(process) for process in family)

    assert len(family) == 5
    assert kilobytes < 400 * 1024


def proportional_set_size(process: int) -> int:
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def test_caretaker_whose_arbiter_is_killed_ends_and_another_takes_over(
    start_on_store: Callable[..., Server],
) -> None:
    server = start_on_store()
    first = caretaker_of(server)
    found = processes_of(server)
    arbiter = next(child for child in found[server.process.pid] if child in found)

    os.kill(arbiter, signal.SIGKILL)

    wait_for(lambda: not Path(f"/proc/{first}").exists(), 60)
    wait_for(lambda: caretaker_of(server) not in (None, first), 60)
    id = call(f"{server.url}/api/v1/predict", IRIS)[1]["data"]["id"]
    with opened(server.home, server.store_url) as service:
        wait_for(lambda: service.store.traffic.prediction(id) is not None, 60)
