"""Each verdict moves what may be missed once, whatever comes between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unrot.core.conformal import STEP, Conformal, adapt
from unrot.core.records import Feature, Feedback, JudgedPrediction, ModelKey, Prediction, Schema
from unrot.core.time import DAY
from unrot.watch.monitors.sure.broken import (
    TURN,
    Counts,
    Promise,
    is_broken_at_once,
    is_broken_by_days,
)
from unrot.watch.monitors.sure.rule import (
    AT_ONCE,
    BY_DAYS,
    REMEMBERED,
    Course,
    go_on,
    is_held,
)
from unrot.watch.worth.rows import Alike

ELVES = Schema((Feature("height", "number"),), "kind", ("elf", "orc", "ent"))
KNOWN = Conformal(99, tuple(place / 100 for place in range(1, 100)))
PROMISE = Promise(KNOWN, coverage=0.9, loss=0.05)
BEGUN = Course("v1", miss=0.1, coverage=0.9)


def judged(
    number: int,
    truth: str | None = "elf",
    given_at: float | None = None,
    predicted_at: float = 1.0,
    **more: object,
) -> JudgedPrediction:
    shares = [0.95, 0.03, 0.02]
    id = f"p{number:05d}"
    at = float(number) if given_at is None else given_at
    made = Prediction(id, ModelKey("elves"), "v1", predicted_at, [1.0], "elf", shares, None)
    given: dict[str, object] = {"label": truth, "judge": "ann", **more}
    return JudgedPrediction(made, Feedback(id, ModelKey("elves"), predicted_at, at, **given))  # type: ignore[arg-type]


def gone(course: Course, *rows: JudgedPrediction) -> Course:
    return go_on(course, rows, ELVES, PROMISE)


def test_verdicts_that_are_read_again_count_once() -> None:
    first = [judged(number, "orc" if number % 3 else "elf") for number in range(100)]
    once = gone(BEGUN, *first)

    again = gone(gone(once, *first[50:]), *first)

    assert (again.count, again.missed, again.miss) == (100, once.missed, once.miss)


def test_what_was_asked_for_moves_nothing_until_a_judge_says_it_unasked() -> None:
    asked = gone(BEGUN, *(judged(number, "orc", asked=True) for number in range(9)))
    told = gone(asked, judged(3, "orc", given_at=20.0))

    assert (asked.count, asked.miss, told.count, told.missed) == (0, BEGUN.miss, 1, 1)


def test_where_some_alone_may_count_the_others_are_gone_through_and_move_nothing() -> None:
    rows = [judged(number, "orc") for number in range(9)]

    seen = go_on(BEGUN, rows, ELVES, PROMISE, only={"p00002"})

    assert (seen.count, seen.missed) == (1, 1)
    assert gone(seen, *rows) == seen


def test_one_that_came_late_counts_and_is_not_counted_again() -> None:
    seen = gone(BEGUN, *(judged(number) for number in range(0, 100, 2)))
    late = judged(51, "orc")

    after = gone(seen, late)

    assert (after.count, after.missed, after.seen) == (51, 1, seen.seen)
    assert gone(after, late) == after
    assert seen.reads_after("", 10.0) == (88.0, 0.0, "")
    assert seen.reads_after("a mark", 10.0) == (0.0, 0.0, "")


def test_one_that_a_judge_gives_anew_is_not_counted_anew() -> None:
    seen = gone(BEGUN, judged(1), judged(2))

    assert gone(seen, judged(1, "orc", given_at=9.0)).missed == 0


def test_one_that_told_nothing_counts_once_a_judge_says_it() -> None:
    seen = gone(BEGUN, judged(1, judge=None), judged(2))

    after = gone(seen, judged(1, "orc", given_at=9.0))

    assert (seen.count, after.count, after.missed) == (1, 2, 1)


def test_what_is_remembered_has_an_end_behind_which_nothing_is_read() -> None:
    seen = gone(BEGUN, *(judged(number) for number in range(REMEMBERED + 40)))

    assert len(seen.remembered) == REMEMBERED
    assert seen.behind == (39.0, 1.0, "p00039")
    assert seen.reads_after("a mark", 10.0) == seen.behind


def test_share_that_may_be_missed_stays_within_a_step_of_0_to_1() -> None:
    """Lemma 4.1 of the paper; at its ends all is told, or nothing."""
    rng, miss, found = np.random.default_rng(0), 0.1, []
    for wrong in (True, False):
        for _ in range(500):
            held = not wrong if 0 < miss < 1 else miss <= 0
            miss = adapt(miss, coverage=0.9, missed=not held)
            found.append(miss)
    for _ in range(5_000):
        is_missed = miss > 0 and (miss >= 1 or rng.random() < 0.5)
        miss = adapt(miss, coverage=0.9, missed=bool(is_missed))
        found.append(miss)

    assert -STEP <= min(found) < 0 < 1 < max(found) <= 1 + STEP
    assert KNOWN.bound(-0.01) == KNOWN.bound(0.0) == float("inf")
    assert KNOWN.bound(1.01) == KNOWN.bound(1.0) == -float("inf")


def test_number_that_hits_the_truth_is_missed_where_nothing_may_be_told() -> None:
    """Else a model whose answers are often exactly right would be allowed to miss ever more."""
    made = Prediction("p", ModelKey("elves"), "v1", 1.0, [1.0], None, None, 7.0)
    verdict = Feedback("p", ModelKey("elves"), 1.0, 2.0, label=7.0, judge="ann")
    exact = Conformal(9, (0.0,) * 9)
    numbers = Schema((Feature("height", "number"),), "age", ())

    held = [is_held(JudgedPrediction(made, verdict), numbers, exact, miss) for miss in (0.5, 1.01)]

    assert held == [True, False]


@pytest.mark.parametrize(
    ("miss", "told"), [(0.5, False), (0.0, True), (0.03, None)], ids=["alone", "all", "two"]
)
def test_thumb_down_tells_only_of_a_set_of_one_or_all(miss: float, told: bool | None) -> None:
    wrong = judged(1, None, was_correct=False)

    assert is_held(wrong, ELVES, KNOWN, miss) is told


def test_sets_that_hold_far_less_than_promised_are_found_at_once_and_are_over_again() -> None:
    drifting = [judged(number, "orc" if number % 3 else "elf") for number in range(4 * TURN)]
    moved = gone(BEGUN, *drifting)
    back = gone(moved, *(judged(1_000 + number) for number in range(10 * TURN)))

    assert (moved.broken, back.broken, back.since) == (AT_ONCE, "", 0.0)
    assert moved.since == 4 * TURN - 1


def days_of(*missed: Callable[[int], bool], start: int = 20_003) -> list[JudgedPrediction]:
    """Return 96 verdicts a day on answers that are missed at some quarters; a Saturday is first."""
    return [
        judged(1_000 * day + at, "orc" if of(at) else "elf", given_at=when, predicted_at=when)
        for day, of in enumerate(missed)
        for at in range(96)
        if (when := (start + day) * float(DAY) + at * 900.0)
    ]


def every(count: int, at: int = 0) -> Callable[[int], bool]:
    return lambda number: number * 7 % count == at


def nights(number: int) -> bool:
    """Miss half of the answers from midnight to four, and hardly any other."""
    return (number % 2 == 0 and number < 16) or number % 40 == 39


def test_sets_that_hold_somewhat_less_are_found_when_days_are_over() -> None:
    course, said = BEGUN, []
    for one in days_of(*[every(10)] * 9, *[every(3)] * 10):
        course = gone(course, one)
        said.append((course.broken, one.prediction.predicted_at // DAY - 20_003))
    first = next(day for broken, day in said if broken)

    assert {broken for broken, _ in said} == {"", BY_DAYS}
    assert 10 <= first < 17
    assert gone(course, *days_of(*[every(10)] * 5, start=20_022)).broken == ""


def test_nights_that_are_harder_than_days_break_no_promise() -> None:
    course = gone(BEGUN, *days_of(*[nights] * 12))

    missed = 1 - sum(course.promised) / course.count
    assert 0.09 < missed < 0.12
    assert (course.broken, course.looks) == ("", 12)


def test_rows_of_which_many_are_worth_one_break_no_promise() -> None:
    rows = days_of(*[every(3)] * 12)

    alike = go_on(BEGUN, rows, ELVES, PROMISE, alike=lambda _: Alike(repeats=20.0))

    assert (gone(BEGUN, *rows).broken, alike.broken) == (BY_DAYS, "")


def test_promise_that_is_kept_is_rarely_called_broken() -> None:
    """The chance over all looks is 1 %; few rows promise little."""
    rng, at_once, by_days = np.random.default_rng(1), 0, 0
    for _ in range(200):
        truths, promise = rng.beta(6, 46), Promise(Conformal(51, ()), coverage=0.9, loss=0.0)
        held, days = (rng.random(3_000) > truths).tolist(), dict[str, Counts]()
        at_once += any(
            is_broken_at_once(promise, held[: turn * TURN], turn=turn)
            for turn in range(2, 1_000 // TURN + 1)
        )
        found = False
        for day in range(30):
            told = sum(held[day * 100 : day * 100 + 100])
            days[str(20_000 + day)] = Counts(100, told, told)
            rows = day * 100
            found |= is_broken_by_days(promise, days, held[:rows], look=day + 1)
        by_days += found

    assert at_once + by_days <= 6
