"""A report is what scikit-learn makes of the same answers, to the last bit that matters."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    classification_report,
    confusion_matrix,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from unrot.watch.statistics import class_report

CLASSES = ["bat", "cat", "newt", "owl"]


def drawn(classes: int, rows: int = 400) -> tuple[list[int], list[int], list[list[float]]]:
    """Draw a truth, and rounded probabilities, in which there are many ties."""
    chance = np.random.default_rng(classes)
    truth = chance.integers(0, classes, rows)
    scores = np.round(chance.random((rows, classes)) + np.eye(classes)[truth] * 0.4, 1) + 0.05
    chances = scores / scores.sum(axis=1, keepdims=True)
    return truth.tolist(), chances.argmax(axis=1).tolist(), chances.tolist()


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_report_equals_that_of_scikit_learn(classes: int) -> None:
    names = CLASSES[:classes]
    truth, answers, chances = drawn(classes)

    found = class_report.of_classes(names, truth, answers, chances)

    expected = classification_report(
        truth, answers, target_names=names, output_dict=True, zero_division=0
    )
    for line, name in [
        *((line, line.label) for line in found.lines),
        (found.macro, "macro avg"),
        (found.weighted, "weighted avg"),
    ]:
        assert line.support == expected[name]["support"]
        assert [line.precision, line.recall, line.f1] == pytest.approx(
            [expected[name][figure] for figure in ("precision", "recall", "f1-score")], abs=1e-12
        )
    assert found.accuracy == pytest.approx(expected["accuracy"], abs=1e-12)
    assert found.confusion == confusion_matrix(truth, answers).tolist()


def test_specificity_is_the_recall_of_all_other_classes() -> None:
    truth, answers, _ = drawn(3)

    found = class_report.of_classes(CLASSES[:3], truth, answers)

    for place, line in enumerate(found.lines):
        others = classification_report(
            [one != place for one in truth], [one != place for one in answers], output_dict=True
        )
        assert line.specificity == pytest.approx(others["True"]["recall"], abs=1e-12)


def test_area_equals_that_of_scikit_learn_with_ties() -> None:
    truth, answers, chances = drawn(2)

    found = class_report.of_classes(CLASSES[:2], truth, answers, chances)

    assert found.area == pytest.approx(roc_auc_score(truth, [row[1] for row in chances]), abs=1e-12)


def test_area_of_several_classes_is_each_against_the_rest_and_their_mean() -> None:
    truth, answers, chances = drawn(4)

    found = class_report.of_classes(CLASSES, truth, answers, chances)

    each = roc_auc_score(truth, chances, multi_class="ovr", average=None)
    assert [line.area for line in found.lines] == pytest.approx(each.tolist(), abs=1e-12)
    assert found.area == pytest.approx(
        roc_auc_score(truth, chances, multi_class="ovr", average="macro"), abs=1e-12
    )


def test_class_that_never_appears_has_no_line_and_one_never_answered_no_precision() -> None:
    found = class_report.of_classes(CLASSES, [0, 0, 1], [0, 0, 0], [[0.7, 0.1, 0.1, 0.1]] * 3)

    assert [(line.label, line.precision, line.recall) for line in found.lines] == [
        ("bat", 2 / 3, 1.0),
        ("cat", None, 0.0),
    ]
    assert (found.macro.precision, found.constant_guess) == (1 / 3, 2 / 3)
    assert [line.area for line in found.lines] == [0.5, 0.5]


def test_area_of_one_class_alone_or_without_probabilities_is_not_told() -> None:
    assert class_report.of_classes(["no", "yes"], [1, 1], [1, 1], [[0.2, 0.8]] * 2).area is None
    assert class_report.of_classes(["no", "yes"], [0, 1], [1, 1]).area is None


def test_numbers_equal_those_of_scikit_learn() -> None:
    chance = np.random.default_rng(5)
    truth = chance.normal(100, 20, 300)
    answers = truth + chance.normal(1, 5, 300)

    found = class_report.of_numbers(truth.tolist(), answers.tolist())

    assert found.mae == pytest.approx(mean_absolute_error(truth, answers), rel=1e-12)
    assert found.rmse == pytest.approx(root_mean_squared_error(truth, answers), rel=1e-12)
    assert found.r2 == pytest.approx(r2_score(truth, answers), rel=1e-12)
    assert found.residuals[2][1] == pytest.approx(np.median(answers - truth), rel=1e-12)
    assert class_report.of_numbers([3.0, 3.0], [2.0, 4.0]).r2 is None
