"""The sentences of rules and of rows that are alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unrot.core.records import Feature, Schema
from unrot.explain.anchors import Rule
from unrot.explain.conditions import Condition
from unrot.explain.neighbours import Neighbour
from unrot.web.neighbours import neighbours_sentence, tell_neighbours
from unrot.web.rule import conditions_said, measure, rule_sentence

SCHEMA = Schema(
    (
        Feature("petal_width", "number"),
        Feature("colour", "category"),
        Feature("age", "integer", is_private=True),
    ),
    "species",
    ("a", "b"),
    ("Able", ""),
)
WIDE, NARROW = Condition(0, "above", 1.7), Condition(0, "upto", 2.5)
RED, GAP = Condition(1, "is", "red"), Condition(1, "is", None)
RULE = Rule("a", [WIDE], True, 0.98, 0.955, 0.99, 0.3, 0.25, 0.35, 500, is_cut=False)
NEAREST = replace(RULE, holds=False, precision=0.8)


def plain(said: str) -> str:
    return said.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([WIDE], "petal width is above 1.7"),
        ([WIDE, NARROW], "petal width is above 1.7 and at most 2.5"),
        ([NARROW, RED], "petal width is at most 2.5 and colour is red"),
        ([GAP], "colour is unknown"),
        ([], ""),
    ],
)
def test_conditions_are_said(conditions: list[Condition], said: str) -> None:
    assert conditions_said(conditions, SCHEMA) == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            RULE,
            "If petal width is above 1.7, the answer is “Able” in at least 95 % of rows like "
            "these.",
        ),
        (
            replace(RULE, conditions=[]),
            "Whatever a row holds, the answer is “Able” in at least 95 % of all rows.",
        ),
        (
            NEAREST,
            "No rule of at most 12 conditions was found that surely holds in 95 % of rows. The "
            "nearest: if petal width is above 1.7, the answer is “Able” in 80 %.",
        ),
        (
            replace(NEAREST, is_cut=True, conditions=[]),
            "In the time for it no rule was found that surely holds in 95 % of rows. The "
            "nearest: whatever a row holds, the answer is “Able” in 80 %.",
        ),
    ],
)
def test_rule_is_said_and_so_is_that_there_is_none(rule: Rule, said: str) -> None:
    assert plain(rule_sentence(rule, SCHEMA)) == said


def test_rule_says_how_sure_it_is() -> None:
    assert plain(measure(RULE)) == (
        "The answer stayed in 98 % of 500 mixed rows, so the share is between 95.5 % and 99 %. The "
        "rule is about 30 % of the training (of all such rows between 25 % and 35 %). "
        "Both are at least 95 % sure."
    )


def like(truth: str | float) -> Neighbour:
    return Neighbour([2.0, "red", 77], truth, 0.1, (True, False, True))


@pytest.mark.parametrize(
    ("truths", "said"),
    [
        ("aaa", "Of the 3 rows of the training that are most like this one, all were “Able”."),
        (
            "bab",
            "Of the 3 rows of the training that are most like this one, 2 were “b” and 1 was "
            "“Able”.",
        ),
        ("", "All features are private, so no row can be told to be like this one."),
    ],
)
def test_truth_of_like_rows_is_said(truths: str, said: str) -> None:
    assert neighbours_sentence([like(one) for one in truths], SCHEMA) == said


def test_numbers_of_like_rows_are_said() -> None:
    schema = replace(SCHEMA, classes=(), target="price")

    assert neighbours_sentence([like(1.5), like(2.0)], schema).endswith(", price was 1.5 and 2.")


def test_private_value_is_on_no_page() -> None:
    told = tell_neighbours([like("a")], [1.0, "red", 55], SCHEMA)

    assert "77" not in str(told)
    assert "55" not in str(told)
    assert [(line.name, line.here, line.cells[0].value) for line in told.lines][2] == (
        "age",
        "private",
        "private",
    )
