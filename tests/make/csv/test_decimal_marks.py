"""3,504 is 3504 or 3.504: the column tells, or the file, or it is said and can be changed."""

from __future__ import annotations

import random
import re

import pytest

from tests.make.csv.conftest import Write
from unrot.cli import main
from unrot.core.errors import Invalid
from unrot.core.records import Feature, Schema
from unrot.make import csv
from unrot.make.csv.decimal_marks import find_marks
from unrot.make.csv.reading import open_table
from unrot.make.csv.rows import checked_rows


def cars(extra: str = "y", *, cells: tuple[str, ...] = ("3,504", "2,130", "4,312")) -> str:
    chance = random.Random(1)
    rows = [f"{chance.choice(cells)};{n % 7}.5;{'ab'[n % 2]}" for n in range(60)]
    return "\n".join([f"weight;other;{extra}", *rows]) + "\n"


def only(*, cells: tuple[str, ...] = ("3,504", "2,130", "4,312")) -> str:
    chance = random.Random(1)
    return "\n".join(["weight;y", *(f"{chance.choice(cells)};{'ab'[n % 2]}" for n in range(60))])


def loaded(path: object, **more: object) -> csv.LoadedTable:
    return csv.load(
        csv.TableOptions(csv=path, target="y", name="cars", **more)  # type: ignore[arg-type]
    )


def test_what_was_taken_is_said_with_how_to_change_it(write: Write) -> None:
    path = write(only())

    found = loaded(path)

    assert found.dataset.schema.features[0].high == 4.312
    [note] = found.notes
    assert re.fullmatch(
        r"weight: (\d),(\d{3}) may mean \1\2 or \1\.\2?\d*\. It was read as \1\.\d+, because "
        r"nothing in the file tells, and a comma before the fraction is usual there\. If it means "
        r'\1\2, say --decimal "\."\.',
        note,
    )


def test_said_mark_is_taken_without_a_word(write: Write) -> None:
    found = loaded(write(only()), decimal=".")

    assert (found.dataset.schema.features[0].high, found.notes) == (4312.0, ())


def test_other_columns_tell_and_that_is_said(write: Write) -> None:
    found = loaded(write(cars()))

    assert found.dataset.schema.features[0].high == 4312.0
    [note] = found.notes
    assert "may mean" in note and "other columns of the file have a point" in note
    assert note.endswith('say --decimal ",".')


def test_whole_numbers_beside_them_tell(write: Write) -> None:
    cells = ("3,504", "2,130", "950", "880", "765")

    found = loaded(write(only(cells=cells)))

    assert (found.dataset.schema.features[0].high, found.notes) == (3504.0, ())


def test_sure_numbers_of_the_column_tell() -> None:
    marks, unsure = find_marks({"a": ["3,504", "3,5"], "b": ["1,234,567", "3,504"]}, ";")

    assert (marks, unsure) == ({"a": ",", "b": "."}, {})


def test_plain_fractions_of_three_digits_are_no_riddle() -> None:
    assert find_marks({"a": ["3.504", "2.130"]}, ",") == ({"a": "."}, {})
    assert find_marks({"a": ["3.504", "2.130"], "b": ["0.5"]}, ";") == ({"a": ".", "b": "."}, {})


def test_dry_run_and_training_say_it(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(only())

    assert main.main(["train", "--csv", str(path), "--target", "y", "--dry-run"]) == 0
    assert "3504 or 3.504" in capsys.readouterr().out
    asked = ["train", "--csv", str(path), "--target", "y", "--dry-run", "--decimal", "."]
    assert main.main(asked) == 0
    said = capsys.readouterr().out
    assert "may mean" not in said and "4312" in said


def test_new_rows_are_read_as_what_lies_where_the_model_was_trained(write: Write) -> None:
    file = open_table(write("weight;n\n3,504;1\n2,130;2\n"))

    heavy, light = (
        [one.row for one in checked_rows(file, Schema((feature,), "y"))]
        for feature in (
            Feature("weight", "number", low=1613.0, high=5140.0),
            Feature("weight", "number", low=1.6, high=5.1),
        )
    )

    assert (heavy, light) == ([[3504.0], [2130.0]], [[3.504], [2.13]])


def test_new_rows_that_nothing_tells_of_are_refused(write: Write) -> None:
    file = open_table(write("weight;n\n3,504;1\n2,130;2\n"))
    wide = Schema((Feature("weight", "number", low=0.0, high=9_000.0),), "y")

    with pytest.raises(Invalid, match=r"may mean 3504 or 3\.504, and both lie between 0 and 9000"):
        list(checked_rows(file, wide))
