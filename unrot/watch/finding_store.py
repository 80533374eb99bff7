"""What monitors noticed, by which rules, where each stands, and what was sent: as documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from unrot.core.ports import FindingState
from unrot.core.records import Delivery, Finding
from unrot.core.rules import FeatureRule, Rules
from unrot.store.kinds import DELIVERY, FINDING, MODEL, STANDPOINT
from unrot.store.names import Names
from unrot.store.operations import ABSENT, Document, Operations, Put, scan_all, until_kept

_GRAVEST = ("grave", "warning", "note")
_BODY = [
    entry.name
    for entry in fields(Finding)
    if entry.name not in ("id", "model", "cause", "opened_at")
]


class FindingStore:
    """The findings."""

    def __init__(self, database: Operations, names: Names) -> None:
        self._database = database
        self._names = names

    def put(self, finding: Finding) -> None:
        """Keep a finding; one with the same id is replaced, but for its acknowledgement."""
        key = self._names.key_for(finding.model)

        def work() -> None:
            known = self._database.get(FINDING, finding.id)
            kept = finding if known is None else _acknowledged(finding, known)
            self._database.commit([_put(key or "", kept, known)])

        if key is not None:
            until_kept(work)

    def finding(self, id: str) -> Finding | None:
        """Return a finding."""
        found = self._database.get(FINDING, id)
        return None if found is None else self._finding(found)

    def open(self, model: str | None = None) -> list[Finding]:
        """List the findings of a model, or of all, that are not closed, the gravest first."""
        key = None if model is None else self._names.key_of(model)
        found = scan_all(self._database, FINDING, "open", (True,))
        chosen = [self._finding(one) for one in found if key in (None, one["model"])]
        return sorted(chosen, key=lambda one: (_GRAVEST.index(one.gravity), one.since, one.id))

    def last(self, model: str, cause: str, *, until: float | None = None) -> Finding | None:
        """Return the newest finding of a cause, open or closed, that was opened up to a time."""
        found = scan_all(
            self._database,
            FINDING,
            "of cause",
            (self._names.key_of(model), cause),
            newest_first=True,
            page=5,
        )
        opened = (one for one in found if until is None or one["opened at"] <= until)
        return next((self._finding(one) for one in opened), None)

    def of_model(
        self,
        model: str,
        *,
        limit: int,
        before: tuple[float, str] | None = None,
        state: FindingState = "all",
    ) -> list[Finding]:
        """List findings by when they were opened, newest first, older than `before`."""
        found: list[Finding] = []
        for one in self._newest(self._names.key_of(model), before):
            if len(found) >= limit:
                break
            if state == "all" or bool(one["open"]) == (state == "open"):
                found.append(self._finding(one))
        return found

    def acknowledge(self, id: str, *, at: float, by: str, note: str) -> Finding | None:
        """Note that a person has seen a finding; the first one stays."""

        def work() -> Finding | None:
            known = self._database.get(FINDING, id)
            if known is None or known["body"]["acknowledged_at"] is not None:
                return None if known is None else self._finding(known)
            seen = replace(self._finding(known), acknowledged_at=at, acknowledged_by=by, note=note)
            self._database.commit([_put(known["model"], seen, known)])
            return seen

        return until_kept(work)

    def rules(self, model: str) -> Rules:
        """Return what counts as a symptom of a model."""
        found = self._database.get(MODEL, self._names.key_of(model))
        return Rules() if found is None else _rules(found["body"]["rules"])

    def set_rules(self, model: str, rules: Rules) -> None:
        """Change what counts as a symptom of a model."""

        def work() -> None:
            found = self._database.get(MODEL, self._names.key_of(model))
            if found is not None:
                body = {**found["body"], "rules": asdict(rules)}
                changed = {**found.fields, "body": body}
                self._database.commit([Put(MODEL, found.key, changed, found.revision)])

        until_kept(work)

    def standpoint(self, model: str, monitor: str) -> Mapping[str, Any]:
        """Return what a monitor has noted of where it stands; empty before its first round."""
        found = self._database.get(STANDPOINT, f"{self._names.key_of(model)}/{monitor}")
        noted: Mapping[str, Any] = {} if found is None else found["note"]
        return noted

    def stand(self, model: str, monitor: str, note: Mapping[str, Any]) -> None:
        """Note where a monitor stands."""
        key = self._names.key_for(model)
        if key is not None:
            noted = {"model": key, "note": note}
            self._database.commit([Put(STANDPOINT, f"{key}/{monitor}", noted)])

    def _newest(self, key: str, before: tuple[float, str] | None) -> Iterator[Document]:
        return scan_all(
            self._database, FINDING, "of model", (key,), after=before, newest_first=True, page=100
        )

    def _finding(self, document: Document) -> Finding:
        body = {name: document["body"][name] for name in _BODY}
        return Finding(
            id=document.key,
            model=self._names.name_of(document["model"]),
            cause=document["cause"],
            opened_at=document["opened at"],
            **{**body, "features": tuple(body["features"])},
        )


class DeliveryStore:
    """Findings on their way to webhooks."""

    def __init__(self, database: Operations, names: Names, findings: FindingStore) -> None:
        self._database = database
        self._names = names
        self._findings = findings

    def due(self, model: str, now: float) -> Finding | None:
        """Return the open finding of a model that is to be sent next, if one is."""
        found = self._findings.open(model)
        known = self._database.get_many(DELIVERY, [one.id for one in found])
        waiting: list[tuple[bool, float, float, str, Finding]] = []
        for one in found:
            sent = known[one.id]["body"] if one.id in known else None
            if sent is None:
                waiting.append((False, 0.0, one.opened_at, one.id, one))
            elif sent["delivered_at"] is None and sent["next_at"] <= now:
                waiting.append((True, sent["next_at"], one.opened_at, one.id, one))
        return min(waiting, key=lambda one: one[:4])[4] if waiting else None

    def begin(self, finding: Finding, *, target: str, next_at: float) -> Delivery:
        """Note a try before it is made, and when the next one would be."""
        key = self._names.key_for(finding.model)
        if key is None:
            return Delivery(finding.id, finding.model, target, 1, next_at)

        def work() -> Delivery:
            known = self._database.get(DELIVERY, finding.id)
            body: dict[str, Any] = {"attempts": 0, "delivered_at": None, "error": ""}
            body |= known["body"] if known is not None else {}
            body |= {"target": target, "attempts": body["attempts"] + 1, "next_at": next_at}
            self._commit(finding.id, {"model": key, "body": body}, known)
            return Delivery(finding.id, finding.model, **body)

        return until_kept(work)

    def end(self, finding: str, *, delivered_at: float | None, error: str = "") -> None:
        """Note what came of the last try."""

        def work() -> None:
            known = self._database.get(DELIVERY, finding)
            if known is not None:
                body = {**known["body"], "delivered_at": delivered_at, "error": error}
                body["next_at"] = body["next_at"] if delivered_at is None else None
                self._commit(finding, {**known.fields, "body": body}, known)

        until_kept(work)

    def of(self, finding: str) -> Delivery | None:
        """Return how far a finding is; None when it was never sent."""
        known = self._database.get(DELIVERY, finding)
        if known is None:
            return None
        return Delivery(finding, self._names.name_of(known["model"]), **known["body"])

    def old(self, key: str, before: float, most: int) -> list[str]:
        """Return what was sent of findings that were closed before a time."""
        sent = [one.key for one in scan_all(self._database, DELIVERY, "of model", (key,), only=[])]
        found = self._database.get_many(FINDING, sent)
        closed = {id: one["body"]["closed_at"] for id, one in found.items()}
        return [id for id in sent if (closed.get(id) or before) < before][:most]

    def _commit(self, finding: str, changed: Mapping[str, Any], known: Document | None) -> None:
        expect = ABSENT if known is None else known.revision
        self._database.commit([Put(DELIVERY, finding, changed, expect)])


def _acknowledged(finding: Finding, known: Document) -> Finding:
    seen = {name: known["body"][name] for name in ("acknowledged_at", "acknowledged_by", "note")}
    return replace(finding, opened_at=known["opened at"], kind=known["body"]["kind"], **seen)


def _put(key: str, finding: Finding, known: Document | None) -> Put:
    body = {name: getattr(finding, name) for name in _BODY}
    changed = {
        "model": key,
        "cause": finding.cause,
        "opened at": finding.opened_at,
        "open": True if finding.is_open else None,
        "body": {**body, "features": list(finding.features)},
    }
    return Put(FINDING, finding.id, changed, ABSENT if known is None else known.revision)


def _rules(kept: Mapping[str, Any]) -> Rules:
    """Read rules; what a newer release knows besides is left out."""
    known = {name: value for name, value in kept.items() if name in Rules.__dataclass_fields__}
    features = {name: FeatureRule(**one) for name, one in known.pop("features", {}).items()}
    return Rules(**known, features=features)
