"""Predictions in batches: columns, compressed, of one model and version and one stretch of journal.

A batch costs a store one write for up to a thousand predictions, ages as one and is dropped as one.
Its key is where its first line stood in the journal, so shipping it twice is shipping it once; an
id, which tells segment and row, leads to its batch without an index of ids.

Nothing is written twice: of an id, which tells time, segment, row, model and class, its signature
stays to be written; the last probability is what the others leave of 1. What each column is made
of is in `columns.py`.

>>> made = [Prediction(f"p{n}", "elves", "v1", 7.5, [1.5, "a"], "elf", None, None) for n in (1, 2)]
>>> [one.inputs for one in unpack(pack(made), "elves", "v1")]
[[1.5, 'a'], [1.5, 'a']]
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import orjson

from unrot.core.ids import ID_BYTES, ID_LETTERS
from unrot.core.packed import unpack_bytes, unpack_first
from unrot.core.records import ModelKey, Prediction
from unrot.core.table import Table
from unrot.core.time import DAY, HOUR, MINUTE
from unrot.serve.columns import (
    Part,
    are_chance,
    few_bytes,
    integers,
    moments,
    packed,
    plane_length,
    steps,
    unpacked,
    unpacked_numbers,
    value_at,
)
from unrot.serve.rows import Rows, places_of, raw_ids
from unrot.store.kinds import BATCH, UNSURE
from unrot.store.operations import Put

FORMAT = 2
MOST_ROWS, MOST_CELLS = 1_000, 90_000
"""Of one batch: a document of some databases takes a megabyte."""

SPANS = (int(MINUTE), int(HOUR), int(DAY))
"""How long a batch may last: those of live traffic a minute, those of a log up to a day."""

OWN, LAST = "own", "last"
"""Columns that other columns tell a part of: ids of our own make, the last probability."""

FIRST, PLAIN = 3, 6
"""The columns of ids, and those behind them that every row has."""

MOST_OFF = 2**15
BATCH_BYTES, ROW_BYTES, VALUE_BYTES = 1_000, 450, 32
"""What a batch, a row and each number in it take in memory, once all are unpacked and in order."""

_LEVEL, _MEMORY = 3, 5
"""So little memory lets zlib begin anew often: planes of one kind follow each other."""

_HEAD = struct.Struct(">BI")


def batches_of(predictions: Sequence[Prediction], writer: str) -> list[Put]:
    """Part predictions, in the order of their lines, into batches."""
    rows = Rows.of(predictions)
    places, days = rows.places, (rows.moments // DAY).tolist()
    alike = (rows.models, rows.versions, places.segments, places.model_numbers, days)
    return [
        _batch(part[at : at + room], writer)
        for _, part in rows.parted(*alike)
        for room in [_room_for(part)]
        for at in range(0, len(part), room)
    ]


def _room_for(rows: Rows) -> int:
    """Return how many such rows a batch has room for."""
    cells = _widest(rows.inputs) + _widest(rows.probabilities)
    return max(1, min(MOST_ROWS, MOST_CELLS // max(1, cells)))


def _batch(rows: Rows, writer: str) -> Put:
    starts_at, ends_at = min(rows.times), max(rows.times)
    places = rows.places
    segment, number, version = places.segments[0], places.model_numbers[0], rows.versions[0]
    fields = {
        "model": rows.models[0],
        "version": version,
        "writer": writer,
        "segment": segment,
        "model number": number,
        "first row": min(places.rows),
        "last row": max(places.rows),
        "span": next(span for span in SPANS if ends_at - starts_at <= span),
        "starts at": starts_at,
        "ends at": ends_at,
        "rows": len(rows),
        "columns": pack(rows),
    }
    return Put(BATCH, f"{segment}/{places.rows[0]:010d}/{number}/{version}", fields)


def unsure_puts(batches: Sequence[Put], rows: Rows, unsure: Collection[str]) -> list[Put]:
    """Return what tells which rows of some batches were answered with "not sure"."""
    if not unsure:
        return []
    segments, numbers = rows.places.segments, rows.places.rows
    stood: dict[tuple[Any, ...], list[int]] = {}
    for id, model, version, segment, number in zip(
        rows.ids, rows.models, rows.versions, segments, numbers, strict=True
    ):
        if id in unsure:
            stood.setdefault((segment, model, version), []).append(number)
    puts = []
    for batch in batches:
        fields = batch.fields
        first, last = fields["first row"], fields["last row"]
        of = stood.get((fields["segment"], fields["model"], fields["version"]), ())
        inside = [number for number in of if first <= number <= last]
        if inside:
            spans = {name: fields[name] for name in ("model", "starts at", "ends at")}
            puts.append(Put(UNSURE, batch.key, {**spans, "rows": inside}))
    return puts


def pack(predictions: Sequence[Prediction]) -> bytes:
    """Write predictions of one model and version."""
    rows = Rows.of(predictions)
    likely = rows.probabilities
    inputs = _turned(rows.inputs)
    chances = _turned(likely if isinstance(likely, Table) else [one or () for one in likely])
    parts = [
        *_packed_ids(rows),
        moments(rows.moments) if set(map(type, rows.times)) == {float} else packed(rows.times),
        packed(rows.seconds),
        packed(rows.labels),
        packed(rows.values),
        _packed_widths(rows.inputs),
        _packed_widths(rows.probabilities),
        *map(packed, inputs),
        *map(packed, chances[:-1]),
        *([_last_chance(chances)] if chances else []),
    ]
    return _joined(parts, len(rows), len(inputs))


def unpack(data: bytes, model: ModelKey, version: str) -> Rows:
    """Read predictions back."""
    return Batch(data).rows(model, version)


class Batch:
    """The columns of a batch, of which single rows can be read without all others."""

    def __init__(self, data: bytes) -> None:
        form, length = _HEAD.unpack_from(data)
        if form != FORMAT:
            raise ValueError(f"a batch of format {form}, which this release does not know")
        chance = data[_HEAD.size : _HEAD.size + length]
        text, planes = unpack_first(data[_HEAD.size + length :])
        head, *texts = text.split(b"\n")
        self._count, self._width, heads = orjson.loads(head)
        self._parts = list(_parted(heads, self._count, chance, unpack_bytes(planes), texts))
        self.size = len(text) + sum(part.size for part in self._parts)
        """About how many bytes of memory it takes."""

    @property
    def size_of_rows(self) -> int:
        """About how many its rows take once they are unpacked."""
        numbers = len(self._parts) - FIRST - PLAIN
        return BATCH_BYTES + int(self._count) * (ROW_BYTES + VALUE_BYTES * numbers)

    def rows(self, model: ModelKey, version: str) -> Rows:
        """Read all."""
        return _rows(self._parts, self._count, self._width, model, version)

    def find(self, id: str, model: ModelKey, version: str) -> Prediction | None:
        """Read one row by its id."""
        at = self._place_of(id)
        if at is None:
            return None
        inputs, chances = FIRST + PLAIN, FIRST + PLAIN + self._width
        told = [value_at(part, at, self._count) for part in self._parts[FIRST:chances]]
        time, seconds, label, value, width, sure = told[:PLAIN]
        others = [value_at(part, at, self._count) for part in self._parts[chances:-1]]
        if self._parts[-1].head["is"] == LAST:
            others.append(_last_at(self._parts[-1], others, at, self._count))
        elif chances < len(self._parts):
            others.append(value_at(self._parts[-1], at, self._count))
        likely = None if sure is None else others[:sure]
        row = told[inputs - FIRST :][:width]
        return Prediction(id, model, version, time, row, label, likely, value, seconds)

    def _place_of(self, id: str) -> int | None:
        """Return where a row is, if it is there."""
        if self._parts[0].head["is"] != OWN:
            ids = _unpacked_ids(self._parts, self._count)
            return ids.index(id) if id in ids else None
        if (raw := raw_ids([id])) is None:
            return None
        stood = unpacked_numbers(self._parts[1], self._count)
        for at in np.flatnonzero(stood == places_of([id]).rows[0]):
            if bytes(plane[at] for plane in self._parts[0].planes) == raw[0, 16:].tobytes():
                return int(at)
        return None


def _joined(parts: Sequence[Part], rows: int, width: int) -> bytes:
    """Write columns one behind the other: what is chance, what they are, and what is packed."""
    chance: list[bytes] = []
    alike: list[bytes] = []
    texts: list[bytes] = []
    heads = []
    for part in parts:
        if part.head["is"] == "json":
            texts += part.planes
            heads.append([part.head, ""])
            continue
        where = are_chance(part)
        chance += [plane for plane, lies in zip(part.planes, where, strict=True) if lies]
        alike += [plane for plane, lies in zip(part.planes, where, strict=True) if not lies]
        heads.append([part.head, "".join("cp"[not lies] for lies in where)])
    text = zlib.compress(b"\n".join([orjson.dumps([rows, width, heads]), *texts]), _LEVEL)
    packer = zlib.compressobj(_LEVEL, memLevel=_MEMORY, strategy=zlib.Z_RLE)
    head = _HEAD.pack(FORMAT, sum(map(len, chance)))
    return b"".join([head, *chance, text, packer.compress(b"".join(alike)), packer.flush()])


def _parted(
    heads: Sequence[tuple[dict[str, Any], str]],
    rows: int,
    chance: bytes,
    alike: bytes,
    texts: Sequence[bytes],
) -> Iterator[Part]:
    left, held, at = iter(texts), {"c": chance, "p": alike}, {"c": 0, "p": 0}
    for head, where in heads:
        if head["is"] == "json":
            yield Part(head, [next(left)])
            continue
        planes = []
        for number, which in enumerate(where):
            length = plane_length(head, number, len(where), rows)
            planes.append(held[which][at[which] : at[which] + length])
            at[which] += length
        yield Part(head, planes)


def _rows(parts: Sequence[Part], count: int, width: int, model: ModelKey, version: str) -> Rows:
    """Put columns together; so many are of inputs, and those behind them probabilities."""
    times, seconds, labels, values, widths, sures, *rest = (
        unpacked(part, count) if part.head["is"] != LAST else [] for part in parts[FIRST:]
    )
    if rest and parts[-1].head["is"] == LAST:
        rest[-1] = _unpacked_last(parts[-1], rest[width:-1], count)
    return Rows(
        _unpacked_ids(parts, count),
        [model] * count,
        [version] * count,
        times,
        _turned_back(rest[:width], widths),
        labels,
        _turned_back(rest[width:], sures),
        values,
        seconds,
    )


def _turned(rows: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return the columns of rows; a row that is shorter has nothing in the last ones."""
    if isinstance(rows, Table):
        return rows.columns  # type: ignore[return-value]
    width = max(map(len, rows))
    return [[row[at] if at < len(row) else None for row in rows] for at in range(width)]


def _packed_widths(rows: Sequence[Sequence[Any] | None]) -> Part:
    if isinstance(rows, Table):
        return packed([_widest(rows)])
    return packed([None if row is None else len(row) for row in rows])


def _widest(rows: Sequence[Sequence[Any] | None]) -> int:
    if isinstance(rows, Table):
        return int(rows.numbers.shape[1])
    return max(len(row or ()) for row in rows)


def _turned_back(columns: Sequence[list[Any]], widths: Sequence[int | None]) -> list[Any]:
    if not columns:
        return [None if width is None else [] for width in widths]
    whole = list(map(list, zip(*columns, strict=True)))
    if set(widths) == {len(columns)}:
        return whole
    return [
        None if width is None else row if width == len(row) else row[:width]
        for row, width in zip(whole, widths, strict=True)
    ]


# ── what can be told from something else ─────────────────────────────────────────────────────


def _last_chance(chances: Sequence[Any]) -> Part:
    """Write the last probability by how many bits it is off what the others leave of 1."""
    last = chances[-1]
    if len(chances) < 2 or not all(isinstance(one, np.ndarray) for one in chances):
        return packed(last)
    off = last.view(np.int64) - _left(chances[:-1]).view(np.int64)
    if np.abs(off).max() >= MOST_OFF:
        return packed(last)
    part = integers(off)
    return Part({**part.head, "is": LAST}, part.planes)


def _unpacked_last(part: Part, others: Sequence[list[float]], rows: int) -> list[float]:
    off = unpacked_numbers(Part({**part.head, "is": "int"}, part.planes), rows)
    bits = _left([np.array(one) for one in others]).view(np.int64) + off
    told: list[float] = bits.view(np.float64).tolist()
    return told


def _last_at(part: Part, others: Sequence[float], at: int, rows: int) -> float:
    off = value_at(Part({**part.head, "is": "int"}, part.planes), at, rows)
    bits = _left([np.array([one]) for one in others]).view(np.int64) + off
    return float(bits.view(np.float64)[0])


def _left(chances: Sequence[Any]) -> Any:
    left = 1.0 - chances[0]
    for one in chances[1:]:
        left = left - one
    return left


def _packed_ids(rows: Rows) -> list[Part]:
    """Write ids of our own make by what nothing else tells: signature, row and class."""
    raw = rows.raw_ids
    plain = [packed([one or "" for one in rows.ids]), packed([0]), packed([0])]
    if raw is None:
        return plain
    seconds = raw[:, :4].copy().view(">u4").ravel()
    alike = np.concatenate([raw[:, 4:9], raw[:, 13:15]], axis=1)
    if not np.array_equal(seconds, np.floor(rows.moments)) or (alike != alike[0]).any():
        return plain
    head = {"is": OWN, "alike": alike[0].tobytes().hex()}
    signatures = [plane.tobytes() for plane in np.ascontiguousarray(raw[:, 16:].T)]
    stood = raw[:, 9:13].copy().view(">u4").ravel().astype(np.int64)
    return [Part(head, signatures), steps(stood), few_bytes(raw[:, 15])]


def _unpacked_ids(parts: Sequence[Part], rows: int) -> list[str]:
    if parts[0].head["is"] != OWN:
        return unpacked(parts[0], rows)
    raw = np.empty((rows, ID_BYTES), dtype=np.uint8)
    alike = np.frombuffer(bytes.fromhex(parts[0].head["alike"]), np.uint8)
    times = np.floor(unpacked_numbers(parts[FIRST], rows)).astype(">u4")
    raw[:, :4] = times.view(np.uint8).reshape(-1, 4)
    raw[:, 4:9], raw[:, 13:15] = alike[:5], alike[5:]
    raw[:, 9:13] = unpacked_numbers(parts[1], rows).astype(">u4").view(np.uint8).reshape(-1, 4)
    raw[:, 15] = unpacked_numbers(parts[2], rows)
    for at, plane in enumerate(parts[0].planes):
        raw[:, 16 + at] = np.frombuffer(plane, np.uint8)
    whole = base64.urlsafe_b64encode(raw.tobytes()).decode("ascii")
    return [whole[at : at + ID_LETTERS] for at in range(0, len(whole), ID_LETTERS)]
