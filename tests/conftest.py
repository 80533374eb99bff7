"""What many tests stand on: a trained home folder, an app on it, a real server on it."""

from __future__ import annotations

import fcntl
import gc
import io
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from flask import Flask

from tests.clock import Clock
from unrot.app import make_doors, open_home
from unrot.cli.main import main
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service

pytest_plugins = ("tests.stores",)

ROOT = Path(__file__).resolve().parent.parent
OPERATOR = "operator-token-1"
VIEWER = "viewer-token-001"
JUDGE = "judge-token-0001"
ROOMY = 2 * 2**30
"""Bytes: six times as many as were seen to lie there at a time."""


# A shell that starts pytest in the background lets it ignore Ctrl-C, and each child inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def memory_folder() -> str | None:
    """Return where files lie in memory, where there is plenty of it and programs may be run."""
    try:
        found = os.statvfs("/dev/shm")
    except OSError:
        return None
    is_roomy = found.f_bavail * found.f_frsize >= ROOMY
    return "/dev/shm" if is_roomy and not found.f_flag & os.ST_NOEXEC else None


if "TMPDIR" not in os.environ and (folder := memory_folder()):
    os.environ["TMPDIR"] = tempfile.tempdir = folder


@dataclass
class Server:
    """A running gunicorn with its caretaker."""

    url: str
    home: Path
    operator_token: str
    process: subprocess.Popen[bytes]
    log: Path
    store_url: str = ""
    """The address of its store; "" for SQLite in its home folder."""


def pytest_collection_finish() -> None:
    """Look no more for garbage in what stays to the end: all modules, all tests."""
    gc.collect()
    gc.freeze()


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing of the developer's own settings is left."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNROT_")}
    for name in ("DATABASE_URL", "PORT", "WEB_CONCURRENCY", "ROTATION_TIME", "ROTATION_UNITS"):
        kept.pop(name, None)
    return {**kept, "UNROT_HOME": str(home), **more}


def free_port() -> int:
    """Return a port that nobody listens at, and that the system gives to no connection meanwhile.

    One that the system itself gives out may be given once more before a server is there.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def run_command(home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, without a terminal, as one of its own would."""
    said, told = io.BytesIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment(home, **more), clear=True),
        patch.object(sys, "stdin", io.StringIO()),
        redirect_stdout(io.TextIOWrapper(said, write_through=True)) as out,
        redirect_stderr(told),
    ):
        status = main([str(argument) for argument in arguments])
        out.detach()
    gc.collect()  # a connection of sqlite3 hangs in a circle: its process would have ended
    return subprocess.CompletedProcess(arguments, status, said.getvalue().decode(), told.getvalue())


def train(home: Path, *arguments: str, store_url: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *arguments],
        env=environment(home, UNROT_STORE=store_url),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with iris and zombies, trained once for all test processes."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    home = shared / "trained"
    with (shared / "trained.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            for name in ("iris", "zombies"):
                done = run_command(home, "train", name)
                assert done.returncode == 0, done.stderr
            (home / "done").touch()
    return home


@pytest.fixture
def trained_home(trained_once: Path, tmp_path: Path) -> Path:
    """A fresh copy of the trained home folder."""
    home = tmp_path / "home"
    shutil.copytree(trained_once, home)
    return home


@pytest.fixture
def at_home(
    trained_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., int]:
    """Run a command in this process; return its exit status."""
    monkeypatch.setenv("UNROT_HOME", str(trained_home))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: main([str(argument) for argument in arguments])


@pytest.fixture
def clock() -> Clock:
    return Clock()


_TO_NOON = (43_200 - time.time()) % 86_400
"""Seconds to the next noon: a clock that went back would be before what was trained just now."""


def noon() -> float:
    """A clock that goes on from noon UTC, so that no test lasts over midnight."""
    return time.time() + _TO_NOON


@pytest.fixture
def settings(trained_home: Path) -> Settings:
    return Settings(
        home=trained_home,
        admin_token=OPERATOR,
        viewer_token=VIEWER,
        judge_tokens={"ada": JUDGE},
    )


@pytest.fixture
def service(settings: Settings) -> Iterator[Service]:
    service = replace(open_service(settings), clock=noon)
    yield service
    service.store.close()


@cache
def doors() -> Flask:
    """Make pages and routes once a process: they and their templates take longer than a test."""
    return make_doors()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = doors()
    open_home(app, settings)
    app.extensions["unrot"] = replace(app.extensions["unrot"], clock=noon)
    yield app
    app.extensions["unrot"].store.close()


def begin(home: Path, *, code: Path = ROOT, **more: str) -> Server:
    """Start gunicorn on a home folder; return when it answers."""
    port = free_port()
    log = home.parent / f"log-{port}"
    tokens = {
        "UNROT_ADMIN_TOKEN": OPERATOR,
        "UNROT_VIEWER_TOKEN": VIEWER,
        "UNROT_JUDGE_TOKENS": f"ada:{JUDGE}",
    }
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "app:app"],
            env=environment(home, PORT=str(port), **tokens, **more),
            cwd=code,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    store_url = more.get("UNROT_STORE", "")
    server = Server(f"http://127.0.0.1:{port}", home, OPERATOR, process, log, store_url)
    wait_for(lambda: answers(f"{server.url}/api/v1/ready"), 60, server.log.read_text)
    return server


def end(servers: Sequence[Server]) -> None:
    """Stop servers as an operator does."""
    for server in servers:
        server.process.send_signal(signal.SIGTERM)
    for server in servers:
        try:
            server.process.wait(30)
        except subprocess.TimeoutExpired:
            server.process.kill()


@pytest.fixture(scope="session")
def copy_trained(
    tmp_path_factory: pytest.TempPathFactory, trained_once: Path
) -> Callable[[], Path]:
    """Copy the trained home, for what outlives a test."""

    def copy() -> Path:
        home = tmp_path_factory.mktemp("server") / "home"
        shutil.copytree(trained_once, home)
        return home

    return copy


@contextmanager
def starting(copy_trained: Callable[[], Path]) -> Iterator[Callable[..., Server]]:
    """Lend a function that starts gunicorn on a copy of the trained home; then stop all.

    One that nobody asks any more still costs a hundredth of a processor.
    """
    started: list[Server] = []

    def start(**more: str) -> Server:
        started.append(begin(copy_trained(), **more))
        return started[-1]

    try:
        yield start
    finally:
        end(started)


@pytest.fixture
def start_server(copy_trained: Callable[[], Path]) -> Iterator[Callable[..., Server]]:
    """Start gunicorn on a copy of the trained home, as often as asked; stop all after the test."""
    with starting(copy_trained) as start:
        yield start


@pytest.fixture(scope="module")
def start_shared_server(copy_trained: Callable[[], Path]) -> Iterator[Callable[..., Server]]:
    """Start gunicorn for the tests of one file."""
    with starting(copy_trained) as start:
        yield start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start gunicorn on home folders that a test has prepared; stop all before these go."""
    started: list[Server] = []

    def start(home: Path, *, code: Path = ROOT, **more: str) -> Server:
        started.append(begin(home, code=code, **more))
        return started[-1]

    yield start
    end(started)


@pytest.fixture(scope="session")
def server(copy_trained: Callable[[], Path]) -> Iterator[Server]:
    """One server for all tests that leave it as they found it."""
    with starting(copy_trained) as start:
        yield start()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(
    condition: Callable[[], object], seconds: float = 10, story: Callable[[], str] = str
) -> None:
    """Return when the condition holds; fail with the story when it never does."""
    ends_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            pytest.fail(f"Waited {seconds} s in vain. {story()}")
        time.sleep(0.05)
