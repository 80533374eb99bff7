"""`make run`: the demo models, the server with its caretaker, and the address to go to."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import IO
from urllib.parse import quote

from unrot.core.errors import Conflict, UnrotError
from unrot.core.places import ROOT, command_of, find_part
from unrot.core.platforms import find_platform
from unrot.core.settings import Settings, kept_secret
from unrot.run.bootstrap import open_service

DEMOS = ("iris", "zombies")
READY_SECONDS = 60.0
STOP_SECONDS = 25.0


def run(settings: Settings) -> int:
    """Train the missing demos, serve until stopped; return the exit status."""
    check_port(settings, command_of("run"))
    _train_missing(settings)
    token = settings.admin_token or kept_secret(settings.home, "operator-token")
    server = start_server()
    _stop_on_signals(server)
    if not _wait_until_ready(server, settings):
        stop_server(server)
        print("The server did not become ready: what it said stands above.", file=sys.stderr)
        return 1
    place = address(settings)
    print(f"\nUnrot is ready:  {place}")
    print(f"Sign in:         {sign_in_link(settings, token)}")
    print("Ctrl-C stops it.\n", flush=True)
    status = _wait_for(server)
    if status in (0, -signal.SIGTERM):
        print(f"Stopped. Everything that was answered is kept in {settings.home}/.")
        return 0
    return status


def check_port(settings: Settings, command: str) -> None:
    """Raise Conflict when nothing can listen there; `command` is what to call with another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Conflict(
                f"Port {settings.port} is taken or not allowed ({error.strerror}): stop what "
                f"listens there, or choose another: PORT={settings.port + 1} {command}"
            ) from error


def _train_missing(settings: Settings) -> None:
    """Train what was neither renamed nor removed.

    That is a process of its own, so that scikit-learn's memory is not held while serving.
    """
    service = open_service(settings)
    service.store.check()
    registry = service.store.registry
    known = {name for model in registry.models() for name in (model.name, *model.former_names)}
    known |= {model.name for model in registry.removed()}
    service.store.close()
    for name in DEMOS:
        if name not in known:
            done = subprocess.run([sys.executable, "-m", "unrot", "train", name], check=False)
            if done.returncode:
                raise UnrotError(f"Training {name} failed: what went wrong stands above.")


def start_server(
    *, env: Mapping[str, str] | None = None, cwd: Path | None = None, log: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start gunicorn out of reach of the terminal's Ctrl-C: it is told to stop gracefully."""
    command = [sys.executable, "-m", "gunicorn", "unrot.app:create_app()"]
    command += ["--log-level", "warning", "--pythonpath", str(ROOT)]
    command += ["-c", str(find_part("gunicorn.conf.py"))]
    return subprocess.Popen(
        command,
        start_new_session=True,
        preexec_fn=end_with_parent(),
        cwd=cwd or Path.cwd(),
        env=env,
        stdout=log,
        stderr=log,
    )


def end_with_parent() -> Callable[[], None] | None:
    """Return what makes Linux stop a child when this process is killed outright."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    set_death_signal = 1
    return lambda: library.prctl(set_death_signal, signal.SIGTERM) and None


def _stop_on_signals(server: subprocess.Popen[bytes]) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        if server.poll() is None:
            server.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _wait_for(server: subprocess.Popen[bytes]) -> int:
    """Return the server's exit status, waking now and then.

    A signal that comes just before Python begins to wait is only handled when that wait ends.
    """
    while True:
        try:
            return server.wait(1.0)
        except subprocess.TimeoutExpired:
            continue


def stop_server(server: subprocess.Popen[bytes]) -> None:
    """Let it finish what it answers and ship the journal; kill it when that takes too long."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def _wait_until_ready(server: subprocess.Popen[bytes], settings: Settings) -> bool:
    ends_at = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends_at and server.poll() is None:
        if is_ready(settings):
            return True
        time.sleep(0.1)
    return False


def is_ready(settings: Settings) -> bool:
    """Tell whether the server answers and its caretaker is at work."""
    try:
        with urllib.request.urlopen(f"{address(settings)}/api/v1/ready", timeout=5) as answer:  # nosec B310  # asks our own server
            components = json.load(answer)["data"]["components"]
    except (OSError, urllib.error.URLError, ValueError, KeyError):
        return False
    return bool(components["caretaker"]["state"] == "ok")


def sign_in_link(settings: Settings, token: str, *, then: str = "") -> str:
    """Return the link that signs a person in and goes on to a page."""
    query = f"?next={quote(then)}" if then else ""
    return f"{address(settings)}/login{query}#token={quote(token, safe='')}"


def address(settings: Settings) -> str:
    """Return where the server of these settings is to be found."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # nosec B104  # read, not bound
    return f"http://{host}:{settings.port}"


def page_address(settings: Settings, path: str) -> str:
    """Return where a page is; on a platform, which alone knows the host, its path."""
    return path if find_platform(os.environ) else f"{address(settings)}{path}"
