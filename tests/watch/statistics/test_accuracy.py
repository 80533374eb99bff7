"""Shares with intervals, classes, errors and slices, held against scikit-learn and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import (
    confusion_matrix,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    root_mean_squared_error,
)

from unrot.core.records import Errors, Outcome, Window
from unrot.core.windows import added, total
from unrot.watch.reports.accuracy_by_feature import FEWEST, MISSING, OTHER, sliced
from unrot.watch.statistics import accuracy
from unrot.watch.statistics.accuracy import classes, constant, errors_of, rolled, scored, share

LABELS = ["ant", "bee", "cow"]


@pytest.mark.parametrize(("right", "count"), [(0, 1), (9, 10), (50, 50), (450, 1_000)])
def test_interval_is_wilsons(right: int, count: int) -> None:
    found = share(right, count)

    expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert found.value == right / count
    assert abs(found.low - expected.low) < 1e-9 and abs(found.high - expected.high) < 1e-9


def test_share_of_nothing_may_be_anything() -> None:
    assert share(0, 0) == accuracy.Share(0, 0, None, 0.0, 1.0)


def test_classes_are_told_as_scikit_learn_tells_them() -> None:
    chance = np.random.default_rng(3)
    truth = chance.choice(LABELS, 300, p=[0.6, 0.3, 0.1])
    guess = np.where(chance.random(300) < 0.7, truth, chance.choice(LABELS, 300))
    confusion: dict[str, dict[str, int]] = {}
    for one, true in zip(guess.tolist(), truth.tolist(), strict=True):
        row = confusion.setdefault(one, {})
        row[true] = row.get(true, 0) + 1

    found = classes(confusion, LABELS)

    expected = np.array(precision_recall_fscore_support(truth, guess, labels=LABELS))
    told = [[one.precision, one.recall, one.f1, one.support] for one in found]
    assert np.allclose(np.array(told, dtype=float).T, expected)
    cells = confusion_matrix(truth, guess, labels=LABELS)
    for place, one in enumerate(found):
        others = np.delete(cells, place, axis=0)
        assert one.specificity == 1 - others[:, place].sum() / others.sum()
    assert constant(confusion).right == max((truth == label).sum() for label in LABELS)


def test_class_that_nobody_saw_has_no_shares_and_a_stranger_stands_last() -> None:
    found = classes({"ant": {"elk": 2}}, ["ant", "bee"])

    assert [one.label for one in found] == ["ant", "bee", "elk"]
    assert (found[1].precision, found[1].recall, found[1].f1) == (None, None, None)
    assert (found[0].precision, found[2].recall) == (0.0, 0.0)


def test_errors_are_those_of_scikit_learn() -> None:
    chance = np.random.default_rng(4)
    truth = chance.normal(10, 3, 100)
    guess = truth + chance.normal(0, 1, 100)
    outcomes = [
        Outcome(f"p{at}", "v1", at, at, error=float(one - true), truth=float(true))
        for at, (one, true) in enumerate(zip(guess, truth, strict=True))
    ]

    found = scored(errors_of(outcomes))

    assert found.count == 100 and found.mae and found.rmse and found.r2 and found.constant_rmse
    assert abs(found.mae - mean_absolute_error(truth, guess)) < 1e-9
    assert abs(found.rmse - root_mean_squared_error(truth, guess)) < 1e-9
    assert abs(found.r2 - r2_score(truth, guess)) < 1e-9
    assert abs(found.constant_rmse - truth.std()) < 1e-9
    assert scored(Errors()) == accuracy.Scored(0)


def test_every_point_rolls_over_the_last_verdicts_up_to_its_own() -> None:
    rights = [True, True, False, True, False, False]
    outcomes = [Outcome(f"p{at}", "v1", at, at + 0.5, one) for at, one in enumerate(rights)]

    points = rolled(outcomes, last=3, most=4)

    assert [(one.at, one.accuracy.right, one.accuracy.count) for one in points] == [
        (2.5, 2, 3),
        (3.5, 2, 3),
        (4.5, 1, 3),
        (5.5, 1, 3),
    ]


# ── slices ───────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_parted_at_their_quintiles_and_gaps_stand_last() -> None:
    values = [*range(100), None]

    found = sliced(values, [value is not None and value < 20 for value in values])

    assert [(one.label, one.count) for one in found] == [
        ("up to 19.8", 20),
        ("19.8 to 39.6", 20),
        ("39.6 to 59.4", 20),
        ("59.4 to 79.2", 20),
        ("above 79.2", 20),
        (MISSING, 1),
    ]
    assert [one.accuracy.right for one in found] == [20, 0, 0, 0, 0, 0]


def test_choices_are_slices_the_commonest_first_and_rare_ones_are_together() -> None:
    values = ["b"] * 40 + ["a"] * 50 + [f"rare-{number}" for number in range(30)]

    found = sliced(values, [True] * len(values))

    assert [(one.label, one.count) for one in found[:2]] == [("a", 50), ("b", 40)]
    assert (found[-1].label, found[-1].count) == (OTHER, 12)
    assert [one.is_few for one in found[:3]] == [False, False, True]
    assert FEWEST == 30


def test_few_different_numbers_and_yes_and_no_are_choices() -> None:
    assert [one.label for one in sliced([0.0, 1.0, 1.0], [True] * 3)] == ["1", "0"]
    assert [one.label for one in sliced([True, False, True], [True] * 3)] == ["yes", "no"]


def test_errors_of_numbers_are_sliced_by_their_mean() -> None:
    [found] = sliced(["a", "a"], [1.0, 3.0])

    assert (found.mae, found.accuracy.value, found.count) == (2.0, None, 2)


# ── windows add up ───────────────────────────────────────────────────────────────────────────


def test_windows_add_up_in_everything() -> None:
    one = Window(
        7, "elves", "v1", "a", 1, 2, 3, 4, outliers=5, looked_at=6, latency=(1, 2),
        confidence=(3,), judged_confidence=(4,), correct_confidence=(5,),
        confusion={"elf": {"elf": 1}}, rejected={"null": 1}, errors=Errors(1, 2.0, 3.0, 4.0, 5.0),
    )  # fmt: skip
    other = replace(one, minute=6, confusion={"elf": {"orc": 2}, "orc": {"orc": 3}}, rejected={})

    found = total([one, other])

    assert found == Window(
        6, "elves", "", "", 2, 4, 6, 8, outliers=10, looked_at=12, latency=(2, 4),
        confidence=(6,), judged_confidence=(8,), correct_confidence=(10,),
        confusion={"elf": {"elf": 1, "orc": 2}, "orc": {"orc": 3}}, rejected={"null": 1},
        errors=Errors(2, 4.0, 6.0, 8.0, 10.0),
    )  # fmt: skip
    assert added(one) == one
    assert total([]) == Window(0, "", "", "")
