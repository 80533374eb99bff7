"""Tables: what a version was trained on, what it is fed from, what it is measured by.

They are kept as gzipped JSON, and read without scikit-learn, so that a web worker can let two
versions answer the same rows. In memory they stay numbers: what is drawn is made rows of, never
the whole of a large table.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.artefacts import STREAM, TRAINING
from unrot.core.encoding import Encoder
from unrot.core.errors import BadArtefact, shown
from unrot.core.packed import GZIP, unpack_bytes
from unrot.core.ports import Label
from unrot.core.records import Row, Schema

Range = tuple[float, float] | None
ROWS, LABELS = b'{"rows":[', b'],"labels":['
"""What stands before the rows of a packed table, and before its labels."""
ROWS_AT_ONCE = 10_000
BYTES_AT_ONCE = 2_000_000
COMPRESSION = 3
"""Digits hardly shrink further, and the default takes ten times as long."""


class Table:
    """Encoded rows and their labels."""

    def __init__(self, rows: NDArray[Any], labels: NDArray[Any], schema: Schema) -> None:
        self.rows = rows.reshape(-1, len(schema.features))
        self.labels, self._schema = labels, schema

    def __len__(self) -> int:
        return len(self.rows)

    def drawn(self, places: NDArray[np.intp]) -> tuple[list[Row], list[Label]]:
        """Return the rows at some places as the schema has them, with their labels."""
        labels = self.labels[places].tolist()
        return Encoder(self._schema).decode(self.rows[places]), labels

    def sample(self, most: int, seed: int) -> tuple[list[Row], list[Label]]:
        """Return at most so many rows, in their order; all if there are no more."""
        if len(self) <= most:
            return self.drawn(np.arange(len(self)))
        chosen = np.random.default_rng(seed).choice(len(self), most, replace=False)
        return self.drawn(np.sort(chosen))

    def replayed(self, count: int, seed: int) -> list[tuple[Row, Label]]:
        """Draw so many rows by chance, one twice only when there are not enough."""
        if not len(self):
            return []
        chance = np.random.default_rng(seed)
        places = chance.choice(len(self), count, replace=count > len(self))
        return list(zip(*self.drawn(places), strict=True))

    def ranges(self) -> list[Range]:
        """Return the least and the largest of each number; None for what has no order."""
        return [self._range(place) for place in range(len(self._schema.features))]

    def _range(self, place: int) -> Range:
        column = self.rows[:, place]
        known = column[~np.isnan(column)]
        if self._schema.features[place].kind not in ("number", "integer") or not len(known):
            return None
        return float(known.min()), float(known.max())


class Tables:
    """The training table and the stream of a version."""

    def __init__(
        self, digests: Mapping[str, str], schema: Schema, artefact: Callable[[str], bytes]
    ) -> None:
        self._digests, self._schema, self._artefact = digests, schema, artefact

    @cached_property
    def training(self) -> Table:
        """What it was trained on; empty where nothing is kept."""
        return self._read(TRAINING)

    @cached_property
    def stream(self) -> Table:
        """What it is fed from, in order; empty where it has no stream."""
        return self._read(STREAM)

    def _read(self, kind: str) -> Table:
        if kind not in self._digests:
            return unpack(b"", self._schema)
        return unpack(self._artefact(self._digests[kind]), self._schema)


def unpack(data: bytes, schema: Schema) -> Table:
    """Read a packed table; no bytes are no rows."""
    if not data:
        return Table(np.empty(0), np.empty(0), schema)
    return Table(*unpack_table(data), schema)


def pack(rows: Sequence[Row], labels: Sequence[Label], schema: Schema) -> bytes:
    """Write rows as a packed table; a choice that the schema does not know becomes a gap."""
    return pack_table(Encoder(schema).encode(rows), np.array(labels))


# ── bytes ────────────────────────────────────────────────────────────────────────────────────


def pack_table(rows: NDArray[Any], labels: NDArray[Any]) -> bytes:
    """Write a table so that equal tables are equal bytes; a gap is null.

    It is written in blocks: a million rows are half a gigabyte of JSON.
    """
    # Unlike `gzip` this puts no time in the header, which would make every copy differ.
    packer = zlib.compressobj(COMPRESSION, wbits=GZIP)
    parts = chain([ROWS], _blocks(rows), [LABELS], _blocks(labels), [b"]}"])
    return b"".join([*map(packer.compress, parts), packer.flush()])


def _blocks(table: NDArray[Any]) -> Iterator[bytes]:
    """Write the rows of a table as JSON without the brackets round them, block by block."""
    for start in range(0, len(table), ROWS_AT_ONCE):
        block = table[start : start + ROWS_AT_ONCE]
        plain = block.tolist() if block.ndim == 1 else np.ascontiguousarray(block, np.float64)
        yield b"," * bool(start) + orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def unpack_table(data: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read what `pack_table` wrote: rows with NaN for gaps, and labels.

    It is read in blocks: as Python's own lists a million rows are a gigabyte.
    """
    try:
        text = unpack_bytes(data, GZIP)
        end = text.index(LABELS)
        rows = [np.array(orjson.loads(block), np.float64) for block in _read_blocks(text, end)]
        labels = np.array(orjson.loads(text[end + len(LABELS) - 1 : -1]))
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise BadArtefact(f"The table does not load: {shown(str(error), 200)}.") from error
    return np.concatenate(rows), labels


def _read_blocks(text: bytes, end: int) -> Iterator[bytes]:
    """Part the rows of a table into lists of some megabytes; rows hold no texts."""
    start = len(ROWS)
    while True:
        stop = text.find(b"],[", min(start + BYTES_AT_ONCE, end), end) + 1 or end
        yield b"[" + text[start:stop] + b"]"
        start = stop + 1
        if stop == end:
            return
