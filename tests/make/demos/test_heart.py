from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrot.core.errors import Invalid, NotFound
from unrot.core.schema import example_row, parse_row
from unrot.make.demos import heart

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "heart.csv"
HEADER = "age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,target"


def kaggle_line(number: int) -> str:
    return (
        f"{40 + number},{number % 2},{number % 4},{120 + number},{200 + number},0,"
        f"{number % 3},{150 - number},0,{number / 10},{number % 3},0,{number % 4},{number % 2}"
    )


def raw_line(number: int) -> str:
    scan = ("3.0", "6.0", "7.0", "?")[number % 4]
    return (
        f"{40 + number}.0,1.0,{1 + number % 4}.0,120.0,2{number:02d}.0,0.0,2.0,150.0,0.0,"
        f"{number / 10},{1 + number % 3}.0,0.0,{scan},{number % 5}"
    )


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "heart.csv"
    path.write_text("\r\n".join([HEADER, *map(kaggle_line, range(40))]), encoding="utf-8-sig")
    return path


def test_csv_with_a_byte_order_mark_and_windows_line_ends_is_read(csv: Path) -> None:
    dataset = heart.load(csv)

    assert dataset.rows.shape == (32, 13)
    assert dataset.holdout_rows.shape == (8, 13)
    assert (dataset.schema.target, dataset.schema.classes) == ("target", ("0", "1"))
    assert sorted(set(dataset.labels.tolist())) == ["0", "1"]


def test_columns_in_another_order_are_the_same_columns(csv: Path, tmp_path: Path) -> None:
    lines = csv.read_text("utf-8-sig").splitlines()
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join(",".join(reversed(line.split(","))) for line in lines))

    assert np.array_equal(heart.load(turned).rows, heart.load(csv).rows)


def test_features_are_described_from_the_training_rows(csv: Path) -> None:
    dataset = heart.load(csv)
    features = {feature.name: feature for feature in dataset.schema.features}

    assert {name: feature.kind for name, feature in features.items() if name != "oldpeak"} == {
        name: "integer" for name in heart.FINDINGS if name != "oldpeak"
    }
    assert features["oldpeak"].kind == "number"
    assert features["chol"].unit == "mg/dl"
    assert features["age"].low == dataset.rows[:, 0].min()
    assert features["sex"].choices == (0, 1)
    assert features["sex"].choice_names == ("female", "male")
    assert features["thal"].choice_names[1:3] == ("fixed defect", "normal")
    assert features["ca"].choice_names == ()
    assert all(feature.description for feature in features.values())
    assert not any(feature.nullable for feature in features.values())


def test_example_is_a_held_out_row_that_its_schema_takes(csv: Path) -> None:
    dataset = heart.load(csv)

    row = parse_row(dataset.schema, example_row(dataset.schema))

    assert list(row) in dataset.holdout_rows.tolist()


def test_raw_file_has_gaps_and_diagnoses(tmp_path: Path) -> None:
    path = tmp_path / "processed.cleveland.data"
    path.write_text("\n".join(map(raw_line, range(40))) + "\n")

    dataset = heart.load(path)

    features = {feature.name: feature for feature in dataset.schema.features}
    assert [name for name, feature in features.items() if feature.nullable] == ["thal"]
    assert features["thal"].choices == (3, 6, 7)
    assert features["thal"].choice_names == ("normal", "fixed defect", "reversible defect")
    assert features["cp"].choice_names[3] == "no symptoms"
    assert (dataset.labels == "0").sum() + (dataset.holdout_labels == "0").sum() == 8
    assert np.isnan(dataset.rows[:, -1]).any()
    assert "Class 1 is a narrowed artery" in dataset.description


def test_held_out_row_with_a_gap_that_training_never_saw_is_left_out(tmp_path: Path) -> None:
    lines = [kaggle_line(number) for number in range(40)]
    path = tmp_path / "heart.csv"
    path.write_text("\n".join([HEADER, *lines]))
    whole = heart.load(path)
    held = whole.holdout_rows[0].tolist()
    number = int(held[0]) - 40
    lines[number] = lines[number].replace(f",{200 + number},", ",?,")
    path.write_text("\n".join([HEADER, *lines]))

    dataset = heart.load(path)

    assert dataset.holdout_rows.tolist() == whole.holdout_rows.tolist()[1:]
    assert len(dataset.holdout_labels) == len(whole.holdout_labels) - 1


@pytest.mark.skipif(not SHARED.exists(), reason="the Kaggle edition of heart.csv is not here")
def test_kaggle_file_is_cut_to_242_and_61() -> None:
    dataset = heart.load(SHARED)

    features = {feature.name: feature for feature in dataset.schema.features}
    assert (len(dataset.rows), len(dataset.holdout_rows)) == (242, 61)
    assert features["cp"].choices == (0, 1, 2, 3)
    assert features["ca"].choices == (0, 1, 2, 3, 4)
    assert "the other way round" in dataset.description


def replaced(text: str, old: str, new: str) -> bytes:
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda _: b"", "heart.csv is empty: expected a row of 14 values a line."),
        (lambda _: b"\xef\xbb\xbf\r\n\r\n", "heart.csv is empty"),
        (lambda _: HEADER.encode(), "heart.csv holds a header and no rows."),
        (
            lambda text: replaced(text, "chol", "cholesterol"),
            "heart.csv has no column chol: expected age, sex, cp, ",
        ),
        (
            lambda text: replaced(text, "41,1,1,121,", "41,1,1,high,"),
            'heart.csv, line 3, column trestbps: "high", expected a number.',
        ),
        (
            lambda text: replaced(text, "41,1,1,121,", "41,1,1,inf,"),
            'heart.csv, line 3, column trestbps: "inf", expected a number.',
        ),
        (
            lambda text: replaced(text, "41,1,1,121,", "41,1,1,"),
            "heart.csv, line 3: 13 values, expected 14.",
        ),
        (lambda _: b"1,2,3\n", "heart.csv has no header and 3 columns: expected 14: age, "),
        (
            lambda text: text.encode("utf-16"),
            "heart.csv is not UTF-8 text: save it as CSV in UTF-8.",
        ),
        (
            lambda text: "\n".join(text.splitlines()[:7]).encode(),
            "heart.csv holds 3 patients of class 0: at least 5 of each class are needed.",
        ),
        (
            lambda text: text.encode() + b"\n" + kaggle_line(1)[:-1].encode() + b"9",
            "heart.csv, column target, row 41: 9, expected 0 to 4",
        ),
        (
            lambda text: text.encode() + b"\n" + kaggle_line(1)[:-1].encode() + b"?",
            "heart.csv, column target, row 41: nan, expected 0 to 4",
        ),
    ],
)
def test_spoiled_csv_is_refused_with_a_sentence(csv: Path, spoil: Any, sentence: str) -> None:
    csv.write_bytes(spoil(csv.read_text("utf-8-sig")))

    with pytest.raises(Invalid) as refused:
        heart.load(csv)

    assert refused.value.message.startswith(sentence)


def test_column_without_a_number_is_refused(csv: Path) -> None:
    lines = [line.split(",") for line in csv.read_text("utf-8-sig").splitlines()]
    csv.write_text("\n".join(",".join([*line[:4], "?", *line[5:]]) for line in lines[1:]))

    with pytest.raises(Invalid, match=r"^heart\.csv, column chol: no row holds a number\.$"):
        heart.load(csv)


def test_missing_file_and_folder_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"^There is no file .*none\.csv\.$"):
        heart.load(tmp_path / "none.csv")
    with pytest.raises(Invalid, match=r"cannot be read: Is a directory\.$"):
        heart.load(tmp_path)


def test_openml_that_refuses_is_not_found_with_another_way(monkeypatch: Any) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    with pytest.raises(NotFound) as missing:
        heart.load()

    assert "--csv PATH" in missing.value.message


def test_openml_that_never_answers_does_not_hang(monkeypatch: Any) -> None:
    def hang(*args: Any, **kwargs: Any) -> None:
        time.sleep(3)
        raise OSError("at last")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(heart, "OPENML_SECONDS", 0.2)
    started_at = time.monotonic()

    with pytest.raises(NotFound):
        heart.load()

    assert time.monotonic() - started_at < 2
