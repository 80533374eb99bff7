"""The Procfile as a dyno runs it: an empty home each time, and SIGTERM to every process at once."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.fleet import family
from tests.conftest import ROOT, environment, free_port, wait_for
from tests.live_server import call
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service

ROW = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
PROCESSES = dict(re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE))


@pytest.fixture
def shared_store(trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store that outlives each dyno, with iris and zombies in it that its key has signed."""
    monkeypatch.setenv("UNROT_SECRET_KEY", (trained_home / "secret-key").read_text())
    return f"sqlite:///{trained_home / 'unrot.db'}"


def begin(process: str, home: Path, **more: str) -> subprocess.Popen[str]:
    """Run a line of the Procfile as Heroku does, on a home that is thrown away."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    known = {
        "DYNO": "web.1",
        "PATH": programs,
        "UNROT_SECRET_KEY": os.environ.get("UNROT_SECRET_KEY", "0" * 32),
        **more,
    }
    return subprocess.Popen(
        ["bash", "-c", PROCESSES[process]],
        env=environment(home, **known),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def dyno(home: Path, shared_store: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a web dyno for a while."""
    port = free_port()
    more = {"PORT": str(port), "UNROT_STORE": shared_store, "UNROT_ALLOW_EPHEMERAL": "1"}
    more |= {"WEB_CONCURRENCY": "1"}
    process = begin("web", home, **more, UNROT_HTTPS="no", GUNICORN_CMD_ARGS="--access-logfile -")
    try:
        yield f"http://127.0.0.1:{port}/api/v1", process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Tell all its processes to end, as Heroku does."""
    if process.poll() is None:
        for one in family(process.pid):
            os.kill(one, signal.SIGTERM)
    process.communicate(timeout=30)


def first_answer(url: str) -> tuple[int, Any]:
    """Ask until something listens; return what the first answer was."""
    told: list[tuple[int, Any]] = []

    def is_answered() -> bool:
        try:
            told.append(call(f"{url}/predict", ROW))
        except OSError:
            return False
        return True

    wait_for(is_answered, 60)
    return told[0]


def test_release_is_run_twice_at_once(shared_store: str, tmp_path: Path) -> None:
    more = {"UNROT_STORE": f"sqlite:///{tmp_path / 'new.db'}", "UNROT_ALLOW_EPHEMERAL": "1"}

    running = [begin("release", tmp_path / f"home-{number}", **more) for number in (1, 2)]

    said = [one.communicate(timeout=60)[1] for one in running]
    assert [one.returncode for one in running] == [0, 0], said


@pytest.mark.parametrize("process", ["release", "web"])
def test_sqlite_on_a_dyno_is_refused_with_what_to_set(process: str, tmp_path: Path) -> None:
    running = begin(process, tmp_path / "home", PORT=str(free_port()))

    said = running.communicate(timeout=60)[1]

    assert running.returncode == 1
    assert said.startswith("Heroku throws the disk away at each start")
    assert "DATABASE_URL" in said and "Traceback" not in said


def test_dyno_serves_from_an_empty_home_and_leaves_all_that_it_answered_in_the_store(
    shared_store: str, tmp_path: Path
) -> None:
    home = tmp_path / "dyno"
    answered: list[str] = []

    with dyno(home, shared_store) as (url, process):
        first = first_answer(url)
        assert first[0] == 200, first
        with ThreadPoolExecutor(4) as people:
            while_it_ends = [people.submit(ask_until_it_ends, url, answered) for _ in range(4)]
            wait_for(lambda: len(answered) > 40, 20)
            end(process)
            for each in while_it_ends:
                each.result()
    shutil.rmtree(home)

    service = open_service(Settings(home=tmp_path / "elsewhere", store=shared_store))
    kept = service.store.traffic.look_up(answered)
    service.store.close()
    assert (first[0], first[1]["data"]["version"]) == (200, "v1")
    assert process.returncode == 0
    assert [id for id in answered if id not in kept] == []


def ask_until_it_ends(url: str, answered: list[str]) -> None:
    """Ask on a new connection each time, and note what was answered."""
    while True:
        try:
            code, told = call(f"{url}/predict", ROW)
        except (OSError, ValueError):
            return
        if code != 200:
            return
        answered.append(told["data"]["id"])
