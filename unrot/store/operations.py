"""What a store can do: few operations on declared kinds, which every database does well.

A store gets, scans, counts and commits documents. It judges, joins and sums nothing: that is done
once, in the rooms, over these. Two promises carry the rest. A commit is whole or not there, and a
document that was read can be written back on the condition that nobody has changed it since.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import orjson

from unrot.core.errors import StoreAway
from unrot.store.kinds import Kind

T = TypeVar("T")

MOST_CHANGES = 400
MOST_BYTES = 4_000_000
MOST_KEY_BYTES = 400
"""Of one commit, and of a key; more is refused by some databases, so it is refused by all."""

ANY: Final = -1
"""Write whatever is there."""
ABSENT: Final = 0
"""Write only where nothing is there."""


class Changed(Exception):
    """Somebody was there first: nothing of the commit is kept."""


class TooMuch(ValueError):
    """A commit is larger than some database takes: make it in parts."""


@dataclass(slots=True)
class Document:
    """One document as it was read; nobody changes it, and a frozen one takes thrice as long."""

    key: str
    fields: Mapping[str, Any]
    revision: int
    """Another after every change; never 0 or less."""

    def __getitem__(self, name: str) -> Any:
        """Return a field, None where the document has none of that name."""
        return self.fields.get(name)


@dataclass(frozen=True, slots=True)
class Put:
    """Write a document whole, over what is there if `expect` allows it."""

    kind: Kind
    key: str
    fields: Mapping[str, Any] = field(repr=False)
    expect: int = ANY
    """ANY, ABSENT, or the revision that it still must have."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a document away; one that is gone already is no trouble unless it was expected."""

    kind: Kind
    key: str
    expect: int = ANY


@dataclass(frozen=True, slots=True)
class Hold:
    """Demand that a document still has a value in one field: a lease its number."""

    kind: Kind
    key: str
    name: str
    value: str | int


Change = Put | Delete | Hold


class Operations(Protocol):
    """A database that keeps documents; every call raises StoreAway when it is not there."""

    @property
    def name(self) -> str:
        """The database as people call it."""

    def prepare(self) -> None:
        """Make what is missing, and bring what is there to the newest format."""

    def get(self, kind: Kind, key: str) -> Document | None:
        """Return a document."""

    def get_many(self, kind: Kind, keys: Sequence[str]) -> dict[str, Document]:
        """Return those that are there."""

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
        """Return documents in the order of an index: equal on its first fields.

        Of its first order field, from `since` up to, not with, `until`. `after` is the place of the
        last one seen, its order fields and its key; the scan goes on behind it. `only` some fields
        are needed; others may be missing then.
        """

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

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes or none; raise Changed where one was not as expected.

        When this returns they are on the disk. Made twice they are as made once.
        """

    def size(self) -> int | None:
        """Return how many bytes it takes; None where nobody can tell."""

    def check(self, *, writing: bool = False) -> None:
        """Return when the database answers, and takes writes if asked; else raise StoreAway."""

    def wait_for_change(self, seconds: float) -> bool:
        """Wait; return True as soon as the generation has moved, where the database tells.

        After a while it returns False, which means nothing: whoever waits looks for himself.
        """

    def close(self) -> None:
        """Let go of connections."""


class Around:
    """A store around another one, which passes on all but commits."""

    def __init__(self, database: Operations) -> None:
        self._database = database
        self.name = database.name
        self.prepare = database.prepare
        self.get = database.get
        self.get_many = database.get_many
        self.scan = database.scan
        self.count = database.count
        self.size = database.size
        self.check = database.check
        self.wait_for_change = database.wait_for_change
        self.close = database.close


def scan_all(
    database: Operations,
    kind: Kind,
    index: str,
    equal: Sequence[Any] = (),
    *,
    since: Any = None,
    until: Any = None,
    after: Sequence[Any] | None = None,
    newest_first: bool = False,
    only: Sequence[str] | None = None,
    page: int = MOST_CHANGES,
) -> Iterator[Document]:
    """Return all that an index has, a page at a time: whoever stops early has read no more."""
    while found := database.scan(
        kind,
        index,
        equal,
        since=since,
        until=until,
        after=after,
        newest_first=newest_first,
        limit=page,
        only=only,
    ):
        yield from found
        if len(found) < page:
            return
        after = place_of(found[-1], kind, index)


def until_kept(work: Callable[[], T], tries: int = 30) -> T:
    """Do work that reads and commits on a condition, anew while others are there first."""
    for number in range(tries):
        try:
            return work()
        except Changed:
            time.sleep(random.random() * min(0.001 * 2**number, 0.2))
    raise StoreAway("The store is too busy: others changed the same documents all the time.")


def place_of(document: Document, kind: Kind, index: str) -> tuple[Any, ...]:
    """Return the place of a document in an index, to go on behind it."""
    return (*(document[name] for name in kind.indexes[index].order), document.key)


def weight_of(change: Change) -> int:
    """Return about how many bytes a change takes on its way.

    >>> from unrot.store.kinds import CHUNK
    >>> weight_of(Put(CHUNK, "k", {"data": b"12345"}))
    106
    """
    if not isinstance(change, Put):
        return 100
    return 100 + len(change.key) + sum(map(_weight, change.fields.values()))


def _weight(value: Any) -> int:
    if isinstance(value, bytes | str):
        return len(value)
    return len(orjson.dumps(value)) if isinstance(value, Mapping | Sequence) else 8


def checked(changes: Sequence[Change]) -> Sequence[Change]:
    """Return changes that a commit may have; raise TooMuch for too many."""
    if len(changes) > MOST_CHANGES:
        raise TooMuch(f"{len(changes)} changes in a commit: {MOST_CHANGES} at most.")
    if (bytes_of := sum(map(weight_of, changes))) > MOST_BYTES:
        raise TooMuch(f"{bytes_of:,} bytes in a commit: {MOST_BYTES:,} at most.")
    if len({(change.kind.name, change.key) for change in changes}) < len(changes):
        raise ValueError("A commit changes a document once.")
    for change in changes:
        _check_values(change)
    return changes


def can_keep(value: Any) -> bool:
    """Tell whether every database can keep a value: Postgres no NUL, and UTF-8 no half character.

    >>> [can_keep(value) for value in ("a", "a" + chr(0), chr(0xD800), float("nan"), 2**63)]
    [True, False, False, False, False]
    """
    if isinstance(value, str):
        return "\0" not in value and value.encode("utf-8", "replace").decode() == value
    if isinstance(value, float):
        return value == value
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _check_values(change: Change) -> None:
    """Raise ValueError for a value that some database would refuse; whoever lets it in answers."""
    if not can_keep(change.key) or len(change.key.encode()) > MOST_KEY_BYTES:
        raise ValueError(f"No database keeps the key {change.key[:80]!r}.")
    if not isinstance(change, Put):
        return
    for name, type in change.kind.fields.items():
        value = change.fields.get(name)
        if type != "json" and not can_keep(value):
            raise ValueError(f"No database keeps {str(value)[:80]!r} as {name}.")
