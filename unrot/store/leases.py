"""The right to one kind of work on all machines, with a number that commits can demand.

Whoever holds a lease may pause for longer than it lasts, by a stopped clock or a slow disk, and go
on when another holds it. Each holder has a number of its own, so its commits can say under which
one they were begun; the store refuses those of a holder that was followed by another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from unrot.core.errors import Conflict
from unrot.store.kinds import LEASE
from unrot.store.operations import (
    ABSENT,
    Around,
    Change,
    Changed,
    Hold,
    Operations,
    Put,
    until_kept,
)

LOST = "Another machine does this work by now: nothing of it was kept here."


def take_lease(
    database: Operations, name: str, holder: str, now: float, seconds: float
) -> int | None:
    """Hold, or go on holding, a lease; return its number, or None where another holds it."""

    def work() -> int | None:
        known = database.get(LEASE, name)
        is_own = known is not None and known["holder"] == holder
        if known is not None and not is_own and known["ends at"] > now:
            return None
        number = 1 if known is None else int(known["number"]) + (not is_own)
        expect = ABSENT if known is None else known.revision
        fields = {"holder": holder, "ends at": now + seconds, "number": number}
        database.commit([Put(LEASE, name, fields, expect)])
        return number

    return until_kept(work)


def give_back_lease(database: Operations, name: str, holder: str) -> None:
    """Hold a lease no longer, so that the next one need not wait for its end."""

    def work() -> None:
        known = database.get(LEASE, name)
        if known is None or known["holder"] != holder:
            return
        fields = {"holder": holder, "ends at": 0.0, "number": int(known["number"])}
        database.commit([Put(LEASE, name, fields, known.revision)])

    until_kept(work)


class Fenced(Around):
    """A store whose commits, while a lease is demanded, are refused once another holds it."""

    def __init__(self, database: Operations) -> None:
        super().__init__(database)
        self._demanded: ContextVar[Hold | None] = ContextVar("demanded", default=None)

    @contextmanager
    def demanding(self, name: str, number: int) -> Iterator[None]:
        """Let every commit of this thread demand that a lease still has a number."""
        token = self._demanded.set(Hold(LEASE, name, "number", number))
        try:
            yield
        finally:
            self._demanded.reset(token)

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes or none; Conflict when the lease has another holder."""
        hold = self._demanded.get()
        if hold is None or not changes:
            self._database.commit(changes)
            return
        try:
            self._database.commit([hold, *changes])
        except Changed as changed:
            lease = self._database.get(LEASE, hold.key)
            if lease is None or lease["number"] != hold.value:
                raise Conflict(LOST, reason="lease_lost") from changed
            raise
