"""What every store promises of verdicts that were asked for: they teach, and measure nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.test_contract import NOON, a_model, a_prediction, a_verdict, shipped
from tests.store.test_windows_contract import MINUTE, judged, roll, verdicts_of
from unrot.core.ports import Store
from unrot.core.records import Feedback, Window
from unrot.core.windows import total
from unrot.serve.events import from_lines, to_lines
from unrot.store.kinds import FEEDBACK
from unrot.store.operations import Operations

FOR_ALL = (0.0, 0.0, "")


@pytest.fixture
def elves(store: Store) -> Store:
    store.registry.add_model(a_model())
    shipped(store, *(a_prediction(f"p{number}") for number in range(1, 4)))
    return store


def asked(id: str = "p1", **more: object) -> Feedback:
    return a_verdict(id, **{"judge": "ada", "was_correct": False, "asked": True, **more})


def counts(window: Window) -> tuple[int, int, int, int]:
    return window.asked, window.verdicts, window.judged, window.correct


def measured(store: Store) -> list[str]:
    """Return what is measured by, as outcomes and with predictions alike."""
    found = [one.prediction for one in store.traffic.outcomes("elves", limit=9)]
    for rows in (
        store.traffic.judged_after("elves", FOR_ALL, limit=9),
        store.traffic.last_judged("elves", limit=9),
    ):
        assert [one.prediction.id for one in rows] == found
    own = store.traffic.outcomes("elves", limit=9, versions=("v1",))
    assert [one.prediction for one in own] == found
    return found


@pytest.mark.every_store
def test_verdict_that_was_asked_for_teaches_and_measures_nothing(
    elves: Store, database: Operations
) -> None:
    word = asked(reward=0.0, reasons=("height",))
    found = judged(elves, word, a_verdict("p2", given_at=NOON + 2))

    assert counts(found) == (1, 1, 1, 1)
    assert (found.confusion, found.rewards.count, found.reasons) == ({"elf": {"elf": 1}}, 0, {})
    assert measured(elves) == ["p2"]
    tally = elves.traffic.tally("elves", since=0, last=9)
    assert (tally.verdicts, tally.last_accuracy, tally.last_accuracy_verdicts) == (2, 1.0, 1)
    span = {"since": NOON - 60, "until": NOON + 60}
    assert elves.traffic.judged_of_predicted("elves", **span) == (1, 3)
    assert elves.traffic.judged_of_predicted("elves", since=NOON, until=NOON) == (1, 3)
    waiting = elves.lessons.waiting("elves", [], 9)
    assert [one.prediction.id for one in waiting] == ["p1", "p2"]
    given = elves.traffic.given_between("elves", 0, NOON + 60)
    assert [one.feedback and one.feedback.asked for one in given] == [False, True]
    kept = database.get_many(FEEDBACK, ["p1", "p2"])
    assert [kept[id]["asked"] for id in ("p1", "p2")] == [True, False]


@pytest.mark.every_store
def test_verdict_that_was_asked_for_is_none_among_those_not_counted_yet(elves: Store) -> None:
    elves.verdicts.put([asked(), a_verdict("p2")])

    span = {"since": NOON - 60, "until": NOON + 60}
    assert elves.traffic.judged_of_predicted("elves", **span) == (1, 3)


@pytest.mark.every_store
def test_changed_and_taken_back_it_stays_apart(elves: Store) -> None:
    assert counts(judged(elves, asked())) == (1, 0, 0, 0)
    assert counts(judged(elves, asked(was_correct=True, given_at=NOON + 2))) == (1, 0, 0, 0)
    assert elves.verdicts.put([asked(was_correct=True, given_at=NOON + 3)]) == ["duplicate"]

    back = a_verdict("p1", judge="ada", was_correct=None, withdrawn=True, given_at=NOON + 4)
    assert counts(judged(elves, back)) == (0, 0, 0, 0)
    assert measured(elves) == []


@pytest.mark.every_store
@pytest.mark.parametrize("label", [None, "orc"])
def test_judge_whom_nobody_asked_makes_it_count(elves: Store, label: str | None) -> None:
    judged(elves, asked())

    again = asked(asked=False, judge="bob", label=label, given_at=NOON + 2)
    assert elves.verdicts.put([again]) == ["revised"]

    assert counts(judged(elves, again)) == (0, 1, 1, 0)
    assert measured(elves) == ["p1"]
    assert elves.verdicts.put([asked(label=label, given_at=NOON + 3)]) == ["duplicate"]
    assert counts(judged(elves, asked(was_correct=True, given_at=NOON + 4))) == (0, 1, 1, 1)


@pytest.mark.every_store
def test_late_word_of_a_judge_whom_nobody_asked_makes_it_count_as_it_stands(elves: Store) -> None:
    judged(elves, asked(given_at=NOON + 5))

    late = asked(asked=False, was_correct=True, given_at=NOON + 2)
    assert elves.verdicts.put([late]) == ["duplicate"]

    assert counts(judged(elves, late)) == (0, 1, 1, 0)
    assert measured(elves) == ["p1"]


@pytest.mark.every_store
@pytest.mark.parametrize("comes_first", ["voter", "judge"])
def test_row_that_a_voter_judged_counts_and_the_judge_still_was_asked(
    elves: Store, comes_first: str
) -> None:
    vote, word = a_verdict("p1"), asked(given_at=NOON + 2)

    for one in (vote, word) if comes_first == "voter" else (word, vote):
        found = judged(elves, one)

    assert counts(found) == (0, 1, 1, 0)
    assert measured(elves) == ["p1"]
    [kept] = elves.traffic.last_judged("elves", limit=9)
    assert kept.feedback is not None
    assert (kept.feedback.asked, kept.feedback.unasked_too) == (True, True)
    assert counts(judged(elves, replace(word, was_correct=True, given_at=NOON + 3))) == (0, 1, 1, 1)


@pytest.mark.every_store
def test_vote_that_was_taken_back_makes_no_row_count(elves: Store) -> None:
    vote = a_verdict("p1")
    judged(elves, vote)
    judged(elves, replace(vote, was_correct=None, withdrawn=True, given_at=NOON + 2))

    assert counts(judged(elves, asked(given_at=NOON + 3))) == (1, 0, 0, 0)


def test_reward_of_a_judge_makes_no_label_count_that_was_asked_for(elves: Store) -> None:
    judged(elves, a_verdict("p1", judge="bob", was_correct=None, reward=0.5))

    assert counts(judged(elves, asked(given_at=NOON + 2))) == (1, 0, 0, 0)


def test_it_comes_by_the_journal_as_well(store: Store) -> None:
    store.registry.add_model(a_model())
    told = from_lines(to_lines([asked(), a_verdict("p2")]))

    assert [one.asked for one in told.feedback] == [True, False]
    assert b"asked" not in to_lines([a_verdict("p2")])


@pytest.mark.every_store
@pytest.mark.parametrize("minutes", [60, 1440])
def test_rolled_windows_move_it_when_it_begins_to_count(store: Store, minutes: int) -> None:
    start = MINUTE // minutes * minutes
    store.registry.add_model(a_model())
    shipped(store, a_prediction("p1", at=start * 60.0))
    word = asked(predicted_at=start * 60.0)
    judged(store, word)
    roll(store, start, minutes)

    assert [(one.minutes, *counts(one)) for one in verdicts_of(store)] == [(minutes, 1, 0, 0, 0)]
    found = judged(store, replace(word, asked=False, judge="bob", given_at=NOON + 2))

    assert counts(found) == (0, 1, 1, 0)
    assert [one.minutes for one in verdicts_of(store)] == [minutes]
    assert total(verdicts_of(store)).confusion == {"elf": {"orc": 1}}
