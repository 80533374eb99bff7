"""The tables, as numbered steps that are applied once and in order, and never edited.

The text is SQL that any database takes; for `{blob}` its adapter puts its own word for bytes.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from unrot.store.sql.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema of the database."""

    number: int
    name: str
    statements: tuple[str, ...]


_FEEDBACK_COLUMNS = """
    model TEXT NOT NULL,
    predicted_at DOUBLE PRECISION NOT NULL,
    given_at DOUBLE PRECISION NOT NULL,
    was_correct INTEGER,
    label TEXT,
    value DOUBLE PRECISION,
    comment TEXT NOT NULL,
    judge TEXT,
    subject TEXT NOT NULL,
    withdrawn INTEGER NOT NULL
"""

MIGRATIONS = (
    Migration(
        1,
        "the loop",
        (
            "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
            """CREATE TABLE models (
                name TEXT PRIMARY KEY,
                number INTEGER NOT NULL UNIQUE,
                title TEXT NOT NULL,
                description TEXT NOT NULL,
                schema TEXT NOT NULL,
                created_at DOUBLE PRECISION NOT NULL)""",
            """CREATE TABLE versions (
                model TEXT NOT NULL,
                number INTEGER NOT NULL,
                name TEXT NOT NULL,
                parent TEXT,
                origin TEXT NOT NULL,
                estimator TEXT NOT NULL,
                created_at DOUBLE PRECISION NOT NULL,
                metrics TEXT NOT NULL,
                artefacts TEXT NOT NULL,
                schema_hash TEXT NOT NULL,
                libraries TEXT NOT NULL,
                serving TEXT NOT NULL,
                PRIMARY KEY (model, number))""",
            "CREATE TABLE artefacts (digest TEXT PRIMARY KEY, data {blob} NOT NULL)",
            """CREATE TABLE aliases (
                model TEXT NOT NULL,
                alias TEXT NOT NULL,
                version TEXT NOT NULL,
                PRIMARY KEY (model, alias))""",
            """CREATE TABLE alias_moves (
                model TEXT NOT NULL,
                alias TEXT NOT NULL,
                moved_from TEXT,
                moved_to TEXT NOT NULL,
                moved_at DOUBLE PRECISION NOT NULL)""",
            """CREATE TABLE predictions (
                id TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                predicted_at DOUBLE PRECISION NOT NULL,
                inputs TEXT NOT NULL,
                label TEXT,
                probabilities TEXT,
                value DOUBLE PRECISION,
                seconds DOUBLE PRECISION NOT NULL,
                writer TEXT NOT NULL)""",
            "CREATE INDEX predictions_recent ON predictions (model, predicted_at, id)",
            "CREATE INDEX predictions_written ON predictions (writer, predicted_at)",
            "CREATE TABLE feedback (prediction TEXT PRIMARY KEY,"
            + _FEEDBACK_COLUMNS
            + ", counted INTEGER NOT NULL)",
            "CREATE INDEX feedback_given ON feedback (model, given_at, was_correct)",
            "CREATE INDEX feedback_minute ON feedback (model, predicted_at)",
            "CREATE INDEX feedback_new ON feedback (predicted_at) WHERE counted = 0",
            "CREATE TABLE overruled (prediction TEXT PRIMARY KEY," + _FEEDBACK_COLUMNS + ")",
            """CREATE TABLE unverified (
                id TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                inputs TEXT NOT NULL,
                prediction TEXT NOT NULL,
                was_correct INTEGER NOT NULL,
                given_at DOUBLE PRECISION NOT NULL,
                subject TEXT NOT NULL)""",
            "CREATE INDEX unverified_given ON unverified (model, given_at)",
            """CREATE TABLE windows (
                model TEXT NOT NULL,
                minute INTEGER NOT NULL,
                version TEXT NOT NULL,
                writer TEXT NOT NULL,
                predictions INTEGER NOT NULL,
                verdicts INTEGER NOT NULL,
                judged INTEGER NOT NULL,
                correct INTEGER NOT NULL,
                PRIMARY KEY (model, minute, version, writer))""",
            """CREATE TABLE profiles (
                id TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                writer TEXT NOT NULL,
                starts_at DOUBLE PRECISION NOT NULL,
                ends_at DOUBLE PRECISION NOT NULL,
                row_count INTEGER NOT NULL,
                data {blob} NOT NULL)""",
            "CREATE INDEX profiles_of_model ON profiles (model, starts_at)",
            "CREATE INDEX profiles_written ON profiles (writer, starts_at)",
            """CREATE TABLE journals (
                segment TEXT PRIMARY KEY,
                shipped_to INTEGER NOT NULL)""",
        ),
    ),
    Migration(
        2,
        "rename and remove",
        (
            "ALTER TABLE models ADD COLUMN kept_as TEXT NOT NULL DEFAULT ''",
            "UPDATE models SET kept_as = name",
            "CREATE UNIQUE INDEX models_kept_as ON models (kept_as)",
            """CREATE TABLE names (
                name TEXT NOT NULL,
                number INTEGER NOT NULL,
                turn INTEGER NOT NULL,
                PRIMARY KEY (name, number))""",
            "INSERT INTO names (name, number, turn) SELECT name, number, number FROM models",
            """CREATE TABLE removed (
                number INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                kept_as TEXT NOT NULL,
                removed_at DOUBLE PRECISION NOT NULL,
                is_cleared INTEGER NOT NULL)""",
            "INSERT INTO facts VALUES ('highest_number', '0')",
            "CREATE INDEX overruled_of_model ON overruled (model)",
        ),
    ),
    Migration(
        3,
        "learning",
        (
            "ALTER TABLE models ADD COLUMN policy TEXT NOT NULL DEFAULT '{}'",
            "ALTER TABLE versions ADD COLUMN made TEXT NOT NULL DEFAULT '{}'",
            "ALTER TABLE versions ADD COLUMN anchor TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE versions ADD COLUMN anchor_score DOUBLE PRECISION",
            "ALTER TABLE versions ADD COLUMN anchor_since DOUBLE PRECISION NOT NULL DEFAULT 0",
            "ALTER TABLE versions ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE versions ADD COLUMN is_pruned INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE alias_moves ADD COLUMN moved_by TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE alias_moves ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE alias_moves ADD COLUMN turn INTEGER NOT NULL DEFAULT 0",
            """CREATE TABLE jobs (
                id TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                kind TEXT NOT NULL,
                asked TEXT NOT NULL,
                asked_by TEXT NOT NULL,
                state TEXT NOT NULL,
                progress DOUBLE PRECISION NOT NULL,
                step TEXT NOT NULL,
                result TEXT,
                error TEXT NOT NULL,
                reason TEXT NOT NULL,
                created_at DOUBLE PRECISION NOT NULL,
                started_at DOUBLE PRECISION,
                ended_at DOUBLE PRECISION,
                told_at DOUBLE PRECISION NOT NULL,
                holder TEXT NOT NULL,
                attempt INTEGER NOT NULL,
                is_cancelling INTEGER NOT NULL)""",
            "CREATE UNIQUE INDEX jobs_active ON jobs (model) WHERE state IN ('queued', 'running')",
            "CREATE INDEX jobs_of_model ON jobs (model, created_at)",
            """CREATE TABLE fates (
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                prediction TEXT NOT NULL,
                kind TEXT NOT NULL,
                reason TEXT NOT NULL,
                given_at DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (model, version, prediction))""",
            "CREATE INDEX fates_of_prediction ON fates (model, prediction)",
            """CREATE TABLE gates (
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                decided_at DOUBLE PRECISION NOT NULL,
                verdict TEXT NOT NULL,
                PRIMARY KEY (model, version, decided_at))""",
            """CREATE TABLE audits (
                id TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                created_at DOUBLE PRECISION NOT NULL,
                predictions TEXT NOT NULL)""",
            "CREATE INDEX audits_of_model ON audits (model, created_at)",
            """CREATE TABLE shadows (
                prediction TEXT NOT NULL,
                version TEXT NOT NULL,
                model TEXT NOT NULL,
                predicted_at DOUBLE PRECISION NOT NULL,
                label TEXT,
                value DOUBLE PRECISION,
                PRIMARY KEY (prediction, version))""",
            "CREATE INDEX shadows_of_version ON shadows (model, version, predicted_at)",
            "CREATE INDEX feedback_trusted ON feedback (model, predicted_at) "
            "WHERE judge IS NOT NULL",
            """CREATE TABLE leases (
                name TEXT PRIMARY KEY,
                holder TEXT NOT NULL,
                ends_at DOUBLE PRECISION NOT NULL)""",
        ),
    ),
    Migration(
        4,
        "watching",
        (
            "ALTER TABLE windows ADD COLUMN minutes INTEGER NOT NULL DEFAULT 1",
            "ALTER TABLE windows ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
            "ALTER TABLE predictions ADD COLUMN confidence DOUBLE PRECISION",
            "DROP INDEX feedback_given",
            "CREATE INDEX feedback_given ON feedback (model, given_at, predicted_at, prediction)",
            "ALTER TABLE profiles ADD COLUMN summary TEXT NOT NULL DEFAULT '{}'",
            "ALTER TABLE profiles ADD COLUMN reference TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX profiles_counted "
            "ON profiles (model, starts_at, ends_at, version, reference, row_count)",
            "ALTER TABLE models ADD COLUMN rules TEXT NOT NULL DEFAULT '{}'",
            """CREATE TABLE checks (
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                starts_at DOUBLE PRECISION NOT NULL,
                ends_at DOUBLE PRECISION NOT NULL,
                against TEXT NOT NULL,
                row_count INTEGER NOT NULL,
                rows_before INTEGER NOT NULL,
                drifts TEXT NOT NULL,
                reference TEXT NOT NULL,
                before_starts_at DOUBLE PRECISION,
                before_ends_at DOUBLE PRECISION,
                PRIMARY KEY (model, version, starts_at, ends_at, against))""",
            "CREATE INDEX checks_of_model ON checks (model, against, ends_at)",
            "CREATE INDEX checks_counted "
            "ON checks (model, against, starts_at, ends_at, version, reference, row_count, "
            "rows_before)",
            """CREATE TABLE oddities (
                prediction TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                predicted_at DOUBLE PRECISION NOT NULL,
                score DOUBLE PRECISION NOT NULL,
                reasons TEXT NOT NULL)""",
            "CREATE INDEX oddities_recent ON oddities (model, predicted_at, prediction)",
            """CREATE TABLE findings (
                id TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                cause TEXT NOT NULL,
                kind TEXT NOT NULL,
                gravity TEXT NOT NULL,
                since DOUBLE PRECISION NOT NULL,
                opened_at DOUBLE PRECISION NOT NULL,
                updated_at DOUBLE PRECISION NOT NULL,
                closed_at DOUBLE PRECISION,
                sentence TEXT NOT NULL,
                advice TEXT NOT NULL,
                features TEXT NOT NULL,
                evidence TEXT NOT NULL,
                acknowledged_at DOUBLE PRECISION,
                acknowledged_by TEXT NOT NULL,
                note TEXT NOT NULL)""",
            "CREATE INDEX findings_of_model ON findings (model, opened_at, id)",
            "CREATE INDEX findings_of_cause ON findings (model, cause, opened_at, id)",
            "CREATE UNIQUE INDEX findings_open ON findings (model, cause) WHERE closed_at IS NULL",
            """CREATE TABLE deliveries (
                finding TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                target TEXT NOT NULL,
                attempts INTEGER NOT NULL,
                next_at DOUBLE PRECISION,
                delivered_at DOUBLE PRECISION,
                error TEXT NOT NULL)""",
            """CREATE TABLE standpoints (
                model TEXT NOT NULL,
                monitor TEXT NOT NULL,
                note TEXT NOT NULL,
                PRIMARY KEY (model, monitor))""",
            """CREATE TABLE tidied (
                model TEXT NOT NULL,
                what TEXT NOT NULL,
                at DOUBLE PRECISION NOT NULL,
                dropped INTEGER NOT NULL,
                kept_since DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (model, what))""",
        ),
    ),
    Migration(
        5,
        "verdicts of a version",
        (
            "ALTER TABLE feedback ADD COLUMN version TEXT",
            "UPDATE feedback SET version = (SELECT p.version FROM predictions p "
            "WHERE p.id = feedback.prediction) WHERE counted = 1",
            "CREATE INDEX feedback_of_version "
            "ON feedback (model, version, given_at, predicted_at, prediction)",
        ),
    ),
)


def apply(database: Database) -> None:
    """Bring the database to the newest step; two processes may do this at the same moment."""

    def work(tx: Transaction) -> None:
        tx.execute(
            "CREATE TABLE IF NOT EXISTS migrations "
            "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at DOUBLE PRECISION NOT NULL)"
        )
        applied = {row[0] for row in tx.execute("SELECT number FROM migrations").fetchall()}
        for migration in MIGRATIONS:
            if migration.number not in applied:
                _apply_one(tx, migration, database.words)

    database.write(work)


def _apply_one(tx: Transaction, migration: Migration, words: dict[str, str]) -> None:
    for statement in migration.statements:
        tx.execute(statement.replace("{blob}", words["blob"]))
    if migration.number == 1:
        tx.execute("INSERT INTO facts VALUES ('store', ?)", (secrets.token_hex(8),))
        tx.execute("INSERT INTO facts VALUES ('generation', '0')")
    tx.execute(
        "INSERT INTO migrations VALUES (?, ?, ?)",
        (migration.number, migration.name, time.time()),
    )
