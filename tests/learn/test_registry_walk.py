"""Versions, aliases, promotions, rollbacks, retention, by chance: what holds after each step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import strategies
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.lessons import verdict
from tests.store.test_contract import a_version
from tests.walks import SCHEMA, STORES, Planted, Walk, finds, walk
from unrot.core import lineage
from unrot.core.errors import Conflict, Invalid, UnrotError
from unrot.core.records import CHALLENGER, CHAMPION, AliasMove, Serving
from unrot.core.schema import schema_hash
from unrot.learn import promote, retention
from unrot.serve.model_turn import ModelTurn
from unrot.serve.registry_store import RegistryStore

GATES = strategies.sampled_from(["passed", "refused", "undecided", "off", None])
ANY = strategies.integers(0, 30)
NAME = "elves"


class RegistryWalk(Walk):
    """What is known of the registry beside it: gates, champion, challenger and the way back."""

    @initialize()
    def begin(self) -> None:
        self.gates: dict[str, str | None] = {}
        self.pinned: set[str] = set()
        self.challenger: str | None = None
        self.way: list[str] = []
        self.publish("off", is_promoted=True)

    @property
    def champion(self) -> str | None:
        return self.way[-1] if self.way else None

    def some(self, place: int) -> str:
        return f"v{place % len(self.gates) + 1}"

    def is_pruned(self, name: str) -> bool:
        return lineage.named(self.versions(), name).is_pruned

    def versions(self) -> list[Any]:
        return self.service.store.registry.versions(self.model.key)

    # ── steps ────────────────────────────────────────────────────────────────────────────────

    @rule(gate=GATES, is_promoted=strategies.booleans())
    def publish(self, gate: Any, is_promoted: bool) -> None:
        data = f"graph {len(self.gates)}".encode()
        digest = hashlib.sha256(data).hexdigest()
        child = replace(
            a_version(NAME),
            parent=self.champion,
            artefacts={"onnx": digest},
            serving=Serving("onnx", digest),
            schema_hash=schema_hash(SCHEMA),
        )
        published = self.service.store.lessons.publish(
            child,
            {digest: data},
            fates=[],
            gate=None if gate is None else verdict(gate, self.service.clock()),
            job=None,
            result={},
            champion=self.champion,
            promote=is_promoted and gate in ("passed", "off"),
        )
        assert published is not None
        assert published.name == f"v{len(self.gates) + 1}"
        self.gates[published.name] = gate
        if is_promoted and gate in ("passed", "off"):
            self.way.append(published.name)
        promote.sync(self.service.shelf.folder, self.service.store.registry)

    @rule(place=ANY, force=strategies.booleans(), reason=strategies.sampled_from(["", "a test"]))
    def promote(self, place: int, force: bool, reason: str) -> None:
        name = self.some(place)
        wrong = self.objection(name, force, reason)
        with refused(wrong):
            promote.promote(self.service, NAME, name, force=force, reason=reason)
        if wrong is None and name != self.champion:
            self.way.append(name)
            self.challenger = None if self.challenger == name else self.challenger

    def objection(self, name: str, force: bool, reason: str) -> type[UnrotError] | None:
        gate = self.gates[name]
        if self.is_pruned(name):
            return Conflict
        if name == self.champion or gate in ("passed", "undecided"):
            return None
        if gate != "refused" and name == "v1":
            return None
        return (Invalid if not reason else None) if force else Conflict

    @rule(place=ANY)
    def challenge(self, place: int) -> None:
        name = self.some(place)
        is_wrong = self.is_pruned(name) or name == self.champion
        with refused(Conflict if is_wrong else None):
            promote.promote(self.service, NAME, name, alias=CHALLENGER)
        self.challenger = self.challenger if is_wrong else name

    @rule()
    def dismiss(self) -> None:
        with refused(None if self.challenger else Conflict):
            promote.dismiss(self.service, NAME)
        self.challenger = None

    @rule()
    def roll_back(self) -> None:
        is_there = len(self.way) > 1 and not self.is_pruned(self.way[-2])
        with refused(None if is_there else Conflict):
            promote.rollback(self.service, NAME)
        if is_there:
            self.way.pop()
            self.challenger = None if self.challenger == self.champion else self.challenger

    @rule(place=ANY)
    def move_on_a_stale_look(self, place: int) -> None:
        registry = self.service.store.registry
        stale = next((name for name in self.gates if name != self.champion), None)
        assert not registry.move_alias(
            self.model.key, CHAMPION, to=self.some(place), expected=stale
        )

    @rule(place=ANY, is_pinned=strategies.booleans())
    def pin(self, place: int, is_pinned: bool) -> None:
        name = self.some(place)
        wrong = Conflict if self.is_pruned(name) else None
        with refused(wrong):
            promote.pin(self.service, NAME, name, is_pinned=is_pinned)
        if wrong is None:
            self.pinned = self.pinned | {name} if is_pinned else self.pinned - {name}

    @precondition(lambda self: len(self.gates) > 2)
    @rule()
    def retire(self) -> None:
        with patch.object(retention, "AT_ONCE", 1):
            gone = retention.tidy(self.service, self.model.key)
        assert {*gone} & {*self.way[-2:]} == set()

    # ── what holds ───────────────────────────────────────────────────────────────────────────

    @invariant()
    def aliases_stand_where_they_were_put(self) -> None:
        told = {CHAMPION: self.champion, CHALLENGER: self.challenger}
        aliases = self.service.aliases(self.model.key)
        assert aliases == {alias: name for alias, name in told.items() if name is not None}

    @invariant()
    def versions_stay_in_one_line(self) -> None:
        assert [one.name for one in self.versions()] == [*self.gates]
        assert {one.name for one in self.versions() if one.is_pinned} == self.pinned

    @invariant()
    def each_move_begins_where_the_one_before_ended(self) -> None:
        stood: dict[str, str | None] = {}
        for move in self.service.store.registry.moves(self.model.key):
            assert move.moved_from == stood.get(move.alias)
            stood[move.alias] = move.moved_to

    @invariant()
    def what_may_answer_has_its_files(self) -> None:
        needed = {self.champion, self.challenger, *self.pinned, "v1"}
        pruned = {one.name for one in self.versions() if one.is_pruned}
        assert needed & pruned == set()
        for one in self.versions():
            if not one.is_pruned:
                assert self.service.store.registry.artefact(one.serving.digest)

    @invariant()
    def shelf_serves_what_the_registry_says(self) -> None:
        shelved = self.service.catalogue().model(NAME)
        assert shelved.aliases == self.service.aliases(self.model.key)
        assert [*shelved.versions] == [one.name for one in self.versions() if not one.is_pruned]


@contextmanager
def refused(error: type[UnrotError] | None) -> Iterator[None]:
    """Expect an error, or none."""
    raised = None
    try:
        yield
    except UnrotError as found:
        raised = type(found)
    assert raised is error


@pytest.mark.parametrize("store_name", STORES)
def test_registry_holds_on_every_way(store_name: str) -> None:
    walk(RegistryWalk, store_name)


MOVE = RegistryStore.move_alias


def whatever_stood(self: RegistryStore, model: Any, alias: str, **more: Any) -> bool:
    return MOVE(self, model, alias, **{**more, "expected": self.aliases(model).get(alias)})


def no_way_back(moves: Any) -> str | None:
    names = lineage.champions(moves)
    return names[-2] if len(names) > 1 else None


def last_alone(versions: Any, _needed: Any, _moves: Any, *, keep: int) -> list[str]:
    return [one.name for one in versions[:-keep] if one.parent is not None]


def without_history(self: ModelTurn, move: AliasMove) -> None:
    self._body["aliases"] = {**self.aliases, move.alias: move.moved_to}


FAULTS: dict[str, Planted] = {
    "an alias moves whatever it stood at": (RegistryStore, "move_alias", whatever_stood),
    "a rollback is no step back": (lineage, "before", no_way_back),
    "retention keeps the newest alone": (retention, "unneeded", last_alone),
    "the shelf is not told": (promote, "sync", lambda *_: False),
    "what the gate refused may answer": (promote, "objection_to", lambda *_: None),
    "a move leaves no trace": (ModelTurn, "move_alias", without_history),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_walk_sees_a_fault_in_the_registry(fault: str) -> None:
    assert finds(RegistryWalk, FAULTS[fault])
