"""What is held in memory: the newest, up to a size, whoever asks meanwhile."""

from __future__ import annotations

import threading

from unrot.core.newest import Newest


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    newest = Newest[str, str](6, len)
    newest.keep("a", "one")
    newest.keep("b", "two")

    assert newest.get("a") == "one"
    newest.keep("c", "six")

    assert [newest.get(key) for key in "abc"] == ["one", None, "six"]


def test_last_one_stays_however_large_it_is() -> None:
    newest = Newest[str, str](6, len)
    newest.keep("a", "one")

    assert newest.keep("b", "a long one") == "a long one"
    assert (newest.get("a"), newest.get("b")) == (None, "a long one")


def test_thread_may_keep_while_another_makes_room() -> None:
    """The second comes in just while the first adds up what it holds."""
    beside = threading.Thread(target=lambda: newest.keep("d", 4))

    def size(_: int) -> int:
        if len(newest) == 3 and beside.ident is None:
            beside.start()
            beside.join(0.5)
        return 1

    newest = Newest[str, int](9, size)
    for number, key in enumerate("abc"):
        newest.keep(key, number)
    beside.join()

    assert [newest.get(key) for key in "abcd"] == [0, 1, 2, 4]


def test_values_are_not_all_measured_each_time_and_yet_fit_when_they_have_grown() -> None:
    measured: list[int] = []

    def size(value: list[int]) -> int:
        measured.append(1)
        return len(value)

    newest = Newest[int, list[int]](500, size)
    for number in range(1_000):
        newest.keep(number, [number])
    assert len(newest) == 500
    assert len(measured) < 15 * 1_000

    for number in range(500, 1_000):
        (newest.get(number) or []).extend([number] * 9)
    for number in range(1_000, 1_500):
        newest.keep(number, [number])

    held = [value for number in range(1_500) if (value := newest.get(number)) is not None]
    assert sum(map(len, held)) <= 500
