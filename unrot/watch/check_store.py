"""Closed periods of traffic beside what they are compared with, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unrot.core.records import Against, Check, Drift
from unrot.store.kinds import CHECK
from unrot.store.names import Names
from unrot.store.operations import MOST_CHANGES, Document, Operations, Put, scan_all

_COUNTS = ("model", "against", "version", "starts at", "rows", "rows before", "reference")


class CheckStore:
    """The checks."""

    def __init__(self, database: Operations, names: Names) -> None:
        self._database = database
        self._names = names

    def put(self, checks: Sequence[Check]) -> None:
        """Keep checks; one of the same version, period and comparison is replaced."""
        models = self._names.now()
        kept = [(models.key_for(check.model), check) for check in checks]
        puts = [_put(key, check) for key, check in kept if key is not None]
        for start in range(0, len(puts), MOST_CHANGES // 4):
            self._database.commit(puts[start : start + MOST_CHANGES // 4])

    def of_model(self, model: str, *, against: Against, since: float, until: float) -> list[Check]:
        """List the checks of the periods that end in a stretch of time, oldest first."""
        found = self._all(model, against, since=since)
        checks = [_check(one, model) for one in found if since < one["ends at"] <= until]
        return sorted(checks, key=lambda one: (one.ends_at, one.starts_at, one.version))

    def counts(self, model: str, against: Against) -> list[Check]:
        """List all checks without their columns, oldest first."""
        checks = [_check(one, model) for one in self._all(model, against, only=_COUNTS)]
        return sorted(checks, key=lambda one: (one.starts_at, one.ends_at, one.version))

    def last(self, model: str, against: Against) -> Check | None:
        """Return the check of the newest period."""
        key = self._names.key_of(model)
        found = self._database.scan(CHECK, "against", (key, against), newest_first=True, limit=20)
        newest = [_check(one, model) for one in found if one["ends at"] == found[0]["ends at"]]
        return max(newest, key=lambda one: (one.starts_at, one.version), default=None)

    def _all(self, model: str, against: Against, **asked: Any) -> list[Document]:
        equal = (self._names.key_of(model), against)
        return list(scan_all(self._database, CHECK, "against", equal, **asked))


def _put(key: str, check: Check) -> Put:
    where = f"{key}/{check.version}/{check.starts_at!r}/{check.ends_at!r}/{check.against}"
    fields = {
        "model": key,
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
    return Put(CHECK, where, fields)


def _check(document: Document, model: str) -> Check:
    return Check(
        model,
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
