"""How often the frequent texts occur, of any number of texts in a few kilobytes.

Up to 768 texts are counted; one more, and the median of all counts is taken from each, so that what
is left was there at least so often, and at most `passed_over` more. Misra and Gries, *Finding
repeated elements*, 1982; Anderson et al., *A High-Performance Algorithm for Identifying Frequent
Items in Data Streams*, 2017. The bytes are those of Apache DataSketches, as whylogs writes them.

    >>> sketch = Frequent.of(["red", "blue", "red"]) + Frequent.of(["red"])
    >>> sketch.most()
    {'red': 3, 'blue': 1}
    >>> Frequent.from_bytes(sketch.to_bytes()) == sketch
    True
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

MOST = 768
"""Texts that are counted at one time: three quarters of 1,024, whylogs' own."""
LARGEST, LEAST = 10, 3
"""Binary logarithms of a table's places."""
FAMILY = 10
HEAD = struct.Struct("<6B2x")
FULL = struct.Struct("<I4xQQ")


@dataclass(frozen=True, slots=True)
class Frequent:
    """Counted texts, how many texts came, and how much was taken from each."""

    counts: Mapping[str, int] = field(default_factory=dict)
    total: int = 0
    passed_over: int = 0

    @classmethod
    def of(cls, texts: Sequence[str]) -> Frequent:
        """Return the sketch of texts."""
        counts: dict[str, int] = Counter(texts)
        passed_over = 0
        if len(counts) > MOST:
            counts, passed_over = _counted({}, ((text, 1) for text in texts))
        return cls(counts, len(texts), passed_over)

    def __add__(self, other: Frequent) -> Frequent:
        """Return a sketch that stands for the texts of both."""
        counts, more = _counted(dict(self.counts), other.counts.items())
        passed_over = self.passed_over + other.passed_over + more
        return Frequent(counts, self.total + other.total, passed_over)

    def most(self) -> dict[str, int]:
        """Return the texts that are surely frequent with their counts, the most frequent first."""
        sure = [one for one in self.counts.items() if one[1] > self.passed_over]
        ordered = sorted(sure, key=lambda one: (-one[1], one[0]))
        return {text: count + self.passed_over for text, count in ordered}

    def to_bytes(self) -> bytes:
        """Write it as DataSketches does."""
        places = max(LEAST, (len(self.counts) * 4 // 3).bit_length())
        if not self.counts:
            return HEAD.pack(1, 1, FAMILY, LARGEST, LEAST, 1)
        return b"".join(
            (
                HEAD.pack(4, 1, FAMILY, LARGEST, min(places, LARGEST), 0),
                FULL.pack(len(self.counts), self.total, self.passed_over),
                struct.pack(f"<{len(self.counts)}Q", *self.counts.values()),
                *map(_written, self.counts),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Frequent:
        """Read what DataSketches wrote; ValueError or struct.error when it is damaged."""
        longs, _, family, *_ = HEAD.unpack_from(data)
        if family != FAMILY:
            raise ValueError("no sketch of frequent items")
        if longs == 1:
            return cls()
        number, total, passed_over = FULL.unpack_from(data, HEAD.size)
        at = HEAD.size + FULL.size
        counts = struct.unpack_from(f"<{number}Q", data, at)
        texts = _texts(data, at + 8 * number, number)
        return cls(dict(zip(texts, counts, strict=True)), total, passed_over)


def _counted(counts: dict[str, int], more: Iterable[tuple[str, int]]) -> tuple[dict[str, int], int]:
    """Count one text after the other; say too how much had to be taken from each."""
    passed_over = 0
    for text, times in more:
        counts[text] = counts.get(text, 0) + times
        if len(counts) > MOST:
            median = sorted(counts.values())[len(counts) // 2]
            passed_over += median
            counts = {text: count - median for text, count in counts.items() if count > median}
    return counts, passed_over


def _written(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def _texts(data: bytes, at: int, number: int) -> Iterable[str]:
    for _ in range(number):
        [length] = struct.unpack_from("<I", data, at)
        at += 4 + length
        if at > len(data):
            raise ValueError("cut off")
        yield data[at - length : at].decode()
