"""What the poison drill lets people say: so many lies, of the kind that it is told."""

from __future__ import annotations

import numpy as np
import pytest

from bench.attacks import ATTACKS, CORNER, Said, say
from bench.worlds import WORLDS, Rows, world


def said(attack: str, seed: int, *, bad: int = 40) -> tuple[Rows, Said, np.ndarray]:
    """Return the traffic, what was said of 200 rows, and the truth about them."""
    drawn = world("beans")
    classes = drawn.dataset.schema.classes
    chance = np.random.default_rng(seed)
    told = say(drawn.traffic, classes, count=200, bad=bad, attack=attack, seed=seed, chance=chance)
    known = {row.tobytes(): label for row, label in zip(*_both(drawn.traffic), strict=True)}
    return drawn.traffic, told, np.array([known[row.tobytes()] for row in told.rows])


def _both(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    return rows.rows, rows.labels


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("seed", range(4))
def test_bad_verdicts_are_all_wrong_and_no_other_is(attack: str, seed: int) -> None:
    _, told, truth = said(attack, seed)

    assert (told.labels != truth).tolist() == [True] * 40 + [False] * 160


def test_honest_people_say_the_truth() -> None:
    _, told, truth = said("flip", 0, bad=0)

    assert np.array_equal(told.labels, truth)


@pytest.mark.parametrize(("seed", "sort"), [(0, "kidney"), (1, "pinto"), (2, "navy")])
def test_one_class_is_said_of_everything(seed: int, sort: str) -> None:
    _, told, _ = said("class", seed)

    assert set(told.labels[:40]) == {sort}


def test_chosen_rows_lie_in_one_corner_and_each_class_becomes_the_next() -> None:
    traffic, told, truth = said("chosen", 3)
    sorts = world("beans").dataset.schema.classes

    assert told.rows[:40, 3].min() > np.quantile(traffic.rows[:, 3], 1 - CORNER)
    assert [sorts[(sorts.index(one) + 1) % 3] for one in truth[:40]] == told.labels[:40].tolist()


@pytest.mark.parametrize("name", WORLDS)
def test_no_row_is_in_two_parts_of_a_world(name: str) -> None:
    drawn = world(name)
    data = drawn.dataset
    parts = [data.rows, data.holdout_rows, drawn.traffic.rows, drawn.fresh.rows]

    assert [len(part) for part in parts] == [2_000, 4_000, 7_000, 7_000]
    assert len(np.unique(np.concatenate(parts), axis=0)) == 20_000
