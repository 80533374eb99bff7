"""The plan to make a version again without some verdicts."""

from __future__ import annotations

import pytest

from tests.hear.verdicts import example
from unrot.core.errors import Conflict
from unrot.core.records import Lesson
from unrot.learn.rebuild_plan import Rebuild, VersionLessons, known_to, plan_rebuild

OF_BEFORE = ((1.0, "Rome"), "no")


def learn(*names: str, batches: tuple[tuple[int, ...], ...] | None = None) -> Lesson:
    places = tuple(range(len(names)))
    examples = tuple(example(name) for name in names)
    return Lesson("learn", 0, examples, batches or (places,), (OF_BEFORE,) * 2)


def refit(*names: str) -> Lesson:
    return Lesson("refit", 0, tuple(example(name) for name in names), recipe="verdicts alone")


LINE = [
    VersionLessons("v1"),
    VersionLessons("v2", [learn("a", "b")]),
    VersionLessons("v3", [learn("c", "d")]),
    VersionLessons("v4", [learn("e", "f")]),
]


def names(plan: Rebuild) -> list[list[str]]:
    return [[one.prediction for one in lesson.examples] for lesson in plan.lessons]


def test_with_none_left_out_the_parent_learns_the_same_lesson_again() -> None:
    plan = plan_rebuild(LINE)

    assert plan == Rebuild("v4", "v3", (LINE[3].lessons[0],), ())


def test_start_is_the_nearest_ancestor_that_had_learnt_none_of_them() -> None:
    plan = plan_rebuild(LINE, without={"c", "f", "never learnt"})

    assert (plan.start, plan.left_out) == ("v2", ("c", "f"))
    assert names(plan) == [["d"], ["e"]]


def test_first_verdict_leads_back_to_the_beginning() -> None:
    plan = plan_rebuild(LINE, without={"a"})

    assert plan.start == "v1"
    assert names(plan) == [["b"], ["c", "d"], ["e", "f"]]


def test_places_of_what_is_left_out_go_and_the_others_move_up() -> None:
    lesson = learn("a", "b", "c", "d", batches=((3, -1, 1), (0,), (2, -2)))

    plan = plan_rebuild([VersionLessons("v1"), VersionLessons("v2", [lesson])], without={"a", "b"})

    assert names(plan) == [["c", "d"]]
    assert plan.lessons[0].batches == ((1, -1), (0, -2))
    assert plan.lessons[0].replayed == lesson.replayed


def test_lesson_of_which_nothing_is_left_goes() -> None:
    plan = plan_rebuild(LINE[:3], without={"c", "d"})

    assert (plan.start, plan.lessons) == ("v2", ())


def test_refit_begins_anew_so_what_was_before_it_is_not_told() -> None:
    line = [
        VersionLessons("v1"),
        VersionLessons("v2", [learn("a")]),
        VersionLessons("v3", [refit("a", "b")]),
    ]

    plan = plan_rebuild(line, without={"a"})

    assert plan.start == "v1"
    assert names(plan) == [["b"]]


def test_refit_without_a_verdict_had_not_learnt_it() -> None:
    line = [
        VersionLessons("v1"),
        VersionLessons("v2", [learn("a")]),
        VersionLessons("v3", [refit("b")]),
        VersionLessons("v4", [learn("c")]),
    ]

    assert known_to([lesson for taught in line for lesson in taught.lessons]) == {"b", "c"}
    assert plan_rebuild(line, without={"a"}).start == "v3"


def test_version_that_was_itself_rebuilt_tells_all_its_lessons() -> None:
    line = [VersionLessons("v1"), VersionLessons("v2", [learn("a"), learn("b", "c")])]

    assert names(plan_rebuild(line, without={"b"})) == [["a"], ["c"]]


def test_stream_and_reset_are_told_as_they_were() -> None:
    stream = Lesson("train_batch", 0, rows_seen=125)
    line = [
        VersionLessons("v1"),
        VersionLessons("v2", [Lesson("reset", 0)]),
        VersionLessons("v3", [stream]),
    ]

    assert plan_rebuild(line) == Rebuild("v3", "v2", (stream,), ())


def test_corrected_verdict_is_learnt_with_its_new_label() -> None:
    plan = plan_rebuild(LINE, without={"d"}, corrected={"c": example("c", "yes")})

    assert (plan.start, plan.left_out, plan.corrected) == ("v2", ("d",), ("c",))
    assert [(one.prediction, one.label) for one in plan.lessons[0].examples] == [("c", "yes")]


def test_ancestor_whose_files_are_gone_is_passed_over() -> None:
    line = [LINE[0], LINE[1], VersionLessons("v3", LINE[2].lessons, has_files=False), LINE[3]]

    plan = plan_rebuild(line)

    assert plan.start == "v2"
    assert names(plan) == [["c", "d"], ["e", "f"]]


def test_version_that_learnt_nothing_says_so() -> None:
    with pytest.raises(Conflict, match="v1 learnt no verdicts: train it again instead"):
        plan_rebuild(LINE[:1])


def test_version_without_any_start_says_so() -> None:
    gone = [VersionLessons("v1", has_files=False), VersionLessons("v2", [learn("a")])]

    with pytest.raises(Conflict, match="v2 cannot be made again: no version before it"):
        plan_rebuild(gone, without={"a"})
