"""What a verdict says of its row, what it weighs, and which verdicts only judge."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from tests.hear.verdicts import NUMBERS, THREE, TWO, example, verdict
from tests.lessons import judging_rows
from unrot.core.errors import Invalid
from unrot.core.records import Example, Fate, Feedback, JudgedPrediction, Schema
from unrot.hear.truth import (
    WEIGHTS,
    example_of,
    heard_beside,
    in_order,
    is_fair,
    is_fair_row,
    is_held_out,
    parse_weights,
)


def label_and_weight(judged: JudgedPrediction, schema: Schema) -> tuple[str | float, float]:
    found = example_of(judged, schema)
    assert isinstance(found, Example), found
    return found.label, found.weight


def reason(judged: JudgedPrediction, schema: Schema) -> str:
    fate = example_of(judged, schema)
    assert isinstance(fate, Fate), fate
    assert (fate.kind, fate.version) == ("set aside", "")
    return fate.reason


def test_thumb_up_of_somebody_unknown_is_the_predicted_class_and_weighs_little() -> None:
    assert label_and_weight(verdict("a", "yes", was_correct=True), TWO) == ("yes", 0.2)


def test_thumb_up_of_a_judge_weighs_one() -> None:
    assert label_and_weight(verdict("a", "yes", was_correct=True, judge="Ann"), TWO) == ("yes", 1.0)


def test_thumb_down_on_a_class_that_is_no_longer_one_of_the_two_tells_no_class() -> None:
    assert (
        reason(verdict("a", "perhaps", was_correct=False), TWO)
        == "told only that the answer was wrong"
    )


@pytest.mark.parametrize(("said", "other"), [("no", "yes"), ("yes", "no")])
def test_thumb_down_on_two_classes_is_the_other_class_and_a_correction(
    said: str, other: str
) -> None:
    assert label_and_weight(verdict("a", said, was_correct=False), TWO) == (other, 1.0)


def test_label_is_what_it_says() -> None:
    assert label_and_weight(verdict("a", "no", label="perhaps"), THREE) == ("perhaps", 1.0)
    assert label_and_weight(verdict("a", "no", label="no"), THREE) == ("no", 0.2)


def test_number_is_a_correction_unless_it_is_the_same() -> None:
    assert label_and_weight(verdict("a", 10.0, inputs=(1.0,), label=12.0), NUMBERS) == (12.0, 1.0)
    assert label_and_weight(verdict("a", 10.0, inputs=(1.0,), label=10.0), NUMBERS) == (10.0, 0.2)


def test_weights_can_be_set() -> None:
    weights = {**WEIGHTS, "thumb up": 0.5}

    found = example_of(verdict("a", was_correct=True), TWO, weights)

    assert isinstance(found, Example)
    assert found.weight == 0.5


def test_weights_are_read_and_the_rest_stays() -> None:
    assert parse_weights({"thumb up": 1, "training": 0}) == {
        "trusted": 1.0,
        "corrected": 1.0,
        "thumb up": 1.0,
        "training": 0.0,
    }


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"thumbs up": 1},
            "weights.thumbs up 1: expected only trusted, corrected, thumb up, training.",
        ),
        ({"trusted": -1}, "weights.trusted -1: expected a number from 0 to 100."),
        ({"trusted": 100.5}, "weights.trusted 100.5: expected a number from 0 to 100."),
        ({"trusted": True}, "weights.trusted true: expected a number from 0 to 100."),
        (
            [],
            "weights a list of 0: expected an object with some of trusted, corrected, thumb up, "
            "training.",
        ),
    ],
)
def test_wrong_weight_is_named(given: object, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_weights(given)

    assert str(caught.value) == sentence


def test_example_keeps_who_and_when() -> None:
    judged = verdict("a", was_correct=True, judge="Ann", subject="s", at=5.0, given_at=9.0)

    assert example_of(judged, TWO) == Example("a", (50.0, "Rome"), "no", 1.0, True, "s", 5.0, 9.0)


def test_verdict_that_tells_no_label_says_why() -> None:
    assert reason(verdict("a", was_correct=False), THREE) == "told only that the answer was wrong"
    assert reason(verdict("a", 1.0, inputs=(1.0,), was_correct=True), NUMBERS) == (
        "a thumb tells no number"
    )
    assert reason(verdict("a", label="yes", withdrawn=True), TWO) == "taken back"


def test_row_that_no_longer_fits_the_schema_says_how() -> None:
    assert reason(verdict("a", label="maybe"), TWO) == (
        'not in the schema: label "maybe": expected one of no, yes.'
    )
    assert reason(verdict("a", label="no", inputs=(1.0,)), TWO) == (
        "not in the schema: 1 feature instead of 2"
    )
    assert reason(verdict("a", label="no", inputs=(float("nan"), "Rome")), TWO) == (
        "not in the schema: age nan: expected a finite number."
    )
    assert reason(verdict("a", label="no", inputs=(1.0, 3.0)), TWO).startswith(
        "not in the schema: town 3.0: expected a text"
    )


def test_prediction_without_a_verdict_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="Prediction a has no verdict"):
        example_of(JudgedPrediction(verdict("a").prediction, None), TWO)


def test_share_is_held_out_by_the_hash_of_the_id() -> None:
    share = int(hashlib.sha256(b"a").hexdigest()[:16], 16) / 2**64  # 0.79…

    assert not is_held_out("a", share - 1e-9)
    assert is_held_out("a", share + 1e-9)
    assert not is_held_out("a", 0.0)


def test_held_out_share_is_about_what_was_asked() -> None:
    held = sum(is_held_out(f"prediction-{number}", 0.3) for number in range(10_000))

    assert abs(held - 3000) < 140  # three standard deviations: 3·√(10,000·0.3·0.7) = 137


def test_only_trusted_rows_with_a_label_judge() -> None:
    judged = [
        verdict("late", label="yes", judge="Ann", at=50.0),
        verdict("early", label="no", judge="Ann", at=40.0),
        verdict("unknown", label="no", at=41.0),
        verdict("silent", was_correct=False, judge="Ann", at=42.0),
        verdict("old", label="no", judge="Ann", at=10.0),
    ]
    everything = {one.prediction.id or "" for one in judged}

    rows = judging_rows(judged, THREE, 0.0, audited=everything, since=20.0)

    assert [one.prediction for one in rows] == ["early", "late"]
    assert judging_rows(judged, THREE, 0.0) == []
    assert len(judging_rows(judged, THREE, 1.0)) == 3


def test_order_is_that_of_the_verdicts_and_then_of_the_ids() -> None:
    examples = [example("c", given_at=2.0), example("b", given_at=2.0), example("a", given_at=3.0)]

    assert [one.prediction for one in in_order(examples)] == ["b", "c", "a"]


# ── what was asked for ───────────────────────────────────────────────────────────────────────


def said(**more: Any) -> Feedback:
    return replace(Feedback("a", "ills", 1.0, 2.0, was_correct=True, judge="Ann"), **more)


@pytest.mark.parametrize(
    ("other", "marks"),
    [
        (said(), (False, False)),
        (said(judge=None), (True, True)),
        (said(asked=True), (True, False)),
        (said(asked=True, unasked_too=True), (True, True)),
        (said(was_correct=None, withdrawn=True), (True, False)),
        (said(was_correct=None, reward=0.5), (True, False)),
    ],
)
def test_word_of_who_was_not_asked_makes_one_count(
    other: Feedback, marks: tuple[bool, bool]
) -> None:
    found = heard_beside(said(was_correct=False, asked=True), other)

    assert (found.asked, found.unasked_too) == marks
    assert (is_fair(found), is_fair_row(found)) == (not marks[0], not marks[0] or marks[1])
    assert found.was_correct is False
    assert heard_beside(said(), other) == said()


def test_rows_that_only_judge_are_none_that_were_asked_for() -> None:
    judged = [
        verdict("a", label="no", judge="Ann", asked=True),
        verdict("b", label="no", judge="Ann"),
    ]

    assert [one.prediction for one in judging_rows(judged, TWO, 1.0)] == ["b"]
    assert [one.prediction for one in judging_rows(judged, TWO, 0.0, audited="ab")] == ["b"]
