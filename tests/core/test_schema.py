"""What the schema takes, what it refuses, and the words it refuses with."""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from typing import Any

import pytest

from unrot.core.errors import Detail, Invalid, TooLarge
from unrot.core.records import Feature, Schema
from unrot.core.schema import (
    check_name,
    describe,
    example_row,
    expected_of,
    farthest_feature,
    from_json,
    parse_instances,
    parse_label,
    parse_row,
    parse_rows,
    schema_hash,
    to_json,
)

AGE = Feature("age", "integer", 18, 90, unit="years", description="At admission.", example=50)
WEIGHT = Feature("weight", "number", 40.0, 160.0, example=70.5, nullable=True)
SMOKER = Feature("smoker", "boolean", example=False)
TOWN = Feature("town", "category", choices=("Berlin", "Rome"), example="Rome")
SCHEMA = Schema((AGE, WEIGHT, SMOKER, TOWN), "risk", ("low", "high"))
REGRESSION = Schema((AGE, WEIGHT), "rent")
GOOD = {"age": 50, "weight": 70.5, "smoker": False, "town": "Rome"}

A_NUMBER = "a finite number, usually 18 to 90 years"
A_WEIGHT = "a finite number, usually 40 to 160, or null"
A_BOOLEAN = "true or false"
A_TOWN = "a text, usually one of Berlin, Rome"
A_ROW = "an object of features"

NAN, INFINITY = float("nan"), float("inf")


def details_of(schema: Schema, inputs: Any) -> tuple[Detail, ...]:
    with pytest.raises(Invalid) as refused:
        parse_rows(schema, inputs)
    return refused.value.details


# ── taken ────────────────────────────────────────────────────────────────────────────────────


def test_object_becomes_one_row_in_the_order_of_the_schema() -> None:
    shuffled = {"town": "Rome", "smoker": True, "weight": 71, "age": 50}

    rows = parse_rows(SCHEMA, shuffled)

    assert rows == [[50.0, 71.0, True, "Rome"]]
    assert [type(value) for value in rows[0]] == [float, float, bool, str]


def test_list_of_objects_becomes_rows_in_order() -> None:
    rows = parse_rows(SCHEMA, [GOOD, {**GOOD, "age": 51}, GOOD])

    assert [row[0] for row in rows] == [50.0, 51.0, 50.0]


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("age", 200, 200.0),
        ("age", -5, -5.0),
        ("age", 0, 0.0),
        ("age", 2**63 - 1025, 2.0**63 - 1024),
        ("weight", -1e18, -1e18),
        ("weight", 5e-324, 5e-324),
        ("weight", None, None),
        ("smoker", True, True),
        ("town", "Paris", "Paris"),
        ("town", "Zürich 🧟", "Zürich 🧟"),
    ],
)
def test_value_outside_what_training_saw_is_taken(field: str, value: Any, kept: Any) -> None:
    row = parse_row(SCHEMA, {**GOOD, field: value})

    assert dict(zip(SCHEMA.names, row, strict=True)) == {**GOOD, field: kept}


def test_number_beyond_64_bits_is_taken_where_training_went_as_far() -> None:
    schema = Schema((Feature("atoms", "number", 0.0, 1e30),), "kind", ("a", "b"))

    rows = parse_rows(schema, {"atoms": 2**80})

    assert rows == [[2.0**80]]


def test_ten_thousand_rows_are_taken() -> None:
    rows = parse_rows(SCHEMA, [GOOD] * 10_000)

    assert len(rows) == 10_000


def test_five_hundred_features_are_read_in_order() -> None:
    schema = wide_schema(500)

    rows = parse_rows(schema, {f"f{number}": number for number in reversed(range(500))})

    assert rows == [[float(number) for number in range(500)]]


@pytest.mark.parametrize(
    "choice", ["caf\xe9\xa0au lait", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"]
)
def test_choice_that_training_saw_is_taken_whatever_it_is_written_with(choice: str) -> None:
    drink = Feature("drink", "category", choices=("tea", choice))

    rows = parse_rows(Schema((drink,), "kind", ("a", "b")), {"drink": choice})

    assert rows == [[choice]]


# ── refused ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        *[
            ("age", value, A_NUMBER)
            for value in (
                NAN,
                INFINITY,
                -INFINITY,
                1e300,
                2**80,
                -(2**80),
                2**63,
                10**400,
                "50",
                "",
                "\ud800",
                True,
                False,
                None,
                [50],
                [],
                {"value": 50},
                {},
            )
        ],
        *[("weight", value, A_WEIGHT) for value in (NAN, "70.5", "null", True, [None], {})],
        *[("smoker", value, A_BOOLEAN) for value in (0, 1, 0.0, "true", "", None, [True], {})],
        *[
            ("town", value, A_TOWN)
            for value in (1, 0.5, NAN, True, None, "\ud800", "Ro\nme", "\0", ["Rome"], {})
        ],
    ],
)
def test_wrong_value_is_refused_by_name(field: str, value: Any, expected: str) -> None:
    details = details_of(SCHEMA, {**GOOD, field: value})

    assert [astuple(one) for one in details] == [astuple(Detail(field, value, expected, None))]


def test_message_names_field_value_and_what_would_be_right() -> None:
    with pytest.raises(Invalid) as refused:
        parse_rows(SCHEMA, {**GOOD, "age": "50"})

    assert refused.value.message == f'age "50": expected {A_NUMBER}.'
    assert refused.value.reason == "invalid"


def test_message_counts_the_other_wrong_fields() -> None:
    with pytest.raises(Invalid) as refused:
        parse_rows(SCHEMA, [GOOD, {**GOOD, "town": 5, "smoker": "no", "age": None}])

    assert refused.value.message == f"Row 1: age null: expected {A_NUMBER}. (2 more in details.)"
    assert refused.value.details == (
        Detail("age", None, A_NUMBER, 1),
        Detail("smoker", "no", A_BOOLEAN, 1),
        Detail("town", 5, A_TOWN, 1),
    )


def test_wrong_rows_are_numbered_from_zero_in_a_list() -> None:
    rows = [{**GOOD, "age": "a"}, GOOD, {**GOOD, "age": "b"}]

    details = details_of(SCHEMA, rows)

    assert details == (Detail("age", "a", A_NUMBER, 0), Detail("age", "b", A_NUMBER, 2))


def test_missing_features_are_named_each() -> None:
    details = details_of(SCHEMA, {"age": 50, "weight": 70.5})

    assert details == (
        Detail("smoker", None, A_BOOLEAN, is_missing=True),
        Detail("town", None, A_TOWN, is_missing=True),
    )


def test_nullable_feature_may_not_be_left_out() -> None:
    given = {name: value for name, value in GOOD.items() if name != "weight"}

    details = details_of(SCHEMA, given)

    assert details == (Detail("weight", None, A_WEIGHT, is_missing=True),)


@pytest.mark.parametrize(
    ("extra", "nearest"), [("agee", "age"), ("wieght", "weight"), ("Town", "town")]
)
def test_unknown_feature_is_refused_with_the_nearest_known(extra: str, nearest: str) -> None:
    details = details_of(SCHEMA, {**GOOD, extra: 5})

    assert details == (Detail(extra, 5, f"no such feature; the nearest known one is {nearest}"),)


def test_misspelt_feature_is_told_the_missing_one() -> None:
    given = {"age": 50, "wieght": 70.5, "smoker": False, "town": "Rome"}

    details = details_of(SCHEMA, given)

    assert details == (
        Detail("weight", None, A_WEIGHT, is_missing=True),
        Detail("wieght", 70.5, "no such feature; the nearest known one is weight"),
    )


@pytest.mark.parametrize("name", ["", "\ud800", "a\nb", "x" * 100_000, "{{7*7}}"])
def test_unknown_name_of_any_kind_is_refused_in_printable_words(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_rows(SCHEMA, {**GOOD, name: 1})

    assert len(refused.value.details) == 1
    assert len(refused.value.details[0].field) <= 80
    assert refused.value.message.isprintable()
    assert refused.value.message.encode()


@pytest.mark.parametrize("inputs", [None, True, 5, 0.5, "", "age", NAN, (1, 2)])
def test_inputs_of_another_type_are_refused(inputs: Any) -> None:
    expected = "an object of features, or a list of such objects"

    details = details_of(SCHEMA, inputs)

    assert [astuple(one) for one in details] == [astuple(Detail("inputs", inputs, expected))]


def test_rows_that_are_no_objects_are_refused_each() -> None:
    details = details_of(SCHEMA, [GOOD, 5, "x", None, [50, 70.5], GOOD, [[]]])

    assert details == (
        Detail("inputs", 5, A_ROW, 1),
        Detail("inputs", "x", A_ROW, 2),
        Detail("inputs", None, A_ROW, 3),
        Detail("inputs", [50, 70.5], A_ROW, 4),
        Detail("inputs", [[]], A_ROW, 6),
    )


def test_empty_object_misses_every_feature() -> None:
    details = details_of(SCHEMA, {})

    assert [detail.field for detail in details] == ["age", "weight", "smoker", "town"]


def test_empty_list_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        parse_rows(SCHEMA, [])

    assert refused.value.message == "inputs is empty: send at least one row."
    assert refused.value.details == (Detail("inputs", [], "at least one row"),)


def test_more_than_ten_thousand_rows_are_too_many() -> None:
    with pytest.raises(TooLarge) as refused:
        parse_rows(SCHEMA, [GOOD] * 10_001)

    assert refused.value.message == (
        "inputs holds 10,001 rows and at most 10,000 are taken at once: "
        "send them in several requests."
    )


def test_details_stop_at_twenty() -> None:
    details = details_of(SCHEMA, [{**GOOD, "age": "x"}] * 50)

    assert [detail.row for detail in details] == list(range(20))


def test_five_hundred_wrong_names_are_refused_at_once() -> None:
    schema = wide_schema(500)
    given = {f"other_column_called_{number}": 1 for number in range(520)}

    details = details_of(schema, given)

    assert len(details) == 20


def test_number_that_no_float_can_hold_is_refused_however_wide_the_range() -> None:
    schema = Schema((Feature("atoms", "number", 0.0, 1e306),), "kind", ("a", "b"))

    details = details_of(schema, {"atoms": 10**400})

    assert details == (Detail("atoms", 10**400, "a finite number, usually 0 to 1e+306"),)


# ── instances, the older form ────────────────────────────────────────────────────────────────


def test_instances_are_read_in_the_order_of_the_schema() -> None:
    rows = parse_instances(SCHEMA, [[50, None, True, "Rome"], [51, 2, False, "Paris"]])

    assert rows == [[50.0, None, True, "Rome"], [51.0, 2.0, False, "Paris"]]


@pytest.mark.parametrize("instances", [None, 5, "x", {"age": 50}, True])
def test_instances_that_are_no_list_are_refused(instances: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse_instances(SCHEMA, instances)

    assert refused.value.details == (
        Detail("instances", instances, "a list of rows, each a list of features"),
    )


@pytest.mark.parametrize(
    "instance", [[], [50, 70.5, True], [50, 70.5, True, "Rome", 1], 5, None, "1234", GOOD]
)
def test_instance_of_a_wrong_shape_is_refused(instance: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse_instances(SCHEMA, [[50, 70.5, True, "Rome"], instance])

    assert refused.value.details == (
        Detail("instances", instance, "a list of 4 values: age, weight, smoker, town", 1),
    )


def test_instance_with_a_wrong_value_is_refused_by_row_and_name() -> None:
    with pytest.raises(Invalid) as refused:
        parse_instances(SCHEMA, [[50, 70.5, True, "Rome"], [True, 70.5, 1, "Rome"]])

    assert refused.value.details == (
        Detail("age", True, A_NUMBER, 1),
        Detail("smoker", 1, A_BOOLEAN, 1),
    )


def test_instances_are_counted_like_inputs() -> None:
    with pytest.raises(Invalid) as empty:
        parse_instances(SCHEMA, [])
    with pytest.raises(TooLarge) as large:
        parse_instances(SCHEMA, [[]] * 10_001)

    assert empty.value.message == "instances is empty: send at least one row."
    assert large.value.message.startswith("instances holds 10,001 rows and at most 10,000 are")


# ── labels ───────────────────────────────────────────────────────────────────────────────────


def test_label_of_a_classifier_is_one_of_its_classes() -> None:
    assert parse_label(SCHEMA, "high") == "high"


@pytest.mark.parametrize("label", ["High", "high ", "", "\ud800", 1, True, None, NAN, ["high"], {}])
def test_label_that_is_no_class_is_refused(label: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse_label(SCHEMA, label)

    assert refused.value.reason == "unknown_label"
    [detail] = refused.value.details
    assert astuple(detail) == astuple(Detail("label", label, "one of low, high"))


@pytest.mark.parametrize("label", [950, 950.0, -0.5, 0])
def test_label_of_a_regression_is_a_number(label: Any) -> None:
    read = parse_label(REGRESSION, label)

    assert (read, type(read)) == (label, float)


@pytest.mark.parametrize("label", ["950", NAN, INFINITY, True, None, 2**80, 1e300, [1], {}])
def test_label_of_a_regression_that_is_no_number_is_refused(label: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse_label(REGRESSION, label)

    assert refused.value.reason == "unknown_label"
    [detail] = refused.value.details
    assert astuple(detail) == astuple(Detail("label", label, "a finite number"))


# ── described ────────────────────────────────────────────────────────────────────────────────


def test_schema_of_an_older_database_has_no_words_of_its_own() -> None:
    older = json.loads(to_json(SCHEMA))
    del older["class_names"]
    for feature in older["features"]:
        del feature["label"], feature["group"]

    assert from_json(json.dumps(older)) == SCHEMA


def test_words_for_people_leave_the_hash_as_it_is() -> None:
    worded = replace(
        SCHEMA,
        features=tuple(replace(one, label="L", group="G") for one in SCHEMA.features),
        class_names=("a", "b"),
    )

    assert schema_hash(worded) == schema_hash(SCHEMA)
    assert from_json(to_json(worded)) == worded


def test_description_tells_all_that_a_form_needs() -> None:
    told = describe(replace(SCHEMA, features=(AGE, TOWN)))

    assert told == {
        "target": "risk",
        "classes": ["low", "high"],
        "class_names": None,
        "features": [
            {
                "name": "age",
                "kind": "integer",
                "range": [18, 90],
                "choices": None,
                "choice_names": None,
                "label": None,
                "group": None,
                "unit": "years",
                "description": "At admission.",
                "nullable": False,
                "fixed": False,
                "private": False,
                "example": 50,
            },
            {
                "name": "town",
                "kind": "category",
                "range": None,
                "choices": ["Berlin", "Rome"],
                "choice_names": None,
                "label": None,
                "group": None,
                "unit": None,
                "description": None,
                "nullable": False,
                "fixed": False,
                "private": False,
                "example": "Rome",
            },
        ],
        "example": {"age": 50, "town": "Rome"},
    }


def test_description_of_a_regression_has_no_classes() -> None:
    assert describe(REGRESSION)["classes"] is None


def test_example_works_when_it_is_pasted() -> None:
    example = example_row(SCHEMA)

    assert example == GOOD
    assert parse_rows(SCHEMA, example) == [[50.0, 70.5, False, "Rome"]]


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (AGE, A_NUMBER),
        (WEIGHT, A_WEIGHT),
        (SMOKER, A_BOOLEAN),
        (TOWN, A_TOWN),
        (Feature("x", "number"), "a finite number"),
        (Feature("x", "integer", choices=(1, 2)), "a finite number, usually one of 1, 2"),
        (
            Feature("x", "category", choices=("a",), nullable=True),
            "a text, usually one of a, or null",
        ),
        (
            Feature("x", "category", choices=tuple("abcdefghijklmn")),
            "a text, usually one of a, b, c, d, e, f, g, h, i, j, k, l, … (14 in all)",
        ),
    ],
)
def test_expectation_is_said_in_words(feature: Feature, words: str) -> None:
    assert expected_of(feature) == words


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ([50.0, 281.0, True, "Rome"], "weight"),  # 121 above 160: 1.008 of the width 120
        ([163.0, 280.0, True, "Rome"], "age"),  # 73 above 90: 1.014 of the width 72
        ([-60.0, 160.0, True, "Rome"], "age"),
        ([50.0, None, True, "Rome"], "age"),
    ],
)
def test_farthest_feature_is_measured_in_widths_of_its_range(row: list[Any], name: str) -> None:
    assert farthest_feature(SCHEMA, row).name == name


def test_farthest_feature_of_a_mixed_row_is_a_number_whatever_is_known_of_ranges() -> None:
    features = (
        Feature("town", "category", choices=("Rome",)),
        Feature("is_new", "boolean"),
        Feature("gap", "number", nullable=True),
        Feature("small", "number"),
        Feature("large", "integer"),
    )

    row = ["Rome", True, None, 2.0, -1e300]

    assert farthest_feature(Schema(features, "y"), row).name == "large"


# ── kept ─────────────────────────────────────────────────────────────────────────────────────


def test_schema_survives_json() -> None:
    codes = Feature("code", "integer", choices=(0, 1), choice_names=("no", "ja ✓"), example=1)
    schema = replace(SCHEMA, features=(*SCHEMA.features, codes))

    assert from_json(to_json(schema)) == schema
    assert from_json(to_json(REGRESSION)) == REGRESSION


@pytest.mark.parametrize(
    "better",
    [
        replace(AGE, low=0, high=120),
        replace(AGE, unit="a"),
        replace(AGE, description="In years."),
        replace(AGE, example=40),
    ],
)
def test_hash_ignores_what_may_be_improved(better: Feature) -> None:
    schema = replace(SCHEMA, features=(better, WEIGHT, SMOKER, TOWN))

    assert schema_hash(schema) == schema_hash(SCHEMA)


@pytest.mark.parametrize(
    "other",
    [
        replace(SCHEMA, features=(replace(AGE, name="Age"), WEIGHT, SMOKER, TOWN)),
        replace(SCHEMA, features=(replace(AGE, kind="number"), WEIGHT, SMOKER, TOWN)),
        replace(SCHEMA, features=(WEIGHT, AGE, SMOKER, TOWN)),
        replace(SCHEMA, features=(AGE, WEIGHT, SMOKER)),
        replace(SCHEMA, classes=("high", "low")),
        replace(SCHEMA, classes=("low", "high", "huge")),
        replace(SCHEMA, classes=()),
        replace(SCHEMA, target="danger"),
    ],
    ids=["name", "kind", "order", "fewer", "class order", "more classes", "no classes", "target"],
)
def test_hash_tells_what_a_version_depends_on(other: Schema) -> None:
    assert schema_hash(other) != schema_hash(SCHEMA)


def wide_schema(count: int) -> Schema:
    return Schema(
        tuple(Feature(f"f{number}", "number") for number in range(count)), "t", ("a", "b")
    )


@pytest.mark.parametrize("other", [replace(AGE, nullable=True), replace(AGE, choices=(1, 2))])
def test_hash_changes_with_gaps_and_choices(other: Feature) -> None:
    schema = replace(SCHEMA, features=(other, WEIGHT, SMOKER, TOWN))

    assert schema_hash(schema) != schema_hash(SCHEMA)


@pytest.mark.parametrize("name", ["iris", "a", "9-lives_2", "a" * 64])
def test_name_of_a_model_that_can_stand_in_an_address_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Iris", "-a", "_a", "a b", "a/b", "../a", "ä", "a\n", "a" * 65]
)
def test_name_of_a_model_that_could_not_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="cannot be named"):
        check_name(name)


@pytest.mark.parametrize(
    ("name", "likely"),
    [("Fraud", "fraud"), ("House prices (2024)", "house-prices-2024"), ("Müller", "muller")],
)
def test_refused_name_is_told_one_that_is_near_and_taken(name: str, likely: str) -> None:
    with pytest.raises(Invalid, match=rf'such as "{check_name(likely)}"\.$'):
        check_name(name)


@pytest.mark.parametrize("name", ["", "..", "日本", "_"])
def test_where_no_name_is_near_none_is_told(name: str) -> None:
    with pytest.raises(Invalid, match=r"at most 64\.$"):
        check_name(name)


def test_text_that_is_too_long_is_refused_and_one_of_training_never_is() -> None:
    long = "a" * 257
    schema = Schema((Feature("town", "category", choices=("Rome",)),), "y", ("a", "b"))
    trained = Schema((Feature("town", "category", choices=(long,)),), "y", ("a", "b"))

    with pytest.raises(Invalid, match="expected a text of at most 256 characters"):
        parse_row(schema, {"town": long})
    assert parse_row(schema, {"town": long[1:]}) == [long[1:]]
    assert parse_row(trained, {"town": long}) == [long]
