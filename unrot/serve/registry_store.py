"""Models, their immutable versions and the aliases that point at them, as documents."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from unrot.core.artefacts import digest_of
from unrot.core.errors import Conflict, NotFound, shown
from unrot.core.policy import Policy
from unrot.core.records import AliasMove, Model, ModelKey, RemovedModel, Version
from unrot.core.schema import from_data, schema_hash
from unrot.core.signatures import Signatures
from unrot.serve.model_turn import (
    NEW_BODY,
    ModelTurn,
    aliases_of,
    version_key,
    version_of,
    version_put,
)
from unrot.store.blobs import get_blob, put_blob
from unrot.store.kinds import ALIAS_MOVE, FACT, MODEL, VERSION
from unrot.store.names import generation, is_removed, kept, move_generation, read_models
from unrot.store.operations import ABSENT, Document, Operations, Put, scan_all, until_kept

MOST_MODELS = 65_535


class RegistryStore:
    """The registry."""

    def __init__(self, database: Operations, signatures: Signatures) -> None:
        self._database = database
        self._signatures = signatures

    def generation(self) -> str:
        """Return a word that changes with every change: this store's own name, and another."""
        return generation(self._database)

    # ── models ───────────────────────────────────────────────────────────────────────────────

    def add_model(self, model: Model) -> Model:
        """Add a model under the next free number; one of that name that is there wins."""

        def work() -> Model:
            # Before the names: whoever takes one meanwhile moves the numbers.
            numbers = _Numbers(self._database)
            roll = Roll(read_models(self._database))
            found = roll.called(model.name)
            if found is not None:
                return roll.model(found)
            number = numbers.take()
            key = model.name if model.name not in roll.holders else f"{model.name}~{number}"
            known = roll.models.get(key)
            body = {**NEW_BODY, **({} if known is None else known["body"]), **_words(model)}
            body |= {"created_at": model.created_at, "names": [[model.name, numbers.turn]]}
            fields = {"name": model.name, "number": number, "body": body}
            expect = ABSENT if known is None else known.revision
            self._database.commit(
                [Put(MODEL, key, fields, expect), numbers.put(), move_generation()]
            )
            return replace(model, number=number, key=ModelKey(key))

        return until_kept(work)

    def models(self) -> list[Model]:
        """List the models, the first trained first."""
        roll = Roll(read_models(self._database))
        there = [one for one in roll.models.values() if one["name"] is not None]
        return [roll.model(one) for one in sorted(there, key=lambda one: one["number"])]

    def rename_model(self, model: ModelKey, to: str) -> Model:
        """Write another name in the one document that holds it: there is no half of that."""

        def change(found: Document) -> list[Put]:
            # Before the names: whoever takes one meanwhile moves the numbers.
            numbers = _Numbers(self._database)
            if Roll(read_models(self._database)).called(to) is not None:
                raise Conflict(f"There is a model {to} already: choose another name.")
            numbers.turn += 1
            held = [one for one in found["body"]["names"] if one[0] != to]
            body = {**found["body"], "names": [*held, [to, numbers.turn]]}
            return [_changed(found, body, name=to), numbers.put()]

        self._change(model, change)
        return self._model(model)

    def describe_model(self, model: Model) -> Model:
        """Write other words into the one document that holds them."""

        def change(found: Document) -> list[Put]:
            known = from_data(found["body"]["schema"])
            if schema_hash(known) != schema_hash(model.schema):
                raise Conflict(f"{model.name} is registered with other features or classes.")
            return [_changed(found, {**found["body"], **_words(model)})]

        self._change(model.key, change)
        return self._model(model.key)

    def remove_model(self, model: ModelKey, *, undo_until: float | None = None) -> RemovedModel:
        """Take out the model and its aliases, and leave a mark that nothing is kept for it."""
        now = time.time()

        def change(found: Document) -> list[Put]:
            aliases = found["body"]["aliases"] if undo_until is not None else {}
            noted = {"aliases": {}, "aliases_before": aliases, "undo_until": undo_until}
            body = {**found["body"], **noted, "removed_at": now}
            return [_changed(found, body, name=None)]

        was = self._change(model, change)
        return RemovedModel(
            model, was["name"], was["number"], now, is_cleared=False, undo_until=undo_until
        )

    def bring_back(self, model: ModelKey, *, now: float) -> Model:
        """Give a removed model its name and its aliases again."""

        def work() -> None:
            # Before the names: whoever takes one meanwhile moves the numbers.
            numbers = _Numbers(self._database)
            roll = Roll(read_models(self._database))
            found = roll.models.get(model)
            removed = None if found is None or not is_removed(found) else _removed(found)
            if found is None or removed is None or not removed.can_be_undone(now):
                raise Conflict("That cannot be undone any more: it is being erased.")
            if roll.called(removed.name) is not None:
                raise Conflict(f"There is another model {removed.name} by now: rename that first.")
            numbers.turn += 1
            names = [one for one in found["body"]["names"] if one[0] != removed.name]
            noted = {"aliases": found["body"]["aliases_before"], "aliases_before": {}}
            noted |= {"removed_at": None, "undo_until": None}
            noted |= {"names": [*names, [removed.name, numbers.turn]]}
            back = _changed(found, {**found["body"], **noted}, name=removed.name)
            self._database.commit([back, numbers.put(), move_generation()])

        until_kept(work)
        return self._model(model)

    def removed(self) -> list[RemovedModel]:
        """List the models that were removed on purpose."""
        gone = [one for one in read_models(self._database) if is_removed(one)]
        return [_removed(one) for one in sorted(gone, key=lambda one: one["number"])]

    def policy(self, model: ModelKey) -> Policy:
        """Return what a model may do by itself."""
        return Policy(**self._there(model)["body"]["policy"])

    def set_policy(self, model: ModelKey, policy: Policy) -> None:
        """Change what a model may do by itself."""

        def work() -> None:
            found = kept(self._database.get(MODEL, model), model)
            if found is not None:
                body = {**found["body"], "policy": asdict(policy)}
                self._database.commit([_changed(found, body), move_generation()])

        until_kept(work)

    # ── versions ─────────────────────────────────────────────────────────────────────────────

    def add_version(self, version: Version, artefacts: Mapping[str, bytes]) -> Version:
        """Keep a version and its artefacts under the next free name; return it so named."""
        keep_artefacts(self._database, artefacts)

        def work() -> Version:
            turn = ModelTurn(self._database, version.model)
            named = turn.add_version(version, self._signatures)
            self._database.commit(turn.changes())
            return named

        return until_kept(work)

    def versions(self, model: ModelKey, *, kept_only: bool = False) -> list[Version]:
        """List a model's versions, oldest first; `kept_only` those whose files are kept."""
        found = scan_all(self._database, VERSION, "of model", (model,))
        versions = [version_of(one) for one in found]
        return [one for one in versions if not (kept_only and one.is_pruned)]

    def artefact(self, digest: str) -> bytes:
        """Return an artefact whose bytes still have their digest."""
        return get_blob(self._database, digest)

    def pin_version(self, model: ModelKey, version: str, *, is_pinned: bool) -> None:
        """Want a version's files to be kept, or no longer."""
        self._change_version(model, version, lambda found: replace(found, is_pinned=is_pinned))

    def sign_version(self, model: ModelKey, version: str) -> None:
        """Sign a version as it stands, whoever wrote it."""
        self._change_version(model, version, self._signatures.sign)

    def replace_file(self, model: ModelKey, version: str, kind: str, data: bytes) -> str:
        """Keep other bytes as a file of a version; return the digest of those before.

        A version of ours is signed anew; one that is not stays as unsigned as it was.
        """
        digest, before = digest_of(data), ""
        keep_artefacts(self._database, {digest: data})

        def change(found: Version) -> Version:
            nonlocal before
            before = found.artefacts.get(kind, "")
            other = replace(found, artefacts={**found.artefacts, kind: digest})
            return self._signatures.sign_changed(other, found)

        self._change_version(model, version, change)
        return before

    def _change_version(
        self, model: ModelKey, version: str, change: Callable[[Version], Version]
    ) -> None:
        def work() -> None:
            kept(self._database.get(MODEL, model), model)
            found = self._database.get(VERSION, version_key(model, version))
            if found is not None:
                changed = version_put(change(version_of(found)), found.revision)
                self._database.commit([changed, move_generation()])

        until_kept(work)

    # ── aliases ──────────────────────────────────────────────────────────────────────────────

    def aliases(self, model: ModelKey) -> dict[str, str]:
        """Return alias → version name."""
        return aliases_of(self._database.get(MODEL, model))

    def move_alias(
        self,
        model: ModelKey,
        alias: str,
        *,
        to: str | None,
        expected: str | None,
        at: float | None = None,
        by: str = "",
        reason: str = "",
    ) -> bool:
        """Compare and set an alias, and keep the move on record."""
        move = AliasMove(alias, expected, to, time.time() if at is None else at, by, reason)

        def work() -> bool:
            turn = ModelTurn(self._database, model)
            if turn.aliases.get(alias) != expected:
                return False
            turn.move_alias(move)
            self._database.commit(turn.changes())
            return True

        return until_kept(work)

    def moves(self, model: ModelKey) -> list[AliasMove]:
        """List all moves of a model's aliases, oldest first."""
        found = scan_all(self._database, ALIAS_MOVE, "of model", (model,))
        return [AliasMove(**one["body"]) for one in found]

    def _change(self, model: ModelKey, change: Callable[[Document], list[Put]]) -> Document:
        """Change the document of a model that is there; return it as it was."""

        def work() -> Document:
            found = self._there(model)
            self._database.commit([*change(found), move_generation()])
            return found

        return until_kept(work)

    def _there(self, model: ModelKey) -> Document:
        found = self._database.get(MODEL, model)
        if found is None or found["name"] is None:
            raise NotFound(f"There is no model {shown(model)}.")
        return found

    def _model(self, model: ModelKey) -> Model:
        return Roll(read_models(self._database)).model(self._there(model))


class Roll:
    """Who is called what, and who was: a name may have had several models in turn."""

    def __init__(self, models: Sequence[Document]) -> None:
        self.models: Mapping[str, Document] = {model.key: model for model in models}
        held = [(turn, name, model) for model in models for name, turn in model["body"]["names"]]
        self.holders: Mapping[str, Document] = {
            name: model for _, name, model in sorted(held, key=lambda one: one[0])
        }
        """The last model that took a name."""

    def called(self, name: str) -> Document | None:
        """Return the model that has a name now."""
        held = self.holders.get(name)
        return held if held is not None and held["name"] == name else None

    def model(self, document: Document) -> Model:
        """Read a model."""
        body = document["body"]
        return Model(
            document["name"],
            document["number"],
            body["title"],
            body["description"],
            from_data(body["schema"]),
            body["created_at"],
            ModelKey(document.key),
            self._former_names(document),
            tuple(body["tags"]),
        )

    def _former_names(self, model: Document) -> tuple[str, ...]:
        """Return the names that a model held and that nobody has taken since."""
        held = sorted((turn, name) for name, turn in model["body"]["names"])
        return tuple(
            name
            for _, name in held
            if name != model["name"] and self.holders[name].key == model.key
        )


def keep_artefacts(database: Operations, artefacts: Mapping[str, bytes]) -> None:
    """Keep files before a version points at them."""
    now = time.time()
    for digest, data in artefacts.items():
        put_blob(database, data, now, digest=digest)


class _Numbers:
    """The numbers that were given out: of models, and of the turns in which names were taken."""

    def __init__(self, database: Operations) -> None:
        self._known = database.get(FACT, "numbers")
        told = {} if self._known is None else json.loads(self._known["value"])
        self.highest = int(told.get("highest", 0))
        self.turn = int(told.get("turn", 0))

    def take(self) -> int:
        """Return a number that no model ever had: ids of a removed one must not judge another."""
        if self.highest >= MOST_MODELS:
            raise Conflict(f"{MOST_MODELS:,} models were added already: no number is free.")
        self.highest += 1
        self.turn += 1
        return self.highest

    def put(self) -> Put:
        """Return the change that notes what was given out."""
        value = json.dumps({"highest": self.highest, "turn": self.turn})
        expect = ABSENT if self._known is None else self._known.revision
        return Put(FACT, "numbers", {"value": value}, expect)


def _changed(found: Document, body: Mapping[str, Any], **fields: Any) -> Put:
    return Put(MODEL, found.key, {**found.fields, **fields, "body": body}, found.revision)


def _words(model: Model) -> dict[str, Any]:
    return {
        "title": model.title,
        "description": model.description,
        "tags": list(model.tags),
        "schema": asdict(model.schema),
    }


def _removed(model: Document) -> RemovedModel:
    body = model["body"]
    name, _ = max(body["names"], key=lambda one: one[1])
    return RemovedModel(
        ModelKey(model.key),
        name,
        model["number"],
        body["removed_at"],
        body["is_cleared"],
        body.get("undo_until"),
    )
