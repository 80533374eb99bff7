"""Every estimator on every kind of table: what is served is what the estimator itself answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.make.tables import (
    BINARY,
    FIVE,
    MIXED,
    NUMBER,
    SIZES,
    TOWNS,
    as_rows,
    mixed_dataset,
    numbers_dataset,
)
from tests.make.versions import candidate_on
from unrot.core.dataset import Dataset
from unrot.core.encoding import Encoder
from unrot.core.ports import Predictor
from unrot.core.records import Outputs, Row
from unrot.make import artefacts
from unrot.make.catalogue import names_for
from unrot.make.fitted import Fitted
from unrot.make.onnx.probe_rows import probe_rows, split_rows
from unrot.make.predictors import load
from unrot.serve.predictor import OnnxPredictor, check_golden

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TABLES = {"numbers": numbers_dataset, "mixed": mixed_dataset}
CASES = [
    pytest.param(name, make, classes, id=f"{name}-{kind}-{len(classes) or 'regression'}")
    for kind, make in TABLES.items()
    for classes in (BINARY, FIVE, NUMBER)
    for name in names_for(make(classes).schema)
]
TREES = ("tree", "forest", "hgb")


def fresh_rows(is_mixed: bool, size: int = 300) -> tuple[list[Row], NDArray[Any]]:
    """Draw rows as a client sends them, and the same as numbers, written here by hand."""
    chance = np.random.default_rng(99)
    if not is_mixed:
        table = chance.normal(size=(size, 3)) * 2
        return as_rows(table), table
    towns: list[Any] = [*TOWNS, "Atlantis", None]
    sizes: list[Any] = [*SIZES, "huge"]
    codes = {**dict(zip(TOWNS, range(4), strict=True)), **dict(zip(SIZES, range(2), strict=True))}
    codes |= {"Atlantis": -1, "huge": -1, None: np.nan}
    rows: list[Row] = []
    for _ in range(size):
        width = None if chance.random() < 0.2 else float(chance.normal())
        town, kind = towns[chance.integers(6)], sizes[chance.integers(3)]
        is_new = (True, False, None)[chance.integers(3)]
        rows.append([width, town, float(chance.integers(12)), is_new, kind, chance.normal()])
    table = [
        [np.nan if a is None else a, codes[b], c, np.nan if d is None else d, codes[e], f]
        for a, b, c, d, e, f in rows
    ]
    return rows, np.array(table, dtype=np.float64)


def threshold_rows(fitted: Fitted, rows: list[Row]) -> list[Row]:
    features = fitted.schema.features
    numbers = [at for at, each in enumerate(features) if each.kind in ("number", "integer")]
    return split_rows(fitted.estimator, fitted.inputs, rows, numbers)


def assert_same(given: Outputs, estimator: Any, table: NDArray[Any], dataset: Dataset) -> None:
    classes = dataset.schema.classes
    if not classes:
        expected = estimator.predict(table)
        np.testing.assert_allclose(given.values, expected, rtol=1e-9)
        return
    columns = [list(estimator.classes_).index(label) for label in classes]
    expected = estimator.predict_proba(table)[:, columns]
    assert given.probabilities is not None
    assert np.abs(np.array(given.probabilities) - expected).max() < 1e-9
    assert [classes[each] for each in given.classes or ()] == estimator.predict(table).tolist()


@pytest.mark.parametrize(("name", "make", "classes"), CASES)
def test_served_answers_are_the_estimators_own(
    name: str, make: Callable[[tuple[str, ...]], Dataset], classes: tuple[str, ...]
) -> None:
    dataset = make(classes)
    is_mixed = len(dataset.schema.features) == len(MIXED)
    rows, table = fresh_rows(is_mixed)

    candidate = candidate_on(name, classes, make)

    assert (candidate.served_by, candidate.reason) == ("onnx", "")
    assert candidate.largest_difference is not None
    assert candidate.largest_difference < 1e-9
    own = artefacts.load(candidate.artefacts["skops"])
    predictor = load("onnx", candidate.artefacts["onnx"], dataset.schema)
    assert isinstance(predictor, OnnxPredictor)
    assert_same(predictor.predict(rows), own, table, dataset)
    fitted = Fitted(own, dataset.schema)
    beside, others = threshold_rows(fitted, rows), probe_rows(fitted, rows)
    assert (len(beside) > 100) == (name in TREES)
    assert all(row in others for row in beside)
    assert_same(predictor.predict(others), own, fitted.inputs(others), dataset)
    assert check_golden(predictor, candidate.artefacts["golden"]) < 1e-9


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_thresholds_are_looked_at_in_numbers_and_never_in_categories(
    name: str, make: Callable[[tuple[str, ...]], Dataset]
) -> None:
    dataset = make(NUMBER)
    own = artefacts.load(candidate_on(name, NUMBER, make).artefacts["skops"])
    fitted = Fitted(own, dataset.schema)
    first = Encoder(dataset.schema).decode(dataset.rows[:1])

    beside = fitted.inputs(threshold_rows(fitted, first))

    moved = {int(place) for place in np.flatnonzero((beside != dataset.rows[0]).any(axis=0))}
    numbers = {
        place for place, feature in enumerate(dataset.schema.features) if feature.kind != "category"
    }
    gaps = set(np.flatnonzero(np.isnan(dataset.rows[0])).tolist())
    assert len(beside) > 100
    assert moved - gaps <= numbers


@pytest.mark.parametrize("by", ["onnx", "scikit-learn"])
@pytest.mark.parametrize("name", ["ridge", "forest", "hgb"])
def test_unseen_choice_is_answered_like_a_gap(name: str, by: str) -> None:
    dataset = mixed_dataset(NUMBER)
    candidate = candidate_on(name, NUMBER, mixed_dataset)
    artefact = candidate.artefacts["onnx" if by == "onnx" else "skops"]
    predictor: Predictor = load(by, artefact, dataset.schema)

    answers = [
        predictor.predict([[0.5, town, 3.0, True, "small", 0.1]]).values
        for town in ("Atlantis", "Ys", None)
    ]

    assert answers[0] == answers[1] == answers[2]


def test_reference_rows_are_rows_as_clients_send_them() -> None:
    dataset = mixed_dataset(BINARY)

    candidate = candidate_on("tree", BINARY, mixed_dataset)

    assert len(candidate.reference_rows) == len(dataset.rows)
    kinds = [
        {type(value) for value in column} for column in zip(*candidate.reference_rows, strict=True)
    ]
    none = type(None)
    assert kinds == [{float, none}, {str, none}, {float}, {bool, none}, {str}, {float}]


def test_both_servers_agree_on_rows_and_tables() -> None:
    dataset = mixed_dataset(FIVE)
    rows, table = fresh_rows(True)
    candidate = candidate_on("logistic", FIVE, mixed_dataset)

    by_rows = load("onnx", candidate.artefacts["onnx"], dataset.schema).predict(rows)
    own = artefacts.load(candidate.artefacts["skops"])
    by_table = Fitted(own, dataset.schema).predict_table(table)

    assert by_rows.classes == by_table.classes
    np.testing.assert_allclose(by_rows.probabilities, by_table.probabilities, atol=1e-12)
