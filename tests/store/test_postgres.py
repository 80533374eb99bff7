"""What is Postgres' own: connections that break, silent servers, and who waits for whom."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.conftest import ROOT, free_port, wait_for
from tests.store.postgres_server import PASSWORD, PostgresServer, shared_server
from unrot.core.errors import BadSetting, StoreAway
from unrot.store import postgres
from unrot.store.engine import SqlStore, Transaction
from unrot.store.kinds import FACT, FEEDBACK, VERSION
from unrot.store.operations import ABSENT, Changed, Put
from unrot.store.postgres import PostgresDatabase


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def database(postgres_url: str, failures: list[str]) -> Iterator[PostgresDatabase]:
    database = PostgresDatabase(postgres_url, failed=lambda: failures.append("failed"))
    database.write(
        lambda tx: tx.execute("CREATE TABLE marks (mark INTEGER PRIMARY KEY, n INTEGER)")
    )
    yield database
    database.close()


@pytest.fixture
def other(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else who is connected to the same database."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def marks(database: PostgresDatabase) -> list[int]:
    asked = "SELECT mark FROM marks ORDER BY mark"
    return database.read(lambda tx: [row[0] for row in tx.execute(asked).fetchall()])


def put(database: PostgresDatabase, mark: int) -> None:
    database.write(lambda tx: tx.execute("INSERT INTO marks VALUES (?, 0)", [mark]))


def process_of(tx: Transaction) -> int:
    return int(tx.execute("SELECT pg_backend_pid()").fetchone()[0])


def end_all(connection: psycopg.Connection[Any]) -> None:
    """End the server's processes of all other connections to the database, and see them gone."""
    others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    connection.execute(f"SELECT pg_terminate_backend(pid) FROM {others}")
    wait_for(lambda: connection.execute(f"SELECT COUNT(*) FROM {others}").fetchone() == (0,))


def listens(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether somebody listens: on a busy machine the first who tries may not get through."""
    asked = "SELECT COUNT(*) FROM pg_stat_activity WHERE query = 'LISTEN generation'"
    return connection.execute(asked).fetchone() != (0,)


@contextmanager
def running(work: Callable[[], object]) -> Iterator[list[BaseException]]:
    """Do some work beside; the list has what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield raised
    finally:
        thread.join()


# ── connections that break ───────────────────────────────────────────────────────────────────


def test_server_that_was_restarted_between_calls_is_not_noticed(
    tmp_path_factory: pytest.TempPathFactory, failures: list[str]
) -> None:
    with (
        shared_server(tmp_path_factory.mktemp("own"), free_port()) as server,
        server.fresh_database() as url,
    ):
        database = PostgresDatabase(url, failed=lambda: failures.append("failed"))
        store = SqlStore(database)
        store.commit([Put(FACT, "a", {"value": "1"})])

        server.stop()
        server.start()
        store.commit([Put(FACT, "b", {"value": "2"})])
        server.stop()
        server.start()
        assert sorted(store.get_many(FACT, ["a", "b"])) == ["a", "b"]
        assert failures == []

        server.stop()
        with pytest.raises(StoreAway, match="Postgres says: connection failed"):
            store.get(FACT, "a")
        with pytest.raises(StoreAway, match="refused"):
            store.commit([Put(FACT, "c", {"value": "3"})])
        assert failures == ["failed", "failed"]
        server.start()
        assert store.get(FACT, "c") is None
        store.close()


def test_commit_waits_for_the_disk_where_the_server_would_not(
    database: PostgresDatabase, other: psycopg.Connection[Any]
) -> None:
    assert other.execute("SHOW synchronous_commit").fetchall() == [("off",)]
    assert database.read(lambda tx: tx.execute("SHOW synchronous_commit").fetchall()) == [("on",)]


def test_connections_that_the_server_ended_are_made_anew(
    database: PostgresDatabase, other: psycopg.Connection[Any], failures: list[str]
) -> None:
    put(database, 1)
    end_all(other)
    assert marks(database) == [1]
    end_all(other)
    put(database, 2)

    assert marks(database) == [1, 2]
    assert failures == []


def test_work_that_loses_its_connection_half_way_is_done_once_more(
    database: PostgresDatabase, other: psycopg.Connection[Any]
) -> None:
    tried: list[int] = []

    def work(tx: Transaction) -> None:
        tx.execute("INSERT INTO marks VALUES (1, 0)")
        tried.append(process_of(tx))
        if len(tried) == 1:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [tried[0]])
        tx.execute("INSERT INTO marks VALUES (2, 0)")

    database.write(work)

    assert len(set(tried)) == 2
    assert marks(database) == [1, 2]


def test_work_that_loses_its_connection_each_time_ends(
    database: PostgresDatabase, other: psycopg.Connection[Any], failures: list[str]
) -> None:
    tried: list[int] = []

    def work(tx: Transaction) -> None:
        tried.append(process_of(tx))
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [tried[-1]])
        tx.execute("INSERT INTO marks VALUES (2, 0)")

    with pytest.raises(StoreAway, match="terminating connection"):
        database.write(work)

    assert len(tried) == 3
    assert failures == ["failed"]


def at_commit(other: psycopg.Connection[Any], statement: str) -> None:
    """Let the server do something when a new row of marks is committed."""
    other.execute(
        "CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN PERFORM {statement}; RETURN NULL; END $$"
    )
    other.execute(
        "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON marks DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION at_commit()"
    )


def test_server_process_killed_in_mid_commit_leaves_the_answer_open(
    database: PostgresDatabase, other: psycopg.Connection[Any], failures: list[str]
) -> None:
    at_commit(other, "pg_terminate_backend(pg_backend_pid()), pg_sleep(1)")
    tried: list[int] = []

    with pytest.raises(StoreAway):
        database.write(lambda tx: (tried.append(1), tx.execute("INSERT INTO marks VALUES (1, 0)")))

    assert tried == [1]
    assert failures == ["failed"]
    other.execute("DROP TRIGGER late ON marks")
    put(database, 1)
    assert marks(database) == [1]


def test_commit_whose_answer_is_lost_is_not_made_again(
    database: PostgresDatabase, other: psycopg.Connection[Any]
) -> None:
    at_commit(other, "pg_advisory_xact_lock(7)")
    tried: list[socket.socket] = []

    def work(tx: Any) -> None:
        tried.append(socket.socket(fileno=os.dup(tx._connection.fileno())))
        tx.execute("INSERT INTO marks VALUES (1, 0)")

    other.execute("SELECT pg_advisory_lock(7)")
    with running(lambda: database.write(work)) as raised:
        waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_for(lambda: other.execute(waiting).fetchone() == (1,))
        tried[0].shutdown(socket.SHUT_RDWR)
    other.execute("SELECT pg_advisory_unlock(7)")

    assert [type(error) for error in raised] == [StoreAway]
    assert len(tried) == 1
    wait_for(lambda: marks(database) == [1])
    tried[0].close()


# ── servers that are silent, and refusals ────────────────────────────────────────────────────


def test_server_that_accepts_and_never_answers_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://u:secret-1@127.0.0.1:{silent.getsockname()[1]}/unrot"

        with pytest.raises(StoreAway, match="timeout") as raised:
            PostgresDatabase(address).read(process_of)

    assert "secret-1" not in str(raised.value)


def test_who_has_little_patience_does_not_wait_longer_for_a_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The library alone waits two seconds for each host; a verdict is answered within 1.5."""
    waited: list[float | None] = []
    wait = postgres.wait_conn

    def note(gen: Any, interval: float, timeout: float | None) -> Any:
        waited.append(timeout)
        return wait(gen, interval, timeout)

    monkeypatch.setattr(postgres, "wait_conn", note)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        for patience, more in ((0.1, ""), (0.2, "?connect_timeout=5"), (60.0, "")):
            address = f"postgresql://u@{place},127.0.0.1:1/unrot{more}"
            if patience > 1:
                monkeypatch.setattr(postgres, "CONNECTING_SECONDS", 0.3)
            with pytest.raises(StoreAway, match="refused"):
                PostgresDatabase(address, patience=patience).read(process_of)

    assert waited[::2] == [0.1, 0.2, 0.3]


def test_server_that_freezes_in_mid_call_is_away(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(postgres, "GRACE_SECONDS", 0.1)
    frozen = database.read(process_of)

    os.kill(frozen, signal.SIGSTOP)
    try:
        with pytest.raises(StoreAway, match="nothing came back in time"):
            database.read(process_of)
    finally:
        os.kill(frozen, signal.SIGCONT)

    monkeypatch.undo()
    assert database.read(process_of) != frozen


def test_wrong_password_is_said_and_not_shown(postgres: PostgresServer) -> None:
    database = PostgresDatabase(postgres.url("postgres", "secret-1"))

    with pytest.raises(StoreAway, match="password authentication failed for user") as raised:
        database.read(process_of)

    said = str(raised.value) + repr(raised.value.__cause__)
    assert "secret-1" not in said
    assert PASSWORD not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret%zz@db/unrot",
        "postgresql://u:secret@db:port/unrot?sslmode=require=no",
        "postgresql://u:p@db/unrot?passwort=secret",
        "postgresql://u:p@db/unrot?secret",
    ],
)
def test_address_that_cannot_be_read_stops_the_start_and_is_not_shown(url: str) -> None:
    with pytest.raises(BadSetting, match="postgresql://USER:PASSWORD@HOST") as raised:
        PostgresDatabase(url)

    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_address_of_heroku_and_what_it_says_of_the_connection_are_followed(
    postgres_url: str,
) -> None:
    said = "?sslmode=prefer&application_name=mine&options=-c%20statement_timeout%3D777"
    database = PostgresDatabase(postgres_url.replace("postgresql:", "postgres:") + said)

    shown = database.read(
        lambda tx: [
            tx.execute(f"SHOW {name}").fetchone()[0]
            for name in ("application_name", "statement_timeout", "tcp_keepalives_idle")
        ]
    )

    assert shown[:2] == ["mine", "777ms"]
    database.close()


# ── who waits for whom ───────────────────────────────────────────────────────────────────────


def test_commit_that_waits_too_long_for_another_is_refused_in_time(
    database: PostgresDatabase, other: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # So long a new connection may take as well, on a busy machine.
    monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 0.6)
    database.close()

    with other.transaction():
        other.execute("INSERT INTO marks VALUES (1, 0)")
        with pytest.raises(StoreAway, match="statement timeout"):
            put(database, 1)

    put(database, 2)
    assert marks(database) == [1, 2]


def test_deadlock_is_tried_again(database: PostgresDatabase, failures: list[str]) -> None:
    database.write(lambda tx: tx.execute("INSERT INTO marks VALUES (1, 0), (2, 0)"))
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def count(first: int, second: int) -> None:
        def work(tx: Transaction) -> None:
            tries.append(first)
            tx.execute("UPDATE marks SET n = n + 1 WHERE mark = ?", [first])
            if tries.count(first) == 1:
                both_hold_one.wait(10)
            tx.execute("UPDATE marks SET n = n + 1 WHERE mark = ?", [second])

        database.write(work)

    with running(lambda: count(1, 2)) as raised, running(lambda: count(2, 1)) as raised_too:
        pass

    assert (raised, raised_too, failures) == ([], [], [])
    assert len(tries) > 2
    counted = database.read(lambda tx: tx.execute("SELECT mark, n FROM marks").fetchall())
    assert sorted(counted) == [(1, 2), (2, 2)]


def test_database_is_made_by_two_processes_at_once_ten_times(postgres: PostgresServer) -> None:
    forked = multiprocessing.get_context("fork")
    with postgres.fresh_database("template1") as url:
        together = forked.Barrier(2)
        codes = [forked.Process(target=make_ten_times, args=(url, together)) for _ in range(2)]
        for process in codes:
            process.start()
        for process in codes:
            process.join(60)

    assert [process.exitcode for process in codes] == [0, 0]


def make_ten_times(url: str, together: Any) -> None:
    for number in range(10):
        if together.wait(30) == 0:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("DROP SCHEMA public CASCADE")
                connection.execute("CREATE SCHEMA public")
        together.wait(30)
        store = SqlStore(PostgresDatabase(url))
        store.prepare()
        store.check(writing=True)
        store.commit(
            [Put(VERSION, f"{os.getpid()}/{number}", {"model": "elves", "number": number})]
        )
        store.close()


def test_child_and_parent_have_connections_of_their_own(database: PostgresDatabase) -> None:
    put(database, 1)
    mine = database.read(process_of)
    come, go = os.pipe()
    child = os.fork()
    if not child:
        put(database, 2)
        os.write(go, str(database.read(process_of)).encode())
        database.close()
        os._exit(0)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    theirs = int(os.read(come, 99))
    os.close(come)
    os.close(go)

    assert theirs != mine
    assert database.read(process_of) == mine
    assert marks(database) == [1, 2]


def test_many_threads_share_few_connections(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[int] = set()
    threads = [
        threading.Thread(target=lambda: seen.add(database.read(process_of))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) <= postgres.MOST_CONNECTIONS

    monkeypatch.setattr(postgres, "TURN_SECONDS", 0.01)
    over, all_hold = threading.Event(), threading.Barrier(postgres.MOST_CONNECTIONS + 1)

    def hold(tx: Transaction) -> None:
        tx.execute("SELECT 1")
        all_hold.wait(10)
        over.wait(10)

    holders = [
        threading.Thread(target=database.read, args=(hold,))
        for _ in range(postgres.MOST_CONNECTIONS)
    ]
    for holder in holders:
        holder.start()
    all_hold.wait(10)
    with pytest.raises(StoreAway, match="in use"):
        database.read(process_of)
    over.set()
    for holder in holders:
        holder.join()
    assert marks(database) == []


def test_work_that_fails_by_itself_leaves_nothing_and_a_good_connection(
    database: PostgresDatabase,
) -> None:
    before = database.read(process_of)

    def fail(tx: Transaction) -> None:
        tx.execute("INSERT INTO marks VALUES (99, 0)")
        raise KeyError("half way")

    with pytest.raises(KeyError):
        database.write(fail)

    assert marks(database) == []
    assert database.read(process_of) == before


# ── the generation ───────────────────────────────────────────────────────────────────────────


def test_who_waits_is_told_when_another_moved_the_generation(postgres_url: str) -> None:
    waits, moves = (SqlStore(PostgresDatabase(postgres_url)) for _ in range(2))
    assert waits.wait_for_change(0) is False  # listens from here on

    moves.commit([Put(FACT, "another", {"value": "1"})])
    with pytest.raises(Changed):
        moves.commit([Put(FACT, "format", {}, expect=ABSENT), Put(FACT, "generation", {})])
    assert waits.wait_for_change(0.05) is False
    moves.commit([Put(FACT, "generation", {"value": "1"})])

    assert waits.wait_for_change(60) is True
    assert waits.wait_for_change(0) is False
    waits.close()
    moves.close()


def test_who_waits_without_a_connection_has_waited_and_listens_again(
    postgres_url: str, other: psycopg.Connection[Any]
) -> None:
    waits, moves = (SqlStore(PostgresDatabase(postgres_url)) for _ in range(2))
    waits.wait_for_change(0)
    end_all(other)

    assert waits.wait_for_change(0.01) is False
    wait_for(lambda: not waits.wait_for_change(0) and listens(other))
    moves.commit([Put(FACT, "generation", {"value": "1"})])

    assert waits.wait_for_change(60) is True
    waits.close()
    moves.close()


# ── what people see ──────────────────────────────────────────────────────────────────────────


def test_select_of_the_docs_finds_the_feedback(
    postgres_url: str, other: psycopg.Connection[Any]
) -> None:
    store = SqlStore(PostgresDatabase(postgres_url))
    judged = {"model": "zombies", "version": "v1", "prediction": "orc", "was correct": False}
    at = time.time() - 60
    store.commit([Put(FEEDBACK, "p", {**judged, "input data": {"age": 7}, "predicted at": at})])
    store.close()
    page = (ROOT / "docs/postgres.md").read_text()
    [asked] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)

    [row] = other.execute(asked).fetchall()

    assert row[0].timestamp() == pytest.approx(at)
    assert row[1:] == ("zombies", "v1", "orc", None, 0, '{"age":7}')


def test_size_is_told(database: PostgresDatabase) -> None:
    size = database.size()

    assert size is not None and size > 1_000_000


def test_engine_alone_does_not_load_the_library() -> None:
    program = "import sys, unrot.store.engine, unrot.run.bootstrap; print('psycopg' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout == "False\n"
