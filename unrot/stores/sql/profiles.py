"""Profiles of traffic, in SQL."""

from __future__ import annotations

from dataclasses import replace

from unrot.records import Profile
from unrot.stores.sql.database import Database

_PLAIN = "id, model, version, writer, starts_at, ends_at, row_count"


class SqlProfiles:
    """The profiles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, profile: Profile) -> None:
        """Keep a profile; one with the same id is replaced."""
        columns = (
            profile.id,
            profile.model,
            profile.version,
            profile.writer,
            profile.starts_at,
            profile.ends_at,
            profile.rows,
            profile.data,
        )
        self._database.write(
            lambda tx: tx.execute(
                f"INSERT INTO profiles ({_PLAIN}, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET row_count = excluded.row_count, "
                "data = excluded.data",
                columns,
            )
        )

    def get(self, id: str) -> Profile | None:
        """Return a profile with its data."""
        row = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {_PLAIN}, data FROM profiles WHERE id = ?", (id,)
            ).fetchone()
        )
        return None if row is None else replace(Profile(*row[:7]), data=bytes(row[7]))

    def of_model(self, model: str, *, since: float = 0.0) -> list[Profile]:
        """List a model's profiles without their data, oldest first."""
        return self._listed("model = ?", model, since)

    def written_by(self, writer: str, since: float) -> list[Profile]:
        """List one writer's profiles of all models without their data, oldest first."""
        return self._listed("writer = ?", writer, since)

    def _listed(self, condition: str, of: str, since: float) -> list[Profile]:
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {_PLAIN} FROM profiles WHERE {condition} AND starts_at >= ? "
                "ORDER BY starts_at, id",
                (of, since),
            ).fetchall()
        )
        return [Profile(*row) for row in rows]
