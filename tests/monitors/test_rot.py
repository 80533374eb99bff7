"""Finding a fall in a stream of verdicts, and following it until it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log

import numpy as np
import pytest

from unrot.monitors import course
from unrot.monitors.course import Expected, Standing
from unrot.monitors.rot import find_fall, find_rise, is_above, is_below, threshold
from unrot.symptoms import Outcome


def stream(*parts: tuple[float, int], seed: int = 0) -> list[float]:
    """Draw rights and wrongs: (share of rights, how many), one part after the other."""
    chance = np.random.default_rng(seed)
    return [float(one) for share, count in parts for one in chance.random(count) < share]


def outcomes(rights: Sequence[float], *, start: float = 0.0) -> list[Outcome]:
    return [
        Outcome(f"p{at}", "v1", start + at, start + at + 0.5, bool(right), truth="ab"[at % 2 == 0])
        for at, right in enumerate(rights)
    ]


def steps(told: Sequence[Outcome]) -> list[str]:
    _, found = course.follow(told, Standing(), era="v1", expected=Expected(), last=50)
    return [one.what for one in found]


# ── a fall ───────────────────────────────────────────────────────────────────────────────────


def test_ratio_is_that_of_a_hand_calculation() -> None:
    """20 rights, then 20 wrongs: 40 · ln 2 at the change."""
    fall = find_fall([1.0] * 20 + [0.0] * 20)

    assert fall is not None and fall.place == 20
    assert round(fall.statistic, 6) == round(40 * log(2), 6)
    assert fall.threshold == threshold(40) == log(3 * 40 * 40**0.5 / 0.05)


def test_rise_is_no_fall() -> None:
    assert find_fall(stream((0.3, 200), (0.95, 200))) is None


@pytest.mark.parametrize("values", [[], [1.0], [1.0] * 5 + [0.0] * 5, [0.0] * 500, [1.0] * 500])
def test_too_little_or_too_even_is_no_fall(values: list[float]) -> None:
    assert find_fall(values) is None


@pytest.mark.parametrize("before", [200, 1_500])
def test_fall_from_nine_tenths_to_a_coin_is_found_in_time(before: int) -> None:
    for seed in range(20):
        told = stream((0.9, before), (0.45, 60), seed=seed)
        assert find_fall(told[:before]) is None
        assert find_fall(told) is not None


def test_steady_streams_raise_nothing_at_any_moment() -> None:
    for seed in range(10):
        told = stream((0.8, 2_000), seed=seed)
        assert [end for end in range(0, 2_001, 20) if find_fall(told[:end])] == []


def test_errors_are_held_against_each_other_by_rank_whatever_their_scale() -> None:
    chance = np.random.default_rng(1)
    small, large = chance.exponential(1.0, 300), chance.exponential(6.0, 60)
    errors = [*small.tolist(), *large.tolist()]

    fall = find_rise(errors)

    assert fall is not None and 290 <= fall.place <= 310
    assert find_rise([error**3 for error in errors]) == fall
    assert find_rise(errors[::-1]) is None


def test_steady_errors_raise_nothing_at_any_moment() -> None:
    for seed in range(5):
        errors = np.random.default_rng(seed).standard_cauchy(2_000)
        told = np.abs(errors)
        assert [end for end in range(0, 2_001, 20) if find_rise(told[:end])] == []


def test_model_rotten_from_the_start_is_below_its_holdout() -> None:
    assert is_below(20, 40, 0.9, 4_000) is not None
    assert is_below(20, 40, 0.9, 20) is None
    assert is_below(33, 40, 0.9, 4_000) is None
    assert is_below(0, 29, 0.9, 4_000) is None
    assert is_above([2.0, 4.0] * 25, 1.0, 1.4) is not None
    assert is_above([0.5, 1.6] * 25, 1.0, 1.4) is None


# ── its course ───────────────────────────────────────────────────────────────────────────────


def test_fall_is_told_once_and_over_when_the_last_verdicts_are_back() -> None:
    told = outcomes(stream((0.92, 300), (0.4, 120), (0.92, 200)))

    standing, found = course.follow(told, Standing(), era="v1", expected=Expected(), last=50)

    fallen, back = found
    assert [fallen.what, back.what] == ["fallen", "back"]
    assert 295 <= fallen.fallen.since <= 305 and 305 <= fallen.at <= 345
    assert abs(fallen.fallen.before - 0.92) < 0.05
    assert 440 <= back.at <= 490 and len(back.after) == 50
    assert standing.fallen is None and standing.looked_from < course.key_of(told[-1])


def test_fall_goes_on_while_nothing_is_mended() -> None:
    assert steps(outcomes(stream((0.92, 300), (0.4, 1_500)))) == ["fallen"]


def test_second_fall_after_a_recovery_is_another_one() -> None:
    told = stream((0.92, 300), (0.4, 100), (0.92, 300), (0.4, 100))

    assert steps(outcomes(told)) == ["fallen", "back", "fallen"]


def test_it_says_the_same_however_often_somebody_looks() -> None:
    told = outcomes(stream((0.92, 150), (0.4, 100), (0.92, 100)))
    at_once = course.follow(told, Standing(), era="v1", expected=Expected(), last=50)

    standing, found = Standing(), []
    for end in range(1, len(told) + 1):
        standing = course.from_note(course.to_note(standing))
        standing, more = course.follow(told[:end], standing, era="v1", expected=Expected(), last=50)
        found += more

    assert (standing, found) == at_once


def test_small_fall_needs_more_verdicts_to_be_over() -> None:
    told = outcomes(stream((0.95, 1_000), (0.82, 600), seed=3))

    assert steps(told) == ["fallen"]


def test_other_fresh_version_that_is_well_ends_a_fall_and_one_that_is_not_does_not() -> None:
    told = outcomes(stream((0.92, 300), (0.4, 60)))
    standing, _ = course.follow(told, Standing(), era="v1", expected=Expected(), last=50)
    cured = [replace(one, version="v2") for one in outcomes(stream((0.93, 40)), start=1e3)]
    still = [replace(one, version="v2") for one in outcomes(stream((0.5, 40)), start=1e3)]
    promised = Expected(0.94, rows=200)

    _, well = course.follow(cured, standing, era="v2", expected=promised, last=50)
    _, ill = course.follow(still, standing, era="v2", expected=promised, last=50)
    _, early = course.follow(cured[:29], standing, era="v2", expected=promised, last=50)

    assert [(one.what, one.at) for one in well] == [("back", 1e3 + 29.5)]
    assert (ill, early) == ([], [])


def test_deep_fall_and_one_below_the_constant_guess_are_grave() -> None:
    def fallen(before: float, told: Sequence[Outcome]) -> bool:
        fall = course.Fallen(0.0, course.key_of(told[0]), "v1", before, 99, 0.5, False, 20.0, 12.0)
        return course.is_grave(fall, told)

    assert fallen(0.9, outcomes([1.0, 1.0, 1.0, 0.0]))
    assert not fallen(0.85, outcomes([1.0, 1.0, 1.0, 0.0]))
    even = [replace(one, truth="a") for one in outcomes([1.0, 1.0, 1.0, 0.0])]
    assert fallen(0.85, even)


def test_numbers_that_are_farther_off_are_a_fall() -> None:
    chance = np.random.default_rng(1)
    errors = [*chance.normal(0, 1, 300), *chance.normal(0, 8, 60), *chance.normal(0, 1, 150)]
    told = [
        Outcome(f"p{at}", "v1", at, at, error=float(error), truth=float(at))
        for at, error in enumerate(errors)
    ]

    assert steps(told) == ["fallen", "back"]
