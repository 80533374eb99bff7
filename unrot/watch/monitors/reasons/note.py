"""What the champion leaned on day by day, as it is noted between two looks, and read by others.

>>> Day(0.0, 90, {"height": 0.25, "light": 0.75}).moved_from({"height": 0.75, "light": 0.25})
0.5
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unrot.core.ports import Findings
from unrot.core.records import ModelKey
from unrot.watch.notes import read_note

MONITOR = "reasons"


@dataclass(slots=True)
class Day:
    """What the champion leaned on in one day."""

    starts_at: float
    rows: int
    shares: dict[str, float]

    def moved_from(self, leans_on: Mapping[str, float]) -> float:
        """Return which share of all that moves answers is of other features than in training."""
        names = {*self.shares, *leans_on}
        apart = [self.shares.get(one, 0.0) - leans_on.get(one, 0.0) for one in names]
        return sum(map(abs, apart)) / 2


@dataclass(slots=True)
class Note:
    """Where this monitor stands."""

    version: str = ""
    to: float = 0.0
    looks: int = 0
    is_open: bool = False
    since: float = 0.0
    days: list[Day] = field(default_factory=list)


def read_days(findings: Findings, model: ModelKey, version: str) -> list[Day]:
    """Return what a version leaned on, day by day."""
    note = read_note(Note, findings.standpoint(model, MONITOR))
    return note.days if note.version == version else []
