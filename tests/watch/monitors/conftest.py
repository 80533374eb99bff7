"""A small town of real zombies, as the lookout sees it; time goes on by a second at each look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.learning_model import School
from tests.live_server import prepare
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service

NOON = 1_700_049_600.0


class Clock:
    """A clock that goes on by a second at each look."""

    now = NOON

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def ticking_school(settings: Settings) -> Iterator[School]:
    service = replace(open_service(settings), clock=Clock())
    yield School(service)
    service.store.close()


@pytest.fixture
def small_school(tmp_path: Path) -> Iterator[School]:
    """A school that is refitted in a moment."""
    home = prepare(tmp_path / "small", {"zombies": "tree"})
    service = replace(open_service(Settings(home=home)), clock=Clock())
    yield School(service)
    service.store.close()
