"""What versions learnt, what became of each verdict, and what the gate said, in SQL."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from unrot.core.errors import Conflict
from unrot.core.records import (
    CHAMPION,
    AliasMove,
    Anchor,
    Fate,
    Fates,
    GateVerdict,
    Job,
    JudgedPrediction,
    Recall,
    Version,
)
from unrot.store.sql import jobs, names, registry, removals
from unrot.store.sql.database import Database, Transaction
from unrot.store.sql.predictions import JOINED, judged


class SqlLessons:
    """The lessons."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(
        self,
        version: Version,
        artefacts: Mapping[str, bytes],
        *,
        fates: Sequence[Fate],
        gate: GateVerdict | None,
        job: Job | None,
        result: Mapping[str, Any],
        champion: str | None,
        promote: bool,
    ) -> Version | None:
        """Keep a version with all that belongs to it and end its job, at once and whole."""

        def work(tx: Transaction) -> Version | None:
            _check_champion(tx, version.model, champion)
            added = registry.add_version(tx, version, artefacts)
            if job is not None and not jobs.finish(
                tx, job, {"version": added.name, **result}, version.created_at
            ):
                raise _Lost
            kept_as = names.kept_as(tx, version.model)
            tx.executemany(_INSERT_FATE, [_fate_columns(kept_as, added.name, one) for one in fates])
            if gate is not None:
                _add_gate(tx, kept_as, added.name, gate)
            if promote:
                by = job.asked_by if job is not None else ""
                move = AliasMove(CHAMPION, champion, added.name, version.created_at, by)
                registry.move_alias(tx, version.model, move)
            return added

        try:
            return self._database.write(work)
        except _Lost:
            return None

    def waiting(self, model: str, line: Sequence[str], limit: int) -> list[JudgedPrediction]:
        """List the verdicts that a line of versions has not yet given a fate, oldest first."""

        def work(tx: Transaction) -> list[JudgedPrediction]:
            kept_as = names.kept_as(tx, model)
            rows = tx.execute(
                f"{_decided(line)} {JOINED} LEFT JOIN decided d ON d.prediction = f.prediction "
                f"WHERE f.model = ? AND {_WAITS} ORDER BY f.given_at, f.prediction LIMIT ?",
                (kept_as, *line, kept_as, limit),
            ).fetchall()
            return [judged(row) for row in rows]

        return self._database.read(work)

    def count_waiting(self, model: str, line: Sequence[str]) -> int:
        """Count them, with those whose predictions are still on their way."""

        def work(tx: Transaction) -> int:
            kept_as = names.kept_as(tx, model)
            row = tx.execute(
                f"{_decided(line)} SELECT COUNT(*) FROM feedback f LEFT JOIN decided d "
                f"ON d.prediction = f.prediction WHERE f.model = ? AND {_WAITS}",
                (kept_as, *line, kept_as),
            ).fetchone()
            return int(row[0])

        return self._database.read(work)

    def fates(self, model: str, line: Sequence[str]) -> Fates:
        """Count all verdicts by what became of them in a line."""

        def work(tx: Transaction) -> list[Any]:
            kept_as = names.kept_as(tx, model)
            return tx.execute(
                _COUNT_FATES.replace("{line}", _marks(line)), (kept_as, *line, kept_as)
            ).fetchall()

        counted = self._database.read(work)
        learnt: Counter[str] = Counter()
        aside: Counter[str] = Counter()
        waiting = held_out = 0
        for fate, version, reason, count in counted:
            if fate == "learnt":
                learnt[version] += count
            elif fate == "set aside":
                aside[reason.partition(": ")[0]] += count
            elif fate == "held out":
                held_out += count
            else:
                waiting += count
        total = waiting + held_out + learnt.total() + aside.total()
        return Fates(total, waiting, dict(learnt), held_out, dict(aside))

    def fates_of(
        self, model: str, version: str, *, limit: int, after: str = ""
    ) -> list[tuple[Fate, JudgedPrediction | None]]:
        """List the fates that one version decided, by prediction id, beside their predictions."""

        def work(tx: Transaction) -> list[tuple[Fate, JudgedPrediction | None]]:
            kept_as = names.kept_as(tx, model)
            rows = tx.execute(
                "SELECT prediction, kind, given_at, reason FROM fates WHERE model = ? "
                "AND version = ? AND prediction > ? ORDER BY prediction LIMIT ?",
                (kept_as, version, after, limit),
            ).fetchall()
            found = {row[0]: judged(row) for row in _predictions(tx, [row[0] for row in rows])}
            return [
                (Fate(id, kind, at, reason, version), found.get(id))
                for id, kind, at, reason in rows
            ]

        return self._database.read(work)

    def trusted(self, model: str, limit: int) -> list[JudgedPrediction]:
        """List the newest verdicts of judges, by the time of their predictions, oldest first."""

        def work(tx: Transaction) -> list[JudgedPrediction]:
            rows = tx.execute(
                f"{JOINED} WHERE f.model = ? AND f.judge IS NOT NULL AND f.withdrawn = 0 "
                "ORDER BY f.predicted_at DESC, f.prediction DESC LIMIT ?",
                (names.kept_as(tx, model), limit),
            ).fetchall()
            return [judged(row) for row in reversed(rows)]

        return self._database.read(work)

    def gates(self, model: str, version: str) -> list[GateVerdict]:
        """List what the gate said of a version, oldest first."""
        rows = self._database.read(
            lambda tx: tx.execute(
                "SELECT verdict FROM gates WHERE model = ? AND version = ? ORDER BY decided_at",
                (names.kept_as(tx, model), version),
            ).fetchall()
        )
        return [_gate(row[0]) for row in rows]

    def weigh(
        self,
        version: Version,
        verdict: GateVerdict,
        anchor: Anchor | None,
        *,
        job: Job | None,
        result: Mapping[str, Any],
        champion: str | None,
        promote: bool,
    ) -> bool:
        """Keep what the gate said of a version once more and end its job, at once and whole."""
        at = verdict.decided_at

        def work(tx: Transaction) -> bool:
            _check_champion(tx, version.model, champion)
            if job is not None and not jobs.finish(tx, job, result, at):
                return False
            kept_as = names.kept_as(tx, version.model)
            _add_gate(tx, kept_as, version.name, verdict)
            if anchor is not None:
                registry.set_anchor(tx, kept_as, version.name, anchor)
            if promote:
                by = job.asked_by if job is not None else ""
                move = AliasMove(CHAMPION, champion, version.name, at, by, "the gate passed it")
                registry.move_alias(tx, version.model, move)
            return True

        return self._database.write(work)

    def decide(self, model: str, version: str, fates: Sequence[Fate]) -> None:
        """Note fates that a version decided without learning anything from them."""

        def work(tx: Transaction) -> None:
            kept_as = names.kept_as(tx, model)
            tx.executemany(_INSERT_FATE, [_fate_columns(kept_as, version, one) for one in fates])

        self._database.write(work)

    def learnt(self, model: str, line: Sequence[str]) -> set[str]:
        """Return the predictions whose verdicts a line has learnt."""
        rows = self._database.read(
            lambda tx: tx.execute(
                f"SELECT prediction FROM fates WHERE model = ? AND version IN ({_marks(line)}) "
                "AND kind = 'learnt'",
                (names.kept_as(tx, model), *line),
            ).fetchall()
        )
        return {row[0] for row in rows}

    def prune(self, model: str, versions: Sequence[str]) -> None:
        """Let go of the files of versions that no other needs; their records stay.

        One that an alias points at by now keeps its own.
        """

        def work(tx: Transaction) -> None:
            chosen = (names.kept_as(tx, model), *versions)
            these = (
                f"WHERE model = ? AND name IN ({_marks(versions)}) AND name NOT IN "
                "(SELECT version FROM aliases a WHERE a.model = versions.model)"
            )
            rows = tx.execute(f"SELECT artefacts FROM versions {these}", chosen).fetchall()
            tx.execute(f"UPDATE versions SET artefacts = '{{}}', is_pruned = 1 {these}", chosen)
            digests = {digest for row in rows for digest in json.loads(row[0]).values()}
            removals.drop_artefacts(tx, digests)
            registry.count_change(tx)

        self._database.write(work)


class _Lost(Exception):
    """The attempt at the job no longer counts: nothing of it is kept."""


_INSERT_FATE = (
    "INSERT INTO fates (model, version, prediction, kind, reason, given_at) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (model, version, prediction) DO UPDATE SET "
    "kind = excluded.kind, reason = excluded.reason, given_at = excluded.given_at"
)
_COUNT_FATES = """
    WITH decided AS (
        SELECT t.prediction, t.version, t.kind, t.reason, t.given_at, ROW_NUMBER() OVER (
            PARTITION BY t.prediction
            ORDER BY CASE t.kind WHEN 'learnt' THEN 0 ELSE 1 END, t.given_at DESC, t.version
        ) AS place
        FROM fates t WHERE t.model = ? AND t.version IN ({line})
    ), told AS (
        SELECT CASE WHEN d.kind = 'learnt' OR d.given_at >= f.given_at THEN d.kind
            ELSE 'waiting' END AS fate, d.version, d.reason
        FROM feedback f LEFT JOIN decided d ON d.prediction = f.prediction AND d.place = 1
        WHERE f.model = ? AND (f.withdrawn = 0 OR d.kind = 'learnt')
    )
    SELECT fate, CASE WHEN fate = 'learnt' THEN version ELSE '' END AS by_version,
        CASE WHEN fate = 'set aside' THEN reason ELSE '' END AS why, COUNT(*)
    FROM told GROUP BY fate, by_version, why ORDER BY fate, by_version, why
"""


_WAITS = "f.withdrawn = 0 AND (d.until IS NULL OR d.until < f.given_at)"
"""True of a verdict that was not learnt and not decided as it stands."""


def _decided(line: Sequence[str]) -> str:
    """Return SQL for what a line has decided, and until when: for good if it was learnt.

    It is gathered once: a subquery for each verdict would look at each version of the line.
    """
    return (
        "WITH decided AS (SELECT t.prediction, "
        "MAX(CASE WHEN t.kind = 'learnt' THEN 1e18 ELSE t.given_at END) AS until "
        f"FROM fates t WHERE t.model = ? AND t.version IN ({_marks(line)}) GROUP BY t.prediction)"
    )


def _marks(line: Sequence[str]) -> str:
    return ", ".join("?" * len(line)) or "NULL"


def _predictions(tx: Transaction, ids: Sequence[str]) -> list[Any]:
    if not ids:
        return []
    return tx.execute(f"{JOINED} WHERE p.id IN ({_marks(ids)})", tuple(ids)).fetchall()


def _check_champion(tx: Transaction, model: str, expected: str | None) -> None:
    found = tx.execute(
        "SELECT version FROM aliases WHERE model = ? AND alias = ?",
        (names.kept_as(tx, model), CHAMPION),
    ).fetchone()
    if (found[0] if found else None) != expected:
        raise Conflict("The champion changed meanwhile: ask again.", reason="champion_moved")


def _fate_columns(kept_as: str, version: str, fate: Fate) -> tuple[Any, ...]:
    return kept_as, version, fate.prediction, fate.kind, fate.reason, fate.given_at


def _add_gate(tx: Transaction, kept_as: str, version: str, verdict: GateVerdict) -> None:
    tx.execute(
        "INSERT INTO gates (model, version, decided_at, verdict) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (model, version, decided_at) DO UPDATE SET verdict = excluded.verdict",
        (kept_as, version, verdict.decided_at, json.dumps(asdict(verdict))),
    )


def _gate(text: str) -> GateVerdict:
    data = json.loads(text)
    recalls = tuple(Recall(**recall) for recall in data.pop("recalls"))
    return GateVerdict(**data, recalls=recalls)
