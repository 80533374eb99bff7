"""The sentences of an explanation."""

from __future__ import annotations

import pytest

from unrot.core.records import Feature, Schema, Value
from unrot.explain.explaining import Contribution, Explanation, Unit
from unrot.web.reasons import measure, sentence, why

WIDTH, LENGTH = Feature("petal_width", "number"), Feature("petal_length", "number")
AGE = Feature("age", "number", is_private=True)
SCHEMA = Schema((WIDTH, LENGTH, AGE), "species", ("a", "b"))


def one(feature: Feature, amount: float, value: Value = 0.2, usual: Value = 1.2) -> Contribution:
    return Contribution(feature, value, usual, amount, 0.0)


def told(*parts: Contribution, unit: Unit = "share", label: str | None = "a") -> Explanation:
    score = 0.3 + sum(part.amount for part in parts)
    return Explanation("trees", unit, label, 0.3, score, parts)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([one(WIDTH, 0.5)], "Mostly because petal width is 0.2; usually it is 1.2."),
        (
            [one(WIDTH, 0.4), one(LENGTH, 0.3, 5, 4)],
            "Mostly because petal width is 0.2 and petal length is 5; usually they are 1.2 and 4.",
        ),
        (
            [one(WIDTH, 0.4), one(LENGTH, 0.3, 4, 4)],
            "Mostly because petal width is 0.2 and petal length is 4; usually petal width is 1.2.",
        ),
        (
            [one(WIDTH, 0.4), one(LENGTH, 0.1)],
            "Mostly because petal width is 0.2; usually it is 1.2.",
        ),
        ([one(WIDTH, 0.4, 1.2)], "Mostly because petal width is 1.2."),
        ([one(WIDTH, 0.4, None)], "Mostly because petal width is unknown; usually it is 1.2."),
        ([one(AGE, 0.4)], "Mostly because of age."),
        ([one(WIDTH, 0.0)], "No feature draws this answer away from what is usual."),
        (
            [one(WIDTH, -0.2), one(LENGTH, 0.1)],
            "Less likely than usual, mostly because petal width is 0.2; usually it is 1.2.",
        ),
    ],
)
def test_sentence_names_what_drew_the_answer(parts: list[Contribution], said: str) -> None:
    assert sentence(told(*parts)) == said


def test_number_that_is_below_the_usual_is_no_less_likely() -> None:
    below = told(one(WIDTH, -0.2), unit="value", label=None)

    assert sentence(below) == "Mostly because petal width is 0.2; usually it is 1.2."


def test_choices_and_yes_or_no_are_written_as_the_form_has_them() -> None:
    soil = Feature("soil", "category", choices=("c", "l"), choice_names=("Clay", "Loam"))
    indoors = Feature("indoors", "boolean")

    said = sentence(told(one(indoors, 0.4, value=False, usual=True), one(soil, 0.3, "l", "c")))

    assert said == ("Mostly because indoors is no and soil is Loam; usually they are yes and Clay.")


@pytest.mark.parametrize(
    ("unit", "label", "said"),
    [
        ("share", "a", "“a” usually has a chance of 30 %, here 80 %: the parts"),
        ("value", None, "The answer usually is 0.3, here 0.8: the parts"),
        ("log-odds", "a", "In log-odds, the model’s own unit (of “a”): usually 0.3, here 0.8;"),
        ("score", "a", "In the model’s own score of “a”: usually 0.3, here 0.8;"),
        ("logarithm", None, "In the logarithm of species: usually 0.3, here 0.8;"),
    ],
)
def test_measure_says_what_the_parts_add_up_to(unit: Unit, label: str | None, said: str) -> None:
    written = measure(told(one(WIDTH, 0.5), unit=unit, label=label), SCHEMA)

    assert written.replace("\N{NO-BREAK SPACE}", " ").startswith(said)


def test_private_value_is_nowhere() -> None:
    shown = why(told(one(WIDTH, 0.5), one(AGE, 0.4, 77.0, 55.0)), SCHEMA, None)

    assert "77" not in str(shown)
    assert "55" not in str(shown)
    assert [(each.name, each.value, each.usual) for each in shown.reasons][1] == (
        "age",
        "private",
        "private",
    )
