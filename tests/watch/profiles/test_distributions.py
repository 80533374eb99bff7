"""Quantiles of counts on bins: close to those of the values, and told apart from exact ones."""

from __future__ import annotations

import numpy as np
import pytest

from unrot.core.records import Distribution
from unrot.watch.profiles.baseline import edges_of
from unrot.watch.profiles.columns import Column
from unrot.watch.profiles.distributions import counted, quantiles_from_bins, quantiles_of


def test_quantiles_of_bins_are_close_to_those_of_the_values() -> None:
    numbers = np.random.default_rng(3).normal(10, 2, 2_000)
    on_bins = counted(
        Distribution("number", edges=edges_of(numbers)), Column(2_000, numbers=numbers), ()
    )

    found, is_exact = quantiles_of(on_bins)

    assert not is_exact
    for share, value in found.items():
        assert value == pytest.approx(np.quantile(numbers, float(share)), abs=0.1)


def test_exact_quantiles_are_taken_as_they_are() -> None:
    kept = Distribution("number", quantiles={"0.5": 3.0})

    assert quantiles_of(kept) == ({"0.5": 3.0}, True)


def test_choices_and_empty_columns_have_none() -> None:
    assert quantiles_from_bins(Distribution("choice", choices=("a",), counts=(3, 0))) == {}
    assert quantiles_from_bins(Distribution("number", edges=(0.0, 1.0), counts=(0, 0, 0))) == {}
