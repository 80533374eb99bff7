"""Bytes that zlib packed, unpacked as far as they may grow.

A few kilobytes that somebody else wrote into the store could ask for all the memory of the machine
that reads them.
"""

from __future__ import annotations

import zlib

GZIP = 31
"""What `wbits` is for gzip's form, without a time in its head."""
MOST_TIMES, HARMLESS_BYTES = 200, 2**28
"""Bytes may unpack to so many times their size, and to so much in any case."""


def unpack_bytes(data: bytes, wbits: int = zlib.MAX_WBITS) -> bytes:
    """Unpack; ValueError for what is cut off, or grows so much that it could only do harm."""
    return unpack_first(data, wbits)[0]


def unpack_first(data: bytes, wbits: int = zlib.MAX_WBITS) -> tuple[bytes, bytes]:
    """Unpack the first of what stands one behind the other; return it and what is left."""
    most = max(MOST_TIMES * len(data), HARMLESS_BYTES)
    unpacker = zlib.decompressobj(wbits)
    text = unpacker.decompress(data, most)
    if not unpacker.eof:
        is_cut = len(text) < most
        raise ValueError("it ends too early" if is_cut else f"it is more than {most:,} bytes")
    return text, unpacker.unused_data
