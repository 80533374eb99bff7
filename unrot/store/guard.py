"""A store that is slow or away must not take the rest along: a bulkhead and a circuit breaker.

At most a few threads of a process wait for the store at once; who comes besides is told at once
that it is away. After some failures in a row nobody asks for a moment, and then one asks for all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

from unrot.core.errors import StoreAway
from unrot.store.operations import Change, Operations

P = ParamSpec("P")
T = TypeVar("T")

MOST_AT_ONCE = 8
PATIENCE_SECONDS = 0.3
"""How long one waits for its turn."""

FAILURES = 3
PAUSE_SECONDS = 1.0
"""How long nobody asks after so many failures in a row."""

RESTING = "The store did not answer several times in a row: it is asked again in a moment."
BUSY = "The store is slow, and enough are waiting for it already."


class Guarded:
    """A store behind a bulkhead and a circuit breaker."""

    def __init__(self, database: Operations, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._seats = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._turn = threading.Lock()
        self._failures = 0
        self._rests_until = 0.0
        self.name = database.name
        self.close = database.close
        self.prepare = database.prepare
        self.wait_for_change = database.wait_for_change
        self.get = self._guarded(database.get)
        self.get_many = self._guarded(database.get_many)
        self.scan = self._guarded(database.scan)
        self.count = self._guarded(database.count)
        self.size = self._guarded(database.size)
        self.check = self._guarded(database.check)

    def commit(self, changes: Sequence[Change]) -> None:
        """Make all changes or none."""
        self._guarded(self._database.commit)(changes)

    def _guarded(self, ask: Callable[P, T]) -> Callable[P, T]:
        @wraps(ask)
        def asked(*given: P.args, **named: P.kwargs) -> T:
            self._check_rest()
            if not self._seats.acquire(timeout=PATIENCE_SECONDS):
                raise StoreAway(BUSY)
            try:
                answer = ask(*given, **named)
            except StoreAway:
                self._note_failure()
                raise
            finally:
                self._seats.release()
            self._failures = 0
            return answer

        return asked

    def _check_rest(self) -> None:
        """Raise StoreAway while the store rests; let one through when the rest is over."""
        with self._turn:
            if self._failures < FAILURES:
                return
            now = self._clock()
            if now < self._rests_until:
                raise StoreAway(RESTING)
            self._rests_until = now + PAUSE_SECONDS

    def _note_failure(self) -> None:
        with self._turn:
            self._failures += 1
            if self._failures == FAILURES:
                self._rests_until = self._clock() + PAUSE_SECONDS
