"""What is SQLite's own: the file that goes away, the lock that is held, the group commit."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from unrot.core.errors import StoreAway
from unrot.store import engine, sqlite
from unrot.store.engine import SqlStore
from unrot.store.kinds import FACT, FEEDBACK, FORMAT, KINDS, Kind
from unrot.store.operations import Put
from unrot.store.sqlite import SqliteDatabase


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    database = SqliteDatabase(tmp_path / "unrot.db")
    database.prepare()
    database.write(lambda tx: tx.execute("CREATE TABLE marks (mark INTEGER)"))
    return database


def marks(database: SqliteDatabase) -> list[int]:
    return database.read(
        lambda tx: [row[0] for row in tx.execute("SELECT mark FROM marks ORDER BY mark").fetchall()]
    )


def put(database: SqliteDatabase, mark: int) -> None:
    database.write(lambda tx: tx.execute("INSERT INTO marks VALUES (?)", (mark,)))


def test_write_to_a_file_that_was_moved_away_is_refused(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    put(database, 1)
    database.path.rename(tmp_path / "elsewhere.db")

    with pytest.raises(StoreAway, match="gone"):
        put(database, 2)
    with pytest.raises(StoreAway, match="gone"):
        marks(database)

    (tmp_path / "elsewhere.db").rename(database.path)
    put(database, 3)
    assert marks(database) == [1, 3]


def test_write_while_another_program_holds_the_file_is_refused_in_time(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0.2)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreAway, match="locked"):
        put(SqliteDatabase(database.path), 1)

    other.execute("ROLLBACK")
    other.close()
    put(database, 2)
    assert marks(database) == [2]


def test_file_that_is_not_a_database_is_a_store_that_is_away(tmp_path: Path) -> None:
    path = tmp_path / "unrot.db"
    path.write_bytes(b"this is not a database, however long it may go on" * 100)

    with pytest.raises(StoreAway, match="not a database"):
        SqlStore(SqliteDatabase(path)).prepare()


def test_work_that_fails_takes_nothing_of_its_neighbours_along(database: SqliteDatabase) -> None:
    def fail(tx: sqlite3.Connection) -> None:
        tx.execute("INSERT INTO marks VALUES (99)")
        raise KeyError("half way")

    started = threading.Barrier(9)
    errors: list[BaseException] = []

    def work(mark: int) -> None:
        started.wait()
        try:
            if mark == 0:
                database.write(fail)
            else:
                put(database, mark)
        except KeyError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert marks(database) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [type(error) for error in errors] == [KeyError]


def test_writes_of_several_processes_are_all_kept(database: SqliteDatabase) -> None:
    program = (
        "import sys; from pathlib import Path; from unrot.store.sqlite import SqliteDatabase\n"
        "database = SqliteDatabase(Path(sys.argv[1]))\n"
        "for mark in range(int(sys.argv[2]), int(sys.argv[2]) + 50):\n"
        "    database.write(lambda tx: tx.execute('INSERT INTO marks VALUES (?)', (mark,)))\n"
    )

    running = [
        subprocess.Popen([sys.executable, "-c", program, str(database.path), str(1000 * number)])
        for number in range(4)
    ]
    codes = [process.wait(60) for process in running]

    assert codes == [0, 0, 0, 0]
    assert marks(database) == [1000 * number + mark for number in range(4) for mark in range(50)]


@pytest.mark.parametrize(
    ("number", "said"), [(FORMAT + 1, "newer release"), (FORMAT - 1, "before the first release")]
)
def test_database_of_another_release_is_not_touched(tmp_path: Path, number: int, said: str) -> None:
    store = SqlStore(SqliteDatabase(tmp_path / "unrot.db"))
    store.prepare()
    store.commit([Put(FACT, "format", {"value": str(number)})])

    with pytest.raises(StoreAway, match=said):
        store.check()


def test_database_of_before_the_first_format_is_left_as_it_is(
    database: SqliteDatabase,
) -> None:
    database.write(lambda tx: tx.execute("CREATE TABLE migrations (number INTEGER)"))

    with pytest.raises(StoreAway, match="before its format"):
        SqlStore(database).prepare()

    tables = database.read(
        lambda tx: tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    )
    assert {row[0] for row in tables} == {"marks", "migrations"}


def test_commits_are_synchronous_and_in_wal(database: SqliteDatabase) -> None:
    modes = database.write(
        lambda tx: [
            tx.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        ]
    )

    assert modes == ["wal", 2]


def test_table_of_an_older_release_gets_the_columns_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = {"reward", "signals", "implicit", "aside of"}
    older = {name: type for name, type in FEEDBACK.fields.items() if name not in new}
    indexes = {name: one for name, one in FEEDBACK.indexes.items() if name != "aside"}
    before = [one for one in KINDS if one.name not in (FEEDBACK.name, "signal-names")]
    with monkeypatch.context() as patch:
        patch.setattr(engine, "KINDS", [*before, Kind(FEEDBACK.name, older, indexes)])
        SqlStore(SqliteDatabase(tmp_path / "old.db")).prepare()
    with sqlite3.connect(tmp_path / "old.db") as old:
        names = {row[1] for row in old.execute('PRAGMA table_info("prediction-feedback")')}
        old.execute(
            'INSERT INTO "prediction-feedback" (key, revision, model, label, body) VALUES '
            "('p1', 1, 'elves', 'orc', '{}')"
        )
    assert not names & new

    store = SqlStore(SqliteDatabase(tmp_path / "old.db"))
    store.prepare()

    kept = store.get(FEEDBACK, "p1")
    assert kept is not None
    assert (kept["label"], kept["reward"], kept["implicit"]) == ("orc", None, None)
    store.commit([Put(FEEDBACK, "p2", {**kept.fields, "reward": 0.5, "signals": "abandoned"})])
    later = store.get(FEEDBACK, "p2")
    assert later is not None
    assert (later["reward"], later["signals"]) == (0.5, "abandoned")
