"""Rows that are refused at the door, counted by reason on their way into the journal.

The predict path pays for it only when it refuses. Counts are gathered and written at most once a
second, so that a flood of nonsense fills no journal; a worker that is killed loses the last second
of them and nothing else. The reasons are ours and few: nothing that a client chose is kept.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from typing import Any

from unrot import events
from unrot.errors import Detail, Invalid
from unrot.journal import Journal
from unrot.records import Schema
from unrot.symptoms import Rejection

WRITE_SECONDS = 1.0
MISSING = "missing"
NULL = "null"
UNKNOWN_FEATURE = "unknown_feature"
WRONG_TYPE = "wrong_type"
NOT_FINITE = "not_finite"
TOO_FAR = "too_far"
NOT_A_ROW = "not_a_row"
REASONS = (MISSING, NULL, UNKNOWN_FEATURE, WRONG_TYPE, NOT_FINITE, TOO_FAR, NOT_A_ROW)


class Refusals:
    """Gathers what one process refuses; safe for its threads."""

    def __init__(self, journal: Journal, *, seconds: float = WRITE_SECONDS) -> None:
        self._journal = journal
        self._seconds = seconds
        self._lock = threading.Lock()
        self._gathered: dict[tuple[str, str], tuple[float, Counter[str]]] = {}

    def add(self, model: str, version: str, schema: Schema, error: Invalid, at: float) -> None:
        """Count the rows of a request that were wrong, each by the first thing wrong with it."""
        reasons = reasons_of(schema, error)
        with self._lock:
            is_first = not self._gathered
            counts = self._gathered.setdefault((model, version), (at, Counter()))[1]
            counts.update(reasons)
        if is_first:
            timer = threading.Timer(self._seconds, self.write)
            timer.daemon = True
            timer.start()

    def write(self) -> None:
        """Write what was gathered; what a full journal does not take is let go."""
        with self._lock:
            gathered, self._gathered = self._gathered, {}
        rejections = [
            Rejection(model, version, at, dict(counts))
            for (model, version), (at, counts) in gathered.items()
        ]
        if rejections:
            self._journal.append(events.to_lines(rejections), count=0)


def reasons_of(schema: Schema, error: Invalid) -> Counter[str]:
    """Count the rows that an error names by what is wrong with them; at least one is."""
    by_row: dict[int | None, str] = {}
    for detail in error.details:
        by_row.setdefault(detail.row, reason_of(schema, detail))
    return Counter(by_row.values()) or Counter([NOT_A_ROW])


def reason_of(schema: Schema, detail: Detail) -> str:
    """Say in one word why a cell is not taken.

    >>> from unrot.records import Feature
    >>> schema = Schema((Feature("height", "number"),), "kind")
    >>> [reason_of(schema, Detail("height", value, "")) for value in (None, "tall", 1e999, 1e300)]
    ['null', 'wrong_type', 'not_finite', 'too_far']
    """
    kinds = {feature.name: feature.kind for feature in schema.features}
    if detail.is_missing:
        return MISSING
    if detail.field not in kinds:
        return NOT_A_ROW if detail.field in ("inputs", "instances") else UNKNOWN_FEATURE
    if detail.value is None:
        return NULL
    if kinds[detail.field] not in ("number", "integer") or not _is_number(detail.value):
        return WRONG_TYPE
    return _reason_of_number(detail.value)


def _reason_of_number(value: float) -> str:
    return TOO_FAR if isinstance(value, int) or math.isfinite(value) else NOT_FINITE


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
