from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from tests.make.custom import Unreadable
from tests.make.tables import BINARY, SEVERAL, as_rows, schema_of, table_of
from unrot.core.errors import BadArtefact
from unrot.core.records import Feature, Row, Schema
from unrot.make import artefacts
from unrot.make.catalogue import make, names_for
from unrot.make.fitted import Fitted
from unrot.make.onnx.export import Compiled, export
from unrot.make.onnx.probe_rows import split_rows
from unrot.make.predictors import load
from unrot.serve.parity import TOLERANCE, largest_difference

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def exported_of(estimator: Any, schema: Schema, table: Any) -> Compiled:
    return export(Fitted(estimator, schema), as_rows(table))


def threshold_rows(estimator: Any, schema: Schema, table: Any) -> list[Row]:
    inputs = Fitted(estimator, schema).inputs
    return split_rows(estimator, inputs, as_rows(table), range(len(schema.features)))


@pytest.mark.parametrize(("classes", "gaps"), [(BINARY, False), (SEVERAL, True)])
@pytest.mark.parametrize("name", names_for(schema_of(BINARY)))
def test_export_of_every_estimator_answers_as_scikit_learn(
    name: str, classes: tuple[str, ...], gaps: bool
) -> None:
    rows, labels = table_of(classes, gaps=gaps)
    pipeline = make(name, seed=0, schema=schema_of(BINARY, gaps=gaps)).fit(rows, labels)

    exported = exported_of(pipeline, schema_of(classes, gaps=gaps), rows)

    assert exported.onnx is not None
    assert exported.reason == ""
    assert exported.largest_difference is not None
    assert exported.largest_difference < 1e-14


@pytest.mark.parametrize("classes", [BINARY, SEVERAL])
@pytest.mark.parametrize("name", ["tree", "forest"])
def test_export_of_grown_trees_is_equal_to_the_last_bit(
    name: str, classes: tuple[str, ...]
) -> None:
    rows, labels = table_of(classes)
    pipeline, schema = (
        make(name, seed=0, schema=schema_of(BINARY)).fit(rows, labels),
        schema_of(classes),
    )

    exported = exported_of(pipeline, schema, rows)

    beside = threshold_rows(pipeline, schema, rows)
    assert len(beside) > 100
    assert all(row in exported.compared for row in [*as_rows(rows), *beside])
    assert exported.largest_difference == 0.0


@pytest.mark.parametrize("name", ["tree", "forest", "hgb"])
def test_every_threshold_of_trees_parts_rows_as_in_scikit_learn(name: str) -> None:
    rows, labels = table_of(SEVERAL)
    schema = schema_of(SEVERAL)
    pipeline = make(name, seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    graph = exported_of(pipeline, schema, rows).onnx
    assert graph is not None
    chance = np.random.default_rng(1)
    near = np.nextafter(chance.choice(rows.ravel(), (4000, 3)).astype(np.float32), np.float32(9))

    table = as_rows(np.vstack([near.astype(float), np.nextafter(near.astype(float), -9)]))

    given = load("onnx", graph, schema).predict(table)
    assert largest_difference(Fitted(pipeline, schema).predict(table), given) < 1e-14


def test_rows_beside_thresholds_tell_a_tree_from_one_with_rounded_thresholds() -> None:
    rows, labels = table_of(BINARY)
    schema = schema_of(BINARY)
    right, rounded = (
        make("tree", seed=0, schema=schema_of(BINARY)).fit(rows, labels) for _ in range(2)
    )
    thresholds = rounded[-1].tree_.threshold
    thresholds[:] = thresholds.astype(np.float32)
    plain, beside = as_rows(rows), threshold_rows(right, schema, rows)
    first, second = Fitted(right, schema), Fitted(rounded, schema)

    assert largest_difference(first.predict(plain), second.predict(plain)) == 0.0
    assert largest_difference(first.predict(beside), second.predict(beside)) > TOLERANCE


def test_answers_of_sgd_far_out_are_those_of_scikit_learn() -> None:
    rows, labels = table_of(SEVERAL)
    schema = schema_of(SEVERAL)
    pipeline = make("sgd", seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    # Along (1, 1, 1) every class is now impossible, and scikit-learn calls all equally likely.
    pipeline[-1].coef_[:, 2] = -abs(pipeline[-1].coef_).sum(axis=1)
    far = np.vstack([np.random.default_rng(0).normal(size=(200, 3)) * 1e5, [[1e5, 1e5, 1e5]]])

    graph = exported_of(pipeline, schema, rows).onnx

    assert graph is not None
    given = load("onnx", graph, schema).predict(as_rows(far))
    expected = Fitted(pipeline, schema).predict(as_rows(far))
    assert largest_difference(expected, given) < 1e-12
    assert expected.probabilities is not None
    assert expected.probabilities[-1] == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("kind", [DecisionTreeClassifier, RandomForestClassifier])
def test_trees_that_take_gaps_themselves_are_exported(kind: Any) -> None:
    rows, labels = table_of(SEVERAL, gaps=True)

    exported = exported_of(
        kind(random_state=0).fit(rows, labels), schema_of(SEVERAL, gaps=True), rows
    )

    assert exported.largest_difference == 0.0


def test_trees_that_never_split_are_exported() -> None:
    rows, labels = np.zeros((2, 3)), np.array(["no", "maybe"])

    for name in ("tree", "forest", "hgb"):
        pipeline = make(name, seed=0, schema=schema_of(BINARY)).fit(rows, labels)
        exported = exported_of(pipeline, schema_of(BINARY), rows)

        assert exported.largest_difference == 0.0


def test_class_that_was_not_trained_has_no_probability() -> None:
    rows, labels = table_of(SEVERAL)
    seen = labels != "apple"
    pipeline = make("logistic", seed=0, schema=schema_of(BINARY)).fit(rows[seen], labels[seen])

    graph = exported_of(pipeline, schema_of(SEVERAL), rows).onnx

    assert graph is not None
    answered = load("onnx", graph, schema_of(SEVERAL)).predict(as_rows(rows))
    assert {row[1] for row in answered.probabilities or ()} == {0.0}
    assert set(answered.classes or ()) == {0, 2}


def test_class_that_the_schema_does_not_know_is_refused() -> None:
    rows, labels = table_of(SEVERAL)
    pipeline = make("tree", seed=0, schema=schema_of(BINARY)).fit(rows, labels)

    with pytest.raises(BadArtefact, match="which the schema does not know"):
        exported_of(pipeline, schema_of(BINARY), rows)


def test_estimator_that_does_not_convert_is_left_to_scikit_learn_with_a_reason() -> None:
    rows, labels = table_of(BINARY)
    pipeline = Pipeline([("step", FunctionTransformer(np.tanh)), ("estimator", GaussianNB())]).fit(
        rows, labels
    )

    exported = exported_of(pipeline, schema_of(BINARY), rows)

    assert exported.onnx is None
    assert exported.largest_difference is None
    assert exported.reason.startswith("ONNX does not answer as scikit-learn does: ")
    assert "FunctionTransformer" in exported.reason
    assert exported.reason.endswith(".")


@pytest.mark.parametrize("estimator", [Unreadable(), VotingClassifier([("odd", Unreadable())])])
def test_estimator_whose_parts_cannot_be_read_is_left_to_scikit_learn(estimator: Any) -> None:
    rows, labels = table_of(BINARY)

    exported = exported_of(estimator.fit(rows, labels), schema_of(BINARY), rows)

    assert exported.onnx is None
    assert exported.reason.startswith("ONNX does not answer as scikit-learn does: ")
    assert len(exported.compared) > len(rows)


def test_estimator_that_refuses_a_row_between_two_of_the_data_is_left_to_scikit_learn() -> None:
    rows, labels = table_of(BINARY)
    rows[:, 1] = rows[:, 0] + np.abs(rows[:, 1])
    root = FunctionTransformer(lambda table: np.sqrt(table[:, [1]] - table[:, [0]]))
    pipeline = make_pipeline(root, LogisticRegression()).fit(rows, labels)

    exported = exported_of(pipeline, schema_of(BINARY), rows)

    assert exported.onnx is None
    assert exported.refused


def test_graph_that_answers_one_of_many_refused_rows_is_not_used() -> None:
    chance = np.random.default_rng(0)
    huge, code = chance.uniform(1.2e38, 3e38, 100), chance.integers(3, size=100) * 10.0
    rows = np.column_stack([huge, code])
    coded = make_column_transformer((OneHotEncoder(), [1]), remainder="passthrough")
    pipeline = make_pipeline(coded, DecisionTreeClassifier(max_depth=3))
    pipeline.fit(rows, np.array(BINARY)[(code > 0).astype(int)])
    schema = Schema((Feature("huge", "number"), Feature("code", "integer")), "kind", BINARY)

    exported = exported_of(pipeline, schema, rows)

    assert len([row for row in exported.refused if row[0] not in huge]) > 60
    assert exported.onnx is None
    assert "it answers a row that scikit-learn refuses" in exported.reason


@pytest.mark.parametrize(
    "estimator",
    [GaussianNB(), KNeighborsClassifier(), ExtraTreesClassifier(10, random_state=0)],
)
def test_estimator_outside_the_catalogue_is_served_right_or_not_at_all(estimator: Any) -> None:
    rows, labels = table_of(SEVERAL)
    schema = schema_of(SEVERAL)
    estimator.fit(rows, labels)

    exported = exported_of(estimator, schema, rows)

    assert (exported.onnx is None) == bool(exported.reason)
    if exported.onnx is not None:
        given = load("onnx", exported.onnx, schema).predict(as_rows(rows))
        expected = Fitted(estimator, schema).predict(as_rows(rows))
        assert largest_difference(expected, given) <= TOLERANCE


def test_classifier_without_probabilities_answers_none() -> None:
    rows, labels = table_of(SEVERAL)
    schema = schema_of(SEVERAL)
    estimator = RidgeClassifier().fit(rows, labels)

    exported = exported_of(estimator, schema, rows)
    by = ("onnx", exported.onnx) if exported.onnx else ("scikit-learn", artefacts.dump(estimator))
    answered = load(*by, schema).predict(as_rows(rows))

    assert answered.probabilities is None
    assert [schema.classes[each] for each in answered.classes or ()] == list(
        estimator.predict(rows)
    )


def test_regression_answers_values() -> None:
    rows, _ = table_of(SEVERAL)
    estimator = LinearRegression().fit(rows, rows @ [1.0, 2.0, 3.0] + 4.0)
    schema = Schema(tuple(Feature(name, "number") for name in "abc"), target="sum")

    exported = exported_of(estimator, schema, rows)

    assert exported.onnx is not None
    answered = load("onnx", exported.onnx, schema).predict([[1.0, 1.0, 1.0]])
    assert answered.classes is None
    assert answered.values == pytest.approx([10.0], abs=1e-9)
