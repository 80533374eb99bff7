"""A school for each estimator, trained once for all tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import noon
from tests.schooling.school import School
from unrot.bootstrap import open_service
from unrot.demos import zombies
from unrot.models.training import train
from unrot.records import Model
from unrot.settings import Settings

HOLDOUT = 1_000
"""Rows of the anchor: enough to rule out a loss of 2 %, and quick to answer."""


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a home folder with zombies by an estimator; each is trained once."""
    made: dict[str, Path] = {}

    def home(estimator: str) -> Path:
        if estimator not in made:
            made[estimator] = tmp_path_factory.mktemp(estimator)
            data = zombies.load()
            data = replace(
                data,
                rows=data.rows[:500],
                labels=data.labels[:500],
                holdout_rows=data.holdout_rows[:HOLDOUT],
                holdout_labels=data.holdout_labels[:HOLDOUT],
            )
            service = open_service(Settings(home=made[estimator]))
            candidate = train(data, estimator, lambda *_: None)
            model = Model(data.name, 0, data.title, data.description, data.schema, noon())
            service.publish(model, candidate)
            service.store.close()
        return made[estimator]

    return home


@pytest.fixture
def open_school(homes: Callable[[str], Path], tmp_path: Path) -> Iterator[Callable[[str], School]]:
    """Open a school of its own on a copy of a home."""
    opened: list[School] = []

    def school(estimator: str) -> School:
        home = tmp_path / estimator
        shutil.copytree(homes(estimator), home)
        service = replace(open_service(Settings(home=home)), clock=noon)
        opened.append(School(service))
        return opened[-1]

    yield school
    for one in opened:
        one.service.store.close()
