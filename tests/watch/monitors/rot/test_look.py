"""Rot as the lookout sees it, in a small town of real zombies."""

from __future__ import annotations

import pytest

from tests.learning_model import CROWD, OTHER, School, zombies_of
from unrot.core.records import Prediction, Symptom
from unrot.core.rules import Rules
from unrot.watch.monitors.rot import look as rot
from unrot.watch.visit import Visit

NOON = 1_700_049_600.0


@pytest.fixture
def school(ticking_school: School) -> School:
    return ticking_school


def looked(school: School, rules: Rules = Rules(), model: str = "zombies") -> list[Symptom]:  # noqa: B008
    shelved = school.service.catalogue().model(model)
    return list(rot.look(Visit(school.service, shelved, rules, school.service.clock())))


def taught(school: School, count: int, **how: object) -> list[Prediction]:
    """Teach a few at a time, as traffic comes."""
    made = []
    for seed in range(count // 10):
        made += school.taught(10, **{"seed": 100 + seed, **how})  # type: ignore[arg-type]
    return made


def test_mutation_is_found_within_sixty_verdicts_and_is_grave(school: School) -> None:
    taught(school, 150)
    assert looked(school) == []
    first = taught(school, 60, mutated=True)

    found = looked(school)

    fallen = found[0]
    assert [(one.cause, one.kind, one.is_present, one.gravity) for one in found] == [
        ("rot", "rot", True, "grave")
    ] * len(found)
    assert fallen.at <= first[-1].predicted_at + 2
    assert abs(fallen.since - first[0].predicted_at) < 15
    assert fallen.sentence.startswith("v1 is wrong more often: right in ")
    assert "compared: too few to tell broken rows from a changed rule." in fallen.sentence
    assert fallen.evidence["after"]["verdicts"] <= 60
    assert fallen.evidence["kind"] == "unknown"
    assert fallen.advice.startswith("If what sends the rows is broken, mend it. Else: refit it")


def test_verdicts_that_come_all_at_once_are_all_told(school: School) -> None:
    school.taught(300, mutated=True)

    *_, told = looked(school)

    assert (told.is_present, told.evidence["after"]["verdicts"]) == (True, 300)
    assert looked(school) == []


def test_nothing_is_looked_at_twice_and_the_numbers_follow_new_verdicts(school: School) -> None:
    assert looked(school) == []
    taught(school, 100)
    taught(school, 50, mutated=True)
    looked(school)

    again = looked(school)
    taught(school, 10, mutated=True)
    [further] = looked(school)

    assert again == []
    assert further.is_present and further.evidence["after"]["verdicts"] >= 55


def test_few_voters_who_chose_themselves_are_told_of(school: School) -> None:
    taught(school, 100, caller=CROWD)
    taught(school, 50, mutated=True, caller=CROWD)
    school.predicted([{"hunger": 0, "shamble": 0, "groan_pitch": 0, "decay": 0}] * 500)
    while school.service.store.verdicts.count_new(1_000):
        pass

    [*_, found] = looked(school)

    assert "were judged, by people who chose what to judge" in found.sentence


def test_refit_that_is_promoted_begins_anew_and_ends_it_when_it_is_well(
    small_school: School,
) -> None:
    school = small_school
    taught(school, 100)
    taught(school, 300, mutated=True)
    assert looked(school)[-1].is_present
    school.done("refit")
    service = school.service
    service.store.registry.move_alias(
        "zombies", "champion", to="v2", expected="v1", at=service.clock()
    )
    school.caretaker._fill_shelf()

    made = school.predicted([row for row, _ in zombies_of(20, seed=7, mutated=True)])
    first, *others = [one.label for one in made]
    school.judged(made, [OTHER[str(first)], *others])
    early = looked(school)
    taught(school, 60, mutated=True)
    late = [one.is_present for one in looked(school)]

    assert early == []  # Too few to end it, and it is not said of v2 that it has fallen.
    assert late == [False]


def test_fall_below_the_floor_that_a_person_has_set_is_a_finding_of_its_own(
    school: School,
) -> None:
    taught(school, 100)

    [found] = looked(school, Rules(least_accuracy=0.999))
    above = looked(school, Rules(least_accuracy=0.5))
    silent = looked(school, Rules(least_accuracy=0.5))

    assert (found.cause, found.is_present, found.gravity) == ("rot-floor", True, "grave")
    assert found.sentence.startswith("v1 is below its floor of 99.9 %: right in ")
    assert [(one.cause, one.is_present) for one in above] == [("rot-floor", False)]
    assert silent == []


def test_model_that_is_rotten_from_the_start_is_held_against_its_holdout(school: School) -> None:
    taught(school, 60, mutated=True)

    found = looked(school)[0]

    assert found.evidence["is_from_start"] is True
    assert "its test set promised" in found.sentence


def test_verdicts_that_were_long_on_their_way_are_looked_at(school: School) -> None:
    """The newest is the same then as at the look before."""
    moments = [NOON + 60.0 * minute for minute in range(20)]
    judged_at(school, moments, seed=100)
    judged_at(school, [NOON + 3_600.0], seed=300, mutated=True)
    assert looked(school) == []

    late = [NOON + 3_600.0 - 10.0 * number for number in range(1, 9)]
    judged_at(school, late, seed=400, mutated=True)

    assert looked(school)[-1].is_present


def test_rule_that_is_off_looks_at_nothing(school: School) -> None:
    taught(school, 60, mutated=True)

    assert looked(school, Rules(rot=False)) == []


# ── history, whose word, rollback ────────────────────────────────────────────────────────────


def judged_at(school: School, moments: list[float], *, seed: int, mutated: bool = False) -> None:
    """Let zombies be predicted and judged, ten at a time, at moments of the past."""
    for number, moment in enumerate(moments):
        school.service.clock.now = moment  # type: ignore[attr-defined]
        school.taught(10, seed=seed + number, mutated=mutated)


def test_history_is_gone_through_in_its_own_time(school: School) -> None:
    hours = [NOON + hour * 3_600.0 for hour in range(5 * 24)]
    judged_at(school, hours[:60], seed=100)
    judged_at(school, hours[60:84], seed=300, mutated=True)
    judged_at(school, hours[84:], seed=500)

    found = looked(school)

    fallen, over = found[0], found[-1]
    assert (fallen.is_present, over.is_present) == (True, False)
    assert abs(fallen.since - hours[60]) <= 3_600 and fallen.at - hours[60] <= 6 * 3_600
    assert hours[84] <= over.at <= hours[84] + 24 * 3_600
    assert over.sentence.startswith("It is over: v1 is healthy again, right in ")
    assert looked(school) == []


def test_one_visitors_word_is_a_note_until_a_judge_confirms_it(school: School) -> None:
    taught(school, 150)
    taught(school, 60, mutated=True, caller=CROWD)

    [*_, found] = looked(school)

    assert found.gravity == "note"
    assert found.sentence.startswith("One visitor says that v1 is wrong more often; no ")
    assert "surely" not in found.sentence
    told = found.evidence["whose"]
    assert (told["trusted"], told["subjects"], told["largest"]) == (0, 1, told["verdicts"])
