"""Estimated accuracy as the lookout sees it: hours in which a model is less sure than it was."""

from __future__ import annotations

from tests.clock import NOON, Clock
from tests.learning_model import School, zombies_of
from unrot.core.records import Prediction, Symptom
from unrot.core.rules import Rules
from unrot.watch.monitors import leaning
from unrot.watch.monitors.estimate import look as estimate
from unrot.watch.visit import Visit

HOUR = 3_600.0
RULES = Rules(estimate_loss=0.1)


def asked(school: School, count: int, *, unsure: bool = False) -> list[Prediction]:
    """Let zombies be predicted; the unsure ones are those that the model is least sure of."""
    drawn = [row for row, _ in zombies_of(count * (10 if unsure else 1), seed=5)]
    if unsure:
        contents = school.service.catalogue()
        shelved = contents.model("zombies")
        predictor = school.service.shelf.predictor(contents, shelved.version())
        chances = predictor.predict([list(row.values()) for row in drawn]).probabilities or ()
        order = sorted(range(len(drawn)), key=lambda at: max(chances[at]))
        drawn = [drawn[at] for at in order[:count]]
    return school.predicted(drawn)


def looked(school: School, rules: Rules = RULES) -> list[Symptom]:
    shelved = school.service.catalogue().model("zombies")
    return list(estimate.look(Visit(school.service, shelved, rules, school.service.clock())))


def test_hour_of_unsure_answers_is_told_once_it_is_over_and_gone_with_a_sure_one(
    school: School, clock: Clock
) -> None:
    asked(school, 200)
    clock.now = NOON + HOUR
    asked(school, 200, unsure=True)
    clock.now = NOON + 2 * HOUR - 1
    early = looked(school)
    clock.now = NOON + 2 * HOUR + 61
    asked(school, 200)
    [found] = looked(school)
    again = looked(school)
    clock.now = NOON + 4 * HOUR
    [gone] = looked(school)

    assert (early, again) == ([], [])
    assert (found.cause, found.kind, found.is_present) == ("estimate", "estimate", True)
    assert (found.since, found.at) == (NOON + HOUR, NOON + 2 * HOUR)
    assert "This is an estimate: none was judged." in found.sentence
    assert found.evidence["promised"] - found.evidence["estimated"] > 0.1
    assert (gone.is_present, gone.at, gone.since) == (False, NOON + 3 * HOUR, NOON + HOUR)


def test_day_is_taken_as_a_whole_where_hours_have_too_little_traffic(
    school: School, clock: Clock
) -> None:
    for hour in range(3):
        clock.now = NOON + hour * HOUR
        asked(school, 50, unsure=True)
    clock.now = NOON + 86_400

    [found] = looked(school)

    assert (found.since, found.at) == (NOON // 86_400 * 86_400, NOON // 86_400 * 86_400 + 86_400)
    assert found.evidence["predictions"] == 150


def test_verdicts_say_it_better_than_an_estimate(school: School, clock: Clock) -> None:
    asked(school, 200, unsure=True)
    school.taught(40)
    while school.service.store.verdicts.count_new(1_000):
        pass
    clock.now = NOON + 2 * HOUR

    assert looked(school) == []


def test_verdicts_on_one_answer_alone_say_it_no_better(school: School, clock: Clock) -> None:
    hostile = [one for one in asked(school, 200, unsure=True) if one.label == "hostile"]
    school.judged(hostile, ["hostile"] * len(hostile))
    school.service.store.verdicts.count_new(1_000)
    clock.now = NOON + 2 * HOUR
    shelved = school.service.catalogue().model("zombies")
    list(leaning.look(Visit(school.service, shelved, RULES, clock.now, has_news=True)))

    [found] = looked(school)

    said = f"the {len(hostile)} that were judged are of some answers more than of others."
    assert found.sentence.endswith(said)


def test_model_without_a_calibration_and_a_rule_that_is_off_say_nothing(
    school: School, clock: Clock
) -> None:
    asked(school, 200, unsure=True)
    clock.now = NOON + 2 * HOUR
    iris = school.service.catalogue().model("iris")

    assert list(estimate.look(Visit(school.service, iris, RULES, clock.now))) == []
    assert looked(school, Rules(estimate=False)) == []
