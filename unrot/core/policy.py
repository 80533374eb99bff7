"""What a model may do by itself: a table of options, and how it is said to people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from unrot.core.errors import wrong_field
from unrot.core.options import Kind, Table, choice, maybe, number, option, switch, whole
from unrot.core.percent import percent
from unrot.core.plurals import counted, plural
from unrot.core.records import Schema

by_itself = partial(option, group="What it may do by itself")
of_gate = partial(option, group="The gate")
of_answers = partial(option, group="How sure it is")
of_learning = partial(option, group="How it learns")
of_rewards = partial(option, group="What a reward counts as")
of_telling = partial(option, group="What it tells")
BY_HAND_OR_ITSELF = choice(manual="by hand", auto="by itself")
MOST_EVERY = 1_000_000
LARGEST_SEED = 2**32 - 1
"""What numpy takes."""
_EVERY = re.compile(r"(?:every\s+)?(\d{1,7})(?:\s+verdicts?)?", re.IGNORECASE)
_COUNT = whole(1, MOST_EVERY)


def _read_every(value: Any) -> int:
    """Read `manual`, `every 50 verdicts`, 50 or an object of `every`; 0 is by hand."""
    if value == "manual":
        return 0
    if isinstance(value, Mapping):
        value = value.get("every") if set(value) == {"every"} else None
    if isinstance(value, str):
        found = _EVERY.fullmatch(value.strip())
        value = int(found[1]) if found else None
    return int(_COUNT.read(value))


def _write_every(count: int) -> str:
    return f"every {count} {plural(count, 'verdict')}" if count else "manual"


EVERY = Kind(
    read=_read_every,
    write=_write_every,
    expected=f"manual, or a text such as every 50 verdicts (1 to {MOST_EVERY:,})",
    schema={"type": "string"},
)


REWARD = maybe(number(0, 1, "a reward"), "no threshold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a model may do by itself: promote, learn, roll back; and with which numbers."""

    learn_every: int = by_itself(
        EVERY, 0, "Learn", "manual, or every so many verdicts: every 50 verdicts", key="learn"
    )
    promote: Literal["manual", "auto"] = by_itself(
        BY_HAND_OR_ITSELF,
        "manual",
        "Promote what the gate passed",
        "By hand somebody decides; by itself a version that passed answers at once.",
    )
    rollback: Literal["manual", "auto"] = by_itself(
        BY_HAND_OR_ITSELF,
        "manual",
        "Roll back",
        "By itself only when judges find the champion worse than the one before it.",
    )
    gate: bool = of_gate(
        switch(), True, "Gate", "Off means that a worse version can replace a better one."
    )
    tolerance: float = of_gate(
        number(0, 0.5, "a share"),
        0.02,
        "Tolerance",
        "The loss that the gate lets pass, as a share: 0 to 0.5. 0.02 is 2 points of accuracy.",
    )
    """Of accuracy, or of the champion's mean absolute error."""
    held_out: float = of_gate(
        number(0, 0.9, "a share"),
        0.3,
        "Held-out share",
        "The share of the judges' verdicts that only judges: 0 to 0.9.",
    )
    coverage: float = of_answers(
        number(0.5, 0.99, said="a share from 0.5 to 0.99"),
        0.9,
        "Coverage",
        "How often the classes, or the interval, told beside an answer hold the truth: 0.5 to "
        "0.99.",
    )
    not_sure: bool = of_answers(
        switch(),
        False,
        'Answer "not sure"',
        "On tells with each answer to rows of JSON, and on the page, whether one class alone may "
        "be true, and which may. The answer stays the likeliest class.",
    )
    batch: int = of_learning(
        whole(1, 100_000),
        50,
        "Rows at a time",
        "One step of partial_fit: 1 to 100,000. Fewer than 50 can pull it one way.",
    )
    replay: float = of_learning(
        number(0, 10),
        1.0,
        "Replayed rows",
        "Rows of before for each new row: 0 to 10. They keep it from forgetting.",
    )
    clip: float = of_learning(
        number(1, 1_000, zero="to take every row"),
        1.2,
        "Range",
        "How many times the training range a row may span: 1 to 1,000; 0 takes all rows.",
    )
    cap: float = of_learning(
        number(0, 1, said="a share from 0 (no cap) to 1"),
        0.2,
        "Share of one sender",
        "The most that one unknown sender may be of what is learnt: 0 to 1; 0 is no cap.",
    )
    seed: int = of_learning(
        whole(0, LARGEST_SEED, said=f"a whole number from 0 to {LARGEST_SEED}"),
        0,
        "Seed",
        "Where chance begins, so that a version can be made again.",
    )
    reward_right: float | None = of_rewards(
        REWARD,
        None,
        "Right from",
        "A reward of so much or more counts as right, 0 to 1; empty: only 1 does.",
    )
    reward_wrong: float | None = of_rewards(
        REWARD,
        None,
        "Wrong up to",
        "A reward of so much or less counts as wrong, 0 to 1; empty: only 0 does.",
    )
    neighbours: Literal["anyone", "viewers", "nobody"] = of_telling(
        choice(anyone="to anyone", viewers="to viewers", nobody="to nobody"),
        "viewers",
        "Rows of the training",
        "Who is shown, beside an answer, the rows of the training that are most like its own.",
    )


POLICY = Table(
    Policy, "policy", 'an object such as {"promote": "auto", "learn": "every 50 verdicts"}'
)
describe = POLICY.write


def parse_policy(given: Any, now: Policy) -> Policy:
    """Return a policy with the keys that are given changed; raise Invalid naming what is wrong."""
    return _checked(POLICY.parse(given, now))


def parse_texts(given: Mapping[str, str], now: Policy) -> Policy:
    """Read a policy from a form or a command line, where every value is a text."""
    return _checked(POLICY.parse_texts(given, now))


def counts_as(reward: float, policy: Mapping[str, Any]) -> bool | None:
    """Tell whether a reward counts as right or wrong by a policy as it is kept; None for neither.

    >>> counts_as(0.7, {"reward_right": 0.6}), counts_as(0.7, {}), counts_as(0.0, {})
    (True, None, False)
    """
    right, wrong = policy.get("reward_right"), policy.get("reward_wrong")
    if reward >= (1.0 if right is None else right):
        return True
    return False if reward <= (0.0 if wrong is None else wrong) else None


def _checked(policy: Policy) -> Policy:
    """Return a policy by which no reward is right and wrong at once."""
    right = 1.0 if policy.reward_right is None else policy.reward_right
    wrong = 0.0 if policy.reward_wrong is None else policy.reward_wrong
    if wrong >= right:
        raise wrong_field("reward_wrong", wrong, f"less than {right:g}, from where on it is right")
    return policy


def sentences(policy: Policy, schema: Schema) -> list[str]:
    """Say a policy to a person, in short lines."""
    return [
        _learning(policy),
        _promoting(policy, schema),
        _returning(policy),
        _covering(policy),
        _stepping(policy),
        _cleaning(policy),
        _telling(policy),
        *_rewarding(policy),
    ]


def _telling(policy: Policy) -> str:
    whom = {"anyone": "anyone", "viewers": "viewers alone", "nobody": "nobody"}[policy.neighbours]
    return f"Beside an answer it shows the rows of the training that are like it to {whom}."


def _learning(policy: Policy) -> str:
    if not policy.learn_every:
        return "It learns when somebody asks."
    return f"It learns by itself after every {counted(policy.learn_every, 'verdict')}."


def _promoting(policy: Policy, schema: Schema) -> str:
    if not policy.gate:
        return (
            "The gate is off: nothing is compared before a version answers"
            + ("." if policy.promote == "manual" else ", and it is promoted by itself.")
            + " A worse version can replace a better one."
        )
    by = "by itself once the gate passes it" if policy.promote == "auto" else "by hand"
    points = 100 * policy.tolerance
    loss = (
        f"a loss of up to {points:.4g} {plural(points, 'point')}"
        if schema.is_classifier
        else f"up to {percent(policy.tolerance, 4)} more error"
    )
    return f"A new version is promoted {by}; the gate lets {loss} pass."


def _returning(policy: Policy) -> str:
    if policy.rollback == "auto":
        return "It rolls back by itself when judges find it worse than the version before."
    return "It is rolled back by hand."


def _covering(policy: Policy) -> str:
    share = percent(policy.coverage, 4)
    said = f"Beside an answer it tells what else may be: this holds {share} of the truths"
    return (
        f"{said}; where that is more than one class, it is not sure."
        if policy.not_sure
        else (f"{said}.")
    )


def _stepping(policy: Policy) -> str:
    rows = plural(policy.replay, "row")
    replay = f"{policy.replay:g} {rows} of before mixed in for each new one"
    if not policy.replay:
        replay = "no row of before mixed in"
    steps = "one at a time" if policy.batch == 1 else f"in steps of {policy.batch:,}"
    return f"It takes rows {steps}, {replay} (seed {policy.seed})."


def _cleaning(policy: Policy) -> str:
    clip = f"Rows beyond {policy.clip:g} times the training range are set aside"
    if not policy.clip:
        clip = "Rows are taken however far they lie outside the training range"
    cap = f"one unknown sender makes at most {percent(policy.cap, 4)} of them"
    if not policy.cap:
        cap = "one unknown sender may make all of them"
    return f"{clip}; {cap}; {percent(policy.held_out, 4)} of the judges' verdicts only judge."


def _rewarding(policy: Policy) -> list[str]:
    if policy.reward_right is None and policy.reward_wrong is None:
        return []
    right = "only 1" if policy.reward_right is None else f"{policy.reward_right:g} or more"
    wrong = "only 0" if policy.reward_wrong is None else f"{policy.reward_wrong:g} or less"
    return [f"Of rewards, {right} counts as right and {wrong} as wrong."]
