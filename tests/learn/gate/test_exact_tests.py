"""The exact tests against hand calculations, scipy, and their own promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, multinomial, ttest_1samp

from unrot.learn.gate.exact_tests import (
    chance_of_loss,
    chance_of_so_few,
    lowest_gain,
    lowest_mean,
    mcnemar,
)


def test_so_few_wins_is_the_binomial_test() -> None:
    assert chance_of_so_few(2, 8) == pytest.approx(56 / 1024)  # (1 + 10 + 45) / 2^10
    assert chance_of_so_few(2, 8) == pytest.approx(binomtest(2, 10, alternative="less").pvalue)
    assert chance_of_so_few(0, 0) == 1.0


def test_mcnemar_is_two_sided() -> None:
    assert mcnemar(2, 8) == pytest.approx(112 / 1024)
    assert mcnemar(8, 2) == mcnemar(2, 8)
    assert (mcnemar(5, 5), mcnemar(0, 0)) == (1.0, 1.0)


def test_mean_bound_is_that_of_the_t_test() -> None:
    values = np.random.default_rng(0).normal(size=40)

    expected = ttest_1samp(values, 0, alternative="greater").confidence_interval(0.95).low

    assert lowest_mean(values) == pytest.approx(expected)
    assert lowest_mean(values[:1]) == -np.inf


@pytest.mark.parametrize("rows", [30, 149, 400])
def test_without_discordant_rows_the_bound_is_the_rule_of_three(rows: int) -> None:
    assert lowest_gain(won=0, lost=0, rows=rows) == pytest.approx(0.05 ** (1 / rows) - 1, abs=2e-4)


@pytest.mark.parametrize("discordant", [100, 400, 1200])
def test_with_many_rows_the_bound_is_that_of_the_normal_law(discordant: int) -> None:
    won, lost, rows = discordant // 2, discordant // 2, 4000

    bound = lowest_gain(won=won, lost=lost, rows=rows)

    assert bound == pytest.approx(-1.645 * np.sqrt(discordant) / rows, rel=0.04)


def test_bound_is_the_gain_whose_chance_is_one_in_twenty() -> None:
    bound = lowest_gain(won=12, lost=5, rows=200)

    assert chance_of_loss(12, 5, 200, -bound) <= 0.05
    assert chance_of_loss(12, 5, 200, -(bound + 0.001)) > 0.05


def test_bound_never_promises_more_than_was_seen() -> None:
    bounds = [lowest_gain(won=won, lost=60 - won, rows=60) for won in range(0, 61, 10)]

    assert bounds == sorted(bounds)
    assert all(
        bound < (2 * won - 60) / 60 + 1e-9
        for bound, won in zip(bounds, range(0, 61, 10), strict=True)
    )


@pytest.mark.parametrize(("rows", "loss"), [(60, 0.05), (200, 0.02), (200, 0.05)])
def test_loss_is_overlooked_at_most_one_time_in_twenty_however_much_is_discordant(
    rows: int, loss: float
) -> None:
    """Sum the chances of all samples that would pass, for many shares won."""
    most = 26 if rows == 200 else 30
    passing = [
        (won, lost)
        for lost in range(most)
        for won in range(_fewest_passing(lost, rows, loss), rows - lost + 1)
    ]
    samples = np.array([(won, lost, rows - won - lost) for won, lost in passing])
    shares = [share for share in (0.0, 0.003, 0.01, 0.017, 0.04, 0.09) if lost_share_fits(share)]

    overlooked = [
        multinomial.pmf(samples, rows, [share, share + loss, 1 - 2 * share - loss]).sum()
        for share in shares
    ]

    assert max(overlooked) <= 0.0501
    assert max(overlooked) > 0.03


def lost_share_fits(share: float) -> bool:
    return share <= 0.04


def _fewest_passing(lost: int, rows: int, loss: float) -> int:
    low, high = 0, rows - lost + 1
    while low < high:
        middle = (low + high) // 2
        if middle <= rows - lost and chance_of_loss(middle, lost, rows, loss) > 0.05:
            low = middle + 1
        else:
            high = middle
    return low
