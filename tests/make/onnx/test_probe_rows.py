from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.make.custom import Unreadable
from unrot.core.records import Feature, Row, Schema
from unrot.make.fitted import Fitted
from unrot.make.onnx.probe_rows import NEVER_SEEN, jump_rows, probe_rows, split_rows


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


# ── trees inside ensembles ───────────────────────────────────────────────────────────────────


def stump() -> Pipeline:
    return make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=1, random_state=0))


def labelled() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(200, 4)) * [1.0, 1000.0, 0.1, 1.0] + [0.0, 500.0, 0.0, 9.0]
    return X, X[:, 0] + X[:, 1] / 1000 > 0.5


def probed(estimator: Any, X: NDArray[np.float64]) -> NDArray[np.float64]:
    made = split_rows(estimator, lambda rows: np.array(rows, dtype=float), X.tolist(), range(4))
    return np.array(made, dtype=float).reshape(-1, 4)


def changes_its_mind(part: Any, beside: NDArray[np.float64]) -> bool:
    """Tell whether it answers otherwise on the two sides of one of the thresholds."""
    sides = part.predict_proba(beside)[:, 0].reshape(-1, 7)
    return bool((sides[:, 0] != sides[:, 1]).any())


@pytest.mark.parametrize(
    "ensemble",
    [
        BaggingClassifier(stump(), 5, random_state=0),
        BaggingClassifier(RandomForestClassifier(3, max_depth=1), 2, random_state=0),
        VotingClassifier([("scaled", stump()), ("left out", "drop"), ("again", stump())]),
        StackingClassifier([("scaled", stump()), ("again", stump())]),
    ],
)
def test_every_part_of_an_ensemble_is_met_at_its_own_threshold(ensemble: Any) -> None:
    X, y = labelled()
    ensemble.fit(X, y)

    beside = probed(ensemble, X)

    parts = [each for part in ensemble.estimators_ for each in getattr(part, "estimators_", [part])]
    assert all(changes_its_mind(part, beside) for part in parts)


def test_parts_behind_a_step_see_what_it_makes() -> None:
    X, y = labelled()
    pipeline = make_pipeline(MinMaxScaler(), BaggingClassifier(stump(), 5, random_state=0))
    pipeline.fit(X, y)

    beside = probed(pipeline, X)

    scaled = pipeline[0].transform(beside)
    assert all(changes_its_mind(part, scaled) for part in pipeline[-1].estimators_)


def test_parts_of_some_columns_see_those_alone() -> None:
    X, y = labelled()
    bagging = BaggingClassifier(stump(), 10, max_features=2, random_state=2).fit(X, y)
    assert (0, 1) in [tuple(columns) for columns in bagging.estimators_features_]

    beside = probed(bagging, X)

    pairs = zip(bagging.estimators_, bagging.estimators_features_, strict=True)
    assert all(changes_its_mind(part, beside[:, columns]) for part, columns in pairs)


def test_small_part_is_not_lost_beside_a_large_forest() -> None:
    X, y = labelled()
    first, last = (RandomForestClassifier(60, random_state=seed) for seed in (0, 1))
    vote = VotingClassifier([("first", first), ("scaled", stump()), ("last", last)]).fit(X, y)

    assert changes_its_mind(vote.estimators_[1], probed(vote, X))


def test_some_of_many_pipelines_stand_for_all() -> None:
    X, y = labelled()
    bagging = BaggingClassifier(stump(), 40, random_state=0).fit(X, y)

    assert len(probed(bagging, X)) == 16 * 7


def test_last_tree_of_a_stack_is_met_where_columns_pass_through() -> None:
    X, y = labelled()
    last = DecisionTreeClassifier(max_depth=1, random_state=0)
    stack = StackingClassifier([("none", DummyClassifier())], last, passthrough=True).fit(X, y)

    assert changes_its_mind(stack, probed(stack, X))


def test_parts_that_cannot_be_read_leave_the_other_thresholds() -> None:
    X, y = labelled()
    vote = VotingClassifier([("scaled", stump()), ("odd", Unreadable())]).fit(X, y)

    assert changes_its_mind(vote.estimators_[0], probed(vote, X))


# ── strange rows ─────────────────────────────────────────────────────────────────────────────


def test_strange_rows_are_spread_over_all_features() -> None:
    numbers = [Feature(f"n{place}", "number", nullable=True) for place in range(130)]
    texts = [Feature(f"t{place}", "category", choices=("a", "b")) for place in range(130)]
    schema = Schema((*numbers, *texts), "kind", ("no", "yes"))
    rows: list[Row] = [[float(row)] * 130 + ["a"] * 130 for row in range(4)]
    answering = Fitted(DummyClassifier().fit([[0.0]] * 2, ["no", "yes"]), schema)

    made = probe_rows(answering, rows)

    gaps = [[place for place, value in enumerate(row) if value is None] for row in made]
    unseen = [[place for place, value in enumerate(row) if value == NEVER_SEEN] for row in made]
    assert [*range(130)] in gaps
    assert [*range(130, 260)] in unseen
    assert sum(len(places) == 1 for places in [*gaps, *unseen]) == 100
    assert [0] in gaps
    assert [259] in unseen


def test_row_that_is_refused_hides_no_other_jump() -> None:
    def score(rows: list[Row]) -> NDArray[np.float64]:
        if any(row[1] == "b" for row in rows):
            raise ValueError("b")
        return np.asarray(step_at(1 / 3)(rows))  # type: ignore[operator]

    rows: list[Row] = [[0.0, "a"], [0.1, "b"], [0.9, "b"], [1.0, "a"]]

    found = {(row[0], row[1]) for row in jump_rows(score, rows, [0])}

    assert {(1 / 3, "a"), (float(np.nextafter(1 / 3, 1)), "a")} <= found
    assert "b" not in {text for _, text in found}
