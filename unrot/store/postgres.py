"""Postgres as a database: few connections, bounded waits, and no write made twice by itself.

A process keeps the connections that it needed at the same moment, at most MOST_CONNECTIONS, and
makes them when they are first needed; a forked process begins with none. Every call ends in time:
the server stops a statement after PATIENCE_SECONDS, and the client gives up on a server that says
nothing for a second longer.

What is done again, and what is not. A connection may have broken while nobody used it, because the
server was restarted. As long as COMMIT was not sent, nothing of a piece of work is kept, so it is
done once more on a new connection; so is work that the server chose to end a deadlock. Once COMMIT
was sent, a connection that breaks leaves open whether all or nothing was kept. That is StoreAway,
and never done again here: the caller tries again, which is harmless, because a commit made twice
is as made once; one with conditions says Changed when it was kept the first time, and whoever made
conditions reads anew then.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_attempts, conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.waiting import wait_conn

from unrot.core.errors import BadSetting, StoreAway
from unrot.core.patience import seconds_left
from unrot.store.engine import Answer, Dialect, Transaction

T = TypeVar("T")
MOST_CONNECTIONS = 4
"""Of a process, and one more that listens: small servers allow 20 in all."""
MOST_TRIES = 3
CONNECTING_SECONDS = 2
TURN_SECONDS = 2.5
"""How long to wait until one of the connections is free."""
PATIENCE_SECONDS = 5.0
"""After which the server stops a statement."""
GRACE_SECONDS = 1.0
"""How long after that the client gives up on a server that says nothing."""
PREPARING_SECONDS = 300.0
CLASHES = (errors.DeadlockDetected, errors.SerializationFailure)
LOCK_FOR_PREPARING = 0x756E726F74  # "unrot"

CONNECTION = {
    "application_name": "unrot",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
"""What holds for an address that says nothing else."""


class PostgresDatabase:
    """One Postgres database by its address."""

    dialect: ClassVar[Dialect] = Dialect(
        name="Postgres",
        text='TEXT COLLATE "C"',
        number="DOUBLE PRECISION",
        integer="BIGINT",
        bytes="BYTEA",
        next_revision="SELECT nextval('revisions')",
        make_revisions=("CREATE SEQUENCE IF NOT EXISTS revisions",),
        names="SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace",
        columns="SELECT relname, attname FROM pg_class "
        "JOIN pg_attribute ON attrelid = pg_class.oid WHERE relnamespace = "
        "current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped",
        hold="FOR SHARE",
        tell="NOTIFY generation",
    )

    def __init__(
        self,
        url: str,
        *,
        patience: float | None = None,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._given = _read_address(url)
        self._patience = patience
        self._failed = failed
        self._held: dict[int, _Held] = {}

    @property
    def patience(self) -> float:
        """How long an answer may take."""
        return PATIENCE_SECONDS if self._patience is None else self._patience

    def prepare(self) -> None:
        """Nothing is to be made: the database is its operator's."""

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run some queries on one connection, each by itself."""
        return self._run(lambda connection: work(_Statements(connection)))

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run some work as one transaction."""
        return self._run(lambda connection: connection.commit_work(work))

    def write_alone(self, work: Callable[[Transaction], T]) -> T:
        """Run some work that may take long, when all others that do so have ended."""

        def alone(tx: Transaction) -> T:
            tx.execute("SELECT pg_advisory_xact_lock(?)", [LOCK_FOR_PREPARING])
            return work(tx)

        try:
            with closing(self._connect(PREPARING_SECONDS)) as connection:
                return connection.commit_work(alone)
        except psycopg.Error as error:
            raise self._away(error) from error

    def wait_for_change(self, seconds: float) -> bool:
        """Wait, and return True as soon as somebody said that the generation has moved.

        It fails for nobody: who cannot listen has waited, and looks for himself.
        """
        held, ends_at = self._held_here(), time.monotonic() + seconds
        try:
            listener = held.listener or self._connect(self.patience)
            if held.listener is None:
                held.listener = listener
                listener.execute("LISTEN generation")
            listener.give(seconds + PATIENCE_SECONDS)
            return bool([*listener.notifies(timeout=seconds, stop_after=1)])
        except psycopg.Error:
            held.stop_listening()
            time.sleep(max(ends_at - time.monotonic(), 0))
            return False

    def size(self) -> int | None:
        """Return how many bytes the database takes, with its indexes."""
        asked = "SELECT pg_database_size(current_database())"
        return int(self.read(lambda tx: tx.execute(asked).fetchall())[0][0])

    def close(self) -> None:
        """Close this process's connections that nobody uses at the moment."""
        held = self._held_here()
        held.close_idle()
        held.stop_listening()

    def _run(self, work: Callable[[_Connection], T]) -> T:
        """Do work on one of the few connections."""
        held = self._held_here()
        if not held.turns.acquire(timeout=seconds_left(min(TURN_SECONDS, self.patience))):
            raise self._away(TimeoutError("all connections to it are in use"))
        try:
            return self._try(held, work)
        except psycopg.Error as error:
            raise self._away(error) from error
        finally:
            held.turns.release()

    def _try(self, held: _Held, work: Callable[[_Connection], T]) -> T:
        """Do work, and do it again while nothing of it can have been kept."""
        for number in range(1, MOST_TRIES):
            connection = held.take() or self._connect(self.patience)
            try:
                return connection.lend(work, held.put_back)
            except CLASHES:
                time.sleep(random.uniform(0.002, 0.02) * number)
            except psycopg.Error:
                if not connection.is_lost:
                    raise
                held.close_idle()
        return self._connect(self.patience).lend(work, held.put_back)

    def _connect(self, patience: float) -> _Connection:
        """Make a connection; an answer that takes longer than patience is none."""
        own = {
            "statement_timeout": int(patience * 1_000),
            "idle_in_transaction_session_timeout": int(patience * 1_000),
            "synchronous_commit": "on",  # A server that waits for no disk would lose what it took.
        }
        options = " ".join(f"-c {name}={value}" for name, value in own.items())
        given = {**CONNECTION, **self._given}
        given["options"] = f"{options} {given.get('options') or ''}".strip()
        connecting = float(given.pop("connect_timeout", CONNECTING_SECONDS))
        connection = _Connection.open(given, seconds_left(min(connecting, patience)))
        connection.patience = patience + min(GRACE_SECONDS, patience / 8)
        connection.give(connection.patience)
        return connection

    def _held_here(self) -> _Held:
        """Return this process's connections; those of the process before a fork stay untouched."""
        process = os.getpid()
        return self._held.get(process) or self._held.setdefault(process, _Held())

    def _away(self, error: Exception) -> StoreAway:
        self._failed()
        return StoreAway("The database does not answer.", f"Postgres says: {_sentence(error)}.")


class _Held:
    """The connections of one process."""

    def __init__(self) -> None:
        self.listener: _Connection | None = None
        self._idle: list[_Connection] = []
        self.turns = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def take(self) -> _Connection | None:
        """Return the connection that was used last, if one is free."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def put_back(self, connection: _Connection) -> None:
        """Keep a connection that can be used again, close another."""
        if connection.info.transaction_status == TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def close_idle(self) -> None:
        """Close those that are free: when one broke, most likely all did."""
        while connection := self.take():
            connection.close()

    def stop_listening(self) -> None:
        """Close the connection that listens."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.close()


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection whose work ends in time, also when the server is frozen or the cable cut."""

    patience = PATIENCE_SECONDS + GRACE_SECONDS
    ends_at = float("inf")
    may_have_committed = False
    is_lost = False
    """It broke, and nothing of the work was kept."""

    @classmethod
    def open(cls, given: Mapping[str, Any], seconds: float) -> _Connection:
        """Connect to the first host that answers; each has so long, of which psycopg gives 2 s."""
        failed: psycopg.Error = NoAnswer("there is no host to connect to")
        for attempt in conninfo_attempts(given):
            try:
                connection = wait_conn(cls._connect_gen(make_conninfo("", **attempt)), 0.1, seconds)
                connection.autocommit = True
                return connection
            except errors._WaitTimeout:
                failed = NoAnswer("connection timeout expired")
            except psycopg.Error as error:
                failed = error
        raise failed.with_traceback(None)

    def give(self, seconds: float) -> None:
        """Give the next work so long."""
        self.ends_at = time.monotonic() + seconds
        self.may_have_committed = False

    def lend(self, work: Callable[[_Connection], T], put_back: Callable[[_Connection], None]) -> T:
        """Do work in time, then put the connection back."""
        self.give(seconds_left(self.patience))
        try:
            return work(self)
        except psycopg.Error:
            self.is_lost = self.broken and not self.may_have_committed
            raise
        finally:
            put_back(self)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, no longer than until the end."""
        left = max(self.ends_at - time.monotonic(), 0.001)
        if timeout is not None and timeout < left:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, left)
        except errors._WaitTimeout as error:
            raise NoAnswer("nothing came back in time") from error

    def commit_work(self, work: Callable[[Transaction], T]) -> T:
        """Run work as one transaction."""
        self.execute("BEGIN")
        try:
            result = work(_Statements(self))
        except psycopg.Error:
            raise
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.may_have_committed = True
        self.execute("COMMIT")
        return result


class NoAnswer(psycopg.OperationalError):
    """The server keeps the connection open and says nothing."""


class _Statements:
    """Statements with `?` for a parameter, as the engine writes them."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, parameters: Any = (), /) -> Answer:
        """Run one statement."""
        return self._connection.execute(_translated(statement), parameters, binary=True)

    def executemany(self, statement: str, rows: Any, /) -> Answer:
        """Run one statement for each row, all on their way before the first answer is back."""
        cursor = self._connection.cursor()
        cursor.executemany(_translated(statement), rows)
        return cursor


@lru_cache(512)
def _translated(statement: str) -> bytes:
    return statement.replace("%", "%%").replace("?", "%s").encode()


def _read_address(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.Error:
        # What the library says quotes the address, and the password with it.
        raise BadSetting(
            "The address of the Postgres database cannot be read: expected "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with signs such as @ / # in the "
            "password as %40 %2F %23, and behind a ? nothing but libpq's options."
        ) from None


def _sentence(error: Exception) -> str:
    """Return what went wrong in one line; it names server and user, never the password."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")
