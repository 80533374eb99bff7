"""A model's policy: read from the API and from forms, and said."""

from __future__ import annotations

from typing import Any

import pytest

from unrot.core.errors import Invalid
from unrot.core.policy import Policy, counts_as, describe, parse_policy, parse_texts, sentences
from unrot.core.records import Schema

CLASSES = Schema((), "rots", ("no", "yes"))

ALL = {
    "promote": "auto",
    "learn": "every 50 verdicts",
    "rollback": "auto",
    "gate": "off",
    "batch": 25,
    "replay": 0.5,
    "clip": 0.0,
    "cap": 0.1,
    "held_out": 0.4,
    "coverage": 0.8,
    "not_sure": "on",
    "tolerance": 0.01,
    "seed": 7,
    "reward_right": 0.8,
    "reward_wrong": 0.3,
    "neighbours": "nobody",
}
AS_ALL = Policy(
    promote="auto", learn_every=50, rollback="auto", gate=False, batch=25, replay=0.5, clip=0.0,
    cap=0.1, held_out=0.4, coverage=0.8, not_sure=True, tolerance=0.01, seed=7, reward_right=0.8,
    reward_wrong=0.3, neighbours="nobody",
)  # fmt: skip


def test_every_key_is_read_and_written_back() -> None:
    policy = parse_policy(ALL, Policy())

    assert policy == AS_ALL
    assert describe(policy) == ALL
    assert parse_policy(describe(Policy()), AS_ALL) == Policy()


@pytest.mark.parametrize("learn", ["every 50 verdicts", "every 50", "50", 50, {"every": 50}])
def test_learning_by_itself_is_understood_as_people_write_it(learn: Any) -> None:
    assert parse_policy({"learn": learn}, Policy()).learn_every == 50


def test_learning_after_every_single_verdict_is_said_in_the_singular() -> None:
    policy = parse_policy({"learn": "every 1 verdict"}, Policy())

    assert describe(policy)["learn"] == "every 1 verdict"
    assert parse_policy(describe(policy), Policy()) == policy


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("promote", "yes"),
        ("promote", ["auto"]),
        ("learn", "every day"),
        ("learn", 0),
        ("learn", {"every": 5, "or": 6}),
        ("learn", True),
        ("gate", "maybe"),
        ("gate", {}),
        ("batch", 0),
        ("batch", 1.5),
        ("batch", float("nan")),
        ("replay", 11),
        ("clip", 0.5),
        ("clip", False),
        ("cap", 1.1),
        ("cap", "0.1"),
        ("held_out", 0.95),
        ("tolerance", -0.01),
        ("tolerance", None),
        ("seed", 2**32),
        ("rollback", None),
    ],
)
def test_wrong_value_is_named_with_what_was_expected(key: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        parse_policy({key: value, "replay" if key != "replay" else "cap": 1}, Policy())

    (detail,) = caught.value.details
    assert (detail.field, detail.value) == (key, value)
    assert detail.expected in str(caught.value)


def test_policy_that_is_no_object_is_refused() -> None:
    with pytest.raises(Invalid, match="policy a list of 0: expected an object"):
        parse_policy([], Policy())


def test_form_with_all_fields_as_texts_is_read() -> None:
    texts = {key: str(value) for key, value in ALL.items()}

    assert parse_texts(texts, Policy()) == AS_ALL


def test_policy_is_said_in_short_lines() -> None:
    assert sentences(Policy(), CLASSES) == [
        "It learns when somebody asks.",
        "A new version is promoted by hand; the gate lets a loss of up to 2 points pass.",
        "It is rolled back by hand.",
        "Beside an answer it tells what else may be: this holds 90 % of the truths.",
        "It takes rows in steps of 50, 1 row of before mixed in for each new one (seed 0).",
        "Rows beyond 1.2 times the training range are set aside; one unknown sender makes at "
        "most 20 % of them; 30 % of the judges' verdicts only judge.",
        "Beside an answer it shows the rows of the training that are like it to viewers alone.",
    ]


def test_loss_of_numbers_is_a_share_of_their_error() -> None:
    assert sentences(Policy(), Schema((), "rent"))[1].endswith("lets up to 2 % more error pass.")


def test_gate_that_is_off_is_said_aloud() -> None:
    assert sentences(AS_ALL, CLASSES)[1] == (
        "The gate is off: nothing is compared before a version answers, and it is promoted by "
        "itself. A worse version can replace a better one."
    )


def test_reward_counts_as_the_policy_says() -> None:
    policy = describe(parse_policy({"reward_right": 0.8, "reward_wrong": 0.3}, Policy()))

    found = [counts_as(reward, policy) for reward in (0.0, 0.3, 0.31, 0.79, 0.8, 1.0)]

    assert found == [False, False, None, None, True, True]
    assert [counts_as(reward, describe(Policy())) for reward in (0.0, 0.01, 0.99, 1.0)] == [
        False,
        None,
        None,
        True,
    ]


def test_threshold_is_said_and_emptied() -> None:
    policy = parse_texts({"reward_right": "0.8", "reward_wrong": ""}, Policy())

    assert (
        sentences(policy, CLASSES)[-1]
        == "Of rewards, 0.8 or more counts as right and only 0 as wrong."
    )
    assert parse_texts({"reward_right": ""}, policy) == Policy()


@pytest.mark.parametrize(
    "given",
    [{"reward_right": 0.5, "reward_wrong": 0.5}, {"reward_right": 0}, {"reward_wrong": 1}],
)
def test_no_reward_is_right_and_wrong_at_once(given: dict[str, float]) -> None:
    with pytest.raises(Invalid, match="reward_wrong"):
        parse_policy(given, Policy())
