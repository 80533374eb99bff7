"""The error tree as it is drawn, and values of clients made fit to print."""

from __future__ import annotations

import re
from typing import Any

import pytest

from unrot.core import errors
from unrot.core.errors import Detail, Invalid, NotFound, UnrotError, shown


def drawn_tree() -> dict[str, str]:
    """Read class → parent from the drawing in the module's docstring."""
    parents = {-1: "Exception"}
    tree = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│├└─ ]*)([A-Z]\w+)\b", line)
        if found:
            depth = len(found[1]) // 4
            parents[depth] = found[2]
            tree[found[2]] = parents[depth - 1]
    return tree


def test_tree_is_drawn_as_it_is() -> None:
    actual = {
        name: made.__bases__[0].__name__
        for name, made in vars(errors).items()
        if isinstance(made, type) and issubclass(made, Exception)
    }

    assert drawn_tree() == actual


def test_every_error_has_a_word_for_programs() -> None:
    reasons = {
        name: made.reason
        for name, made in vars(errors).items()
        if isinstance(made, type) and issubclass(made, UnrotError)
    }

    assert [name for name, reason in reasons.items() if not re.fullmatch("[a-z_]+", reason)] == []
    assert reasons["StoreAway"] == "store_away"
    assert reasons["UnrotError"] == "error"


def test_error_without_a_reason_of_its_own_has_that_of_its_class() -> None:
    plain, special = NotFound("It is gone."), NotFound("It is gone.", reason="no_job")

    assert (plain.reason, special.reason) == ("not_found", "no_job")
    assert (str(plain), plain.message, plain.details) == ("It is gone.", "It is gone.", ())


def test_missing_field_is_said_to_be_missing_and_a_null_one_is_shown() -> None:
    missing = Detail("age", None, "a finite number", 3, is_missing=True)
    null = Detail("age", None, "a finite number")

    assert missing.sentence == "Row 3: age is missing: expected a finite number."
    assert null.sentence == "age null: expected a finite number."


def test_error_keeps_its_details() -> None:
    detail = Detail("age", "x", "a finite number", 3)

    error = Invalid("Wrong.", details=[detail])

    assert error.details == (detail,)


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        (Detail("age", "x", "a number", 3), 'Row 3: age "x": expected a number.'),
        (Detail("age", None, "a number", 0), "Row 0: age null: expected a number."),
        (Detail("age", True, "a number"), "age true: expected a number."),
    ],
)
def test_detail_says_row_field_value_and_what_was_expected(detail: Detail, sentence: str) -> None:
    assert detail.sentence == sentence


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Rome", '"Rome"'),
        ("", '""'),
        ("a" * 80, '"' + "a" * 80 + '"'),
        ("a" * 81, '"' + "a" * 79 + '…"'),
        ("two\nlines\0", '"two\N{REPLACEMENT CHARACTER}lines\N{REPLACEMENT CHARACTER}"'),
        ("\ud800", '"?"'),
        ("\u202etxt", '"\N{REPLACEMENT CHARACTER}txt"'),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**80, "1208925819614629174706176"),
        (10**200, "1" + "0" * 78 + "…"),
        ([1, 2, 3], "a list of 3"),
        ({"a": 1}, "an object of 1"),
    ],
)
def test_value_is_shown_short_on_one_line(value: Any, expected: str) -> None:
    assert shown(value) == expected
