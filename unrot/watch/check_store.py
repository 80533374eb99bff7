"""Closed periods of traffic beside what they are compared with, as documents.

The key of a check ends with its period, then its version, so that the order of an index is the
order of time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from unrot.core.records import Against, Check, Drift, ModelKey
from unrot.store.kinds import CHECK
from unrot.store.names import Models
from unrot.store.operations import MOST_BYTES, Document, Operations, Put, scan_all, weight_of

AT_ONCE = 100
_COUNTS = ("model", "version", "rows", "rows before", "reference", "starts at", "against")


class CheckStore:
    """The checks."""

    def __init__(self, database: Operations, models: Models) -> None:
        self._database = database
        self._models = models

    def put(self, checks: Sequence[Check]) -> None:
        """Keep checks; one of the same version, period and comparison is replaced."""
        removed = self._models.removed(check.model for check in checks)
        puts = {put.key: put for put in map(_put, checks) if put.fields["model"] not in removed}
        for part in _in_parts(puts.values()):
            self._database.commit(part)

    def of_model(
        self, model: ModelKey, *, against: Against, since: float, until: float
    ) -> list[Check]:
        """List the checks of the periods that end in a stretch of time, oldest first."""
        # They end after `since` and no later than `until`: a scan has it the other way round.
        first, last = (math.nextafter(time, math.inf) for time in (since, until))
        return self._all(model, against, since=first, until=last)

    def counts(self, model: ModelKey, against: Against) -> list[Check]:
        """List all checks without their columns, oldest first."""
        found = self._all(model, against, only=_COUNTS)
        return sorted(found, key=lambda one: (one.starts_at, one.ends_at, one.version))

    def last(self, model: ModelKey, against: Against) -> Check | None:
        """Return the check of the newest period."""
        found = self._database.scan(CHECK, "against", (model, against), newest_first=True, limit=1)
        return _check(found[0]) if found else None

    def _all(self, model: ModelKey, against: Against, **asked: Any) -> list[Check]:
        found = scan_all(self._database, CHECK, "against", (model, against), **asked)
        return [_check(one) for one in found]


def _in_parts(puts: Iterable[Put]) -> Iterator[list[Put]]:
    """Cut changes into what a commit takes: wide models have heavy checks."""
    part: list[Put] = []
    weight = 0
    for put in puts:
        if part and (len(part) == AT_ONCE or weight + weight_of(put) > MOST_BYTES):
            yield part
            part, weight = [], 0
        part.append(put)
        weight += weight_of(put)
    if part:
        yield part


def _put(check: Check) -> Put:
    period = f"{check.ends_at:020.7f}/{check.starts_at:020.7f}"
    fields = {
        "model": check.model,
        "against": check.against,
        "version": check.version,
        "starts at": check.starts_at,
        "ends at": check.ends_at,
        "rows": check.rows,
        "rows before": check.rows_before,
        "reference": check.reference,
        "before": [check.before_starts_at, check.before_ends_at],
        "drifts": list(check.drifts),
    }
    return Put(CHECK, f"{check.model}/{check.against}/{period}/{check.version}", fields)


def _check(document: Document) -> Check:
    """Read a check; what was not asked for is not in it."""
    return Check(
        document["model"],
        document["version"],
        document["starts at"],
        document["ends at"],
        document["against"],
        document["rows"],
        document["rows before"],
        tuple(Drift(**one) for one in document["drifts"] or ()),
        document["reference"],
        *(document["before"] or (None, None)),
    )
