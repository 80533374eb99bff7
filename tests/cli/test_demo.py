"""`python -m unrot demo`, what `make demo` calls: the whole story, and nothing is left behind."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, answers, environment, wait_for
from unrot.cli.temporary_server import set_up
from unrot.core.errors import UnrotError

STORY = (
    r"Training a model",
    r"Unrot is ready",
    r"\S+/login\?next=/models/zombies/monitor#token=\S{40,}",
    r"zombies a second walk by",
    r"Accuracy holds: right on (?P<before>\d+) % of the last 50 verdicts",
    r"Now the zombies mutate",
    r"Accuracy falls: right on (?P<fallen>\d+) % of the last 50 verdicts",
    r"Found, (?P<first>drift|rot): \S+",
    r"Found, (?P<second>drift|rot): \S+",
    r"time for a refit",
    r"curl -X POST \S+/api/v1/models/zombies/refit",
    r"v2 is fitted",
    r"The gate says passed: \S+",
    r"v2 is promoted",
    r"Accuracy recovers: right on (?P<after>\d+) % of the last 50 verdicts",
    r"Drift and rot are closed",
    r"The demo has ended",
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short name, as people have: a socket's name has to fit into it."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def start(place: Path, *options: str, **more: str) -> subprocess.Popen[str]:
    """Start a demo beside an app of one's own: with a .env, data and settings it must not touch.

    One worker tells the story as two do: the second costs four seconds of CPU.
    """
    own, temporary = place / "own", place / "tmp"
    (own / "var").mkdir(parents=True)
    (own / "var" / "kept").write_text("mine")
    (own / ".env").write_text("UNROT_STORE=mysql://nowhere\nPORT=1\n")
    temporary.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "unrot", "demo", *options],
        env=environment(
            own / "var",
            TMPDIR=str(temporary),
            PYTHONPATH=str(ROOT),
            **{"WEB_CONCURRENCY": "1", **more},
        ),
        cwd=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_behind(place: Path) -> list[str]:
    """Return the files and the processes of a demo that are still there."""
    own = sorted(str(path.relative_to(place)) for path in place.rglob("*"))
    running = [
        process.parent.name
        for process in Path("/proc").glob("[0-9]*/environ")
        if str(place).encode() in content(process)
    ]
    expected = {"own", "own/.env", "own/var", "own/var/kept", "tmp"}
    return [*sorted(set(own) ^ expected), *running]


def content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def test_demo_tells_how_a_model_rots_and_recovers_and_leaves_nothing_behind(
    place: Path,
) -> None:
    running = start(place, "--fast", "--once")
    said = running.communicate(timeout=150)[0]

    found = re.search(".*".join(STORY), said.replace("\n       ", " "), re.DOTALL)
    assert found and running.returncode == 0, said
    assert {found["first"], found["second"]} == {"drift", "rot"}
    assert int(found["before"]) >= 85
    assert int(found["fallen"]) <= 55
    assert int(found["after"]) >= 85
    assert left_behind(place) == []
    assert not answers(re.search(r"http://127[\d.:]+", said)[0])  # type: ignore[index]


@pytest.mark.parametrize(("options", "status"), [((), 0), (("--once",), 130)])
def test_demo_that_is_interrupted_leaves_nothing_behind(
    place: Path, options: tuple[str, ...], status: int
) -> None:
    running = start(place, "--fast", *options)
    assert running.stdout is not None
    said = running.stdout.readline()
    if not options:
        said += next(line for line in running.stdout if "walk by" in line)

    running.send_signal(signal.SIGTERM if options else signal.SIGINT)
    said += running.communicate(timeout=40)[0]

    assert running.returncode == status, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].endswith("its server has stopped, and its folder is removed.")
    assert left_behind(place) == []


def test_demo_on_a_taken_port_is_a_sentence(place: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        running = start(place, PORT=str(port))
        said = running.communicate(timeout=30)[0]

    assert (running.returncode, said.splitlines()[0].endswith(" make demo")) == (1, True)
    assert said.startswith(f"Port {port} is taken")
    assert left_behind(place) == []


def test_stage_whose_server_dies_says_so_and_is_struck(
    place: Path, trained_once: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(place))

    with (
        pytest.raises(UnrotError, match="The server has stopped"),
        set_up({}, command="demo", rotation_seconds=2, judge="demo", pause=time.sleep) as stage,
    ):
        shutil.copytree(trained_once, stage.home, dirs_exist_ok=True)
        stage.serve()
        assert stage.server is not None
        stage.server.kill()
        wait_for(lambda: stage.pause(0.1))

    assert list(place.iterdir()) == []
