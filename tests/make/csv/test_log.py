"""The rows of a log against a schema: times, answers, labels, and a sentence for what is none."""

from __future__ import annotations

import pytest

from tests.make.csv.conftest import Write
from unrot.core.errors import Invalid
from unrot.core.records import Feature, Schema
from unrot.make.csv.log import LogColumns, LoggedRow, check_columns, logged_rows
from unrot.make.csv.reading import open_table
from unrot.make.csv.times import Moment

NOW = 1_800_000_000.0
AREA = (Feature("area", "number", low=0.0, high=9.0),)
GARDENS = Schema(AREA, target="kept", classes=("no", "Yes", "1", "None"))
PRICES = Schema(AREA, target="price")
ALL = LogColumns(time="at", label="truth", prediction="said")


def read(write: Write, text: str, of: Schema = GARDENS) -> list[LoggedRow]:
    return list(logged_rows(open_table(write(text)), of, ALL, NOW))


def test_row_of_a_log_is_its_inputs_time_answer_and_label(write: Write) -> None:
    [row] = read(write, "at;said;truth;area\n1700000000;no;Yes;1,5\n")

    assert (row.line, row.row, row.problem, row.label_problem) == (2, [1.5], "", "")
    assert row.moment == Moment(1_700_000_000.0, has_zone=True)
    assert (row.answer, row.label) == ("no", "Yes")


def test_classes_are_read_as_other_programs_write_them(write: Write) -> None:
    rows = read(
        write,
        "at,said,truth,area\n"
        "1700000000,yes,NO,1\n"
        "1700000000,1.0,,1\n"
        "1700000000,None,None,1\n"
        "1700000000,none,null,1\n",
    )

    assert [(row.answer, row.label) for row in rows] == [
        ("Yes", "no"),
        ("1", None),
        ("None", "None"),
        ("None", None),
    ]


def test_numbers_are_read_in_the_notation_of_their_column(write: Write) -> None:
    rows = read(write, "at;said;truth;area\n1700000000;1.234,5;2,5;1\n1700000000;7;;1\n", PRICES)

    assert [(row.answer, row.label) for row in rows] == [(1234.5, 2.5), (7.0, None)]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("3/4/2026,no,,1", 'at "3/4/2026": expected 2026-01-31T12:00:00Z or so, or the seconds'),
        (",no,,1", 'at "": expected 2026-01-31T12:00:00Z or so'),
        ("1800000001,no,,1", 'at "1800000001": expected a time that is past.'),
        ("1969-12-31,no,,1", 'at "1969-12-31": expected a time from 1970 on.'),
        ("1700000000,maybe,,1", 'said "maybe": expected one of no, Yes, 1, None.'),
        ("1700000000,,,1", 'said "": expected one of no, Yes, 1, None.'),
        ("1700000000,no,,big", 'area "big": expected a finite number, usually 0 to 9.'),
        ("1700000000,no", "table.csv, line 2: 2 values, expected 4."),
    ],
)
def test_row_that_cannot_be_taken_says_why(write: Write, row: str, problem: str) -> None:
    [found] = read(write, f"at,said,truth,area\n{row}\n")

    assert found.row is None
    assert found.problem.startswith(problem)


def test_label_that_the_model_does_not_know_is_refused_without_its_row(write: Write) -> None:
    [found] = read(write, "at,said,truth,area\n1700000000,no,maybe,1\n")

    assert (found.row, found.problem, found.label) == ([1.0], "", None)
    assert found.label_problem == 'truth "maybe": expected one of no, Yes, 1, None.'


def test_number_without_end_is_no_answer(write: Write) -> None:
    rows = read(write, "at,said,truth,area\n1700000000,1e30,,1\n1700000000,1,inf,1\n", PRICES)

    assert rows[0].problem == 'said "1e30": expected a finite number.'
    assert rows[1].label_problem == 'truth "inf": expected a finite number.'


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (LogColumns(time="when"), r'--time "when": table\.csv has no such column\. It has "at"'),
        (LogColumns(label="Truth"), r'--label "Truth": .* The nearest is "truth"\.'),
        (LogColumns(label="said", prediction="said"), "--label and --prediction are both"),
        (LogColumns(time="said", prediction="said"), "--time and --prediction are both"),
        (LogColumns(prediction="area"), r'--prediction "area": the model reads this column'),
        (LogColumns(label="twice"), r'--label "twice": table\.csv has more than one column'),
    ],
)
def test_columns_that_cannot_be_meant_are_named(
    write: Write, columns: LogColumns, problem: str
) -> None:
    file = open_table(write("at,said,truth,area,twice,twice\n1700000000,no,,1,2,3\n"))

    with pytest.raises(Invalid, match=problem):
        check_columns(file, columns, GARDENS)
