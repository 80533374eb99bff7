"""A throw-away Postgres server: on a free port, in a temporary folder, gone when nobody uses it.

Whoever uses it holds a shared lock on one file. A guard, a process of its own, waits for that lock
alone, which it gets when the last user has ended, by Ctrl-C or `kill -9` as well; then it stops the
server and removes the folder.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.skips import needs
from unrot.store.engine import SqlStore
from unrot.store.postgres import PostgresDatabase

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "only for tests"
WRITTEN_PASSWORD = PASSWORD.replace(" ", "%20")
OPTIONS = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
    "deadlock_timeout=50ms",
    "autovacuum=off",
)
_guards: list[subprocess.Popen[bytes]] = []


@dataclass
class PostgresServer:
    """One server; its folder says all that another process must know of it."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _emptied: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int((self.folder / "port").read_text())

    def url(self, name: str, password: str = WRITTEN_PASSWORD) -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def fresh_database(self, template: str = "prepared") -> Iterator[str]:
        """Lend one more database by its address, as `make` prepared it."""
        name = self._create(template)
        yield self.url(name)
        self.ask(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """Lend a database with the tables in it; one that came back is emptied and lent again."""
        name = self._emptied.pop() if self._emptied else self._create("prepared")
        yield self.url(name)
        self._empty(name)
        self._emptied.append(name)

    def _create(self, template: str) -> str:
        name = f"d{os.getpid()}_{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _empty(self, name: str) -> None:
        """Send away whoever is connected, and leave no row in any table."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = connection.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()"
            ).fetchall()
            connection.execute(";".join(f"DELETE FROM {table}" for (table,) in tables))
            connection.execute("ALTER SEQUENCE revisions RESTART")

    def ask(self, statement: str) -> None:
        """Run one statement as the one who owns all."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def start(self) -> None:
        """Start it; return when it answers."""
        options = f"-p {self.port} -k {self.folder} " + " ".join(f"-c {one}" for one in OPTIONS)
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self, how: str = "fast") -> None:
        """Stop it."""
        self._control("stop", "-m", how)

    def make(self, port: int) -> None:
        """Make its files and start it."""
        (self.folder / "port").write_text(str(port))
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        shutil.chown(self.folder, _owner())
        shutil.chown(secret, _owner())
        _run(
            *("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "--no-sync"),
            *("-E", "UTF8", "--locale=C", "--auth=password", f"--pwfile={secret}"),
        )
        self.start()
        self.ask("CREATE DATABASE prepared")
        database = PostgresDatabase(self.url("prepared"))
        SqlStore(database).prepare()
        database.close()

    def _control(self, *arguments: str) -> None:
        _run("pg_ctl", "-s", "-w", "-D", str(self.folder / "data"), *arguments)


@contextmanager
def shared_server(shared: Path, port: int) -> Iterator[PostgresServer]:
    """Use the server of all test processes that share a folder; the first one makes it."""
    needs("Postgres", _program("initdb") is not None, "install Debian's package postgresql")
    note = shared / "postgres.folder"
    with (shared / "postgres.users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (shared / "postgres.making").open("w") as making:
            fcntl.flock(making, fcntl.LOCK_EX)
            if not note.exists():
                folder = Path(tempfile.mkdtemp(prefix="unrot-pg-"))
                _guard(folder, note, Path(users.name))
                PostgresServer(folder).make(port)
                note.write_text(str(folder))
        yield PostgresServer(Path(note.read_text()))


def _guard(folder: Path, note: Path, users: Path) -> None:
    arguments = map(str, (folder, note, users))
    _guards.append(
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.postgres_server", *arguments],
            cwd=ROOT,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )


def clear_up(folder: Path, note: Path, users: Path) -> None:
    """Wait until nobody uses the server, then stop it and remove its folder."""
    with users.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        note.unlink(missing_ok=True)
        with suppress(AssertionError):  # it may have been stopped by a test
            PostgresServer(folder).stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, *arguments: str) -> None:
    """Run a program of Postgres, which refuses to be run by root."""
    done = subprocess.run(
        [_program(program) or program, *arguments],
        user=_owner() if os.geteuid() == 0 else None,
        group=_owner() if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=60,
        close_fds=True,
    )
    assert done.returncode == 0, done.stderr.decode()


def _owner() -> str | int:
    return "postgres" if os.geteuid() == 0 else os.geteuid()


def _program(name: str) -> str | None:
    """Return where a program lies: Debian has them in no PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


if __name__ == "__main__":
    clear_up(*map(Path, sys.argv[1:]))
