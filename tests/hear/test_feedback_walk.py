"""Verdicts by chance: judged, judged anew, taken back, overruled, listed, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies
from hypothesis.stateful import Bundle, initialize, invariant, rule

from tests.store.test_contract import a_version
from tests.walks import CLASSES, STORES, Planted, Walk, finds, walk
from unrot.core.errors import NotAllowed, NotFound
from unrot.core.records import Caller, Feedback, Prediction, Shipment
from unrot.hear import verdict_store
from unrot.serve.shelf import sync

CALLERS = strategies.sampled_from(
    [
        Caller(role="judge", judge="ada", subject="judge:ada"),
        Caller(role="judge", judge="bob", subject="judge:bob"),
        Caller(subject="net:a"),
        Caller(subject="net:b"),
    ]
)
SAID = strategies.sampled_from([*CLASSES, True, False])
NAME = "elves"


class FeedbackWalk(Walk):
    """What was said last of each prediction, by the rules of precedence."""

    made = Bundle("made")

    @initialize()
    def begin(self) -> None:
        self.predictions: dict[str, Prediction] = {}
        self.shipped: set[str] = set()
        self.segments = 0
        self.standing: dict[str, Feedback] = {}
        self.seen: dict[str, list[str]] = {}
        registry = self.service.store.registry
        registry.add_version(a_version(NAME), {a_version().serving.digest: b"a graph"})
        registry.move_alias(self.model.key, "champion", to="v1", expected=None)
        sync(self.service.shelf.folder, registry)

    # ── steps ────────────────────────────────────────────────────────────────────────────────

    @rule(target=made, place=strategies.integers(0, 2))
    def predict(self, place: int) -> str:
        at = self.service.clock()
        id = self.service.ids.make(
            at=at,
            segment=b"walks",
            row=len(self.predictions),
            model_number=self.model.number,
            class_index=place,
        )
        chances = [float(place == each) for each in range(3)]
        self.predictions[id] = Prediction(
            id, self.model.key, "v1", at, [1.5], CLASSES[place], chances, None
        )
        return id

    @rule()
    def ship(self) -> None:
        """Let predictions arrive, verdicts on them perhaps before."""
        late = [one for id, one in self.predictions.items() if id not in self.shipped]
        self.segments += 1
        self.service.store.traffic.ship(Shipment(f"s{self.segments}", 0, 9, "walks", late))
        self.shipped |= {*self.predictions}

    @rule(id=made, caller=CALLERS, said=SAID)
    def judge(self, id: str, caller: Caller, said: Any) -> None:
        given = {"was_correct": said} if isinstance(said, bool) else {"label": said}
        label = None if isinstance(said, bool) else said
        expected = self.expect(
            Feedback(
                id,
                self.model.key,
                0.0,
                self.clock.now,
                was_correct=said if label is None else said == self.predictions[id].label,
                label=label,
                judge=caller.judge,
            )
        )
        assert self.service.judge({"id": id, **given}, caller)[1] == expected

    @rule(id=made, caller=CALLERS)
    def withdraw(self, id: str, caller: Caller) -> None:
        known = self.standing.get(id)
        if known is None or known.withdrawn:
            with pytest.raises(NotFound):
                self.service.withdraw(id, caller)
        elif known.judge and not caller.judge:
            with pytest.raises(NotAllowed):
                self.service.withdraw(id, caller)
        else:
            assert self.service.withdraw(id, caller) == "withdrawn"
            self.standing[id] = replace(known, withdrawn=True, judge=caller.judge)

    @rule(id=made, said=strategies.sampled_from(CLASSES))
    def hear_late(self, id: str, said: str) -> None:
        """Let a verdict arrive by a journal that was said before the one that stands."""
        known = self.standing.get(id)
        if known is not None and not known.withdrawn:
            kept = self.service.store.verdicts.of(id)
            assert kept is not None
            late = replace(kept, label=said, was_correct=None, given_at=kept.given_at - 0.5)
            assert self.service.store.verdicts.put([late]) == ["duplicate"]

    def expect(self, verdict: Feedback) -> str:
        """Tell what becomes of a verdict, and take it."""
        known = self.standing.get(verdict.prediction)
        if known is None or known.withdrawn:
            status = "created"
        elif known.judge and not verdict.judge:
            return "overruled"
        else:
            status = "duplicate" if told(verdict) == told(known) else "revised"
        if status != "duplicate":
            self.standing[verdict.prediction] = verdict
        return status

    # ── what holds ───────────────────────────────────────────────────────────────────────────

    @invariant()
    def what_counts_is_what_was_said_last(self) -> None:
        for id, known in self.standing.items():
            kept = self.service.store.verdicts.of(id)
            assert kept is not None
            assert kept.withdrawn == known.withdrawn
            assert known.withdrawn or (kept.judge, kept.label) == (known.judge, known.label)
            assert known.withdrawn or kept.was_correct == known.was_correct

    @invariant()
    def list_has_each_prediction_once_with_its_verdict(self) -> None:
        rows = self.service.store.traffic.recent(self.model.key, limit=1_000)
        assert [one.prediction.id for one in rows] == [
            id for id in reversed(self.predictions) if id in self.shipped
        ]
        for one in rows:
            known = self.standing.get(one.prediction.id or "")
            is_judged = known is not None and not known.withdrawn
            assert (one.feedback is not None and not one.feedback.withdrawn) == is_judged
            assert list(one.signals) == self.seen.get(one.prediction.id or "", [])

    @invariant()
    def windows_count_each_verdict_once(self) -> None:
        store = self.service.store
        store.verdicts.count_new(100)
        windows = store.traffic.windows(self.model.key, since=0, until=4e9)
        stands = [
            one for id, one in self.standing.items() if id in self.shipped and not one.withdrawn
        ]
        assert sum(one.predictions for one in windows) == len(self.shipped)
        assert sum(one.verdicts for one in windows) == len(stands)
        assert sum(one.correct for one in windows) == sum(bool(one.was_correct) for one in stands)
        judged = {one.prediction for one in stands}
        expected = Counter(
            (name, "beside" if id in judged else "alone")
            for id, names in self.seen.items()
            for name in names
            if id in self.shipped
        )
        rows = ((name, row) for one in windows for name, row in one.signals.items())
        counted = Counter[tuple[str, str]]()
        for name, row in rows:
            counted.update({(name, way): count for way, count in row.items()})
        assert counted == expected


class SignalWalk(FeedbackWalk):
    """The same, with what was seen to happen told before and after all that is said."""

    @rule(
        id=FeedbackWalk.made, caller=CALLERS, name=strategies.sampled_from(["abandoned", "copied"])
    )
    def see(self, id: str, caller: Caller, name: str) -> None:
        """Tell what was seen to happen, before or after any verdict."""
        names = self.seen.setdefault(id, [])
        expected = "duplicate" if name in names else "created"
        assert self.service.judge({"id": id, "signal": name}, caller)[1] == expected
        self.seen[id] = [*names, *([name] if expected == "created" else [])]


def told(verdict: Feedback) -> tuple[Any, ...]:
    return verdict.was_correct, verdict.label, verdict.judge is None


@pytest.mark.parametrize("store_name", STORES)
def test_feedback_holds_on_every_way(store_name: str) -> None:
    walk(FeedbackWalk, store_name)


@pytest.mark.parametrize("store_name", STORES)
def test_signals_hold_on_every_way(store_name: str) -> None:
    walk(SignalWalk, store_name)


MOVES = verdict_store.moves_of


def never_less(kept: Any, schema: Any) -> Any:
    return MOVES(replace(kept, counted=None), schema)


def never_gone(kept: Any, schema: Any) -> Any:
    return MOVES(replace(kept, feedback=replace(kept.feedback, withdrawn=False)), schema)


def always_anew(kept: Any, schema: Any) -> Any:
    return MOVES(replace(kept, counted_signals=()), schema)


FAULTS: dict[str, Planted] = {
    "anybody overrules a judge": (Feedback, "is_trusted", property(lambda _: False)),
    "the same again is a revision": (Feedback, "says_the_same_as", lambda *_: False),
    "a revision counts twice": (verdict_store, "moves_of", never_less),
    "what was taken back still counts": (verdict_store, "moves_of", never_gone),
    "a verdict before its prediction never counts": (verdict_store, "join", lambda kept, _: kept),
    "a verdict is forgotten": (verdict_store.Turn, "_write", lambda *_: None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_walk_sees_a_fault_in_the_feedback(fault: str) -> None:
    assert finds(FeedbackWalk, FAULTS[fault])


FAULTS_OF_SIGNALS: dict[str, Planted] = {
    "a signal counts twice": (verdict_store, "moves_of", always_anew),
    "a signal is somebody's word": (
        *(verdict_store.Turn, "_take_signal"),
        verdict_store.Turn._take,
    ),
}


@pytest.mark.parametrize("fault", FAULTS_OF_SIGNALS)
def test_walk_sees_a_fault_in_the_signals(fault: str) -> None:
    assert finds(SignalWalk, FAULTS_OF_SIGNALS[fault])
