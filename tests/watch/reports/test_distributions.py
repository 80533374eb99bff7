"""Portraits side by side: training, periods and single profiles, compared with the first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.large_store import second, ship
from tests.learning_model import zombies_of
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.run.bootstrap import open_service
from unrot.serve.service import Service
from unrot.watch.reports import distributions as distributions_view
from unrot.watch.reports import periods
from unrot.watch.statistics.distances import hellinger

HOUR = 3_600.0
NOON = 1_800_000_000.0


@pytest.fixture
def service(trained_home: Path) -> Service:
    """Zombies of three hours, the last ones mutated."""
    service = open_service(Settings(home=trained_home))
    for hour in range(3):
        drawn = zombies_of(200, seed=hour, mutated=hour == 2)
        at = replace(service, clock=lambda hour=hour: NOON + hour * HOUR)
        at.predict("zombies", [row for row, _ in drawn])
        ship(at)
    ship(replace(service, clock=lambda: NOON + 4 * HOUR))
    return service


def word(hour: int, hours: int = 1) -> str:
    return f"{NOON + hour * HOUR:.0f}..{NOON + (hour + hours) * HOUR:.0f}"


def test_periods_are_compared_with_the_training_column_by_column(service: Service) -> None:
    found = distributions_view.beside(service, "zombies", ["training:v1", word(0), word(2)])

    training, calm, mutated = found.portraits
    assert [one.rows for one in found.portraits[1:]] == [200, 200]
    farthest = found.columns[0]
    assert [one.distance for one in found.columns] == sorted(
        (one.distance for one in found.columns), reverse=True
    )
    assert farthest.drifts[0] is None
    assert farthest.drifts[2] is not None and farthest.drifts[1] is not None
    assert farthest.drifts[2].distance == hellinger(
        mutated.summary[farthest.name].counts, training.summary[farthest.name].counts
    )
    assert farthest.drifts[2].has_moved and not farthest.drifts[1].has_moved
    assert calm.reference == mutated.reference == training.reference
    assert found.problems == []


def test_distances_are_those_to_the_first(service: Service) -> None:
    found = distributions_view.beside(service, "zombies", [word(0), word(1), word(2)])

    calm = {one.name: one.drifts[1] for one in found.columns}
    apart = periods.apart(service, "zombies", found.portraits[1], found.portraits[0])
    assert calm == {one.column: one for one in apart}


def test_several_profiles_are_summed_and_one_alone_is_shown_by_its_id(service: Service) -> None:
    [first, *_] = service.store.profiles.of_model("zombies")

    found = distributions_view.beside(service, "zombies", [word(0, 3), first.id])

    assert [one.rows for one in found.portraits] == [600, 200]
    assert found.portraits[1].summary["decay"].quantiles != {}


def test_what_is_not_there_is_said_and_the_rest_is_shown(service: Service) -> None:
    found = distributions_view.beside(
        service, "zombies", ["training:v1", word(50), "no-such-profile"]
    )

    assert found.words == ["training:v1"]
    assert len(found.columns) == 6
    assert ["there is none" in found.problems[0], "no such profile" in found.problems[1]] == [
        True,
        True,
    ]


def test_no_more_than_three_and_none_twice(service: Service) -> None:
    many = distributions_view.beside(service, "zombies", [word(0), word(1), word(2), "training:v1"])
    twice = distributions_view.beside(service, "zombies", [word(0), word(0)])

    assert many.words == [word(0), word(1), word(2)]
    assert many.problems == ["At most 3 stand side by side: the first 3 are shown."]
    assert twice.words == [word(0)]


def test_versions_of_the_same_rows_are_compared_by_their_inputs(service: Service) -> None:
    second(service)

    found = distributions_view.beside(service, "zombies", [word(2), "training:v2"])

    distances = {one.name: one.drifts[1] for one in found.columns}
    assert set(distances) == {*zombies.SCORES, "output.class", "output.probability"}
    assert distances["decay"] is not None and distances["decay"].distance > 0.1
    assert distances["output.probability"] is None
    assert found.problems == [distributions_view.OTHER_BINS]
