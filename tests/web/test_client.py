"""The Python client, against a real server and against one that breaks."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

import unrot
from tests.conftest import OPERATOR, ROOT, VIEWER, Server, free_port, wait_for
from unrot.web import client as module
from unrot.web.api.predictions import IRIS
from unrot.web.client import Away, Client, Failed, Unsure

BUSY = (503, {"data": None, "message": "Busy.", "reason": "busy"})
TAKEN = (201, {"data": {"status": "created"}, "message": "Success"})
OTHERS = (503, {"error": "a proxy says so"})
BROKEN = (0, {})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server.url, OPERATOR)


def test_rows_are_predicted_whatever_holds_them(client: Client) -> None:
    one = client.predict("iris", IRIS)
    rows = [list(IRIS.values())] * 3
    frame = pd.DataFrame(rows, columns=list(IRIS), dtype="float32").astype("float64")

    many = [client.predict("iris", each) for each in ([IRIS] * 3, frame, np.array(rows), rows)]
    pinned = client.predict("iris", IRIS, version="v1")

    assert (one.label, one.version, len(one.id or "")) == ("Iris-setosa", "v1", 32)
    assert sum(one.probabilities.values()) == pytest.approx(1.0)
    assert [[each.label for each in part] for part in many] == [["Iris-setosa"] * 3] * 4
    assert pinned.label == one.label
    assert {"iris", "zombies"} <= {each["name"] for each in client.models()}


def test_verdicts_come_by_id_and_by_key_and_are_seen(client: Client, server: Server) -> None:
    made = client.predict("iris", IRIS, key="client-1")
    client.predict("iris", [IRIS] * 2, keys=["client-2", None])

    assert client.judge(made, signal="copied") == "created"
    assert client.judge(made, reward=0.7) == "created"
    assert client.judge(made, was_correct=True) == "revised"
    assert client.judge(made.id, was_correct=True) == "duplicate"
    assert client.judge(key="client-1", model="iris", label="Iris-virginica") == "revised"
    verdicts = [{"key": "client-2", "model": "iris", "was_correct": np.True_}, {"id": "x"}]
    assert client.judge_many(verdicts) == ["created", "unknown_id"]

    viewer = Client(server.url, VIEWER)
    wait_for(lambda: made.id in [each.prediction.id for each in viewer.predictions("iris")])
    [kept] = [each for each in viewer.predictions("iris") if each.prediction.id == made.id]
    assert kept.feedback is not None
    assert kept.feedback["label"] == "Iris-virginica"
    assert kept.signals == ("copied",)
    assert kept.inputs["petal_width_cm"] == IRIS["petal_width_cm"]


def test_job_is_waited_for(start_server: Callable[..., Server]) -> None:
    client = Client(start_server().url, OPERATOR)
    for made in client.predict("iris", [IRIS] * 20):
        client.judge(made, was_correct=True)
    seen: list[float] = []

    job = client.wait(client.refit("iris"), told=lambda job: seen.append(job.progress))

    assert (job.state, job.error) == ("done", None)
    assert seen[-1] == 1.0


def client_example(client: Client) -> dict[str, float]:
    [told] = [each for each in client.models() if each["name"] == "zombies"]
    example: dict[str, float] = told["schema"]["example"]
    return example


def test_refusal_names_what_is_wrong(client: Client) -> None:
    with pytest.raises(Failed, match="petal_width_cm is missing") as caught:
        client.predict("iris", dict.fromkeys(list(IRIS)[:3], 1.0))

    assert (caught.value.status, caught.value.reason) == (422, "invalid")
    assert caught.value.details[0]["field"] == "petal_width_cm"
    with pytest.raises(ValueError, match="one of them"):
        client.judge(was_correct=True)
    with pytest.raises(ValueError, match="such as http"):
        Client("127.0.0.1:5000")


# ── a server that breaks ─────────────────────────────────────────────────────────────────────


@dataclass
class Flaky:
    """Answers one request after another as it was told, and counts them."""

    says: list[tuple[int, dict[str, object]]]
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> Client:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return Client(f"http://127.0.0.1:{self._socket.getsockname()[1]}", timeout=5)

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        for status, body in self.says:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(65_536).split(b"\r\n")[0].decode())
                if status:
                    text = json.dumps(body).encode()
                    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n\r\n"
                    connection.sendall(head.encode() + text)


def test_what_was_certainly_not_done_is_tried_again() -> None:
    flaky = Flaky([BUSY, BUSY, TAKEN])
    with flaky as client:
        assert client.judge("an-id", was_correct=True) == "created"

    assert flaky.asked == ["POST /api/v1/feedback HTTP/1.1"] * 3


@pytest.mark.parametrize(
    ("answer", "error"), [(BROKEN, Unsure), (OTHERS, Failed)], ids=["broken", "proxy"]
)
def test_verdict_is_never_sent_twice(
    answer: tuple[int, dict[str, object]], error: type[Exception]
) -> None:
    flaky = Flaky([answer, TAKEN])
    with flaky as client, pytest.raises(error):
        client.judge("an-id", was_correct=True)

    assert len(flaky.asked) == 1


def test_prediction_is_asked_for_again_when_the_connection_broke() -> None:
    made = {"id": "x", "model": "iris", "version": "v1", "class": "a", "probabilities": None}
    flaky = Flaky([BROKEN, (200, {"data": made, "message": "Success"})])
    with flaky as client:
        assert client.predict("iris", IRIS).label == "a"

    assert len(flaky.asked) == 2


def test_nobody_there_is_said_after_some_tries() -> None:
    with pytest.raises(Away, match=r"Nobody answers at 127\.0\.0\.1"):
        Client(f"http://127.0.0.1:{free_port()}").judge("an-id", was_correct=True)


def test_client_is_loaded_without_anything_else() -> None:
    """It is the standard library's alone, and nothing comes with `import unrot`."""
    script = "import sys, unrot; unrot.Client; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)

    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("unrot")} == {
        "unrot",
        "unrot.web",
        "unrot.web.client",
    }
    assert not loaded & {"flask", "numpy", "requests", "orjson"}
    assert unrot.Client is Client
