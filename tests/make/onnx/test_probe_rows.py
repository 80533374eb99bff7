from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from unrot.core.records import Row
from unrot.make.onnx.probe_rows import jump_rows, split_rows


def step_at(threshold: float) -> object:
    def score(rows: list[Row]) -> NDArray[np.float64]:
        return np.array([[float(row[0] > threshold)] for row in rows])  # type: ignore[operator]

    return score


@pytest.mark.parametrize("threshold", [1 / 3, 0.0, -7.25, 1e-300, 1e9 + 0.1])
def test_jump_is_found_to_the_last_bit(threshold: float) -> None:
    rows: list[Row] = [[-1e10, 1.0], [1e10, 2.0]]

    found = {row[0] for row in jump_rows(step_at(threshold), rows, [0])}  # type: ignore[arg-type]

    assert {threshold, float(np.nextafter(threshold, np.inf))} <= found


def test_slope_is_no_jump() -> None:
    def score(rows: list[Row]) -> NDArray[np.float64]:
        return np.array([[float(row[0] or 0.0) ** 2] for row in rows])

    assert jump_rows(score, [[0.0], [5.0]], [0]) == []


def test_rows_without_a_number_have_no_jumps() -> None:
    assert jump_rows(step_at(0.0), [["a"], ["b"]], []) == []  # type: ignore[arg-type]


def test_threshold_behind_a_scaler_is_met_from_both_sides() -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(200, 2)) * [1.0, 1000.0]
    tree = DecisionTreeClassifier(max_depth=1).fit(X, X[:, 1] > 0)
    pipeline = make_pipeline(StandardScaler(), tree).fit(X, X[:, 1] > 0)

    rows = split_rows(pipeline, lambda rows: np.array(rows, dtype=float), X.tolist(), [0, 1])

    low, high = pipeline.predict(rows[:2])
    assert low != high
    assert np.nextafter(rows[0][1], np.inf) == rows[1][1]
