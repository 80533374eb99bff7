"""What rules are made of: true of the row, on all sides of it, and silent about what is private."""

from __future__ import annotations

import pytest

from unrot.core.records import Feature, Schema
from unrot.explain.conditions import Condition, conditions_of
from unrot.explain.examples import as_table

SIZE = Feature("size", "number", nullable=True)
COLOUR = Feature("colour", "category", choices=("red", "blue"), nullable=True)
FLAG = Feature("flag", "integer")
ROWS = [[float(at), "red" if at % 2 else "blue", at % 2] for at in range(100)]
ROWS[7][0] = None
SCHEMA = Schema((SIZE, COLOUR, FLAG), "kind", ("a", "b"))


def test_bounds_of_a_number_begin_beside_its_value() -> None:
    found = [
        one for one in conditions_of(SCHEMA, as_table(ROWS), [52.0, "red", 1]) if not one.feature
    ]

    above = [one.value for one in found if one.side == "above"]
    upto = [one.value for one in found if one.side == "upto"]
    assert above == sorted(above, reverse=True)
    assert upto == sorted(upto)
    assert 45 < above[0] < 52 <= upto[0] < 58
    assert len(above) + len(upto) == 19


def test_choice_and_few_values_and_gap_are_told_by_themselves() -> None:
    found = conditions_of(SCHEMA, as_table(ROWS), [None, "red", 1])

    assert found == [Condition(0, "is", None), Condition(1, "is", "red"), Condition(2, "is", 1)]


def test_gap_is_neither_above_nor_below() -> None:
    column = as_table(ROWS)[:, 0]

    above, upto = Condition(0, "above", -1.0).fits(column), Condition(0, "upto", 1e9).fits(column)

    assert above.sum() == upto.sum() == 99
    assert Condition(0, "is", None).fits(column).tolist().index(True) == 7


@pytest.mark.parametrize(
    "row", [[3.0, "red", 1], [99.0, "blue", 0], [-5.0, None, 0], [None, "x", 9]]
)
def test_all_are_true_of_the_row_that_they_are_of(row: list[object]) -> None:
    asked = as_table([row])

    for one in conditions_of(SCHEMA, as_table(ROWS), row):
        assert one.fits(asked[:, one.feature]).tolist() == [True], one


def test_private_feature_has_no_condition() -> None:
    schema = Schema((Feature("size", "number", is_private=True), COLOUR, FLAG), "kind", ("a", "b"))

    assert {one.feature for one in conditions_of(schema, as_table(ROWS), [52.0, "red", 1])} == {
        1,
        2,
    }


def test_column_of_one_number_has_none() -> None:
    table = as_table([[4.0]] * 10)

    assert conditions_of(Schema((SIZE,), "kind", ("a", "b")), table, [4.0]) == []
