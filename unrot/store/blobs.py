"""Bytes by their digest, in chunks that every database takes.

Blobs come first and whatever points at them last, so a pointer never leads to nothing; what was
written and never pointed at is swept when it is old. The chunks come before the blob itself, so a
blob that is there is whole. Each writing has chunks of its own: whoever sweeps an old one takes
nothing from somebody who writes the same bytes at that moment.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from itertools import islice

from unrot.core.artefacts import digest_of
from unrot.core.errors import BadArtefact, NotFound
from unrot.core.time import HOUR
from unrot.store.kinds import BLOB, CHUNK
from unrot.store.operations import Changed, Delete, Document, Operations, Put

CHUNK_BYTES = 900_000
CHUNKS_AT_ONCE, CHUNKS_DROPPED_AT_ONCE = 4, 100
MOST_CHUNKS = 100_000
"""90 GB: a blob that is said to have more was not written by us."""
YOUNG_SECONDS = HOUR
"""A blob that was written so recently may be about to be pointed at."""


def put_blob(database: Operations, data: bytes, now: float, digest: str = "") -> str:
    """Keep bytes and return their digest."""
    digest = digest or digest_of(data)
    known = database.get(BLOB, digest)
    if known is not None and (_is_young(known, now) or _touch(database, known, now)):
        return digest
    count, writing = -(-len(data) // CHUNK_BYTES), secrets.token_hex(4)
    puts = [
        Put(CHUNK, key, {"data": data[place * CHUNK_BYTES : (place + 1) * CHUNK_BYTES]})
        for place, key in enumerate(_chunk_keys(digest, writing, count))
    ]
    for start in range(0, count, CHUNKS_AT_ONCE):
        database.commit(puts[start : start + CHUNKS_AT_ONCE])
    fields = {"size": len(data), "chunks": count, "writing": writing, "written at": now}
    database.commit([Put(BLOB, digest, fields)])
    return digest


def get_blob(database: Operations, digest: str) -> bytes:
    """Return the bytes of a digest, checked against it."""
    blob = database.get(BLOB, digest)
    if blob is None:
        raise NotFound(f"The store has no artefact {digest[:12]}.")
    keys = _chunk_keys(digest, blob["writing"], blob["chunks"])
    parts: list[bytes] = []
    while some := list(islice(keys, CHUNKS_AT_ONCE)):
        found = database.get_many(CHUNK, some)
        parts += [found[key]["data"] for key in some if key in found]
        if len(found) < len(some):
            break  # However many there are said to be.
    data = b"".join(parts)
    if digest_of(data) != digest:
        raise BadArtefact(f"The artefact {digest[:12]} is not what was written: refused.")
    return data


def drop_blobs(
    database: Operations, is_needed: Callable[[str], bool], now: float, *, limit: int = 100
) -> int:
    """Take away old blobs that nothing points at; return how many."""
    dropped = 0
    after = None
    while found := database.scan(
        BLOB, "oldest", until=now - YOUNG_SECONDS, after=after, limit=limit
    ):
        after = (found[-1]["written at"], found[-1].key)
        for blob in found:
            if not is_needed(blob.key):
                dropped += _drop(database, blob)
    return dropped


def drop_blob(database: Operations, digest: str) -> None:
    """Take away one blob, however young; nothing may point at it any more."""
    blob = database.get(BLOB, digest)
    if blob is not None:
        _drop(database, blob)


def _is_young(blob: Document, now: float) -> bool:
    return bool(blob["written at"] > now - YOUNG_SECONDS / 2)


def _touch(database: Operations, blob: Document, now: float) -> bool:
    """Make a blob young again; False where it has just gone."""
    try:
        fields = {**blob.fields, "written at": now}
        database.commit([Put(BLOB, blob.key, fields, blob.revision)])
    except Changed:
        return False
    return True


def _drop(database: Operations, blob: Document) -> bool:
    try:
        database.commit([Delete(BLOB, blob.key, blob.revision)])
    except Changed:
        return False
    keys = _chunk_keys(blob.key, blob["writing"], min(blob["chunks"], MOST_CHUNKS))
    while some := list(islice(keys, CHUNKS_DROPPED_AT_ONCE)):
        database.commit([Delete(CHUNK, key) for key in some])
    return True


def _chunk_keys(digest: str, writing: str, count: int) -> Iterator[str]:
    return (f"{digest}/{writing}/{place:05d}" for place in range(count))
