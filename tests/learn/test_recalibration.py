"""A refit that recalibrates: where probabilities are off, where not, and what comes after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline

from tests.hear.verdicts import TWO, example
from tests.learning_model import CROWD, School, zombies_of
from unrot.core.records import Calibrating, Crossed, Lesson, Outputs
from unrot.learn import promote
from unrot.learn.recalibration import squares, stay_recalibrated, weigh_recalibration
from unrot.learn.recipes import Choice
from unrot.make import recalibrated
from unrot.make.demos.zombies import CLASSES
from unrot.watch.monitors.estimate import calibration

Open = Callable[[str], School]
SURE = "tests.learn.test_recalibration:too_sure"


def too_sure() -> Any:
    """Make a naive Bayes that is told each feature twenty times."""
    again = [(f"again_{number}", "passthrough", [0, 1, 2, 3]) for number in range(20)]
    return Pipeline([("again", ColumnTransformer(again)), ("bayes", GaussianNB())])


def on_fresh_rows(school: School, version: str) -> calibration.Calibration:
    """Measure the probabilities of a version on zombies that nobody has seen."""
    drawn = zombies_of(2_000, seed=77)
    made = school.predicted([row for row, _ in drawn], version=version)
    chances = np.array([list(one.probabilities or ()) for one in made])
    is_true = np.array([[name == truth for name in CLASSES] for _, truth in drawn])
    return calibration.learn(
        Calibrating(
            sure=chances.max(axis=1).tolist(),
            right=[one.label == truth for one, (_, truth) in zip(made, drawn, strict=True)],
            squares=np.sum((chances - is_true) ** 2, axis=1).tolist(),
            scores=[0.0] * len(drawn),
        )
    )


def test_model_that_is_too_sure_is_recalibrated_and_nearer_to_the_truth(open_school: Open) -> None:
    school = open_school(SURE)
    school.taught(1_000)

    told = school.done("refit")

    second = school.service.version("zombies", "v2")
    before, after = (on_fresh_rows(school, name) for name in ("v1", "v2"))
    assert before.ece is not None and after.ece is not None
    assert before.brier is not None and after.brier is not None
    assert after.ece.high < before.ece.low
    assert after.brier.value < before.brier.value - 0.02
    assert (told["recipe"], told["gate"]) == ("training and verdicts, recalibrated", "passed")
    assert [row["name"] for row in told["recipes"] if row["is_chosen"]] == [told["recipe"]]
    assert [row["brier_score"] is None for row in told["recipes"]] == [False, False, True, True]
    rows = f"{told['recipes'][1]['rows']:,} rows"
    assert second.made["recalibrated"] == f"isotonic regression on {rows}"
    assert second.serving.by == "onnx"
    assert second.made["answers_explained"] == ("by sampling: its probabilities were recalibrated")


def test_recalibrated_champion_learns_on_stays_so_and_is_rebuilt(open_school: Open) -> None:
    school = open_school(SURE)
    school.taught(1_000)
    school.done("refit")
    promote.promote(school.service, "zombies", "v2")
    school.taught(100, seed=5)

    for kind, asked in (("learn", {}), ("refit", {}), ("rebuild", {"version": "v2"})):
        school.done(kind, **asked)

    second, third, fourth = school.service.versions("zombies")[1:4]
    assert third.made["recalibrated"] == second.made["recalibrated"]
    assert school.answers("v3") != school.answers("v2")
    assert fourth.made["recipe"] == "training and verdicts, recalibrated"
    assert "It stays recalibrated" in fourth.made["chosen"]
    assert school.answers("v5") == school.answers("v2")


def test_model_that_is_as_right_as_it_is_sure_is_left_as_it_was_fitted(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(1_000)

    told = school.done("refit")

    assert told["recipe"] == "training and verdicts"
    assert "It is not recalibrated: a Brier score of" in told["chosen"]
    assert "recalibrated" not in school.service.version("zombies", "v2").made


def test_nothing_is_recalibrated_where_no_error_is_sure(open_school: Open) -> None:
    """The interval of the error of v2 on its 1,000 rows begins at 0: there is nothing to mend."""
    school = open_school("sgd")
    school.taught(1_000)
    school.done("refit")
    promote.promote(school.service, "zombies", "v2")

    told = school.done("refit")

    assert [row for row in told["recipes"] if "brier_score" in row] == []


# ── how it is decided ────────────────────────────────────────────────────────────────────────

ROWS = [example(f"{place:03}", "yes" if place % 4 else "no") for place in range(200)]
SCORED = {one.prediction for one in ROWS[:100]}
PLAIN = Choice(
    Lesson("refit", 0, recipe="together"),
    "Together won.",
    [
        {"name": "together", "score": 0.75, "behind": 0.0, "is_chosen": True},
        {"name": "alone", "score": 0.7, "behind": 0.05, "is_chosen": False},
    ],
)


def says(chance: float) -> Outputs:
    """Answer the rows that are scored by one chance of yes, and the others by none."""
    chances = [[1 - chance, chance]] * 100 + [[1.0, 0.0]] * 100
    return Outputs([int(yes > 0.5) for _, yes in chances], chances)


@pytest.mark.parametrize(
    ("chance", "without", "stays", "recipe"),
    [
        (0.75, 0.999, False, "together, recalibrated"),
        (0.999, 0.75, False, "together"),
        (0.76, 0.75, False, "together"),
        (0.45, 0.999, False, "together"),  # nearer by Brier, and wrong where it was right
        (0.76, 0.75, True, "together, recalibrated"),
        (0.999, 0.75, True, "together"),
    ],
)
def test_recalibrated_is_taken_by_a_significant_brier_score_alone(
    chance: float, without: float, stays: bool, recipe: str
) -> None:
    crossed = Crossed(ROWS, says(without), says(chance))

    made = weigh_recalibration(TWO, PLAIN, crossed, SCORED, stays=stays)

    assert (made.lesson.recipe, made.lesson.recalibrates) == (recipe, "," in recipe)
    assert [row["name"] for row in made.table if row["is_chosen"]] == [recipe]
    briers = [2 * ((1 - p) ** 2 * 0.75 + p**2 * 0.25) for p in (without, chance)]
    assert [row["brier_score"] for row in made.table] == [*map(pytest.approx, briers), None]


def test_crowd_that_nobody_trusts_brings_no_calibration(open_school: Open) -> None:
    school = open_school(SURE)
    school.taught(300, caller=CROWD)

    told = school.done("refit")

    assert told["recipe"] == "training and verdicts"
    assert "recalibrated" not in told["chosen"]


def test_calibration_stays_where_nobody_may_speak_against_it() -> None:
    again = stay_recalibrated(PLAIN)

    assert again.lesson.recalibrates
    assert again.sentence == "Together won. It stays recalibrated, as the champion is."
    assert [row["name"] for row in again.table if row["is_chosen"]] == [again.lesson.recipe]


def test_recipe_that_cannot_be_recalibrated_says_so(
    open_school: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalibrated, "FEWEST_OF_CLASS", 10_000)
    school = open_school(SURE)
    school.taught(1_000)

    told = school.done("refit")

    assert told["recipe"] == "training and verdicts"
    assert told["chosen"].endswith("It cannot be recalibrated: a class has too few rows.")


def test_brier_score_is_the_squared_distance_from_the_truth() -> None:
    outputs = Outputs([1, 0], [[0.2, 0.8], [0.9, 0.1]])

    found = squares(TWO, [example("a", "yes"), example("b", "yes")], outputs)

    assert found.tolist() == pytest.approx([0.08, 1.62])
