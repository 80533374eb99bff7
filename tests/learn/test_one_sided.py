"""Of three classes a thumb down tells no other: by such verdicts nobody is said to be better."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alarms import JUDGE, Alarms, LabelledMoods, Moods, opened
from tests.clock import Clock
from tests.learn.test_leaning import refitted
from unrot.core.policy import Policy
from unrot.core.records import Audit, Caller, Shadow
from unrot.learn import compare, promote
from unrot.learn.promote import last_gate
from unrot.learn.scoreboard import read_scoreboard
from unrot.watch.worth.one_sided import Untold, untold_of

POLICY = Policy(held_out=0.5, promote="manual")


@pytest.fixture
def moods(tmp_path: Path, clock: Clock) -> Iterator[Alarms]:
    with opened(tmp_path / "home", clock, Moods) as made:
        made.service.store.registry.set_policy("alarms", POLICY)
        yield made


def test_world_that_moved_is_seen_by_thumbs_and_weighs_nobody(moods: Alarms) -> None:
    moods.go_by(500, alone=False)
    moods.go_by(500, alone=False, spoilt=True)

    gate = last_gate(moods.service, "alarms", refitted(moods))

    assert gate is not None
    assert (gate.decision, gate.ground, gate.rows) == ("undecided", "recent verdicts", 0)
    assert gate.moved_at is not None and gate.recent_score is not None
    assert gate.recent_rows > 150 and gate.recent_score < 0.6
    assert "No row can be trusted, and 30 are needed: say what is right instead" in gate.sentence
    assert "verdicts say only that an answer was wrong, and not what is right" in gate.voters


def test_world_that_stands_leaves_the_test_set(moods: Alarms) -> None:
    moods.go_by(750, alone=False)

    gate = last_gate(moods.service, "alarms", refitted(moods))

    assert gate is not None
    assert (gate.ground, gate.moved_at, gate.decision) == ("anchor", None, "passed")
    assert 0.8 < (gate.recent_score or 0) < 0.95 and f"of {gate.recent_rows}" in gate.why


def test_thumbs_alone_score_no_version(moods: Alarms) -> None:
    moods.go_by(500, alone=False)
    name = refitted(moods)

    found = read_scoreboard(moods.service, "alarms", moods.service.versions("alarms"))
    beside = compare.compare(moods.service, "alarms", "v1", name)

    assert found.verdicts.one_sided is not None
    assert found.entry(name).on_test_set is not None and found.entry(name).on_verdicts is None
    assert [ground for ground, _ in beside.grounds] == ["anchor"]
    [said] = beside.missing
    assert said.endswith("than other versions: say what is right instead.")


def test_challenger_is_not_held_against_thumbs(moods: Alarms) -> None:
    moods.go_by(250, alone=False)
    promote.promote(moods.service, "alarms", refitted(moods), alias="challenger")
    moods.go_by(500, alone=False)
    store, key = moods.service.store, moods.service.catalogue().model("alarms").model.key
    store.trials.add_shadows(
        [
            Shadow(str(one.id), key, "v2", one.predicted_at, one.label, None)
            for one in store.trials.to_shadow(key, "v2", since=0.0, limit=200)
        ]
    )

    found = compare.in_shadow(moods.service, "alarms")

    assert found is not None and found.one_sided is not None
    assert found.beside.rows > 100 and found.beside.judged.rows == 0


def test_labels_weigh_a_refit_where_thumbs_do_not(tmp_path: Path, clock: Clock) -> None:
    with opened(tmp_path / "home", clock, LabelledMoods) as moods:
        moods.service.store.registry.set_policy("alarms", POLICY)
        moods.go_by(500, alone=False)
        moods.go_by(500, alone=False, spoilt=True)
        gate = last_gate(moods.service, "alarms", refitted(moods))

    assert gate is not None
    assert (gate.decision, gate.ground, gate.voters) == ("passed", "recent verdicts", "")


def test_few_thumbs_silence_no_labels(tmp_path: Path, clock: Clock) -> None:
    """Nor do all those of a visitor: then the verdicts of judges score versions."""
    with opened(tmp_path / "home", clock, LabelledMoods) as moods:
        moods.go_by(500, alone=False)
        name = refitted(moods)
        made = moods.service.predict("alarms", [{"a": 1.0, "b": 1.0}] * 30).predictions
        moods.caretaker._go_round_at_home()
        thumbs = [{"id": one.id, "was_correct": False} for one in made]
        moods.service.judge_many(thumbs[:1], Caller(subject="somebody"))
        few = read_scoreboard(moods.service, "alarms", moods.service.versions("alarms"))
        moods.service.judge_many(thumbs[1:], Caller(subject="somebody"))
        moods.caretaker._go_round_at_home()
        many = read_scoreboard(moods.service, "alarms", moods.service.versions("alarms"))

    assert few.verdicts.one_sided is None and few.entry(name).on_verdicts is not None
    assert many.verdicts.one_sided is None and many.entry(name).on_verdicts is not None
    assert (many.verdicts.people, many.verdicts.by_judges) == (0, 170)


def test_thumbs_alone_are_said_to_be_all() -> None:
    assert Untold(5, 5).sentence.startswith("All 5 verdicts say only that an answer was wrong")
    assert Untold(1, 21).sentence.startswith("1 of 21 verdicts says only that an answer was wrong")
    assert untold_of(only_wrong=10, corrected=90, verdicts=1_000) is None
    assert untold_of(only_wrong=11, corrected=90, verdicts=1_000) == Untold(11, 1_000)
    assert untold_of(only_wrong=30, corrected=290, verdicts=510) is None


def test_few_audited_rows_do_not_hide_what_thumbs_say(moods: Alarms) -> None:
    moods.go_by(500, alone=False)
    moods.go_by(500, alone=False, spoilt=True)
    store, key = moods.service.store, moods.service.catalogue().model("alarms").model.key
    newest = [one.prediction for one in store.traffic.last_judged(key, limit=5)]
    store.trials.add_audit(Audit("a1", key, moods.clock.now, tuple(str(one.id) for one in newest)))
    labels = [{"id": one.id, "label": "calm"} for one in newest]
    moods.service.judge_many(labels, JUDGE)
    moods.caretaker._go_round_at_home()

    gate = last_gate(moods.service, "alarms", refitted(moods))

    assert gate is not None
    assert (gate.decision, gate.ground) == ("undecided", "recent verdicts")
    assert gate.moved_at is not None and gate.recent_rows > 150
