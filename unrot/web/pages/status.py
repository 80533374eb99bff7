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
from unrot.watch.reports.health import STATE_WORDS, State, gravest_first, part_snoozed, state_beside
from unrot.watch.reports.signs import FEWEST_TO_BE_WELL
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
    except StoreAway:
        return Status(champion, "unknown", "unknown: the store is away", "unknown")
    findings, snoozed = part_snoozed(opened, service().clock())
    verdicts = story.last_verdicts(tally, shelved.model.schema)
    if champion is None:
        return Status(None, "ill", "cannot be asked", verdicts, len(findings))
    state, said = _health(findings, snoozed, shelved.model.schema)
    judged = max(tally.last_accuracy_verdicts, tally.last_error_verdicts)
    if state == "well" and judged < FEWEST_TO_BE_WELL:
        state = "unknown"
    return Status(champion, state, said, verdicts, len(findings))


def _health(
    findings: Sequence[Finding], snoozed: Sequence[Finding], schema: Schema
) -> tuple[State, str]:
    also = f"{len(snoozed)} snoozed" if snoozed else ""
    if not findings:
        return "well", also or "no open finding"
    worst = gravest_first(findings)[0]
    said = f"{STATE_WORDS[state_beside(worst)]} · {together(head_of(worst, schema))}"
    return state_beside(worst), f"{said} · {also}" if also else said
