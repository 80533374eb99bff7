"""What a version's answers are explained by: a file beside it, written when it is made.

Rows of its training stand in it for what is usual. Of weights and of trees it holds all that exact
values need; of anything else nothing more, and these are sampled.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from unrot.core.errors import BadArtefact, shown
from unrot.core.records import Row
from unrot.explain.columns import Columns
from unrot.explain.linear import Weighed
from unrot.explain.trees import Trees

Floats = NDArray[np.float64]
FORM = 2
UNIT_SECONDS = 2e-8
"""So long takes one unit of the work of trees."""
Link = Literal["same", "exp", "sigmoid", "softmax", "each", "largest"]
"""How scores become an answer: they are it, or its logarithm; log-odds of one class, or of each,
or of each against all others; or the largest score has its class, and no chance."""


@dataclass(frozen=True)
class Sums:
    """Scores that add up feature by feature, exactly."""

    columns: Columns
    of: Weighed | Trees
    link: Link
    places: Sequence[int]
    """The class in the schema of each class of the estimator; none of a regression."""

    def rows_within(self, seconds: float, most: int) -> int:
        """Return about how many rows can be explained in a time; at most so many."""
        work = self.of.work if isinstance(self.of, Trees) else 0
        return min(most, int(seconds / UNIT_SECONDS / work)) if work else most

    @cached_property
    def averages(self) -> Floats:
        """The mean of each score over the training."""
        return self.of.averages

    def contributions(self, row: Row) -> Floats:
        """Return what each feature adds, a row for each score."""
        columns, features = self.columns.of(row), len(row)
        if isinstance(self.of, Trees):
            return self.of.contributions(columns, features=features)
        return self.of.contributions(columns, owners=self.columns.owners, features=features)

    def answered(self, contributions: Floats) -> Floats:
        """Return the answer that the scores make: chances of classes, or a value."""
        with np.errstate(all="ignore"):
            return _linked(self.averages + contributions.sum(axis=1), self.link)


@dataclass(frozen=True)
class Kept:
    """All that a version's answers are explained by."""

    rows: Sequence[Row]
    sums: Sums | None = None


def pack(kept: Kept) -> bytes:
    """Write it; `unpack` reads it back."""
    head: dict[str, Any] = {"form": FORM, "rows": [list(row) for row in kept.rows]}
    arrays: Mapping[str, NDArray[Any]] = {}
    if kept.sums is not None:
        sums, arrays = kept.sums, kept.sums.of.arrays()
        head |= {"columns": sums.columns.to_json(), "link": sums.link, "places": list(sums.places)}
        head["kind"] = "trees" if isinstance(sums.of, Trees) else "weights"
    file = io.BytesIO()
    told = np.frombuffer(orjson.dumps(head), dtype=np.uint8)
    np.savez_compressed(file, head=told, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(data: bytes) -> Kept:
    """Read what `pack` wrote; BadArtefact for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = orjson.loads(arrays.pop("head").tobytes())
        if head["form"] != FORM:
            raise ValueError(f"form {head['form']} is not known to this release")
        kind = {"trees": Trees, "weights": Weighed}.get(head.get("kind"))
        if kind is None:
            return Kept(head["rows"])
        columns = Columns.from_json(head["columns"])
        return Kept(head["rows"], Sums(columns, kind(**arrays), head["link"], head["places"]))
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise BadArtefact(f"The explanations do not load: {shown(str(error), 200)}.") from error


def _linked(scores: Floats, link: Link) -> Floats:
    if link == "exp":
        return np.array(np.exp(scores))
    if link == "sigmoid":
        chance = 1 / (1 + np.exp(-scores))
        return np.concatenate([1 - chance, chance])
    if link == "softmax":
        shares = np.exp(scores - scores.max())
        return np.array(shares / shares.sum())
    if link == "each":
        chances = 1 / (1 + np.exp(-scores))
        return np.array(chances / chances.sum())
    if link == "largest":
        both = scores if len(scores) > 1 else np.concatenate([-scores, scores])
        return np.array(both == both.max(), dtype=np.float64)
    return scores
