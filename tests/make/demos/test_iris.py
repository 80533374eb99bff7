from __future__ import annotations

from collections import Counter

from unrot.core.schema import example_row, parse_row
from unrot.make.demos import iris


def test_iris_holds_out_a_fifth_of_each_species() -> None:
    dataset = iris.load()

    assert Counter(dataset.labels.tolist()) == dict.fromkeys(iris.CLASSES, 40)
    assert Counter(dataset.holdout_labels.tolist()) == dict.fromkeys(iris.CLASSES, 10)


def test_iris_schema_is_the_one_that_people_know() -> None:
    schema = iris.load().schema

    assert schema.target == "species"
    assert schema.classes == ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
    assert schema.names == (
        "sepal_length_cm",
        "sepal_width_cm",
        "petal_length_cm",
        "petal_width_cm",
    )
    assert all(feature.unit == "cm" and feature.description for feature in schema.features)


def test_iris_ranges_are_those_of_the_training_rows() -> None:
    dataset = iris.load()

    lows = [feature.low for feature in dataset.schema.features]
    highs = [feature.high for feature in dataset.schema.features]

    assert lows == dataset.rows.min(axis=0).tolist()
    assert highs == dataset.rows.max(axis=0).tolist()


def test_iris_example_is_a_flower_that_was_held_out() -> None:
    dataset = iris.load()

    row = parse_row(dataset.schema, example_row(dataset.schema))

    assert list(row) in dataset.holdout_rows.tolist()
