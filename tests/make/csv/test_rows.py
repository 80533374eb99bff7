"""Rows of a file against a model's schema, one sentence for each that is none."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.make.csv.conftest import Write
from unrot.core.errors import Invalid
from unrot.core.records import Feature, Row, Schema, Value
from unrot.core.schema import parse_columns, parse_row
from unrot.make.csv.cells import Mark, value_of, values_of
from unrot.make.csv.reading import open_table
from unrot.make.csv.rows import checked_chunks, checked_rows

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


NASTY = ["", "1", "-1.5", "1,5", "1.234", "1.234,5", "1e5", "1e400", " 7 ", "NA", "+.5", "−3"]
NASTY += ["1_0", "nan", "inf", "١", "1\n", "1\n2", "--1", "1 234", "0x1", "5.", ".", "yes"]
NASTY += ["Rome", "9e18", "2e200", "1'000"]


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("feature", HOUSES.features, ids=lambda feature: feature.name)
def test_column_is_read_as_its_cells_are(feature: Feature, mark: Mark) -> None:
    columns = [NASTY, *([text, "1", "2"] for text in NASTY)]

    together = [values_of(feature, column, mark) for column in columns]

    assert together == [[value_of(feature, text, mark) for text in column] for column in columns]


@pytest.mark.parametrize("is_nullable", [True, False])
@pytest.mark.parametrize("feature", HOUSES.features, ids=lambda feature: feature.name)
def test_columns_are_judged_as_their_rows_are(feature: Feature, is_nullable: bool) -> None:
    of = Schema((replace(feature, nullable=is_nullable),), "y")
    values = [None, 1.0, -1e19, 9e15, True, False, "Rome", "", "\n", math.nan, math.inf]

    def alone(value: Value) -> Row | None:
        try:
            return parse_row(of, {feature.name: value})
        except Invalid:
            return None

    for column in [values, *([value, value] for value in values)]:
        assert parse_columns(of, [column]) == [alone(value) for value in column]


def test_rows_with_long_cells_come_in_small_parts(write: Write) -> None:
    """What is done in parts can be stopped between them, and is sent as it is done."""
    rows = "".join(f"{'x' * 100_000};Rome;yes;{number}\n" for number in range(20, 50))
    file = open_table(write(f"note;town;garden;area\n{rows}"))

    chunks = [[one.line for one in chunk] for chunk in checked_chunks(file, HOUSES)]

    assert [len(chunk) for chunk in chunks] == [11, 11, 8]
    assert [line for chunk in chunks for line in chunk] == list(range(2, 32))
