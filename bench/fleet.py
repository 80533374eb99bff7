"""Real servers on real databases, for drills that take both away: machines, stores, clients.

A machine is a home folder with gunicorn, its workers and its caretaker in one process group, so
that one signal is a power cut. A store can be held up (it takes calls and answers none), be gone
(its port refuses) and be shaky (a share of what is sent breaks the connection).
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Protocol

from tests.conftest import JUDGE, OPERATOR, ROOT, answers, environment, free_port
from tests.learning_model import zombies_of
from tests.skips import google_jar, java
from tests.store.emulators import EMULATORS, LIGHT
from tests.store.postgres_server import PostgresServer
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service

SECRET = "one secret for all machines of a drill"
MORE_THAN_COMES = str(10**15)
"""Bytes a day: visitors are counted as ever, and none of a drill is refused."""
INTRODUCTION = 6
"""So many messages a client needs before it can ask for something."""
TAKEN = (200, 201, 202)
"""A verdict that is answered so is acknowledged."""


# ── stores ───────────────────────────────────────────────────────────────────────────────────


class Store(Protocol):
    """A database that a drill can take away."""

    name: str
    url: str

    def hold(self) -> None:
        """Let it take calls and answer none."""
        ...

    def let_go(self) -> None:
        """Let it answer again."""
        ...

    def leave(self) -> None:
        """Take it away."""
        ...

    def come_back(self) -> None:
        """Bring it back as it was."""
        ...


@dataclass
class SqliteFile:
    """The file in a home folder; one that is held up is one that somebody else locks."""

    path: Path
    name: str = "SQLite"
    url: str = ""

    def hold(self) -> None:
        """Nobody can hold up a file."""
        raise NotImplementedError("a file answers or is gone")

    let_go = hold

    def leave(self) -> None:
        """Move it away."""
        self.path.rename(self.path.with_suffix(".away"))

    def come_back(self) -> None:
        """Move it back."""
        self.path.with_suffix(".away").rename(self.path)


class Proxied:
    """A database behind a door of ours: the door refuses, or breaks connections by chance."""

    def __init__(self, port: int) -> None:
        self.door = Door(port)
        self.door.open()

    def hold(self) -> None:
        """Stop its processes, as a machine that swaps."""
        for process in self.processes():
            os.kill(process, signal.SIGSTOP)

    def let_go(self) -> None:
        """Let them go on."""
        for process in self.processes():
            os.kill(process, signal.SIGCONT)

    def leave(self) -> None:
        """Shut the door."""
        self.door.close()

    def come_back(self) -> None:
        """Open the door."""
        self.door.open()

    def processes(self) -> list[int]:
        """Return all its processes, the first one first."""
        raise NotImplementedError


class OwnPostgres(Proxied):
    """A Postgres of its own, whose files survive a stop."""

    name = "Postgres"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        folder.chmod(0o755)
        self.server = PostgresServer(folder)
        self.server.make(free_port())
        self.server.ask("CREATE DATABASE drill TEMPLATE prepared")
        super().__init__(self.server.port)
        self.url = self.server.url("drill").replace(f":{self.server.port}/", f":{self.door.port}/")

    def leave(self) -> None:
        """Stop it: whoever comes is refused by the machine itself."""
        self.server.stop("immediate")
        self.door.close()

    def come_back(self) -> None:
        """Start it again."""
        self.server.start()
        self.door.open()

    def processes(self) -> list[int]:
        """Return the first one and those that serve connections."""
        first = int((self.server.folder / "data" / "postmaster.pid").read_text().split()[0])
        return family(first)

    def end(self) -> None:
        """Throw it away."""
        self.door.close()
        with suppress(AssertionError):
            self.server.stop("immediate")


class OwnEmulator(Proxied):
    """A Firestore emulator of its own in Datastore mode; it keeps all in memory, so it lives on."""

    name = "Datastore"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        jar, main, more = EMULATORS["datastore"]
        port = free_port()
        command = [java(), *LIGHT, "-cp", str(google_jar(jar)), main, "start"]
        command += ["--host=127.0.0.1", f"--port={port}", *more]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        until(lambda: answers(f"http://127.0.0.1:{port}"), 60)
        super().__init__(port)
        os.environ["DATASTORE_EMULATOR_HOST"] = f"127.0.0.1:{self.door.port}"
        self.url = "datastore://a-project/drill"

    def processes(self) -> list[int]:
        """Return the one that it is."""
        return [self._process.pid]

    def end(self) -> None:
        """Throw it away."""
        self.door.close()
        self._process.kill()
        self._process.wait()


def own_store(name: str, folder: Path, home: Path) -> Any:
    """Make the store that a drill names: sqlite, postgres or datastore."""
    if name == "sqlite":
        return SqliteFile(home / "unrot.db")
    return {"postgres": OwnPostgres, "datastore": OwnEmulator}[name](folder / name)


class Door:
    """A port that passes bytes on to another; it can be shut, and break connections by chance."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.breaks = 0.0
        """How often what a client sends breaks its connection, once it has introduced itself."""
        self.broken = 0
        self._target = target
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._chance = random.Random(7)

    def open(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        threading.Thread(target=self._take, args=[self._listener], daemon=True).start()

    def close(self) -> None:
        """Listen no longer, and break all connections."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # Another thread waits in accept, which keeps a socket that is only closed alive.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._connections):
            self._break(connection)

    def _take(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target), 2)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections |= {client, server}
        for pair in ((client, server, True), (server, client, False)):
            threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, is_asking: bool) -> None:
        said = 0
        with suppress(OSError):
            while data := source.recv(65_536):
                said += 1
                if is_asking and said > INTRODUCTION and self._chance.random() < self.breaks:
                    self.broken += 1
                    break
                target.sendall(data)
        for one in (source, target):
            self._break(one)

    def _break(self, connection: socket.socket) -> None:
        self._connections.discard(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


# ── machines ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class Machine:
    """One home folder with its server: two web workers and a caretaker."""

    home: Path
    store_url: str
    more: Mapping[str, str] = field(default_factory=dict)
    within: Sequence[str] = ()
    """A command that runs the server, where it is to have less than all of this machine."""
    python: str = sys.executable
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; return when it answers."""
        known = environment(
            self.home,
            PORT=str(self.port),
            UNROT_STORE=self.store_url,
            UNROT_SECRET_KEY=SECRET,
            UNROT_ADMIN_TOKEN=OPERATOR,
            UNROT_DAILY_BYTES=MORE_THAN_COMES,
            UNROT_JUDGE_TOKENS=f"ada:{JUDGE}",
            **self.more,
        )
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.within, self.python, "-m", "gunicorn", "app:app"],
                env=known,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: answers(f"{self.url}/api/v1/health"), 60)

    @property
    def log(self) -> Path:
        """What it says."""
        return self.home.parent / f"{self.home.name}.log"

    def kill(self) -> None:
        """End all its processes at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Stop it as an operator does."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(40)


@contextmanager
def opened(machine: Machine) -> Iterator[Service]:
    """Look into the store as a program on a machine would."""
    settings = Settings(home=machine.home, store=machine.store_url, secret_key=SECRET)
    service = open_service(settings)
    try:
        yield service
    finally:
        service.store.close()


def family(first: int) -> list[int]:
    """Return a process and all that it started, and those started."""
    found, waiting = [], [first]
    parents = {int(one.name): _parent(one) for one in Path("/proc").glob("[0-9]*")}
    while waiting:
        found.append(waiting.pop(0))
        waiting += [child for child, parent in parents.items() if parent == found[-1]]
    return found


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Wait for a condition; tell whether it came."""
    ends_at = time.monotonic() + seconds
    while not (is_there := condition()) and time.monotonic() < ends_at:
        time.sleep(0.05)
    return bool(is_there)


# ── clients ──────────────────────────────────────────────────────────────────────────────────


class Client:
    """One who asks a machine again and again on one connection."""

    def __init__(self, machine: Machine, patience: float = 20.0) -> None:
        self.machine, self._patience = machine, patience
        self._connection: HTTPConnection | None = None

    def ask(
        self, path: str, body: Any = None, token: str = "", method: str | None = None
    ) -> tuple[int, Any]:
        """Return status and data; raise OSError or HTTPException when nothing was answered."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if self._connection is not None and _is_dropped(self._connection):
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection = HTTPConnection(
                "127.0.0.1", self.machine.port, timeout=self._patience
            )
        try:
            said = None if body is None else json.dumps(body)
            way = method or ("GET" if body is None else "POST")
            self._connection.request(way, f"/api/v1{path}", said, headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())["data"]
        except (OSError, HTTPException, ValueError):
            self._connection.close()
            self._connection = None
            raise


def _is_dropped(connection: HTTPConnection) -> bool:
    """Tell whether the server has closed a connection, as other clients look before they ask."""
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])


GONE_SECONDS = 0.15


class Watch:
    """Asks machines all the time which version of a model answers."""

    def __init__(self, machines: Sequence[Machine], model: str) -> None:
        self._model = model
        self._row = zombies_of(1, seed=1)[0][0]
        self._stop = threading.Event()
        self._seen: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._ask, args=[machine])
            for machine in machines
            for _ in range(3)
        ]
        self.asked = 0

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def last_of(self, version: str) -> float:
        """Return when a request began last that a version answered."""
        return self._seen.get(version, 0.0)

    def is_gone(self, version: str) -> bool:
        """Tell whether others have answered for a while, and not this one."""
        others = [at for name, at in list(self._seen.items()) if name != version]
        return max(others, default=0.0) > self.last_of(version) + GONE_SECONDS

    def last_other(self, version: str, since: float) -> float | None:
        """Return when a request began last that another version answered."""
        found = [at for name, at in list(self._seen.items()) if name != version and at > since]
        return max(found, default=None)

    def _ask(self, machine: Machine) -> None:
        """Ask on a new connection each time: whichever worker is free takes it."""
        while not self._stop.is_set():
            began = time.monotonic()
            _, told = Client(machine).ask(f"/models/{self._model}/predict", {"inputs": self._row})
            self.asked += 1
            self._seen[told["version"]] = max(began, self._seen.get(told["version"], 0.0))
            time.sleep(0.01)


@contextmanager
def beside(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """Let something go on until it is told to stop."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=[stop])
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def end_cleanly() -> None:
    """Let whoever is asked to stop take its servers along."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


SILENCE = (OSError, HTTPException, ValueError)
"""What a client sees of a machine that was killed."""


def quantile(seconds: list[float], share: float) -> float:
    """Return the time that a share of all took at most."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
