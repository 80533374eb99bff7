"""What the tests of protocols ask: irises, what our own API says of them, verdicts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient

from unrot.run.caretaker import Caretaker
from unrot.serve.service import Service
from unrot.web.api.predictions import IRIS

NAMES = list(IRIS)


def irises(count: int = 500) -> list[list[float]]:
    """Rows all over what irises are like."""
    chance = random.Random(17)
    reach = ((4, 8), (2, 4.5), (1, 7), (0.1, 2.5))
    return [[round(chance.uniform(*each), 2) for each in reach] for _ in range(count)]


def named(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Write rows by name."""
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


def own_labels(client: FlaskClient, rows: Sequence[Sequence[Any]]) -> list[str]:
    """What our own API answers to the same rows."""
    told = client.post("/api/v1/models/iris/predict", json={"inputs": named(rows)}).json
    return [one["class"] for one in told["data"]["predictions"]]  # type: ignore[index]


@pytest.fixture
def judged(client: FlaskClient, kept: Service) -> Callable[..., Any]:
    """Say that a prediction is right, by its id or a key; return what is kept of that verdict."""

    def verdict_on(**which: str) -> Any:
        Caretaker(kept, "tests").go_round()
        told = client.post("/api/v1/feedback", json={**which, "was_correct": True})
        assert told.status_code == 201, told.text
        Caretaker(kept, "tests").go_round()
        found = kept.store.traffic.prediction(told.json["data"]["id"])  # type: ignore[index]
        assert found is not None
        return found

    return verdict_on
