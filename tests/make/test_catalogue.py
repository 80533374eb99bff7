from __future__ import annotations

import numpy as np
import pytest

from tests.make.tables import BINARY, NUMBER, mixed_dataset, schema_of, table_of
from unrot.core.errors import Invalid
from unrot.make.catalogue import ESTIMATORS, make


@pytest.mark.parametrize(
    ("name", "gaps", "steps"),
    [
        ("mlp", False, ["scaler", "estimator"]),
        ("sgd", True, ["imputer", "scaler", "estimator"]),
        ("logistic", False, ["scaler", "estimator"]),
        ("tree", False, ["estimator"]),
        ("forest", True, ["imputer", "estimator"]),
        ("hgb", True, ["estimator"]),
    ],
)
def test_pipeline_has_the_steps_that_its_estimator_needs(
    name: str, gaps: bool, steps: list[str]
) -> None:
    pipeline = make(name, seed=0, schema=schema_of(BINARY, gaps=gaps))

    assert list(pipeline.named_steps) == steps


@pytest.mark.parametrize("classes", [BINARY, NUMBER], ids=["classes", "number"])
def test_trees_of_a_forest_on_a_large_table_learn_a_part(classes: tuple[str, ...]) -> None:
    made = [
        make("forest", seed=0, schema=schema_of(classes), rows=rows)[-1]
        for rows in (100_000, 100_001)
    ]

    assert [forest.max_samples for forest in made] == [None, 100_000]
    assert [forest.min_samples_leaf for forest in made] == [1e-4, 20]


def test_estimator_of_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid) as refused:
        make("svm", seed=0, schema=schema_of(BINARY))

    assert refused.value.message == (
        'There is no estimator "svm": expected one of mlp, sgd, logistic, tree, forest, hgb, or '
        "your own as package.module:function."
    )


@pytest.mark.parametrize("name", ["tree", "sgd"])
def test_estimator_of_the_same_seed_is_the_same_estimator(name: str) -> None:
    rows, labels = table_of(BINARY)

    first, second = (
        make(name, seed=3, schema=schema_of(BINARY)).fit(rows, labels) for _ in range(2)
    )

    assert np.array_equal(first.predict_proba(rows), second.predict_proba(rows))


def test_sgd_takes_further_rows_online() -> None:
    rows, labels = table_of(BINARY)
    pipeline = make("sgd", seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    before = pipeline.score(rows, labels)

    for _ in range(20):
        pipeline[-1].partial_fit(pipeline[:-1].transform(rows), labels)

    assert pipeline.score(rows, labels) >= before - 0.02


def test_sgd_moves_by_a_lesson_when_the_world_has() -> None:
    rows, labels = table_of(BINARY)
    other = np.where(labels == BINARY[0], BINARY[1], BINARY[0])
    pipeline = make("sgd", seed=0, schema=schema_of(BINARY)).fit(rows, labels)
    before = pipeline.score(rows, other)

    for _ in range(5):
        pipeline[-1].partial_fit(pipeline[:-1].transform(rows), other)

    assert before < 0.5 < pipeline.score(rows, other)


def test_every_estimator_has_a_description() -> None:
    assert all(entry.description for entry in ESTIMATORS.values())


@pytest.mark.parametrize(
    ("name", "classes", "message"),
    [
        (
            "logistic",
            NUMBER,
            'The estimator "logistic" does not answer a number, which "kind" is: '
            "expected one of mlp, sgd, linear, ridge, tree, forest, hgb.",
        ),
        (
            "ridge",
            BINARY,
            'The estimator "ridge" does not answer a class, which "kind" is: '
            "expected one of mlp, sgd, logistic, tree, forest, hgb.",
        ),
    ],
)
def test_estimator_for_the_other_kind_of_target_is_refused_with_those_that_fit(
    name: str, classes: tuple[str, ...], message: str
) -> None:
    with pytest.raises(Invalid) as refused:
        make(name, seed=0, schema=schema_of(classes))

    assert refused.value.message == message


def test_categories_become_a_column_a_choice_and_strangers_and_gaps_are_in_none() -> None:
    columns = make("tree", seed=0, schema=mixed_dataset(BINARY).schema)[0]
    rows = np.array([[1.0, 2, 3, 1, 0, 5], [2.0, -1, 3, 1, 1, 5], [6.0, np.nan, 3, np.nan, -1, 5]])

    prepared = columns.fit_transform(rows)

    assert prepared.tolist() == [
        [1.0, 3.0, 1.0, 5.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0],
        [2.0, 3.0, 1.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        [6.0, 3.0, 1.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
    assert rows[2, 0] == 6.0
    assert np.isnan(rows[2, 3])


def test_boosting_gets_the_places_of_choices_with_strangers_as_gaps() -> None:
    columns = make("hgb", seed=0, schema=mixed_dataset(BINARY).schema)[0]
    rows = np.array([[np.nan, 2, 3, 1, 0, 5], [2.0, -1, 3, 1, 1, 5], [6.0, np.nan, 3, 0, -1, 5]])

    prepared = columns.fit_transform(rows)

    expected = [[np.nan, 3, 1, 5, 2, 0], [2, 3, 1, 5, np.nan, 1], [6, 3, 0, 5, np.nan, np.nan]]
    np.testing.assert_array_equal(prepared, expected)
