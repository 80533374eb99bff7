"""Zombies walk by: each is predicted over HTTP, and a judge tells the truth about many of them.

What is asked depends on the seed alone; when it is asked depends on the server too, because the
next zombies wait until the ones before were answered.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from itertools import islice

from unrot.demos import zombies
from unrot.demos.online import Online
from unrot.errors import Unavailable

SEED = 7
MOST_AT_ONCE = 7
JUDGED = 0.5
"""The share of zombies of which the truth becomes known."""
BEHIND_SECONDS = 1.0
"""So far behind its time it gives up catching up: a slow server is not pushed."""
PAUSE_SECONDS = 0.5
"""So long it waits after a request that failed."""


class Traffic:
    """The thread that asks and judges, from `start` to `stop`."""

    def __init__(self, town: Online, *, rows_a_second: float, seed: int = SEED) -> None:
        self._town = town
        self._rows_a_second = rows_a_second
        self._seed = seed
        self._has_mutated = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._walk, name="traffic", daemon=True)
        self.judged = 0
        self.judged_mutants = 0
        self.trouble = ""
        """What the last request that failed was answered with; empty while all goes well."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def mutate(self) -> None:
        """Let mutants walk by from now on."""
        self._has_mutated.set()

    def stop(self) -> None:
        """End after the request that is under way."""
        self._is_over.set()
        if self._thread.ident is not None:
            self._thread.join(PAUSE_SECONDS)

    def _walk(self) -> None:
        due_at = time.monotonic()
        for group, judged, is_mutated in self._groups():
            self._send(group, judged, is_mutated=is_mutated)
            due_at = max(
                due_at + len(group) / self._rows_a_second, time.monotonic() - BEHIND_SECONDS
            )
            if self._is_over.wait(max(0.0, due_at - time.monotonic())):
                return

    def _groups(self) -> Iterator[tuple[list[zombies.Zombie], list[bool], bool]]:
        """Yield who comes together, of whom the truth becomes known, and whether they mutated."""
        chance = random.Random(self._seed)
        before = zombies.traffic(self._seed)
        mutants = zombies.traffic(self._seed, mutated=True)
        while True:
            is_mutated = self._has_mutated.is_set()
            size = chance.randint(1, MOST_AT_ONCE)
            group = list(islice(mutants if is_mutated else before, size))
            yield group, [chance.random() < JUDGED for _ in group], is_mutated

    def _send(self, group: list[zombies.Zombie], judged: list[bool], *, is_mutated: bool) -> None:
        try:
            made = self._town.predict([row for row, _ in group])
            verdicts = [
                {"id": one["id"], "label": truth}
                for one, (_, truth), is_known in zip(made, group, judged, strict=True)
                if is_known and one["id"] is not None
            ]
            if verdicts:
                self._town.judge(verdicts)
        except Unavailable as error:
            self.trouble = error.message
            self._is_over.wait(PAUSE_SECONDS)
            return
        self.trouble = ""
        self.judged += len(verdicts)
        self.judged_mutants += len(verdicts) if is_mutated else 0
