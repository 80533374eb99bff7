"""Verdicts by chance that come late, change, are taken back and learnt in lines that fork.

After every step the verdicts that wait are those that the fates of the whole line leave undecided.
"""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import strategies
from hypothesis.stateful import Bundle, initialize, invariant, precondition, rule

from tests.lessons import published
from tests.store.test_contract import a_version
from tests.walks import CLASSES, STORES, Planted, Walk, finds, walk
from unrot.core import lineage
from unrot.core.errors import UnrotError
from unrot.core.records import (
    Caller,
    Fate,
    FateKind,
    Feedback,
    JudgedPrediction,
    Prediction,
    Shipment,
)
from unrot.hear import verdict_store
from unrot.learn import waiting
from unrot.learn.fate_store import FateStore
from unrot.learn.waiting import WaitingVerdicts
from unrot.serve.shelf import sync

JUDGE = Caller(role="judge", judge="ada", subject="judge:ada")
KINDS = strategies.lists(strategies.sampled_from(["learnt", "set aside", "held out"]), min_size=1)
SECONDS = strategies.sampled_from([1, 100, 400, 90_000])
ALL = 1_000


class WaitingWalk(Walk):
    """One model, learnt by stand-ins; what waits is asked by one that notes what is settled."""

    made = Bundle("made")

    @initialize()
    def begin(self) -> None:
        clock = SimpleNamespace(time=self.clock)
        self._lent.enter_context(patch.object(verdict_store, "time", clock))
        self._lent.enter_context(patch.object(waiting, "time", clock))
        self._lent.enter_context(patch.object(waiting, "WORTH_NOTING", 1))
        self.predictions: dict[str, Prediction] = {}
        self.on_their_way: list[Prediction] = []
        self.shipments = 0
        registry = self.service.store.registry
        registry.add_version(a_version("elves"), {a_version().serving.digest: b"a graph"})
        registry.move_alias(self.model.key, "champion", to="v1", expected=None)
        sync(self.service.shelf.folder, registry)

    # ── steps ────────────────────────────────────────────────────────────────────────────────

    @rule(target=made, label=strategies.sampled_from(CLASSES), is_shipped=strategies.booleans())
    def predict(self, label: str, is_shipped: bool) -> str:
        """Predict, and judge it, perhaps before the prediction is shipped."""
        at = self.service.clock()
        id = self.service.ids.make(
            at=at,
            segment=b"walks",
            row=len(self.predictions),
            model_number=self.model.number,
            class_index=0,
        )
        made = Prediction(id, self.model.key, "v1", at, [1.5], "elf", [1.0, 0.0, 0.0], None)
        self.predictions[id] = made
        self.on_their_way.append(made)
        if is_shipped:
            self.ship()
        self.service.judge({"id": id, "label": label}, JUDGE)
        self.clock.now += 50
        return id

    def ship(self, *verdicts: Feedback) -> None:
        """Let all predictions arrive that are on their way."""
        self.shipments += 1
        some, self.on_their_way = self.on_their_way, []
        shipment = Shipment(f"s{self.shipments}", 0, 9, "walks", some, verdicts)
        self.service.store.traffic.ship(shipment)
        self.service.store.verdicts.count_new(100)

    @precondition(lambda self: self.on_their_way)
    @rule(seconds=SECONDS)
    def arrive(self, seconds: int) -> None:
        """Let all predictions arrive after a while."""
        self.clock.now += seconds
        self.ship()

    @rule(id=made, label=strategies.sampled_from(CLASSES))
    def judge(self, id: str, label: str) -> None:
        """Judge once more."""
        self.service.judge({"id": id, "label": label}, JUDGE)

    @rule(id=made)
    def take_back(self, id: str) -> None:
        with suppress(UnrotError):
            self.service.withdraw(id, JUDGE)

    @rule(ago=strategies.sampled_from([5, 200, 2_000]))
    def hear_of_a_journal(self, ago: int) -> None:
        """Let a prediction and a verdict arrive that were acknowledged a while ago."""
        at = self.service.clock() - ago
        ids, row = self.service.ids, len(self.predictions)
        id = ids.make(at=at, segment=b"old", row=row, model_number=self.model.number, class_index=0)
        made = Prediction(id, "elves", "v1", at, [1.5], "elf", [1.0, 0.0, 0.0], None)
        self.predictions[id] = made
        self.on_their_way.append(made)
        self.ship(Feedback(id, "elves", float(int(at)), at + 1, label="elf", judge="bob"))

    @rule(kinds=KINDS, is_promoted=strategies.booleans(), seconds=SECONDS)
    def learn(self, kinds: list[FateKind], is_promoted: bool, seconds: int) -> None:
        """Publish a version that decides all that waits; perhaps look again a while later."""
        fates = [
            _fate(one, kinds[at % len(kinds)]) for at, one in enumerate(self.waits(self.line()))
        ]
        published(self.service, "elves", fates=fates, promote=is_promoted)
        self.clock.now += seconds

    @rule()
    def decide(self) -> None:
        """Find nothing to learn in what waits."""
        fates = [_fate(one, "set aside") for one in self.waits(self.line())]
        self.service.store.lessons.decide(self.model.key, self.line()[0], fates)

    @precondition(lambda self: len(self.service.versions("elves")) > 1)
    @rule(place=strategies.integers(0, 9))
    def move_champion(self, place: int) -> None:
        versions, registry = self.service.versions("elves"), self.service.store.registry
        to = versions[place % len(versions)].name
        if to != self.line()[0]:
            registry.move_alias("elves", "champion", to=to, expected=self.line()[0])

    def line(self) -> list[str]:
        champion = self.service.aliases("elves")["champion"]
        return lineage.learning_line(self.service.versions("elves"), champion)

    def waits(self, line: list[str]) -> list[JudgedPrediction]:
        return self.service.store.lessons.waiting(self.model.key, line, ALL)

    # ── what holds ───────────────────────────────────────────────────────────────────────────

    @invariant()
    def what_waits_is_what_the_whole_line_leaves(self) -> None:
        if not hasattr(self, "shipments"):
            return
        line, database = self.line(), self.service.store.database
        lessons = self.service.store.lessons
        fates = FateStore(database)
        decided = fates.decided_until(fates.digests("elves", line))
        reader = WaitingVerdicts(database, fates)
        stands = [*reader.standing("elves")]
        left = [one.key for one in stands if decided.get(one.key, -1.0) < one["time"]]
        lone = len(reader.lone("elves"))
        assert lessons.count_waiting("elves", line) == len(left) + lone
        assert [one.prediction.id for one in self.waits(line)] == left
        assert lessons.count_waiting("elves", line) == len(left) + lone


def _fate(one: JudgedPrediction, kind: FateKind) -> Fate:
    assert one.feedback is not None
    return Fate(one.feedback.prediction, kind, one.feedback.given_at, "as it came")


@pytest.mark.parametrize("store_name", STORES)
def test_nothing_is_learnt_twice_and_nothing_missed_on_every_way(store_name: str) -> None:
    walk(WaitingWalk, store_name)


FAULTS: dict[str, Planted] = {
    "late verdicts leave no mark": (verdict_store, "late_puts", lambda *_: []),
    "all time is settled": (waiting, "READ_AGAIN_SECONDS", -1e6),
    "a changed verdict is a new one": (WaitingVerdicts, "_were_judged_before", lambda *_: False),
    "only the last version is asked": (WaitingVerdicts, "_first_deciding", lambda *_: ""),
    "an older version decides unseen": (WaitingVerdicts, "unsettled", lambda *_: []),
    "a mark is always the same": (waiting, "late_mark", lambda *_: ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_walk_sees_a_fault_in_what_waits(fault: str) -> None:
    assert finds(WaitingWalk, FAULTS[fault])
