"""The operations of a store as SQL: one table a kind, one index for each way to scan it.

The text is the same for SQLite and Postgres; a dialect has the few words that differ.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple, Protocol, TypeVar

import orjson

from unrot.core.errors import StoreAway
from unrot.store.kinds import FACT, FORMAT, KINDS, FieldType, Index, Kind, other_release
from unrot.store.operations import (
    ABSENT,
    ANY,
    MOST_CHANGES,
    Change,
    Changed,
    Delete,
    Document,
    Hold,
    Put,
    can_keep,
    checked,
)

T = TypeVar("T")


class Answer(Protocol):
    """What a statement brought."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """Return the next row or None."""

    def fetchall(self) -> list[Any]:
        """Return the rest."""


class Transaction(Protocol):
    """An open transaction; `?` stands for a parameter."""

    def execute(self, statement: str, parameters: Any = (), /) -> Answer:
        """Run one statement."""

    def executemany(self, statement: str, rows: Any, /) -> Answer:
        """Run one statement for each row."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words of SQL that differ between databases."""

    name: str
    text: str
    number: str
    integer: str
    bytes: str
    next_revision: str
    """A statement that returns a number which no commit had before."""
    make_revisions: tuple[str, ...]
    names: str
    """A query for the names of all tables and indexes that there are."""
    columns: str
    """A query for all tables with the names of their columns."""
    hold: str = ""
    """What keeps a row that was read as it is until the commit."""
    tell: str = ""
    """A statement that tells those who wait that the generation has moved."""

    def type_of(self, type: FieldType) -> str:
        """Return the type of a column."""
        return {
            "text": self.text,
            "json": self.text,
            "value": self.text,
            "number": self.number,
            "moment": self.number,
            "integer": self.integer,
            "flag": self.integer,
            "bytes": self.bytes,
        }[type]


class Database(Protocol):
    """A database that can be asked and changed; it raises StoreAway when it is not there."""

    @property
    def dialect(self) -> Dialect:
        """The words that it has of its own."""

    def prepare(self) -> None:
        """Make the database when it is missing."""

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run some queries on one connection."""

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run some work as one transaction; when this returns it is committed and on the disk.

        Work that met others half way may be run once more from its beginning.
        """

    def write_alone(self, work: Callable[[Transaction], T]) -> T:
        """Run some work that may take long and that only one process may do at a time."""

    def wait_for_change(self, seconds: float) -> bool:
        """Wait, and return True as soon as somebody used the dialect's `tell`."""

    def size(self) -> int | None:
        """Return how many bytes it takes, with what is still on its way into it."""

    def close(self) -> None:
        """Let go of connections."""


class SqlStore:
    """The operations over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_prepared = False

    @property
    def name(self) -> str:
        """The database as people call it."""
        return self._database.dialect.name

    def prepare(self) -> None:
        """Make the tables that are missing; several processes may do this at the same moment."""
        self._database.prepare()
        self._database.write_alone(lambda tx: make_tables(tx, self._database.dialect))
        self._is_prepared = True

    def get(self, kind: Kind, key: str) -> Document | None:
        """Return a document."""
        return self.get_many(kind, [key]).get(key)

    def get_many(self, kind: Kind, keys: Sequence[str]) -> dict[str, Document]:
        """Return those that are there."""
        found: list[Any] = []
        known = list(filter(can_keep, keys))
        for start in range(0, len(known), MOST_CHANGES):
            some = known[start : start + MOST_CHANGES]
            asked = f"{_selected(kind)} WHERE key IN ({_marks(len(some))})"
            found += self._read(asked, some)
        return {one.key: one for one in _documents(kind, tuple(kind.fields), found)}

    def scan(
        self,
        kind: Kind,
        index: str,
        equal: Sequence[Any] = (),
        *,
        since: Any = None,
        until: Any = None,
        after: Sequence[Any] | None = None,
        newest_first: bool = False,
        limit: int,
        only: Sequence[str] | None = None,
    ) -> list[Document]:
        """Return documents in the order of an index."""
        chosen = kind.indexes[index]
        names = tuple(kind.fields) if only is None else tuple({**dict.fromkeys(only)})
        names = (*names, *(name for name in chosen.order if name not in names))
        where, parameters = _found_by(chosen, equal, since, until)
        places = ", ".join([*map(_quoted, chosen.order), "key"])
        if after is not None:
            where += f" AND ({places}) {'<' if newest_first else '>'} ({_marks(len(after))})"
            parameters += after
        way = " DESC" if newest_first else ""
        order = ", ".join(f"{name}{way}" for name in [*map(_quoted, chosen.order), "key"])
        asked = f"{_selected(kind, names)} WHERE {where} ORDER BY {order} LIMIT ?"
        return _documents(kind, names, self._read(asked, [*parameters, limit]))

    def count(
        self,
        kind: Kind,
        index: str,
        equal: Sequence[Any] = (),
        *,
        since: Any = None,
        until: Any = None,
    ) -> int:
        """Count what a scan without limit would return."""
        where, parameters = _found_by(kind.indexes[index], equal, since, until)
        asked = f"SELECT COUNT(*) FROM {_quoted(kind.name)} WHERE {where}"  # nosec B608  # names of kinds, all our own
        return sum(row[0] for row in self._read(asked, parameters))

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes or none; in the order of their keys, so that no two wait in a ring."""
        ordered = sorted(checked(changes), key=lambda change: (change.kind.name, change.key))

        def work(tx: Transaction) -> None:
            dialect = self._database.dialect
            revision = tx.execute(dialect.next_revision).fetchall()[0][0]
            for way, alike in groupby(ordered, _way_of):
                if not _make(tx, way, list(alike), revision, dialect):
                    raise Changed
            if dialect.tell and any(map(_moves_generation, ordered)):
                tx.execute(dialect.tell)

        if ordered:
            self._database.write(work)

    def wait_for_change(self, seconds: float) -> bool:
        """Wait; return True as soon as the generation has moved, where the database tells."""
        return self._database.wait_for_change(seconds)

    def size(self) -> int | None:
        """Return how many bytes it takes."""
        return self._database.size()

    def check(self, *, writing: bool = False) -> None:
        """Return when the database answers; make up for a start while it was away."""
        if not self._is_prepared:
            self.prepare()
        [[known]] = self._read("SELECT value FROM fact WHERE key = 'format'", [])
        if problem := other_release(int(known)):
            raise StoreAway(f"The database cannot be used. {problem}")
        if writing:
            self._database.write(
                lambda tx: tx.execute("UPDATE fact SET value = value WHERE key = 'format'")
            )

    def close(self) -> None:
        """Let go of connections."""
        self._database.close()

    def _read(self, statement: str, parameters: Sequence[Any]) -> list[Any]:
        if not all(map(can_keep, parameters)):
            return []
        return self._database.read(lambda tx: tx.execute(statement, parameters).fetchall())


def make_tables(tx: Transaction, dialect: Dialect) -> None:
    """Make the tables, columns and indexes that are missing, and note what format they are of.

    Those that are there are not touched: to ask for them once more would lock them.
    """
    there = {row[0] for row in tx.execute(dialect.names).fetchall()}
    if "migrations" in there and "fact" not in there:
        raise StoreAway(
            "The database is of a release before its format was settled, and cannot be read: move "
            "it away to begin with an empty one."
        )
    known = {tuple(row) for row in tx.execute(dialect.columns).fetchall()}
    for kind in KINDS:
        columns = [
            f"{_quoted(name)} {dialect.type_of(type)}"
            for name, type in kind.fields.items()
            if (kind.name, name) not in known
        ]
        if kind.name not in there:
            tx.execute(
                f"CREATE TABLE {_quoted(kind.name)} (key {dialect.text} PRIMARY KEY, "
                f"revision {dialect.integer} NOT NULL{''.join(f', {one}' for one in columns)})"
            )
        for column in columns if kind.name in there else ():
            tx.execute(f"ALTER TABLE {_quoted(kind.name)} ADD COLUMN {column}")
        for name, index in kind.indexes.items():
            if index.fields and f"{kind.name} {name}" not in there:
                tx.execute(_index(kind, name, index))
    for statement in dialect.make_revisions:
        tx.execute(statement)
    tx.execute(
        "INSERT INTO fact (key, revision, value) VALUES ('format', 1, ?), ('store', 1, ?), "
        "('generation', 1, ?) ON CONFLICT (key) DO NOTHING",
        (str(FORMAT), secrets.token_hex(8), secrets.token_hex(8)),
    )


def _index(kind: Kind, name: str, index: Index) -> str:
    columns = ", ".join([*map(_quoted, index.fields), "key"])
    there = " AND ".join(f"{_quoted(name)} IS NOT NULL" for name in index.fields)
    called = _quoted(f"{kind.name} {name}")
    return f"CREATE INDEX {called} ON {_quoted(kind.name)} ({columns}) WHERE {there}"


def _found_by(index: Index, equal: Sequence[Any], since: Any, until: Any) -> tuple[str, list[Any]]:
    if len(equal) != len(index.equal):
        raise ValueError(f"{index} cannot be asked for {list(equal)}.")
    terms = [f"{_quoted(name)} = ?" for name in index.equal]
    terms += [f"{_quoted(name)} IS NOT NULL" for name in index.order]
    parameters = list(map(_written_flag, equal))
    for bound, sign in ((since, ">="), (until, "<")):
        if bound is not None:
            terms.append(f"{_quoted(index.order[0])} {sign} ?")
            parameters.append(bound)
    return " AND ".join(terms) or "1 = 1", parameters


class _Way(NamedTuple):
    """What changes have in common that one statement makes."""

    kind: Kind
    change: type[Change]
    expected: str


def _way_of(change: Change) -> _Way:
    expected = "held" if isinstance(change, Hold) else _EXPECTED.get(change.expect, "as read")
    return _Way(change.kind, type(change), expected)


_EXPECTED = {ANY: "any", ABSENT: "absent"}


def _make(
    tx: Transaction, way: _Way, changes: Sequence[Any], revision: int, dialect: Dialect
) -> bool:
    """Make changes that are made alike; tell whether all were as expected."""
    if way.change is Hold:
        return all(_is_held(tx, hold, dialect.hold) for hold in changes)
    if way.change is Put:
        asked, rows = _put(way, changes, revision)
    else:
        asked, rows = _delete(way, changes)
    made = tx.execute(asked, rows[0]) if len(rows) == 1 else tx.executemany(asked, rows)
    return made.rowcount == len(rows) or (way.change is Delete and way.expected == "any")


def _put(way: _Way, puts: Sequence[Put], revision: int) -> tuple[str, list[list[Any]]]:
    fields = way.kind.fields
    names = ["key", "revision", *map(_quoted, fields)]
    rows = [
        [put.key, revision, *(_written(put.fields.get(name), fields[name]) for name in fields)]
        for put in puts
    ]
    table = _quoted(way.kind.name)
    if way.expected == "as read":
        taken = ", ".join(f"{name} = ?" for name in names[1:])
        asked = f"UPDATE {table} SET {taken} WHERE key = ? AND revision = ?"  # nosec B608  # names of kinds, all our own
        return asked, [[*row[1:], put.key, put.expect] for row, put in zip(rows, puts, strict=True)]
    taken = "NOTHING"
    if way.expected == "any":
        taken = "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in names[1:])  # nosec B608  # names of kinds, all our own
    inserted = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({_marks(len(names))})"  # nosec B608  # names of kinds, all our own
    return f"{inserted} ON CONFLICT (key) DO {taken}", rows


def _delete(way: _Way, deletes: Sequence[Delete]) -> tuple[str, list[list[Any]]]:
    asked = f"DELETE FROM {_quoted(way.kind.name)} WHERE key = ?"  # nosec B608  # names of kinds, all our own
    if way.expected == "any":
        return asked, [[delete.key] for delete in deletes]
    return f"{asked} AND revision = ?", [[delete.key, delete.expect] for delete in deletes]


def _is_held(tx: Transaction, hold: Hold, word: str) -> bool:
    asked = f"SELECT {_quoted(hold.name)} FROM {_quoted(hold.kind.name)} WHERE key = ? {word}"  # nosec B608  # names of kinds, all our own
    row = tx.execute(asked, [hold.key]).fetchone()
    return row is not None and row[0] == hold.value


def _moves_generation(change: Change) -> bool:
    return change.kind is FACT and change.key == "generation"


def _selected(kind: Kind, names: Sequence[str] | None = None) -> str:
    columns = ["key", "revision", *map(_quoted, kind.fields if names is None else names)]
    return f"SELECT {', '.join(columns)} FROM {_quoted(kind.name)}"  # nosec B608  # names of kinds, all our own


def _documents(kind: Kind, names: Sequence[str], rows: Sequence[Any]) -> list[Document]:
    types = [kind.fields[name] for name in names]
    readers = [(at, _READ[type]) for at, type in enumerate(types) if type in _READ]
    found: list[Document] = []
    for key, revision, *values in rows:
        for at, read in readers:
            if (value := values[at]) is not None:
                values[at] = read(value)
        found.append(Document(key, dict(zip(names, values)), revision))  # noqa: B905  # thousands
    return found


_READ: Mapping[FieldType, Callable[[Any], Any]] = {
    "json": orjson.loads,
    "flag": bool,
    "bytes": bytes,
}
"""How values are read back that a database does not give back as they were."""


def _written(value: Any, type: FieldType) -> Any:
    if type == "json" and value is not None:
        return orjson.dumps(value).decode()
    if type == "value" and value is not None:
        return str(value)
    return _written_flag(value)


def _written_flag(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _quoted(name: str) -> str:
    return f'"{name}"'


def _marks(count: int) -> str:
    return ", ".join("?" * count)
