"""Reading a form: what was typed becomes inputs, and the schema alone judges them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from werkzeug.datastructures import MultiDict

from unrot.core.errors import Detail, Invalid
from unrot.core.records import Feature, Schema
from unrot.core.schema import parse_rows
from unrot.web import forms

LENGTH = Feature("length_cm", "number", low=4.3, high=7.9, unit="cm", example=5.1)
LEGS = Feature("legs", "integer", low=2, high=8, example=4.0)
SEX = Feature("sex", "integer", choices=(0, 1), choice_names=("female", "male"), example=1)
COLOUR = Feature("colour", "category", choices=("red", "blue"), example="red")
TAME = Feature("is_tame", "boolean", example=True)
AGE = Feature("age", "number", low=0, high=20, nullable=True)


def schema_of(*features: Feature) -> Schema:
    return Schema(features, target="kind", classes=("cat", "dog"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5.1", 5.1),
        ("5,1", 5.1),
        ("5", 5.0),
        ("-3", -3.0),
        ("+.5", 0.5),
        (",5", 0.5),
        ("7.", 7.0),
        ("1e3", 1000.0),
    ],
)
def test_number_in_text_becomes_a_number(text: str, number: float) -> None:
    assert forms.inputs(schema_of(LENGTH), {"length_cm": text}) == {"length_cm": number}


@pytest.mark.parametrize("text", ["five", "", "1_000", "nan", "inf", "1,000.5", "5 cm", "٣", "0x1"])
def test_text_that_is_no_number_is_left_to_the_schema(text: str) -> None:
    schema = schema_of(LENGTH)

    found = forms.inputs(schema, {"length_cm": text})

    assert found == {"length_cm": text}
    with pytest.raises(Invalid) as caught:
        parse_rows(schema, found)
    assert [detail.field for detail in caught.value.details] == ["length_cm"]


def test_number_too_large_is_left_to_the_schema() -> None:
    found = forms.inputs(schema_of(LENGTH), {"length_cm": "1e999"})

    assert found == {"length_cm": math.inf}
    with pytest.raises(Invalid):
        parse_rows(schema_of(LENGTH), found)


def test_each_kind_is_read_as_its_kind() -> None:
    schema = schema_of(LENGTH, LEGS, SEX, COLOUR, TAME, AGE)
    texts = {
        "length_cm": "5.1",
        "legs": "4",
        "sex": "1",
        "colour": "blue",
        "is_tame": "false",
        "age": "",
    }

    found = forms.inputs(schema, texts)

    assert found == {
        "length_cm": 5.1,
        "legs": 4.0,
        "sex": 1.0,
        "colour": "blue",
        "is_tame": False,
        "age": None,
    }
    assert parse_rows(schema, found) == [[5.1, 4.0, 1.0, "blue", False, None]]


def test_category_that_was_not_chosen_is_missing_and_not_empty() -> None:
    schema = schema_of(COLOUR)

    found = forms.inputs(schema, {"colour": ""})

    assert found == {}
    with pytest.raises(Invalid, match="colour"):
        parse_rows(schema, found)


def test_example_is_accepted_as_it_stands() -> None:
    schema = schema_of(LENGTH, LEGS, SEX, COLOUR, TAME, AGE)

    found = forms.inputs(schema, forms.example(schema))

    assert parse_rows(schema, found) == [[5.1, 4.0, 1.0, "red", True, None]]


def test_large_example_is_typed_without_commas() -> None:
    feature = Feature("steps", "number", example=12_345.0)

    assert forms.example(schema_of(feature)) == {"steps": "12345"}


def test_typed_takes_the_last_of_fields_with_the_same_name() -> None:
    schema = schema_of(Feature("csrf_token", "number"), LENGTH)
    form = MultiDict([("csrf_token", "secret"), ("csrf_token", " 7 "), ("length_cm", "5.1 ")])

    assert forms.typed(schema, form) == {"csrf_token": "7", "length_cm": "5.1"}


def test_field_has_its_hint_and_its_error() -> None:
    details = [Detail("length_cm", "five", "a finite number, usually 4.3 to 7.9 cm")]

    [field] = forms.fields(schema_of(LENGTH), {"length_cm": "five"}, details)

    assert field.hint == "usually 4.3 to 7.9 cm"
    assert field.error == "Expected a finite number, usually 4.3 to 7.9 cm."
    assert field.value == "five"


@pytest.mark.parametrize(
    ("text", "control"),
    [("5.1", "number"), ("-1e-3", "number"), ("", "number"), ("five", "text"), ("5,1", "text")],
)
def test_control_is_one_in_which_a_browser_keeps_the_value(text: str, control: str) -> None:
    [field] = forms.fields(schema_of(LENGTH), {"length_cm": text})

    assert field.control == control


def test_choices_show_the_name_beside_the_code() -> None:
    [field] = forms.fields(schema_of(SEX), {"sex": "1"})

    assert field.control == "select"
    assert field.choices == (
        forms.Choice("0", "0 – female", False),
        forms.Choice("1", "1 – male", True),
    )


def test_choice_is_found_by_its_number() -> None:
    [field] = forms.fields(schema_of(SEX), {"sex": "1.0"})

    assert [choice.value for choice in field.choices if choice.is_chosen] == ["1"]


def test_value_beyond_the_choices_is_kept() -> None:
    [field] = forms.fields(schema_of(COLOUR), {"colour": "green"})

    assert field.choices[-1] == forms.Choice("green", "green – as sent", True)


def test_nullable_choices_offer_unknown() -> None:
    feature = Feature("colour", "category", choices=("red",), nullable=True)

    [field] = forms.fields(schema_of(feature), {"colour": ""})

    assert field.choices == (
        forms.Choice("", "unknown", True),
        forms.Choice("red", "red", False),
    )


def test_boolean_is_a_choice_of_two() -> None:
    [field] = forms.fields(schema_of(TAME), {"is_tame": "true"})

    assert field.choices == (
        forms.Choice("true", "yes", True),
        forms.Choice("false", "no", False),
    )


def test_outside_names_what_training_never_met() -> None:
    schema = schema_of(LENGTH, SEX, COLOUR, TAME, AGE)

    found = forms.outside(schema, [9.0, 2.0, "green", True, None])

    assert found == [(LENGTH, 9.0), (SEX, 2.0), (COLOUR, "green")]


def test_outside_is_empty_inside() -> None:
    schema = schema_of(LENGTH, SEX, COLOUR, TAME, AGE)

    assert forms.outside(schema, [7.9, 1.0, "red", False, 0.0]) == []


@pytest.mark.parametrize(
    ("feature", "value", "problem"),
    [
        (LENGTH, "", "Nothing is filled in yet: expected a finite number, usually 4.3 to 7.9 cm."),
        (COLOUR, None, "Nothing is chosen yet: choose one."),
        (TAME, "", "Nothing is chosen yet: choose one."),
        (AGE, "old", "Expected a finite number, usually 0 to 20."),
    ],
)
def test_error_speaks_to_somebody_who_looks_at_the_field(
    feature: Feature, value: str | None, problem: str
) -> None:
    schema = schema_of(feature)
    texts = {} if value is None else {feature.name: value}

    [field] = forms.fields(schema, texts, forms.problems(schema, texts))

    assert field.error == problem


@pytest.mark.parametrize(
    ("low", "keyboard"), [(0, "decimal"), (4.3, "decimal"), (-1, ""), (None, "")]
)
def test_field_that_keeps_all_has_the_keyboard_that_it_needs(
    low: float | None, keyboard: str
) -> None:
    feature = Feature("size", "number", low=low, high=9)

    [field] = forms.fields(schema_of(feature), {"size": "5"}, keeps_all=True)

    assert (field.control, field.keyboard) == ("text", keyboard)


def test_pasted_values_are_typed_and_what_may_be_left_out_is_unknown() -> None:
    schema = schema_of(LENGTH, TAME, AGE, COLOUR)

    assert forms.pasted(schema, {"length_cm": 5.0, "is_tame": True}) == {
        "length_cm": "5",
        "is_tame": "true",
        "age": "",
    }


def test_form_of_a_private_feature_tells_nothing_that_training_saw() -> None:
    private = schema_of(*(replace(one, is_private=True) for one in (COLOUR, LENGTH)))

    colour, length = forms.fields(private, forms.example(private))

    assert (colour.control, colour.value, colour.choices) == ("text", "", ())
    assert (length.control, length.value) == ("number", "")
    assert colour.hint == length.hint == "no example of it is shown"
    assert forms.fields(schema_of(COLOUR), {})[0].control == "select"
