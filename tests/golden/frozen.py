"""Time stands still and chance is the same in a process, from the standard library upwards.

To be called before anything of the product is imported, which may keep `time.time` as it is then.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

MONDAY = 1_772_438_400.0
"""2 March 2026, 8:00 UTC."""
SLOWER = 10_000.0
"""So much slower time goes by for who waits, so that a busy machine makes nobody impatient."""
FASTER = 10.0
"""So much less do those sleep who look now and then."""

_monotonic = time.monotonic
_sleep = time.sleep
_wait = threading.Event.wait


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self._gone = 0.0
        self._rounds = 0
        self._began_at = _monotonic()
        self._rests_at: float | None = None
        self._ticks = itertools.count()
        time.time = self.time
        time.time_ns = lambda: int(self.time() * 1_000_000_000)
        time.monotonic = self.monotonic
        # A power of two, so that each difference is the same to the last digit.
        time.sleep = lambda seconds: _sleep(seconds / FASTER)
        time.perf_counter = lambda: next(self._ticks) / 8192
        threading.Event.wait = self._waited()  # type: ignore[method-assign]

    def time(self) -> float:
        """Return the seconds since 1970."""
        return MONDAY + self._gone

    def monotonic(self) -> float:
        """Return a time that hardly goes by, and in a caretaker's round not at all."""
        real = _monotonic() if self._rests_at is None else self._rests_at
        return 1_000_000.0 + self._gone + (real - self._began_at) / SLOWER

    def go(self, seconds: float) -> None:
        """Let time go by."""
        self._gone += seconds

    def for_rounds(self, rounds: int, run: Callable[[], object]) -> None:
        """Call what goes round until it is told to end; tell it when it has paused so often."""
        self._rounds, self._rests_at = rounds, _monotonic()
        try:
            run()
        finally:
            self._rounds, self._rests_at = 0, None

    def _waited(self) -> Callable[[threading.Event, float | None], bool]:
        def wait(event: threading.Event, timeout: float | None = None) -> bool:
            is_pause = threading.current_thread() is threading.main_thread() and self._rounds
            if not is_pause or timeout is None:
                return _wait(event, timeout)
            self._rounds -= 1
            self.go(10.0)
            if not self._rounds:
                signal.raise_signal(signal.SIGTERM)
            return event.is_set()

        return wait


def seed_chance() -> None:
    """Let what the system draws by chance be the same, each length in an order of its own.

    So what is drawn once more, or earlier, moves only what is as long.
    """
    drawn: dict[int, Iterator[int]] = defaultdict(itertools.count)

    def urandom(size: int) -> bytes:
        key = f"{size} {next(drawn[size])}".encode()
        return hashlib.shake_256(key).digest(size)

    os.urandom = urandom
    random._urandom = urandom  # type: ignore[attr-defined]
