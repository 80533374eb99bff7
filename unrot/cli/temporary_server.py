"""A server on a home folder of its own, which leaves nothing behind.

However it ends, the server's whole group of processes ends first, and then the folder goes, in
which all of them wrote. Of the user's own nothing is read or written: no `.env`, no `var/`, no
setting but where to listen.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from unrot.core.errors import Conflict, UnrotError
from unrot.core.places import ROOT
from unrot.core.platforms import PLATFORMS
from unrot.core.settings import Settings, kept_secret, load
from unrot.run.serve import check_port, end_with_parent, is_ready, start_server

WHERE_TO_LISTEN = ("PORT", "UNROT_HOST")
OWN: tuple[str, ...] = (
    "UNROT_",
    "GUNICORN_",
    "ROTATION_",
    "DATABASE_URL",
    "PORT",
    "WEB_CONCURRENCY",
)
OWN += tuple(platform.variable for platform in PLATFORMS)
"""How variables begin that a user, or a platform, has set for an app of their own."""

LONGEST = 60
"""So long the folder's path may be, for gunicorn's sockets to have a name in it."""

READY_SECONDS = 60.0
END_SECONDS = 10.0
LOOK_SECONDS = 0.1
LAST_LINES = 15

Pause = Callable[[float], None]
"""Sleep, or raise when it is time to end."""


@dataclass
class Stage:
    """Where a demo plays."""

    settings: Settings
    environ: Mapping[str, str]
    operator_token: str
    judge_token: str
    until: Pause
    server: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.settings.home

    @property
    def token_file(self) -> Path:
        """Where the operator's token stands."""
        return self.home / "operator-token"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home / "server.log"

    def train(self, *arguments: str) -> None:
        """Train a model, in a process of its own."""
        log = self.home / "training.log"
        with log.open("ab") as sink:
            training = subprocess.Popen(
                [sys.executable, "-m", "unrot", "train", *arguments],
                env=self.environ,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
        try:
            while training.poll() is None:
                self.pause(LOOK_SECONDS)
        finally:
            _end_group(training)
        if training.returncode:
            raise UnrotError(f"Training failed. Its output ends with:\n{_end_of(log)}")

    def serve(self) -> None:
        """Start the server; return when it is ready."""
        with self.log.open("ab") as log:
            self.server = start_server(env=self.environ, cwd=self.home, log=log)
        ends_at = time.monotonic() + READY_SECONDS
        while not is_ready(self.settings):
            if time.monotonic() > ends_at:
                raise UnrotError(
                    f"The server did not become ready. Its log ends with:\n{_end_of(self.log)}"
                )
            self.pause(LOOK_SECONDS)

    def pause(self, seconds: float) -> None:
        """Sleep; raise when it is time to end, or when the server has died."""
        self.until(seconds)
        self.check()

    def check(self) -> None:
        """Raise when the server has died."""
        if self.server is not None and self.server.poll() is not None:
            raise UnrotError(f"The server has stopped. Its log ends with:\n{_end_of(self.log)}")


@contextmanager
def set_up(
    listening: Mapping[str, str], *, command: str, rotation_seconds: int, judge: str, pause: Pause
) -> Iterator[Stage]:
    """Make a home folder for a server; when this ends, so do both."""
    settings = _listening(listening)
    check_port(settings, command)
    home = _new_home()
    stage = None
    try:
        stage = _stage(settings, home, rotation_seconds=rotation_seconds, judge=judge, pause=pause)
        yield stage
    finally:
        if stage is not None and stage.server is not None:
            _end_group(stage.server)
        _remove(home)


def _listening(environ: Mapping[str, str]) -> Settings:
    """Read where to listen, and nothing else; without a port a free one is taken."""
    given = {name: value for name in WHERE_TO_LISTEN if (value := environ.get(name, "").strip())}
    settings = load({"PORT": "1", **given}, dotenv=None)
    if "PORT" in given:
        return settings
    with socket.socket() as probe:
        probe.bind((settings.host, 0))
        return load({**given, "PORT": str(probe.getsockname()[1])}, dotenv=None)


def _new_home() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="unrot-demo-")).resolve()
    except OSError as error:
        raise Conflict(
            f"The demo cannot make a folder for itself ({error.strerror}): set TMPDIR to a folder "
            "that has some room."
        ) from error


def _stage(
    listening: Settings, home: Path, *, rotation_seconds: int, judge: str, pause: Pause
) -> Stage:
    judge_token = secrets.token_urlsafe(24)
    chosen = {
        "UNROT_HOME": str(home),
        "UNROT_HOST": listening.host,
        "PORT": str(listening.port),
        "UNROT_ROTATION_SECONDS": str(rotation_seconds),
        "UNROT_JUDGE_TOKENS": f"{judge}:{judge_token}",
    }
    if len(str(home)) <= LONGEST:
        chosen["TMPDIR"] = str(home)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    path = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
    return Stage(
        settings=load(chosen, dotenv=None),
        environ={**kept, **chosen, "PYTHONPATH": path},
        operator_token=kept_secret(home, "operator-token"),
        judge_token=judge_token,
        until=pause,
    )


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """End a process, kindly first, and then whatever it has left behind."""
    if leader.poll() is None:
        leader.terminate()
        with suppress(subprocess.TimeoutExpired):
            leader.wait(END_SECONDS)
    for number in (signal.SIGTERM, signal.SIGKILL):
        ends_at = time.monotonic() + END_SECONDS
        is_there = _signal(leader, number)
        while is_there and time.monotonic() < ends_at:
            time.sleep(LOOK_SECONDS / 2)
            is_there = leader.poll() is None or _signal(leader, 0)
        if not is_there:
            return


def _end_of(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
    except OSError as error:
        lines = [f"its log cannot be read: {error.strerror}"]
    return "\n".join(f"  {line}" for line in lines) or "  nothing"


def _signal(leader: subprocess.Popen[bytes], number: int) -> bool:
    """Signal a group of processes; tell whether there is one still."""
    try:
        os.killpg(leader.pid, number)
    except OSError:
        return False
    return True


def _remove(home: Path) -> None:
    """Remove a folder in which somebody may still have written a moment ago."""
    for _ in range(20):
        shutil.rmtree(home, ignore_errors=True)
        if not home.exists():
            return
        time.sleep(LOOK_SECONDS)
    print(f"{home} could not be removed whole: remove it by hand.", file=sys.stderr)
