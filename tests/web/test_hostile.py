"""What no honest client sends, byte by byte to a real gunicorn: a 4xx each, never a 5xx."""

from __future__ import annotations

import gc
import json
import os
import socket
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.conftest import OPERATOR, ROOT, Server, environment
from tests.web.visitor import post, sign_in, text_of

LIMIT = 8 * 2**20
IRIS = json.dumps(
    {"sepal_length_cm": 5.1, "sepal_width_cm": 3.5, "petal_length_cm": 1.4, "petal_width_cm": 0.2}
).encode()


def send(server: Server, request: bytes) -> tuple[int, str]:
    """Send bytes as they are; return the status and what came after it."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return int(answer.split()[1]), answer.decode("utf-8", "replace")


def chunked(path: str, body: bytes, content_type: str = "application/json") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head.encode() + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"


def test_chunked_body_is_read_whole(server: Server) -> None:
    code, answer = send(server, chunked("/api/v1/predict", IRIS))

    assert code == 200
    assert "Iris-setosa" in answer


def test_chunked_body_beyond_the_limit_is_refused_and_not_cut(server: Server) -> None:
    body = IRIS + b" " * (LIMIT - len(IRIS)) + b"garbage that is not JSON"

    code, answer = send(server, chunked("/api/v1/predict", body))

    assert code == 413
    assert "8,388,608 bytes" in answer


def test_broken_chunks_are_a_bad_request(server: Server) -> None:
    whole = chunked("/api/v1/predict", IRIS)

    code, answer = send(server, whole.replace(f"{len(IRIS):x}\r\n".encode(), b"zz\r\n", 1))

    assert code == 400
    assert "does not arrive whole" in answer


def test_chunked_form_is_asked_for_its_length(server: Server) -> None:
    form = chunked("/models/iris", b"a=b", "application/x-www-form-urlencoded")

    assert send(server, form)[0] == 411


@pytest.mark.parametrize("host", ["a" * 300, "a..b", "a b", "", "[::", "é"])
@pytest.mark.parametrize("path", ["/", "/login", "/api/v1/health", "/nowhere"])
def test_host_that_is_none_is_no_server_error(server: Server, host: str, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    assert send(server, head.encode())[0] < 500


def test_body_in_another_encoding_is_refused(server: Server) -> None:
    body = IRIS.decode().encode("utf-16")
    head = (
        "POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    code, answer = send(server, head.encode() + body)

    assert code == 400
    assert "not UTF-8" in answer


def test_predicting_leaves_nothing_in_the_users_own_folders(
    trained_home: Path, tmp_path: Path
) -> None:
    """onnxruntime would otherwise keep its telemetry there."""
    own = tmp_path / "user"
    own.mkdir()
    program = (
        "import os; from unrot.app import create_app; client = create_app().test_client(); "
        f"print(client.post('/api/v1/predict', data={IRIS!r}, "
        "content_type='application/json').status_code)"
    )
    places = {name: str(own) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment(trained_home), **places},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.stdout.strip() == "200", done.stderr
    assert os.listdir(own) == []


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/models/iris/audits", {"rows": "9" * 5_000}, "expected a whole number from"),
        ("/models/iris/jobs", {"kind": "train_batch", "n": "9" * 5_000}, "expected a whole number"),
    ],
)
def test_number_of_five_thousand_digits_in_a_form_is_refused(
    client: FlaskClient, path: str, fields: dict[str, str], said: str
) -> None:
    sign_in(client, OPERATOR)

    answer = post(client, path, fields)

    assert answer.status_code == 303
    assert said in text_of(client.get(answer.location))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B23:00", "9999-12-31T23:59:59-14:00"])
def test_time_at_the_end_of_all_years_is_no_time(client: FlaskClient, moment: str) -> None:
    sign_in(client, OPERATOR)

    answer = client.get(f"/models/iris/monitor?from={moment}")

    assert answer.status_code == 200
    assert "is no time: write it such as" in text_of(answer)


def test_body_that_is_refused_is_let_go(client: FlaskClient) -> None:
    """Without waiting for the collector: a hundred of them would be gigabytes."""
    body = b"1\n" * 500_000
    gc.disable()
    tracemalloc.start()
    try:
        for path, type in (("/invocations", "text/csv"), ("/api/v1/predict", "application/json")):
            for _ in range(8):
                assert client.post(path, data=body, content_type=type).status_code == 400
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()

    assert held < 4 * len(body)
