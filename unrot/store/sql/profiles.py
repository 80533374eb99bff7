"""Profiles of traffic, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from unrot.core.records import CountedStretch, Profile, read_summary
from unrot.store.sql import names
from unrot.store.sql.database import Database, Transaction

_PLAIN = "id, model, version, writer, starts_at, ends_at, row_count, reference, summary"
SELECTED = _PLAIN.replace("model", names.name_in("o"))
_PUT = (
    f"INSERT INTO profiles ({_PLAIN}, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET row_count = excluded.row_count, data = excluded.data, "
    "reference = excluded.reference, summary = excluded.summary"
)


class SqlProfiles:
    """The profiles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, profile: Profile) -> None:
        """Keep a profile; one with the same id is replaced."""

        def work(tx: Transaction) -> None:
            kept_as = names.Writing(tx).kept_as(profile.model)
            if kept_as is not None:
                put(tx, kept_as, profile)

        self._database.write(work)

    def get(self, id: str) -> Profile | None:
        """Return a profile with its data."""
        row = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {SELECTED}, data FROM profiles o WHERE id = ?", (id,)
            ).fetchone()
        )
        return None if row is None else replace(profile_of(row), data=bytes(row[9]))

    def of_model(
        self, model: str, *, since: float = 0.0, until: float | None = None
    ) -> list[Profile]:
        """List a model's profiles that start in a stretch of time, without their data, oldest
        first."""
        return self._listed("model = ?", lambda tx: names.kept_as(tx, model), since, until)

    def stretches(self, model: str) -> list[CountedStretch]:
        """Count the rows of a model's profiles by stretch and reference, oldest first."""
        rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT version, starts_at, ends_at, reference, SUM(row_count) FROM profiles "
                "WHERE model = ? GROUP BY starts_at, ends_at, version, reference "
                "ORDER BY starts_at, ends_at, version, reference",
                (names.kept_as(tx, model),),
            ).fetchall()
        )
        return [CountedStretch(*row) for row in rows]

    def total(self, model: str) -> tuple[int, int]:
        """Count a model's profiles and their rows: neither stays when something is new."""
        count, rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT COUNT(*), COALESCE(SUM(row_count), 0) FROM profiles WHERE model = ?",
                (names.kept_as(tx, model),),
            ).fetchone()
        )
        return count, rows

    def written_by(self, writer: str, since: float) -> list[Profile]:
        """List one writer's profiles of all models without their data, oldest first."""
        return self._listed("writer = ?", lambda _: writer, since)

    def _listed(
        self,
        condition: str,
        of: Callable[[Transaction], str],
        since: float,
        until: float | None = None,
    ) -> list[Profile]:
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {SELECTED} FROM profiles o WHERE {condition} AND starts_at >= ? "
                "AND starts_at < ? ORDER BY starts_at, id",
                (of(tx), since, 1e18 if until is None else until),
            ).fetchall()
        )
        return [profile_of(row) for row in rows]


def put(tx: Transaction, kept_as: str, profile: Profile) -> None:
    """Keep a profile under the name that its model is kept as."""
    tx.execute(_PUT, _columns(replace(profile, model=kept_as)))


def _columns(profile: Profile) -> tuple[Any, ...]:
    return (
        profile.id,
        profile.model,
        profile.version,
        profile.writer,
        profile.starts_at,
        profile.ends_at,
        profile.rows,
        profile.reference,
        orjson.dumps(profile.summary).decode(),
        profile.data,
    )


def profile_of(row: Sequence[Any]) -> Profile:
    """Read a profile without its data from its columns."""
    summary = read_summary(orjson.loads(row[8]))
    return replace(Profile(*row[:7]), reference=row[7], summary=summary)
