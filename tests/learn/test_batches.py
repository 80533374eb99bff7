"""The order in which `learn` takes its rows."""

from __future__ import annotations

import pytest

from tests.hear.verdicts import example
from unrot.core.policy import Policy
from unrot.core.records import Lesson
from unrot.learn.batches import make_lesson, rows_to_replay

OF_BEFORE = ((1.0, "Rome"), "no")


def lesson(count: int, policy: Policy) -> Lesson:
    examples = [example(f"{place:03}", given_at=float(place)) for place in range(count)]
    return make_lesson(examples, [OF_BEFORE] * rows_to_replay(count, policy), policy)


@pytest.mark.parametrize(
    ("count", "policy", "rows"),
    [
        (100, Policy(), 100),
        (100, Policy(replay=0.25), 25),
        (10, Policy(), 40),  # fills one batch of 50
        (40, Policy(), 40),
        (10, Policy(replay=0.0), 0),
        (0, Policy(), 0),
        (3, Policy(batch=1), 3),
    ],
)
def test_as_many_rows_are_replayed_as_are_learnt_and_a_batch_is_full(
    count: int, policy: Policy, rows: int
) -> None:
    assert rows_to_replay(count, policy) == rows


@pytest.mark.parametrize(
    ("count", "policy", "sizes"),
    [
        (100, Policy(), [50, 50, 50, 50]),
        (60, Policy(), [50, 70]),  # 20 are left over
        (10, Policy(), [50]),
        (10, Policy(replay=0.0), [10]),
        (55, Policy(replay=0.0), [55]),
        (3, Policy(batch=1, replay=0.0), [1, 1, 1]),
        (0, Policy(), []),
    ],
)
def test_batches_are_full_and_what_is_left_over_joins_the_last(
    count: int, policy: Policy, sizes: list[int]
) -> None:
    assert [len(batch) for batch in lesson(count, policy).batches] == sizes


@pytest.mark.parametrize("count", [1, 7, 50, 123])
def test_every_row_is_taken_once(count: int) -> None:
    made = lesson(count, Policy(seed=3))

    places = sorted(place for batch in made.batches for place in batch)

    assert places == list(range(-len(made.replayed), count))


def test_every_batch_is_half_new_and_half_of_before() -> None:
    made = lesson(100, Policy())

    assert [sum(place >= 0 for place in batch) for batch in made.batches] == [25, 25, 25, 25]


def test_rows_of_before_are_spread_however_few() -> None:
    made = lesson(100, Policy(replay=0.04))

    order = [place for batch in made.batches for place in batch]
    assert [order.index(~place) for place in range(4)] == [13, 39, 65, 91]  # a tie is the example's


def test_examples_are_shuffled_by_the_seed_alone() -> None:
    first, again, other = (lesson(80, Policy(seed=seed)) for seed in (1, 1, 2))

    assert first == again
    assert first.seed == 1
    names = [one.prediction for one in first.examples]
    assert names != sorted(names)
    assert [one.prediction for one in other.examples] != names


def test_order_in_which_verdicts_are_handed_in_changes_nothing() -> None:
    examples = [example(f"{place}", given_at=float(place % 3)) for place in range(20)]
    policy = Policy(replay=0.0)

    assert make_lesson(examples, [], policy) == make_lesson(examples[::-1], [], policy)


def test_one_row_a_batch_without_replay_keeps_the_order_of_the_verdicts() -> None:
    examples = [example("c", given_at=2.0), example("a", given_at=3.0), example("b", given_at=1.0)]

    made = make_lesson(examples, [], Policy(batch=1, replay=0.0))

    assert [one.prediction for one in made.examples] == ["b", "c", "a"]
    assert made.batches == ((0,), (1,), (2,))
