"""Which predictions were to be forgotten: nobody judges them, and nothing learns from them.

The note is made before anything is erased, in a commit that touches the model's own document. A
version is kept in one that does so too, so either it is there when lessons are gone through, or
whoever makes it sees the note.
"""

from __future__ import annotations

from unrot.core.records import ModelKey
from unrot.store.kinds import FORGOTTEN
from unrot.store.operations import Operations, scan_all


def is_forgotten(database: Operations, prediction: str) -> bool:
    """Tell whether a prediction was to be forgotten."""
    return database.get(FORGOTTEN, prediction) is not None


def forgotten_since(database: Operations, model: ModelKey, moment: float) -> set[str]:
    """Return what was to be forgotten of a model since a moment: perhaps it is not yet erased."""
    found = scan_all(database, FORGOTTEN, "noted", (model,), since=moment, only=[])
    return {one.key for one in found}
