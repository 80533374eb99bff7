"""The simulations of the gate, short: a walk down ends, and rows until somebody passes."""

from __future__ import annotations

import numpy as np

from bench.gate import TOLERANCE, first_pass, rolled, stepped, walk
from unrot.learn.gate.world_shift import find_move


def test_slightly_worse_candidates_lose_at_most_the_tolerance() -> None:
    chance = np.random.default_rng(0)

    done = walk(chance, 400, 0.01, steps=15)

    assert done.loss <= 100 * TOLERANCE


def test_step_loses_what_it_says() -> None:
    chance = np.random.default_rng(1)
    right = chance.random(400_000) < 0.9

    after = stepped(chance, right, 0.03)

    assert abs(np.mean(right) - np.mean(after) - 0.003) < 0.001
    assert abs(np.mean(right != after) - 0.03) < 0.001


def test_gate_passes_a_better_candidate_and_not_one_worse_by_the_tolerance() -> None:
    chance = np.random.default_rng(2)

    better = [first_pass(chance, 0.05, 0.02, 900) for _ in range(4)]
    worse = [first_pass(chance, 0.05, -TOLERANCE, 900, every=50) for _ in range(8)]

    assert None not in better
    assert sum(rows is not None for rows in worse) <= 1


def test_champion_at_seven_percent_is_left_within_sixty_verdicts() -> None:
    _, _, at_worst, wrongly = rolled(np.random.default_rng(3), 10)

    assert int(at_worst) <= 60
    assert wrongly == "0.0%"


def test_world_that_stands_is_never_taken_for_moved_over_all_looks() -> None:
    chance = np.random.default_rng(4)
    alarms = 0
    for _ in range(40):
        anchor = (chance.random(1_000) >= 0.9).astype(float)
        recent = (chance.random(300) >= 0.9).astype(float)
        alarms += any(
            find_move(anchor, recent[:rows], is_classifier=True).has_moved
            for rows in range(30, 301, 30)
        )

    assert alarms == 0
