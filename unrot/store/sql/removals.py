"""Take the rows of a removed model out of every table, some at a time.

Deleting millions of rows in one transaction would hold every writer up for minutes. The order
matters: verdicts are counted into windows as long as there are verdicts, so windows go after
them; the versions go last, each with the artefacts that no other version needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from unrot.core.records import Holdings
from unrot.store.sql.database import Transaction

ROWS = (
    ("predictions", "id", 1),
    ("feedback", "prediction", 1),
    ("overruled", "prediction", 1),
    ("unverified", "id", 1),
    ("windows", "model, minute, version, writer", 1),
    ("profiles", "id", 50),
    ("fates", "model, version, prediction", 1),
    ("shadows", "prediction, version", 1),
    ("audits", "id", 1),
    ("gates", "model, version, decided_at", 1),
    ("jobs", "id", 1),
    ("checks", "model, version, starts_at, ends_at, against", 1),
    ("oddities", "prediction", 1),
    ("deliveries", "finding", 1),
    ("findings", "id", 1),
    ("standpoints", "model, monitor", 1),
    ("tidied", "model, what", 1),
)
"""Tables with their keys, and for how many rows of a prediction one of theirs counts."""

OTHER_TABLES = ("aliases", "alias_moves", "versions")


def holdings(tx: Transaction, number: int) -> Holdings:
    """Count what is kept of a model, or still kept of a removed one."""
    kept_as = _kept_as(tx, number)

    def count(*tables: str) -> int:
        return sum(
            tx.execute(f"SELECT COUNT(*) FROM {table} WHERE model = ?", (kept_as,)).fetchone()[0]
            for table in tables
        )

    return Holdings(
        versions=count("versions"),
        predictions=count("predictions"),
        verdicts=count("feedback", "overruled", "unverified"),
        profiles=count("profiles"),
        windows=count("windows"),
    )


def clear(tx: Transaction, number: int, most: int) -> int:
    """Delete at most so many rows of a removed model; note it and return 0 when none is left."""
    removed = tx.execute("SELECT kept_as FROM removed WHERE number = ?", (number,)).fetchone()
    if removed is None:
        return 0
    for table, key, weight in ROWS:
        if deleted := _delete_some(tx, table, key, removed[0], max(1, most // weight)):
            return deleted
    if _delete_version(tx, removed[0]):
        return 1
    tx.execute("DELETE FROM alias_moves WHERE model = ?", (removed[0],))
    tx.execute("UPDATE removed SET is_cleared = 1 WHERE number = ?", (number,))
    return 0


def _kept_as(tx: Transaction, number: int) -> str:
    row = tx.execute(
        "SELECT kept_as FROM models WHERE number = ? "
        "UNION ALL SELECT kept_as FROM removed WHERE number = ?",
        (number, number),
    ).fetchone()
    return str(row[0]) if row else ""


def _delete_some(tx: Transaction, table: str, key: str, kept_as: str, most: int) -> int:
    chosen = f"SELECT {key} FROM {table} WHERE model = ? LIMIT ?"
    found = tx.execute(f"SELECT COUNT(*) FROM ({chosen}) AS chosen", (kept_as, most)).fetchone()[0]
    if found:
        tx.execute(f"DELETE FROM {table} WHERE ({key}) IN ({chosen})", (kept_as, most))
    return int(found)


def _delete_version(tx: Transaction, kept_as: str) -> bool:
    row = tx.execute(
        "SELECT number, artefacts FROM versions WHERE model = ? LIMIT 1", (kept_as,)
    ).fetchone()
    if row is None:
        return False
    tx.execute("DELETE FROM versions WHERE model = ? AND number = ?", (kept_as, row[0]))
    drop_artefacts(tx, set(json.loads(row[1]).values()))
    return True


def drop_artefacts(tx: Transaction, digests: Iterable[str]) -> None:
    """Delete artefacts that no version needs any more."""
    for digest in digests:
        if not _is_needed(tx, digest):
            tx.execute("DELETE FROM artefacts WHERE digest = ?", (digest,))


def _is_needed(tx: Transaction, digest: str) -> bool:
    mentions = f"%{digest}%"
    return (
        tx.execute(
            "SELECT 1 FROM versions WHERE is_pruned = 0 "
            "AND (artefacts LIKE ? OR serving LIKE ? OR anchor = ?) LIMIT 1",
            (mentions, mentions, digest),
        ).fetchone()
        is not None
    )
