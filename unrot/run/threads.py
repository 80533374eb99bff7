"""A few threads for what may take its time, with a short queue before them.

A full queue takes nothing more, and whoever has waited for a second is told as well that there is
too much to do, instead of waiting for an answer that would come too late. Predictions go before
uploads and pages. Of what takes much memory, such as ten thousand rows of JSON, little is done at
the same time: one interpreter would do it no sooner, and hold all of it; and what of it would
surely wait in vain is not taken. Work that takes too long
is given up: its client is answered, and its thread is missing until it returns. When all are
missing, `are_stuck` says so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

WAIT_SECONDS = 1.0
HEAVY_SHARE = 4
"""One thread in so many may do heavy work, one at least."""
OF_LATE = 4
"""How long heavy work takes is the mean of about so many."""
SURELY = 2
"""What would wait for so many times a second, by what heavy work took of late, is not taken."""
_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Work:
    """Something to do, and what to tell its client when it takes too long, or does not begin."""

    do: Callable[[Work], None]
    give_up: Callable[[Literal["busy", "late"]], None]
    is_first: bool = False
    """Whether it goes before other work that waits."""
    is_heavy: bool = False
    """Whether it takes much memory; until its answer begins to be sent."""
    moved_at: float = field(default_factory=time.monotonic)
    """When it was last seen to get on: what streams an answer moves this."""
    began_at: float = 0.0
    is_given_up: bool = False

    def get_on(self) -> None:
        """Note that it gets on."""
        self.moved_at = time.monotonic()


class Threads:
    """So many threads; they end with the process and hold up nobody's exit."""

    def __init__(self, count: int, *, most_waiting: int, seconds: float) -> None:
        self._first, self._heavy, self._others = deque[Work](), deque[Work](), deque[Work]()
        self._lines = self._first, self._heavy, self._others
        """Who goes first stands first."""
        self._most_heavy = max(1, count // HEAVY_SHARE)
        self._doing_heavy = 0
        self._heavy_seconds = 0.0
        """How long heavy work took of late."""
        self._has_work = threading.Condition()
        self._most_waiting = most_waiting
        self._seconds = seconds
        self._doing: list[Work | None] = [None] * count
        for number in range(count):
            threading.Thread(target=self._run, args=(number,), daemon=True).start()

    def are_full(self, *, is_heavy: bool = False) -> bool:
        """Tell whether more would only wait in vain."""
        soon = SURELY * WAIT_SECONDS * self._most_heavy
        return sum(map(len, self._lines)) >= self._most_waiting or (
            is_heavy and len(self._heavy) * self._heavy_seconds > soon
        )

    def take(self, work: Work) -> bool:
        """Queue some work; false when too much waits already."""
        with self._has_work:
            if self.are_full(is_heavy=work.is_heavy):
                return False
            line = self._first if work.is_first else self._others
            (self._heavy if work.is_heavy else line).append(work)
            self._has_work.notify()
        return True

    def get_on(self, work: Work) -> None:
        """Note that work gets on: its answer begins to be sent, or goes on to be."""
        work.get_on()
        if work.is_heavy:
            self._lighten(work)

    def are_wanted(self) -> bool:
        """Tell whether somebody waits for a thread and none is free."""
        return any(self._lines) and all(self._doing)

    def are_idle(self) -> bool:
        """Tell whether nothing waits and nothing is being done."""
        return not any(self._lines) and not any(self._doing)

    def are_stuck(self) -> bool:
        """Tell whether every thread is held by work that was given up."""
        return all(work is not None and work.is_given_up for work in self._doing)

    def give_up_the_late(self) -> None:
        """Answer for what takes too long, and for what has waited too long."""
        ends_at = time.monotonic() - self._seconds
        for work in list(self._doing):
            if work is not None and not work.is_given_up and work.moved_at < ends_at:
                work.is_given_up = True
                work.give_up("late")
        for work in self._turned_away(time.monotonic() - WAIT_SECONDS):
            work.give_up("busy")

    def _turned_away(self, since: float) -> Iterator[Work]:
        """Take out of the queue what came before a moment."""
        for line in self._lines:
            while True:
                with self._has_work:
                    if not line or line[0].moved_at >= since:
                        break
                    work = line.popleft()
                yield work

    def _next(self) -> Work:
        with self._has_work:
            while (line := self._ready()) is None:
                self._has_work.wait()
            work = line.popleft()
            self._doing_heavy += work.is_heavy
            return work

    def _ready(self) -> deque[Work] | None:
        """Return the line whose turn it is."""
        is_full = self._doing_heavy >= self._most_heavy
        return next(
            (line for line in self._lines if line and not (is_full and line is self._heavy)), None
        )

    def _lighten(self, work: Work) -> None:
        """Let the next heavy one begin."""
        with self._has_work:
            if work.is_heavy:
                took = time.monotonic() - work.began_at
                self._heavy_seconds += (took - self._heavy_seconds) / OF_LATE
                self._doing_heavy -= 1
                work.is_heavy = False
            self._has_work.notify()

    def _run(self, number: int) -> None:
        while True:
            work = self._next()
            work.get_on()
            work.began_at = work.moved_at
            self._doing[number] = work
            try:
                work.do(work)
            except BaseException:
                _log.exception("Work in a thread failed.")
            finally:
                self._doing[number] = None
                self._lighten(work)
