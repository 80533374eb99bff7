"""The bars behind a slider are counted from what the version was trained on, on the shelf."""

from __future__ import annotations

import pytest

from unrot.core.artefacts import REFERENCE
from unrot.core.records import CHAMPION, Feature
from unrot.make.demos import iris
from unrot.serve.service import Service
from unrot.watch.profiles import histograms as rooms
from unrot.watch.profiles.histograms import heights, histograms


def test_bars_are_those_of_the_training_rows(service: Service) -> None:
    shelved = service.catalogue().model("iris")
    rows = iris.load().rows

    found = histograms(service.shelf, shelved, shelved.version())

    features = shelved.model.schema.features
    assert found == {
        feature.name: heights(feature, rows[:, place]) for place, feature in enumerate(features)
    }
    assert {max(bars) for bars in found.values()} == {100}


def test_whole_numbers_have_a_bar_each() -> None:
    stars = Feature("stars", "integer", low=1, high=5)

    assert heights(stars, [1, 1, 1, 1, 3, 5, 5]) == [100, 0, 25, 0, 50]


def test_without_the_file_there_are_no_bars(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelved = service.catalogue().model("iris")
    version = shelved.versions[shelved.aliases[CHAMPION]]
    monkeypatch.setattr(rooms, "_KEPT", rooms.Newest(1))
    (service.shelf.folder / "artefacts" / version.artefacts[REFERENCE]).unlink()

    assert histograms(service.shelf, shelved, version) == {}
