"""What monitors noticed, by which rules, and where each of them stands, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from unrot.core.ports import FindingState
from unrot.core.records import Finding
from unrot.core.rules import FeatureRule, Rules
from unrot.store.sql import names
from unrot.store.sql.database import Database, Transaction

_PLAIN = (
    "id, model, cause, kind, gravity, since, opened_at, updated_at, sentence, advice, features, "
    "evidence, closed_at, acknowledged_at, acknowledged_by, note"
)
SELECTED = (
    "SELECT "
    + ", ".join(
        names.name_in("i") if name == "model" else f"i.{name}" for name in _PLAIN.split(", ")
    )
    + " FROM findings i"
)
_CHANGING = "gravity, since, updated_at, sentence, advice, features, evidence, closed_at"
_PUT = (
    f"INSERT INTO findings ({_PLAIN}) VALUES ({', '.join('?' * 16)}) "
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING.split(", "))
)
_IN: dict[FindingState, str] = {
    "open": " AND closed_at IS NULL",
    "closed": " AND closed_at IS NOT NULL",
    "all": "",
}
_GRAVEST = "CASE gravity WHEN 'grave' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END"


class SqlFindings:
    """The findings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, finding: Finding) -> None:
        """Keep a finding; one with the same id is replaced, but for its acknowledgement."""

        def work(tx: Transaction) -> None:
            kept_as = names.Writing(tx).kept_as(finding.model)
            if kept_as is not None:
                tx.execute(_PUT, _columns(kept_as, finding))

        self._database.write(work)

    def finding(self, id: str) -> Finding | None:
        """Return a finding."""
        row = self._database.read(lambda tx: _find(tx, id))
        return None if row is None else finding_of(row)

    def open(self, model: str | None = None) -> list[Finding]:
        """List the findings of a model, or of all, that are not closed, the gravest first."""

        def work(tx: Transaction) -> list[Any]:
            of, values = "", ()
            if model is not None:
                of, values = " AND model = ?", (names.kept_as(tx, model),)  # type: ignore[assignment]
            return list(
                tx.execute(
                    f"{SELECTED} WHERE closed_at IS NULL{of} ORDER BY {_GRAVEST}, since, id",
                    values,
                ).fetchall()
            )

        return [finding_of(row) for row in self._database.read(work)]

    def last(self, model: str, cause: str, *, until: float | None = None) -> Finding | None:
        """Return the newest finding of a cause, open or closed, that was opened up to a time."""
        row = self._database.read(
            lambda tx: tx.execute(
                f"{SELECTED} WHERE model = ? AND cause = ? AND opened_at <= ? "
                "ORDER BY opened_at DESC, id DESC LIMIT 1",
                (names.kept_as(tx, model), cause, 1e18 if until is None else until),
            ).fetchone()
        )
        return None if row is None else finding_of(row)

    def of_model(
        self,
        model: str,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        state: FindingState = "all",
    ) -> list[Finding]:
        """List findings by when they were opened, newest first, older than `before`."""
        at, id = before or (1e18, "")
        rows = self._database.read(
            lambda tx: tx.execute(
                f"{SELECTED} WHERE model = ? AND (opened_at, id) < (?, ?){_IN[state]} "
                "ORDER BY opened_at DESC, id DESC LIMIT ?",
                (names.kept_as(tx, model), at, id, limit),
            ).fetchall()
        )
        return [finding_of(row) for row in rows]

    def acknowledge(self, id: str, *, at: float, by: str, note: str) -> Finding | None:
        """Note that a person has seen a finding; the first one stays."""

        def work(tx: Transaction) -> Any:
            tx.execute(
                "UPDATE findings SET acknowledged_at = ?, acknowledged_by = ?, note = ? "
                "WHERE id = ? AND acknowledged_at IS NULL",
                (at, by, note, id),
            )
            return _find(tx, id)

        row = self._database.write(work)
        return None if row is None else finding_of(row)

    def rules(self, model: str) -> Rules:
        """Return what counts as a symptom of a model."""
        row = self._database.read(
            lambda tx: tx.execute(
                "SELECT rules FROM models WHERE kept_as = ?", (names.kept_as(tx, model),)
            ).fetchone()
        )
        return Rules() if row is None else _rules(orjson.loads(row[0]))

    def set_rules(self, model: str, rules: Rules) -> None:
        """Change what counts as a symptom of a model."""
        self._database.write(
            lambda tx: tx.execute(
                "UPDATE models SET rules = ? WHERE kept_as = ?",
                (orjson.dumps(rules).decode(), names.kept_as(tx, model)),
            )
        )

    def standpoint(self, model: str, monitor: str) -> Mapping[str, Any]:
        """Return what a monitor has noted of where it stands; empty before its first round."""
        row = self._database.read(
            lambda tx: tx.execute(
                "SELECT note FROM standpoints WHERE model = ? AND monitor = ?",
                (names.kept_as(tx, model), monitor),
            ).fetchone()
        )
        noted: Mapping[str, Any] = {} if row is None else orjson.loads(row[0])
        return noted

    def stand(self, model: str, monitor: str, note: Mapping[str, Any]) -> None:
        """Note where a monitor stands."""

        def work(tx: Transaction) -> None:
            kept_as = names.Writing(tx).kept_as(model)
            if kept_as is not None:
                tx.execute(
                    "INSERT INTO standpoints (model, monitor, note) VALUES (?, ?, ?) "
                    "ON CONFLICT (model, monitor) DO UPDATE SET note = excluded.note",
                    (kept_as, monitor, orjson.dumps(note).decode()),
                )

        self._database.write(work)


def _find(tx: Transaction, id: str) -> Any:
    return tx.execute(f"{SELECTED} WHERE id = ?", (id,)).fetchone()


def _columns(kept_as: str, finding: Finding) -> tuple[Any, ...]:
    return (
        finding.id,
        kept_as,
        finding.cause,
        finding.kind,
        finding.gravity,
        finding.since,
        finding.opened_at,
        finding.updated_at,
        finding.sentence,
        finding.advice,
        orjson.dumps(finding.features).decode(),
        orjson.dumps(finding.evidence).decode(),
        finding.closed_at,
        finding.acknowledged_at,
        finding.acknowledged_by,
        finding.note,
    )


def finding_of(row: Sequence[Any]) -> Finding:
    """Read a finding from a row of `SELECTED`."""
    features, evidence = tuple(orjson.loads(row[10])), orjson.loads(row[11])
    return Finding(*[*row[:10], features, evidence, *row[12:]])


def _rules(kept: Mapping[str, Any]) -> Rules:
    """Read rules; what a newer release knows besides is left out."""
    known = {name: value for name, value in kept.items() if name in Rules.__dataclass_fields__}
    features = {name: FeatureRule(**one) for name, one in known.pop("features", {}).items()}
    return Rules(**known, features=features)
