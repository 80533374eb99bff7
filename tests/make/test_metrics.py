from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression

from tests.make.tables import FIVE, NUMBER, SEVERAL, numbers_dataset
from unrot.core.dataset import Dataset
from unrot.core.records import Calibrating, Outputs, Schema
from unrot.make.fitted import Fitted
from unrot.make.metrics import calibrate, measure_answers


def small(labels: list[float], held: list[float]) -> Dataset:
    dataset = numbers_dataset(NUMBER)
    return replace(
        dataset,
        rows=dataset.rows[: len(labels)],
        labels=np.array(labels),
        holdout_rows=dataset.holdout_rows[: len(held)],
        holdout_labels=np.array(held),
    )


def measure(estimator: Any, dataset: Dataset) -> dict[str, float]:
    """Measure a fitted estimator on the holdout of a dataset."""
    answers = Fitted(estimator, dataset.schema).predict_table(dataset.holdout_rows)
    return measure_answers(answers, dataset.holdout_labels, dataset.labels, dataset.schema)


def test_metrics_of_a_regression_are_those_of_a_hand_calculation() -> None:
    dataset = small([0.0, 0.0, 9.0], [1.0, 3.0])
    estimator = DummyRegressor(strategy="constant", constant=2.0)

    metrics = measure(estimator.fit(dataset.rows, dataset.labels), dataset)

    assert metrics == {
        "mae": 1.0,
        "rmse": 1.0,
        "r2": 0.0,
        "constant_guess_mae": 2.0,  # always 0, the median
        "constant_guess_rmse": pytest.approx(np.sqrt(2.0)),  # always 3, the mean
        "rows_held_out": 2.0,
    }


def test_share_of_the_variance_is_left_out_where_there_is_none() -> None:
    dataset = small([1.0, 2.0], [5.0])
    estimator = DummyRegressor().fit(dataset.rows, dataset.labels)

    assert "r2" not in measure(estimator, dataset)


def test_class_that_is_absent_from_the_holdout_has_no_recall() -> None:
    dataset = numbers_dataset(FIVE)
    held = dataset.holdout_labels != "a"
    cut = replace(
        dataset,
        holdout_rows=dataset.holdout_rows[held],
        holdout_labels=dataset.holdout_labels[held],
    )
    estimator = LogisticRegression().fit(dataset.rows, dataset.labels)

    metrics = measure(estimator, cut)

    recalls = {name: value for name, value in metrics.items() if name.startswith("recall:")}
    assert set(recalls) == {"recall:e", "recall:b", "recall:d", "recall:c"}
    assert metrics["balanced_accuracy"] == pytest.approx(np.mean(list(recalls.values())))


def test_class_that_was_never_trained_had_no_chance() -> None:
    dataset = numbers_dataset(SEVERAL)
    seen = dataset.labels != "apple"
    cut = replace(dataset, rows=dataset.rows[seen], labels=dataset.labels[seen])
    estimator = DummyClassifier(strategy="prior").fit(cut.rows, cut.labels)

    metrics = measure(estimator, cut)

    shares = np.mean(cut.labels == "fig"), np.mean(cut.labels == "pear")
    chances = dict(zip(("fig", "pear"), shares, strict=True)) | {"apple": 0.0}
    least = np.finfo(np.float64).eps
    given = [max(chances[label], least) for label in dataset.holdout_labels]
    assert metrics["log_loss"] == pytest.approx(-np.mean(np.log(given)))
    assert metrics["recall:apple"] == 0.0


def test_how_sure_each_answer_was_is_said_beside_whether_it_was_right() -> None:
    schema = Schema((), "kind", ("elf", "orc"))
    outputs = Outputs([0, 1, 0], [[0.75, 0.25], [0.5, 0.5], [0.875, 0.125]])

    found = calibrate(outputs, np.array(["elf", "elf", "orc"]), schema)

    assert (found.sure, found.right) == ([0.75, 0.5, 0.875], [True, False, False])
    assert found.squares == [0.125, 0.5, 1.53125]
    assert found.scores == [0.25, 0.5, 0.875]
    assert calibrate(Outputs([0]), np.array(["elf"]), schema) == Calibrating()
    off = calibrate(Outputs(values=[1.0]), np.array([3.0]), Schema((), "kg"))
    assert off == Calibrating(scores=[2.0])
