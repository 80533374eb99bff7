"""What the benchmark of causes measures, on one run of each kind."""

from __future__ import annotations

import pytest

from bench.cause import LOOKS, run


@pytest.mark.parametrize(
    ("how", "said"),
    [("flipped", "concept"), ("mover", "concept"), ("swapped", "broken rows")],
)
def test_each_look_says_something_and_the_last_what_it_was(how: str, said: str) -> None:
    told = run("gaussians", how, 0)

    assert (len(told), told[-1]) == (len(LOOKS), said)
