"""Rows of a version's training with their truth, on the shelf beside what explains its answers.

By them the rule that holds an answer is found, and the rows that are most like one. They are a
sample of the rows that the first version of its line was fitted on, each with the truth of that
very row. Rows that people judged later are never among them: these may have to be forgotten.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.artefacts import EXAMPLES
from unrot.core.errors import BadArtefact, NotFound, shown
from unrot.core.newest import Newest
from unrot.core.ports import Label
from unrot.core.records import Row, Version
from unrot.serve.shelf import Shelf, ShelvedModel

FORM = 1
MOST_ROWS, FEWEST_ROWS = 2_000, 100
MOST_CELLS = 100_000
"""A table with more columns keeps fewer rows: these are 3 MB of a worker."""
MOST_BYTES = 1 << 26
KEPT_AT_ONCE = 2

Cells = NDArray[np.object_]


@dataclass(frozen=True)
class Examples:
    """Rows as a table of values, and what is true of each."""

    table: Cells
    truth: Sequence[Label]


_KEPT: Newest[tuple[str, str], Examples] = Newest(KEPT_AT_ONCE)


def examples_of(shelf: Shelf, shelved: ShelvedModel, version: Version) -> Examples:
    """Return the examples of a version; NotFound for one from before they were kept."""
    key = version.schema_hash, version.artefacts.get(EXAMPLES, "")
    known = _KEPT.get(key)
    if known is not None:
        return known
    file = shelf.file(shelved.model, version, EXAMPLES)
    if file is None:
        raise NotFound(
            f"{version.name} was made before rows of the training were kept beside a version, so "
            "this cannot be told of its answers: make it again, or teach it."
        )
    return _KEPT.keep(key, unpack(file))


def pack(rows: Sequence[Row], truth: Sequence[Label]) -> bytes:
    """Write a sample of rows, evenly over all of them, with their truth."""
    most = min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // max(len(rows[0]), 1)))
    places = np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int)).tolist()
    chosen, told = [list(rows[at]) for at in places], [truth[at] for at in places]
    return zlib.compress(orjson.dumps({"form": FORM, "rows": chosen, "truth": told}))


def unpack(data: bytes) -> Examples:
    """Read what `pack` wrote; BadArtefact for anything else."""
    try:
        told = orjson.loads(zlib.decompressobj().decompress(data, MOST_BYTES))
        if told["form"] != FORM:
            raise ValueError(f"form {told['form']} is not known to this release")
        if len(told["truth"]) != len(told["rows"]):
            raise ValueError("they have not one truth a row")
        return Examples(as_table(told["rows"]), told["truth"])
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise BadArtefact(f"The examples do not load: {shown(str(error), 200)}.") from error


def as_table(rows: Sequence[Row]) -> Cells:
    """Return rows as one table of values, so that columns can be taken of it."""
    table = np.empty((len(rows), len(rows[0])), dtype=object)
    for at, row in enumerate(rows):
        table[at] = row
    return table
