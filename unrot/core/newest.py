"""What was asked for last, kept in memory up to a size; any thread may ask.

>>> newest = Newest[str, str](5, len)
>>> [newest.keep(word, word) for word in ("one", "two")]
['one', 'two']
>>> newest.get("one"), newest.get("two"), len(newest)
(None, 'two', 1)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


KEPT_A_MEASURING = 8
"""Values may grow: all are measured anew when one in so many is new, not at each."""


class Newest(Generic[Key, Value]):
    """Lets go of what was asked for longest ago; the last one stays, however large it is."""

    def __init__(self, most: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._most, self._size = most, size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._total = self._unmeasured = 0
        self._one_at_a_time = Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Key) -> Value | None:
        """Return what is newest."""
        with self._one_at_a_time:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def keep(self, key: Key, value: Value) -> Value:
        """Hold a value and return it."""
        with self._one_at_a_time:
            if key in self._values:
                self._total -= self._size(self._values.pop(key))
            self._values[key] = value
            self._total += self._size(value)
            self._make_room()
        return value

    def _make_room(self) -> None:
        self._unmeasured += 1
        if self._unmeasured * KEPT_A_MEASURING > len(self):
            self._total = sum(map(self._size, self._values.values()))
            self._unmeasured = 0
        while self._total > self._most and len(self) > 1:
            self._total -= self._size(self._values.popitem(last=False)[1])
