"""What the benchmark of all monitors measures, on one run of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.steady import IN_TIME, KINDS, Run, alarm_rows, delay_rows, prepare, runs_of, seen, world


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("steady") / "tree"
    prepare(home, "tree", 0)
    return home


def test_steady_model_is_watched_and_nothing_is_raised(prepared: Path) -> None:
    told = seen(prepared, Run("steady", 0))

    assert told.first == {}
    assert told.checks == 19
    rows = alarm_rows([told])
    assert rows[0] == ("monitor", "steady runs")
    assert [row[1] for row in rows[1:-1]] == ["0 of 1 (0.0% to 79.3%)"] * 6


def test_rotting_model_is_found_by_verdicts_and_by_its_inputs(prepared: Path) -> None:
    told = seen(prepared, Run("rotting", 450))

    assert {"rot", "drift"} <= told.first.keys()
    assert (told.delay("rot") or 0) <= IN_TIME < (told.delay("drift") or 0) <= 2 * told.run.rate
    assert [row[:3] for row in delay_rows([told])[1:]] == [
        ("rot", "all", "100.0%"),
        ("rot", "100", "100.0%"),
        ("drift", "all", "100.0%"),
        ("drift", "100", "100.0%"),
    ]


def test_runs_are_of_each_kind_model_rate_and_sample() -> None:
    runs = runs_of(45)

    assert {run.kind for run in runs} == set(KINDS)
    for kind in KINDS:
        of = {(run.model, run.rate, run.sample) for run in runs if run.kind == kind}
        assert len(of) == 45


def test_no_zombie_that_a_model_learnt_comes_by() -> None:
    dealt = world(1)

    learnt = {row.tobytes() for row in dealt.dataset.rows}
    assert len(learnt) == 2_000
    assert not learnt & {row.tobytes() for row in dealt.rows}
    assert len(dealt.rows) == 14_000
