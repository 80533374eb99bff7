"""Recipes on the same folds: who leads, who drops out, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hear.verdicts import NUMBERS, TWO, example
from unrot.core.records import Lesson, Outputs
from unrot.learn.recipes import Fold, Race, run_race

FOLD = [example(f"{place:02}", "yes") for place in range(20)]


def right(count: int) -> Outputs:
    """Answer the rows of the fold, the first ones right."""
    return Outputs(classes=[1] * count + [0] * (len(FOLD) - count))


def test_score_is_weighted() -> None:
    rows = [example("a", "yes", weight=1.0), example("b", "yes", weight=0.2)]
    race, numbers = Race(TWO, 2), Race(NUMBERS, 1)

    race.note(0, rows, Outputs(classes=[1, 0]))
    numbers.note(0, [replace(row, label=1.0) for row in rows], Outputs(values=[2.0, 4.0]))

    assert race.scores == [pytest.approx(1 / 1.2), None]
    assert numbers.scores == [pytest.approx((1 + 0.2 * 3) / 1.2)]


def test_recipe_that_is_surely_behind_drops_out_and_keeps_its_score() -> None:
    race = Race(TWO, 3)
    for place, count in enumerate((20, 19, 10)):
        race.note(place, FOLD, right(count))

    race.drop_those_behind()

    # Of 10 rows that only the leader has right the chance is 1/1024, of one 1/2.
    assert (race.running, race.dropped) == ([0, 1], {2})
    assert race.scores == [1.0, 0.95, 0.5]


def test_difference_grows_sure_over_folds() -> None:
    race = Race(TWO, 2)
    for _ in range(3):
        race.note(0, FOLD, right(20))
        race.note(1, FOLD, right(16))
        race.drop_those_behind()

    # 1/16 after the first fold, 1/256 after the second, 1/4096 after the third.
    assert race.running == [0]


def test_more_doubt_is_left_for_the_end() -> None:
    race = Race(TWO, 2)
    race.note(0, FOLD, right(20))
    race.note(1, FOLD, right(14))

    race.drop_those_behind()
    assert race.running == [0, 1]
    race.drop_those_behind(at_the_end=True)

    assert race.running == [0]  # 1/64


def test_numbers_race_by_their_errors() -> None:
    rows = [replace(row, label=float(place)) for place, row in enumerate(FOLD)]
    race = Race(NUMBERS, 2)
    race.note(0, rows, Outputs(values=[place + 1.0 + 0.1 * (place % 2) for place in range(20)]))
    race.note(1, rows, Outputs(values=[place + 0.5 for place in range(20)]))

    race.drop_those_behind()

    assert race.running == [1]


def test_recipe_that_cannot_be_fitted_is_out() -> None:
    race = Race(TWO, 2)
    race.note(0, FOLD, right(10))
    race.note(1, FOLD, None)

    race.drop_those_behind()

    assert (race.running, race.scores) == ([0], [0.5, None])


def test_recipe_that_cannot_be_fitted_costs_the_next_one_no_fold() -> None:
    drafts = [Lesson("refit", 0, FOLD, recipe=name) for name in ("broken", "good", "poor")]
    folds = [Fold(frozenset(), FOLD)] * 2

    race = run_race(
        TWO,
        drafts,
        folds,
        lambda draft, _: None if draft.recipe == "broken" else right(20),
        lambda *_: None,
    )

    assert (race.running, race.dropped) == ([1, 2], {0})
    assert race.scores == [None, 1.0, 1.0]
