"""Copies of a SQLite store: made while it is written, checked, and put in its place.

The old file is never without a name: it gets a second one, and then the copy takes the first
in one step. A copy that takes the place gets a name of its own as a store, because shelves
must see that it is another, and never gives out a model number that the old one gave.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from unrot.core.errors import Conflict, Invalid, StoreAway
from unrot.core.files import sync_folder
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.store.engine import SqlStore
from unrot.store.kinds import FACT, KINDS, other_release
from unrot.store.names import move_generation
from unrot.store.operations import Put
from unrot.store.sqlite import SqliteDatabase

_TABLES = {kind.name for kind in KINDS} | {"revisions"}
_COUNTS = {
    "model": "SELECT COUNT(*) FROM model WHERE name IS NOT NULL",
    "prediction": 'SELECT COALESCE(SUM("rows"), 0) FROM "prediction-batch"',
    "verdict": 'SELECT COUNT(*) FROM "prediction-feedback"',
}


class SqliteCopies:
    """Copies of one SQLite file."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._path = database.path

    @property
    def path(self) -> Path:
        """Return the file: within its folder another can take its place in one step."""
        return self._path

    def write_to(self, target: Path, progress: Progress) -> None:
        """Copy all as it stands at one moment, while others go on writing."""
        if not self._path.exists():
            raise StoreAway("There is nothing to copy.", f"There is no database at {self._path}.")
        try:
            self._database.copy_to(target, lambda done: progress(done, "copying the database"))
        except (OSError, sqlite3.Error) as error:
            raise StoreAway(
                "The database could not be copied.", f"SQLite says: {error}."
            ) from error

    def check(self, copy: Path) -> str:
        """Say what a copy holds; raise Invalid when it is damaged or none of ours."""
        try:
            with _reading(copy) as connection:
                _check_whole(connection)
                return _told(connection)
        except sqlite3.Error as error:
            raise Invalid(f"The database in the backup cannot be read: {error}.") from error

    def describe(self) -> str:
        """Say what the store holds now, nothing when it is empty or not there."""
        if not self._path.exists():
            return ""
        try:
            with self._database.locked(), _reading(self._path) as connection:
                return _told(connection) if _holds_something(connection) else ""
        except sqlite3.Error as error:
            return f"a database that cannot be read ({error})"

    def shrink(self, progress: Progress) -> int:
        """Write the file anew without its empty pages; return how many bytes that saved."""
        if not self._path.exists():
            raise StoreAway("There is no database.", f"It was looked for at {self._path}.")
        before = self._database.size()
        try:
            self._database.write_anew(lambda: progress(0.0, "writing the database anew"))
        except (OSError, sqlite3.Error) as error:
            raise StoreAway(
                f"The database could not be written anew: {error}. It needs as much room on the "
                "disk as it takes; nothing was changed."
            ) from error
        progress(1.0, "done")
        return before - self._database.size()

    def make_way(self) -> None:
        """Fold the log into the file, which works only while nobody else has it open."""
        with self._database.locked():
            self._fold()

    def put_in_place(self, copy: Path, *, keep_as: Path) -> bool:
        """Put a checked copy in the place of the store; tell whether there was one to keep."""
        with self._database.locked():
            is_folded = self._fold()
            self._make_another(copy)
            is_there = self._path.exists()
            if not is_folded:
                self._move_log(keep_as)
            if is_there:
                os.link(self._path, keep_as)
            copy.replace(self._path)
            sync_folder(self._path.parent)
        return is_there

    def _make_another(self, copy: Path) -> None:
        """Give a copy a name of its own, and numbers for models that the old one never gave."""
        highest = max(_highest_number(copy), _highest_number(self._path))
        store = SqlStore(SqliteDatabase(copy))
        store.prepare()
        known = store.get(FACT, "numbers")
        numbers = {"turn": 0, **(json.loads(known["value"]) if known else {}), "highest": highest}
        store.commit(
            [
                move_generation(),
                Put(FACT, "numbers", {"value": json.dumps(numbers)}),
            ]
        )
        store.close()

    def _fold(self) -> bool:
        """Bring the write-ahead log into the file; false when the file is not there or damaged."""
        if not self._path.exists():
            return False
        try:
            with closing(sqlite3.connect(self._path, timeout=1.0)) as connection:
                connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (
                sqlite3.SQLITE_BUSY,
                sqlite3.SQLITE_LOCKED,
            ):
                raise Conflict(
                    f"Another process has {self._path} open: stop the app and try again."
                ) from error
            return False
        return True

    def _move_log(self, kept: Path) -> None:
        """Move the log of a damaged file away: beside another file it would be taken for its."""
        for ending in ("-wal", "-shm", "-journal"):
            log = self._path.with_name(self._path.name + ending)
            if log.exists():
                log.replace(kept.with_name(kept.name + ending))


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=1.0)) as connection:
        connection.execute("PRAGMA query_only=1")
        connection.execute("PRAGMA trusted_schema=0")
        yield connection


def _check_whole(connection: sqlite3.Connection) -> None:
    said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise Invalid(f"The database in the backup is damaged: {said}.")
    schema = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
    is_ours = {name for _, name in schema} >= _TABLES
    if not is_ours or {kind for kind, _ in schema} - {"table", "index"}:
        raise Invalid("The database in the backup is not one of Unrot's.")
    [number] = connection.execute("SELECT value FROM fact WHERE key = 'format'").fetchone()
    if problem := other_release(int(number)):
        raise Invalid(f"The backup cannot be restored. {problem}")


def _holds_something(connection: sqlite3.Connection) -> bool:
    return any(connection.execute(count).fetchone()[0] for count in _COUNTS.values())


def _told(connection: sqlite3.Connection) -> str:
    models, predictions, verdicts = (
        counted(connection.execute(count).fetchone()[0], what) for what, count in _COUNTS.items()
    )
    return f"{models} with {predictions} and {verdicts}"


def _highest_number(path: Path) -> int:
    """Return the highest model number that a database gave out, as far as it can be read."""
    if not path.exists():
        return 0
    with _reading(path) as connection:
        try:
            known = connection.execute("SELECT value FROM fact WHERE key = 'numbers'").fetchone()
            return int(json.loads(known[0])["highest"]) if known else 0
        except (sqlite3.Error, ValueError, KeyError):
            return 0
