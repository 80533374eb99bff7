"""A champion that judges find worse than the one before it goes back by itself, if it may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.learn.gate.answers import NUMBERS, TWO, answered, drawn, hits, off_by
from tests.learning_model import CROWD, School
from unrot.core.policy import Policy
from unrot.core.records import Answered, Caller
from unrot.learn import promote
from unrot.learn.rollback import RollbackAdvice, advise_rollback, roll_back_by_itself

Open = Callable[[str], School]
ANCHOR = answered(hits(93, 100))


def gone_astray(school: School, policy: Policy) -> None:
    """Follow a world that moved, and then moved back."""
    school.taught(300, seed=3, mutated=True)
    school.done("refit")
    promote.promote(school.service, "zombies", "v2")
    school.service.store.registry.set_policy("zombies", policy)


def test_worse_champion_goes_back_on_trusted_verdicts(open_school: Open) -> None:
    school = open_school("tree")
    gone_astray(school, Policy(rollback="auto"))
    before = school.answers("v1")
    school.taught(60, seed=5)

    advice = roll_back_by_itself(school.service, "zombies")

    assert advice is not None and advice.is_due
    assert school.service.aliases("zombies") == {"champion": "v1"}
    assert school.answers() == before
    last = school.service.store.registry.moves("zombies")[-1]
    assert last.moved_by == "policy" and "Going back to v1" in last.reason
    [told] = school.service.store.audit_log.newest(1)
    assert (told.who, told.what, told.model) == ("Unrot itself", "rollback", "zombies")
    assert (told.moved_from, told.moved_to) == ("v2", "v1")
    assert roll_back_by_itself(school.service, "zombies") is None


def test_neither_a_crowd_nor_few_verdicts_nor_a_manual_policy_move_it(open_school: Open) -> None:
    school = open_school("tree")
    gone_astray(school, Policy(rollback="auto"))
    school.taught(60, seed=5, caller=CROWD)
    school.taught(29, seed=6)

    assert roll_back_by_itself(school.service, "zombies") is None
    school.service.store.registry.set_policy("zombies", Policy())
    school.taught(60, seed=7)
    assert roll_back_by_itself(school.service, "zombies") is None
    assert school.service.aliases("zombies") == {"champion": "v2"}


def test_world_that_moved_is_no_reason_to_go_back(open_school: Open) -> None:
    school = open_school("sgd")
    school.taught(60, seed=2)
    school.done("learn")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    school.service.store.registry.set_policy("zombies", Policy(rollback="auto"))
    school.taught(80, seed=5, mutated=True)

    advice = roll_back_by_itself(school.service, "zombies")

    assert advice is not None and not advice.is_due
    assert "Going back would mend nothing" in advice.sentence
    assert school.service.aliases("zombies") == {"champion": "v2"}


def test_version_that_was_bad_from_the_first_day_goes_back(open_school: Open) -> None:
    """It keeps what its own test set promised; the version before would have kept far more."""
    school = open_school("tree")
    school.service.store.registry.set_policy("zombies", Policy(cap=0, rollback="auto"))
    for number in range(9):
        school.taught(50, seed=number, wrong=True, caller=Caller("anyone", None, f"no {number}"))
    school.done("refit")
    promote.promote(school.service, "zombies", "v2", force=True, reason="a test")
    school.taught(60, seed=20)

    advice = roll_back_by_itself(school.service, "zombies")

    assert advice is not None and advice.is_due
    assert "On its test set it was right on 89.3 %" in advice.sentence
    assert school.service.aliases("zombies") == {"champion": "v1"}


# ── the rule ─────────────────────────────────────────────────────────────────────────────────


def advised(
    champion: Answered, previous: Answered, anchor: Answered | None = ANCHOR
) -> RollbackAdvice:
    return advise_rollback(
        TWO, ("v2", "v1"), anchor=anchor, champion=champion, previous=previous, tolerance=0.02
    )


def test_champion_that_fails_where_the_one_before_does_not_gives_way() -> None:
    advice = advised(answered(hits(30, 60)), answered(hits(56, 60)))

    assert advice == RollbackAdvice(
        True,
        "On the same trusted verdicts v2 is right on 50 % (30 of 60) and v1 right on 93.3 % "
        "(56 of 60). On its test set it was right on 93 % (93 of 100). Going back to v1.",
    )


def test_world_that_moved_is_not_mended_by_going_back() -> None:
    advice = advised(answered(hits(30, 60)), answered(hits(20, 60)))

    assert not advice.is_due
    assert advice.sentence.endswith("Going back would mend nothing; learning may.")


def test_champion_that_is_hardly_worse_stays() -> None:
    advice = advised(answered(hits(57, 60)), answered(hits(60, 60)))

    assert advice == RollbackAdvice(
        False,
        "On the same trusted verdicts v2 is right on 95 % (57 of 60) and v1 right on 100 % "
        "(60 of 60). That is not enough to be sure that v1 is better.",
    )


@pytest.mark.parametrize("seed", range(20))
def test_version_at_seven_percent_is_left_within_sixty_verdicts(seed: int) -> None:
    """Whatever it promised itself: v1 is right on 90 %, on its test set as well as now."""
    now, before = drawn(seed, 0.07, 60), drawn(100 + seed, 0.9, 60)

    due = [
        rows
        for rows in range(30, 61)
        if advised(answered(now[:rows]), answered(before[:rows])).is_due
    ]

    assert due and due[0] <= 45


def test_version_that_begins_to_fail_after_a_long_time_is_left_too() -> None:
    champion, previous = drawn(1, 0.9, 460), drawn(2, 0.8, 460)
    champion[400:] = drawn(3, 0.07, 60)

    advice = advised(answered(champion), answered(previous))

    assert advice.is_due
    assert "v2 is right on 4.9 % (3 of 61)" in advice.sentence


def test_equal_champion_is_seldom_taken_back_however_often_one_looks() -> None:
    lines = 100
    due = 0
    for seed in range(lines):
        now, before = drawn(seed, 0.85, 300), drawn(1000 + seed, 0.85, 300)
        due += any(
            advised(answered(now[:rows]), answered(before[:rows]), None).is_due
            for rows in range(30, 301, 30)
        )

    assert due / lines <= 0.05


def test_few_verdicts_move_nobody() -> None:
    advice = advised(answered(hits(0, 29)), answered(hits(29, 29)))

    assert advice == RollbackAdvice(
        False, "29 trusted verdicts on v2 so far; 30 are needed to tell."
    )


@pytest.mark.parametrize(("right", "is_due"), [(30, True), (54, False)])
def test_without_an_anchor_the_one_before_decides(right: int, is_due: bool) -> None:
    assert advised(answered(hits(right, 60)), answered(hits(56, 60)), None).is_due is is_due


def test_numbers_give_way_as_well() -> None:
    anchor, worse = [1.0, 2.0] * 50, [5.0, 6.0] * 20

    advice = advise_rollback(
        NUMBERS,
        ("v2", "v1"),
        anchor=off_by(anchor),
        champion=off_by(worse),
        previous=off_by([1.5, 2.0] * 20),
        tolerance=0.02,
    )

    assert advice.is_due
    assert advice.sentence.startswith(
        "On the same trusted verdicts v2 is off by 5.5 on average (40 rows)"
    )
