"""Every estimator of the zoo, served: its own answers, whoever gives them.

What is compared here is asked by other means than the export itself uses: rows drawn anew, and
thresholds read from the trees by hand, their neighbouring floats on either side.
"""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from tests.make.custom import CLIPPER
from tests.make.estimators import ZOO, fitted
from tests.skips import needs
from unrot.core.records import Candidate, Outputs, Row, Schema
from unrot.make.external import Brought, make_candidate, read_table, schema_of
from unrot.make.predictors import load
from unrot.serve.predictor import check_golden

BY_SCIKIT = {
    "svc",
    "neighbours",
    "nearest centroid",
    "hard voting",
    "sgd, log loss",
    "components",
    "bins",
    "nearest gaps",
    "calibrated by temperature",
    "output code",
    "a function",
    "a step of one's own",
    "known towns only",
    "target encoder",
    "hist boosting on categories",
    "neighbours' mean",
    "logarithm of the target",
}
"""Those that no converter answers for alike; all others are served by ONNX."""

TRUSTED = frozenset({CLIPPER})


def added(name: str) -> tuple[Any, Any, Schema, Candidate, list[Row]]:
    is_frame = ZOO[name][1].__name__.endswith(("frame", "objects"))
    has_pandas = importlib.util.find_spec("pandas") is not None
    needs("pandas", has_pandas or not is_frame, "pip install -r requirements-dev.txt")
    estimator, X, y = fitted(name)
    labels = estimator.predict(X) if name == "isolation forest" else y
    table = read_table(estimator, X)
    brought = Brought(
        estimator, table, list(labels), "target", table, list(labels), trusted=TRUSTED, raw=X
    )
    schema = schema_of(brought)
    return estimator, X, schema, make_candidate(brought, schema), table.rows


def own_answers(estimator: Any, table: Any, schema: Schema) -> Outputs:
    """Ask the estimator itself, in the plainest way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answered = estimator.predict(table)
        if not schema.is_classifier:
            return Outputs(values=answered.tolist())
        classes = [schema.classes.index(str(label)) for label in answered.tolist()]
        if not hasattr(estimator, "predict_proba"):
            return Outputs(classes)
        return Outputs(classes, estimator.predict_proba(table).tolist())


def assert_equal(given: Outputs, expected: Outputs) -> None:
    assert given.classes == expected.classes
    assert (given.probabilities is None) == (expected.probabilities is None)
    if expected.probabilities is not None:
        assert np.allclose(given.probabilities, expected.probabilities, rtol=0, atol=1e-4)
    if expected.values is not None:
        assert np.allclose(given.values, expected.values, rtol=1e-4, atol=1e-4)


def served(candidate: Candidate, schema: Schema) -> Any:
    artefact = candidate.artefacts[candidate.serving_artefact]
    return load(candidate.served_by, artefact, schema, trusted=TRUSTED)


@pytest.mark.parametrize("name", ZOO)
def test_served_answers_are_the_estimators_own(name: str) -> None:
    estimator, X, schema, candidate, rows = added(name)
    predictor = served(candidate, schema)

    given = predictor.predict(rows[:300])

    assert_equal(given, own_answers(estimator, X[:300], schema))
    assert candidate.served_by == ("scikit-learn" if name in BY_SCIKIT else "onnx")
    assert bool(candidate.reason) == (name in BY_SCIKIT)
    assert "skops" in candidate.artefacts
    assert check_golden(predictor, candidate.artefacts["golden"]) <= 1e-4
    beside = rows_at_thresholds(estimator, X)
    if len(beside):
        at = predictor.predict(beside.tolist())
        assert_equal(at, own_answers(estimator, beside, schema))


def rows_at_thresholds(estimator: Any, X: Any) -> NDArray[np.float64]:
    """Return rows at every threshold of an array's trees, unscaled or scaled, and beside it."""
    if not isinstance(X, np.ndarray) or X.dtype.kind != "f":
        return np.zeros((0, 0))
    met = sorted({pair for pair in trees_in(estimator, [], X.shape[1]) if not np.isnan(pair[1])})
    made: list[NDArray[np.float64]] = []
    for number, (column, value) in enumerate(met[:: 1 + len(met) // 400]):
        narrow = float(np.float32(value))
        around = [value, narrow, float(np.nextafter(np.float32(value), np.float32(np.inf)))]
        for near in [*around, np.nextafter(value, -np.inf), np.nextafter(value, np.inf)]:
            row = X[number % len(X)].copy()
            row[column] = near
            made.append(row)
    return np.array([row for row in made if not np.isnan(row).any()])


def unscaled(scalers: list[Any], column: int, value: float, width: int) -> float:
    if column >= width or any(getattr(step, "n_components", None) for step in scalers):
        return float("nan")
    row = np.zeros((1, width))
    row[0, column] = value
    for scaler in reversed(scalers):
        if not hasattr(scaler, "inverse_transform"):
            return float("nan")
        row = scaler.inverse_transform(row)
    return float(row[0, column])


def trees_in(estimator: Any, scalers: list[Any], width: int) -> list[tuple[int, float]]:
    """List the columns and thresholds of all trees, in what the whole estimator is given."""
    if isinstance(estimator, Pipeline):
        *before, last = [step for _, step in estimator.steps]
        return trees_in(last, [*scalers, *before], width)
    if hasattr(estimator, "tree_"):
        tree = estimator.tree_
        inner = tree.children_left >= 0
        pairs = [*zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True)]
    elif hasattr(estimator, "_predictors"):
        nodes = [node for stage in estimator._predictors for one in stage for node in one.nodes]
        pairs = [
            (int(node["feature_idx"]), float(node["num_threshold"]))
            for node in nodes
            if not node["is_leaf"] and np.isfinite(node["num_threshold"])
        ]
    else:
        parts = getattr(estimator, "estimators_", [])
        parts = [*(parts.ravel() if isinstance(parts, np.ndarray) else parts)]
        parts += [one.estimator for one in getattr(estimator, "calibrated_classifiers_", [])]
        parts += [estimator.best_estimator_] if hasattr(estimator, "best_estimator_") else []
        return [pair for part in parts for pair in trees_in(part, scalers, width)]
    return [(column, unscaled(scalers, column, value, width)) for column, value in pairs]
