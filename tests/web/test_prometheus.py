"""A real server with two workers, scraped by a real Prometheus; workers that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from tests.conftest import VIEWER, Server, free_port, wait_for
from tests.skips import prometheus

WORKERS = 2
IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}


@pytest.fixture(scope="module")
def server(start_shared_server: Callable[..., Server]) -> Server:
    return start_shared_server(WEB_CONCURRENCY=str(WORKERS))


def asked(url: str, body: object = None, token: str = "") -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    data = None if body is None else orjson.dumps(body)
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return bytes(answer.read())


def predict(server: Server, times: int) -> None:
    for _ in range(times):
        asked(f"{server.url}/api/v1/models/iris/predict", {"inputs": IRIS})


def predicted(server: Server) -> float:
    text = asked(f"{server.url}/metrics", token=VIEWER).decode()
    lines = [line for line in text.splitlines() if line.startswith("unrot_predictions_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def in_progress(server: Server) -> float:
    text = asked(f"{server.url}/metrics", token=VIEWER).decode()
    [line] = [line for line in text.splitlines() if line.startswith("unrot_requests_in_progress ")]
    return float(line.rpartition(" ")[2])


def holders(server: Server) -> dict[int, str]:
    """Find which process holds which slot."""
    found = {}
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            for link in Path(f"/proc/{number}/fd").iterdir():
                target = os.readlink(link)
                if target.startswith(str(server.home / "metrics")) and target.endswith(".lock"):
                    found[int(number)] = Path(target).stem
        except OSError:
            continue
    return found


@pytest.fixture
def watcher(server: Server, tmp_path: Path) -> Iterator[str]:
    """A Prometheus server that scrapes ours every second."""
    address = f"127.0.0.1:{free_port()}"
    (tmp_path / "viewer-token").write_text(VIEWER)
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: unrot\n"
        "    authorization: {credentials_file: viewer-token}\n"
        f'    static_configs: [{{targets: ["{server.url.removeprefix("http://")}"]}}]\n'
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                prometheus(),
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    yield f"http://{address}"
    process.terminate()
    process.wait(20)


def said(watcher: str, query: str) -> dict[str, str]:
    """Ask Prometheus; return version or name of each series with its value."""
    try:
        answer = orjson.loads(asked(f"{watcher}/api/v1/query?query={quote(query)}"))
    except OSError:
        return {}
    return {
        one["metric"].get("version", one["metric"].get("job", "")): one["value"][1]
        for one in answer["data"]["result"]
    }


def test_prometheus_scrapes_the_workers(server: Server, watcher: str) -> None:
    predict(server, 5)

    wait_for(lambda: said(watcher, "up") == {"unrot": "1"}, 30)
    counted = str(int(predicted(server)))
    query = 'unrot_predictions_total{model="iris"}'
    wait_for(lambda: said(watcher, query) == {"v1": counted}, 15)

    assert int(counted) >= 5
    assert set(said(watcher, "unrot_caretaker_lag_seconds")) == {"unrot"}


def test_counts_outlive_workers_that_are_killed(server: Server) -> None:
    wait_for(lambda: len(holders(server)) == WORKERS)
    at_first = predicted(server)
    predict(server, 20)
    before = at_first + 20
    killed: list[int] = []

    for _ in range(3):
        # What is counted is told twice a second.
        wait_for(lambda: predicted(server) == before + 5 * len(killed))
        process = min(holders(server))
        os.kill(process, signal.SIGKILL)
        killed.append(process)
        wait_for(lambda: process not in (now := holders(server)) and len(now) == WORKERS, 30)  # noqa: B023
        predict(server, 5)

    wait_for(lambda: predicted(server) == before + 15)
    assert not set(killed) & set(holders(server))
    assert sorted(holders(server).values()) == ["0", "1"]
    files = sorted(path.name for path in (server.home / "metrics").glob("*.db"))
    assert files == [
        f"{kind}_{slot}.db"
        for kind in ("counter", "gauge_livesum", "histogram")
        for slot in range(WORKERS)
    ]
    assert in_progress(server) == 1
