"""Why a model has fallen, asked through the real service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.learning_model import CROWD, OTHER, School, zombies_of
from tests.watch.monitors.conftest import Clock
from unrot.core.records import (
    Caller,
    Feedback,
    JudgedPrediction,
    Outputs,
    Prediction,
    Schema,
    Symptom,
)
from unrot.core.rules import Rules
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.run.bootstrap import open_service
from unrot.watch.monitors.rot import look as rot
from unrot.watch.monitors.rot.cause import look as cause
from unrot.watch.monitors.rot.cause.look import Replay, Span
from unrot.watch.visit import Visit

Break = Callable[[Mapping[str, float]], dict[str, float]]


@pytest.fixture
def school(ticking_school: School) -> School:
    return ticking_school


def as_it_is(row: Mapping[str, float]) -> dict[str, float]:
    return dict(row)


def swapped(row: Mapping[str, float]) -> dict[str, float]:
    return {**row, "hunger": row["shamble"], "shamble": row["hunger"]}


def with_wrong_sign(row: Mapping[str, float]) -> dict[str, float]:
    return {**row, "shamble": -row["shamble"]}


def in_other_units(row: Mapping[str, float]) -> dict[str, float]:
    return {**row, "hunger": 4.0 - 2.5 * row["hunger"], "shamble": 4.0 - 2.5 * row["shamble"]}


def stuck(row: Mapping[str, float]) -> dict[str, float]:
    return {**row, "hunger": 0.0, "shamble": 0.0}


def sent(
    school: School, count: int, *, seed: int, broken: Break = as_it_is, flipped: bool = False
) -> None:
    """Let zombies be predicted as a client sends them, ten at a time, and judged by the truth."""
    drawn = zombies_of(count, seed=seed)
    for start in range(0, count, 10):
        part = drawn[start : start + 10]
        made = school.predicted([broken(row) for row, _ in part])
        school.judged(made, [OTHER[truth] if flipped else truth for _, truth in part])


def told(school: School) -> Symptom:
    shelved = school.service.catalogue().model("zombies")
    return list(rot.look(Visit(school.service, shelved, Rules(), school.service.clock())))[-1]


def test_flipped_rule_with_unchanged_inputs_is_concept_drift(school: School) -> None:
    sent(school, 200, seed=1)
    sent(school, 160, seed=2, flipped=True)

    found = told(school)

    assert (found.evidence["kind"], found.features) == ("concept", ())
    assert "lie and hang together as before (160 rows beside 200)" in found.sentence
    assert "what is right has changed, concept drift." in found.sentence


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (swapped, "The rows look broken: with hunger and shamble swapped back v1 is right in "),
        (with_wrong_sign, "The rows look broken: with the sign of shamble turned back v1"),
        (
            stuck,
            "The rows look broken: hunger is 0 in 100 % of those since, before in 0 %, "
            "shamble is 0",
        ),
    ],
)
def test_broken_rows_are_named_and_never_called_concept_drift(
    school: School, broken: Break, said: str
) -> None:
    sent(school, 200, seed=1)
    sent(school, 160, seed=2, broken=broken)

    found = told(school)

    assert found.evidence["kind"] == "broken rows"
    assert said in found.sentence
    assert found.advice.startswith("Mend what sends these rows: ") and "efit" not in found.advice


def test_few_rows_tell_nothing_and_more_are_asked_again(school: School) -> None:
    sent(school, 200, seed=1)
    sent(school, 90, seed=2, broken=with_wrong_sign)
    few = told(school)
    sent(school, 120, seed=3, broken=with_wrong_sign)

    more = told(school)

    assert few.evidence["kind"] == "unknown"
    assert (
        "rows since were compared: too few to tell broken rows from a changed rule." in few.sentence
    )
    assert more.evidence["kind"] == "broken rows"


def test_model_that_was_never_right_is_held_against_its_holdout(school: School) -> None:
    sent(school, 160, seed=2, flipped=True)

    found = told(school)

    assert found.evidence["is_from_start"] is True
    assert found.evidence["kind"] == "concept"
    assert "lie and hang together as in its test set (160 rows beside " in found.sentence
    assert " of that), and no swapped column" in found.sentence


def test_rows_that_nobody_judged_before_the_first_verdicts_stand_for_no_better_time(
    school: School,
) -> None:
    sent(school, 10, seed=1)
    for start in range(0, 400, 10):
        school.predicted([row for row, _ in zombies_of(400, seed=4, mutated=True)[start:][:10]])
    for seed in range(20, 36):
        school.taught(10, seed=seed, mutated=True)

    found = told(school)

    assert found.evidence["kind"] == "data"
    assert "data drift" in found.sentence


def test_verdicts_that_come_late_are_explained_by_the_rows_of_their_time(school: School) -> None:
    sent(school, 200, seed=1)
    waiting = [
        (school.predicted([in_other_units(row)]), truth) for row, truth in zombies_of(200, seed=4)
    ]
    for row, _ in zombies_of(600, seed=5):
        school.predicted([row])
    for made, truth in waiting:
        school.judged(made, [truth])

    found = told(school)

    assert found.evidence["kind"] == "data"
    assert "Its inputs moved too" in found.sentence


def test_rows_are_compared_to_the_end_of_the_second_that_a_verdict_knows(school: School) -> None:
    sent(school, 200, seed=1)
    clock: Any = school.service.clock
    clock.now += 0.5
    drawn = zombies_of(160, seed=2)
    made = school.predicted([row for row, _ in drawn])
    school.judged(made, [OTHER[truth] for _, truth in drawn])

    assert told(school).evidence["kind"] == "concept"


def test_one_visitors_word_has_no_cause_and_teaches_nothing(school: School) -> None:
    sent(school, 200, seed=1)
    for seed in range(2, 18):
        drawn = zombies_of(10, seed=seed)
        made = school.predicted([row for row, _ in drawn])
        one = CROWD if seed % 5 else Caller(subject="another")
        school.judged(made, [OTHER[truth] for _, truth in drawn], one)

    found = told(school)

    assert found.sentence.startswith("Mostly one visitor says that v1 is wrong more often; no ")
    assert "by 2 visitors" in found.sentence and "concept" not in found.sentence
    assert found.evidence["kind"] == "unknown"
    assert found.advice.startswith("Let a judge go through an audit before anything is learnt")


def test_what_was_found_is_noted_until_there_is_a_third_more(school: School) -> None:
    sent(school, 200, seed=1)
    sent(school, 160, seed=2, flipped=True)
    first = told(school)
    noted = school.service.store.findings.standpoint("zombies", cause.MONITOR)
    kept = {**noted, "told": {"kind": "unknown", "features": [], "sentence": "As it was noted."}}
    school.service.store.findings.stand("zombies", cause.MONITOR, kept)

    sent(school, 10, seed=3, flipped=True)
    soon = told(school)
    sent(school, 100, seed=4, flipped=True)
    later = told(school)

    assert first.evidence["kind"] == later.evidence["kind"] == "concept"
    assert "As it was noted." in soon.sentence


def test_rows_are_held_against_those_of_the_same_hours(settings: Settings) -> None:
    clock = Clock()
    service = replace(open_service(settings), clock=clock)
    school, noon = School(service), clock.now
    zeros = dict.fromkeys(zombies.SCORES, 0.0)
    for hours, hunger in ((-24, 1.0), (-12, 2.0), (0, 3.0)):
        clock.now = noon + hours * 3_600
        school.predicted([{**zeros, "hunger": hunger}] * 120)
    span = Span(0.0, noon, noon + 600, frozenset({"v1"}), 120)
    visit = Visit(service, service.catalogue().model("zombies"), Rules(), noon)

    rows = cause._before(visit, span, 120)
    newest = cause._before(visit, replace(span, begins_at=noon - 50_000), 120)

    assert [{row[0] for row in rows}, {row[0] for row in newest}] == [{1.0}, {2.0}]
    service.store.close()


# ── the champion, asked once more ────────────────────────────────────────────────────────────


class Logarithm:
    """Cannot answer what is not above zero, as an owner's pipeline."""

    def predict(self, rows: Any) -> Outputs:
        if any(row[0] <= 0 for row in rows):
            raise ValueError("no logarithm")
        return Outputs(values=[float(np.log(row[0])) for row in rows])


def test_rows_that_cannot_be_answered_have_no_answer() -> None:
    replay = Replay(Logarithm(), Schema((), "y"))

    answers = replay.answers([[1.0], [-1.0], [1.0]])

    assert answers[[0, 2]].tolist() == [0.0, 0.0] and np.isnan(answers[1])
    assert replay.answers([]).tolist() == []


def a_verdict(**said: Any) -> JudgedPrediction:
    made = Prediction("p", "m", "v1", 1.0, [1.0], "a", None, None)
    return JudgedPrediction(made, Feedback("p", "m", 1.0, 2.0, **said))


@pytest.mark.parametrize(
    ("classes", "said", "truth"),
    [
        ("ab", {"was_correct": True}, [0.0]),
        ("ab", {"was_correct": False}, [1.0]),
        ("abc", {"was_correct": False}, [np.nan]),
        ("abc", {"was_correct": False, "label": "c"}, [2.0]),
        ("abc", {"comment": "well"}, []),
    ],
)
def test_verdict_says_what_is_true_or_only_that_it_is_wrong(
    classes: str, said: dict[str, Any], truth: list[float]
) -> None:
    replay = Replay(Logarithm(), Schema((), "y", tuple(classes)))

    found = replay.judged([a_verdict(**said)])

    assert np.array_equal(found.truth, truth, equal_nan=True)
    assert found.answered.tolist() == [0.0] * len(truth)
