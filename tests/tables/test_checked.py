"""Rows of a file against a model's schema, one sentence for each that is none."""

from __future__ import annotations

import pytest

from tests.tables.conftest import Write
from unrot.errors import Invalid
from unrot.records import Feature, Schema
from unrot.tables.checked import checked_rows
from unrot.tables.reading import open_table

HOUSES = Schema(
    features=(
        Feature("area", "number", low=20.0, high=200.0, nullable=True),
        Feature("town", "category", choices=("Köln", "Rome")),
        Feature("garden", "boolean"),
    ),
    target="price",
)


def test_rows_are_read_as_the_schema_has_them_whatever_else_the_file_holds(write: Write) -> None:
    file = open_table(write("no;town;garden;area\n7;Rome;yes;51,5\n8;Oslo;0;\n"))

    found = list(checked_rows(file, HOUSES))

    assert [(one.line, one.row, one.problem) for one in found] == [
        (2, [51.5, "Rome", True], ""),
        (3, [None, "Oslo", False], ""),
    ]
    assert found[0].cells == {"no": "7", "town": "Rome", "garden": "yes", "area": "51,5"}


def test_numbers_with_a_sign_are_read_in_the_unit_of_the_feature(write: Write) -> None:
    price = Schema((Feature("price", "number", unit="€"), Feature("off", "number", unit="%")), "y")
    file = open_table(write("price;off\n€ 1.234,50;12 %\n(2 000,00 €);5\n$3,00;7 %\n"))

    found = list(checked_rows(file, price))

    assert [one.row for one in found] == [[1234.5, 12.0], [-2000.0, 5.0], None]
    assert found[2].problem == 'price "$3,00": expected a finite number.'


def test_row_that_is_none_carries_the_sentence_that_says_why(write: Write) -> None:
    file = open_table(write("area,town,garden\n1,Rome\nbig,,maybe\n2,Rome,no\n"))

    found = list(checked_rows(file, HOUSES))

    assert [one.row for one in found] == [None, None, [2.0, "Rome", False]]
    assert found[0].problem == "table.csv, line 2: 2 values, expected 3."
    assert found[1].problem == (
        'area "big": expected a finite number, usually 20 to 200, or null. '
        "town null: expected a text, usually one of Köln, Rome. "
        'garden "maybe": expected true or false.'
    )


def test_missing_column_is_named_before_any_row_is_read(write: Write) -> None:
    file = open_table(write("area,city,garden\n1,Rome,no\n"))

    with pytest.raises(Invalid, match=r'The column "town": table\.csv has no such column'):
        next(checked_rows(file, HOUSES))
