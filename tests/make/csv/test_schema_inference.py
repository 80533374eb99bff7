"""From columns to features, and why others are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.make.csv.conftest import Load, lines
from unrot.core.records import Feature
from unrot.core.schema import example_row, parse_row
from unrot.make.csv import LoadedTable
from unrot.make.csv.schema_inference import unit_of


def of_column(load_text: Load, cells: list[str], **options: Any) -> LoadedTable:
    """Load a table of this column x beside another feature and a target of two classes."""
    content = lines("x;z;y", lambda n: f"{cells[n]};{n * 7 % 5};{'ab'[n % 2]}", len(cells))
    return load_text(content, holdout=0.1, **options)


def feature_of(load_text: Load, cells: list[str], **options: Any) -> Feature:
    return of_column(load_text, cells, **options).dataset.schema.features[0]


def reason_of(load_text: Load, cells: list[str]) -> str:
    [left] = of_column(load_text, cells).left_out
    assert left.name == "x"
    return left.reason


COUNT = 40
AN_ID = "whole numbers, each one once: an id; --numbers would keep it"
NUMBERS = [f"{n / 8}" for n in range(COUNT)]


def test_fractions_are_a_number_with_a_range(load_text: Load) -> None:
    feature = feature_of(load_text, [*NUMBERS, "9.5", "9.5"])

    assert (feature.kind, feature.low, feature.nullable) == ("number", 0.0, False)
    assert feature.choices == ()


def test_whole_numbers_are_integers_even_when_written_with_a_point(load_text: Load) -> None:
    feature = feature_of(load_text, [f"{n % 13}.0" for n in range(COUNT)])

    assert (feature.kind, feature.low, feature.high, feature.choices) == ("integer", 0, 12, ())
    assert isinstance(feature.example, int)


def test_few_whole_numbers_are_choices(load_text: Load) -> None:
    feature = feature_of(load_text, [str(n // 3 % 2) for n in range(COUNT)])

    assert (feature.kind, feature.choices) == ("integer", (0, 1))


@pytest.mark.parametrize("pair", ["yes no", "TRUE FALSE", "t f", "Y N"])
def test_words_for_yes_and_no_are_a_boolean(load_text: Load, pair: str) -> None:
    words = pair.split()
    loaded = of_column(load_text, [words[n // 3 % 2] for n in range(COUNT)])

    feature = loaded.dataset.schema.features[0]
    assert (feature.kind, feature.choices) == ("boolean", ())
    assert isinstance(feature.example, bool)
    assert set(loaded.dataset.rows[:, 0].tolist()) == {0.0, 1.0}


def test_few_texts_are_a_category_in_order(load_text: Load) -> None:
    loaded = of_column(load_text, [["b", "A", "10", "9"][n % 4] for n in range(COUNT)])

    assert loaded.dataset.schema.features[0].choices == ("9", "10", "A", "b")
    assert set(loaded.dataset.rows[:, 0].tolist()) == {0.0, 1.0, 2.0, 3.0}


def test_codes_with_leading_zeros_are_categories(load_text: Load) -> None:
    feature = feature_of(load_text, [f"{n % 12 + 1:02d}" for n in range(COUNT)])

    assert (feature.kind, feature.choices[0], feature.choices[-1]) == ("category", "01", "12")


def test_numbers_that_are_names_are_a_category_when_said(load_text: Load) -> None:
    feature = feature_of(load_text, [str(n % 9) for n in range(COUNT)], categories=("x",))

    assert (feature.kind, feature.choices) == ("category", tuple("012345678"))


def test_whole_numbers_that_count_are_kept_when_said(load_text: Load) -> None:
    table = lines("day,y", lambda n: f"{n + 1},{'ab'[n % 2]}")

    loaded = load_text(table, numbers=("day",))

    [feature] = loaded.dataset.schema.features
    assert (feature.name, feature.kind, loaded.left_out) == ("day", "integer", ())
    assert 1 <= (feature.low or 0) < (feature.high or 0) <= 40


def test_words_among_numbers_are_gaps_when_said(load_text: Load) -> None:
    table = lines("agrees,y", lambda n: f"{n % 5 if n % 4 else 'no idea'},{'ab'[n % 2]}", 100)

    guessed, said = load_text(table), load_text(table, numbers=("agrees",))

    assert [one.dataset.schema.features[0].kind for one in (guessed, said)] == [
        "category",
        "integer",
    ]
    assert said.gaps["agrees"] == pytest.approx(0.25, abs=0.05)
    assert said.notes == ('agrees: "no idea" among numbers was read as a gap.',)


def test_codes_with_leading_zeros_are_numbers_when_said(load_text: Load) -> None:
    table = lines("code,y", lambda n: f"{n % 9:03},{'ab'[n % 2]}")

    [feature] = load_text(table, numbers=("code",)).dataset.schema.features

    assert (feature.kind, feature.high) == ("integer", 8.0)


@pytest.mark.parametrize(
    ("cell", "unit", "high"),
    [
        (lambda n: f"{n} %", "%", 39.0),
        (lambda n: f"{n}.5 %", "%", 39.5),
        (lambda n: f'"€ 1.2{n:02},50"', "€", 1239.5),
        (lambda n: f'"$1,2{n:02}.50"', "$", 1239.5),
        (lambda n: f'"1 2{n:02},50 €"', "€", 1239.5),
        (lambda n: f"EUR {n}", "EUR", 39.0),
        (lambda n: f"({n})" if n % 2 else f"{n}", "", 38.0),
        (lambda n: f"(${n})" if n % 2 else f"${n}", "$", 38.0),
        (lambda n: "" if n == 3 else f"{n} %", "%", 39.0),
        (lambda n: f"{n} %" if n else "0", "%", 39.0),
    ],
)
def test_numbers_with_a_sign_are_numbers_in_its_unit(
    load_text: Load, cell: Callable[[int], str], unit: str, high: float
) -> None:
    table = lines("x (a.u.),y", lambda n: f"{cell(n)},{'ab'[n // 2 % 2]}")

    loaded = load_text(table, numbers=("x (a.u.)",), holdout=0.01 + 1 / 40)

    [feature] = loaded.dataset.schema.features
    rows = np.concatenate([loaded.dataset.rows, loaded.dataset.holdout_rows])
    assert feature.kind in ("integer", "number")
    assert feature.unit == (unit or "a.u.")
    assert np.nanmax(rows) == high


@pytest.mark.parametrize(
    "cell",
    [
        lambda n: f"{n % 5} %" if n % 2 else f"0.{n % 5}",
        lambda n: f"${n % 5}" if n % 2 else f"€{n % 5}",
        lambda n: f"{n % 5}% off",
    ],
    ids=["two scales", "two currencies", "words"],
)
def test_cells_that_do_not_share_one_unit_are_no_numbers(
    load_text: Load, cell: Callable[[int], str]
) -> None:
    [feature] = load_text(
        lines("x,y", lambda n: f"{cell(n)},{'ab'[n // 2 % 2]}")
    ).dataset.schema.features

    assert (feature.kind, feature.unit) == ("category", "")


def test_many_texts_are_a_category_when_said(load_text: Load) -> None:
    feature = feature_of(load_text, [f"t{n % 20}" for n in range(COUNT)], categories=("x",))

    assert (feature.kind, len(feature.choices)) == ("category", 20)


def test_gaps_make_a_feature_nullable_and_are_counted(load_text: Load) -> None:
    loaded = of_column(load_text, ["?" if n % 4 == 0 else str(n % 13) for n in range(COUNT)])

    assert loaded.dataset.schema.features[0].nullable
    assert loaded.gaps["x"] == np.isnan(loaded.dataset.rows[:, 0]).mean() > 0
    assert loaded.gaps["z"] == 0


def test_few_words_among_many_numbers_are_gaps_and_said(load_text: Load) -> None:
    loaded = of_column(load_text, [*NUMBERS, "broken"])

    assert loaded.dataset.schema.features[0].kind == "number"
    assert 'x: "broken" among numbers was read as a gap.' in loaded.notes


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["7"] * COUNT, "always 7"),
        (["same", ""] * 20, 'always "same"'),
        (["NA"] * COUNT, "holds nothing"),
        (
            [str(n + 500) for n in range(COUNT)],
            AN_ID,
        ),
        (
            [str(500 - n) for n in range(COUNT)],
            AN_ID,
        ),
        (
            [f"user-{n}" for n in range(COUNT)],
            'every row has another text, such as "user-0": an id or a name',
        ),
        ([f"text {n // 2}" for n in range(42)], "21 different texts in 38 rows: free text"),
        ([f"2024-01-{n % 28 + 1:02d}" for n in range(COUNT)], "dates or times, such as "),
        ([f"{n % 28 + 1}.{n % 12 + 1}.2024" for n in range(COUNT)], "dates or times, such as "),
        ([f"{n % 12 + 1}/{n % 28 + 1}/24 10:00 AM" for n in range(COUNT)], "dates or times"),
        ([f"2024-01-02T10:{n:02d}:00.5Z" for n in range(COUNT)], "dates or times"),
        ([f"{n % 28 + 1} Jan 2024" for n in range(COUNT)], "dates or times"),
        ([f"March {n % 28 + 1}, 2024" for n in range(COUNT)], "dates or times"),
        ([f"{n % 24:02d}:30" for n in range(COUNT)], "dates or times"),
        (
            [f"text {n}" for n in range(6_000)],
            "more than 5,000 different texts: an id or free text",
        ),
        ([f"2024-01-01 10:{n // 60:02d}:{n % 60:02d}" for n in range(6_000)], "dates or times"),
    ],
)
def test_column_that_cannot_teach_is_left_out(
    load_text: Load, cells: list[str], reason: str
) -> None:
    assert reason_of(load_text, cells).startswith(reason)


def test_column_called_id_is_left_out_though_it_has_holes(load_text: Load) -> None:
    content = lines("customer_id,z,y", lambda n: f"{n * n},{n * 7 % 5},{'ab'[n % 2]}")

    [left] = load_text(content).left_out

    assert (left.name, left.reason) == (
        "customer_id",
        AN_ID,
    )


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Height (cm)", "cm"),
        ("Blood pressure [mm Hg]", "mm Hg"),
        ("Sugar(mg/dl)", "mg/dl"),
        ("Height", ""),
        ("a (2)", ""),
        ("Smoker (Y/N)", ""),
        ("Sex (1=male)", ""),
        ("(cm)", ""),
    ],
)
def test_unit_is_taken_from_the_header(name: str, unit: str) -> None:
    assert unit_of(name) == unit


def test_name_stays_as_in_the_file(load_text: Load) -> None:
    content = lines("Height (cm),y", lambda n: f"{150 + n / 4},{'ab'[n % 2]}")

    [feature] = load_text(content).dataset.schema.features

    assert (feature.name, feature.unit) == ("Height (cm)", "cm")


def test_examples_are_a_held_out_row_without_gaps(load_text: Load) -> None:
    def row(n: int) -> str:
        return f"{n / 8 if n % 3 else ''},{['Rome', 'Oslo', 'NA'][n % 3]},{'ab'[n % 2]}"

    data = load_text(lines("x,town,y", row)).dataset

    example = example_row(data.schema)
    assert None not in example.values()
    encoded = [example["x"], float(data.schema.features[1].choices.index(example["town"]))]
    assert encoded in data.holdout_rows.tolist()
    assert parse_row(data.schema, example) == [example["x"], example["town"]]


def test_examples_keep_the_gap_of_the_row_that_they_are(load_text: Load) -> None:
    def row(n: int) -> str:
        return f"{n % 7 if n % 2 else ''},{'' if n % 2 else n % 5},{'ab'[n // 2 % 2]}"

    data = load_text(lines("left,right,y", row)).dataset

    example = list(example_row(data.schema).values())
    assert example.count(None) == 1
    assert [np.nan if cell is None else cell for cell in example] in [
        pytest.approx(row, nan_ok=True) for row in data.holdout_rows.tolist()
    ]


def test_example_of_a_shipwreck_is_somebody_who_was_there(load_text: Load) -> None:
    """Whoever has a boat has no body: the middles of both columns are nobody's row."""

    def row(n: int) -> str:
        boat, body = (1 + n % 16, "") if n % 2 else ("", 1 + n * 7 % 327)
        return f"{20 + n % 40},{boat},{body},{'yn'[n % 2]}"

    data = load_text(lines("age,boat,body,y", row, 200)).dataset

    example = example_row(data.schema)
    assert (example["boat"] is None) != (example["body"] is None)
