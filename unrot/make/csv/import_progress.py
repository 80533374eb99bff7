"""How much of a log is in the store: marks that are set in the transaction that takes the rows.

A mark is a digest of all that stands in a log up to a row, so the same rows have the same marks
in whatever file they stand, and a log that grew has those of before. A mark is the name of a
segment: the store, which takes each stretch of a segment once, takes the rows before a mark once.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import orjson

from unrot.core.ports import Traffic
from unrot.core.records import ModelKey, Row

ALL_SECONDS = 10**10
AT_ONE_TIME = 50
A_MOMENT = 1e-4


class Marks:
    """A digest of all the cells so far."""

    def __init__(self, roles: Sequence[object]) -> None:
        self._hash = blake2b(orjson.dumps(roles), digest_size=16)

    def add(self, cells: Sequence[str]) -> bytes:
        """Take the cells of one more row and return the mark after it."""
        self._hash.update(orjson.dumps(cells))
        return self._hash.digest()


class Ledger:
    """Which marks of a log are set; behind the first that is not, none is."""

    def __init__(self, traffic: Traffic, kind: str) -> None:
        self._traffic = traffic
        self._kind = kind
        self._is_at_end = False

    def segment(self, mark: bytes) -> str:
        """Return the segment that has an offset when the mark is set."""
        return f"{self._kind}-{mark.hex()}"

    def known(self, marks: Sequence[bytes]) -> int:
        """Return how many rows of the next piece are in: all, or those up to a mark within it."""
        if self._is_at_end:
            return 0
        if self._is_set(marks[-1]):
            return len(marks)
        self._is_at_end = True
        places = range(len(marks) - 1, 0, -1)
        return next((place for place in places if self._is_set(marks[place - 1])), 0)

    def _is_set(self, mark: bytes) -> bool:
        return self._traffic.shipped_to(self.segment(mark)) > 0


def rows_of(traffic: Traffic, writer: str) -> int:
    """Return how many rows of one writer the store has."""
    return sum(count for _, count in traffic.shipped(writer, 0.0, ALL_SECONDS))


def is_in(traffic: Traffic, model: ModelKey, at: float, inputs: Row) -> bool:
    """Tell whether the store has a prediction of these inputs at this very time."""
    found = traffic.recent(model, limit=AT_ONE_TIME, before=(at + A_MOMENT, ""))
    made = (judged.prediction for judged in found)
    return any(one.predicted_at == at and list(one.inputs) == list(inputs) for one in made)
