"""Quantiles of any number of values in a few kilobytes: the KLL sketch, as whylogs writes it.

Values lie on levels; one on level h stands for 2^h that came. While there are more than the sketch
has room for, the lowest level that is too full is sorted and every other value of it goes one up.
Up to 1,024 values nothing is lost. Karnin, Lang and Liberty, *Optimal Quantile Approximation in
Streams*, 2016; the bytes are those of Apache DataSketches.

    >>> sketch = Quantiles.of(np.arange(101.0)) + Quantiles.of(np.array([1000.0]))
    >>> sketch.count, sketch.low, sketch.high, sketch.at([0.0, 0.5, 1.0])
    (102, 0.0, 1000.0, [0.0, 51.0, 1000.0])
    >>> Quantiles.from_bytes(sketch.to_bytes()).at([0.5])
    [51.0]
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
ROOM = 1_024
"""Of the highest level: whylogs' own."""
LEAST_ROOM = 8
MOST_LEVELS = 61
FAMILY = 15
EMPTY, SINGLE = 1, 4
HEAD = struct.Struct("<4BHBx")
FULL = struct.Struct("<QHB5x")


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Values with their weights, the lowest level first."""

    levels: tuple[Values, ...] = (np.empty(0),)
    low: float = inf
    high: float = -inf
    room: int = ROOM

    @classmethod
    def of(cls, values: Values) -> Quantiles:
        """Return the sketch of values, none of them NaN."""
        if not len(values):
            return cls()
        return cls(_fitted((values,), ROOM), float(values.min()), float(values.max()))

    @property
    def count(self) -> int:
        """How many values it stands for."""
        return sum(len(level) << height for height, level in enumerate(self.levels))

    def __add__(self, other: Quantiles) -> Quantiles:
        """Return a sketch that stands for the values of both."""
        heights = range(max(len(self.levels), len(other.levels)))
        levels = [_level(self, height, other) for height in heights]
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Quantiles(_fitted(levels, self.room), low, high, self.room)

    def at(self, shares: Sequence[float]) -> list[float]:
        """Return the value below which each share of all values lies."""
        values = np.concatenate(self.levels)
        sizes = list(map(len, self.levels))
        order = np.argsort(values, kind="stable")
        weights = np.repeat(1 << np.arange(len(sizes)), sizes)[order]
        asked = np.floor(np.asarray(shares) * weights.sum())
        below = np.cumsum(weights) - weights
        places = np.searchsorted(below, asked).clip(max=len(values) - 1)
        found = values[order][places]
        found[np.equal(shares, 0)], found[np.equal(shares, 1)] = self.low, self.high
        told: list[float] = found.tolist()
        return told

    def to_bytes(self) -> bytes:
        """Write it as DataSketches does."""
        count = self.count
        if not count:
            return HEAD.pack(2, 1, FAMILY, EMPTY, self.room, LEAST_ROOM)
        if count == 1:
            head = HEAD.pack(2, 2, FAMILY, SINGLE, self.room, LEAST_ROOM)
            return head + np.array(self.levels[0], "<f8").tobytes()
        free = _room(self.room, len(self.levels)) - sum(map(len, self.levels))
        starts = np.cumsum([free, *map(len, self.levels[:-1])])
        values = np.concatenate([[self.low, self.high], *self.levels])
        return b"".join(
            (
                HEAD.pack(6, 1, FAMILY, 0, self.room, LEAST_ROOM),
                FULL.pack(count, self.room, len(self.levels)),
                starts.astype("<u4").tobytes(),
                values.astype("<f8").tobytes(),
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Quantiles:
        """Read what DataSketches wrote; ValueError or struct.error when it is damaged."""
        _, _, family, flags, room, least = HEAD.unpack_from(data)
        if (family, least) != (FAMILY, LEAST_ROOM) or room < LEAST_ROOM:
            raise ValueError("no KLL sketch of doubles")
        if flags & EMPTY:
            return cls(room=room)
        if flags & SINGLE:
            [value] = struct.unpack_from("<d", data, HEAD.size)
            return cls((np.array([value]),), value, value, room)
        count, _, height = FULL.unpack_from(data, HEAD.size)
        if not 0 < height <= MOST_LEVELS:
            raise ValueError("levels without end")
        at = HEAD.size + FULL.size
        starts = np.frombuffer(data, "<u4", height, at).astype(np.int64)
        sizes = np.diff(starts, append=_room(room, height))
        values = np.frombuffer(data, "<f8", 2 + int(sizes.sum()), at + 4 * height)
        if (sizes < 0).any() or count != sum(int(n) << h for h, n in enumerate(sizes)):
            raise ValueError("levels that do not add up")
        levels = np.split(values[2:].astype(np.float64), np.cumsum(sizes)[:-1])
        return cls(tuple(levels), float(values[0]), float(values[1]), room)


def _level(first: Quantiles, height: int, second: Quantiles) -> Values:
    there = [one.levels[height] for one in (first, second) if height < len(one.levels)]
    return np.concatenate(there)


def _fitted(levels: Sequence[Values], room: int) -> tuple[Values, ...]:
    """Move every other value of a full level one level up until all find room."""
    fitted = list(levels)
    while sum(map(len, fitted)) > _room(room, len(fitted)):
        full = next(h for h, one in enumerate(fitted) if len(one) >= _at_most(room, len(fitted), h))
        if full + 1 == len(fitted):
            fitted.append(np.empty(0))
        values = np.sort(fitted[full])
        stays = len(values) % 2
        # A coin that falls the same way for the same values: the same rows, the same sketch.
        coin = crc32(values.tobytes()) & 1
        fitted[full] = values[:stays]
        fitted[full + 1] = np.sort(np.concatenate([fitted[full + 1], values[stays + coin :: 2]]))
    return tuple(fitted)


def _room(room: int, levels: int) -> int:
    return sum(_at_most(room, levels, height) for height in range(levels))


def _at_most(room: int, levels: int, height: int) -> int:
    """Return the room of one level: two thirds of the one above it, and never under eight."""
    depth = levels - height - 1
    two_thirds: int = ((2 * room << depth) // 3**depth + 1) // 2
    return max(LEAST_ROOM, two_thirds)
