"""A school for each estimator, trained once for all tests."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import noon
from tests.learning_model import School
from unrot.core.records import Model
from unrot.core.settings import Settings
from unrot.make.demos import zombies
from unrot.make.publishing import publish
from unrot.make.train import train
from unrot.run.bootstrap import open_service
from unrot.serve import journal

KEY = "the same key for all"
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
            # By ids of its own: whichever test is the first gets the same ids as any other.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(journal.secrets, "token_bytes", random.Random(0).randbytes)
                service = open_service(Settings(home=made[estimator], secret_key=KEY))
                candidate = train(data, estimator, lambda *_: None)
                model = Model(data.name, 0, data.title, data.description, data.schema, noon())
                publish(service, model, candidate)
                service.store.close()
        return made[estimator]

    return home


@pytest.fixture(autouse=True)
def same_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give out the same ids each time: by them it is decided which verdicts only judge."""
    chance = random.Random(7)
    monkeypatch.setattr(journal.secrets, "token_bytes", chance.randbytes)


def steady_clock() -> Callable[[], float]:
    """Return a clock that moves on so little that ids, which hold seconds, stay the same."""
    ticks = itertools.count(1)
    return lambda: 1_800_000_000.1 + next(ticks) * 1e-5


@pytest.fixture
def open_school(homes: Callable[[str], Path], tmp_path: Path) -> Iterator[Callable[[str], School]]:
    """Open a school of its own on a copy of a home."""
    opened: list[School] = []

    def school(estimator: str) -> School:
        home = tmp_path / estimator
        shutil.copytree(homes(estimator), home)
        settings = Settings(home=home, secret_key=KEY)
        service = replace(open_service(settings), clock=steady_clock())
        opened.append(School(service))
        return opened[-1]

    yield school
    for one in opened:
        one.service.store.close()
