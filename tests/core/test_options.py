"""A table of options: what is read, written, shown and documented by one declaration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, nan
from typing import Any

import pytest

from unrot.core.errors import Invalid
from unrot.core.options import (
    Kind,
    Table,
    choice,
    maybe,
    number,
    option,
    parsed,
    switch,
    whole,
)


def _even(text: str) -> str:
    if len(text) % 2:
        raise ValueError("an even number of letters")
    return text


@dataclass(frozen=True)
class Kettle:
    """All kinds of knobs."""

    is_on: bool = option(switch(off="cold"), False, "On", "Heats.", group="Heat", key="on")
    degrees: int = option(whole(20, 100), 90, "Degrees", "So hot.", group="Heat")
    litres: float = option(number(0.5, 2, zero="for a whole pot"), 1.0, "Litres", group="Water")
    tea: str = option(choice(green="green", black="black"), "green", "Tea", group="Tea")
    minutes: float | None = option(maybe(number(0, 9), "no end"), None, "Minutes", group="Tea")
    owner: str = option(parsed(_even, is_secret=True), "", help="Whose.")


TABLE = Table(Kettle, "kettle", 'an object such as {"degrees": 80}')


def wrong(given: Any) -> list[tuple[str, Any, str]]:
    with pytest.raises(Invalid) as caught:
        TABLE.parse(given, Kettle())
    return [(detail.field, detail.value, detail.expected) for detail in caught.value.details]


# ── kinds ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        (number(0, 1), 1, 1.0),
        (number(1, 2, zero="for none"), 0, 0.0),
        (whole(1), 50.0, 50),
        (whole(1), 10**400, 10**400),
        (switch(), "on", True),
        (switch(), False, False),
        (choice(a="A", b="B"), "b", "b"),
        (maybe(whole(1), "none"), None, None),
        (maybe(whole(1), "none"), 3, 3),
    ],
)
def test_value_that_fits_is_read(kind: Kind, value: Any, found: Any) -> None:
    assert (type(kind.read(value)), kind.read(value)) == (type(found), found)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (number(0, 0.5, "a share"), [True, "0.1", 0.6, -1, nan, None], "a share from 0 to 0.5"),
        (number(1, 2, zero="for none"), [0.5, False, 3], "0 for none, or a number from 1 to 2"),
        (whole(1, 1_000), [0, 1.5, 1_001, nan, inf], "a whole number from 1 to 1,000"),
        (whole(1), [0, inf, nan], "a whole number, 1 or more"),
        (whole(1, 9, said="a digit"), ["x"], "a digit"),
        (switch(), [1, "yes", None, []], "on or off"),
        (choice(a="A", b="B", c="C"), ["A", None, ["a"]], "one of a, b, c"),
        (maybe(whole(1), "no end"), [0], "a whole number, 1 or more, or nothing for no end"),
    ],
)
def test_value_that_does_not_fit_is_refused(kind: Kind, values: list[Any], expected: str) -> None:
    for value in values:
        with pytest.raises(ValueError, match=r"^$"):
            kind.read(value)
    assert kind.expected == expected


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (number(0, 1), {"0.5": 0.5, "far": "far", "": ""}),
        (whole(0), {"12345678901234567890": 12345678901234567890, "2.0": 2.0, "x": "x"}),
        (maybe(number(0, 1), "none"), {"": None, "none": None, "1": 1.0}),
        (switch(), {"on": "on"}),
    ],
)
def test_text_is_what_json_would_have(kind: Kind, texts: dict[str, Any]) -> None:
    assert {text: kind.from_text(text) for text in texts} == texts


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def test_given_keys_change_and_the_rest_stays() -> None:
    before = Kettle(is_on=True, litres=2.0)

    assert TABLE.parse({"degrees": 80, "minutes": 3}, before) == replace(
        before, degrees=80, minutes=3.0
    )


def test_texts_are_read_without_spaces_around_them() -> None:
    assert TABLE.parse_texts(
        {"on": " on ", "degrees": " 80", "minutes": "", "tea": "black"}, Kettle(minutes=2.0)
    ) == Kettle(is_on=True, degrees=80, tea="black")


def test_all_that_is_wrong_is_named_and_a_secret_is_not() -> None:
    assert wrong({"degree": 80, "degrees": 8, "owner": "ada"}) == [
        ("degree", 80, "no such key; the nearest known one is degrees"),
        ("degrees", 8, "a whole number from 20 to 100"),
        ("owner", "…", "an even number of letters"),
    ]
    assert wrong([]) == [("kettle", [], 'an object such as {"degrees": 80}')]


def test_of_very_many_wrong_keys_the_first_are_named_and_all_are_counted() -> None:
    with pytest.raises(Invalid, match=r"\(29 more in details\.\)") as caught:
        TABLE.parse({f"x{number}": 1 for number in range(30)}, Kettle())

    assert len(caught.value.details) == 20


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_can_be_sent_back() -> None:
    kettle = Kettle(True, 20, 0.5, "black", 9.0, "adam")

    assert TABLE.write(Kettle()) == {
        "on": "off", "degrees": 90, "litres": 1.0, "tea": "green", "minutes": None, "owner": "",
    }  # fmt: skip
    assert TABLE.parse(TABLE.write(kettle), Kettle()) == kettle


def test_form_has_the_options_that_have_a_group() -> None:
    fields = {title: [each.label for each in some] for title, some in TABLE.groups().items()}

    assert fields == {"Heat": ["On", "Degrees"], "Water": ["Litres"], "Tea": ["Tea", "Minutes"]}
    assert TABLE.texts(Kettle()) == {
        "on": "off", "degrees": "90", "litres": "1", "tea": "green", "minutes": "",
    }  # fmt: skip
    assert TABLE.options["on"].kind.choices == {"on": "on", "off": "cold"}
    assert [key for key, each in TABLE.options.items() if each.is_number] == [
        "degrees", "litres", "minutes",
    ]  # fmt: skip


def test_schema_tells_limits_choices_and_what_each_does() -> None:
    assert TABLE.schema() == {
        "on": {"type": "string", "enum": ["on", "off"], "description": "Heats."},
        "degrees": {"type": "integer", "minimum": 20, "maximum": 100, "description": "So hot."},
        "litres": {"type": "number", "minimum": 0, "maximum": 2},
        "tea": {"type": "string", "enum": ["green", "black"]},
        "minutes": {"type": "number", "minimum": 0, "maximum": 9, "nullable": True},
        "owner": {"type": "string", "description": "Whose."},
    }


def test_rows_of_the_documentation_tell_defaults() -> None:
    assert TABLE.rows()[:2] == [
        "| `on` | Heats. | on or off | `off` |",
        "| `degrees` | So hot. | a whole number from 20 to 100 | `90` |",
    ]
    assert TABLE.options["owner"].row() == "| `owner` | Whose. | none |"
