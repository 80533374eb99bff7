from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from unrot.core.schema import parse_row
from unrot.make.catalogue import make
from unrot.make.demos import DEMOS, zombies


def test_zombies_come_in_parts_that_share_no_row() -> None:
    for mutated in (False, True):
        drawn = zombies.population(mutated=mutated)
        parts = (drawn.rows, drawn.holdout_rows, drawn.traffic_rows)

        assert [len(part) for part in parts] == [2_000, 4_000, 14_000]
        assert len(np.unique(np.vstack(parts), axis=0)) == 20_000


def test_label_zero_is_hostile_and_one_is_friendly() -> None:
    from sklearn.datasets import make_classification

    _, numbers = make_classification(20_000, 4, n_redundant=1, random_state=99)

    labels = zombies.load().labels

    assert labels.tolist() == [("hostile", "friendly")[number] for number in numbers[:2_000]]
    assert zombies.load().schema.classes == ("hostile", "friendly")


@pytest.mark.parametrize(
    ("name", "at_home", "on_mutants"), [("tree", 0.89, 0.45), ("forest", 0.92, 0.41)]
)
def test_model_of_the_first_population_fails_on_mutants(
    name: str, at_home: float, on_mutants: float
) -> None:
    dataset, mutants = zombies.load(), zombies.population(mutated=True)

    fitted = make(name, seed=0, schema=dataset.schema).fit(dataset.rows, dataset.labels)

    home = fitted.score(dataset.holdout_rows, dataset.holdout_labels)
    assert home == pytest.approx(at_home, abs=0.03)
    away = fitted.score(mutants.holdout_rows, mutants.holdout_labels)
    assert away == pytest.approx(on_mutants, abs=0.03)


def test_traffic_of_a_seed_is_the_same_traffic() -> None:
    first, second = (list(islice(zombies.traffic(4), 50)) for _ in range(2))

    assert first == second
    assert first != list(islice(zombies.traffic(5), 50))


@pytest.mark.parametrize("mutated", [False, True])
def test_traffic_goes_on_beyond_its_rows_and_holds_no_other_part(mutated: bool) -> None:
    drawn = zombies.population(mutated=mutated)
    kept = {tuple(row) for row in np.vstack([drawn.rows, drawn.holdout_rows]).tolist()}

    seen = [
        (tuple(row.values()), label)
        for row, label in islice(zombies.traffic(1, mutated=mutated), 15_000)
    ]

    assert len(seen) == 15_000
    assert len(set(seen)) == 14_000
    assert not kept & {row for row, _ in seen}


def test_traffic_is_taken_by_the_schema_with_its_true_label() -> None:
    schema = zombies.load().schema
    drawn = zombies.population()
    truth = dict(
        zip(map(tuple, drawn.traffic_rows.tolist()), drawn.traffic_labels.tolist(), strict=True)
    )

    for row, label in islice(zombies.traffic(2), 100):
        assert truth[tuple(parse_row(schema, row))] == label


def test_demos_are_three() -> None:
    assert list(DEMOS) == ["iris", "zombies", "heart"]
    assert DEMOS["zombies"]().name == "zombies"
