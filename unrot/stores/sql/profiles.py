"""Profiles of traffic, in SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from unrot.records import Profile
from unrot.stores.sql import names
from unrot.stores.sql.database import Database, Transaction

_PLAIN = "id, model, version, writer, starts_at, ends_at, row_count"
_SELECTED = _PLAIN.replace("model", names.name_in("o"))
_PUT = (
    f"INSERT INTO profiles ({_PLAIN}, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET row_count = excluded.row_count, data = excluded.data"
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
                tx.execute(_PUT, _columns(replace(profile, model=kept_as)))

        self._database.write(work)

    def get(self, id: str) -> Profile | None:
        """Return a profile with its data."""
        row = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {_SELECTED}, data FROM profiles o WHERE id = ?", (id,)
            ).fetchone()
        )
        return None if row is None else replace(Profile(*row[:7]), data=bytes(row[7]))

    def of_model(self, model: str, *, since: float = 0.0) -> list[Profile]:
        """List a model's profiles without their data, oldest first."""
        return self._listed("model = ?", lambda tx: names.kept_as(tx, model), since)

    def written_by(self, writer: str, since: float) -> list[Profile]:
        """List one writer's profiles of all models without their data, oldest first."""
        return self._listed("writer = ?", lambda _: writer, since)

    def _listed(
        self, condition: str, of: Callable[[Transaction], str], since: float
    ) -> list[Profile]:
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {_SELECTED} FROM profiles o WHERE {condition} AND starts_at >= ? "
                "ORDER BY starts_at, id",
                (of(tx), since),
            ).fetchall()
        )
        return [Profile(*row) for row in rows]


def _columns(profile: Profile) -> tuple[Any, ...]:
    return (
        profile.id,
        profile.model,
        profile.version,
        profile.writer,
        profile.starts_at,
        profile.ends_at,
        profile.rows,
        profile.data,
    )
