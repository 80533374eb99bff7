"""Under which key the documents of a model are kept, and what it is called now.

A key is the first name of its model and never changes, so that a rename writes one document however
much was answered. Whoever held a name is on record in the models themselves, because the journal
may bring lines under a name that is no longer right.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from unrot.core.ids import model_number
from unrot.store.kinds import FACT, MODEL
from unrot.store.operations import Document, Operations, Put

PAGE = 500


def generation(database: Operations) -> str:
    """Return a word that changes with every change of a model, version or alias: one read."""
    found = database.get_many(FACT, ["store", "generation"])
    return "-".join(str(one["value"]) for one in found.values())


def move_generation() -> Put:
    """Return the change that lets every shelf know that something is other than it was."""
    return Put(FACT, "generation", {"value": secrets.token_hex(8)})


def read_models(database: Operations) -> list[Document]:
    """Return the models, the removed ones too, in the order of their keys."""
    found: list[Document] = []
    while page := database.scan(
        MODEL, "all", after=(found[-1].key,) if found else None, limit=PAGE
    ):
        found += page
        if len(page) < PAGE:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """Who held which name, as it stood in one generation."""

    generation: str
    models: Sequence[Document]
    holders: dict[str, list[tuple[int, Document]]]
    """Of each name: when it was taken, counted in turns, and by whom; the latest first."""
    names: dict[str, str] = field(default_factory=dict)
    """What each key is called now."""


class Names:
    """Keys of names and names of keys; read anew when the generation has moved."""

    def __init__(self, database: Operations) -> None:
        self._database = database
        self._held: _Known | None = None

    def models(self) -> Sequence[Document]:
        """Return the models, the removed ones too."""
        return self._known().models

    def key_of(self, name: str) -> str:
        """Return the key to read a model by; of a removed one, one that nothing is kept under."""
        return self.key_for(name) or ""

    def key_for(self, name: str, id: str | None = None) -> str | None:
        """Return the key to keep something under; None when its model was removed.

        The number inside a prediction's id decides between models that had the name in turn. A
        name that nobody ever registered stands for itself.
        """
        held = self._known().holders.get(name)
        if not held:
            return name
        number = model_number(id) if id else None
        models = [model for _, model in held]
        chosen = next((model for model in models if model["number"] == number), models[0])
        return None if chosen["name"] is None else chosen.key

    def name_of(self, key: str) -> str:
        """Return what the model of a key is called now."""
        return self._known().names.get(key, key)

    def former_names(self, key: str) -> tuple[str, ...]:
        """Return the names that a model held and that nobody has taken since."""
        known = self._known()
        kept = [
            (turn, name)
            for name, held in known.holders.items()
            for turn, model in held[:1]
            if model.key == key and name != model["name"]
        ]
        return tuple(name for _, name in sorted(kept))

    def _known(self) -> _Known:
        now = generation(self._database)
        if self._held is None or self._held.generation != now:
            self._held = _read(now, read_models(self._database))
        return self._held


def _read(generation: str, models: Sequence[Document]) -> _Known:
    holders: dict[str, list[tuple[int, Document]]] = {}
    for model in models:
        for name, turn in model["body"]["names"]:
            holders.setdefault(name, []).append((turn, model))
    for held in holders.values():
        held.sort(key=lambda one: -one[0])
    called = {model.key: model["name"] for model in models if model["name"] is not None}
    return _Known(generation, models, holders, called)
