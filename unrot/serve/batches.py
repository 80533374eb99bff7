"""Predictions in batches: columns, compressed, of one model and version and one stretch of journal.

A batch costs a store one write for up to a thousand predictions, ages as one and is dropped as one.
Its key is where its first line stood in the journal, so shipping it twice is shipping it once; an
id, which tells segment and row, leads to its batch without an index of ids.

Each column is written in the way that makes it smallest: one value where all are the same, a list
of values and places where few are different, else the bytes of all numbers sorted by their place in
the number, which compress well since numbers of one column begin alike.

>>> made = [Prediction(f"p{n}", "elves", "v1", 7.5, [1.5, "a"], "elf", None, None) for n in (1, 2)]
>>> [one.inputs for one in unpack(pack(made), "elves", "v1")]
[[1.5, 'a'], [1.5, 'a']]
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from unrot.core.errors import NotSigned
from unrot.core.ids import ID_BYTES, ID_LETTERS, is_id, place_in_journal
from unrot.core.records import ModelKey, Prediction
from unrot.core.time import DAY, HOUR, MINUTE
from unrot.store.kinds import BATCH
from unrot.store.operations import Put

FORMAT = 1
MOST_ROWS, MOST_CELLS = 1_000, 90_000
"""Of one batch: a document of some databases takes a megabyte."""

SPANS = (int(MINUTE), int(HOUR), int(DAY))
"""How long a batch may last: those of live traffic a minute, those of a log up to a day."""

FEW = 256
WIDTHS = 5
"""The column that tells how many inputs each row has."""

PLAIN = 32
"""Fewer values than these are written as they are: turning them over would take longer."""

MOST_INTEGER = 2**53
MOST_DECIMALS = 4
_LEVEL = 3
_HEAD = struct.Struct(">BI")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the line of a prediction stood: what its id tells."""

    segment: str
    row: int
    model_number: int


def place_of(id: str) -> Place:
    """Return where a prediction's id says that it stood; an id of other make stands alone."""
    try:
        return Place(*place_in_journal(id))
    except NotSigned:
        return Place(f"~{id}", 0, 0)


def places_of(ids: Sequence[str]) -> list[Place]:
    """Return where many predictions stood; those of our own make are read all at once."""
    raw = _raw(ids)
    if raw is None:
        return [place_of(id) for id in ids]
    table = np.frombuffer(raw, np.uint8).reshape(-1, ID_BYTES)
    rows = table[:, 9:13].copy().view(">u4").ravel().tolist()
    numbers = table[:, 13:15].copy().view(">u2").ravel().tolist()
    segments = [part.hex() for part in table[:, 4:9].copy().view("V5").ravel().tolist()]
    return list(map(Place, segments, rows, numbers))


def _raw(ids: Sequence[str]) -> bytes | None:
    """Return the bytes of ids of our own make; None where one is not."""
    if set(map(len, ids)) != {ID_LETTERS} or not all(map(is_id, ids)):
        return None
    return base64.urlsafe_b64decode("".join(ids))


def batches_of(
    predictions: Sequence[Prediction], places: Sequence[Place], writer: str
) -> list[Put]:
    """Part predictions, in the order of their lines, into batches."""
    open_parts: dict[tuple[str, str, str, int], list[int]] = {}
    done: list[list[int]] = []
    for number, (made, at) in enumerate(zip(predictions, places, strict=True)):
        group = (made.model, made.version, at.segment, at.model_number)
        part = open_parts.setdefault(group, [])
        if part and (len(part) >= _room_for(made) or _is_later(predictions[part[0]], made)):
            done.append(part)
            part = open_parts[group] = []
        part.append(number)
    return [
        _batch(
            [predictions[number] for number in part], [places[number] for number in part], writer
        )
        for part in [*done, *open_parts.values()]
    ]


def _room_for(made: Prediction) -> int:
    """Return how many such rows a batch has room for."""
    cells = len(made.inputs) + len(made.probabilities or ())
    return max(1, min(MOST_ROWS, MOST_CELLS // max(1, cells)))


def _is_later(first: Prediction, made: Prediction) -> bool:
    """Tell whether a prediction lies on another day, where a batch begins anew."""
    return first.predicted_at // DAY != made.predicted_at // DAY


def _batch(part: Sequence[Prediction], places: Sequence[Place], writer: str) -> Put:
    times = [made.predicted_at for made in part]
    starts_at, ends_at = min(times), max(times)
    first = places[0]
    fields = {
        "model": part[0].model,
        "version": part[0].version,
        "writer": writer,
        "segment": first.segment,
        "model number": first.model_number,
        "first row": min(place.row for place in places),
        "last row": max(place.row for place in places),
        "span": next(span for span in SPANS if ends_at - starts_at <= span),
        "starts at": starts_at,
        "ends at": ends_at,
        "rows": len(part),
        "columns": pack(part),
    }
    key = f"{first.segment}/{first.row:010d}/{first.model_number}/{part[0].version}"
    return Put(BATCH, key, fields)


def pack(predictions: Sequence[Prediction]) -> bytes:
    """Write predictions of one model and version as compressed columns."""
    width = max(len(made.inputs) for made in predictions)
    sure = max(len(made.probabilities or ()) for made in predictions)
    columns: list[list[Any]] = [
        [made.predicted_at for made in predictions],
        [made.seconds for made in predictions],
        [made.label for made in predictions],
        [made.value for made in predictions],
        [len(made.inputs) for made in predictions],
        [None if made.probabilities is None else len(made.probabilities) for made in predictions],
        *_turned([made.inputs for made in predictions], width),
        *_turned([made.probabilities or () for made in predictions], sure),
    ]
    ids = _packed_ids([made.id or "" for made in predictions])
    written = [ids, *map(_packed, columns)]
    heads = orjson.dumps([head for head, _ in written])
    body = _HEAD.pack(FORMAT, len(heads)) + heads + b"".join(data for _, data in written)
    return zlib.compress(body, _LEVEL)


def unpack(data: bytes, model: ModelKey, version: str) -> list[Prediction]:
    """Read predictions back."""
    columns = [_unpacked(head, part) for head, part in _parts(data)]
    return list(_predictions(columns, max(columns[WIDTHS]), model, version))


def unpack_one(data: bytes, model: ModelKey, version: str, id: str) -> Prediction | None:
    """Read one prediction back, without the others."""
    parts = _parts(data)
    ids = _unpacked(*parts[0])
    if id not in ids:
        return None
    at = ids.index(id)
    columns = [_unpacked(*_cut(head, part, at)) for head, part in parts]
    return next(_predictions(columns, max(_unpacked(*parts[WIDTHS])), model, version))


def _parts(data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """Return each column with what it is."""
    body = zlib.decompress(data)
    _, length = _HEAD.unpack_from(body)
    place = _HEAD.size + length
    parts: list[tuple[dict[str, Any], bytes]] = []
    for head in orjson.loads(body[_HEAD.size : place]):
        parts.append((head, body[place : place + head["bytes"]]))
        place += head["bytes"]
    return parts


def _cut(head: dict[str, Any], data: bytes, at: int) -> tuple[dict[str, Any], bytes]:
    """Return one row of a column, as a column."""
    if head["is"] == "json":
        return {"is": "few", "of": [orjson.loads(data)[at]], "rows": 1}, b""
    one = {**head, "rows": 1}
    return one, data[at : at + 1] if head["is"] == "few" else data[at :: head["rows"]]


def _predictions(
    columns: Sequence[list[Any]], width: int, model: ModelKey, version: str
) -> Iterator[Prediction]:
    """Put rows together; so many columns are of inputs, and those behind them probabilities."""
    ids, times, seconds, labels, values, widths, sures, *rest = columns
    inputs = _rows(rest[:width], widths)
    probabilities = _rows(rest[width:], sures)
    for place, id in enumerate(ids):
        yield Prediction(
            id,
            model,
            version,
            times[place],
            inputs[place],
            labels[place],
            probabilities[place],
            values[place],
            seconds[place],
        )


def _turned(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Return the columns of rows; a row that is shorter has nothing in the last ones."""
    return [[row[at] if at < len(row) else None for row in rows] for at in range(width)]


def _rows(columns: Sequence[list[Any]], widths: Sequence[int | None]) -> list[Any]:
    if not columns:
        return [None if width is None else [] for width in widths]
    whole = [list(row) for row in zip(*columns, strict=True)]
    return [
        None if width is None else row if width == len(row) else row[:width]
        for row, width in zip(whole, widths, strict=True)
    ]


# ── one column ───────────────────────────────────────────────────────────────────────────────


def _packed(column: list[Any]) -> tuple[dict[str, Any], bytes]:
    """Return what a column is, and its bytes."""
    kinds = set(map(type, column))
    if len(set(column)) <= min(FEW, len(column) // 2 + 1) // len(kinds):
        values = list({(type(one), one): one for one in column}.values())
        places = {(type(one), one): at for at, one in enumerate(values)}
        data = bytes(places[type(one), one] for one in column) if len(values) > 1 else b""
        return {"is": "few", "of": values, "bytes": len(data), "rows": len(column)}, data
    if len(column) < PLAIN:
        data = orjson.dumps(column)
        return {"is": "json", "bytes": len(data), "rows": len(column)}, data
    if kinds <= {float, type(None)}:
        return _numbers([np.nan if one is None else one for one in column])
    if kinds == {int} and max(map(abs, column)) < MOST_INTEGER:
        return _integers(np.array(column, dtype=np.int64))
    data = orjson.dumps(column)
    return {"is": "json", "bytes": len(data), "rows": len(column)}, data


def _numbers(column: list[float]) -> tuple[dict[str, Any], bytes]:
    """Write numbers with few decimals as integers, all others by their bytes."""
    numbers = np.array(column, dtype=np.float64)
    if np.isfinite(numbers).all() and np.abs(numbers).max() < MOST_INTEGER / 10**MOST_DECIMALS:
        for decimals in range(MOST_DECIMALS + 1):
            scaled = np.rint(numbers * 10.0**decimals)
            if np.array_equal(scaled / 10.0**decimals, numbers):
                head, data = _integers(scaled.astype(np.int64))
                return {**head, "decimals": decimals}, data
    return _planes("float", numbers)


def _integers(numbers: Any) -> tuple[dict[str, Any], bytes]:
    """Write integers by their distance from the least, which has few bytes."""
    least = int(numbers.min())
    head, data = _planes("int", numbers - least)
    return {**head, "least": least}, data


def _planes(what: str, numbers: Any) -> tuple[dict[str, Any], bytes]:
    data = numbers.view(np.uint8).reshape(-1, 8).T.tobytes()
    return {"is": what, "bytes": len(data), "rows": len(numbers)}, data


def _unpacked(head: dict[str, Any], data: bytes) -> list[Any]:
    if head["is"] == "ids":
        return _unpacked_ids(head, data)
    if head["is"] == "few":
        values = head["of"]
        return [values[at] for at in data] if data else values * head["rows"]
    if head["is"] == "json":
        found: list[Any] = orjson.loads(data)
        return found
    turned = np.frombuffer(data, np.uint8).reshape(8, -1).T.copy()
    if head["is"] == "int":
        integers = turned.view(np.int64).ravel() + head["least"]
        if "decimals" in head:
            return list((integers / 10.0 ** head["decimals"]).tolist())
        return list(integers.tolist())
    numbers = turned.view(np.float64).ravel()
    told: list[Any] = numbers.tolist()
    for at in np.flatnonzero(np.isnan(numbers)).tolist():
        told[at] = None
    return told


def _packed_ids(ids: Sequence[str]) -> tuple[dict[str, Any], bytes]:
    """Write ids of our own make by their bytes, of which most are the same in all."""
    raw = _raw(ids)
    if raw is None:
        return _packed(list(ids))
    data = np.frombuffer(raw, np.uint8).reshape(-1, ID_BYTES).T.tobytes()
    return {"is": "ids", "bytes": len(data), "rows": len(ids)}, data


def _unpacked_ids(head: dict[str, Any], data: bytes) -> list[str]:
    raw = np.frombuffer(data, np.uint8).reshape(ID_BYTES, -1).T.tobytes()
    whole = base64.urlsafe_b64encode(raw).decode("ascii")
    return [whole[at * ID_LETTERS : (at + 1) * ID_LETTERS] for at in range(head["rows"])]
