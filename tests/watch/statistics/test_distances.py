"""Distances and chances against hand calculations and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from unrot.watch.statistics import distances


def test_hellinger_is_as_calculated_by_hand() -> None:
    # p = (.2, .8), q = (.5, .5): BC = √.1 + √.4
    by_hand = math.sqrt(1 - (math.sqrt(0.2 * 0.5) + math.sqrt(0.8 * 0.5)))

    assert distances.hellinger([2, 8], [30, 30]) == pytest.approx(by_hand, abs=1e-12)
    assert distances.hellinger([1, 0], [0, 7]) == 1.0
    assert distances.hellinger([3, 3], [5, 5]) == 0.0
    assert distances.hellinger([0, 0], [5, 5]) == 0.0


def test_ks_is_that_of_scipy_with_ties_too() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.poisson(3, 200).astype(float), rng.poisson(3.5, 90).astype(float)

    assert distances.ks(first, second) == pytest.approx(
        stats.ks_2samp(first, second).statistic, abs=1e-12
    )


def test_ks_from_bins_is_never_more_than_that_of_rows() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(0, 1, 500), rng.normal(0.3, 1, 500)
    edges = np.linspace(-2, 2, 9)
    counts = [np.bincount(np.searchsorted(edges, one, "right")) for one in (first, second)]

    from_bins = distances.ks_from_bins(counts[0].tolist(), counts[1].tolist())

    assert 0.1 < from_bins <= distances.ks(first, second)


@pytest.mark.parametrize(("statistic", "rows", "others"), [(0.1, 500, 400), (0.3, 80, 120)])
def test_chance_of_ks_is_near_the_exact_one(statistic: float, rows: int, others: int) -> None:
    exact = stats.kstwo.sf(statistic, round(rows * others / (rows + others)))

    assert distances.ks_chance(statistic, rows, others) == pytest.approx(exact, rel=0.15)


@pytest.mark.parametrize("freedom", [1, 2, 3, 10, 29, 200])
def test_chance_of_chi_square_is_that_of_scipy(freedom: int) -> None:
    for statistic in (0.5, 1.0 * freedom, 3.0 * freedom):
        expected = stats.chi2.sf(statistic, freedom)
        assert distances.chi_square_chance(statistic, freedom) == pytest.approx(expected, rel=1e-9)


def test_chi_square_is_that_of_scipy_where_no_cell_is_rare() -> None:
    first, second = [50, 60, 90], [40, 80, 30]
    expected = stats.chi2_contingency([first, second], correction=False)

    statistic, chance = distances.chi_square(first, second, is_ordered=True)

    assert statistic == pytest.approx(expected.statistic)
    assert chance == pytest.approx(expected.pvalue)


def test_rare_neighbours_are_put_together() -> None:
    alone = distances.chi_square([50, 50, 2, 3, 1], [50, 50, 1, 2, 4], is_ordered=True)

    # 2 + 3 + 1 and 1 + 2 + 4 are 13 of 213 rows: one cell that expects more than 5 on each side.
    assert alone == distances.chi_square([50, 50, 6], [50, 50, 7], is_ordered=True)


def test_one_cell_or_an_empty_side_tells_nothing() -> None:
    assert distances.chi_square([9], [5], is_ordered=True) == (0.0, 1.0)
    assert distances.chi_square([0, 0], [5, 5], is_ordered=False) == (0.0, 1.0)
    assert distances.ks_chance(0.5, 0, 10) == 1.0


def test_values_outside_what_was_outside_before_are_fishers_exact_test() -> None:
    one_sided = stats.fisher_exact([[12, 88], [3, 97]], alternative="greater").pvalue

    assert distances.outside_chance(12, 100, 3, 100) == pytest.approx(2 * one_sided, rel=1e-9)
    assert distances.outside_chance(3, 100, 12, 100) == pytest.approx(2 * one_sided, rel=1e-9)
    assert distances.outside_chance(5, 100, 10, 200) == 1.0


def test_values_outside_the_range_of_the_rows_before_are_rarely_many() -> None:
    rng = np.random.default_rng(3)
    outside = []
    for _ in range(2_000):
        before, now = rng.normal(size=100), rng.normal(size=100)
        outside.append(int(((now < before.min()) | (now > before.max())).sum()))

    chances = np.array([distances.outside_chance(count, 100, 0, 100) for count in outside])

    assert (chances < 0.05).mean() <= 0.05
    assert (chances < 0.01).mean() <= 0.01


def test_holm_corrects_as_in_its_paper() -> None:
    assert distances.holm({"a": 0.01, "b": 0.02, "c": 0.5}) == {"a": 0.03, "b": 0.04, "c": 0.5}
    assert distances.holm({"a": 0.4, "b": 0.6}) == {"a": 0.8, "b": 0.8}
    assert distances.holm({}) == {}
