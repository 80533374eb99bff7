"""Models, their immutable versions and the aliases that point at them, in SQL."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from unrot import schema
from unrot.errors import BadArtefact, Conflict, NotFound
from unrot.records import Model, Serving, Version
from unrot.stores.sql.database import Database, Transaction

MOST_MODELS = 65_535


class SqlRegistry:
    """The registry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def generation(self) -> str:
        """Return a word that changes with every change: this store's own name, and a number."""
        rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT value FROM facts WHERE name IN ('store', 'generation') ORDER BY name DESC"
            ).fetchall()
        )
        return "-".join(row[0] for row in rows)

    def add_model(self, model: Model) -> Model:
        """Add a model under the next free number; one of that name that is there wins."""

        def work(tx: Transaction) -> Model:
            found = tx.execute(f"{_MODELS} WHERE name = ?", (model.name,)).fetchone()
            if found is not None:
                return _model(found)
            highest = tx.execute("SELECT COALESCE(MAX(number), 0) FROM models").fetchone()[0]
            if highest >= MOST_MODELS:
                raise Conflict(f"There are {MOST_MODELS:,} models already, and no number is free.")
            added = replace(model, number=highest + 1)
            text = schema.to_json(added.schema)
            tx.execute(
                "INSERT INTO models (name, number, title, description, schema, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    added.name,
                    added.number,
                    added.title,
                    added.description,
                    text,
                    added.created_at,
                ),
            )
            _count_change(tx)
            return added

        return self._database.write(work)

    def models(self) -> list[Model]:
        """List the models, the first trained first."""
        rows = self._database.read(lambda tx: tx.execute(f"{_MODELS} ORDER BY number").fetchall())
        return [_model(row) for row in rows]

    def add_version(self, version: Version, artefacts: Mapping[str, bytes]) -> Version:
        """Keep a version and its artefacts under the next free name; return it so named."""

        def work(tx: Transaction) -> Version:
            last = tx.execute(
                "SELECT COALESCE(MAX(number), 0) FROM versions WHERE model = ?", (version.model,)
            ).fetchone()[0]
            named = replace(version, name=f"v{last + 1}")
            for digest, data in artefacts.items():
                tx.execute(
                    "INSERT INTO artefacts (digest, data) VALUES (?, ?) "
                    "ON CONFLICT (digest) DO NOTHING",
                    (digest, data),
                )
            tx.execute(_INSERT_VERSION, (last + 1, *_version_columns(named)))
            _count_change(tx)
            return named

        return self._database.write(work)

    def versions(self, model: str) -> list[Version]:
        """List a model's versions, oldest first."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {_VERSION_COLUMNS} FROM versions WHERE model = ? ORDER BY number",
                (model,),
            ).fetchall()
        )
        return [_version(row) for row in rows]

    def artefact(self, digest: str) -> bytes:
        """Return an artefact whose bytes still have their digest."""
        row = self._database.read(
            lambda tx: tx.execute(
                "SELECT data FROM artefacts WHERE digest = ?", (digest,)
            ).fetchone()
        )
        if row is None:
            raise NotFound(f"The store has no artefact {digest[:12]}.")
        data = bytes(row[0])
        if hashlib.sha256(data).hexdigest() != digest:
            raise BadArtefact(f"The artefact {digest[:12]} is not what was written: refused.")
        return data

    def aliases(self, model: str) -> dict[str, str]:
        """Return alias → version name."""
        rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT alias, version FROM aliases WHERE model = ?", (model,)
            ).fetchall()
        )
        return dict(rows)

    def move_alias(self, model: str, alias: str, *, to: str, expected: str | None) -> bool:
        """Compare and set an alias, and keep the move on record."""

        def work(tx: Transaction) -> bool:
            found = tx.execute(
                "SELECT version FROM aliases WHERE model = ? AND alias = ?", (model, alias)
            ).fetchone()
            if (found[0] if found else None) != expected:
                return False
            tx.execute(
                "INSERT INTO aliases (model, alias, version) VALUES (?, ?, ?) "
                "ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version",
                (model, alias, to),
            )
            tx.execute(
                "INSERT INTO alias_moves (model, alias, moved_from, moved_to, moved_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (model, alias, expected, to, time.time()),
            )
            _count_change(tx)
            return True

        return self._database.write(work)


_MODELS = "SELECT name, number, title, description, schema, created_at FROM models"
_VERSION_COLUMNS = (
    "model, name, parent, origin, estimator, created_at, metrics, artefacts, schema_hash, "
    "libraries, serving"
)
_INSERT_VERSION = (
    f"INSERT INTO versions (number, {_VERSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _count_change(tx: Transaction) -> None:
    tx.execute(
        "UPDATE facts SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) "
        "WHERE name = 'generation'"
    )


def _model(row: Any) -> Model:
    name, number, title, description, text, created_at = row
    return Model(name, number, title, description, schema.from_json(text), created_at)


def _version_columns(version: Version) -> tuple[Any, ...]:
    return (
        version.model,
        version.name,
        version.parent,
        version.origin,
        version.estimator,
        version.created_at,
        json.dumps(dict(version.metrics)),
        json.dumps(dict(version.artefacts)),
        version.schema_hash,
        json.dumps(dict(version.libraries)),
        json.dumps(asdict(version.serving)),
    )


def _version(row: Any) -> Version:
    model, name, parent, origin, estimator, created_at, *rest = row
    metrics, artefacts, schema_hash, libraries, serving = rest
    return Version(
        model=model,
        name=name,
        parent=parent,
        origin=origin,
        estimator=estimator,
        created_at=created_at,
        metrics=json.loads(metrics),
        artefacts=json.loads(artefacts),
        schema_hash=schema_hash,
        libraries=json.loads(libraries),
        serving=Serving(**json.loads(serving)),
    )
