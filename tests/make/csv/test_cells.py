"""What one cell says."""

from __future__ import annotations

import pytest

from unrot.core.records import Feature, Value
from unrot.make.csv.cells import Mark, is_gap, number, truth, unit_in, value_of


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("1.5", ".", 1.5),
        (" 7 ", ".", 7.0),
        (".5", ".", 0.5),
        ("5.", ".", 5.0),
        ("1e-3", ".", 0.001),
        ("\N{MINUS SIGN}3", ".", -3.0),
        ("1,234", ".", 1234.0),
        ("1,234,567.5", ".", 1234567.5),
        ("1 234.5", ".", 1234.5),
        ("1'234.5", ".", 1234.5),
        ("1\N{NARROW NO-BREAK SPACE}234", ",", 1234.0),
        ("1,5", ",", 1.5),
        ("1.234", ",", 1234.0),
        ("1.234,5", ",", 1234.5),
        ("1,5", ".", None),
        ("1.5", ",", None),
        ("1,234.567,8", ".", None),
        ("1,234 567", ".", None),
        ("0,123", ".", None),
        ("1_000", ".", None),
        ("inf", ".", None),
        ("1e999", ".", None),
        ("12%", ".", None),
        ("(5)", ".", -5.0),
        ("(1,234.5)", ".", -1234.5),
        ("(-5)", ".", None),
        ("()", ".", None),
        ("", ".", None),
    ],
)
def test_number_is_read_with_its_mark(text: str, mark: Mark, expected: float | None) -> None:
    assert number(text, mark) == expected


@pytest.mark.parametrize("text", ["1" * 60_000 + "x", "1." * 30_000, "1,111" * 12_000])
def test_long_text_that_is_nearly_a_number_takes_no_longer_than_others(text: str) -> None:
    """Sixteen thousand digits once took twenty seconds, and four times that each time they doubled.

    So this one would end after an hour.
    """
    assert number(text) is None and number(text, ",") is None and unit_in(text) == ""


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("12 %", "%"),
        ("-3,5%", "%"),
        ("(€ 5)", "€"),
        ("1.234,50 €", "€"),
        ("US$ 5", ""),
        ("CHF 1'000.50", "CHF"),
        ("5 £ off", ""),
        ("USDA 5", ""),
        ("%", ""),
        ("5", ""),
    ],
)
def test_unit_is_the_sign_beside_a_number(text: str, unit: str) -> None:
    assert unit_in(text) == unit


@pytest.mark.parametrize(
    "text", ["", "  ", "NA", "N/A", "n/a", "NaN", "null", "NULL", "None", "?", "-", "#N/A"]
)
def test_gap_has_many_words(text: str) -> None:
    assert is_gap(text)


@pytest.mark.parametrize("text", ["0", "no", "nano", "--x", "unknown"])
def test_value_is_no_gap(text: str) -> None:
    assert not is_gap(text)


def test_truth_is_read_from_words_letters_and_digits() -> None:
    yes, no = ("yes", "TRUE", "t", "Y", "1"), ("no", "False", "f", "N", "0")

    assert [truth(text) for text in (*yes, *no, "maybe")] == [True] * 5 + [False] * 5 + [None]


@pytest.mark.parametrize(
    ("feature", "text", "expected"),
    [
        (Feature("a", "number"), "1,5", 1.5),
        (Feature("a", "integer"), "007", 7.0),
        (Feature("a", "number", unit="€"), "€ -1.234,50", -1234.5),
        (Feature("a", "number", unit="€"), "-1 234,50 €", -1234.5),
        (Feature("a", "number", unit="€"), "12,5", 12.5),
        (Feature("a", "number", unit="€"), "$12,5", "$12,5"),
        (Feature("a", "number", unit="%"), "12,5 %", 12.5),
        (Feature("a", "number"), "12,5 %", "12,5 %"),
        (Feature("a", "number", unit="cm"), "180 cm", 180.0),
        (Feature("a", "number"), "(1.234)", -1234.0),
        (Feature("a", "number"), "(tall)", "(tall)"),
        (Feature("a", "number"), "NA", None),
        (Feature("a", "number"), "tall", "tall"),
        (Feature("a", "boolean"), "Yes", True),
        (Feature("a", "boolean"), "maybe", "maybe"),
        (Feature("a", "category", choices=("+", "-")), "-", "-"),
        (Feature("a", "category", choices=("Rome",)), "-", None),
        (Feature("a", "category", choices=("Rome",)), " Oslo ", "Oslo"),
    ],
)
def test_cell_becomes_a_value_of_its_feature(feature: Feature, text: str, expected: Value) -> None:
    assert value_of(feature, text, ",") == expected
