"""CSV files as people have them: encodings, delimiters, quotes, marks, headers, line ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.make.csv.conftest import Write, lines
from unrot.core.errors import Invalid
from unrot.make.csv.columns import read_columns
from unrot.make.csv.reading import open_table, rows

CONTENT = "Größe (cm),Ort\n1.5,Köln\n2.5,Bonn\n"


def cells_of(path: Path) -> list[list[str]]:
    return [list(row.cells.values()) for row in rows(open_table(path))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_is_read(write: Write, encoding: str, end: str) -> None:
    path = write(CONTENT.replace("\n", end).encode(encoding))

    assert open_table(path).names == ("Größe (cm)", "Ort")
    assert cells_of(path) == [["1.5", "Köln"], ["2.5", "Bonn"]]


def test_old_encoding_is_said(write: Write) -> None:
    path = write(CONTENT.encode("cp1252"))

    assert open_table(path).notes == ("The file is not UTF-8: it was read as Windows-1252.",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_found(write: Write, delimiter: str) -> None:
    path = write("a,b\n1,x\n2,y\n".replace(",", delimiter))

    assert open_table(path).delimiter == delimiter
    assert cells_of(path) == [["1", "x"], ["2", "y"]]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("Height, cm;Weight, kg\n1,5;2,5\n3,5;4,5\n", ";"),
        ('"a;b","c;d"\n"1;2","3;4"\n', ","),
        ("a,text\n1,x;y\n2,z\n3,u|v\n", ","),
        ("only\n1,5\n2,5\n", ","),
        ("only\n1\n2\n", ","),
        ('a,b\n1,"two\nlines, here"\n2,z\n', ","),
    ],
)
def test_delimiter_is_told_from_what_stands_inside_cells(
    write: Write, content: str, delimiter: str
) -> None:
    assert open_table(write(content)).delimiter == delimiter


def test_quoted_cells_keep_delimiters_quotes_and_line_ends(write: Write) -> None:
    path = write('"Name, first","Size\n(cm)"\r\n"Ann ""A""","1\n2"\r\nBob, "x"\r\n')

    file = open_table(path)

    assert file.names == ("Name, first", "Size (cm)")
    assert [(row.line, list(row.cells.values())) for row in rows(file)] == [
        (3, ['Ann "A"', "1\n2"]),
        (5, ["Bob", "x"]),
    ]


def test_line_that_excel_writes_before_the_header_is_passed_over(write: Write) -> None:
    file = open_table(write("sep=;\r\n\r\na;b\r\n1;2\r\n"))

    assert (file.names, file.header_line) == (("a", "b"), 3)
    assert [row.line for row in rows(file)] == [4]


def test_blank_lines_and_blank_cells_at_the_end_are_passed_over(write: Write) -> None:
    path = write("a,b,,\n1,2,,\n\n3,4\n,,,\n  \n\n")

    assert open_table(path).names == ("a", "b")
    assert cells_of(path) == [["1", "2"], ["3", "4"]]


def test_columns_without_a_name_of_their_own_get_one(write: Write) -> None:
    file = open_table(write(",a,a,a (2)\n1,2,3,4\n"))

    assert file.names == ("column 1", "a", "a (3)", "a (2)")
    assert file.notes == (
        'Column 1 has no name: it is called "column 1".',
        'Two columns are called "a": the later is "a (3)".',
    )


@pytest.mark.parametrize(
    ("content", "marks"),
    [
        ("a;b\n1,5;2.5\n", {"a": ",", "b": "."}),
        ("a;b\n1,5;1.234\n", {"a": ",", "b": ","}),
        ("a;b\n1.5;1,234\n", {"a": ".", "b": "."}),
        ("a;b\n1;1,234\n", {"a": ",", "b": ","}),
        ('a,b\n1,"1,234"\n', {"a": ".", "b": "."}),
        ("a;b\n1;1.234\n", {"a": ".", "b": "."}),
        ("a;b\n1;1.234.567,5\n", {"a": ",", "b": ","}),
        ("a;b\n1;x\n", {"a": ".", "b": "."}),
    ],
)
def test_decimal_mark_is_that_of_the_column_then_of_the_file(
    write: Write, content: str, marks: dict[str, str]
) -> None:
    assert open_table(write(content)).marks == marks


def test_row_that_does_not_fit_is_told_beside_the_others(write: Write) -> None:
    found = list(rows(open_table(write("a,b\n1,2\n3\n4,5,6\n7,8\n"))))

    assert [(row.line, row.problem) for row in found] == [
        (2, ""),
        (3, "table.csv, line 3: 1 value, expected 2."),
        (4, "table.csv, line 4: 3 values, expected 2."),
        (5, ""),
    ]


def test_rows_are_read_one_by_one(write: Write) -> None:
    path = write(lines("a,b", lambda n: f"{n},x", 30_000))
    told: list[float] = []

    found = rows(open_table(path), lambda done, _: told.append(done))

    assert next(found).cells == {"a": "0", "b": "x"}
    assert told == []
    assert sum(1 for _ in found) == 29_999
    assert told == sorted(told)
    assert (len(told), told[-1]) == (4, 1.0)


# ── columns ──────────────────────────────────────────────────────────────────────────────────


def test_column_of_few_texts_is_coded_with_gaps_apart(write: Write) -> None:
    columns = read_columns(open_table(write("a,b\nx,1\n NA ,2\ny,3\n x ,4\n")))

    column = columns.by_name["a"]
    assert column.texts == ("x", "y")
    assert column.codes is not None
    assert column.codes.tolist() == [0, -1, 1, 0]


def test_minus_is_a_value_beside_plus(write: Write) -> None:
    column = read_columns(open_table(write("a,b\n+,1\n-,2\n?,3\n"))).by_name["a"]

    assert column.texts == ("+", "-")


def test_column_of_many_numbers_goes_over_to_floats(write: Write) -> None:
    marks = ["", "NA", "oops", "1_0", "inf"]
    cells = [marks[n % 1000] if n % 1000 < 5 else f"{n}.5" for n in range(20_000)]
    content = lines("a,b", lambda n: f"{cells[n]},x", 20_000)

    column = read_columns(open_table(write(content))).by_name["a"]

    assert column.codes is None
    assert column.numbers is not None
    assert column.strays == ("oops", "1_0", "inf")
    expected = [np.nan if n % 1000 < 5 else n + 0.5 for n in range(20_000)]
    np.testing.assert_array_equal(column.numbers, expected)


def test_decimal_commas_of_many_numbers_are_read_alike(write: Write) -> None:
    cells = ["1.234,5" if n == 7_000 else f"{n},5" for n in range(8_000)]

    column = read_columns(
        open_table(write(lines("a;b", lambda n: f"{cells[n]};x", 8_000)))
    ).by_name["a"]

    expected = [1234.5 if n == 7_000 else n + 0.5 for n in range(8_000)]
    np.testing.assert_array_equal(column.numbers, expected)


def test_column_of_many_texts_is_not_kept(write: Write) -> None:
    column = read_columns(open_table(write(lines("a,b", lambda n: f"text {n},x", 6_000)))).by_name[
        "a"
    ]

    assert (column.codes, column.numbers, len(column.texts)) == (None, None, 200)


def test_few_rows_that_do_not_fit_are_counted(write: Write) -> None:
    columns = read_columns(open_table(write(lines("a,b", lambda n: "1" if n == 7 else "1,2"))))

    assert columns.rows == 39
    assert columns.notes == (
        "Left out: 1 row that does not fit the header. table.csv, line 9: 1 value, expected 2.",
    )


def test_file_of_too_many_columns_is_refused_by_its_header_alone(write: Write) -> None:
    header = ",".join(f"c{number}" for number in range(60_000))

    with pytest.raises(Invalid, match="60,000 columns and at most 10,000 are read"):
        open_table(write(f'{header}\n"what stands below is not even looked at'))


def test_row_of_a_million_cells_is_refused_before_it_is_parted(write: Write) -> None:
    with pytest.raises(Invalid, match="line 1: the row has more than 1,048,576 characters"):
        open_table(write("ab," * 400_000 + "\n1,2"))


def test_many_lines_in_one_open_quote_are_refused_as_one_row(write: Write) -> None:
    file = write("a,b\n1,2\n" + '"x\ny",' * 200_000)

    with pytest.raises(Invalid, match="line 3: the row has more than 1,048,576 characters"):
        open_table(file)


def test_empty_columns_at_the_end_are_none_however_many(write: Write) -> None:
    commas = "," * 50_000

    assert open_table(write(f"a,b{commas}\n1,2{commas}\n")).names == ("a", "b")
