"""What monitors noticed, what people say of it, and by which rules: what every door asks.

A finding that is snoozed stays open: it is left out where something is to be done, and said apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from unrot.core.errors import Conflict, NotFound, wrong_field
from unrot.core.ports import FindingState
from unrot.core.records import GRAVEST_FIRST, Finding, FindingNote, Snooze
from unrot.core.rules import Rules, parse_rules
from unrot.core.time import DAY, MINUTE, MOMENT_EXPECTED, iso_time, read_moment
from unrot.serve.service import Service
from unrot.watch import audit

MOST_NOTE = 2_000
MOST_NOTES = 50
MOST_NAME = 80
LONGEST_SNOOZE = 366 * DAY


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


def was_open_in(found: Finding, since: float, until: float) -> bool:
    """Tell whether a finding was open at some moment of a stretch of time."""
    return found.opened_at <= until and (found.closed_at is None or found.closed_at >= since)


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
    assigned_to: str | None = None,
    limit: int = 50,
    before: str | None = None,
    period: tuple[float, float] | None = None,
) -> FindingPage:
    """List findings by when they were opened, newest first, a page at a time.

    `before` is the id of the last one of the page before. What is snoozed is open as well.
    Of a period are those that were open at some moment of it.
    """
    model = service.catalogue().model(name).model.key
    place = None
    if before:
        last = finding(service, name, before)
        place = last.opened_at, last.id
    now = service.clock()

    def is_wanted(found: Finding) -> bool:
        is_theirs = assigned_to is None or found.assigned_to == assigned_to
        is_of_then = period is None or was_open_in(found, *period)
        return is_theirs and is_of_then and (state != "snoozed" or found.is_snoozed(now))

    rows = service.store.findings.of_model(
        model, limit=limit + 1, before=place, state=state, wanted=is_wanted
    )
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


# ── what people say of it ─────────────────────────────────────────────────────────────────────


def acknowledge(service: Service, name: str, id: str, *, by: str, note: str) -> Finding:
    """Note that a person has seen a finding; who was first stays, and all that is written."""
    at, text = service.clock(), _read_text("note", note, MOST_NOTE)

    def change(found: Finding) -> Finding:
        if found.acknowledged_at is None:
            return replace(found, acknowledged_at=at, acknowledged_by=by, note=text)
        return _noted(found, FindingNote(at, by, text)) if text else found

    return _change(service, name, id, change)


def note_finding(service: Service, name: str, id: str, *, by: str, text: str) -> Finding:
    """Write a note beside a finding."""
    note = FindingNote(service.clock(), by, _read_text("text", text, MOST_NOTE, least=1))
    return _change(service, name, id, lambda found: _noted(found, note))


def assign_finding(service: Service, name: str, id: str, *, to: str) -> Finding:
    """Say who works on a finding; nobody with an empty name."""
    called = " ".join(_read_text("to", to, MOST_NAME).split())
    return _change(service, name, id, lambda found: replace(found, assigned_to=called))


def snooze_finding(
    service: Service, name: str, id: str, *, by: str, until: float | None
) -> Finding:
    """Let nobody be bothered with an open finding until a moment, or until it gets graver."""
    now = service.clock()
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise wrong_field("until", iso_time(until), "a moment to come, at most a year from now")

    def change(found: Finding) -> Finding:
        if not found.is_open:
            raise Conflict("It is over: there is nothing to snooze.")
        if until is None and found.gravity == GRAVEST_FIRST[0]:
            raise Conflict("It cannot get graver: say until when it is snoozed.")
        return replace(found, snooze=Snooze(by, now, until, found.gravity))

    return _change(service, name, id, change)


def end_of_snooze(service: Service, until: str | None, seconds: float | None) -> float | None:
    """Read until when to snooze: a moment, or so many seconds on; None until it gets graver."""
    if until is not None and seconds is not None:
        raise wrong_field("seconds", seconds, 'either "until" or "seconds"')
    if seconds is not None:
        if not MINUTE <= seconds <= LONGEST_SNOOZE:
            raise wrong_field("seconds", seconds, f"{MINUTE} to {LONGEST_SNOOZE:,} seconds")
        return service.clock() + seconds
    try:
        return None if until is None else read_moment(until)
    except ValueError as error:
        raise wrong_field("until", until, MOMENT_EXPECTED) from error


def wake_finding(service: Service, name: str, id: str) -> Finding:
    """End the snooze of a finding."""
    return _change(service, name, id, lambda found: replace(found, snooze=None))


def known_people(service: Service) -> list[str]:
    """Name those who have a token of their own that is good."""
    now = service.clock()
    named = [one.name for one in service.tokens.all() if one.is_good(now)]
    return sorted({*named, *service.settings.judge_tokens})


def _change(service: Service, name: str, id: str, change: Callable[[Finding], Finding]) -> Finding:
    known = finding(service, name, id)
    changed = service.store.findings.change(known.id, change)
    return add_room_for_audits(service, name, [changed])[0] if changed else known


def _noted(found: Finding, note: FindingNote) -> Finding:
    if len(found.notes) >= MOST_NOTES:
        raise Conflict(f"There are {MOST_NOTES} notes already: no more are kept.")
    return replace(found, notes=(*found.notes, note))


def _read_text(field: str, text: str, most: int, *, least: int = 0) -> str:
    """Return a text that every store can keep."""
    kept = text.strip()
    is_text = kept.encode("utf-8", "replace").decode("utf-8") == kept and "\0" not in kept
    if not is_text or not least <= len(kept) <= most:
        expected = f"1 to {most:,} characters" if least else f"at most {most:,} characters"
        raise wrong_field(field, text, f"a text of {expected}")
    return kept


# ── rules ─────────────────────────────────────────────────────────────────────────────────────


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
