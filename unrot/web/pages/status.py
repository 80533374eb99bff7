"""The status of a model that stands beside each of its pages: champion, health, last verdicts.

It is told from what is open and what was counted, so that it costs the same on every page; the
whole of a model's health is on its monitor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrot.core.errors import StoreAway
from unrot.core.records import CHAMPION, FINDING_KINDS, Finding
from unrot.watch.reports.health import State, gravest_first, state_beside
from unrot.web.current import service
from unrot.web.pages import story
from unrot.web.pages.models import blueprint


@dataclass(frozen=True, slots=True)
class Status:
    """What the status line of a model says."""

    champion: str | None
    state: State
    health: str
    verdicts: str
    open: int = 0


@blueprint.app_template_global()
def status_of(model: str) -> Status:
    """Ask the store how a model is; it says so when the store is away."""
    shelved = service().catalogue().model(model)
    champion = shelved.aliases.get(CHAMPION)
    try:
        findings = service().store.findings.open(shelved.model.key)
        tally = service().today(model)
    except StoreAway:
        return Status(champion, "unknown", "unknown: the store is away", "unknown")
    verdicts = story.last_verdicts(tally, shelved.model.schema)
    if champion is None:
        return Status(None, "ill", "cannot be asked", verdicts, len(findings))
    return Status(champion, *_health(findings), verdicts, len(findings))


def _health(findings: Sequence[Finding]) -> tuple[State, str]:
    if not findings:
        return "well", "no open finding"
    worst = gravest_first(findings)[0]
    return state_beside(worst), f"{worst.gravity}: {FINDING_KINDS[worst.kind].called}"
