"""The example of a model is a row that really was, never one that cannot be."""

from __future__ import annotations

import numpy as np

from unrot.core.records import Feature
from unrot.core.typical_row import with_examples
from unrot.make import inputs

BOAT = Feature("boat", "integer", low=1.0, high=16.0, nullable=True)
BODY = Feature("body", "integer", low=1.0, high=328.0, nullable=True)
PORT = Feature("port", "category", choices=("C", "S"))
NOT = np.nan


def test_example_is_the_row_nearest_to_the_middle() -> None:
    rows = np.array([[1.0, NOT, 0.0], [8.0, NOT, 1.0], [NOT, 169.0, 1.0], [15.0, NOT, 1.0]])

    found = with_examples((BOAT, BODY, PORT), rows)

    assert [feature.example for feature in found] == [8, None, "S"]


def test_row_that_can_be_sent_comes_before_one_without_gaps_that_cannot() -> None:
    rows = np.array([[4.0, 7.0, -1.0], [4.0, 7.0, -1.0], [NOT, NOT, 1.0]])

    found = with_examples((BOAT, BODY, PORT), rows)

    assert [feature.example for feature in found] == [None, None, "S"]


def test_gap_is_filled_only_where_none_is_allowed_and_no_row_can_be_sent() -> None:
    town = Feature("town", "category", choices=("Rome",))
    rows = np.array([[4.0, 7.0, -1.0, 0.0], [NOT, NOT, 1.0, -1.0]])

    found = with_examples((BOAT, BODY, PORT, town), rows)

    assert [feature.example for feature in found][2:] == ["S", "Rome"]


def test_what_is_mostly_missing_stays_empty() -> None:
    rows = np.array([[8.0, NOT, 1.0], [9.0, NOT, 1.0], [9.0, 169.0, 1.0], [NOT, NOT, 0.0]])

    found = with_examples((BOAT, BODY, PORT), rows)

    assert [feature.example for feature in found] == [9, None, "S"]


def test_held_out_row_comes_before_those_that_were_learnt_from() -> None:
    held_out, learnt = np.array([[16.0, NOT, 0.0]]), np.array([[8.0, NOT, 1.0]])

    found = with_examples((BOAT, BODY, PORT), held_out, learnt)

    assert [feature.example for feature in found] == [16, None, "C"]


def test_example_of_an_estimator_that_was_brought_is_one_of_its_rows() -> None:
    table = [
        {"boat": 2 + n % 9 if n % 2 else None, "body": None if n % 2 else n} for n in range(40)
    ]

    found = inputs.features_of(inputs.read(table, None), None, {})

    example = {feature.name: feature.example for feature in found}
    assert example in table
