"""Runs a script with other people's clients against the server of the tests."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, VIEWER, Server, wait_for
from tests.live_server import call
from tests.skips import needs
from unrot.web.api.predictions import IRIS

SCRIPTS = Path(__file__).parent / "scripts"
ENVIRONMENTS = ROOT / ".venv-clients"

Run = Callable[..., Any]


@dataclass(frozen=True)
class Expected:
    """Rows, and what our own API answers to them."""

    names: list[str]
    rows: list[list[float]]
    labels: list[str]
    shares: list[list[float]]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a script; return what it says."""

    def told(script: str, server: Server, *, environment: str = "main", **given: Any) -> Any:
        python = ENVIRONMENTS / environment / "bin/python"
        needs(f"The clients of {script}", python.exists(), "install them with make clients")
        done = subprocess.run(
            [python, SCRIPTS / script],
            input=json.dumps({"url": server.url, **given}),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3_000:]
        return json.loads(done.stdout.splitlines()[-1])

    return told


@pytest.fixture(scope="session")
def expected(server: Server) -> Expected:
    """Five hundred irises."""
    chance = random.Random(17)
    ranges = ((4, 8), (2, 4.5), (1, 7), (0.1, 2.5))
    rows = [[round(chance.uniform(*each), 2) for each in ranges] for _ in range(500)]
    inputs = [dict(zip(IRIS, row, strict=True)) for row in rows]
    code, told = call(f"{server.url}/api/v1/models/iris/predict", {"inputs": inputs})
    assert code == 200
    made = told["data"]["predictions"]
    labels = [one["class"] for one in made]
    return Expected(list(IRIS), rows, labels, [list(one["probabilities"].values()) for one in made])


@pytest.fixture
def judged(server: Server) -> Callable[[Mapping[str, Any]], Any]:
    """Say that a prediction was right, by its id or key; return its verdict as it is kept."""

    def verdict_on(named: Mapping[str, Any]) -> Any:
        code, told = call(f"{server.url}/api/v1/feedback", {**named, "was_correct": True})
        assert code in (200, 201), told
        kept = f"{server.url}/api/v1/predictions/{told['data']['id']}"
        wait_for(lambda: call(kept, token=VIEWER)[0] == 200)
        return call(kept, token=VIEWER)[1]["data"]["feedback"]

    return verdict_on
