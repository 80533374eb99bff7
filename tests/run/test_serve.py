"""`python -m unrot run`, what `make run` calls: from an empty home to an answer and back."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT, answers, environment, free_port, wait_for
from unrot.core.settings import Settings
from unrot.run.serve import page_address


def start(home: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "unrot", "run"],
        env=environment(home, PORT=str(port)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def caretaker_is_heard_of(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/api/v1/ready", timeout=5) as answer:
        return b"The background worker ships" in answer.read()


def test_run_serves_until_ctrl_c_and_then_frees_the_port(trained_home: Path) -> None:
    port = free_port()
    running = start(trained_home, port)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(f"{url}/api/v1/health"), 60)

    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    running.send_signal(signal.SIGINT)
    said += running.communicate(timeout=40)[0]

    assert f"Unrot is ready:  {url}" in said
    assert re.search(rf"Sign in: +{url}/login#token=\S{{40,}}", said)
    assert running.returncode == 0
    assert "kept in" in said
    assert not answers(f"{url}/api/v1/health")


def test_run_that_is_killed_outright_takes_its_server_along(trained_home: Path) -> None:
    port = free_port()
    running = start(trained_home, port)
    url = f"http://127.0.0.1:{port}/api/v1/health"
    wait_for(lambda: answers(url), 60)

    running.kill()
    wait_for(lambda: not answers(url), 20)
    said = running.communicate(timeout=20)[0]

    assert "Traceback" not in said


def test_run_on_a_taken_port_is_a_sentence(trained_home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        running = start(trained_home, port)
        said = running.communicate(timeout=30)[0]

    assert running.returncode == 1
    assert said.startswith(f"Port {port} is taken")
    assert "Traceback" not in said


def test_flask_run_serves_for_development_with_a_caretaker(trained_home: Path) -> None:
    port = free_port()
    running = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "app", "run", "--debug", "--port", str(port)],
        env=environment(trained_home),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{url}/api/v1/ready"), 60)
        wait_for(lambda: caretaker_is_heard_of(url), 20)
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(20)


def test_page_is_named_by_its_path_where_a_platform_alone_knows_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = page_address(Settings(port=5_001), "/models/iris")
    monkeypatch.setenv("DYNO", "run.1")

    assert here == "http://127.0.0.1:5001/models/iris"
    assert page_address(Settings(port=5_001), "/models/iris") == "/models/iris"
