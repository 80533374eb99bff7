"""A calibration after a fit: on rows that were left out, and in the graph to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.make.estimators import ZOO
from tests.make.tables import SEVERAL, mixed_dataset
from tests.make.versions import Kept, added, candidate_of, ignore, learner, trained
from unrot.core.errors import Conflict
from unrot.core.records import Feature, Lesson, Schema
from unrot.make.fitted import Fitted, dump, load
from unrot.make.online import can_learn_online, renewed
from unrot.make.onnx.export import export
from unrot.make.recalibrated import FOLDS, Recalibrated, part_rows, recalibrate

SIX = tuple(Feature(f"f{number}", "number", low=-5, high=5) for number in range(6))


def table(classes: str, count: int, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows of one feature, told six times over, and the class behind each."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, len(classes), count)
    once = truth[:, None] + chance.normal(0, 1.2, (count, 1))
    return once + chance.normal(0, 0.05, (count, 6)), np.array(list(classes))[truth]


def made(classes: str, count: int) -> Recalibrated:
    rows, labels = table(classes, count)

    def fitted(kept: NDArray[np.intp]) -> Any:
        return make_pipeline(StandardScaler(), GaussianNB()).fit(rows[kept], labels[kept])

    everything = np.arange(count)
    parts = part_rows(labels, everything, 0)
    chances = np.zeros((count, len(classes)))
    for part in range(FOLDS):
        left = np.flatnonzero(parts == part)
        chances[left] = fitted(np.flatnonzero(parts != part)).predict_proba(rows[left])
    return recalibrate(fitted(everything), labels, None, chances)


@pytest.mark.parametrize(
    ("classes", "count", "method"),
    [
        ("ab", 600, "sigmoid"),
        ("ab", 1_500, "isotonic regression"),
        ("abc", 600, "temperature"),
        ("abc", 1_500, "isotonic regression"),
    ],
)
def test_graph_and_file_answer_what_the_estimator_answers(
    classes: str, count: int, method: str
) -> None:
    """The schema names the classes the other way round, and one that no row had."""
    estimator = made(classes, count)
    fitted = Fitted(estimator, Schema(SIX, "t", (*reversed(classes), "never")))
    rows = table(classes, 200, seed=1)[0].tolist()

    compiled = export(fitted, rows)
    again = load(dump(fitted), fitted.schema)

    assert estimator.method == method
    assert compiled.onnx is not None, compiled.reason
    assert compiled.largest_difference is not None and compiled.largest_difference < 1e-9
    assert again.predict(rows) == fitted.predict(rows)


@pytest.mark.parametrize(
    ("classes", "count"), [("ab", 600), ("abc", 600), ("ab", 3_000), ("abc", 3_000)]
)
def test_it_is_as_near_to_the_truth_as_that_of_scikit_learn(classes: str, count: int) -> None:
    rows, labels = table(classes, count)
    estimator = made(classes, count)
    theirs = CalibratedClassifierCV(
        make_pipeline(StandardScaler(), GaussianNB()),
        method="sigmoid" if count < 1_000 else "isotonic",
        ensemble=False,
    ).fit(rows, labels)
    fresh, truth = table(classes, 4_000, seed=2)
    is_true = np.array(list(classes)) == truth[:, None]

    before, ours, reference = (
        float(np.mean(np.sum((one.predict_proba(fresh) - is_true) ** 2, axis=1)))
        for one in (estimator.estimator, estimator, theirs)
    )

    assert ours < before - 0.02
    assert ours < reference + 0.005


def test_temperature_leaves_every_answer_as_it_was() -> None:
    estimator, fresh = made("abc", 600), table("abc", 2_000, seed=2)[0]
    before, after = estimator.estimator.predict_proba(fresh), estimator.predict_proba(fresh)

    assert estimator.predict(fresh).tolist() == estimator.estimator.predict(fresh).tolist()
    assert after.max(axis=1).mean() < before.max(axis=1).mean() - 0.1


def test_probabilities_promise_no_more_than_their_rows_show() -> None:
    estimator = made("ab", 1_500)

    far = estimator.predict_proba(np.array([[-90.0] * 6, [90.0] * 6]))

    assert far.min() >= 1 / 1_502
    assert far.sum(axis=1).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "kept",
    [
        lambda: trained("forest", SEVERAL, mixed_dataset),
        lambda: trained("mlp", SEVERAL, mixed_dataset),
        lambda: learner("mixed sgd, log loss"),
        lambda: added("voting", ZOO),
        lambda: added("logistic, whole classes", ZOO),
    ],
    ids=["forest", "mlp", "an owner's frame", "an owner's vote", "whole classes"],
)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_version_of_any_form_is_fitted_recalibrated_and_compiled(kept: Callable[[], Kept]) -> None:
    first = kept().open()
    plain, lesson = (
        Lesson("refit", 3, training_weight=1.0),
        Lesson("refit", 3, training_weight=1.0, recalibrates=True),
    )

    again = first.refit(lesson, ignore)
    candidate = candidate_of(again)

    rows = first.replayed(50, 0)
    asked = [row for row, _ in rows]
    assert again.is_recalibrated and not again.uncalibrated().is_recalibrated
    assert again.uncalibrated().predict(asked) == first.refit(plain, ignore).predict(asked)
    assert not again.refit(plain, ignore).is_recalibrated
    assert candidate.served_by == "onnx", candidate.reason
    assert "recalibrated" in candidate.made


def test_reset_begins_without_the_calibration() -> None:
    estimator = made("ab", 600)

    assert can_learn_online(estimator)
    assert isinstance(renewed(estimator), type(estimator.estimator))


def test_copies_of_a_row_are_in_one_fold_and_each_class_is_in_all() -> None:
    origins = np.repeat(np.arange(60), 3)
    labels = np.where(origins < 10, "few", "many")

    parts = part_rows(labels, origins, 0)

    assert all(len(set(parts[origins == one])) == 1 for one in range(60))
    assert [int(np.sum(parts[labels == "few"] == part)) for part in range(FOLDS)] == [6] * FOLDS
    assert part_rows(labels, origins, 1).tolist() != parts.tolist()


def test_class_of_few_rows_is_refused_however_often_they_are_there() -> None:
    origins = np.repeat(np.arange(30), 4)

    with pytest.raises(Conflict, match="on 9 rows of few: 10 are needed of each class"):
        part_rows(np.where(origins < 9, "few", "many"), origins, 0)
