"""Exact contributions: against the definition, the closed form, and the answers themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

from tests.explain.definition import expected, shapley
from unrot.core.encoding import Encoder
from unrot.core.records import Feature, Row, Schema
from unrot.explain import trees
from unrot.explain.kept import Kept, Sums, unpack
from unrot.make import explainer, grown_trees
from unrot.make.fitted import Fitted

NUMBERS = tuple(Feature(name, "number", -3.0, 3.0, nullable=name == "d") for name in "abcd")
MIXED = (
    *NUMBERS,
    Feature("colour", "category", choices=("red", "green", "blue"), nullable=True),
    Feature("wet", "boolean"),
)
CLASSES = {1: (), 2: ("no", "yes"), 3: ("low", "mid", "high")}


def world(features: tuple[Feature, ...], classes: int, seed: int = 0) -> tuple[Schema, Any, Any]:
    """Make rows with gaps and choices, and a target that depends on all of them."""
    rng, count = np.random.default_rng(seed), 160
    table = rng.normal(size=(count, len(features)))
    if len(features) > 4:
        table[:, 4], table[:, 5] = rng.integers(0, 3, count), rng.integers(0, 2, count)
        table[rng.random(count) < 0.1, 4] = math.nan
    table[rng.random(count) < 0.15, 3] = math.nan
    known = np.nan_to_num(table)
    target = known @ np.arange(1, len(features) + 1) + known[:, 0] * known[:, 1]
    schema = Schema(features, "target", CLASSES[classes])
    if classes == 1:
        return schema, table, np.exp(target / 8)
    edges = np.quantile(target, np.linspace(0, 1, classes + 1)[1:-1])
    return schema, table, np.array(CLASSES[classes])[np.searchsorted(edges, target)]


def kept_of(estimator: Any, schema: Schema, table: Any, target: Any) -> tuple[Kept, list[Row]]:
    """Fit, write what explains it, and read that back."""
    fitted = Fitted(estimator.fit(table, target), schema)
    rows = Encoder(schema).decode(table)
    return unpack(explainer.make(fitted, rows).data), rows


def sums_of(estimator: Any, schema: Schema, table: Any, target: Any) -> tuple[Sums, list[Row]]:
    kept, rows = kept_of(estimator, schema, table, target)
    assert kept.sums is not None
    return kept.sums, rows


# ── trees ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_forest_has_the_values_of_the_definition(classes: int) -> None:
    schema, table, target = world(NUMBERS, classes)
    settings = {"n_estimators": 4, "max_depth": 5, "random_state": 0}
    forest = (ExtraTreesRegressor if classes == 1 else RandomForestClassifier)(**settings)

    sums, rows = sums_of(forest, schema, table, target)

    for place in (0, 7, 23):
        for score in range(len(sums.averages)):
            by_definition = np.mean(
                [
                    shapley(
                        lambda known, tree=one.tree_, at=place, of=score: expected(
                            tree, table[at], known, range(4)
                        )[of],
                        4,
                    )
                    for one in forest.estimators_
                ],
                axis=0,
            )
            given = sums.contributions(rows[place])[score]
            np.testing.assert_allclose(given, by_definition, rtol=0, atol=1e-12)


def test_feature_of_several_columns_is_one_player() -> None:
    schema, table, target = world(MIXED, 1)
    hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    steps = ColumnTransformer([("hot", hot, [4])], remainder="passthrough")
    tree = DecisionTreeRegressor(max_depth=6, random_state=0)
    pipeline = make_pipeline(steps, tree)

    sums, rows = sums_of(pipeline, schema, table, target)

    owners = [4, 4, 4, 4, 0, 1, 2, 3, 5]
    columns = pipeline[:-1].transform(table)
    for place in (1, 5, 90):
        by_definition = shapley(
            lambda known, at=place: expected(tree.tree_, columns[at], known, owners)[0], 6
        )
        given = sums.contributions(rows[place])[0]
        np.testing.assert_allclose(given, by_definition, rtol=0, atol=1e-12)


def test_tree_of_one_leaf_is_all_average() -> None:
    schema, table, _ = world(NUMBERS, 1)

    sums, rows = sums_of(DecisionTreeRegressor(), schema, table, np.full(len(table), 7.0))

    assert sums.averages.tolist() == [7.0]
    assert sums.contributions(rows[0])[0].tolist() == [0.0] * 4


# ── all that is exact makes the very answer ──────────────────────────────────────────────────

GAPS = SimpleImputer()
LINEAR = {
    "linear": (LinearRegression(), 1),
    "ridge": (Ridge(), 1),
    "poisson": (PoissonRegressor(), 1),
    "logistic": (LogisticRegression(), 2),
    "logistic of three": (LogisticRegression(), 3),
    "sgd of three": (SGDClassifier(loss="log_loss", random_state=0), 3),
    "svc": (LinearSVC(), 2),
    "svc of three": (LinearSVC(), 3),
    "perceptron": (Perceptron(), 3),
}
TREES = {
    "boosting": (GradientBoostingRegressor(n_estimators=20), 1),
    "boosting of two": (GradientBoostingClassifier(n_estimators=10), 2),
    "boosting of three": (GradientBoostingClassifier(n_estimators=10), 3),
    "hist": (HistGradientBoostingRegressor(max_iter=20), 1),
    "hist of counts": (HistGradientBoostingRegressor(loss="poisson", max_iter=20), 1),
    "hist of two": (HistGradientBoostingClassifier(max_iter=20), 2),
    "hist of three": (HistGradientBoostingClassifier(max_iter=20), 3),
    "forest": (RandomForestClassifier(n_estimators=10, random_state=0), 3),
}


def mixed(estimator: Any) -> Any:
    """Put an estimator behind steps for gaps, numbers and choices."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    choices = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = [("numbers", numbers, [0, 1, 2, 3]), ("choices", choices, [4])]
    return make_pipeline(ColumnTransformer(columns, remainder="passthrough"), estimator)


@pytest.mark.parametrize("name", [*LINEAR, *TREES])
def test_contributions_add_up_to_the_answer(name: str) -> None:
    estimator, classes = {**LINEAR, **TREES}[name]
    schema, table, target = world(MIXED, classes)
    pipeline = mixed(estimator)

    sums, rows = sums_of(pipeline, schema, table, target)

    answers = Fitted(pipeline, schema).predict(rows)
    made = np.array([sums.answered(sums.contributions(row)) for row in rows])
    made = made[:, np.argsort(sums.places)] if sums.places else made
    if answers.values is not None:
        np.testing.assert_allclose(made[:, 0], answers.values, rtol=1e-9)
    elif answers.probabilities is not None:
        np.testing.assert_allclose(made, answers.probabilities, rtol=0, atol=1e-9)
    else:
        assert made.argmax(axis=1).tolist() == answers.classes


def test_hist_boosting_goes_its_own_way_at_gaps() -> None:
    schema, table, target = world(NUMBERS, 1)
    boosted = HistGradientBoostingRegressor(max_iter=30)

    sums, rows = sums_of(boosted, schema, table, target)

    gaps = [row for row in rows if row[3] is None]
    answers = Fitted(boosted, schema).predict(gaps).values
    made = [float(sums.answered(sums.contributions(row))[0]) for row in gaps]
    assert gaps
    assert made == pytest.approx(answers, rel=1e-12)


def test_weights_count_from_the_mean() -> None:
    schema, table, target = world(NUMBERS, 1)
    table = np.nan_to_num(table)
    linear = LinearRegression()

    sums, rows = sums_of(make_pipeline(StandardScaler(), linear), schema, table, target)

    scaled = (table[11] - table.mean(axis=0)) / table.std(axis=0)
    given = sums.contributions(rows[11])[0]
    np.testing.assert_allclose(given, linear.coef_ * scaled, rtol=0, atol=1e-10)
    assert sums.averages[0] == pytest.approx(target.mean())


def test_choice_that_training_never_saw_adds_what_nothing_adds() -> None:
    schema, table, target = world(MIXED, 1)
    pipeline = mixed(Ridge())

    sums, rows = sums_of(pipeline, schema, table, target)

    row = [*rows[0][:4], "mauve", True]
    answered = Fitted(pipeline, schema).predict([row]).values
    assert [float(sums.answered(sums.contributions(row))[0])] == pytest.approx(answered)


def test_ordinal_numbers_of_choices_are_one_column() -> None:
    schema, table, target = world(MIXED, 2)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    steps = ColumnTransformer([("codes", codes, [4])], remainder="passthrough")
    pipeline = make_pipeline(steps, SimpleImputer(), RandomForestClassifier(5, random_state=1))

    sums, rows = sums_of(pipeline, schema, table, target)

    chances = Fitted(pipeline, schema).predict(rows).probabilities
    made = [sums.answered(sums.contributions(row)).tolist() for row in rows]
    np.testing.assert_allclose(made, chances, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "pipeline",
    [
        make_pipeline(SimpleImputer(), PCA(2), LogisticRegression()),
        make_pipeline(SimpleImputer(), KNeighborsClassifier()),
    ],
    ids=["mixed columns", "neighbours"],
)
def test_what_is_not_exact_keeps_rows_alone(pipeline: Any) -> None:
    schema, table, target = world(NUMBERS, 2)

    kept, rows = kept_of(pipeline, schema, table, target)

    assert kept.sums is None
    assert len(kept.rows) == len(rows)


def test_trees_that_are_too_large_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grown_trees, "MOST_SPLITS", 100)
    schema, table, target = world(NUMBERS, 2)

    kept, _ = kept_of(RandomForestClassifier(20, random_state=0), schema, table, target)

    assert kept.sums is None


def test_single_class_is_explained_by_nothing() -> None:
    _, table, _ = world(NUMBERS, 1)
    schema = Schema(NUMBERS, "target", ("yes", "no"))

    sums, rows = sums_of(RandomForestClassifier(3), schema, table, np.full(len(table), "yes"))

    assert sums.averages.tolist() == [1.0]
    assert sums.contributions(rows[0])[0].tolist() == [0.0] * 4


# ── shap itself ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", [name for name in ("linear", "logistic", *TREES) if name != "boosting of three"]
)
def test_values_are_those_of_shap(name: str) -> None:
    """It knows no gradient boosting of several classes."""
    import shap  # numba takes seconds to load

    estimator, classes = {**LINEAR, **TREES}[name]
    schema, table, target = world(NUMBERS, classes)
    if name in LINEAR or name.startswith("boosting"):
        table = np.nan_to_num(table)

    sums, rows = sums_of(estimator, schema, table, target)

    if name in LINEAR:
        masker = shap.maskers.Independent(table, max_samples=len(table))
        values = shap.LinearExplainer(estimator, masker).shap_values(table)
    else:
        told = shap.TreeExplainer(estimator, feature_perturbation="tree_path_dependent")
        values = told.shap_values(table, check_additivity=False)
    values = np.asarray(values).reshape(len(table), 4, -1)
    for score in range(len(sums.averages)):
        given = [sums.contributions(row)[score] for row in rows]
        np.testing.assert_allclose(given, values[:, :, score], rtol=0, atol=1e-6)


# ── why nothing exact is kept ────────────────────────────────────────────────────────────────


def test_reason_is_said_in_the_log_and_handed_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "unrot.make.explainer")
    schema, table, target = world(NUMBERS, 2)
    pipeline = make_pipeline(SimpleImputer(), PCA(2), LogisticRegression())

    made = explainer.make(
        Fitted(pipeline.fit(table, target), schema), Encoder(schema).decode(table)
    )

    assert made.sampled_because == "its columns mix features"
    assert caplog.messages == ["Answers will be explained by sampling: its columns mix features."]


@pytest.mark.parametrize(
    ("error", "because"),
    [
        (ValueError("5.3 is odd"), "does not tell what it does (ValueError)"),
        (ZeroDivisionError("none"), "what explains it failed (ZeroDivisionError)"),
    ],
)
def test_failure_of_a_step_is_no_failure_of_its_version(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    because: str,
) -> None:
    def fail(*_given: Any) -> Sums:
        raise error

    monkeypatch.setattr(explainer, "_sums", fail)
    schema, table, target = world(NUMBERS, 1)

    made = explainer.make(
        Fitted(DecisionTreeRegressor().fit(table, target), schema), Encoder(schema).decode(table)
    )

    assert because in made.sampled_because
    assert unpack(made.data).sums is None
    assert len(caplog.records) == 1
    assert (caplog.records[0].exc_info is None) is isinstance(error, ValueError)


def test_many_features_and_many_splits_are_exact_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grown_trees, "MANY_SPLITS", 100)
    monkeypatch.setattr(trees, "AT_ONCE", 50)
    features = tuple(Feature(f"f{place}", "number", -3.0, 3.0) for place in range(70))
    rng = np.random.default_rng(0)
    table = rng.normal(size=(300, 70))
    target = table[:, 3] + table[:, 69] * table[:, 5] + table[:, 64]
    schema = Schema(features, "target")
    forest = ExtraTreesRegressor(5, random_state=0)

    sums, rows = sums_of(forest, schema, table, target)

    answers = Fitted(forest, schema).predict(rows[:20]).values
    made = [float(sums.answered(sums.contributions(row))[0]) for row in rows[:20]]
    assert made == pytest.approx(answers, rel=1e-6)
    assert sums.of.arrays()["below"].shape[1] == 2
    assert sums.of.arrays()["values"].dtype == np.float32
