"""Lessons as an artefact: gzipped JSON, equal bytes for equal lessons, numbers to the last bit.

A version that was rebuilt holds each lesson that it took in turn.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from unrot.core.errors import BadArtefact, shown
from unrot.core.packed import GZIP, unpack_bytes
from unrot.core.records import Example, Lesson

COMPRESSION = 6


def pack(lessons: Sequence[Lesson]) -> bytes:
    """Write lessons; without a time in the header, so that equal lessons are equal bytes."""
    packer = zlib.compressobj(COMPRESSION, wbits=GZIP)
    return packer.compress(orjson.dumps(list(lessons))) + packer.flush()


def unpack(data: bytes) -> list[Lesson]:
    """Read what `pack` wrote."""
    try:
        return [_lesson(held) for held in orjson.loads(unpack_bytes(data, GZIP))]
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise BadArtefact(f"The lessons do not load: {shown(str(error), 200)}.") from error


def _lesson(held: Mapping[str, Any]) -> Lesson:
    return Lesson(
        **{
            **held,
            "examples": tuple(Example(**example) for example in held["examples"]),
            "batches": tuple(tuple(batch) for batch in held["batches"]),
            "replayed": tuple((row, label) for row, label in held["replayed"]),
        }
    )
