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

from unrot.errors import BadArtefact, shown

ROWS_AT_ONCE = 10_000
COMPRESSION = 3
"""Digits hardly shrink further, and the default takes ten times as long."""
GZIP = 31


def pack_table(rows: NDArray[Any], labels: NDArray[Any]) -> bytes:
    """Write a table so that equal tables are equal bytes; a gap is null.

    It is written in blocks: a million rows are half a gigabyte of JSON.
    """
    # Unlike `gzip` this puts no time in the header, which would make every copy differ.
    packer = zlib.compressobj(COMPRESSION, wbits=GZIP)
    parts = chain([b'{"rows":['], _blocks(rows), [b'],"labels":['], _blocks(labels), [b"]}"])
    return b"".join([*map(packer.compress, parts), packer.flush()])


def _blocks(table: NDArray[Any]) -> Iterator[bytes]:
    """Write the rows of a table as JSON without the brackets round them, block by block."""
    for start in range(0, len(table), ROWS_AT_ONCE):
        block = table[start : start + ROWS_AT_ONCE]
        plain = block.tolist() if block.ndim == 1 else np.ascontiguousarray(block, np.float64)
        yield b"," * bool(start) + orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def unpack_table(data: bytes) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read what `pack_table` wrote: rows with NaN for gaps, and labels."""
    try:
        table = orjson.loads(gzip.decompress(data))
        rows, labels = np.array(table["rows"], dtype=np.float64), np.array(table["labels"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise BadArtefact(f"The table does not load: {shown(str(error), 200)}.") from error
    return rows, labels
