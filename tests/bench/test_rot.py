"""What the benchmark of rot measures, on fewer of the same runs: it finds the fall, and only it."""

from __future__ import annotations

from bench.rot import DETECTORS, judged, measure, ours, run_of


def test_fall_is_found_soon_in_each_run_and_no_steady_run_raises_an_alarm() -> None:
    told = measure(ours, 3, lambda _share, _step: None)

    assert (told.in_time, len(told.delays)) == (3, 3)
    assert (told.too_early, told.false_alarms) == (0, 0)


def test_runs_are_the_same_each_time_and_of_every_model() -> None:
    runs = [run_of(seed, mutates=True) for seed in range(3)]

    assert [run.model for run in runs] == ["tree", "mlp", "sgd"]
    assert [run.mutates_at for run in runs] == [
        run_of(n, mutates=True).mutates_at for n in range(3)
    ]
    for run in runs:
        at = run.mutates_at or 0
        assert run.rights[:at].mean() > 0.8 > 0.6 > run.rights[at:].mean()
        assert judged(run.model).rows == 4_000


def test_detectors_of_river_see_the_same_streams() -> None:
    keen = DETECTORS["ADWIN, at each verdict"]
    run = run_of(0, mutates=True)

    found = keen(run.rights, judged(run.model))

    assert found is not None and found > (run.mutates_at or 0)
