from __future__ import annotations

import numpy as np

from unrot.core.records import Feature, Schema
from unrot.watch.worth.measures import autocorrelation_time, multiplicity
from unrot.watch.worth.rows import alike_among


def test_independent_values_count_in_full() -> None:
    rng = np.random.default_rng(1)

    times = [autocorrelation_time(rng.random(500) < 0.1) for _ in range(200)]

    assert np.quantile(times, 0.95) < 1.3


def test_blocks_of_twenty_count_as_one_each() -> None:
    rng = np.random.default_rng(2)

    times = [autocorrelation_time(np.repeat(rng.normal(size=100), 20)) for _ in range(50)]

    assert 15 < np.median(times) < 25


def test_slow_walk_counts_as_its_autocorrelation_says() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=20_500)
    walk = np.zeros(len(noise))
    for at in range(1, len(walk)):
        walk[at] = 0.9 * walk[at - 1] + noise[at]

    found = autocorrelation_time(walk[500:])

    assert 16 < found < 22  # (1 + .9) / (1 - .9) = 19


def test_multiplicity_is_seen_from_the_rows() -> None:
    assert multiplicity([(1, "a")] * 20 + [(2, "b")] * 20) == 20.0
    assert multiplicity(range(9)) == 1.0
    assert multiplicity([1, 1, 1, 2]) == 2.5
    assert multiplicity([]) == 1.0


def walk(rows: int, columns: int) -> list[tuple[float, ...]]:
    """Draw rows of which each is nearly as the last."""
    rng = np.random.default_rng(5)
    drawn = rng.normal(size=(rows, columns))
    for row in range(1, rows):
        drawn[row] = 0.99 * drawn[row - 1] + 0.14 * drawn[row]
    return [tuple(one) for one in drawn.tolist()]


def test_few_rows_of_a_slow_walk_show_that_they_are_worth_little() -> None:
    found = alike_among(numbers(9), walk(100, 9), alike=0.0)

    assert found.slowness > 25


def test_day_on_which_a_world_moves_is_no_long_run_of_like_rows() -> None:
    moved = np.random.default_rng(6).normal(size=(600, 9))
    moved[300:] += 2.5

    assert alike_among(numbers(9), moved.tolist(), alike=0.0).slowness < 1.5


def test_few_rows_that_are_far_out_are_no_long_run_either() -> None:
    rows = np.random.default_rng(7).normal(size=(300, 9))
    rows[100:103] = rows[200:203] = 9_000.0

    assert alike_among(numbers(9), rows.tolist(), alike=0.0).slowness < 1.5


def numbers(count: int) -> Schema:
    return Schema(tuple(Feature(f"x{number}", "number") for number in range(count)), "y")
