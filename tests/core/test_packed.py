"""What others wrote into a store takes no more memory than what we write."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable

import pytest

from tests.memory_store import MemoryStore
from unrot.core import packed
from unrot.core.errors import BadArtefact
from unrot.core.packed import unpack_bytes, unpack_first
from unrot.core.records import ModelKey
from unrot.learn.fate_store import FateStore
from unrot.make import lessons_file, tables
from unrot.serve import batches
from unrot.store.blobs import put_blob
from unrot.watch.monitors.slices import counts
from unrot.watch.profiles import baseline

ZEROS = bytes(1_000_000)


def read_fates(data: bytes) -> object:
    database = MemoryStore()
    return FateStore(database).rows_in(put_blob(database, data, 0.0))


READERS: list[Callable[[], object]] = [
    lambda: tables.unpack_table(gzip.compress(ZEROS)),
    lambda: lessons_file.unpack(gzip.compress(ZEROS)),
    lambda: baseline.unpack(gzip.compress(ZEROS)),
    lambda: counts._read(base64.b64encode(zlib.compress(ZEROS)).decode(), (125_000,)),
    lambda: read_fates(zlib.compress(ZEROS)),
    lambda: batches.unpack(
        batches._HEAD.pack(batches.FORMAT, 0) + zlib.compress(ZEROS), ModelKey("elves"), "v1"
    ),
    lambda: batches.unpack(
        batches._HEAD.pack(batches.FORMAT, 0) + zlib.compress(b"[1,1,[]]") + zlib.compress(ZEROS),
        ModelKey("elves"),
        "v1",
    ),
]


@pytest.mark.parametrize("read", READERS)
def test_reader_refuses_what_grows_without_bound(
    read: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "HARMLESS_BYTES", 10_000)

    with pytest.raises((BadArtefact, ValueError), match=r"it is more than [0-9,]+ bytes"):
        read()


def test_what_we_pack_is_read_back() -> None:
    data = zlib.compress(b"elf") + zlib.compress(ZEROS)

    first, rest = unpack_first(data)

    assert (first, unpack_bytes(rest)) == (b"elf", ZEROS)
    with pytest.raises(ValueError, match="it ends too early"):
        unpack_bytes(zlib.compress(ZEROS)[:-3])
