"""Rows to numbers and back."""

from __future__ import annotations

import numpy as np

from unrot.core.encoding import Encoder
from unrot.core.records import Feature, Schema

MIXED = Schema(
    (
        Feature("age", "integer", nullable=True),
        Feature("town", "category", choices=("Rome", "Paris"), nullable=True),
        Feature("smoker", "boolean", nullable=True),
    ),
    "ill",
    ("no", "yes"),
)


def test_mixed_rows_become_numbers_and_come_back() -> None:
    rows = [[50.0, "Paris", True], [None, "Rome", False], [7.0, None, None]]

    table = Encoder(MIXED).encode(rows)

    expected = np.array([[50, 1, 1], [np.nan, 0, 0], [7, np.nan, np.nan]])
    np.testing.assert_array_equal(table, expected)
    assert Encoder(MIXED).decode(table) == rows


def test_choice_that_training_never_saw_is_told_apart_from_a_gap() -> None:
    table = Encoder(MIXED).encode([[1.0, "Oslo", True]])

    assert table.tolist() == [[1.0, -1.0, 1.0]]


def test_table_of_numbers_keeps_its_gaps() -> None:
    numbers = Schema((Feature("a", "number"), Feature("b", "number", nullable=True)), "y")

    table = Encoder(numbers).encode([[1.5, None], [2.0, 3]])

    np.testing.assert_array_equal(table, np.array([[1.5, np.nan], [2.0, 3.0]]))
    assert Encoder(numbers).decode(table) == [[1.5, None], [2.0, 3.0]]
