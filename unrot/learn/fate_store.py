"""What versions decided of verdicts: written once for a version and never changed, so in blobs.

What a line of versions has decided is folded from them.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from unrot.core.newest import Newest
from unrot.core.packed import unpack_bytes
from unrot.core.records import Fate, ModelKey
from unrot.store.blobs import get_blob, put_blob
from unrot.store.kinds import FATES
from unrot.store.operations import Operations

MOST_KEPT = 2_000_000
"""So many fates stay unpacked in memory: a model that learns by itself asks every few seconds."""


FOR_GOOD = 1e18
"""Until then a verdict is decided that was learnt."""


class Decided(NamedTuple):
    """What a version decided of a verdict."""

    prediction: str
    kind: str
    given_at: float
    reason: str
    version: str

    @property
    def until(self) -> float:
        """Verdicts up to this time are decided by it."""
        return FOR_GOOD if self.kind == "learnt" else self.given_at


class FateStore:
    """The fates."""

    def __init__(self, database: Operations) -> None:
        self._database = database
        self._unpacked: Newest[str, list[list[Any]]] = Newest(MOST_KEPT, len)
        self._folded: Newest[tuple[str, ...], dict[str, float]] = Newest(MOST_KEPT, len)

    def keep(self, fates: Sequence[Fate]) -> str:
        """Keep fates as a blob and return its digest; nothing where there are none."""
        if not fates:
            return ""
        return self.keep_rows(
            [[one.prediction, one.kind, one.given_at, one.reason] for one in fates]
        )

    def keep_rows(self, rows: Sequence[Sequence[Any]]) -> str:
        """Keep fates as they are written."""
        return put_blob(self._database, zlib.compress(orjson.dumps(rows), 3), time.time())

    def rows_in(self, digest: str) -> list[list[Any]]:
        """Return the fates of a blob as they are written."""
        if (known := self._unpacked.get(digest)) is not None:
            return known
        packed = get_blob(self._database, digest)
        return self._unpacked.keep(digest, orjson.loads(unpack_bytes(packed)))

    def of_version(self, model: ModelKey, version: str) -> Iterable[Decided]:
        """Return what one version decided; of a verdict that it saw twice, the later one."""
        rows = (row for digest in self.digests(model, [version]) for row in self.rows_in(digest))
        return {id: Decided(id, kind, at, why, version) for id, kind, at, why in rows}.values()

    def decided(self, model: ModelKey, line: Sequence[str]) -> dict[str, Decided]:
        """Return what a line decided of each verdict: learnt before all, else the latest."""
        found: dict[str, Decided] = {}
        for version in line:
            for one in self.of_version(model, version):
                known = found.get(one.prediction)
                if known is None or _weight(one) > _weight(known):
                    found[one.prediction] = one
        return found

    def digests(self, model: ModelKey, versions: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the blobs that say what some versions decided."""
        keys = [f"{model}/{version}" for version in versions]
        known = self._database.get_many(FATES, keys)
        return tuple(blob for key in keys if key in known for blob in known[key]["blobs"])

    def learnt(self, digests: tuple[str, ...]) -> set[str]:
        """Return the predictions whose verdicts were learnt, by what blobs say."""
        rows = (row for digest in digests for row in self.rows_in(digest))
        return {id for id, kind, _, _ in rows if kind == "learnt"}

    def decided_until(self, digests: tuple[str, ...]) -> dict[str, float]:
        """Return up to when verdicts on each prediction are decided; what was asked last stays."""
        if (known := self._folded.get(digests)) is not None:
            return known
        found: dict[str, float] = {}
        for id, kind, at, _ in (row for digest in digests for row in self.rows_in(digest)):
            found[id] = max(found.get(id, -1.0), FOR_GOOD if kind == "learnt" else at)
        return self._folded.keep(digests, found)


def _weight(one: Decided) -> tuple[bool, float]:
    return one.kind == "learnt", one.given_at
