"""The packed tables of one version, each read when it is first asked for.

They stay numbers: what is drawn is made rows of, never the whole of a large table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.artefacts import STREAM, TRAINING
from unrot.core.encoding import Encoder
from unrot.core.ports import Label
from unrot.core.records import Row, Schema
from unrot.make import packed

Range = tuple[float, float] | None


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
    return Table(*packed.unpack_table(data), schema)


def pack(rows: Sequence[Row], labels: Sequence[Label], schema: Schema) -> bytes:
    """Write rows as a packed table; a choice that the schema does not know becomes a gap."""
    return packed.pack_table(Encoder(schema).encode(rows), np.array(labels))
