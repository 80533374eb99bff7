"""Findings that tests put into the store, as monitors would have found them."""

from __future__ import annotations

from dataclasses import replace

from unrot.core.records import Finding
from unrot.serve.service import Service

NOON = 1_700_049_600.0
AT = "2023-11-15T12:00:00.000+00:00"

DRIFT = Finding(
    "d1f7", "iris", "drift", "drift", "warning", NOON - 86_400, NOON, NOON,
    "sepal_width_cm has moved since 14 November, and verdicts hold.", "Look at how it is measured.",
    ("sepal_width_cm",),
    {
        "rows": 150,
        "since": NOON - 86_400,
        "missing_share": 0.25,
        "columns": [
            {"column": "sepal_width_cm", "distance": 0.41, "chance": 1.2e-9},
            {"column": "petal_width_cm", "distance": 0.05, "chance": 0.4},
        ],
    },
)  # fmt: skip
ROT = replace(
    DRIFT, id="a07e", cause="rot", kind="rot", gravity="grave", opened_at=NOON + 60, features=(),
    sentence="Verdicts have fallen.", evidence={"accuracy": 0.41, "verdicts": 50},
)  # fmt: skip


def past(number: int) -> Finding:
    """A finding that is over, `number` hours after noon."""
    at = NOON + 3_600 * number
    return replace(
        DRIFT, id=f"old{number:02}", opened_at=at, updated_at=at, closed_at=at + 600,
        sentence=f"It was off in hour {number}.",
    )  # fmt: skip


def put(service: Service, *found: Finding) -> None:
    for one in found:
        service.store.findings.put(one)
