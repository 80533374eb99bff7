"""What every store promises about rewards and signals: each counted once, a verdict before all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.test_contract import NOON, a_model, a_prediction, a_verdict, shipped
from unrot.core.policy import Policy
from unrot.core.ports import Store
from unrot.core.records import Feedback, ModelKey, Rewards, Shipment, Window
from unrot.core.rules import Rules
from unrot.core.windows import total
from unrot.hear.signal_names import MOST_NAMES, MOST_OF_STRANGERS, OTHER

ELVES = ModelKey("elves")


@pytest.fixture
def elves(store: Store) -> Store:
    store.registry.add_model(a_model())
    return store


def a_signal(
    id: str, name: str = "abandoned", at: float = 5.0, *, by_judge: bool = False
) -> Feedback:
    return Feedback(id, ELVES, NOON, NOON + at, signal=name, by_judge=by_judge)


def counts(store: Store) -> Window:
    store.verdicts.count_new(100)
    return total(store.traffic.windows(ELVES, since=0, until=NOON + 86_400))


@pytest.mark.every_store
def test_reward_is_kept_summed_and_revised(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"), a_prediction("elves-2"))
    first = a_verdict("elves-1", was_correct=None, reward=0.75)

    statuses = elves.verdicts.put([first, a_verdict("elves-2", was_correct=True, reward=1.0)])

    assert statuses == ["created", "created"]
    assert elves.verdicts.of("elves-1") == first
    before = counts(elves)
    assert before.rewards == Rewards(2, 1.75, 1.5625)
    assert (before.verdicts, before.judged, before.correct) == (2, 1, 1)

    revised = replace(first, reward=0.25, given_at=first.given_at + 1)
    assert elves.verdicts.put([revised, revised]) == ["revised", "duplicate"]
    assert counts(elves).rewards == Rewards(2, 1.25, 1.0625)


@pytest.mark.every_store
def test_reward_teaches_nothing_unless_the_policy_has_a_threshold(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"), a_prediction("elves-2"), a_prediction("elves-3"))
    told = {"was_correct": None, "label": None}

    elves.verdicts.put([a_verdict("elves-1", **told, reward=0.7)])
    elves.registry.set_policy(ELVES, Policy(reward_right=0.6, reward_wrong=0.2))
    elves.verdicts.put([a_verdict("elves-2", **told, reward=0.7)])
    elves.verdicts.put([a_verdict("elves-3", **told, reward=0.2)])
    elves.verdicts.count_new(100)

    found = {one.prediction: one.was_correct for one in elves.traffic.outcomes(ELVES, limit=9)}
    assert found == {"elves-2": True, "elves-3": False}
    kept = elves.traffic.given_between(ELVES, 0, NOON * 2)
    assert sorted(
        (one.prediction.id or "", one.feedback and one.feedback.reward) for one in kept
    ) == [
        ("elves-1", 0.7),
        ("elves-2", 0.7),
        ("elves-3", 0.2),
    ]


@pytest.mark.every_store
def test_signal_is_counted_once_and_is_nobodys_word(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"))

    signals = [a_signal("elves-1"), a_signal("elves-1", at=9.0), a_signal("elves-1", "copied")]
    statuses = elves.verdicts.put(signals)

    assert statuses == ["created", "duplicate", "created"]
    window = counts(elves)
    assert window.signals == {"abandoned": {"alone": 1}, "copied": {"alone": 1}}
    assert (window.verdicts, window.judged) == (0, 0)
    assert elves.verdicts.of("elves-1") is None
    [seen] = elves.traffic.recent(ELVES, limit=9)
    assert (seen.feedback, seen.signals) == (None, ("abandoned", "copied"))
    assert elves.traffic.look_up(["elves-1"])["elves-1"] == seen
    assert list(elves.traffic.given_between(ELVES, 0, NOON * 2)) == [seen]
    assert elves.traffic.outcomes(ELVES, limit=9) == []
    assert elves.traffic.judged_span(ELVES) is None
    assert elves.traffic.judged_of_predicted(ELVES, since=0, until=NOON * 2) == (0, 1)


@pytest.mark.every_store
@pytest.mark.parametrize("comes_first", ["signal", "verdict"])
def test_verdict_wins_over_a_signal_whatever_came_first(elves: Store, comes_first: str) -> None:
    shipped(elves, a_prediction("elves-1"))
    both = [a_signal("elves-1", at=1.0), a_verdict("elves-1", was_correct=True)]

    for one in both if comes_first == "signal" else reversed(both):
        assert elves.verdicts.put([one]) == ["created"]
        elves.verdicts.count_new(100)

    window = counts(elves)
    assert window.signals == {"abandoned": {"beside": 1}}
    assert (window.verdicts, window.correct) == (1, 1)
    [seen] = elves.traffic.recent(ELVES, limit=9)
    assert seen.feedback is not None
    assert (seen.feedback.was_correct, seen.signals) == (True, ("abandoned",))


@pytest.mark.every_store
def test_signal_counts_alone_again_once_the_verdict_was_taken_back(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"))
    verdict = a_verdict("elves-1", was_correct=True)
    elves.verdicts.put([a_signal("elves-1"), verdict])
    assert counts(elves).signals == {"abandoned": {"beside": 1}}

    taken_back = replace(verdict, was_correct=None, withdrawn=True, given_at=NOON + 60)
    assert elves.verdicts.put([taken_back]) == ["withdrawn"]

    window = counts(elves)
    assert window.signals == {"abandoned": {"alone": 1}}
    assert window.verdicts == 0


@pytest.mark.every_store
def test_signal_of_a_judge_overrules_nobody(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"))
    elves.verdicts.put([a_verdict("elves-1", was_correct=False)])

    elves.verdicts.put([replace(a_signal("elves-1"), judge="ada")])

    kept = elves.verdicts.of("elves-1")
    assert kept is not None
    assert (kept.was_correct, kept.judge) == (False, None)


@pytest.mark.every_store
def test_signals_of_a_journal_are_joined_and_counted_once(elves: Store) -> None:
    made = [a_prediction("elves-1"), a_prediction("elves-2")]
    elves.verdicts.put([a_signal("elves-1")])  # before its prediction
    told = [
        a_signal("elves-1"),
        a_signal("elves-2"),
        a_verdict("elves-2", was_correct=None, reward=0.5),
    ]

    for _ in range(2):  # as after a crash: the same stretch is brought once more
        elves.traffic.ship(Shipment("s1", 0, 9, "me", made, told))

    window = counts(elves)
    assert window.signals == {"abandoned": {"alone": 1, "beside": 1}}
    assert window.rewards == Rewards(1, 0.5, 0.25)


@pytest.mark.every_store
def test_names_have_a_bound_beyond_those_that_a_rule_speaks_of(elves: Store) -> None:
    elves.findings.set_rules(ELVES, Rules(signals={"kept": "right"}))
    shipped(elves, *(a_prediction(f"elves-{n}") for n in range(3)))
    names = [f"s{number:02}" for number in range(MOST_NAMES + 3)]
    many = [a_signal("elves-0", name, by_judge=True) for name in names]
    elves.verdicts.put(many)

    assert elves.verdicts.put([a_signal("elves-1", "yet another")]) == ["created"]
    elves.findings.set_rules(ELVES, Rules(signals={"kept": "right", "late": "wrong"}))
    elves.verdicts.put([a_signal("elves-2", "late"), a_signal("elves-2", "kept")])

    found = counts(elves).signals
    assert len(found) == MOST_NAMES + 2
    assert found[OTHER] == {"alone": 2}
    assert found["late"] == found["kept"] == {"alone": 1}
    assert elves.findings.rules(ELVES).signals == {"kept": "right", "late": "wrong"}


def test_strangers_leave_half_of_the_names_to_judges(elves: Store) -> None:
    shipped(elves, a_prediction("elves-0"))
    elves.verdicts.put([a_signal("elves-0", f"s{number:02}") for number in range(MOST_NAMES)])

    elves.verdicts.put([a_signal("elves-0", "sold", by_judge=True)])
    elves.verdicts.put([a_signal("elves-0", "sold"), a_signal("elves-0", "more")])

    found = counts(elves).signals
    assert len(found) == MOST_OF_STRANGERS + 2
    assert found["sold"] == found[OTHER] == {"alone": 1}


@pytest.mark.every_store
def test_signal_goes_with_its_prediction(elves: Store) -> None:
    shipped(elves, a_prediction("elves-1"))
    elves.verdicts.put([a_signal("elves-1")])

    elves.erasing.note({"elves-1": ELVES}, NOON)
    erased = elves.erasing.erase(["elves-1"], ELVES, NOON)["elves-1"]

    assert erased == ["prediction", "verdict"]
    assert elves.verdicts.put([a_signal("elves-1", "copied")]) == ["forgotten"]
    assert elves.traffic.recent(ELVES, limit=9) == []


def test_signal_waits_for_no_lesson(elves: Store) -> None:
    elves.verdicts.put([a_signal("elves-1"), a_verdict("elves-2", was_correct=None, reward=0.5)])

    assert elves.lessons.count_waiting(ELVES, []) == 0
