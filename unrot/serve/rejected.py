"""Rows that are refused at the door, counted by reason on their way into the journal.

The predict path pays for it only when it refuses. Counts are gathered and written at most once a
second, so that a flood of nonsense fills no journal; a worker that is killed loses the last second
of them and nothing else. The reasons are ours and few, and the features those of the schema:
nothing that a client chose is kept. A request with one wrong row is refused as a whole, so the rows
beside it are counted too.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from unrot.core.errors import Detail
from unrot.core.records import Model, ModelKey, Rejection, Schema
from unrot.core.schema import is_number
from unrot.serve import events
from unrot.serve.journal import Journal

WRITE_SECONDS = 1.0
MISSING = "missing"
NULL = "null"
UNKNOWN_FEATURE = "unknown_feature"
WRONG_TYPE = "wrong_type"
NOT_FINITE = "not_finite"
TOO_FAR = "too_far"
NOT_A_ROW = "not_a_row"


class Refusals:
    """Gathers what one process refuses; safe for its threads."""

    def __init__(self, journal: Journal, *, seconds: float = WRITE_SECONDS) -> None:
        self._journal = journal
        self._seconds = seconds
        self._lock = threading.Lock()
        self._gathered: dict[tuple[ModelKey, str], Rejection] = {}

    def add(self, rejections: Iterable[Rejection]) -> None:
        """Take what was refused, to be written within a second."""
        with self._lock:
            is_first = not self._gathered
            for one in rejections:
                before = self._gathered.get((one.model, one.version))
                together = one if before is None else _together(before, one)
                self._gathered[one.model, one.version] = together
            is_first = is_first and bool(self._gathered)
        if is_first:
            timer = threading.Timer(self._seconds, self.write)
            timer.daemon = True
            timer.start()

    def write(self) -> None:
        """Write what was gathered; what a full journal does not take is let go."""
        with self._lock:
            gathered, self._gathered = self._gathered, {}
        if gathered:
            self._journal.append(events.to_lines(gathered.values()), count=0)


def rejection_of(
    model: Model, version: str, details: Sequence[Detail], at: float, *, sent: int = 1
) -> Rejection:
    """Count the rows of one request that were wrong, each by the first thing wrong with it.

    At least one was; so many were sent.
    """
    first: dict[int | None, Detail] = {}
    for detail in details:
        first.setdefault(detail.row, detail)
    features: defaultdict[str, Counter[str]] = defaultdict(Counter)
    reasons = Counter[str]()
    for detail in first.values():
        reason = reason_of(model.schema, detail)
        reasons[reason] += 1
        if detail.field in model.schema.names:
            features[detail.field][reason] += 1
    return Rejection(
        model.key,
        version,
        at,
        dict(reasons) or {NOT_A_ROW: 1},
        features={name: dict(counts) for name, counts in features.items()},
        requests=1,
        beside=max(0, sent - max(1, len(first))),
    )


def _together(one: Rejection, other: Rejection) -> Rejection:
    return replace(
        one,
        reasons=_sum(one.reasons, other.reasons),
        features={
            name: _sum(one.features.get(name, {}), other.features.get(name, {}))
            for name in {**one.features, **other.features}
        },
        requests=one.requests + other.requests,
        beside=one.beside + other.beside,
    )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))


def reason_of(schema: Schema, detail: Detail) -> str:
    """Say in one word why a cell is not taken.

    >>> from unrot.core.records import Feature
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
    if kinds[detail.field] not in ("number", "integer") or not is_number(detail.value):
        return WRONG_TYPE
    return _reason_of_number(detail.value)


def _reason_of_number(value: float) -> str:
    return TOO_FAR if isinstance(value, int) or math.isfinite(value) else NOT_FINITE
