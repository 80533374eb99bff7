"""A store that is away or slow: who asks is told so at once, and nobody storms it."""

from __future__ import annotations

import threading
import time

import pytest

from tests.clock import Clock
from tests.memory_store import MemoryStore
from unrot.core.errors import StoreAway
from unrot.store import guard
from unrot.store.guard import Guarded
from unrot.store.kinds import FACT, Kind
from unrot.store.operations import Document, Put


class Shaky(MemoryStore):
    """A store that can be taken away, and held up."""

    is_away = False
    asked = 0

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def get(self, kind: Kind, key: str) -> Document | None:
        """Return a document once it may, if it is there at all."""
        self.asked += 1
        self.may_answer.wait(10.0)
        if self.is_away:
            raise StoreAway("It is away.")
        return super().get(kind, key)


def test_store_that_answers_is_asked_as_if_nobody_stood_between() -> None:
    store = Guarded(MemoryStore())
    store.commit([Put(FACT, "a", {"value": "1"})])

    found = store.get(FACT, "a")

    assert found is not None and found["value"] == "1"
    assert (store.name, store.size()) == ("memory", None)


def test_after_failures_in_a_row_nobody_asks_for_a_moment_and_then_one() -> None:
    shaky, clock = Shaky(), Clock()
    store = Guarded(shaky, clock)
    shaky.is_away = True

    for _ in range(10):
        with pytest.raises(StoreAway):
            store.get(FACT, "a")
    asked_before = shaky.asked
    clock.now += guard.PAUSE_SECONDS
    for _ in range(5):
        with pytest.raises(StoreAway):
            store.get(FACT, "a")

    assert (asked_before, shaky.asked) == (guard.FAILURES, guard.FAILURES + 1)


def test_store_that_is_back_is_asked_by_all_again() -> None:
    shaky, clock = Shaky(), Clock()
    store = Guarded(shaky, clock)
    shaky.is_away = True
    for _ in range(guard.FAILURES):
        with pytest.raises(StoreAway):
            store.get(FACT, "a")
    shaky.is_away = False
    clock.now += guard.PAUSE_SECONDS

    found = [store.get(FACT, "a") for _ in range(3)]

    assert found == [None, None, None]


def test_few_wait_for_a_slow_store_and_the_others_are_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "PATIENCE_SECONDS", 0.01)
    shaky = Shaky()
    store = Guarded(shaky)
    shaky.may_answer.clear()
    waiting = [
        threading.Thread(target=store.get, args=(FACT, "a")) for _ in range(guard.MOST_AT_ONCE)
    ]
    for one in waiting:
        one.start()
    while shaky.asked < guard.MOST_AT_ONCE:
        time.sleep(0.001)

    with pytest.raises(StoreAway, match="slow"):
        store.get(FACT, "a")
    shaky.may_answer.set()
    for one in waiting:
        one.join()

    assert store.get(FACT, "a") is None
