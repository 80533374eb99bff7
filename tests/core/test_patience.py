"""All calls of one answer share the time of one."""

from __future__ import annotations

import threading

import pytest

from tests.memory_store import MemoryStore
from tests.store.test_contract import a_verdict, in_use
from unrot.core.patience import one_answer, seconds_left
from unrot.run.cabinet import Cabinet

LONG = 1e6


def test_time_is_whole_again_when_the_answer_is_given() -> None:
    with one_answer():
        first, second = seconds_left(LONG), seconds_left(LONG)

    assert LONG > first >= second > 0
    assert seconds_left(LONG) == LONG


def test_time_that_is_over_is_none_and_not_less() -> None:
    with one_answer():
        assert seconds_left(-1.0) == 0.0


def test_answers_of_other_threads_have_their_own_time() -> None:
    found: list[float] = []
    with one_answer():
        other = threading.Thread(target=lambda: found.append(seconds_left(LONG)))
        other.start()
        other.join()

    assert found == [LONG]


@pytest.mark.parametrize("count", [1, 2])
def test_one_verdict_is_read_and_committed_in_the_time_of_one_call_and_a_list_is_not(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    store = Cabinet(MemoryStore())
    store.prepare()
    in_use(store)
    left: list[float] = []
    for name in ("get_many", "commit"):
        real = getattr(store.database, name)
        monkeypatch.setattr(
            store.database,
            name,
            lambda *given, real=real: left.append(seconds_left(LONG)) or real(*given),
        )

    store.verdicts.put([a_verdict(f"elves-{number}") for number in range(7, 7 + count)])

    assert len(left) >= 2
    assert {seconds < LONG for seconds in left} == {count == 1}
