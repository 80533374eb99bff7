"""A drill goes through the real service, and the same one again gives the same figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.poison import loss_rows
from bench.poison_drill import BATCHES, Drill, prepare, run


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("zombies")
    prepare(home, "zombies", "sgd")
    return home


def test_same_drill_again_gives_the_same_figures(prepared: Path) -> None:
    drill = Drill("zombies", "sgd", 1, "class", 0.2)

    first, second = run(prepared, drill), run(prepared, drill)

    assert (first.before, first.after) == (second.before, second.after)
    assert first.decisions == second.decisions
    assert len(first.decisions) == BATCHES
    [one_class, every] = loss_rows([first])
    assert (one_class[:2], one_class[2:]) == (("20%", "class"), every[2:])


def test_gate_that_is_off_promotes_every_batch(prepared: Path) -> None:
    outcome = run(prepared, Drill("zombies", "sgd", 0, "class", 0.4, gate=False))

    assert (outcome.promoted, set(outcome.decisions)) == (BATCHES, {"off"})
    assert outcome.loss > 2
