"""A school whose clock goes when a test tells it to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.clock import Clock
from tests.learning_model import School
from unrot.core.settings import Settings
from unrot.run.bootstrap import open_service


@pytest.fixture
def school(settings: Settings, clock: Clock) -> Iterator[School]:
    service = replace(open_service(settings), clock=clock)
    yield School(service)
    service.store.close()
