"""Under which key the documents of a model are kept, and what it is called now.

A key is the first name of its model and never changes, so that a rename writes one document however
much was answered. Whoever held a name is on record in the models themselves, because the journal
may bring lines under a name that is no longer right.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unrot.core.ids import model_number
from unrot.core.records import Schema
from unrot.core.schema import from_data
from unrot.store.kinds import FACT, MODEL
from unrot.store.operations import Document, Operations, Put, scan_all


def generation(database: Operations) -> str:
    """Return a word that changes with every change of a model, version or alias: one read."""
    found = database.get_many(FACT, ["store", "generation"])
    return "-".join(str(one["value"]) for one in found.values())


def move_generation() -> Put:
    """Return the change that lets every shelf know that something is other than it was."""
    return Put(FACT, "generation", {"value": secrets.token_hex(8)})


def read_models(database: Operations) -> list[Document]:
    """Return the models, the removed ones too, in the order of their keys."""
    return list(scan_all(database, MODEL, "all"))


@dataclass(frozen=True)
class Known:
    """Who held which name, as it stood in one generation."""

    generation: str
    models: Mapping[str, Document]
    """By their keys; the removed ones too."""
    holders: Mapping[str, Sequence[Document]]
    """The models that held a name, the latest first."""
    schemas: dict[str, Schema] = field(default_factory=dict)

    def key_of(self, name: str) -> str:
        """Return the key to read a model by; of a removed one, one that nothing is kept under."""
        return self.key_for(name) or ""

    def key_for(self, name: str, id: str | None = None) -> str | None:
        """Return the key to keep something under; None when its model was removed.

        The number inside a prediction's id decides between models that had the name in turn. A
        name that nobody ever registered stands for itself.
        """
        return self.key_by(name, model_number(id) if id else None)

    def key_by(self, name: str, number: int | None) -> str | None:
        """Return the same by the number that the id of a prediction tells."""
        held = self.holders.get(name)
        if not held:
            return name
        chosen = next((model for model in held if model["number"] == number), held[0])
        return None if chosen["name"] is None else chosen.key

    def name_of(self, key: str) -> str:
        """Return what the model of a key is called now."""
        model = self.models.get(key)
        return key if model is None or model["name"] is None else str(model["name"])

    def former_names(self, key: str) -> tuple[str, ...]:
        """Return the names that a model held and that nobody has taken since."""
        model = self.models[key]
        held = sorted((turn, name) for name, turn in model["body"]["names"])
        return tuple(
            name for _, name in held if name != model["name"] and self.holders[name][0].key == key
        )

    def schema_of(self, key: str) -> Schema:
        """Return the schema of a model, an empty one where nobody registered it."""
        if key not in self.schemas:
            model = self.models.get(key)
            self.schemas[key] = from_data(model["body"]["schema"]) if model else Schema((), "")
        return self.schemas[key]


class Names:
    """Keys of names and names of keys; read anew when the generation has moved."""

    def __init__(self, database: Operations) -> None:
        self._database = database
        self._held: Known | None = None

    def now(self) -> Known:
        """Return who is called what: a shelf is filled by it, so it is never of before."""
        moved = generation(self._database)
        if self._held is None or self._held.generation != moved:
            self._held = _known(moved, read_models(self._database))
        return self._held

    def key_of(self, name: str) -> str:
        """Return the key to read a model by; of a removed one, one that nothing is kept under."""
        return self.now().key_of(name)

    def key_for(self, name: str, id: str | None = None) -> str | None:
        """Return the key to keep something under; None when its model was removed."""
        return self.now().key_for(name, id)

    def name_of(self, key: str) -> str:
        """Return what the model of a key is called now."""
        return self.now().name_of(key)

    def former_names(self, key: str) -> tuple[str, ...]:
        """Return the names that a model held and that nobody has taken since."""
        return self.now().former_names(key)

    def models(self) -> Sequence[Document]:
        """Return the models, the removed ones too."""
        return list(self.now().models.values())


def _known(generation: str, models: Sequence[Document]) -> Known:
    holders: dict[str, list[tuple[int, Document]]] = {}
    for model in models:
        for name, turn in model["body"]["names"]:
            holders.setdefault(name, []).append((turn, model))
    latest_first = {
        name: [model for _, model in sorted(held, key=lambda one: -one[0])]
        for name, held in holders.items()
    }
    return Known(generation, {model.key: model for model in models}, latest_first)
