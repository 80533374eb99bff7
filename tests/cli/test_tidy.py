"""`python -m unrot tidy`: at once, with a bar, twice as once, and the room given back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, environment, run_command
from tests.newest import newest
from tests.run.test_retention import a_row, brought
from unrot.core.records import Prediction
from unrot.serve.service import Service

DAYS = 86_400.0


def tidy(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run_command(home, "tidy", *options)


@pytest.fixture
def old(service: Service) -> Service:
    brought(service, rows_of(service, 300))
    return service


def rows_of(service: Service, count: int) -> list[Prediction]:
    return [a_row(f"p{n}", service.clock() - 50 * DAYS - 60 * n) for n in range(count)]


def test_all_that_is_old_goes_at_once_and_the_room_is_given_back(old: Service) -> None:
    before = old.store.size()

    done = tidy(old.settings.home, "--vacuum")
    again = tidy(old.settings.home)

    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("Tidied: ") and "0 rows" not in first[:15]
    assert second.startswith("The database takes ") and second.endswith(" bytes less on the disk.")
    assert old.store.size() < before
    assert newest(old, "iris") == []
    assert again.stdout == (
        "Tidied: 0 rows were removed or summed up. The operations page says which.\n"
    )


def test_interrupted_tidying_says_nothing_wrong_and_the_next_one_ends_it(service: Service) -> None:
    """There is so much of it that it is still at work when it is interrupted."""
    brought(service, rows_of(service, 2_000))
    process = subprocess.Popen(
        [sys.executable, "-m", "unrot", "tidy"],
        env=environment(service.settings.home),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)

    assert "Traceback" not in said
    assert tidy(service.settings.home).returncode == 0
    assert newest(service, "iris") == []


def test_store_that_is_away_is_said(old: Service) -> None:
    (old.settings.home / "unrot.db").rename(old.settings.home / "away.db")
    (old.settings.home / "unrot.db").mkdir()

    done = tidy(old.settings.home)

    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer")
    assert "Traceback" not in done.stderr
