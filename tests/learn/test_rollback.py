"""A champion that judges find worse than the one before it goes back by itself, if it may."""

from __future__ import annotations

from collections.abc import Callable

from tests.learning_model import CROWD, School
from unrot.core.policy import Policy
from unrot.core.records import Caller
from unrot.learn import promote
from unrot.learn.rollback import roll_back_by_itself

Open = Callable[[str], School]


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
