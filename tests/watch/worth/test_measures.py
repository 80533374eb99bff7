from __future__ import annotations

import numpy as np

from unrot.watch.worth.measures import autocorrelation_time, multiplicity


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
