"""The streams of the benchmarks are what they say, and the same each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench import streams
from bench.calm import go_through, promised
from bench.streams import FAULTS, KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_stream_is_the_same_for_the_same_seed(kind: str) -> None:
    first, second = (streams.calm(kind, 7, days=1) for _ in range(2))

    assert np.array_equal(first.at, second.at)
    assert first.rows.tolist() == second.rows.tolist()
    assert first.truths.tolist() == second.truths.tolist()
    assert first.dataset.rows.shape == (2_000, len(first.dataset.schema.features))


def test_rows_that_repeat_come_so_often() -> None:
    for kind, times in (("repeats of 5", 5), ("repeats of 20", 20)):
        stream = streams.calm(kind, 5, days=2)
        known = {tuple(row) for row in stream.rows.tolist()}

        assert 0.9 < len(known) * times / len(stream.rows) < 1.1


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_there_from_its_moment_on_and_not_before(fault: str) -> None:
    stream = streams.faulty(fault, 3)
    begins = stream.changes_at or 0

    before, after = stream.rows[:begins], stream.rows[begins:]
    if fault == "missing":
        assert not any(one is None for one in before[:, 0])
        assert 0.07 < np.mean([one is None for one in after[:, 0]]) < 0.13
    if fault == "new choice":
        assert "never heard of" not in before[:, -1]
        assert 0.01 < np.mean(after[:, -1] == "never heard of") < 0.05
    if fault == "slice":
        assert stream.right is not None and stream.counts is not None
        assert set(stream.right[begins:][stream.counts[begins:]]) == {0.39}
        assert set(stream.right[:begins]) == {0.89}


def test_test_set_promises_what_verdicts_before_a_fall_say() -> None:
    stream = streams.faulty("slow", 3)

    told = [promised(stream, seed) for seed in range(200)]

    assert abs(np.mean(told) - 0.89) < 0.003
    assert 0.007 < np.std(told) < 0.013


def test_calm_day_goes_through_the_real_service_without_a_finding(tmp_path: Path) -> None:
    stream = streams.calm("mixed", 4, days=1)

    assert 50 < len(stream.rows) < 1_500
    assert go_through(tmp_path, stream, 4) == []
