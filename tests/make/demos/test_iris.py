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
    assert example_row(schema) == {
        "sepal_length_cm": 5.1,
        "sepal_width_cm": 3.5,
        "petal_length_cm": 1.4,
        "petal_width_cm": 0.2,
    }
    assert all(feature.unit == "cm" and feature.description for feature in schema.features)


def test_iris_ranges_are_those_of_the_training_rows() -> None:
    dataset = iris.load()

    lows = [feature.low for feature in dataset.schema.features]
    highs = [feature.high for feature in dataset.schema.features]

    assert lows == dataset.rows.min(axis=0).tolist()
    assert highs == dataset.rows.max(axis=0).tolist()


def test_iris_example_is_taken_by_its_schema() -> None:
    schema = iris.load().schema

    assert parse_row(schema, example_row(schema)) == [5.1, 3.5, 1.4, 0.2]
