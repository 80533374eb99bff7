"""Each question of the benchmark of costs is answered, on few events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from bench.watching import QUESTIONS, filled, measured, service_of, today
from unrot.make.demos import zombies
from unrot.make.train import train


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    home: Path = tmp_path_factory.mktemp("watching")
    candidate = train(zombies.load(), "tree", lambda _share, _step: None)
    app = filled(home, 3_000, candidate, time.time())
    yield app
    service_of(app).store.close()


def test_store_is_filled_with_predictions_verdicts_and_windows(app: Flask) -> None:
    service = service_of(app)

    windows = service.store.traffic.windows("zombies", since=0, until=time.time())

    assert sum(one.verdicts for one in windows) == 3_000
    assert sum(one.predictions for one in windows) == 3_000
    assert today(app, 0).verdicts <= 3_000
    assert len(service.store.traffic.outcomes("zombies", limit=9)) == 9


@pytest.mark.parametrize("name", QUESTIONS)
def test_question_is_answered(app: Flask, name: str) -> None:
    [seconds] = measured([partial(QUESTIONS[name], app, time.time())], rounds=1)

    assert seconds > 0
