"""What monitors noticed, and by which rules: what pages, API and command line ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from unrot.core.errors import NotFound, wrong_field
from unrot.core.ports import FindingState
from unrot.core.records import Finding, ModelKey
from unrot.core.rules import Rules, parse_rules
from unrot.serve.service import Service
from unrot.watch import audit

MOST_NOTE = 1_000


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Some findings, newest first, and the id to go on from when there are more."""

    rows: list[Finding]
    next_before: str | None


def open_findings(service: Service, name: str) -> list[Finding]:
    """List what is open of a model, the gravest first."""
    return add_room_for_audits(
        service, name, service.store.findings.open(service.catalogue().model(name).model.key)
    )


def add_room_for_audits(service: Service, name: str, findings: Sequence[Finding]) -> list[Finding]:
    """Let advice to audit say how many rows there are for it now, or that there are none."""
    if not any(one.is_open and "audit" in one.advice for one in findings):
        return list(findings)
    said = audit.room(service, name).sentence
    return [
        replace(one, advice=f"{one.advice} {said}")
        if one.is_open and "audit" in one.advice
        else one
        for one in findings
    ]


def listed(
    service: Service,
    name: str,
    *,
    state: FindingState = "all",
    limit: int = 50,
    before: str | None = None,
) -> FindingPage:
    """List findings by when they were opened, newest first, a page at a time.

    `before` is the id of the last one of the page before.
    """
    model = service.catalogue().model(name).model.key
    place = None
    if before:
        last = finding(service, name, before)
        place = last.opened_at, last.id
    rows = service.store.findings.of_model(model, limit=limit + 1, before=place, state=state)
    has_more = len(rows) > limit
    return FindingPage(
        add_room_for_audits(service, name, rows[:limit]), rows[limit - 1].id if has_more else None
    )


def finding(service: Service, name: str, id: str) -> Finding:
    """Return one finding of a model."""
    model = service.catalogue().model(name).model
    found = service.store.findings.finding(id)
    if found is None or found.model != model.key:
        raise NotFound(f'{model.name} has no finding "{id[:80]}".')
    return add_room_for_audits(service, model.name, [found])[0]


def acknowledge(service: Service, name: str, id: str, *, by: str, note: str) -> Finding:
    """Note that a person has seen a finding; who was first stays."""
    known = finding(service, name, id)
    is_text = note.encode("utf-8", "replace").decode("utf-8") == note and "\0" not in note
    if not is_text or len(note) > MOST_NOTE:
        raise wrong_field("note", note, f"a text of at most {MOST_NOTE:,} characters")
    seen = service.store.findings.acknowledge(
        known.id, at=service.clock(), by=by, note=note.strip()
    )
    return add_room_for_audits(service, name, [seen])[0] if seen else known


def rules(service: Service, name: str) -> Rules:
    """Return what counts as a symptom of a model."""
    return service.store.findings.rules(service.catalogue().model(name).model.key)


def change_rules(
    service: Service,
    name: str,
    given: Any,
    *,
    read: Callable[[Any, Rules, Sequence[str]], Rules] = parse_rules,
) -> Rules:
    """Change some of what counts as a symptom of a model; return all of it."""
    model, drawer = service.catalogue().model(name).model, service.store.findings
    changed = read(given, drawer.rules(model.key), model.schema.names)
    drawer.set_rules(model.key, changed)
    return changed


def count_open(service: Service) -> Mapping[ModelKey, int]:
    """Count the open findings of each model that has some."""
    counts: dict[ModelKey, int] = {}
    for found in service.store.findings.open():
        counts[found.model] = counts.get(found.model, 0) + 1
    return counts
