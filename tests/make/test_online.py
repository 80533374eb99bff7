"""Feeding row by row equals what one would write by hand in scikit-learn, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from tests.conftest import ROOT
from tests.make.tables import FIVE, NUMBER, mixed_dataset, numbers_dataset
from tests.skips import needs
from unrot.core.dataset import Dataset
from unrot.make import artefacts
from unrot.make.catalogue import make
from unrot.make.demos import heart, iris
from unrot.make.online import begin, can_learn_online, feed, one_of_each, renewed
from unrot.make.stream import make_online, stream_of

HEART = ROOT.parent / "shared" / "data" / "heart.csv"


def untrained(model: Any, rows: Any, labels: Any, classes: tuple[str, ...]) -> Any:
    """Begin anew as a version does, with the first row of each class."""
    first = one_of_each(labels, classes)
    return feed(renewed(model), rows[first], labels[first], classes)


def demo(name: str) -> Dataset:
    if name == "iris":
        return iris.load()
    needs(str(HEART), HEART.exists(), "put the Kaggle edition of heart.csv there")
    return heart.load(Path(HEART))


def by_hand(learner: Any, dataset: Dataset, count: int) -> Any:
    """Fit a scaler on the first hundred rows of the stream, and feed the first so many."""
    stream = stream_of(dataset)
    scaler = StandardScaler().fit(stream.rows[:100])
    for row, label in list(zip(stream.rows, stream.labels, strict=True))[:count]:
        learner.partial_fit(scaler.transform([row]), [label], classes=dataset.schema.classes)
    return learner


@pytest.mark.parametrize("name", ["heart", "iris"])
def test_network_is_fed_as_by_hand(name: str) -> None:
    dataset = demo(name)
    stream, classes = stream_of(dataset), dataset.schema.classes
    pipeline = make_online("mlp", seed=0, schema=dataset.schema)

    fed = begin(pipeline, stream.rows[:100], stream.labels[:100], classes)
    for start in range(100, len(stream.rows), 25):
        part = slice(start, start + 25)
        fed = feed(fed, stream.rows[part], stream.labels[part], classes)

    hand = by_hand(MLPClassifier(**pipeline[-1].get_params()), dataset, len(stream.rows))
    assert len(stream.rows) == {"heart": 242, "iris": 120}[name]
    assert hand.t_ == fed[-1].t_ == len(stream.rows)
    for one, other in zip(hand.coefs_, fed[-1].coefs_, strict=True):
        assert np.array_equal(one, other)
    seen = fed[:-1].transform(dataset.holdout_rows)
    assert np.array_equal(hand.predict_proba(seen), fed.predict_proba(dataset.holdout_rows))


@pytest.mark.parametrize("name", ["heart", "iris"])
def test_linear_model_is_fed_as_by_hand(name: str) -> None:
    dataset = demo(name)
    stream, classes = stream_of(dataset), dataset.schema.classes
    pipeline = make_online("sgd", seed=0, schema=dataset.schema)

    fed = begin(pipeline, stream.rows[:100], stream.labels[:100], classes)
    fed = feed(fed, stream.rows[100:], stream.labels[100:], classes)

    hand = by_hand(SGDClassifier(**pipeline[-1].get_params()), dataset, len(stream.rows))
    assert np.array_equal(hand.coef_, fed[-1].coef_)
    assert np.array_equal(hand.intercept_, fed[-1].intercept_)


def test_regression_is_fed_as_by_hand_in_the_units_of_its_beginning() -> None:
    dataset = numbers_dataset(NUMBER)
    rows, labels = dataset.rows, dataset.labels
    pipeline = make_online("sgd", seed=0, schema=dataset.schema)

    fed = feed(begin(pipeline, rows[:100], labels[:100], ()), rows[100:], labels[100:], ())

    inputs, target = StandardScaler().fit(rows[:100]), StandardScaler().fit(labels[:100, None])
    hand = SGDRegressor(**pipeline[-1].regressor.get_params())
    for row, label in zip(rows, labels, strict=True):
        hand.partial_fit(inputs.transform([row]), target.transform([[label]])[0])
    answers = target.inverse_transform(hand.predict(inputs.transform(rows))[:, None])[:, 0]
    assert np.array_equal(fed.predict(rows), answers)
    assert fed[-1].transformer_.mean_[0] == labels[:100].mean()


@pytest.mark.parametrize("classes", [FIVE, NUMBER], ids=["classes", "number"])
@pytest.mark.parametrize("name", ["mlp", "sgd"])
def test_fed_model_that_was_kept_goes_on_as_if_it_had_stayed(
    name: str, classes: tuple[str, ...]
) -> None:
    dataset = mixed_dataset(classes)
    rows, labels = dataset.rows, dataset.labels
    begun = begin(
        make_online(name, seed=0, schema=dataset.schema), rows[:100], labels[:100], classes
    )

    stayed = feed(begun, rows[100:], labels[100:], classes)
    kept = artefacts.load(artefacts.dump(begun))
    again = feed(kept, rows[100:], labels[100:], classes)

    assert np.array_equal(stayed.predict(rows), again.predict(rows))
    assert not np.array_equal(stayed.predict(rows), begun.predict(rows))


def test_feeding_leaves_the_model_that_it_was_given() -> None:
    dataset = numbers_dataset(FIVE)
    pipeline = make_online("mlp", seed=0, schema=dataset.schema)
    begun = begin(pipeline, dataset.rows, dataset.labels, FIVE)
    answers = begun.predict_proba(dataset.holdout_rows)

    feed(begun, dataset.rows, dataset.labels, FIVE)
    untrained(begun, dataset.rows, dataset.labels, FIVE)

    assert np.array_equal(begun.predict_proba(dataset.holdout_rows), answers)


@pytest.mark.parametrize("name", ["mlp", "sgd"])
def test_untrained_has_seen_one_row_of_each_class_through_the_same_scaler(name: str) -> None:
    dataset = numbers_dataset(FIVE)
    rows, labels = dataset.rows, dataset.labels
    fed = begin(make_online(name, seed=0, schema=dataset.schema), rows[:100], labels[:100], FIVE)

    anew = untrained(fed, rows, labels, FIVE)

    first = [labels.tolist().index(label) for label in FIVE]
    prepared = fed[:-1].transform(rows[sorted(first)])
    hand = type(fed[-1])(**fed[-1].get_params())
    for row, place in zip(prepared, sorted(first), strict=True):
        hand.partial_fit([row], [labels[place]], classes=FIVE)
    assert one_of_each(labels, FIVE).tolist() == sorted(first)
    assert np.array_equal(anew[0].mean_, rows[:100].mean(axis=0))
    assert np.array_equal(anew.predict_proba(rows), hand.predict_proba(fed[:-1].transform(rows)))


def test_untrained_regression_has_seen_the_first_row() -> None:
    dataset = numbers_dataset(NUMBER)
    rows, labels = dataset.rows, dataset.labels
    pipeline = make_online("mlp", seed=0, schema=dataset.schema)
    fed = begin(pipeline, rows, labels, ())

    anew = untrained(fed, rows[5:], labels[5:], ())

    assert anew[-1].regressor_.t_ == 1
    assert anew[-1].transformer_.mean_[0] == labels.mean()


def test_class_that_was_not_met_yet_is_declared_all_the_same() -> None:
    dataset = numbers_dataset(FIVE)
    known = dataset.labels != "a"
    rows, labels = dataset.rows, dataset.labels

    fed = begin(make_online("sgd", seed=0, schema=dataset.schema), rows[known], labels[known], FIVE)

    assert fed.classes_.tolist() == sorted(FIVE)
    assert feed(fed, rows[~known], labels[~known], FIVE).classes_.tolist() == sorted(FIVE)


def test_only_what_has_partial_fit_can_learn_online() -> None:
    schema = numbers_dataset(NUMBER).schema
    of_classes = replace(schema, classes=FIVE)

    able = [
        (name, can_learn_online(make(name, seed=0, schema=one)))
        for one in (schema, of_classes)
        for name in ("mlp", "sgd", "tree", "forest", "hgb")
    ]

    assert {name for name, can in able if can} == {"mlp", "sgd"}
    assert sum(can for _, can in able) == 4
