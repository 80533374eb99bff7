"""Models, their immutable versions and the aliases that point at them, in SQL."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import orjson

from unrot.core import schema
from unrot.core.artefacts import ANCHOR, CALIBRATION, digest_of
from unrot.core.errors import BadArtefact, Conflict, NotFound, shown
from unrot.core.policy import Policy
from unrot.core.records import AliasMove, Anchor, Model, RemovedModel, Serving, Version
from unrot.store.sql import names
from unrot.store.sql.database import Database, Transaction

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
            number = names.next_number(tx)
            if number > MOST_MODELS:
                raise Conflict(f"{MOST_MODELS:,} models were added already: no number is free.")
            kept_as = names.new_kept_as(tx, model.name, number)
            names.take(tx, model.name, number)
            added = replace(model, number=number, kept_as=kept_as)
            tx.execute(_INSERT_MODEL, (*_model_columns(added), kept_as))
            count_change(tx)
            return added

        return self._database.write(work)

    def models(self) -> list[Model]:
        """List the models, the first trained first."""

        def work(tx: Transaction) -> list[Model]:
            former = names.former(tx)
            rows = tx.execute(f"{_MODELS} ORDER BY number").fetchall()
            return [_model(row, former.get(row[1], ())) for row in rows]

        return self._database.read(work)

    def rename_model(self, name: str, to: str) -> Model:
        """Write another name in the one row that holds it: there is no half of that."""

        def work(tx: Transaction) -> Model:
            if tx.execute(f"{_MODELS} WHERE name = ?", (to,)).fetchone() is not None:
                raise Conflict(f"There is a model {to} already: choose another name.")
            number, _ = _number_of(tx, name)
            tx.execute("UPDATE models SET name = ? WHERE number = ?", (to, number))
            names.take(tx, to, number)
            count_change(tx)
            row = tx.execute(f"{_MODELS} WHERE number = ?", (number,)).fetchone()
            return _model(row, names.former(tx).get(number, ()))

        return self._database.write(work)

    def describe_model(self, model: Model) -> Model:
        """Write other words into the one row that holds them."""

        def work(tx: Transaction) -> Model:
            number, _ = _number_of(tx, model.name)
            of_number = f"{_MODELS} WHERE number = ?"
            known = _model(tx.execute(of_number, (number,)).fetchone())
            if schema.schema_hash(known.schema) != schema.schema_hash(model.schema):
                raise Conflict(f"{model.name} is registered with other features or classes.")
            text = schema.to_json(model.schema)
            tx.execute(
                "UPDATE models SET title = ?, description = ?, schema = ? WHERE number = ?",
                (model.title, model.description, text, number),
            )
            count_change(tx)
            return _model(
                tx.execute(of_number, (number,)).fetchone(), names.former(tx).get(number, ())
            )

        return self._database.write(work)

    def remove_model(self, name: str) -> RemovedModel:
        """Take out the model and its aliases, and leave a mark that nothing is kept for it."""

        def work(tx: Transaction) -> RemovedModel:
            (number, kept_as), now = _number_of(tx, name), time.time()
            tx.execute("DELETE FROM aliases WHERE model = ?", (kept_as,))
            tx.execute("DELETE FROM models WHERE number = ?", (number,))
            tx.execute(
                "INSERT INTO removed (number, name, kept_as, removed_at, is_cleared) "
                "VALUES (?, ?, ?, ?, 0)",
                (number, name, kept_as, now),
            )
            count_change(tx)
            return RemovedModel(name, number, now, is_cleared=False)

        return self._database.write(work)

    def removed(self) -> list[RemovedModel]:
        """List the models that were removed on purpose."""
        rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT name, number, removed_at, is_cleared FROM removed ORDER BY number"
            ).fetchall()
        )
        return [RemovedModel(name, number, at, bool(done)) for name, number, at, done in rows]

    def add_version(self, version: Version, artefacts: Mapping[str, bytes]) -> Version:
        """Keep a version and its artefacts under the next free name; return it so named."""

        return self._database.write(lambda tx: add_version(tx, version, artefacts))

    def versions(self, model: str, *, kept_only: bool = False) -> list[Version]:
        """List a model's versions, oldest first; `kept_only` those whose files are kept."""
        kept = "AND is_pruned = 0 " if kept_only else ""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT {_SELECTED_OF_VERSION} FROM versions v WHERE model = ? {kept}"
                "ORDER BY number",
                (names.kept_as(tx, model),),
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
        if digest_of(data) != digest:
            raise BadArtefact(f"The artefact {digest[:12]} is not what was written: refused.")
        return data

    def aliases(self, model: str) -> dict[str, str]:
        """Return alias → version name."""
        rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT alias, version FROM aliases WHERE model = ?", (names.kept_as(tx, model),)
            ).fetchall()
        )
        return dict(rows)

    def move_alias(
        self,
        model: str,
        alias: str,
        *,
        to: str | None,
        expected: str | None,
        at: float | None = None,
        by: str = "",
        reason: str = "",
    ) -> bool:
        """Compare and set an alias, and keep the move on record."""
        move = AliasMove(alias, expected, to, time.time() if at is None else at, by, reason)
        return self._database.write(lambda tx: move_alias(tx, model, move))

    def moves(self, model: str) -> list[AliasMove]:
        """List all moves of a model's aliases, oldest first."""
        rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT alias, moved_from, moved_to, moved_at, moved_by, reason FROM alias_moves "
                "WHERE model = ? ORDER BY turn, moved_at",
                (names.kept_as(tx, model),),
            ).fetchall()
        )
        return [AliasMove(row[0], row[1] or None, row[2] or None, *row[3:]) for row in rows]

    def pin_version(self, model: str, version: str, *, is_pinned: bool) -> None:
        """Want a version's files to be kept, or no longer."""

        def work(tx: Transaction) -> None:
            tx.execute(
                "UPDATE versions SET is_pinned = ? WHERE model = ? AND name = ?",
                (int(is_pinned), _kept(tx, model), version),
            )
            count_change(tx)

        self._database.write(work)

    def policy(self, model: str) -> Policy:
        """Return what a model may do by itself."""
        row = self._database.read(
            lambda tx: tx.execute(
                "SELECT policy FROM models WHERE kept_as = ?", (names.kept_as(tx, model),)
            ).fetchone()
        )
        if row is None:
            raise NotFound(f"There is no model {shown(model)}.")
        return Policy(**json.loads(row[0]))

    def set_policy(self, model: str, policy: Policy) -> None:
        """Change what a model may do by itself."""
        self._database.write(
            lambda tx: tx.execute(
                "UPDATE models SET policy = ? WHERE kept_as = ?",
                (json.dumps(asdict(policy)), _kept(tx, model)),
            )
        )


def add_version(tx: Transaction, version: Version, artefacts: Mapping[str, bytes]) -> Version:
    """Keep a version and its artefacts under the next free name; return it so named."""
    kept_as = _kept(tx, version.model)
    last = tx.execute(
        "SELECT COALESCE(MAX(number), 0) FROM versions WHERE model = ?", (kept_as,)
    ).fetchone()[0]
    named = replace(version, name=f"v{last + 1}")
    tx.executemany(_INSERT_ARTEFACT, artefacts.items())
    columns = _version_columns(replace(named, model=kept_as))
    tx.execute(_INSERT_VERSION, (last + 1, *columns))
    count_change(tx)
    return named


def _check_kept(tx: Transaction, kept_as: str, version: str) -> None:
    row = tx.execute(
        "SELECT is_pruned FROM versions WHERE model = ? AND name = ?", (kept_as, version)
    ).fetchone()
    if row is not None and row[0]:
        raise Conflict(f"The files of {version} were let go by retention: it cannot answer.")


def set_anchor(tx: Transaction, kept_as: str, version: str, anchor: Anchor) -> None:
    """Let a version be measured by other rows from now on; it keeps them as an artefact."""
    row = tx.execute(
        "SELECT artefacts, metrics FROM versions WHERE model = ? AND name = ?", (kept_as, version)
    ).fetchone()
    artefacts = json.loads(row[0]) | ({ANCHOR: anchor.digest} if anchor.digest else {})
    metrics = anchor.measured(json.loads(row[1]))
    if anchor.data or anchor.metrics:
        artefacts.pop(CALIBRATION, None)  # it was known of the rows before
    if anchor.data:
        tx.execute(_INSERT_ARTEFACT, (anchor.digest, anchor.data))
    if anchor.calibration:
        digest = artefacts[CALIBRATION] = digest_of(anchor.calibration)
        tx.execute(_INSERT_ARTEFACT, (digest, anchor.calibration))
    told = (json.dumps(artefacts), json.dumps(metrics), anchor.digest, anchor.score, anchor.since)
    tx.execute(
        "UPDATE versions SET artefacts = ?, metrics = ?, anchor = ?, anchor_score = ?, "
        "anchor_since = ? WHERE model = ? AND name = ?",
        (*told, kept_as, version),
    )
    count_change(tx)


def move_alias(tx: Transaction, model: str, move: AliasMove) -> bool:
    """Move an alias from where it is expected, and keep the move on record."""
    kept_as = _kept(tx, model)
    found = tx.execute(
        "SELECT version FROM aliases WHERE model = ? AND alias = ?", (kept_as, move.alias)
    ).fetchone()
    if (found[0] if found else None) != move.moved_from:
        return False
    tx.execute("DELETE FROM aliases WHERE model = ? AND alias = ?", (kept_as, move.alias))
    if move.moved_to is not None:
        _check_kept(tx, kept_as, move.moved_to)
        tx.execute(
            "INSERT INTO aliases (model, alias, version) VALUES (?, ?, ?)",
            (kept_as, move.alias, move.moved_to),
        )
    tx.execute(
        "INSERT INTO alias_moves "
        "(model, alias, moved_from, moved_to, moved_at, moved_by, reason, turn) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT COALESCE(MAX(turn), 0) + 1 FROM alias_moves))",
        (
            kept_as,
            move.alias,
            move.moved_from,
            move.moved_to or "",
            move.moved_at,
            move.moved_by,
            move.reason,
        ),
    )
    count_change(tx)
    return True


_MODEL_COLUMNS = "name, number, title, description, schema, created_at, kept_as"
_MODELS = f"SELECT {_MODEL_COLUMNS} FROM models"
_INSERT_MODEL = f"INSERT INTO models ({_MODEL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
_VERSION_COLUMNS = (
    "model, name, parent, origin, estimator, created_at, metrics, artefacts, schema_hash, "
    "libraries, serving, made, anchor, anchor_score, anchor_since, is_pinned, is_pruned"
)
_SELECTED_OF_VERSION = _VERSION_COLUMNS.replace("model", names.name_in("v"), 1)
_INSERT_ARTEFACT = (
    "INSERT INTO artefacts (digest, data) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING"
)
_INSERT_VERSION = (
    f"INSERT INTO versions (number, {_VERSION_COLUMNS}) VALUES ({', '.join('?' * 18)})"
)


def count_change(tx: Transaction) -> None:
    """Let every shelf know that something is other than it was."""
    tx.execute(
        "UPDATE facts SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) "
        "WHERE name = 'generation'"
    )


def _number_of(tx: Transaction, name: str) -> tuple[int, str]:
    row = tx.execute("SELECT number, kept_as FROM models WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NotFound(f"There is no model {shown(name)}.")
    return int(row[0]), str(row[1])


def _kept(tx: Transaction, name: str) -> str:
    kept_as = names.Writing(tx).kept_as(name)
    if kept_as is None:
        raise Conflict(f"{name} was removed: nothing is kept for it any more.")
    return kept_as


def _model(row: Any, former_names: tuple[str, ...] = ()) -> Model:
    name, number, title, description, text, created_at, kept_as = row
    known = schema.from_json(text)
    return Model(name, number, title, description, known, created_at, kept_as, former_names)


def _model_columns(model: Model) -> tuple[Any, ...]:
    text = schema.to_json(model.schema)
    return model.name, model.number, model.title, model.description, text, model.created_at


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
        json.dumps(dict(version.made)),
        version.anchor,
        version.anchor_score,
        version.anchor_since,
        int(version.is_pinned),
        int(version.is_pruned),
    )


def _version(row: Any) -> Version:
    model, name, parent, origin, estimator, created_at, *rest = row
    metrics, artefacts, schema_hash, libraries, serving, made, *anchored, pinned, pruned = rest
    anchor, score, since = anchored
    return Version(
        model=model,
        name=name,
        parent=parent,
        origin=origin,
        estimator=estimator,
        created_at=created_at,
        metrics=orjson.loads(metrics),
        artefacts=orjson.loads(artefacts),
        schema_hash=schema_hash,
        libraries=orjson.loads(libraries),
        serving=Serving(**orjson.loads(serving)),
        made=orjson.loads(made),
        anchor=anchor,
        anchor_score=score,
        anchor_since=since,
        is_pinned=bool(pinned),
        is_pruned=bool(pruned),
    )
