"""The bytes that a version is kept as: estimators as skops files, tables as gzipped JSON.

Nothing unpickles. A skops file is a ZIP of arrays and a description of types; a type that is
neither of skops' own list nor of `TRUSTED` stops the load before anything runs. The trust is
written here, never read from the file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import orjson
import skops.io
from numpy.typing import NDArray

from unrot.errors import BadArtefact, shown

ROWS_AT_ONCE = 10_000
COMPRESSION = 3
"""Digits hardly shrink further, and the default takes ten times as long."""
GZIP = 31

TRUSTED = frozenset(
    {
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.tree._tree.Tree",
    }
)
"""What our pipelines hold beyond skops' own list: holders of numbers that run nothing."""


def dump(estimator: Any) -> bytes:
    """Write a fitted estimator as a skops file; raise BadArtefact where skops cannot hold it."""
    try:
        return bytes(skops.io.dumps(estimator, compression=zipfile.ZIP_DEFLATED))
    except Exception as error:
        # skops raises whatever the parts of an estimator raise that it cannot take apart.
        raise BadArtefact(f"skops cannot hold it: {shown(str(error), 200)}.") from error


def check(data: bytes) -> None:
    """Raise BadArtefact, naming the type, if a skops file holds one that is not trusted."""
    try:
        strangers = sorted(set(skops.io.get_untrusted_types(data=data)) - TRUSTED)
    except Exception as error:
        # A spoiled file fails anywhere in the ZIP, the JSON or the arrays inside it.
        raise _spoiled(error) from error
    if strangers:
        raise BadArtefact(
            f"The skops file holds the type {shown(strangers[0])}, which is not trusted."
        )


def load(data: bytes) -> Any:
    """Read a skops file; raise BadArtefact, naming the type, for one that is not trusted."""
    check(data)
    try:
        return skops.io.loads(data, trusted=sorted(TRUSTED))
    except Exception as error:
        raise _spoiled(error) from error


def _spoiled(error: Exception) -> BadArtefact:
    return BadArtefact(f"The skops file does not load: {shown(str(error), 200)}.")


def holds(data: bytes) -> str:
    """Name the type that a skops file holds, without loading it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            held = orjson.loads(file.read("schema.json"))
            return f"{held['__module__']}.{held['__class__']}"
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError) as error:
        raise _spoiled(error) from error


def digest(data: bytes) -> str:
    """Return the SHA-256 of an artefact, in hex."""
    return hashlib.sha256(data).hexdigest()


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
