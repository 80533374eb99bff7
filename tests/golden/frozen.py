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
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

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
        self._timers: list[_Timer] = []
        time.time = self.time
        time.time_ns = lambda: int(self.time() * 1_000_000_000)
        time.monotonic = self.monotonic
        # A power of two, so that each difference is the same to the last digit.
        time.perf_counter = lambda: next(self._ticks) / 8192
        time.sleep = lambda seconds: _sleep(float(seconds) / FASTER)
        threading.Event.wait = self._waited()  # type: ignore[method-assign, assignment]
        threading.Timer = partial(_Timer, self._timers)  # type: ignore[misc, assignment]

    def time(self) -> float:
        """Return the seconds since 1970."""
        return MONDAY + self._gone

    def monotonic(self) -> float:
        """Return a time that hardly goes by, and in a caretaker's round not at all."""
        real = _monotonic() if self._rests_at is None else self._rests_at
        return 1_000_000.0 + self._gone + (real - self._began_at) / SLOWER

    def go(self, seconds: float) -> None:
        """Let time go by, and do what was to be done meanwhile."""
        self._gone += seconds
        while self._timers:
            self._timers.pop(0).run()

    def for_rounds(self, rounds: int, run: Callable[[], object]) -> None:
        """Call what goes round until SIGTERM; send that when it has paused so often.

        It pauses by waiting for an event with a timeout, in the main thread.
        """
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


class _Timer:
    """Does what a timer does as soon as time goes by: no timer here is set for long."""

    daemon = True

    def __init__(
        self,
        waiting: list[_Timer],
        _interval: float,
        function: Callable[..., object],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self._waiting = waiting
        self._do = partial(function, *args, **(kwargs or {}))

    def start(self) -> None:
        """Wait until time goes by."""
        self._waiting.append(self)

    def cancel(self) -> None:
        """Wait no more."""
        if self in self._waiting:
            self._waiting.remove(self)

    def run(self) -> None:
        """Do it."""
        self._do()


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
