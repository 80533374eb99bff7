"""Rot as the lookout sees it, in a small town of real zombies."""

from __future__ import annotations

import pytest

from tests.learning_model import CROWD, OTHER, School, zombies_of
from unrot.core import lineage
from unrot.core.records import AliasMove, Outcome, Prediction, Serving, Symptom, Version
from unrot.core.rules import Rules
from unrot.watch.monitors.rot import look as rot

NOON = 1_700_049_600.0


@pytest.fixture
def school(ticking_school: School) -> School:
    return ticking_school


def looked(school: School, rules: Rules = Rules(), model: str = "zombies") -> list[Symptom]:  # noqa: B008
    shelved = school.service.catalogue().model(model)
    return list(rot.look(school.service, shelved, rules, school.service.clock()))


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
    assert "are too few to tell broken rows from a changed rule." in fallen.sentence
    assert fallen.evidence["after"]["verdicts"] <= 60
    assert fallen.evidence["kind"] == "unknown"
    assert "Refit it" in fallen.advice


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
    assert found.sentence.startswith("v1 is below its floor of 100%: right in ")
    assert [(one.cause, one.is_present) for one in above] == [("rot-floor", False)]
    assert silent == []


def test_model_that_is_rotten_from_the_start_is_held_against_its_holdout(school: School) -> None:
    taught(school, 60, mutated=True)

    found = looked(school)[0]

    assert found.evidence["is_from_start"] is True
    assert "its test set promised" in found.sentence


def test_rule_that_is_off_looks_at_nothing(school: School) -> None:
    taught(school, 60, mutated=True)

    assert looked(school, Rules(rot=False)) == []


# ── which verdicts are of one stream ─────────────────────────────────────────────────────────


def a_version(name: str, parent: str | None, *, is_fresh: bool = False) -> Version:
    made = {lineage.FRESH: True} if is_fresh else {}
    serving = Serving("onnx", "d")
    return Version("zombies", name, parent, "x", "tree", 0.0, {}, {}, "h", {}, serving, made)


VERSIONS = [
    a_version("v1", None),
    a_version("v2", "v1"),
    a_version("v3", "v2", is_fresh=True),
]


def moved(to: str, at: float, reason: str = "") -> AliasMove:
    return AliasMove("champion", None, to, at, reason=reason)


def of(version: str, at: float) -> Outcome:
    return Outcome("p", version, at, at + 1, True)


def test_small_steps_go_on_with_the_stream_of_their_fresh_ancestor() -> None:
    era = rot.era_of(VERSIONS, [moved("v1", 10), moved("v2", 20)], "v2")

    assert (era.line, era.champion, era.since) == (("v1", "v2"), "v2", 0.0)
    assert [era.holds(of(name, 5)) for name in ("v1", "v2", "v3", "imported")] == [
        True,
        True,
        False,
        True,
    ]


def test_fresh_version_begins_a_stream_of_its_own() -> None:
    era = rot.era_of(VERSIONS, [moved("v1", 10), moved("v2", 20), moved("v3", 30)], "v3")

    assert (era.line, era.since) == (("v3",), 30)
    assert era.holds(of("v3", 25)) and not era.holds(of("v2", 35))
    assert era.holds(of("imported", 31)) and not era.holds(of("imported", 29))


def test_version_that_was_rolled_back_to_has_its_own_verdicts_of_before_and_no_others() -> None:
    way = [moved("v1", 10), moved("v3", 20), moved("v1", 30, lineage.as_rollback("worse"))]

    era = rot.era_of(VERSIONS, way, "v1")

    assert (era.line, era.since, era.reigns) == (("v1",), 30, ((0, 20), (30, float("inf"))))
    assert [era.holds(of("v1", at)) for at in (15, 25, 31)] == [True, True, True]
    assert [era.holds(of("imported", at)) for at in (15, 25, 31)] == [True, False, True]
    assert not era.holds(of("v3", 31))


def test_small_step_that_was_taken_back_is_not_of_the_stream() -> None:
    way = [moved("v1", 10), moved("v2", 20), moved("v1", 30, lineage.as_rollback("worse"))]

    era = rot.era_of(VERSIONS, way, "v1")

    assert era.line == ("v1",)
    assert not era.holds(of("v2", 25))


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
    assert over.sentence.startswith("It is over: v1 is well again, right in ")
    assert looked(school) == []


def test_one_visitors_word_is_a_note_until_a_judge_confirms_it(school: School) -> None:
    taught(school, 150)
    taught(school, 60, mutated=True, caller=CROWD)

    [*_, found] = looked(school)

    assert found.gravity == "note"
    assert found.sentence.startswith("One visitor's verdicts say that v1 is wrong more often; no ")
    assert "surely" not in found.sentence
    told = found.evidence["whose"]
    assert (told["trusted"], told["subjects"], told["largest"]) == (0, 1, told["verdicts"])


def test_prediction_of_the_second_of_a_promotion_is_one_after_it() -> None:
    era = rot.era_of(VERSIONS, [moved("v1", 10), moved("v3", 30.27)], "v3")

    assert era.since <= of("v3", 30.0).predicted_at
