"""Closed periods of traffic beside what they are compared with, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from unrot.core.records import Against, Check, Drift
from unrot.store.sql import names
from unrot.store.sql.database import Database, Transaction

_PLAIN = (
    "model, version, starts_at, ends_at, against, row_count, rows_before, drifts, reference, "
    "before_starts_at, before_ends_at"
)
_SELECTED = f"SELECT {_PLAIN.replace('model', names.name_in('c'), 1)} FROM checks c"
_CHANGING = "row_count, rows_before, drifts, reference, before_starts_at, before_ends_at"
_PUT = (
    f"INSERT INTO checks ({_PLAIN}) VALUES ({', '.join('?' * 11)}) "
    "ON CONFLICT (model, version, starts_at, ends_at, against) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING.split(", "))
)


class SqlChecks:
    """The checks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, checks: Sequence[Check]) -> None:
        """Keep checks; one of the same version, period and comparison is replaced."""

        def work(tx: Transaction) -> None:
            writing = names.Writing(tx)
            for check in checks:
                kept_as = writing.kept_as(check.model)
                if kept_as is not None:
                    tx.execute(_PUT, _columns(kept_as, check))

        if checks:
            self._database.write(work)

    def of_model(self, model: str, *, against: Against, since: float, until: float) -> list[Check]:
        """List the checks of the periods that end in a stretch of time, oldest first."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"{_SELECTED} WHERE model = ? AND against = ? AND ends_at > ? AND ends_at <= ? "
                "ORDER BY ends_at, starts_at, version",
                (names.kept_as(tx, model), against, since, until),
            ).fetchall()
        )
        return [_check(row) for row in rows]

    def counts(self, model: str, against: Against) -> list[Check]:
        """List all checks without their columns, oldest first."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {names.name_in('c')}, version, starts_at, ends_at, against, row_count, "
                "rows_before, reference FROM checks c WHERE model = ? AND against = ? "
                "ORDER BY starts_at, ends_at, version",
                (names.kept_as(tx, model), against),
            ).fetchall()
        )
        return [Check(*[*row[:7], (), row[7]]) for row in rows]

    def last(self, model: str, against: Against) -> Check | None:
        """Return the check of the newest period."""
        row = self._database.read(
            lambda tx: tx.execute(
                f"{_SELECTED} WHERE model = ? AND against = ? "
                "ORDER BY ends_at DESC, starts_at DESC, version DESC LIMIT 1",
                (names.kept_as(tx, model), against),
            ).fetchone()
        )
        return None if row is None else _check(row)


def _columns(kept_as: str, check: Check) -> tuple[Any, ...]:
    return (
        kept_as,
        check.version,
        check.starts_at,
        check.ends_at,
        check.against,
        check.rows,
        check.rows_before,
        orjson.dumps(list(check.drifts)).decode(),
        check.reference,
        check.before_starts_at,
        check.before_ends_at,
    )


def _check(row: Sequence[Any]) -> Check:
    drifts = tuple(Drift(**one) for one in orjson.loads(row[7]))
    return Check(*[*row[:7], drifts, *row[8:]])
