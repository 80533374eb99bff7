"""Changes of one model that stand or fall together: a version, its aliases, their moves.

The model's own document counts its versions and moves and holds its aliases, so whoever changes it
on the condition that nobody else has makes one line of versions out of any number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from unrot.core.errors import Conflict
from unrot.core.records import AliasMove, ModelKey, Serving, Version
from unrot.core.signatures import Signatures
from unrot.store.kinds import ALIAS_MOVE, MODEL, VERSION
from unrot.store.names import kept, move_generation
from unrot.store.operations import ABSENT, Change, Document, Operations, Put

NEW_BODY: Mapping[str, Any] = {
    "title": "",
    "description": "",
    "tags": [],
    "schema": {"features": [], "target": "", "classes": [], "class_names": []},
    "created_at": 0.0,
    "policy": {},
    "rules": {},
    "aliases": {},
    "moves": 0,
    "versions": 0,
    "names": [],
    "removed_at": None,
    "is_cleared": False,
}


class ModelTurn:
    """One model as it was read, and what is to become of it; Conflict when it was removed."""

    def __init__(self, database: Operations, key: ModelKey) -> None:
        self._database = database
        self._key = key
        self._document = kept(database.get(MODEL, key), key)
        self._body = dict(NEW_BODY if self._document is None else self._document["body"])
        self._others: list[Change] = []

    @property
    def aliases(self) -> dict[str, str]:
        """Return alias → version name."""
        return dict(sorted(self._body["aliases"].items()))

    def add_version(self, version: Version, signatures: Signatures) -> Version:
        """Keep a version under the next free name; return it so named and signed."""
        number = self._body["versions"] + 1
        named = signatures.sign(replace(version, name=f"v{number}"))
        self._body["versions"] = number
        self._others.append(version_put(named, ABSENT))
        return named

    def move_alias(self, move: AliasMove) -> None:
        """Move an alias and keep the move on record; Conflict when the files have gone."""
        if move.moved_to is not None:
            self._check_kept(move.moved_to)
        aliases = {name: to for name, to in self.aliases.items() if name != move.alias}
        if move.moved_to is not None:
            aliases[move.alias] = move.moved_to
        turn = self._body["moves"] + 1
        self._body |= {"aliases": aliases, "moves": turn}
        kept = {"model": self._key, "turn": turn, "body": asdict(move)}
        self._others.append(Put(ALIAS_MOVE, f"{self._key}/{turn:08d}", kept, ABSENT))

    def changes(self) -> list[Change]:
        """Return what is to be committed; the model's own document with it, changed or not."""
        known = self._document
        fields = {"name": None, "number": 0} if known is None else known.fields
        expect = ABSENT if known is None else known.revision
        own = Put(MODEL, self._key, {**fields, "body": self._body}, expect)
        return [own, *self._others, move_generation()]

    def _check_kept(self, version: str) -> None:
        found = self._database.get(VERSION, version_key(self._key, version))
        if found is not None and found["body"]["is_pruned"]:
            raise Conflict(f"The files of {version} were removed by retention: it cannot answer.")


def aliases_of(model: Document | None) -> dict[str, str]:
    """Return alias → version name."""
    return {} if model is None else dict(sorted(model["body"]["aliases"].items()))


def version_key(model: str, version: str) -> str:
    """Return the key of a version: it is in the order of the numbers.

    >>> version_key("elves", "v12")
    'elves/000012'
    """
    number = version.removeprefix("v")
    return f"{model}/{int(number):06d}" if number.isdecimal() else f"{model}/{version}"


def version_put(version: Version, expect: int) -> Put:
    """Return the change that keeps a version."""
    body = {name: value for name, value in asdict(version).items() if name != "model"}
    fields = {"model": version.model, "number": int(version.name.removeprefix("v")), "body": body}
    return Put(VERSION, version_key(version.model, version.name), fields, expect)


def version_of(document: Document) -> Version:
    """Read a version; what a newer release knows besides is left out."""
    known = Version.__dataclass_fields__
    body = {name: value for name, value in document["body"].items() if name in known}
    serving = Serving(**body["serving"])
    return Version(**{**body, "model": document["model"], "serving": serving})
