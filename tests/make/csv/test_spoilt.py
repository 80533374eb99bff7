"""Ways to spoil a table: each is refused with a sentence, and nothing else is raised."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.make.csv.conftest import Load, lines
from unrot.core.errors import UnrotError
from unrot.make.csv import TableOptions, load, split_names
from unrot.make.csv.reading import open_table, rows


def row(n: int) -> str:
    return f"{n * 7 % 13},{'RPO'[n % 3]},{'ab'[n // 2 % 2]}"


HEADER = "x,town,y"
GOOD = lines(HEADER, row)


def workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


def database(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    return path.read_bytes()


def target_of(cell: Callable[[int], str], count: int = 40) -> str:
    return lines("x,y", lambda n: f"{n * 7 % 13},{cell(n)}", count)


FILES: list[tuple[str, str | bytes, str]] = [
    ("nothing", b"", "table.csv is empty: expected a line of column names"),
    ("a mark alone", b"\xef\xbb\xbf", "table.csv is empty"),
    ("a mark of UTF-16 alone", b"\xff\xfe", "table.csv is empty"),
    ("blank lines", "\n\r\n  \n,,,\n", "table.csv is empty"),
    ("a line of Excel alone", "sep=;\n", "table.csv is empty"),
    ("a header alone", HEADER, "table.csv holds a header and no rows."),
    ("no header", "1,2,0\n3,4,1\n", "table.csv has no header: its first line holds only numbers"),
    ("no header, commas", "1,5;2\n3,5;4\n", "table.csv has no header"),
    ("a workbook", workbook(), "table.csv is an Excel workbook or a zip archive"),
    ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1", "table.csv is an old Excel workbook"),
    ("gzip", gzip.compress(GOOD.encode()), "table.csv is compressed with gzip"),
    ("Parquet", b"PAR1\x15\x04", "table.csv is a Parquet file"),
    ("a pickle", b"\x80\x04\x95\x10", "table.csv is a Python pickle"),
    ("a PDF", b"%PDF-1.7\n", "table.csv is a PDF"),
    ("zero bytes", GOOD.replace("R", "\0").encode(), "table.csv holds zero bytes"),
    ("UTF-16 without a mark", GOOD.encode("utf-16-le"), "table.csv holds zero bytes"),
    ("UTF-16 cut in half", GOOD.encode("utf-16")[:-1], "table.csv is not UTF-16"),
    ("no known encoding", b"x,y\n\x81\x8d,1\n", "table.csv is neither UTF-8 nor Windows-1252"),
    ("a quote left open", GOOD.replace("7,P", '7,"P'), "table.csv, line 3: "),
    (
        "a quote left open in a large file",
        HEADER + '\n1,"R,a\n' + lines("", row, 30_000),
        "table.csv, line 2: field larger than field limit (131072). A quote that is opened",
    ),
    ("rows too short", lines(HEADER, lambda _: "1,R"), "table.csv, line 2: 2 values, expected 3."),
    ("rows too long", lines(HEADER, lambda n: f"{row(n)},9"), "table.csv, line 2: 4 values"),
    (
        "some rows too long",
        lines(HEADER, lambda n: row(n) + ",9" * (n % 5 == 0)),
        "table.csv, line",
    ),
    ("another delimiter below", lines(HEADER, lambda _: "1;R;a"), "table.csv, line 2: 1 value"),
    ("no target", GOOD.replace("y\n", "z\n", 1), '--target "y": table.csv has no such column.'),
    ("the target in capitals", GOOD.replace("y\n", "Y\n", 1), '--target "y": table.csv has'),
    ("two targets", GOOD.replace("town", "y", 1), 'table.csv has more than one column called "y"'),
    ("a target without values", target_of(lambda _: "NA"), 'The target "y" holds nothing'),
    ("a target of one class", target_of(lambda _: "a"), 'The target "y" is always "a"'),
    ("a target of one number", target_of(lambda _: "1.5"), 'The target "y" is always "1.5"'),
    ("a target of one class and gaps", target_of(lambda n: "a?"[n % 2]), 'The target "y" is alway'),
    (
        "a class of one row",
        target_of(lambda n: "c" if n == 7 else "ab"[n % 2]),
        'The target "y": 1 class has one row only ("c").',
    ),
    (
        "a number class of one row",
        target_of(lambda n: "1" if n == 7 else "0"),
        'The target "y": 1 class has one row only ("1").',
    ),
    (
        "a target of free text",
        target_of(lambda n: f"text {n}", 600),
        'The target "y" holds 600 different texts, and a model tells at most 250 classes apart',
    ),
    (
        "a target of very much free text",
        target_of(lambda n: f"text {n}", 6_000),
        'The target "y" holds thousands of different texts',
    ),
    ("few rows", lines(HEADER, row, 6), "table.csv holds 6 rows with a y: at least 10 are needed."),
    ("classes too small to judge", target_of(lambda n: f"c{n % 6}", 12), "--holdout 0.2 of 12 row"),
    (
        "the target alone",
        lines("y", lambda n: "ab"[n % 2]),
        "table.csv has no column to learn from",
    ),
    (
        "nothing that teaches",
        lines(HEADER, lambda n: f"{n},2024-01-01,{'ab'[n % 2]}"),
        "table.csv has no column to learn from beside the target (x: whole numbers",
    ),
    (
        "too many columns",
        lines(",".join(f"x{n}" for n in range(600)) + ",y", lambda _: "1," * 600 + "a"),
        "table.csv has 601 columns and at most 500 are read: leave some out with --drop.",
    ),
]


@pytest.mark.parametrize(
    ("content", "sentence"), [case[1:] for case in FILES], ids=[case[0] for case in FILES]
)
def test_spoilt_file_is_refused_with_a_sentence(
    load_text: Load, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(UnrotError) as refused:
        load_text(content)

    assert refused.value.message.startswith(sentence)
    assert refused.value.message.endswith((".", "'."))


def test_database_is_refused(load_text: Load, tmp_path: Path) -> None:
    with pytest.raises(UnrotError, match=r"^table\.csv is a SQLite database, not a CSV file"):
        load_text(database(tmp_path / "some.db"))


OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"target": "yy"}, 'has no such column. The nearest is "y".'),
    ({"target": "Town "}, 'The nearest is "town".'),
    ({"target": "qqqqqq"}, 'It has "x", "town", "y".'),
    ({"drop": ("towm",)}, '--drop "towm": table.csv has no such column. The nearest is "town".'),
    ({"categories": ("q",)}, '--categories "q": table.csv has no such column.'),
    ({"drop": ("y",)}, '"y" is the target: it cannot be dropped as well.'),
    ({"drop": ("x", "town")}, "has no column to learn from beside the target (x: dropped, as"),
    ({"name": "House prices"}, 'A model cannot be named "House prices": expected small letters'),
    ({"name": ""}, 'A model cannot be named "": expected small letters'),
    ({"name": "a" * 65}, "at most 64"),
    ({"name": "../x"}, 'A model cannot be named "../x": expected'),
    ({"name": "x\n"}, "expected small letters"),
    ({"holdout": 0.0}, "--holdout 0: expected a share of the rows"),
    ({"holdout": 1.5}, "--holdout 1.5: expected a share of the rows"),
    ({"holdout": float("nan")}, "--holdout nan: expected a share of the rows"),
    ({"seed": -1}, "--seed -1: expected a whole number from 0 on."),
]


@pytest.mark.parametrize(("options", "sentence"), OPTIONS)
def test_spoilt_options_are_refused_with_a_sentence(
    load_text: Load, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UnrotError) as refused:
        load_text(GOOD, **options)

    assert sentence in refused.value.message


def test_category_of_too_many_choices_is_refused(load_text: Load) -> None:
    content = lines(HEADER, lambda n: f"{n},{n % 3},{'ab'[n % 2]}", 2_000)

    with pytest.raises(UnrotError, match=r"^x holds more than 1,000 different values"):
        load_text(content, categories=("x",))


def test_target_of_too_many_numbers_is_refused_as_classes(load_text: Load) -> None:
    with pytest.raises(UnrotError, match=r'^The target "y" holds thousands of different texts'):
        load_text(target_of(str, 6_000), categories=("y",))


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnrotError, match=r"^There is no file .*none\.csv\.$"):
        load(TableOptions(csv=tmp_path / "none.csv", target="y", name="m"))
    with pytest.raises(UnrotError, match=r"cannot be read: Is a directory\.$"):
        load(TableOptions(csv=tmp_path, target="y", name="m"))


HOLDOUTS = [
    ("", "judges.csv is empty"),
    ("x,town,y\n", "judges.csv holds a header and no rows."),
    ("x,city,y\n1,R,a\n", '--holdout-csv: column "town": judges.csv has no such column.'),
    ("x,town\n1,R\n", '--holdout-csv: column "y": judges.csv has no such column.'),
    ("x,town,y\n1,R,q\n2,R,\n", "No held-out row is left that has its target"),
    ("x,town,y\n?,R,a\n", "No held-out row is left that has its target"),
    ("x,town,y\n1,R\n", "judges.csv, line 2: 2 values, expected 3."),
]


@pytest.mark.parametrize(("content", "sentence"), HOLDOUTS)
def test_spoilt_holdout_is_refused_with_a_sentence(
    load_text: Load, tmp_path: Path, content: str, sentence: str
) -> None:
    judges = tmp_path / "judges.csv"
    judges.write_text(content)

    with pytest.raises(UnrotError) as refused:
        load_text(GOOD, holdout_csv=judges)

    assert refused.value.message.startswith(sentence)


def test_table_cannot_be_its_own_holdout(load_text: Load, tmp_path: Path) -> None:
    with pytest.raises(UnrotError, match=r"^The holdout is the same file as the table"):
        load_text(GOOD, holdout_csv=tmp_path / "table.csv")


def test_names_on_several_lines_are_refused() -> None:
    with pytest.raises(UnrotError, match=r"^Column names are parted by commas on one line"):
        split_names(["a\nb\nc"])


def test_names_are_parted_by_commas_outside_quotes() -> None:
    assert split_names(['"Height, cm", Weight', "Weight,id,"]) == ("Height, cm", "Weight", "id")


def test_quote_left_open_at_the_end_is_told_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text('a,b\n1,2\n3,"4\n5,6\n')

    found = list(rows(open_table(path)))

    assert [(one.line, dict(one.cells)) for one in found] == [
        (2, {"a": "1", "b": "2"}),
        (3, {"a": "3", "b": "4\n5,6\n"}),
    ]
