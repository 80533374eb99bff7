"""Whether the world has moved: found when it has, and seldom when it has not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact, mannwhitneyu

from unrot.learn.gate.world_shift import LEVEL, find_move

LOOKS = 1000


def misses(chance: np.random.Generator, accuracy: float, rows: int) -> np.ndarray:
    return (chance.random(rows) >= accuracy).astype(float)


@pytest.mark.parametrize(
    ("accuracy", "anchor_rows", "rows"),
    [(0.93, 4000, 150), (0.93, 60, 150), (0.6, 4000, 150), (0.6, 400, 600), (0.99, 400, 150)],
)
def test_world_that_stands_is_seldom_taken_for_moved(
    accuracy: float, anchor_rows: int, rows: int
) -> None:
    chance = np.random.default_rng(1)

    alarms = sum(
        find_move(
            misses(chance, accuracy, anchor_rows),
            misses(chance, accuracy, rows),
            is_classifier=True,
        ).has_moved
        for _ in range(LOOKS)
    )

    assert alarms / LOOKS <= 0.01


def test_numbers_of_a_world_that_stands_are_seldom_taken_for_moved() -> None:
    chance = np.random.default_rng(2)

    alarms = sum(
        find_move(
            np.abs(chance.standard_t(3, 400)),
            np.abs(chance.standard_t(3, 150)),
            is_classifier=False,
        ).has_moved
        for _ in range(LOOKS)
    )

    assert alarms / LOOKS <= 0.01


@pytest.mark.parametrize("anchor_rows", [60, 4000])
def test_fall_of_the_zombies_is_always_found_in_sixty_rows(anchor_rows: int) -> None:
    chance = np.random.default_rng(3)

    found = [
        find_move(
            misses(chance, 0.93, anchor_rows), misses(chance, 0.34, 60), is_classifier=True
        ).has_moved
        for _ in range(200)
    ]

    assert all(found)


def test_point_is_found_where_the_world_moved() -> None:
    before, after = [0.0] * 930 + [1.0] * 70, [0.0, 0.0, 1.0] * 20
    recent = [0.0] * 80 + after[::-1]

    move = find_move(before, recent, is_classifier=True)

    assert (move.can_tell, move.has_moved, move.place) == (True, True, 80)
    alone = fisher_exact([[40, 20], [930, 70]], alternative="less").pvalue
    assert move.places == 111
    assert move.chance == pytest.approx(alone * 111 * 140 * 141 / 30)


def test_better_rows_are_no_other_world() -> None:
    move = find_move([0.0, 1.0] * 100, [0.0] * 100, is_classifier=True)

    assert (move.can_tell, move.has_moved) == (True, False)


def test_numbers_are_tested_by_their_ranks() -> None:
    before = np.linspace(0, 1, 100)
    recent = np.concatenate([np.resize([0.1, 0.9, 0.5, 0.3, 0.7], 50), np.linspace(0.8, 3, 40)])

    move = find_move(before, recent, is_classifier=False)

    assert 48 <= move.place <= 52
    expected = mannwhitneyu(
        recent[move.place :], before, alternative="greater", method="asymptotic"
    ).pvalue
    assert move.chance == pytest.approx(expected * 61 * 90 * 91 / 30)
    assert move.has_moved
    assert expected <= LEVEL


def test_errors_that_are_all_the_same_say_that_nothing_moved() -> None:
    assert find_move([0.0] * 50, [0.0] * 50, is_classifier=False).has_moved is False
    assert find_move([1.0] * 50, [1.0] * 50, is_classifier=True).has_moved is False


@pytest.mark.parametrize(("anchor", "recent"), [(100, 29), (0, 100)])
def test_too_few_rows_cannot_tell(anchor: int, recent: int) -> None:
    assert find_move([0.0] * anchor, [1.0] * recent, is_classifier=True).can_tell is False


def test_world_never_moves_between_rows_of_one_moment() -> None:
    """The last rows of the old batch were wrong as well: the new world begins with the next one."""
    anchor = [0.0] * 93 + [1.0] * 7
    recent = [0.0] * 56 + [1.0] * 4 + [1.0] * 60
    at = [1.0] * 60 + [2.0] * 60

    free = find_move(anchor, recent, is_classifier=True)
    bound = find_move(anchor, recent, is_classifier=True, at=at)

    assert (free.place, bound.place) == (56, 60)
    assert bound.has_moved
    assert find_move(anchor, recent, is_classifier=False, at=at).place == 60


def test_rows_of_a_single_moment_are_one_world() -> None:
    move = find_move([0.0] * 100, [0.0] * 40 + [1.0] * 40, is_classifier=True, at=[5.0] * 80)

    assert (move.has_moved, move.place) == (True, 0)


def test_world_that_came_back_is_that_of_the_anchor_again() -> None:
    chance = np.random.default_rng(4)
    parts = misses(chance, 0.93, 300), misses(chance, 0.4, 200), misses(chance, 0.93, 150)

    move = find_move(misses(chance, 0.93, 600), np.concatenate(parts), is_classifier=True)

    [(went, back)] = move.over
    assert not move.has_moved
    assert (move.place, abs(went - 300) <= 30, abs(back - 500) <= 10) == (back, True, True)


def test_world_that_went_on_to_a_third_one_has_moved() -> None:
    chance = np.random.default_rng(5)
    parts = misses(chance, 0.93, 100), misses(chance, 0.3, 300), misses(chance, 0.7, 400)

    move = find_move(misses(chance, 0.93, 600), np.concatenate(parts), is_classifier=True)

    assert (move.has_moved, len(move.over)) == (True, 1)
    assert move.over[0][1] <= move.place < 480


def test_numbers_that_came_back_are_tested_by_their_ranks() -> None:
    chance = np.random.default_rng(6)
    recent = np.abs(
        np.concatenate(
            [chance.normal(0, 1, 100), chance.normal(0, 4, 200), chance.normal(0, 1, 80)]
        )
    )

    move = find_move(np.abs(chance.normal(0, 1, 400)), recent, is_classifier=False)

    assert (move.has_moved, len(move.over)) == (False, 1)
    assert abs(move.place - 300) <= 10


def test_world_that_stays_moved_is_seldom_taken_for_one_that_came_back() -> None:
    chance = np.random.default_rng(7)

    returns = sum(
        bool(
            find_move(misses(chance, 0.93, 600), misses(chance, 0.5, 200), is_classifier=True).over
        )
        for _ in range(LOOKS)
    )

    assert returns / LOOKS <= 0.01
