"""Bytes by their digest, in chunks that every database takes.

Blobs come first and whatever points at them last, so a pointer never leads to nothing; what was
written and never pointed at is swept when it is old. The chunks come before the blob itself, so a
blob that is there is whole. Writing one twice is writing it once.
"""

from __future__ import annotations

from collections.abc import Callable

from unrot.core.artefacts import digest_of
from unrot.core.errors import BadArtefact, NotFound
from unrot.core.time import HOUR
from unrot.store.kinds import BLOB, CHUNK
from unrot.store.operations import Changed, Delete, Operations, Put

CHUNK_BYTES = 900_000
CHUNKS_AT_ONCE = 4
YOUNG_SECONDS = HOUR
"""A blob that was written so recently may be about to be pointed at."""


def put_blob(database: Operations, data: bytes, now: float) -> str:
    """Keep bytes and return their digest."""
    digest = digest_of(data)
    known = database.get(BLOB, digest)
    if known is not None and known["written at"] > now - YOUNG_SECONDS / 2:
        return digest
    count = -(-len(data) // CHUNK_BYTES)
    puts = [
        Put(CHUNK, key, {"data": data[place * CHUNK_BYTES : (place + 1) * CHUNK_BYTES]})
        for place, key in enumerate(_chunk_keys(digest, count))
    ]
    for start in range(0, count, CHUNKS_AT_ONCE):
        database.commit(puts[start : start + CHUNKS_AT_ONCE])
    database.commit([Put(BLOB, digest, {"size": len(data), "chunks": count, "written at": now})])
    return digest


def get_blob(database: Operations, digest: str) -> bytes:
    """Return the bytes of a digest, checked against it."""
    blob = database.get(BLOB, digest)
    if blob is None:
        raise NotFound(f"The store has no artefact {digest[:12]}.")
    keys = _chunk_keys(digest, blob["chunks"])
    parts: list[bytes] = []
    for start in range(0, len(keys), CHUNKS_AT_ONCE):
        some = keys[start : start + CHUNKS_AT_ONCE]
        found = database.get_many(CHUNK, some)
        parts += [found[key]["data"] for key in some if key in found]
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
                dropped += _drop(database, blob.key, blob["chunks"], blob.revision)
    return dropped


def _drop(database: Operations, digest: str, chunks: int, revision: int) -> bool:
    try:
        database.commit([Delete(BLOB, digest, revision)])
    except Changed:
        return False
    keys = _chunk_keys(digest, chunks)
    for start in range(0, len(keys), 100):
        database.commit([Delete(CHUNK, key) for key in keys[start : start + 100]])
    return True


def _chunk_keys(digest: str, count: int) -> list[str]:
    return [f"{digest}/{place:05d}" for place in range(count)]
