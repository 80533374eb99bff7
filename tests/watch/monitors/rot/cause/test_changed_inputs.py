"""Rows that lie and hang together as before, and rows that do not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from unrot.watch.monitors.rot.cause.changed_inputs import (
    bonds,
    compare,
    own_neighbours,
    worth_keeping,
)

Table = NDArray[np.float64]


def rows(seed: int, count: int) -> Table:
    """Return three numbers that hang together, and a choice that goes with the first."""
    chance = np.random.default_rng(seed)
    told = chance.normal(size=(count, 3))
    told[:, 1] += told[:, 0]
    choice = (told[:, 0] + chance.normal(size=count) > 0.5).astype(float)
    return np.column_stack([told, choice])


KINDS = [True, True, True, False]


def test_rows_of_one_kind_are_rarely_called_changed() -> None:
    changed = [
        compare(rows(seed, 500), rows(1_000 + seed, 120), KINDS).has_changed for seed in range(40)
    ]

    assert sum(changed) == 0


def test_column_that_lies_otherwise_is_named_and_left_out_of_the_pairs() -> None:
    after = rows(2, 200)
    after[:, 1] = -after[:, 1] + 2

    found = compare(rows(1, 500), after, KINDS)

    assert found.moved == (1,) and found.pairs == ()
    assert found.columns == (1,)


def test_choices_hang_together_with_numbers_too() -> None:
    after = rows(2, 300)
    after[:, 3] = np.random.default_rng(0).permutation(after[:, 3])

    found = compare(rows(1, 500), after, KINDS)

    assert found.moved == () and (0, 3) in [pair.columns for pair in found.pairs]
    assert found.columns[0] == 3


def test_curved_structure_is_seen_by_neighbours() -> None:
    chance = np.random.default_rng(0)
    angle = chance.uniform(0, 2 * np.pi, 800)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) + chance.normal(0, 0.05, (800, 2))
    mixed = np.column_stack([chance.permutation(ring[400:, 0]), ring[400:, 1]])

    found = compare(ring[:400], mixed, [True, True])

    assert (found.moved, found.pairs, found.is_mixed_otherwise) == ((), (), True)


def test_value_that_takes_over_is_told_with_its_shares() -> None:
    after = rows(2, 150)
    after[:, 2] = np.nan

    [risen] = compare(rows(1, 500), after, KINDS).risen

    assert (risen.column, risen.share, risen.before) == (2, 1.0, 0.0)
    assert np.isnan(risen.value)


def test_rank_correlations_are_those_of_scipy() -> None:
    table = rows(1, 200)
    found = bonds(table, KINDS)

    assert found.correlations[0, 1] == pytest.approx(spearmanr(table[:, 0], table[:, 1]).statistic)


def test_neighbours_of_the_same_rows_are_dealt_out_by_chance() -> None:
    surplus = [own_neighbours(rows(at, 150), rows(500 + at, 150), KINDS) for at in range(60)]

    assert abs(np.mean(surplus)) < 0.4 and 0.75 < np.std(surplus) < 1.25


# ── what rows are worth ──────────────────────────────────────────────────────────────────────


def test_rows_that_come_twenty_times_count_once() -> None:
    table = np.repeat(rows(1, 10), 20, axis=0)

    assert len(worth_keeping(table, rows(2, 500))) == 10


def test_rows_that_are_alike_by_nature_are_all_kept() -> None:
    chance = np.random.default_rng(0)
    few = [chance.integers(0, 3, (count, 2)).astype(float) for count in (300, 400)]

    assert len(worth_keeping(*few)) == 300


def test_stuck_columns_do_not_make_rows_repeat() -> None:
    chance = np.random.default_rng(0)
    after = np.column_stack([np.zeros(200), chance.integers(0, 4, 200)]).astype(float)
    before = np.column_stack([chance.normal(size=400), chance.integers(0, 4, 400)])

    assert len(worth_keeping(after, before)) == 200


def test_slow_rows_are_thinned() -> None:
    chance = np.random.default_rng(0)
    walk = np.zeros(1_000)
    for at in range(1, 1_000):
        walk[at] = 0.9 * walk[at - 1] + chance.normal()

    assert 30 < len(worth_keeping(walk[:, None], walk[:, None] + 0.5)) < 120
