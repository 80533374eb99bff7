"""One column of a batch as few bytes, to the last digit.

Of numbers that were measured most bytes are chance, which no compression makes smaller: those are
set apart and stand as they are. What is alike in all (signs, exponents, the upper bytes) is packed.

    few      one value, or up to 256 of them and the place of each
    int      whole numbers by their distance from the least; with `decimals` numbers that have few
             decimals; with `steps` by their distance from the one before; with `bits` numbers whose
             bits are taken for whole numbers
    float    exponent and sign in one byte or two, the other 52 bits as they are
    plain    eight bytes each: few numbers, that would take longer to turn over than they save
    json     all else

>>> part = packed([2.5, 2.75, 7.0] * 20)
>>> part.head["is"], unpacked(part, 60)[:3]
('few', [2.5, 2.75, 7.0])
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

FEW = 256
SHORT = 48
"""Columns of fewer values are written plainly."""

SAMPLE, MANY = 64, 46
"""Of so many bytes that are chance about 57 are different; with so many they are taken for it."""

FIRST = 8
"""So many numbers tell how many decimals are worth to be tried."""

MOST_INTEGER = 2**53
MOST_DECIMALS = 4
EXPONENTS = 0xFFF
HALF = 0xF

PART_BYTES = 400
"""What a column takes in memory besides its planes."""

_DOUBLE = struct.Struct("<d")

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """A column: what it is, and its bytes in planes of a byte a row (or half a byte)."""

    head: dict[str, Any]
    planes: Sequence[bytes] = field(default=(), repr=False)

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return PART_BYTES + sum(map(getsizeof, self.planes))


def are_chance(part: Part) -> list[bool]:
    """Tell of which planes the bytes look as if packing them were in vain."""
    head, planes = part.head, part.planes
    if head["is"] == "plain":
        return [True]
    if head["is"] == "float" and _is_chance(planes[head["width"]]):
        # What is chance in the last bits of a fraction is so in all before them.
        return [False] * head["width"] + [True] * (len(planes) - head["width"])
    return list(map(_is_chance, planes))


def _is_chance(plane: bytes) -> bool:
    return len(plane) >= SAMPLE and len(set(plane[:SAMPLE])) >= MANY


def packed(column: Sequence[Any]) -> Part:
    """Write a column."""
    if isinstance(column, np.ndarray):
        return _floats(column)
    kinds = set(map(type, column))
    if kinds == {float}:
        return _floats(np.array(column))
    if _may_be_few(column) and len(set(column)) <= _few_of(len(column)) // len(kinds):
        keys = column if len(kinds) == 1 else list(map(_key, column))
        places = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        values = list(places) if keys is column else [value for _, value in places]
        return _few(values, list(map(places.__getitem__, keys)) if len(places) > 1 else ())
    if kinds == {float, type(None)}:
        filled = _written(np.array([np.nan if one is None else one for one in column]))
        return Part({**filled.head, "gaps": True}, filled.planes)
    if kinds == {int} and max(map(abs, column)) < MOST_INTEGER:
        return integers(np.array(column, dtype=np.int64))
    data = orjson.dumps(column)
    return Part({"is": "json", "bytes": len(data)}, [data])


def few_bytes(numbers: NDArray[np.uint8]) -> Part:
    """Write whole numbers below 256."""
    values, places = np.unique(numbers, return_inverse=True)
    return _few(values.tolist(), places.tolist() if len(values) > 1 else ())


def integers(numbers: Integers, **more: Any) -> Part:
    """Write whole numbers."""
    least = int(numbers.min())
    apart = (numbers - least).view(np.uint64)
    width = (int(apart.max()).bit_length() + 7) // 8
    return Part({"is": "int", "least": least, "width": width, **more}, _planes(apart, width))


def steps(numbers: Integers, **more: Any) -> Part:
    """Write whole numbers that go up, or nearly, by the steps between them."""
    apart = np.diff(numbers, prepend=numbers[:1])
    apart[:1] = apart[1:2] if len(apart) > 1 else 0
    return integers(apart, steps=int(numbers[0]), **more)


def moments(times: NDArray[np.float64]) -> Part:
    """Write moments, each later than the one before, or nearly."""
    if len(times) < SHORT or (times <= 0).any():
        return _floats(times)
    return steps(times.view(np.int64), bits=True)


def unpacked(part: Part, rows: int) -> list[Any]:
    """Read a column."""
    head, planes = part.head, part.planes
    if head["is"] == "few":
        values: list[Any] = head["of"]
        return [values[at] for at in planes[0]] if planes else values * rows
    if head["is"] == "json":
        found: list[Any] = orjson.loads(planes[0])
        return found
    numbers: list[Any] = unpacked_numbers(part, rows).tolist()
    if head.get("gaps"):
        return [None if one != one else one for one in numbers]
    return numbers


def unpacked_numbers(part: Part, rows: int) -> NDArray[Any]:
    """Read a column of numbers."""
    head, planes = part.head, part.planes
    if head["is"] == "few":
        values: NDArray[Any] = np.array(head["of"])
        places = np.frombuffer(planes[0], np.uint8) if planes else np.zeros(rows, np.uint8)
        return values[places]
    if head["is"] == "float":
        return _unpacked_floats(head, planes, rows)
    if head["is"] == "plain":
        return np.frombuffer(planes[0], np.float64)
    numbers: NDArray[Any] = _whole(planes, rows).view(np.int64) + int(head["least"])
    if "steps" in head:
        numbers = head["steps"] + np.cumsum(numbers) - numbers[0]
    if "decimals" in head:
        numbers = numbers / 10.0 ** int(head["decimals"])
        numbers[head.get("below", [])] = -0.0
    return numbers.view(np.float64) if head.get("bits") else numbers


def plane_length(head: dict[str, Any], number: int, planes: int, rows: int) -> int:
    """Return how many bytes one of so many planes has."""
    if head["is"] == "plain":
        return 8 * rows
    is_half = head["is"] == "float" and number == planes - 1
    return (rows + 1) // 2 if is_half else rows


def value_at(part: Part, at: int, rows: int) -> Any:
    """Read one value of a column."""
    head, planes = part.head, part.planes
    kind = head["is"]
    if kind == "few":
        return head["of"][planes[0][at] if planes else 0]
    if kind == "json" or "steps" in head:
        return unpacked(part, rows)[at]
    if kind == "plain":
        return _number(head, planes[0][8 * at : 8 * at + 8])
    if kind == "float":
        return _number(head, _bits_at(head, planes, at).to_bytes(8, "little"))
    whole = int.from_bytes([plane[at] for plane in planes], "little") + head["least"]
    if at in head.get("below", ()):
        return -0.0
    return whole / 10.0 ** head["decimals"] if "decimals" in head else whole


# ── inside ───────────────────────────────────────────────────────────────────────────────────


def _key(value: Any) -> tuple[Any, Any]:
    """Tell values apart that are equal and not the same: 1, 1.0 and True; 0.0 and -0.0."""
    return str(value) if value == 0 else type(value), value


def _few_of(rows: int) -> int:
    return min(FEW, rows // 2 + 1)


def _may_be_few(column: Sequence[Any]) -> bool:
    """Tell by the first ones whether it is worth to look at all."""
    some = len(column[:SAMPLE])
    return len(set(column[:SAMPLE])) <= max(some // 2 + 1, some - 4 if some == SAMPLE else 0)


def _few(values: list[Any], places: Sequence[int]) -> Part:
    return Part({"is": "few", "of": values}, [bytes(places)] if len(values) > 1 else ())


def _floats(numbers: NDArray[np.float64]) -> Part:
    bits = numbers.view(np.int64)
    if not _may_be_few(bits[:SAMPLE].tolist()) or not np.isfinite(numbers).all():
        return _written(numbers)
    values, places = np.unique(bits, return_inverse=True)
    if len(values) > _few_of(len(bits)):
        return _written(numbers)
    return _few(values.view(np.float64).tolist(), places.tolist() if len(values) > 1 else ())


def _written(numbers: NDArray[np.float64]) -> Part:
    """Write numbers of which many are different."""
    if len(numbers) < SHORT:
        return Part({"is": "plain"}, [numbers.tobytes()])
    return _with_few_decimals(numbers) or _split(numbers.view(np.uint64))


def _with_few_decimals(numbers: NDArray[np.float64]) -> Part | None:
    """Write numbers as whole ones, if they are when the point is moved a little."""
    if not all(round(one, MOST_DECIMALS) == one for one in numbers[:FIRST].tolist()):
        return None
    if not np.abs(numbers).max() < MOST_INTEGER / 10**MOST_DECIMALS:
        return None
    for decimals in range(MOST_DECIMALS + 1):
        scaled = np.rint(numbers * 10.0**decimals)
        if np.array_equal(scaled / 10.0**decimals, numbers):
            # -0.0 equals 0.0 and is another number: what is rounded from below is full of it.
            below = np.flatnonzero((numbers == 0) & np.signbit(numbers)).tolist()
            more = {"below": below} if below else {}
            return integers(scaled.astype(np.int64), decimals=decimals, **more)
    return None


def _split(bits: NDArray[np.uint64]) -> Part:
    """Part numbers into exponent with sign, six bytes, and four bits of which a byte has two."""
    tops = (bits >> 51 & (EXPONENTS - 1)) | bits >> 63
    least = int(tops.min())
    width = 1 if int(tops.max()) - least < FEW else 2
    halves: NDArray[np.uint8] = (bits >> 48 & HALF).astype(np.uint8)
    if len(halves) % 2:
        halves = np.append(halves, np.uint8(0))
    pairs = halves[::2] << 4 | halves[1::2]
    planes = [*_planes(tops, width), *_planes(bits, 6), pairs.tobytes()]
    return Part({"is": "float", "least": least, "width": width}, planes)


def _unpacked_floats(
    head: dict[str, Any], planes: Sequence[bytes], rows: int
) -> NDArray[np.float64]:
    width = head["width"]
    tops = (_whole(planes[:width], rows) - head["least"]) % 256**width + head["least"]
    pairs = np.frombuffer(planes[-1], np.uint8)
    halves = np.stack([pairs >> 4, pairs & HALF], axis=1).ravel()[:rows].astype(np.uint64)
    bits = _whole(planes[width:-1], rows) | halves << 48 | tops >> 1 << 52 | (tops & 1) << 63
    numbers: NDArray[np.float64] = bits.view(np.float64)
    return numbers


def _bits_at(head: dict[str, Any], planes: Sequence[bytes], at: int) -> int:
    width, least = int(head["width"]), int(head["least"])
    top = int.from_bytes([plane[at] for plane in planes[:width]], "little")
    top = (top - least) % (1 << 8 * width) + least
    half = planes[-1][at // 2] >> (0 if at % 2 else 4) & HALF
    rest = int.from_bytes([plane[at] for plane in planes[width:-1]], "little")
    return (top & 1) << 63 | (top >> 1) << 52 | half << 48 | rest


def _number(head: dict[str, Any], data: bytes) -> float | None:
    number: float = _DOUBLE.unpack(data)[0]
    return None if head.get("gaps") and number != number else number


def _planes(numbers: NDArray[Any], width: int) -> list[bytes]:
    turned = numbers.view(np.uint8).reshape(-1, 8).T
    return [plane.tobytes() for plane in turned[:width]]


def _whole(planes: Sequence[bytes], rows: int) -> NDArray[np.uint64]:
    turned = np.zeros((rows, 8), dtype=np.uint8)
    for at, plane in enumerate(planes):
        turned[:, at] = np.frombuffer(plane, np.uint8)
    return turned.view(np.uint64).ravel()
