"""Models, their immutable versions and the aliases that point at them, as documents."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from unrot.core import schema
from unrot.core.errors import Conflict, NotFound, shown
from unrot.core.policy import Policy
from unrot.core.records import AliasMove, Model, RemovedModel, Version
from unrot.serve.model_turn import NEW_BODY, ModelTurn, version_key, version_of, version_put
from unrot.store.blobs import get_blob, put_blob
from unrot.store.kinds import ALIAS_MOVE, FACT, MODEL, VERSION
from unrot.store.names import Known, Names, generation, move_generation
from unrot.store.operations import ABSENT, Document, Operations, Put, scan_all, until_kept

MOST_MODELS = 65_535


class RegistryStore:
    """The registry."""

    def __init__(self, database: Operations, names: Names) -> None:
        self._database = database
        self._names = names

    def generation(self) -> str:
        """Return a word that changes with every change: this store's own name, and another."""
        return generation(self._database)

    # ── models ───────────────────────────────────────────────────────────────────────────────

    def add_model(self, model: Model) -> Model:
        """Add a model under the next free number; one of that name that is there wins."""

        def work() -> Model:
            # Before the names: whoever takes one meanwhile moves the numbers.
            numbers = _Numbers(self._database)
            models = self._names.now()
            found = _called(models, model.name)
            if found is not None:
                return _model(found, models)
            number = numbers.take()
            key = model.name if model.name not in models.holders else f"{model.name}~{number}"
            known = models.models.get(key)
            body = {**NEW_BODY, **({} if known is None else known["body"]), **_words(model)}
            body |= {"created_at": model.created_at, "names": [[model.name, numbers.turn]]}
            fields = {"name": model.name, "number": number, "body": body}
            expect = ABSENT if known is None else known.revision
            self._database.commit(
                [Put(MODEL, key, fields, expect), numbers.put(), move_generation()]
            )
            return replace(model, number=number, kept_as=key)

        return until_kept(work)

    def models(self) -> list[Model]:
        """List the models, the first trained first."""
        models = self._names.now()
        there = [one for one in models.models.values() if one["name"] is not None]
        return [_model(one, models) for one in sorted(there, key=lambda one: one["number"])]

    def rename_model(self, name: str, to: str) -> Model:
        """Write another name in the one document that holds it: there is no half of that."""

        def change(found: Document, _: Known) -> list[Put]:
            # Before the names: whoever takes one meanwhile moves the numbers.
            numbers = _Numbers(self._database)
            if _called(self._names.now(), to) is not None:
                raise Conflict(f"There is a model {to} already: choose another name.")
            numbers.turn += 1
            held = [one for one in found["body"]["names"] if one[0] != to]
            body = {**found["body"], "names": [*held, [to, numbers.turn]]}
            return [_changed(found, body, name=to), numbers.put()]

        self._change(name, change)
        return self._named(to)

    def describe_model(self, model: Model) -> Model:
        """Write other words into the one document that holds them."""

        def change(found: Document, models: Known) -> list[Put]:
            known = _model(found, models)
            if schema.schema_hash(known.schema) != schema.schema_hash(model.schema):
                raise Conflict(f"{model.name} is registered with other features or classes.")
            return [_changed(found, {**found["body"], **_words(model)})]

        self._change(model.name, change)
        return self._named(model.name)

    def remove_model(self, name: str) -> RemovedModel:
        """Take out the model and its aliases, and leave a mark that nothing is kept for it."""
        now = time.time()

        def change(found: Document, _: Known) -> list[Put]:
            body = {**found["body"], "aliases": {}, "removed_at": now}
            return [_changed(found, body, name=None)]

        number = self._change(name, change)["number"]
        return RemovedModel(name, number, now, is_cleared=False)

    def removed(self) -> list[RemovedModel]:
        """List the models that were removed on purpose."""
        models = self._names.now().models.values()
        gone = [one for one in models if one["body"]["removed_at"] is not None]
        return [
            RemovedModel(
                _last_name(one), one["number"], one["body"]["removed_at"], one["body"]["is_cleared"]
            )
            for one in sorted(gone, key=lambda one: one["number"])
        ]

    def policy(self, model: str) -> Policy:
        """Return what a model may do by itself."""
        found = _called(self._names.now(), model, former=True)
        if found is None:
            raise NotFound(f"There is no model {shown(model)}.")
        now = self._database.get(MODEL, found.key) or found
        return Policy(**now["body"]["policy"])

    def set_policy(self, model: str, policy: Policy) -> None:
        """Change what a model may do by itself."""

        def work() -> None:
            found = self._database.get(MODEL, self._kept(model))
            if found is not None:
                body = {**found["body"], "policy": asdict(policy)}
                self._database.commit([_changed(found, body)])

        until_kept(work)

    # ── versions ─────────────────────────────────────────────────────────────────────────────

    def add_version(self, version: Version, artefacts: Mapping[str, bytes]) -> Version:
        """Keep a version and its artefacts under the next free name; return it so named."""
        keep_artefacts(self._database, artefacts)

        def work() -> Version:
            turn = ModelTurn(self._database, self._kept(version.model))
            named = turn.add_version(version)
            self._database.commit(turn.changes())
            return named

        return until_kept(work)

    def versions(self, model: str, *, kept_only: bool = False) -> list[Version]:
        """List a model's versions, oldest first; `kept_only` those whose files are kept."""
        equal = (self._names.key_of(model),)
        name = self._names.name_of(equal[0])
        found = scan_all(self._database, VERSION, "of model", equal)
        versions = [version_of(one, name or model) for one in found]
        return [one for one in versions if not (kept_only and one.is_pruned)]

    def artefact(self, digest: str) -> bytes:
        """Return an artefact whose bytes still have their digest."""
        return get_blob(self._database, digest)

    def pin_version(self, model: str, version: str, *, is_pinned: bool) -> None:
        """Want a version's files to be kept, or no longer."""

        def work() -> None:
            key = self._kept(model)
            found = self._database.get(VERSION, version_key(key, version))
            if found is not None:
                pinned = replace(version_of(found, model), is_pinned=is_pinned)
                self._database.commit([version_put(key, pinned, found.revision), move_generation()])

        until_kept(work)

    # ── aliases ──────────────────────────────────────────────────────────────────────────────

    def aliases(self, model: str) -> dict[str, str]:
        """Return alias → version name."""
        return ModelTurn(self._database, self._names.key_of(model)).aliases

    def move_alias(
        self,
        model: str,
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
            turn = ModelTurn(self._database, self._kept(model))
            if turn.aliases.get(alias) != expected:
                return False
            turn.move_alias(move)
            self._database.commit(turn.changes())
            return True

        return until_kept(work)

    def moves(self, model: str) -> list[AliasMove]:
        """List all moves of a model's aliases, oldest first."""
        equal = (self._names.key_of(model),)
        found = scan_all(self._database, ALIAS_MOVE, "of model", equal)
        return [AliasMove(**one["body"]) for one in found]

    def _change(self, name: str, change: Callable[[Document, Known], list[Put]]) -> Document:
        """Change the document of a model that is there; return it as it was."""

        def work() -> Document:
            models = self._names.now()
            found = _called(models, name)
            if found is None:
                raise NotFound(f"There is no model {shown(name)}.")
            self._database.commit([*change(found, models), move_generation()])
            return found

        return until_kept(work)

    def _named(self, name: str) -> Model:
        models = self._names.now()
        found = _called(models, name)
        if found is None:
            raise NotFound(f"There is no model {shown(name)}.")
        return _model(found, models)

    def _kept(self, name: str) -> str:
        return kept_key(self._names, name)


def kept_key(names: Names, name: str) -> str:
    """Return the key to keep something under; Conflict when the model was removed."""
    key = names.key_for(name)
    if key is None:
        raise Conflict(f"{name} was removed: nothing is kept for it any more.")
    return key


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


def _called(models: Known, name: str, *, former: bool = False) -> Document | None:
    """Return the model of a name, if it is still called so; or was, and nobody else is."""
    held = models.holders.get(name)
    if not held:
        return None
    is_there = held[0]["name"] is not None if former else held[0]["name"] == name
    return held[0] if is_there else None


def _changed(found: Document, body: Mapping[str, Any], **fields: Any) -> Put:
    return Put(MODEL, found.key, {**found.fields, **fields, "body": body}, found.revision)


def _words(model: Model) -> dict[str, Any]:
    return {
        "title": model.title,
        "description": model.description,
        "schema": asdict(model.schema),
    }


def _last_name(model: Document) -> str:
    return str(max(model["body"]["names"], key=lambda one: one[1])[0])


def _model(document: Document, models: Known) -> Model:
    body = document["body"]
    return Model(
        document["name"],
        document["number"],
        body["title"],
        body["description"],
        models.schema_of(document.key),
        body["created_at"],
        document.key,
        models.former_names(document.key),
    )
