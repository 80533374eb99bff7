from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import pytest
from sklearn.metrics import log_loss, recall_score
from sklearn.neural_network import MLPClassifier

import unrot
from tests.make.tables import (
    BINARY,
    NUMBER,
    SEVERAL,
    dataset_of,
    mixed_dataset,
    numbers_dataset,
)
from tests.make.versions import train_small
from unrot.core.dataset import Dataset
from unrot.core.errors import Invalid
from unrot.core.records import Feature, Schema
from unrot.make import artefacts, tables
from unrot.make.predictors import load
from unrot.make.train import train
from unrot.serve.predictor import check_golden


def ignore(share: float, step: str) -> None:
    """Take progress and say nothing."""


def test_metrics_are_those_of_the_holdout() -> None:
    dataset = dataset_of(SEVERAL)

    candidate = train(dataset, "logistic", ignore)

    fitted = artefacts.load(candidate.artefacts["skops"])
    truth, guesses = dataset.holdout_labels, fitted.predict(dataset.holdout_rows)
    commonest = max(SEVERAL, key=dataset.labels.tolist().count)
    recalls = recall_score(truth, guesses, labels=list(SEVERAL), average=None)
    chances = fitted.predict_proba(dataset.holdout_rows)
    assert candidate.metrics == {
        "accuracy": float(np.mean(truth == guesses)),
        "balanced_accuracy": pytest.approx(np.mean(recalls)),
        "constant_guess": float(np.mean(truth == commonest)),
        "rows_trained": 180.0,
        "rows_held_out": 60.0,
        "log_loss": log_loss(truth, chances, labels=fitted.classes_),
        "recall:pear": recalls[0],
        "recall:apple": recalls[1],
        "recall:fig": recalls[2],
    }
    assert {type(value) for value in candidate.metrics.values()} == {float}


@pytest.mark.parametrize("classes", [SEVERAL, NUMBER])
def test_without_a_holdout_only_rows_are_counted(classes: tuple[str, ...]) -> None:
    dataset = numbers_dataset(classes)
    bare = replace(dataset, holdout_rows=np.empty((0, 3)), holdout_labels=np.array([]))

    metrics = train(bare, "tree", ignore).metrics

    assert metrics == {"rows_trained": 300.0, "rows_held_out": 0.0}


def test_scaler_is_fitted_on_the_training_part_alone() -> None:
    dataset = dataset_of(BINARY)

    candidate = train(dataset, "mlp", ignore)

    scaler = artefacts.load(candidate.artefacts["skops"]).named_steps["scaler"]
    assert np.array_equal(scaler.mean_, dataset.rows.mean(axis=0))


def test_candidate_is_whole() -> None:
    dataset = dataset_of(BINARY, gaps=True)

    candidate = train(dataset, "tree", ignore, origin="refit")

    assert (candidate.estimator, candidate.origin) == ("tree", "refit")
    kept = {"skops", "onnx", "golden", "training", "holdout", "explainer"}
    assert set(candidate.artefacts) == kept
    assert (candidate.served_by, candidate.serving_artefact, candidate.reason) == (
        "onnx",
        "onnx",
        "",
    )
    assert candidate.largest_difference == 0.0
    rows, labels = tables.unpack_table(candidate.artefacts["training"])
    assert np.array_equal(rows, dataset.rows, equal_nan=True)
    assert labels.tolist() == dataset.labels.tolist()
    rows, labels = tables.unpack_table(candidate.artefacts["holdout"])
    assert np.array_equal(rows, dataset.holdout_rows, equal_nan=True)


def test_both_servers_answer_the_golden_rows() -> None:
    dataset = dataset_of(SEVERAL)

    candidate = train(dataset, "hgb", ignore)

    golden = candidate.artefacts["golden"]
    for by, artefact in (("onnx", "onnx"), ("scikit-learn", "skops")):
        predictor = load(by, candidate.artefacts[artefact], dataset.schema)
        assert check_golden(predictor, golden) < 1e-14


def test_reference_is_every_training_row_with_its_answer() -> None:
    dataset = dataset_of(BINARY, gaps=True)

    candidate = train(dataset, "logistic", ignore)

    assert candidate.reference_outputs is not None
    assert len(candidate.reference_outputs.classes or ()) == len(dataset.rows) == 180
    assert sum(row[1] is None for row in candidate.reference_rows) == np.isnan(dataset.rows).sum()


def test_libraries_are_those_that_are_installed() -> None:
    candidate = train(dataset_of(BINARY), "tree", ignore)

    names = ("scikit-learn", "numpy", "scipy", "skops", "skl2onnx", "onnxruntime")
    assert candidate.libraries == {
        **{name: version(name) for name in names},
        "unrot": unrot.__version__,
        "python": platform.python_version(),
    }


def test_progress_of_a_network_is_told_by_epochs_and_never_falls() -> None:
    told: list[tuple[float, str]] = []

    train(dataset_of(BINARY), "mlp", lambda share, step: told.append((share, step)))

    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], told[-1]) == (0.0, (1.0, "done"))
    assert sum(step.startswith("epoch ") for _, step in told) > 10


def test_network_that_is_fitted_by_epochs_is_as_good_as_one_that_fit_made() -> None:
    dataset = dataset_of(BINARY)

    candidate = train(dataset, "mlp", ignore)

    by_epochs = artefacts.load(candidate.artefacts["skops"])
    assert type(by_epochs[-1]) is MLPClassifier
    epochs = len(by_epochs[-1].loss_curve_)
    whole = MLPClassifier(**by_epochs[-1].get_params()).set_params(max_iter=epochs)
    scaled = by_epochs[:-1].transform(dataset.rows)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        whole.fit(scaled, dataset.labels)
    losses = [
        log_loss(dataset.labels, network.predict_proba(scaled))
        for network in (whole, by_epochs[-1])
    ]
    assert losses[0] == pytest.approx(losses[1], abs=0.01)


@pytest.mark.parametrize("name", ["mlp", "sgd", "forest", "hgb"])
def test_training_twice_gives_the_same_answers(name: str) -> None:
    dataset = dataset_of(SEVERAL)

    first, second = (train_small(dataset, name) for _ in range(2))

    assert first.reference_outputs == second.reference_outputs
    assert first.metrics == second.metrics


def test_data_that_an_estimator_cannot_take_is_refused_with_its_own_words() -> None:
    dataset = dataset_of(BINARY)
    words_for_numbers = replace(dataset, schema=Schema(dataset.schema.features, "kind"))

    with pytest.raises(Invalid, match=r"^tree cannot be fitted: could not convert string to float"):
        train(words_for_numbers, "tree", ignore)


def test_metrics_of_a_regression_stand_beside_the_constant_guesses() -> None:
    metrics = train(mixed_dataset(NUMBER), "hgb", ignore).metrics

    assert set(metrics) == {
        "mae",
        "rmse",
        "r2",
        "constant_guess_mae",
        "constant_guess_rmse",
        "rows_trained",
        "rows_held_out",
    }
    assert metrics["mae"] < metrics["constant_guess_mae"] / 2
    assert metrics["rmse"] < metrics["constant_guess_rmse"] / 2


def test_network_of_a_regression_learns_a_target_of_any_size() -> None:
    for size in (1e-6, 1e9):
        dataset = numbers_dataset(NUMBER)
        scaled = replace(
            dataset,
            labels=dataset.labels * size,
            holdout_labels=dataset.holdout_labels * size,
        )
        for name in ("mlp", "sgd"):
            metrics = train(scaled, name, ignore).metrics

            assert metrics["rmse"] < metrics["constant_guess_rmse"]


@pytest.mark.parametrize("width", [1, 500])
@pytest.mark.parametrize("name", ["sgd", "ridge", "tree"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_table_of_one_feature_and_of_five_hundred_is_learnt(name: str, width: int) -> None:
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(500, width))
    features = tuple(Feature(f"f{place}", "number") for place in range(width))
    parts = (rows[100:], rows[100:, 0], rows[:100], rows[:100, 0])

    candidate = train(Dataset("wide", "", "", Schema(features, "y"), *parts), name, ignore)

    assert candidate.served_by == "onnx"
    assert candidate.largest_difference is not None
    assert candidate.largest_difference < 1e-12
    assert candidate.metrics["mae"] < candidate.metrics["constant_guess_mae"]


@pytest.mark.parametrize("name", ["logistic", "tree", "forest"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_two_hundred_and_fifty_classes_are_learnt_and_compiled(name: str) -> None:
    chance = np.random.default_rng(0)
    classes = tuple(f"c{number}" for number in range(250))
    numbers = np.tile(np.arange(250), 6)
    rows = numbers[:, None] + chance.normal(size=(1500, 2)) * 3
    labels = np.array(classes)[numbers]
    features = (Feature("a", "number"), Feature("b", "number"))
    parts = (rows[:1250], labels[:1250], rows[1400:], labels[1400:])

    candidate = train(Dataset("many", "", "", Schema(features, "y", classes), *parts), name, ignore)

    assert candidate.served_by == "onnx"
    assert candidate.largest_difference is not None
    assert candidate.largest_difference < 1e-12
    assert candidate.metrics["accuracy"] > 4 * candidate.metrics["constant_guess"]
