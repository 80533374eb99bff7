"""The parts of a long form: by description, by how names begin, else in runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from unrot.core.records import Feature, Schema
from unrot.web import forms
from unrot.web.pages.groups import Group, grouped, is_long


def parts(features: Sequence[Feature], wrong: str = "") -> list[Group]:
    schema = Schema(tuple(features), "kind")
    texts = {feature.name: "x" if feature.name == wrong else "1" for feature in features}
    return grouped(forms.fields(schema, texts, forms.problems(schema, texts), keeps_all=True))


def told(groups: Sequence[Group]) -> list[tuple[str, int]]:
    return [(group.heading, len(group.fields)) for group in groups]


def numbers(*names: str, group: str = "") -> list[Feature]:
    return [Feature(name, "number", group=group) for name in names]


def test_names_that_begin_alike_stand_together_and_the_rest_comes_last() -> None:
    rest = ("rooms", "is_new", "is_old", "is_big")
    names = [*(f"temp_{n}" for n in range(5)), *rest, *(f"motor.{n}" for n in "abc"), "temp out"]

    groups = parts(numbers(*names, *(f"y{n}" for n in range(9))))

    assert told(groups) == [("Temp", 6), ("Motor", 3), ("Y", 9), ("More fields", 4)]
    assert [field.feature.name for field in groups[-1].fields] == list(rest)
    assert [group.is_open for group in groups] == [True, False, False, False]
    assert [group.id for group in groups] == ["group-0", "group-1", "group-2", "group-3"]


def test_long_part_is_cut_into_runs_headed_by_first_and_last() -> None:
    groups = parts(numbers(*(f"wave_{n}" for n in range(45)), "grade"))

    assert told(groups) == [
        ("wave 0 … wave 19", 20),
        ("wave 20 … wave 39", 20),
        ("wave 40 … wave 44", 5),
        ("More fields", 1),
    ]


def test_names_that_have_nothing_in_common_come_in_runs_in_their_order() -> None:
    names = [f"{letter}{other}" for letter in "abcdef" for other in "ghijk"]

    groups = parts(numbers(*names))

    assert told(groups) == [("ag … dk", 20), ("eg … fk", 10)]
    assert [field.feature.name for group in groups for field in group.fields] == names


def test_described_groups_come_before_all_else_and_open_when_they_are_few() -> None:
    features = [*numbers("temp_1", "temp_2", "temp_3"), *numbers("a", "b", group="Body")]

    groups = parts(features)

    assert told(groups) == [("Body", 2), ("More fields", 3)]
    assert [group.is_open for group in groups] == [True, True]


def test_part_with_a_wrong_field_is_open_and_counts_it() -> None:
    groups = parts(numbers(*(f"x{n}" for n in range(60))), wrong="x45")

    assert [(group.is_open, group.wrong) for group in groups] == [
        (True, 0),
        (False, 0),
        (True, 1),
    ]


@pytest.mark.parametrize(
    ("count", "group", "expected"), [(15, "", False), (16, "", True), (2, "Body", True)]
)
def test_form_is_long_beyond_fifteen_fields_or_when_it_has_groups(
    count: int, group: str, expected: bool
) -> None:
    features = numbers(*(f"x{n}" for n in range(count)), group=group)

    assert is_long(Schema(tuple(features), "kind")) is expected


def test_field_stands_in_one_part_only() -> None:
    features = numbers(*(f"{word}_{n}" for n in range(30) for word in ("in", "out", "is")))

    names = [field.feature.name for group in parts(features) for field in group.fields]

    assert sorted(names) == sorted(feature.name for feature in features)
