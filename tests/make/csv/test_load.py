"""From a file to a dataset: targets, holdouts, and tables of mixed columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.make.csv.conftest import Load, Write, lines
from unrot.core.encoding import UNSEEN
from unrot.core.errors import Invalid
from unrot.make.csv import TableOptions, load, summary

MIXED = "id;Height (cm);town;smoker;seen;kids;y"


def mixed(n: int) -> str:
    height = "" if n % 9 == 0 else f"{150 + n / 4:.2f}".replace(".", ",")
    town = ("Rome", "Köln", "Oslo")[n % 3]
    smoker, day, label = ("no", "yes")[n % 2], n % 9 + 1, "ab"[n // 2 % 2]
    return f"{n};{height};{town};{smoker};0{day}.02.2024;{n % 7};{label}"


def test_mixed_table_becomes_a_dataset(load_text: Load) -> None:
    loaded = load_text(lines(MIXED, mixed, 100).encode("cp1252"))

    data = loaded.dataset
    assert [(f.name, f.kind, f.nullable, f.unit) for f in data.schema.features] == [
        ("Height (cm)", "number", True, "cm"),
        ("town", "category", False, ""),
        ("smoker", "boolean", False, ""),
        ("kids", "integer", False, ""),
    ]
    assert (data.schema.target, data.schema.classes) == ("y", ("a", "b"))
    assert (data.rows.shape, data.holdout_rows.shape) == ((80, 4), (20, 4))
    assert [one.name for one in loaded.left_out] == ["id", "seen"]
    assert data.description == "y, one of 2 classes, by 4 columns of table.csv."
    assert data.title == "Model"


def test_rows_keep_what_the_file_says(load_text: Load) -> None:
    loaded = load_text(lines(MIXED, mixed, 100))

    data = loaded.dataset
    rows = np.vstack([data.rows, data.holdout_rows])
    labels = np.concatenate([data.labels, data.holdout_labels])
    found = {tuple(row): label for row, label in zip(rows.tolist(), labels.tolist(), strict=True)}
    # Row 50: 162.5 cm, Oslo (of Köln, Oslo, Rome), no smoker, one child, class b.
    assert found[(162.5, 1.0, 0.0, 1.0)] == "b"


def test_schema_is_shown_as_a_table(load_text: Load) -> None:
    loaded = load_text(lines(MIXED, mixed, 100))

    shown = summary.schema_table(loaded)
    said = summary.sentences(loaded)

    assert shown[0] == ("column", "kind", "values", "gaps", "example")
    assert [row[:3] for row in shown[2:]] == [
        ("town", "category", "3: Köln, Oslo, Rome"),
        ("smoker", "yes or no", ""),
        ("kids", "whole number", "0 to 6"),
    ]
    assert shown[1][3].endswith(" %")
    assert said[:3] == [
        "Target: y, 2 classes: a, b.",
        "80 rows to learn from, 20 held out.",
        "Left out: id (whole numbers, each one once: an id; --numbers would keep it).",
    ]


# ── targets ──────────────────────────────────────────────────────────────────────────────────


def with_target(load_text: Load, cells: list[str], **options: Any) -> Any:
    content = lines("x;y", lambda n: f"{n * 7 % 11};{cells[n]}", len(cells))
    return load_text(content, **options)


def test_numbers_are_a_regression(load_text: Load) -> None:
    data = with_target(load_text, [f"{n},5" for n in range(50)]).dataset

    assert data.schema.classes == ()
    assert data.labels.dtype == np.float64
    assert sorted([*data.labels, *data.holdout_labels]) == [n + 0.5 for n in range(50)]
    assert len(data.holdout_labels) == 10


def test_many_whole_numbers_are_a_regression(load_text: Load) -> None:
    assert with_target(load_text, [str(n % 30) for n in range(300)]).dataset.schema.classes == ()


def test_many_thousand_numbers_are_a_regression(load_text: Load) -> None:
    loaded = with_target(load_text, ["NA" if n == 5 else str(n) for n in range(6_000)])

    assert loaded.dataset.schema.classes == ()
    assert loaded.notes == ("Left out: 1 row without y.",)


def test_few_common_whole_numbers_are_classes_and_said(load_text: Load) -> None:
    loaded = with_target(load_text, [str(n % 12) for n in range(120)])

    assert loaded.dataset.schema.classes == tuple(str(n) for n in range(12))
    assert set(loaded.dataset.labels.tolist()) == {str(n) for n in range(12)}
    assert loaded.notes == (
        "y holds 12 different whole numbers: they are classes; --numbers makes them numbers.",
    )


def test_few_common_whole_numbers_are_a_regression_when_said(load_text: Load) -> None:
    loaded = with_target(load_text, [str(n % 12) for n in range(120)], numbers=("y",))

    assert loaded.dataset.schema.classes == ()
    assert set(loaded.dataset.labels.tolist()) == set(range(12))
    assert loaded.notes == ()


def test_words_among_numbers_of_a_target_are_rows_without_one_when_said(load_text: Load) -> None:
    cells = [str(n % 3) if n % 4 else "unsure" for n in range(120)]

    loaded = with_target(load_text, cells, numbers=("y",))

    assert set(loaded.dataset.labels.tolist()) == {0.0, 1.0, 2.0}
    assert loaded.notes == (
        'y: "unsure" among numbers was read as a gap.',
        "Left out: 30 rows without y.",
    )


def test_target_in_a_currency_is_a_number(load_text: Load) -> None:
    loaded = with_target(load_text, [f'"€ 1.{n:03},50"' for n in range(120)])

    assert sorted(loaded.dataset.labels.tolist())[0] >= 1000.5
    assert loaded.dataset.labels.max() <= 1119.5
    assert loaded.notes == ("y is in €.",)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"numbers": ("x", "none")},
            '--numbers "none": table.csv has no such column. It has "x", "y".',
        ),
        (
            {"numbers": ("y",)},
            '--numbers "y": less than half of what it holds are numbers, such as "a".',
        ),
        (
            {"numbers": ("x",), "categories": ("x",)},
            '"x" is said to be a number and something else as well: leave it to one of --numbers, '
            "--categories and --drop.",
        ),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(
    load_text: Load, given: dict[str, tuple[str, ...]], sentence: str
) -> None:
    with pytest.raises(Invalid) as caught:
        load_text(lines("x,y", lambda n: f"{n % 7},{'ab'[n % 2]}"), **given)

    assert caught.value.message == sentence


def test_few_whole_numbers_that_are_rare_are_a_regression(load_text: Load) -> None:
    cells = ["19", *(str(n % 12) for n in range(120))]

    assert with_target(load_text, cells).dataset.schema.classes == ()


def test_numbers_are_classes_when_said(load_text: Load) -> None:
    cells = [str(n % 30) for n in range(90)]

    assert len(with_target(load_text, cells, categories=("y",)).dataset.schema.classes) == 30


def test_class_written_in_two_ways_is_one_class(load_text: Load) -> None:
    loaded = with_target(load_text, [("1.0", "0", "1")[n % 3] for n in range(60)])

    assert loaded.dataset.schema.classes == ("0", "1.0")
    assert (loaded.dataset.labels == "1.0").sum() == 32


def test_classes_stand_as_in_the_file(load_text: Load) -> None:
    loaded = with_target(load_text, [("Yes", "No", "It depends")[n % 3] for n in range(60)])

    assert loaded.dataset.schema.classes == ("It depends", "No", "Yes")


def test_plus_and_minus_are_classes(load_text: Load) -> None:
    assert with_target(load_text, ["+", "-"] * 20).dataset.schema.classes == ("+", "-")


def test_rows_without_a_target_are_left_out_and_counted(load_text: Load) -> None:
    loaded = with_target(load_text, ["NA" if n % 10 == 0 else "ab"[n % 2] for n in range(60)])

    assert len(loaded.dataset.labels) + len(loaded.dataset.holdout_labels) == 54
    assert loaded.notes == ("Left out: 6 rows without y.",)


# ── holdouts ─────────────────────────────────────────────────────────────────────────────────


def test_same_seed_holds_out_the_same_rows(load_text: Load) -> None:
    content = lines(MIXED, mixed, 100)
    first, again, other = (load_text(content, seed=seed).dataset for seed in (1, 1, 2))

    np.testing.assert_array_equal(first.holdout_rows, again.holdout_rows)
    assert not np.array_equal(first.holdout_rows, other.holdout_rows, equal_nan=True)
    assert (first.seed, other.seed) == (1, 2)


def test_every_class_keeps_a_row_to_learn_from(load_text: Load) -> None:
    cells = ["rare", "rare", *(["a", "b"] * 10)]
    data = with_target(load_text, cells, holdout=0.9).dataset

    assert set(data.labels.tolist()) == {"rare", "a", "b"}


def test_ranges_and_choices_are_those_of_the_training_rows(load_text: Load) -> None:
    data = load_text(lines(MIXED, mixed, 100)).dataset

    height = data.schema.features[0]
    assert height.low == np.nanmin(data.rows[:, 0])
    assert height.high == np.nanmax(data.rows[:, 0])


def test_holdout_comes_from_its_own_file(write: Write, tmp_path: Path) -> None:
    path = write(lines("x,town,y", lambda n: f"{n % 7},{'RO'[n % 2]},{'ab'[n // 2 % 2]}"))
    other = tmp_path / "judges.csv"
    other.write_text("y\ttown\tx\nb\tO\t3\na\tParis\t4\nc\tO\t5\n\tO\t6\nb\tR\t?\nb\tR\tmany\n")

    loaded = load(TableOptions(csv=path, target="y", name="m", holdout_csv=other))

    data = loaded.dataset
    assert len(data.rows) == 40
    assert data.holdout_rows.tolist() == [[3.0, 0.0], [4.0, UNSEEN]]
    assert data.holdout_labels.tolist() == ["b", "a"]
    assert loaded.notes == (
        "Left out: 2 rows of judges.csv without a y that is known.",
        "Left out: 2 held-out rows with gaps where no row to learn from has any.",
    )


def test_holdout_of_a_regression_comes_from_its_own_file(write: Write, tmp_path: Path) -> None:
    path = write(lines("x,y", lambda n: f"{n % 7},{n}.5"))
    other = tmp_path / "judges.csv"
    other.write_text("x,y\n1,2\n2,3.25\n3,much\n")

    data = load(TableOptions(csv=path, target="y", name="m", holdout_csv=other)).dataset

    assert data.holdout_labels.tolist() == [2.0, 3.25]


def test_columns_can_be_dropped(load_text: Load) -> None:
    loaded = load_text(lines(MIXED, mixed), drop=("town", "id"))

    assert "town" not in loaded.dataset.schema.names
    assert [(one.name, one.reason) for one in loaded.left_out] == [
        ("seen", 'dates or times, such as "01.02.2024"'),
        ("town", "dropped, as was said"),
        ("id", "dropped, as was said"),
    ]


def test_one_column_and_five_hundred_are_read(load_text: Load) -> None:
    names = ",".join(f"x{n}" for n in range(499))

    one = load_text(lines("x,y", lambda n: f"{n % 7},{'ab'[n % 2]}")).dataset
    many = load_text(
        lines(f"{names},y", lambda n: ",".join(str(n * k % 7) for k in range(1, 500)) + f",{n % 2}")
    ).dataset

    assert one.rows.shape == (32, 1)
    assert many.rows.shape[1] == 499 - len([k for k in range(1, 500) if k % 7 == 0])


def test_reading_tells_how_far_it_is(write: Write) -> None:
    told: list[tuple[float, str]] = []
    path = write(lines("x,y", lambda n: f"{n % 7},{'ab'[n % 2]}", 25_000))

    load(TableOptions(csv=path, target="y", name="m"), lambda *said: told.append(said))

    assert [step for _, step in told] == [
        "10,000 rows read",
        "20,000 rows read",
        "25,000 rows read",
    ]


def test_table_without_a_feature_names_the_reasons(load_text: Load) -> None:
    with pytest.raises(Invalid) as refused:
        load_text(lines("x,y", lambda n: f"7,{'ab'[n % 2]}"))

    assert refused.value.message == (
        "table.csv has no column to learn from beside the target (x: always 7)."
    )
