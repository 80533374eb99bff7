"""Zombies walk by: each is predicted over HTTP, and a judge tells the truth about many of them.

What is asked depends on the seed alone; when it is asked depends on the server too, because the
next zombies wait until the ones before were answered.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from unrot.core.errors import Unavailable
from unrot.make.demos import zombies
from unrot.make.demos.online import Online

SEED = 7
MOST_AT_ONCE = 7
KNOWN = 0.5
"""The share of zombies of which the truth becomes known."""
BEHIND_SECONDS = 1.0
"""So far behind its time it gives up catching up: a slow server is not pushed."""
PAUSE_SECONDS = 0.5
"""So long it waits after a request that failed."""


@dataclass(frozen=True, slots=True)
class Group:
    """Zombies that come together."""

    walkers: list[zombies.Zombie]
    known: list[bool]
    """Of whom the truth becomes known."""
    is_mutated: bool


class Traffic:
    """The thread that asks and judges, from `start` to `stop`."""

    def __init__(self, town: Online, *, rows_a_second: float, seed: int = SEED) -> None:
        self._town = town
        self._rows_a_second = rows_a_second
        self._seed = seed
        self._has_mutated = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._walk, name="traffic", daemon=True)
        self.judged_mutants = 0
        """Of so many the truth is known."""
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
        for group in groups(self._seed, self._has_mutated.is_set):
            self._send(group)
            due_at += len(group.walkers) / self._rows_a_second
            due_at = max(due_at, time.monotonic() - BEHIND_SECONDS)
            if self._is_over.wait(max(0.0, due_at - time.monotonic())):
                return

    def _send(self, group: Group) -> None:
        try:
            made = self._town.predict([row for row, _ in group.walkers])
            verdicts = [
                {"id": one["id"], "label": truth}
                for one, (_, truth), is_known in zip(made, group.walkers, group.known, strict=True)
                if is_known and one["id"] is not None
            ]
            if verdicts:
                self._town.judge(verdicts)
        except Unavailable as error:
            self.trouble = error.message
            self._is_over.wait(PAUSE_SECONDS)
            return
        self.trouble = ""
        self.judged_mutants += len(verdicts) if group.is_mutated else 0


def groups(seed: int, has_mutated: Callable[[], bool]) -> Iterator[Group]:
    """Yield who walks by, without end."""
    chance = random.Random(seed)
    before, mutants = zombies.traffic(seed), zombies.traffic(seed, mutated=True)
    while True:
        is_mutated = has_mutated()
        walking = list(islice(mutants if is_mutated else before, chance.randint(1, MOST_AT_ONCE)))
        yield Group(walking, [chance.random() < KNOWN for _ in walking], is_mutated)
