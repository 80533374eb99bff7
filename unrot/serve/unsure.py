"""Which of the answers that are shipped were "not sure", by what was asked when they were given.

An answer is sure where its likeliest class is no stranger than it may be, and the second one is.
So nothing of it is written on the way of a prediction: its probabilities tell it again, by the
scores of its version and the history of what was asked (`serve/sure.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unrot.core.conformal import ROUNDING, Conformal
from unrot.serve.rows import Rows
from unrot.serve.shelf import Contents, Shelf
from unrot.serve.sure import History, asked_at, conformal_of, read_history


@dataclass(frozen=True, slots=True)
class Unsure:
    """The ids of some predictions."""

    asked: frozenset[str] = frozenset()
    """Of those where "not sure" could be the answer."""
    unsure: frozenset[str] = frozenset()
    """Of those where it was."""


def find_unsure(shelf: Shelf, contents: Contents, rows: Rows) -> Unsure:
    """Return which of some predictions could be "not sure", and which were, as far as is known."""
    asked: set[str] = set()
    unsure: set[str] = set()
    for (model, name), part in rows.by_version():
        history = read_history(shelf.folder, model)
        if not any(one.not_sure for one in history):
            continue
        shelved = contents.by_key(model)
        version = shelved.versions.get(name)
        known = None if version is None else conformal_of(shelf, shelved, version)
        if known is None or not shelved.model.schema.is_classifier:
            continue
        for id, shares, bound in _bounds(part, name, known, history):
            asked.add(id)
            second, first = np.partition(shares, -2)[-2:].tolist()
            if not 1.0 - first <= bound + ROUNDING < 1.0 - second:
                unsure.add(id)
    return Unsure(frozenset(asked), frozenset(unsure))


def _bounds(
    rows: Rows, version: str, known: Conformal, history: History
) -> Iterator[tuple[str, Sequence[float], float]]:
    """Yield of each that was asked the shares of its classes, and how strange it might be."""
    bounds: dict[float, float | None] = {}
    for id, at, shares in zip(rows.ids, rows.times, rows.probabilities, strict=True):
        if at < history[0].since:  # It was shipped so late that nobody knows what held.
            continue
        asked = asked_at(history, at)
        if asked.since not in bounds:
            is_asked = asked.not_sure and known.can_say(asked.coverage)
            bounds[asked.since] = known.bound(asked.miss(version)) if is_asked else None
        bound = bounds[asked.since]
        if bound is not None and shares is not None and id is not None and len(shares) > 1:
            yield id, shares, bound
