"""The status of a model that stands beside each of its pages: champion, health, last verdicts.

It is told from what is open and what was counted, so that it costs the same on every page; the
whole of a model's health is on its monitor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from unrot.core.errors import StoreAway
from unrot.core.plurals import counted
from unrot.core.records import CHAMPION, FINDING_KINDS, Finding, Schema, Tally
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.wording import number, percent

FEWEST_VERDICTS = 10
"""With fewer, how few there are is said, and no share of them."""
GRAVEST_FIRST = ("grave", "warning", "note")


@dataclass(frozen=True, slots=True)
class Status:
    """What the status line of a model says."""

    champion: str | None
    state: Literal["well", "look", "ill", "unknown"]
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
    verdicts = _verdicts(shelved.model.schema, tally)
    if champion is None:
        return Status(None, "ill", "cannot be asked", verdicts, len(findings))
    return Status(champion, *_health(findings), verdicts, len(findings))


def _health(findings: Sequence[Finding]) -> tuple[Literal["well", "look", "ill"], str]:
    if not findings:
        return "well", "no open finding"
    worst = min(findings, key=lambda one: GRAVEST_FIRST.index(one.gravity))
    state: Literal["look", "ill"] = "ill" if worst.gravity == "grave" else "look"
    return state, f"{worst.gravity}: {FINDING_KINDS[worst.kind].called}"


def _verdicts(schema: Schema, tally: Tally) -> str:
    judged = tally.last_accuracy_verdicts if schema.is_classifier else tally.last_error_verdicts
    if not judged:
        return "none yet"
    if judged < FEWEST_VERDICTS:
        return f"{judged} so far: too few to say"
    if schema.is_classifier and tally.last_accuracy is not None:
        return f"{percent(tally.last_accuracy)} right of {counted(judged, 'verdict')}"
    return f"off by {number(tally.last_error)} over {counted(judged, 'verdict')}"
