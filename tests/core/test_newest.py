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
