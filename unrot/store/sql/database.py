"""What the SQL of the stores needs of a database: transactions, and one word that differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Answer(Protocol):
    """The rows of a statement."""

    def fetchone(self) -> Any:
        """Return the next row or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rest."""
        ...


class Transaction(Protocol):
    """An open transaction; `?` stands for a parameter."""

    def execute(self, statement: str, parameters: Any = (), /) -> Answer:
        """Run one statement."""
        ...

    def executemany(self, statement: str, rows: Any, /) -> Answer:
        """Run one statement for each row."""
        ...


class Database(Protocol):
    """A database that can be asked and changed; it raises StoreAway when it is not there."""

    @property
    def words(self) -> dict[str, str]:
        """Return the words of SQL that differ between databases."""
        ...

    def prepare(self) -> None:
        """Make the database when it is missing."""
        ...

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run some queries on one connection."""
        ...

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run some work as one transaction; when this returns it is committed and on the disk."""
        ...

    def size(self) -> int:
        """Return how many bytes it takes, with what is still on its way into it."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
