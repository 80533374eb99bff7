"""A profile as the file that whylogs reads and writes: columns of components in wire format.

whylogs itself wants a compiler on every Python after 3.12, so its file is read and written here:
the magic word, two headers, then a message for each column. Components that Unrot does not show,
such as whylogs' estimate of how many values differ, are passed over.

    >>> written = write_file(Profiled({"age": {"counts/n": 3, "distribution/mean": 41.5}}, 0.0))
    >>> read_file(written).columns
    {'age': {'counts/n': 3, 'distribution/mean': 41.5}}
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unrot.watch.profiles.frequent import Frequent
from unrot.watch.profiles.quantiles import Quantiles

Component = int | float | Quantiles | Frequent
Column = dict[str, Component]
"""Components by their paths, such as `counts/n` and `distribution/kll`."""

MAGIC = b"WHY1"
COLUMN = 2
"""The type of chunk that a column is."""
TYPE_IDS = {"ints/min": 1, "ints/max": 2}
"""What tells whylogs how whole numbers merge, where it is not by adding them up."""
TYPE_ID, WHOLE, REAL, FREQUENT, KLL = 1, 2, 3, 4, 6
"""Fields of a component."""
MADE_AT, SINCE = 4, 5
"""Fields of a header's properties, in milliseconds."""
Fields = Mapping[int, int | bytes]


@dataclass(frozen=True, slots=True)
class Profiled:
    """What a file holds: columns by their names, and when the first of them was profiled."""

    columns: Mapping[str, Column]
    made_at: float


def write_file(profiled: Profiled) -> bytes:
    """Return the file of columns."""
    columns, milliseconds = profiled.columns, int(profiled.made_at * 1000)
    paths = sorted({path for column in columns.values() for path in column})
    places = {path: place for place, path in enumerate(paths)}
    stamps = _whole(MADE_AT, milliseconds) + _whole(SINCE, milliseconds)
    chunks, header, length = [], [_field(1, stamps)], 0
    for name in sorted(columns):
        header.append(_entry(2, _field(1, name.encode()), _field(1, _varint(length))))
        message = b"".join(
            _entry(1, _whole(1, places[path]), _component(path, value))
            for path, value in columns[name].items()
        )
        chunks.append(_delimited(_whole(1, COLUMN) + _whole(3, len(message))) + message)
        length += len(chunks[-1])
    header.append(_whole(4, length))
    header += [_entry(5, _whole(1, place), path.encode()) for path, place in places.items()]
    return b"".join([MAGIC, _delimited(b""), _delimited(b"".join(header)), *chunks])


def read_file(data: bytes) -> Profiled:
    """Return what a file holds; an error of its reading when it is damaged."""
    if not data.startswith(MAGIC):
        raise ValueError("another magic word")
    _, at = _delimited_at(data, len(MAGIC))
    header, start = _delimited_at(data, at)
    found: dict[int, list[Fields]] = {1: [], 2: [], 5: []}
    for number, value in _fields(header):
        if number in found:
            found[number].append(_message(value))
    [properties] = found[1]
    paths = {int(entry.get(1, 0)): _bytes(entry[2]).decode() for entry in found[5]}
    columns = {}
    for entry in found[2]:
        places = _varints(_bytes(_message(entry[2])[1]))
        column = [part for place in places for part in _chunk(data, start + place, paths)]
        columns[_bytes(entry[1]).decode()] = dict(column)
    return Profiled(columns, int(properties[MADE_AT]) / 1000)


def _chunk(data: bytes, at: int, paths: Mapping[int, str]) -> Iterator[tuple[str, Component]]:
    head, at = _delimited_at(data, at)
    message, _ = _taken(data, at, int(_message(head)[3]))
    for _, value in _fields(message):
        entry = _message(value)
        component = _read_component(_message(entry[2]))
        if component is not None:
            yield paths[int(entry.get(1, 0))], component


def _component(path: str, value: Component) -> bytes:
    if isinstance(value, Quantiles):
        return _field(KLL, _field(1, value.to_bytes()))
    if isinstance(value, Frequent):
        return _field(FREQUENT, _field(1, value.to_bytes()))
    if isinstance(value, float):
        return _varint(REAL << 3 | 1) + struct.pack("<d", value)
    kind = TYPE_IDS.get(path)
    return (_whole(TYPE_ID, kind) if kind else b"") + _whole(WHOLE, value)


def _read_component(fields: Fields) -> Component | None:
    if WHOLE in fields:
        value = int(fields[WHOLE])
        return value - (1 << 64) if value >> 63 else value
    if REAL in fields:
        real: float = struct.unpack("<d", _bytes(fields[REAL]))[0]
        return real
    for number, sketch in ((KLL, Quantiles), (FREQUENT, Frequent)):
        if number in fields:
            return sketch.from_bytes(_bytes(_message(fields[number])[1]))
    return None


def _entry(number: int, key: bytes, value: bytes) -> bytes:
    return _field(number, key + _field(2, value))


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _delimited(value)


def _whole(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _delimited(value: bytes) -> bytes:
    return _varint(len(value)) + value


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def _message(value: int | bytes) -> Fields:
    return dict(_fields(_bytes(value)))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Read the fields of a message: whole numbers, or bytes."""
    at = 0
    while at < len(data):
        key, at = _varint_at(data, at)
        value: int | bytes
        if key & 7 == 0:
            value, at = _varint_at(data, at)
        elif key & 7 == 2:
            value, at = _delimited_at(data, at)
        else:
            value, at = _taken(data, at, {1: 8, 5: 4}[key & 7])
        yield key >> 3, value


def _delimited_at(data: bytes, at: int) -> tuple[bytes, int]:
    length, at = _varint_at(data, at)
    return _taken(data, at, length)


def _taken(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(data):
        raise ValueError("cut off")
    return data[at : at + length], at + length


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint_at(data, at)
        yield value


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")
    return value
