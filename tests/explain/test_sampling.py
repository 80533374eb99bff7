"""Sampled contributions: right within what they say of themselves, and within their time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.explain.definition import shapley
from unrot.core.records import Row
from unrot.explain import sampling
from unrot.explain.sampling import sample

ROWS = np.random.default_rng(3).normal(size=(30, 4)).tolist()
ASKED = [1.5, -0.5, 2.0, 0.7]


def score(rows: Sequence[Row]) -> NDArray[np.float64]:
    """Answer what no sum over features makes."""
    table = np.array(rows, dtype=np.float64)
    made: NDArray[np.float64] = np.tanh(table[:, 0] * table[:, 1] + table[:, 2] ** 2 - table[:, 3])
    return made


def worth(known: frozenset[int]) -> float:
    """Average over the rows of the training, with what is known of the asked one."""
    mixed = [[ASKED[at] if at in known else row[at] for at in range(len(ASKED))] for row in ROWS]
    return float(score(mixed).mean())


def test_sampled_values_are_near_those_of_the_definition() -> None:
    found = sample(score, ASKED, ROWS, seconds=1e9, clock=lambda: 0.0)

    exact = np.array(shapley(worth, 4))
    assert found.samples == sampling.MOST_PASSES * len(ROWS)
    assert found.average == pytest.approx(worth(frozenset()))
    assert (np.abs(found.amounts - exact) < 1.5 * found.errors).all()
    assert found.errors.max() < 0.05


def test_sampled_values_add_up_to_the_answer() -> None:
    found = sample(score, ASKED, ROWS, seconds=0.0)

    answer = float(score([ASKED])[0])
    assert found.average + found.amounts.sum() == pytest.approx(answer, abs=1e-12)


def test_time_that_is_over_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "CELLS_AT_ONCE", 1)
    ticks = iter(range(1_000))

    found = sample(score, ASKED, ROWS, seconds=5.0, clock=lambda: float(next(ticks)))

    assert 2 <= found.samples <= 6


def test_two_samples_are_drawn_of_a_single_row() -> None:
    found = sample(score, ASKED, ROWS[:1], seconds=0.0, clock=lambda: 0.0)

    assert found.samples == 2
    assert np.isfinite(found.errors).all()


def test_texts_and_gaps_are_changed_like_numbers() -> None:
    def is_red(rows: Sequence[Row]) -> NDArray[np.float64]:
        return np.array([float(row[0] == "red" and row[1] is None) for row in rows])

    background: list[Row] = [["blue", 1.0], ["red", 2.0]]
    found = sample(is_red, ["red", None], background, seconds=1e9, clock=lambda: 0.0)

    assert found.average == 0.0
    assert found.amounts.tolist() == pytest.approx([0.25, 0.75])
