"""What drawers know of models beside their own documents: which were removed, and their schemas.

All that is kept of a model is found under its key, which is its first name and never changes, so
that a rename writes one document however much was answered. Who is called what is known at the
doors; here a model is a key and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress

from unrot.core.errors import Conflict
from unrot.core.records import ModelKey, Schema
from unrot.core.schema import from_data
from unrot.store.kinds import FACT, MODEL
from unrot.store.operations import ABSENT, Changed, Document, Operations, Put, scan_all


def generation(database: Operations) -> str:
    """Return a word that changes with every change of a model, version or alias: one read."""
    return news(database).partition(" ")[0]


def move_generation() -> Put:
    """Return the change that lets every shelf, and every caretaker, look at what is other now."""
    return Put(FACT, "generation", {"value": secrets.token_hex(8)})


def news(database: Operations) -> str:
    """Return what changes with the generation, and when somebody told of traffic: one read."""
    found = database.get(FACT, "generation")
    return "" if found is None else str(found["value"])


def tell_news(database: Operations) -> None:
    """Let caretakers look, and no shelf: the generation stays. Where others do, they will."""
    found = database.get(FACT, "generation")
    word = "" if found is None else found["value"].partition(" ")[0]
    expect = ABSENT if found is None else found.revision
    with suppress(Changed):
        told = {"value": f"{word} {secrets.token_hex(4)}"}
        database.commit([Put(FACT, "generation", told, expect)])


def read_models(database: Operations) -> list[Document]:
    """Return the models, the removed ones too, in the order of their keys."""
    return list(scan_all(database, MODEL, "all"))


def is_removed(model: Document | None) -> bool:
    """Tell whether a model was removed on purpose: nothing is kept for it, whoever brings it."""
    return model is not None and model["body"]["removed_at"] is not None


def kept(model: Document | None, key: ModelKey) -> Document | None:
    """Return a model as it was read; Conflict when it was removed."""
    if is_removed(model):
        raise Conflict(f"{key} was removed: nothing is kept for it any more.")
    return model


class Models:
    """Models by their keys."""

    def __init__(self, database: Operations) -> None:
        self._database = database
        self._schemas: dict[ModelKey, Schema] = {}

    def is_removed(self, key: ModelKey) -> bool:
        """Tell whether nothing is kept for a model any more: one read."""
        return bool(self.removed([key]))

    def removed(self, keys: Iterable[ModelKey]) -> set[ModelKey]:
        """Return those of some models for which nothing is kept any more: a read each."""
        found = self.documents(keys)
        return {key for key, model in found.items() if is_removed(model)}

    def documents(self, keys: Iterable[ModelKey]) -> dict[ModelKey, Document]:
        """Return what is kept of some models themselves: a read each."""
        found = self._database.get_many(MODEL, list(dict.fromkeys(keys)))
        return {ModelKey(key): model for key, model in found.items()}

    def schema_of(self, key: ModelKey) -> Schema:
        """Return the schema of a model, an empty one where nobody registered it.

        It is read once: but for words about it, a schema never changes.
        """
        if key not in self._schemas:
            model = self._database.get(MODEL, key)
            if model is None or not model["body"]["names"]:
                return Schema((), "")
            self._schemas[key] = from_data(model["body"]["schema"])
        return self._schemas[key]
