"""What a page says of a model in plain sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unrot.core.records import Feature, Model, Schema, Serving, Tally, Version
from unrot.web.pages import story

CLASSES = Schema((Feature("a", "number"), Feature("b", "number")), "left the house", ("0", "1"))
NUMBERS = Schema((Feature("a", "number"),), "price")
SERVING = Serving(by="onnx", digest="")
VERSION = Version("m", "v1", None, "trained", "tree", 0.0, {}, {}, "", {}, SERVING)


def test_purpose_names_target_answer_and_count() -> None:
    assert story.purpose(CLASSES) == (
        "It predicts “left the house”, one of 2 answers, from 2 values."
    )
    assert story.purpose(NUMBERS) == "It predicts “price”, a number, from one value."


@pytest.mark.parametrize(
    ("metrics", "sentence"),
    [
        (
            {"accuracy": 0.9, "constant_guess": 0.6, "rows_held_out": 1200},
            "On 1,200 rows that it had not learnt from it was right 90 % of the time. Always "
            "giving the commonest answer would be right 60 %.",
        ),
        (
            {"accuracy": 0.6, "constant_guess": 0.6, "rows_held_out": 30},
            "On 30 rows that it had not learnt from it was right 60 % of the time. Always "
            "giving the commonest answer would be right 60 %, so it is no better than that.",
        ),
        (
            {"mae": 2.5, "constant_guess_mae": 10.0, "rows_held_out": 30},
            "On 30 rows that it had not learnt from it was off by 2.5 on average. Always giving "
            "the same number would be off by 10.",
        ),
        (
            {"mae": 12.5, "constant_guess_mae": 10.0, "rows_held_out": 30},
            "On 30 rows that it had not learnt from it was off by 12.5 on average. Always giving "
            "the same number would be off by 10, so it is no better than that.",
        ),
        (
            {"rows_trained": 10.0},
            "Nobody has measured it on rows that it had not learnt from, so there is nothing "
            "trusted to judge it by: take its answers with care.",
        ),
    ],
)
def test_quality_stands_beside_mere_guessing(metrics: dict[str, float], sentence: str) -> None:
    assert story.quality(replace(VERSION, metrics=metrics)) == sentence


def test_judged_says_what_people_found() -> None:
    of_classes = Tally(last_accuracy=0.75, last_accuracy_verdicts=12)
    of_numbers = Tally(
        last_accuracy=0.0, last_accuracy_verdicts=3, last_error=1.5, last_error_verdicts=10
    )

    assert story.judged(of_classes, CLASSES, "v1") == (
        "Those who judged answers of v1 found the last 75 % right (12 verdicts)."
    )
    assert story.judged(of_numbers, NUMBERS, "v1") == (
        "The last answers of v1 were off by 1.5 on average (10 true values)."
    )
    assert (
        story.judged(Tally(), CLASSES, "v2")
        == "No verdict tells yet how good the answers of v2 are."
    )
    assert story.lately(of_classes, CLASSES, "v1") == ("75 %", "of 12 verdicts on v1")
    assert story.lately(of_numbers, NUMBERS, "v1") == ("1.5", "over 10 true values on v1")
    assert story.lately(Tally(), CLASSES, "v1") is None


def test_few_verdicts_say_how_few_they_are() -> None:
    one = Tally(last_accuracy=0.0, last_accuracy_verdicts=1)

    assert story.judged(one, CLASSES, "v1") == (
        "People have judged 1 answer of v1 so far: too few to say how good it is."
    )
    assert story.lately(one, CLASSES, "v1") == ("–", "1 verdict on v1 so far")


def test_next_version_is_made_as_the_last_one_was() -> None:
    churn = Model("churn", 1, "", "", CLASSES, 0.0)

    assert story.next_version(churn, VERSION) == (
        'python -m unrot train --csv FILE --target "left the house" --name churn'
    )
    assert story.next_version(churn, replace(VERSION, origin="added")) == (
        'python -m unrot add churn package.module:load --data FILE --target "left the house"'
    )
    assert story.next_version(replace(churn, name="iris"), None) == "python -m unrot train iris"
