"""The status of a model that stands beside each of its pages: champion, health, last verdicts.

It is told from what is open and what was counted, so that it costs the same on every page; the
whole of a model's health is on its monitor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core.errors import StoreAway
from unrot.core.records import CHAMPION, Finding, Schema
from unrot.watch.heads import head_of
from unrot.watch.reports.champion import since_when
from unrot.watch.reports.health import STATE_WORDS, State, gravest_first, part_snoozed, state_beside
from unrot.watch.reports.signs import FEWEST_TO_BE_WELL, FEWEST_VERDICTS
from unrot.web.current import service
from unrot.web.pages import story
from unrot.web.pages.models import blueprint
from unrot.web.wording import together


@dataclass(frozen=True, slots=True)
class Status:
    """What the status line of a model says."""

    champion: str | None
    state: State
    health: str
    verdicts: str
    open: int = 0
    """Findings that are open, and not snoozed."""


@blueprint.app_template_global()
def status_of(model: str) -> Status:
    """Ask the store how a model is; it says so when the store is away."""
    shelved = service().catalogue().model(model)
    champion = shelved.aliases.get(CHAMPION)
    try:
        opened = service().store.findings.open(shelved.model.key)
        tally = service().today(model)
        moves = service().store.registry.moves(shelved.model.key) if opened else ()
    except StoreAway:
        return Status(champion, "unknown", "unknown: the store is away", "unknown")
    findings, snoozed = part_snoozed(opened, service().clock())
    verdicts = story.last_verdicts(tally, shelved.model.schema)
    if champion is None:
        return Status(None, "ill", "cannot be asked", verdicts, len(findings))
    judged = max(tally.last_accuracy_verdicts, tally.last_error_verdicts)
    newer = since_when(moves) if judged < FEWEST_VERDICTS else 0.0
    state, said = _health(findings, snoozed, shelved.model.schema, champion, newer)
    if state == "well" and judged < FEWEST_TO_BE_WELL:
        state = "unknown"
    return Status(champion, state, said, verdicts, len(findings))


def _health(
    findings: Sequence[Finding],
    snoozed: Sequence[Finding],
    schema: Schema,
    champion: str,
    newer: float,
) -> tuple[State, str]:
    """Say how a model is; rot from before `newer` is of another version than the champion."""
    also = f"{len(snoozed)} snoozed" if snoozed else ""
    if not findings:
        return "well", also or "no open finding"
    worst = gravest_first(findings)[0]
    state, head = state_beside(worst), head_of(worst, schema)
    if worst.kind == "rot" and newer > worst.since:
        state, head = "look", f"{head}, before {champion} took over"
    said = f"{STATE_WORDS[state]} · {together(head)}"
    return state, f"{said} · {also}" if also else said
