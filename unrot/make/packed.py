"""Tables as gzipped JSON: what a version was trained on, and what it is measured by.

They are read without scikit-learn, so that a web worker can let two versions answer the same rows.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.errors import BadArtefact, shown

ROWS, LABELS = b'{"rows":[', b'],"labels":['
"""What stands before the rows of a packed table, and before its labels."""
ROWS_AT_ONCE = 10_000
BYTES_AT_ONCE = 2_000_000
COMPRESSION = 3
"""Digits hardly shrink further, and the default takes ten times as long."""
GZIP = 31


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
        text = gzip.decompress(data)
        end = text.index(LABELS)
        rows = [np.array(orjson.loads(block), np.float64) for block in _read_blocks(text, end)]
        labels = np.array(orjson.loads(text[end + len(LABELS) - 1 : -1]))
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
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
