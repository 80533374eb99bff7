"""Split conformal prediction: the bound by hand, and coverage of rows that are of one kind."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy.stats import beta

from unrot.core.conformal import (
    MOST_KEPT,
    Conformal,
    adapt,
    coverage_range,
    keep_scores,
    unpack,
)


def known(scores: list[float]) -> Conformal:
    return Conformal(len(scores), keep_scores(scores))


@pytest.mark.parametrize(("rows", "rank"), [(9, 9), (19, 18), (50, 46), (99, 90)])
def test_bound_has_the_correction_for_few_rows(rows: int, rank: int) -> None:
    of = known([float(one) for one in range(1, rows + 1)])

    assert of.bound(0.1) == rank  # the smallest whole number that is at least 0.9 (n + 1)


def test_too_few_rows_cannot_say() -> None:
    assert known([0.1] * 8).bound(0.1) == inf
    assert not known([0.1] * 8).can_say(0.9)
    assert known([0.1] * 9).can_say(0.9)


def test_scores_that_are_left_out_make_no_bound_smaller() -> None:
    scores = np.random.default_rng(0).random(12_345).tolist()
    thin, whole = known(scores), Conformal(len(scores), tuple(sorted(scores)))

    assert len(thin.scores) == MOST_KEPT
    for miss in (0.01, 0.1, 0.333, 0.5):
        assert 0 <= thin.bound(miss) - whole.bound(miss) < 0.002


def test_rows_of_one_kind_are_covered_as_was_asked_for() -> None:
    chance = np.random.default_rng(1)
    shares = []
    for _ in range(300):
        low, high = known(np.abs(chance.normal(size=99)).tolist()).interval(0.0, 0.1)
        fresh = chance.normal(size=200)
        shares.append(np.mean((low <= fresh) & (fresh <= high)))

    assert np.mean(shares) == pytest.approx(0.9, abs=0.005)


def test_share_that_is_missed_is_the_one_that_was_asked_for_whatever_comes() -> None:
    of = known(np.random.default_rng(2).random(500).tolist())
    miss, missed = 0.1, 0
    for place in range(2_000):
        strange = 0.5 + place / 2_000  # ever stranger, in the end beyond all that was held out
        is_missed = strange > of.bound(miss)
        miss, missed = adapt(miss, coverage=0.9, missed=is_missed), missed + is_missed

    assert missed / 2_000 == pytest.approx(0.1, abs=0.01)


def test_calibration_that_was_made_without_scores_says_nothing() -> None:
    assert unpack(b'{"rows": 99, "right": 90}') is None
    assert unpack(b"{}") is None


@pytest.mark.parametrize("rows", [9, 30, 100, 999, 5_000])
def test_coverage_range_is_that_of_the_beta_distribution(rows: int) -> None:
    few = int((rows + 1) * 0.1 + 1e-9)

    found = coverage_range(rows, 0.9)

    assert found == pytest.approx(beta.ppf([0.025, 0.975], rows + 1 - few, few), abs=2e-4)


def test_nine_rows_can_say_what_holds_nine_of_ten_and_eight_cannot() -> None:
    nine = Conformal(9, tuple(place / 10 for place in range(1, 10)))
    eight = Conformal(8, nine.scores[:8])

    assert (nine.can_say(0.9), eight.can_say(0.9), eight.can_say(0.85)) == (True, False, True)
