"""Two versions side by side, counted by hand."""

from __future__ import annotations

import pytest
from sklearn.metrics import confusion_matrix

from tests.learn.gate.answers import NUMBERS, TWO, answered, off_by
from unrot.core.records import Answered, Outputs, Schema
from unrot.learn.side_by_side import ClassRecall, compare

TRUTH = ["no"] * 6 + ["yes"] * 4
FIRST = [True] * 5 + [False] + [True, True, False, False]
SECOND = [True] * 4 + [False, True] + [True, True, True, True]


def test_two_versions_are_counted_side_by_side() -> None:
    both = compare(TWO, answered(FIRST, TRUTH), answered(SECOND, TRUTH))

    assert (both.rows, both.agreement, both.apart) == (10, 0.6, None)
    assert (both.first_score, both.second_score) == (0.7, 0.9)
    assert (both.first_only_right, both.second_only_right) == (1, 3)
    assert both.chance == pytest.approx(10 / 16)  # 2 · (1 + 4) / 2^4
    assert both.places == (4, 5, 8, 9)
    assert both.first_confusion == ((5, 1), (2, 2))
    assert both.second_confusion == ((5, 1), (0, 4))
    assert both.recalls == (ClassRecall("no", 6, 5 / 6, 5 / 6), ClassRecall("yes", 4, 0.5, 1.0))


def test_confusion_is_that_of_scikit_learn() -> None:
    three = Schema((), "kind", ("a", "b", "c"))
    truth, classes = list("abcabcaab"), [0, 2, 2, 1, 1, 0, 0, 0, 1]
    side = Answered([[]] * 9, truth, Outputs(classes=classes))

    both = compare(three, side, side)

    said = [three.classes[place] for place in classes]
    assert [list(row) for row in both.first_confusion] == confusion_matrix(truth, said).tolist()
    assert (both.agreement, both.chance, both.places) == (1.0, 1.0, ())


def test_numbers_are_compared_by_who_comes_closer() -> None:
    both = compare(NUMBERS, off_by([0.0, 1.0, 3.0, 2.0]), off_by([0.0, 2.0, -0.5, 1.0]))

    assert (both.agreement, both.apart) == (0.25, (0 + 1 + 3.5 + 1) / 4)
    assert (both.first_score, both.second_score) == (1.5, 0.875)
    assert (both.first_only_right, both.second_only_right, both.chance) == (1, 2, 1.0)
    assert both.places == (2, 1, 3)
    assert (both.first_confusion, both.recalls) == ((), ())


def test_no_rows_compare_to_nothing() -> None:
    both = compare(TWO, answered([]), answered([]))

    assert (both.rows, both.agreement, both.first_score, both.recalls) == (0, None, None, ())


def test_answers_to_different_rows_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="longer than"):
        compare(TWO, answered([True]), answered([True, True]))
