"""What is usual, held against scipy and against simulated streams in which nothing happens."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from unrot.core.records import Distribution, Feature, Outputs, Schema
from unrot.watch.monitors.quality.rule import prior
from unrot.watch.profiles.baseline import make
from unrot.watch.profiles.distributions import FAR
from unrot.watch.statistics.many_looks import allowed
from unrot.watch.statistics.risen_share import Course, Piece, look_at_piece
from unrot.watch.statistics.usual_share import Past, Usual, tail


@pytest.mark.parametrize(("count", "rows", "a", "b"), [(3, 50, 2.0, 90.0), (40, 500, 11, 300)])
def test_tail_is_that_of_the_beta_binomial(count: int, rows: int, a: float, b: float) -> None:
    assert tail(count, rows, a, b) == pytest.approx(stats.betabinom(rows, a, b).sf(count - 1))


def test_past_that_swings_makes_room_for_swings() -> None:
    """Twenty pieces of 100 with 2 each; and with 10 in every fifth: spread (2,000 - 80) / ..."""
    calm, swinging = Past(), Past()
    for number in range(20):
        calm = calm.after(2, 100)
        swinging = swinging.after(10 * (number % 5 == 0), 100)

    assert calm.spread == 1.0
    assert swinging.spread == pytest.approx((4 * 1.0 - 40 * 0.02) / (19 * 0.02 * 0.98))
    fresh = Usual(1, 1_000, 0.0)
    assert fresh.with_past(swinging).chance(10, 100) > 1e3 * fresh.with_past(calm).chance(10, 100)


@pytest.mark.parametrize("draw", ["standard_normal", "standard_exponential", "standard_cauchy"])
def test_numbers_are_hardly_ever_far_out_whatever_their_tails(draw: str) -> None:
    """Of 200 samples of 200 numbers, the next 200 are held against what is allowed at 1 %."""
    chance = np.random.default_rng([9, len(draw)])
    alarms = 0
    schema = Schema((Feature("x", "number"),), "y")
    for _ in range(200):
        trained, fresh = getattr(chance, draw)(200), getattr(chance, draw)(200)
        lay = make(schema, trained[:, None].tolist(), Outputs()).summary["x"]
        width = trained.max() - trained.min()
        far = (fresh < trained.min() - FAR * width) | (fresh > trained.max() + FAR * width)
        usual = prior("far", lay, 1.0)
        alarms += usual is not None and far.any() and usual.chance(far.sum(), 200) <= 0.01

    assert alarms <= 6  # 2 are expected at most; 7 come with a chance below 1 %


def test_choices_that_are_four_hundred_cry_no_wolf() -> None:
    """Training saw each of 400 choices five times on average: three of them never."""
    chance = np.random.default_rng(4)
    schema = Schema((Feature("city", "category"),), "y")
    alarms = 0
    for _ in range(10):
        trained = [[f"c{one}"] for one in chance.integers(0, 400, 2_000)]
        lay = make(schema, trained, Outputs()).summary["city"]
        known, course = {one for [one] in trained}, Course()
        usual = prior("unseen", lay, 1.0)
        assert usual is not None and 0.002 < usual.share < 0.015
        for look in range(1, 30):
            fresh = [f"c{one}" for one in chance.integers(0, 400, 200)]
            new = float(sum(one not in known for one in fresh))
            piece = Piece(0, 1, 200, {"unseen:city": (new, new)} if new else {})
            limits, priors = {"unseen:city": 0.005}, {"unseen:city": usual}
            alpha = allowed(look, 0.01)
            course, risen = look_at_piece(course, piece, priors, limits, alpha=alpha)
            alarms += bool(risen)

    assert alarms == 0


def test_choices_beyond_those_that_are_bins_were_seen_all_the_same() -> None:
    schema = Schema((Feature("city", "category"),), "y")
    lay = make(schema, [[f"c{one}"] for one in range(400)], Outputs()).summary["city"]

    assert (len(lay.choices), len(lay.rare), lay.once, lay.twice) == (200, 200, 400, 0)


def test_training_without_a_column_expects_nothing_of_it() -> None:
    assert prior("far", Distribution("number"), 1.0) is None
    assert prior("unseen", Distribution("number", rows=9), 1.0) is None
