"""The sums over chances, held against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import fisher_exact

from unrot.watch.statistics.chances import chance_of_more, log_sum


@pytest.mark.parametrize(
    ("found", "rows", "found_before", "rows_before"),
    [(9, 30, 12, 120), (0, 30, 12, 120), (30, 30, 5, 100), (40, 10_000, 1, 9_000), (7, 50, 0, 0)],
)
def test_chance_of_more_is_fishers(
    found: int, rows: int, found_before: int, rows_before: int
) -> None:
    table = [[found, rows - found], [found_before, rows_before - found_before]]

    exact = fisher_exact(table, alternative="greater").pvalue if rows_before else 1.0

    assert chance_of_more(found, rows, found_before, rows_before) == pytest.approx(exact, rel=1e-8)


def test_log_sum_is_that_of_scipy() -> None:
    logs = np.random.default_rng(1).normal(0, 400, (3, 50))

    assert log_sum(logs) == pytest.approx(logsumexp(logs, axis=-1))
