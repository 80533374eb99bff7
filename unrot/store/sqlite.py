"""SQLite as a database for several processes: one writer at a time, and no commit is lost.

Writes of all processes are serialised by one file lock, checkpoints with them, because SQLite
before 3.51.3 can lose pages when a checkpoint meets a write, and because waiting in line is a
hundred times faster at the tail than SQLite's own busy handler. Threads of one process that
wait for the lock together are committed together. WAL with synchronous=FULL: what was
committed survives a power cut.
"""

from __future__ import annotations

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from unrot.core.errors import StoreAway, UnrotError
from unrot.store.engine import Dialect, Transaction

T = TypeVar("T")
PATIENCE_SECONDS = 2.5
PAGES_AT_ONCE = 1_000
STEPS_BETWEEN_TICKS = 1_000_000


class _Connection(sqlite3.Connection):
    """Closes itself when its thread has ended or its owner is gone, of which Python 3.13 warns."""

    def __del__(self) -> None:
        self.close()


class _Task:
    """One piece of work that waits for the next commit."""

    def __init__(self, work: Callable[[Transaction], Any]) -> None:
        self.work = work
        self.is_done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def finish(self, error: BaseException | None) -> None:
        self.error, self.is_done = self.error or error, True


class SqliteDatabase:
    """One SQLite file."""

    dialect: ClassVar[Dialect] = Dialect(
        name="SQLite",
        text="TEXT",
        number="REAL",
        integer="INTEGER",
        bytes="BLOB",
        next_revision="UPDATE revisions SET last = last + 1 RETURNING last",
        names="SELECT name FROM sqlite_master",
        columns="SELECT one.name, column.name FROM sqlite_master AS one, "
        "pragma_table_info(one.name) AS column WHERE one.type = 'table'",
        make_revisions=(
            "CREATE TABLE IF NOT EXISTS revisions (one INTEGER PRIMARY KEY, last INTEGER NOT NULL)",
            "INSERT INTO revisions VALUES (1, 0) ON CONFLICT (one) DO NOTHING",
        ),
    )

    def __init__(self, path: Path, *, failed: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self._failed = failed
        self._lock_path = path.with_name(path.name + ".lock")
        self._turn = threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._log_path = path.with_name(path.name + "-wal")
        self._stamp: tuple[int, int] | None = None
        self._readers = threading.local()
        self._writer: sqlite3.Connection | None = None
        self._identity: tuple[int, int, int] | None = None

    def prepare(self) -> None:
        """Make the file and its folder when they are missing."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.locked():
                connection = sqlite3.connect(self.path, timeout=PATIENCE_SECONDS)
                try:
                    connection.execute("PRAGMA journal_mode=WAL")
                finally:
                    connection.close()
        except (OSError, sqlite3.Error) as error:
            raise self._away(error) from error

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run some queries on this thread's connection."""
        try:
            connection = self._reader()
            return work(connection)
        except (OSError, sqlite3.Error) as error:
            self._readers.__dict__.clear()
            raise self._away(error) from error

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run some work in the next commit, together with the work of other threads."""
        task = _Task(work)
        self._waiting.append(task)
        with self._turn:
            if not task.is_done:
                self._commit_waiting()
        if task.error is None:
            return task.result  # type: ignore[no-any-return]
        if isinstance(task.error, OSError | sqlite3.Error):
            raise self._away(task.error) from task.error
        raise task.error

    def write_alone(self, work: Callable[[Transaction], T]) -> T:
        """Run some work while nobody else writes, as every write does."""
        return self.write(work)

    def wait_for_change(self, seconds: float) -> bool:
        """Wait, then return whether somebody has written since the last time, whatever it was."""
        before = self._stamp or self._written_at()
        time.sleep(seconds)
        self._stamp = self._written_at()
        return before != self._stamp

    def _written_at(self) -> tuple[int, int]:
        return _written_at(self.path), _written_at(self._log_path)

    def copy_to(self, target: Path, progress: Callable[[float], None]) -> None:
        """Copy all as it stands at this moment into one file, while others go on writing.

        The open transaction holds the moment: without it every write would start the copy anew.
        """
        source = self._connect()
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            source.execute("BEGIN")
            source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            source.backup(
                copy,
                pages=PAGES_AT_ONCE,
                progress=lambda _, left, all: progress(1 - left / max(all, 1)),
            )
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
            with self.locked():
                source.close()

    def write_anew(self, tick: Callable[[], None]) -> None:
        """Write the file anew without its empty pages; all who write wait as long."""

        def go_on() -> int:
            tick()
            return 0

        with self._turn, self.locked():
            connection = self._connect()
            try:
                connection.set_progress_handler(go_on, STEPS_BETWEEN_TICKS)
                connection.execute("VACUUM")
                connection.set_progress_handler(None, 0)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()

    def size(self) -> int:
        """Return the size of the file and of its log."""
        log = self.path.with_name(f"{self.path.name}-wal")
        try:
            return self.path.stat().st_size + (log.stat().st_size if log.exists() else 0)
        except OSError as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Close this process's connections; the last one may checkpoint, so take the lock."""
        try:
            with self._turn, self.locked():
                self._drop_writer()
                self._drop_reader()
        except OSError:
            return

    def _commit_waiting(self) -> None:
        tasks = [self._waiting.popleft() for _ in range(len(self._waiting))]
        error: BaseException | None = None
        try:
            with self.locked():
                self._run(self._open_writer(), tasks)
        except (OSError, sqlite3.Error) as caught:
            error = caught
            self._drop_writer()
        except BaseException as caught:
            error = caught
            self._drop_writer()
            raise
        finally:
            for task in tasks:
                task.finish(error)

    def _run(self, connection: sqlite3.Connection, tasks: list[_Task]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for task in tasks:
            connection.execute("SAVEPOINT task")
            try:
                task.result = task.work(connection)
            except sqlite3.IntegrityError as error:
                task.error = error
            except (OSError, sqlite3.Error):
                raise
            except Exception as error:
                task.error = error
            if task.error is not None:
                connection.execute("ROLLBACK TO task")
            connection.execute("RELEASE task")
        connection.execute("COMMIT")

    def _open_writer(self) -> sqlite3.Connection:
        identity = self._file_identity()
        if self._writer is None or self._identity != identity:
            self._drop_writer()
            self._writer = self._connect()
            self._writer.execute("PRAGMA synchronous=FULL")
            self._identity = identity
        return self._writer

    def _drop_writer(self) -> None:
        connection, self._writer = self._writer, None
        if connection is not None and self._identity and self._identity[0] == os.getpid():
            connection.close()

    def _reader(self) -> sqlite3.Connection:
        identity = self._file_identity()
        held: tuple[Any, sqlite3.Connection] | None = getattr(self._readers, "held", None)
        if held is None or held[0] != identity:
            connection = self._connect()
            connection.execute("PRAGMA query_only=1")
            self._readers.held = held = (identity, connection)
        return held[1]

    def _drop_reader(self) -> None:
        """Close this thread's connection: letting go is not enough, it refers to itself."""
        held = self._readers.__dict__.pop("held", None)
        if held is not None and held[0][0] == os.getpid():
            held[1].close()

    def _file_identity(self) -> tuple[int, int, int]:
        """Name the process and the file: a connection serves one process and one file only."""
        found = os.stat(self.path)
        return os.getpid(), found.st_dev, found.st_ino

    def _connect(self) -> sqlite3.Connection:
        address = f"file:{_quoted(self.path)}?mode=rw"
        return sqlite3.connect(
            address,
            uri=True,
            timeout=PATIENCE_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=_Connection,
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one of all processes that writes."""
        file = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _wait_for(file)
            yield
        finally:
            os.close(file)

    def _away(self, error: BaseException) -> UnrotError:
        self._failed()
        if isinstance(error, FileNotFoundError):
            return StoreAway(
                "The database file is gone: put it back, or restart to begin with an empty one."
            )
        return StoreAway("The database does not answer.", f"SQLite says: {error}.")


def _wait_for(file: int) -> None:
    """Take the file lock, asking again in short uneven steps until patience ends."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > ends_at:
                raise TimeoutError("another process has been writing for too long") from error
            time.sleep(random.uniform(0.0003, 0.0015))


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _written_at(path: Path) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
