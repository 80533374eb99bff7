"""When a champion gives way to the one before it."""

from __future__ import annotations

import pytest

from tests.learning.answers import NUMBERS, TWO, answered, hits, off_by
from unrot.growth import Answered
from unrot.learning.rollback import RollbackAdvice, advise

ANCHOR = answered(hits(93, 100))


def advised(
    champion: Answered, previous: Answered, anchor: Answered | None = ANCHOR
) -> RollbackAdvice:
    return advise(
        TWO, ("v2", "v1"), anchor=anchor, champion=champion, previous=previous, tolerance=0.02
    )


def test_champion_that_fails_where_the_one_before_does_not_gives_way() -> None:
    advice = advised(answered(hits(30, 60)), answered(hits(56, 60)))

    assert advice == RollbackAdvice(
        True,
        "On the same trusted verdicts v2 is right on 0.0 % (0 of 30) and v1 right on 86.7 % "
        "(26 of 30). Going back to v1.",
    )


def test_world_that_moved_is_not_mended_by_going_back() -> None:
    advice = advised(answered(hits(30, 60)), answered(hits(20, 60)))

    assert not advice.is_due
    assert advice.sentence.endswith("Going back would mend nothing; learning may.")


def test_champion_that_does_what_it_promised_stays() -> None:
    advice = advised(answered(hits(55, 60)), answered(hits(60, 60)))

    assert advice == RollbackAdvice(False, "v2 does what its anchor promised.")


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

    advice = advise(
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
