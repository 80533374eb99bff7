"""The mean of rewards: its interval holds what is true as often as it says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from unrot.core.records import Rewards
from unrot.watch.statistics.accuracy import Z
from unrot.watch.statistics.rewards import MeanReward, mean_reward

Draw = Callable[[Generator, int], np.ndarray]
DRAWS: dict[str, tuple[Draw, float]] = {
    "nearly always 1": (lambda any, n: (any.random(n) < 0.97).astype(float), 0.97),
    "even": (lambda any, n: any.random(n), 0.5),
    "close to 0.7": (lambda any, n: any.beta(70, 30, n), 0.7),
    "a few stars": (
        lambda any, n: any.choice([0.0, 0.25, 0.5, 0.75, 1.0], n, p=[0.1, 0.1, 0.2, 0.2, 0.4]),
        0.675,
    ),
}


def mean_of(rewards: np.ndarray) -> MeanReward:
    found = mean_reward(Rewards(len(rewards), float(rewards.sum()), float((rewards**2).sum())))
    assert found is not None
    return found


@pytest.mark.parametrize("drawn", DRAWS)
@pytest.mark.parametrize("count", [10, 50, 200])
def test_interval_holds_the_true_mean_at_least_nineteen_times_of_twenty(
    drawn: str, count: int
) -> None:
    draw, true = DRAWS[drawn]
    any = np.random.default_rng(7)

    held = [
        found.low <= true <= found.high
        for found in (mean_of(draw(any, count)) for _ in range(2_000))
    ]

    assert np.mean(held) > 0.935


def test_interval_of_ones_and_zeros_is_that_of_agresti_and_coull() -> None:
    found = mean_of(np.array([1.0] * 9 + [0.0]))

    middle = (9 + Z * Z / 2) / (10 + Z * Z)
    reach = Z * np.sqrt(middle * (1 - middle) / (10 + Z * Z))
    assert found.value == 0.9
    assert (found.low, found.high) == pytest.approx(
        (middle - reach, 1.0 if middle + reach > 1 else middle + reach)
    )


def test_one_reward_tells_little_and_none_nothing() -> None:
    one = mean_of(np.array([0.7]))

    assert one.high - one.low > 0.6
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert mean_reward(Rewards()) is None
