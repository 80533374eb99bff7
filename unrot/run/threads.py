"""A few threads for what may take its time, with a short queue before them.

A full queue takes nothing more: who comes then is told so at once, instead of waiting for an
answer that would come too late. Work that takes too long is given up: its client is answered,
and its thread is missing until it returns. When all are missing, `are_stuck` says so.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Work:
    """Something to do, and what to tell its client when it takes too long."""

    do: Callable[[Work], None]
    give_up: Callable[[], None]
    moved_at: float = field(default_factory=time.monotonic)
    """When it was last seen to get on: what streams an answer moves this."""
    is_given_up: bool = False

    def get_on(self) -> None:
        """Note that it gets on."""
        self.moved_at = time.monotonic()


class Threads:
    """So many threads; they end with the process and hold up nobody's exit."""

    def __init__(self, count: int, *, most_waiting: int, seconds: float) -> None:
        self._queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._most_waiting = most_waiting
        self._seconds = seconds
        self._doing: list[Work | None] = [None] * count
        for number in range(count):
            threading.Thread(target=self._run, args=(number,), daemon=True).start()

    def take(self, work: Work) -> bool:
        """Queue some work; false when too much waits already."""
        if self._queue.qsize() >= self._most_waiting:
            return False
        self._queue.put(work)
        return True

    def are_idle(self) -> bool:
        """Tell whether nothing waits and nothing is being done."""
        return self._queue.empty() and not any(self._doing)

    def are_stuck(self) -> bool:
        """Tell whether every thread is held by work that was given up."""
        return all(work is not None and work.is_given_up for work in self._doing)

    def give_up_the_late(self) -> None:
        """Answer for what takes too long."""
        ends_at = time.monotonic() - self._seconds
        for work in list(self._doing):
            if work is not None and not work.is_given_up and work.moved_at < ends_at:
                work.is_given_up = True
                work.give_up()

    def _run(self, number: int) -> None:
        while True:
            work = self._queue.get()
            work.get_on()
            self._doing[number] = work
            try:
                work.do(work)
            except BaseException:
                _log.exception("Work in a thread failed.")
            finally:
                self._doing[number] = None
