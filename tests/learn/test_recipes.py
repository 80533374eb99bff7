"""What a refit may be made of, and that the right way wins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from tests.hear.verdicts import NUMBERS, TWO, example
from unrot.core.records import Example, Lesson, Outputs, Schema
from unrot.learn.recipes import (
    Fold,
    choose_recipe,
    draft_recipes,
    leave_out,
    part_into_folds,
    run_race,
)
from unrot.make.demos.zombies import CLASSES, population

MANY = [
    example(f"{place:03}", "yes" if place % 3 else "no", at=float(place), is_trusted=place < 40)
    for place in range(90)
]


def recipes(examples: list[Example], **more: float) -> list[str]:
    return [draft.recipe for draft in draft_recipes(examples, TWO, seed=0, **more)]


def test_verdicts_alone_are_a_recipe_once_there_are_enough() -> None:
    few_of_no = [one for one in MANY if one.label == "yes"] + MANY[:12:3]

    assert recipes(MANY) == ["training and verdicts", "older rows fading", "verdicts alone"]
    assert recipes(MANY[:49]) == ["training and verdicts", "older rows fading"]
    assert recipes(few_of_no) == ["training and verdicts", "older rows fading"]
    assert recipes(MANY, since=45.0) == ["training and verdicts", "older rows fading"]


def test_verdicts_alone_are_those_since_the_world_moved() -> None:
    *_, alone = draft_recipes(MANY, TWO, seed=0, since=30.0)

    assert [one.prediction for one in alone.examples] == [f"{place:03}" for place in range(30, 90)]
    assert alone.training_weight == 0.0


def test_older_rows_fade_by_half_for_each_half_of_the_span() -> None:
    examples = [example("a", at=0.0), example("b", at=50.0, weight=0.2), example("c", at=100.0)]

    together, fading = draft_recipes(examples, TWO, seed=0, training_weight=0.4)

    assert [one.weight for one in together.examples] == [1.0, 0.2, 1.0]
    assert [one.weight for one in fading.examples] == [0.25, 0.1, 1.0]
    assert (together.training_weight, fading.training_weight) == (0.4, 0.05)


def test_folds_part_all_verdicts_and_each_class_among_them() -> None:
    folds = part_into_folds(MANY, TWO, seed=1)

    assert sorted(name for fold in folds for name in fold.held) == [f"{n:03}" for n in range(90)]
    labels = {one.prediction: one.label for one in MANY}
    assert [sum(labels[name] == "no" for name in fold.held) for fold in folds] == [6] * 5
    assert folds == part_into_folds(MANY[::-1], TWO, seed=1)
    assert folds != part_into_folds(MANY, TWO, seed=2)


def test_only_trusted_rows_are_scored_where_there_are_enough() -> None:
    trusted = part_into_folds(MANY, TWO, seed=0)
    recent = part_into_folds(MANY, TWO, seed=0, since=20.0)

    assert sum(len(fold.scored) for fold in trusted) == 40
    assert all(one.is_trusted for fold in trusted for one in fold.scored)
    assert sum(len(fold.scored) for fold in recent) == 0  # 20 trusted ones are too few


def test_recipes_are_scored_on_no_row_that_was_asked_for() -> None:
    asked = [replace(one, asked=int(one.prediction) % 4 == 0) for one in MANY]
    scored = [one for fold in part_into_folds(asked, TWO, seed=0) for one in fold.scored]

    left = [one for one in MANY if one.is_trusted and int(one.prediction) % 4]
    assert sorted(one.prediction for one in scored) == [one.prediction for one in left]
    assert 0 < len(left) < 40


def test_too_few_verdicts_have_no_folds() -> None:
    assert part_into_folds(MANY[:1], TWO, seed=0) == []
    assert [len(fold.held) for fold in part_into_folds(MANY[:3], TWO, seed=0)] == [1, 1, 1]


def test_no_recipe_learns_what_it_is_scored_on() -> None:
    for draft in draft_recipes(MANY, TWO, seed=0):
        for fold in part_into_folds(MANY, TWO, seed=0):
            learnt = {one.prediction for one in leave_out(draft, fold).examples}

            assert not learnt & {one.prediction for one in fold.scored}
            assert learnt | fold.held == {one.prediction for one in MANY}


DRAFTS = [
    Lesson("refit", 0, recipe=name, training_weight=weight)
    for name, weight in (("together", 1.0), ("fading", 0.1), ("alone", 0.0))
]


def test_recipe_that_leads_significantly_is_chosen_and_the_table_tells_all() -> None:
    scores = [0.83, 0.9, 0.94]

    choice = choose_recipe(TWO, DRAFTS, scores, training_rows=100, dropped={0, 1})

    assert choice.lesson == DRAFTS[2]
    assert choice.sentence == "Alone won with 94 % right, 4 points ahead of fading."
    assert [row["rows"] for row in choice.table] == [100, 100, 0]
    assert [row["behind"] for row in choice.table] == pytest.approx([0.11, 0.04, 0.0])
    assert [row["is_chosen"] for row in choice.table] == [False, False, True]


def test_smallest_error_is_chosen_for_numbers() -> None:
    choice = choose_recipe(NUMBERS, DRAFTS, [3.0, 2.5, 4.0], training_rows=0, dropped={0, 2})

    assert choice.sentence == "Fading won with an error of 2.5, 0.5 ahead of together."


@pytest.mark.parametrize(
    ("scores", "dropped", "chosen", "sentence"),
    [
        (
            [0.9, 0.92, 0.8],
            set(),
            "together",
            "Together, the safest recipe, stays with 90 % right: fading reaches 92 % right, "
            "which is no significant lead.",
        ),
        (
            [0.8, 0.9, 0.92],
            {0},
            "fading",
            "Fading, the safest of the best, is taken with 90 % right: alone reaches 92 % "
            "right, which is no significant lead.",
        ),
        (
            [None, None, None],
            set(),
            "together",
            "Together, the safest recipe: fewer than 30 verdicts of judges may be learnt from, "
            "and recipes are not chosen by verdicts that nobody trusts.",
        ),
    ],
)
def test_safest_recipe_is_taken_unless_another_leads_significantly(
    scores: list[float | None], dropped: set[int], chosen: str, sentence: str
) -> None:
    choice = choose_recipe(TWO, DRAFTS, scores, training_rows=0, dropped=dropped)

    assert (choice.lesson.recipe, choice.sentence) == (chosen, sentence)


def test_older_rows_fade_first_once_judges_have_shown_that_the_world_has_moved() -> None:
    drafts = draft_recipes(MANY, TWO, seed=0)

    choice = choose_recipe(TWO, drafts, [None] * 3, training_rows=0, has_moved=True)

    assert choice.lesson.recipe == "older rows fading"


def test_crowd_never_chooses_a_recipe() -> None:
    """Not one of 450 verdicts is trusted: nothing is scored, so nothing can win."""
    crowd = [example(f"{place:03}", "yes" if place % 2 else "no") for place in range(450)]
    crowd = [replace(one, is_trusted=False) for one in crowd]

    assert [fold.scored for fold in part_into_folds(crowd, TWO, seed=0)] == [()] * 5


# ── on zombies, with a tree ──────────────────────────────────────────────────────────────────

SCHEMA = Schema((), "temper", CLASSES)


def fitted(draft: Lesson) -> DecisionTreeClassifier:
    old = population()
    rows = [one.row for one in draft.examples]
    labels = [one.label for one in draft.examples]
    weights = [one.weight for one in draft.examples]
    if draft.training_weight:
        rows, labels = [*rows, *old.rows.tolist()], [*labels, *old.labels.tolist()]
        weights += [draft.training_weight] * len(old.rows)
    return DecisionTreeClassifier(max_depth=6, random_state=0).fit(
        np.array(rows), labels, sample_weight=weights
    )


def answers(tree: DecisionTreeClassifier, rows: list[list[float]]) -> Outputs:
    return Outputs(classes=[CLASSES.index(label) for label in tree.predict(np.array(rows))])


@pytest.mark.parametrize(
    ("mutated", "winners"),
    [(True, {"verdicts alone"}), (False, {"training and verdicts", "older rows fading"})],
)
def test_recipe_that_suits_the_world_wins_on_zombies(mutated: bool, winners: set[str]) -> None:
    drawn = population(mutated=mutated)
    examples = [
        Example(f"{place:03}", row, str(label), 1.0, True, "", float(place), float(place))
        for place, (row, label) in enumerate(
            zip(drawn.traffic_rows[:350].tolist(), drawn.traffic_labels[:350], strict=True)
        )
    ]
    drafts = draft_recipes(examples, SCHEMA, seed=0)
    folds = part_into_folds(examples, SCHEMA, seed=0)

    def answer(draft: Lesson, fold: Fold) -> Outputs:
        return answers(fitted(leave_out(draft, fold)), [one.row for one in fold.scored])

    race = run_race(SCHEMA, drafts, folds, answer, lambda *_: None)
    choice = choose_recipe(SCHEMA, drafts, race.scores, training_rows=2000, dropped=race.dropped)

    assert choice.lesson.recipe in winners
    fresh = fitted(choice.lesson).score(drawn.holdout_rows, drawn.holdout_labels)
    others = [fitted(draft).score(drawn.holdout_rows, drawn.holdout_labels) for draft in drafts]
    assert fresh > max(others) - 0.01
    assert fresh >= 0.9
