"""A pasted row, in every shape in which people have one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from unrot.core.errors import Invalid, TooLarge
from unrot.core.records import Feature, Schema
from unrot.make.csv.pasted import MOST_CHARACTERS, read

LENGTH = Feature("length", "number", low=1.0, high=9.0)
COLOUR = Feature("Colour", "category", choices=("red", "sea, deep"), nullable=True)
TAME = Feature("is tame", "boolean")
SCHEMA = Schema((LENGTH, COLOUR, TAME), "kind", ("cat", "dog"))
ROW = {"length": 5.5, "Colour": "red", "is tame": True}


@pytest.mark.parametrize(
    "text",
    [
        '{"length": 5.5, "Colour": "red", "is tame": true}',
        '\ufeff {"inputs": {"length": 5.5, "Colour": "red", "is tame": true}}',
        '{"inputs": [{"length": 5.5, "Colour": "red", "is tame": true}]}',
        '[{"LENGTH": 5.5, "colour": "red", "is tame": true}]',
        '[5.5, "red", true]',
        '{"instances": [[5.5, "red", true]]}',
        "length,Colour,is tame\n5.5,red,yes",
        "length;Colour;is tame\r\n5,5;red;1\r\n",
        "is tame\tColour\tlength\n\nTRUE\tred\t5,5",
        "length|Colour|is tame|\n5.5|red|t|",
        'length,Colour,"is tame"\n"5,5",red,yes',
        "5.5,red,yes",
        "5,5;red;yes",
        "5.5\tred\tyes",
        "5.5, red, yes",
        "5,5;red;yes;;",
    ],
)
def test_row_is_read_however_it_is_written(text: str) -> None:
    pasted = read(SCHEMA, text)

    assert (pasted.values, pasted.unknown) == (ROW, {})


def test_quoted_cell_keeps_its_comma_and_a_gap_is_none() -> None:
    assert read(SCHEMA, '5,"sea, deep",no').values == {
        "length": 5.0,
        "Colour": "sea, deep",
        "is tame": False,
    }
    assert read(SCHEMA, "5;n/a;no").values["Colour"] is None


def test_grouped_thousands_are_numbers() -> None:
    assert read(SCHEMA, "1.234,5;red;no").values["length"] == 1234.5


def test_number_beyond_all_is_left_for_the_schema_to_refuse() -> None:
    assert read(SCHEMA, '{"length": ' + "9" * 5_000 + "}").values == {"length": math.inf}


def test_unknown_names_are_told_with_the_nearest_that_is_still_free() -> None:
    pasted = read(SCHEMA, "id,lenght,Colour,kind\n7,5.5,red,cat")

    assert pasted.values == {"Colour": "red"}
    assert pasted.unknown == {"id": "", "lenght": "length", "kind": ""}


def test_what_cannot_be_read_is_passed_on() -> None:
    assert read(SCHEMA, "long;red;perhaps").values == {
        "length": "long",
        "Colour": "red",
        "is tame": "perhaps",
    }


@pytest.mark.parametrize("text", ["5,5", "5.5", '{"size": 5.5}', "size\n5,5", "[5.5]"])
def test_row_of_one_feature_needs_no_delimiter(text: str) -> None:
    schema = Schema((Feature("size", "number"),), "price")

    assert read(schema, text).values == {"size": 5.5}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" \n ", "Nothing was pasted"),
        ('{"length": 5.5,', "It begins like JSON and is none from line 1, column 16 on"),
        ("[1, 2", "It begins like JSON"),
        ("[1, 2]", "The row has 2 values and no names: expected 3, in this order: length, Colour"),
        ("[]", "The row has 0 values"),
        ("5;red", "The row has 2 values and no names"),
        ("hello", "The row has 1 value and no names"),
        ('{"inputs": "x"}', '"x" was pasted: expected a JSON object of features.'),
        ('{"length": [5]}', '"length" holds a list of 1: expected one value for it.'),
        ('[{"length": 1}, {"length": 2}]', "2 rows were pasted: the form takes one"),
        ("length,Colour\n1,red\n2,red\n3,red", "3 rows were pasted"),
        ("1,red,no\n2,red,no", "2 lines were pasted, and the first holds no name"),
        ("length,Colour,is tame", "Only a line of names was pasted"),
        ("length,Colour\n1", "The row has 1 value and the line above it 2 names."),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_row_is_told_so(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(SCHEMA, text)

    assert sentence in refused.value.message


def test_many_unknown_names_are_told_and_only_some_are_looked_for() -> None:
    row = {f"lengt{number}": number for number in range(10_000)}

    unknown = read(SCHEMA, json.dumps(row)).unknown

    assert list(unknown) == list(row)
    assert [name for name, near in unknown.items() if near] == list(row)[:8]


def test_too_much_is_refused() -> None:
    with pytest.raises(TooLarge, match="200,001 characters"):
        read(SCHEMA, "x" * (MOST_CHARACTERS + 1))


@pytest.mark.parametrize("text", ['"', "\0", "a\0b,c,d", '"a\nb', "\ud800", ",,,", ";", "\u2028"])
def test_nonsense_is_refused_or_passed_on_and_nothing_else(text: str) -> None:
    try:
        values: Any = read(SCHEMA, text).values
    except Invalid:
        return
    assert set(values) <= set(SCHEMA.names)


def test_empty_cells_at_the_end_are_none_however_many() -> None:
    commas = "," * 49_000

    pasted = read(SCHEMA, f"length,Colour,is tame{commas}\n5.5,red,yes{commas}")

    assert pasted.values == ROW
