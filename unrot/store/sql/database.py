"""What the SQL of the stores needs of a database: transactions, and one word that differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from unrot.store.engine import Transaction

__all__ = ["Database", "Transaction"]

T = TypeVar("T")


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
