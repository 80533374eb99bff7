"""The status of a model that stands beside each of its pages: champion, health, last verdicts.

It is told at a glance, as the home page tells it, so that it costs little on every page; the whole
of a model's health is on its monitor.
"""

from __future__ import annotations

from dataclasses import dataclass

from unrot.core.errors import StoreAway
from unrot.core.records import CHAMPION
from unrot.watch.heads import head_of
from unrot.watch.reports.fleet import Glance, look_at
from unrot.watch.reports.health import STATE_WORDS, State, gravest_first
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
        glance = look_at(service(), shelved)
    except StoreAway:
        return Status(champion, "unknown", "unknown: the store is away", "unknown")
    verdicts = story.last_verdicts(glance.signs, shelved.model.schema)
    said = _health(glance) if champion is not None else "cannot be asked"
    return Status(champion, glance.state, said, verdicts, len(glance.findings))


def _health(glance: Glance) -> str:
    """Say how a model is; rot from before its champion answered is of another version."""
    is_well = glance.state in ("well", "unknown") and not glance.findings
    said = [] if is_well else [STATE_WORDS[glance.state]]
    if glance.findings:
        worst = gravest_first(glance.findings)[0]
        head = together(head_of(worst, glance.shelved.model.schema))
        signs = glance.signs
        is_of_another = worst.kind == "rot" and signs.has_followed(worst)
        said.append(f"{head}, before {signs.version} took over" if is_of_another else head)
    elif not glance.snoozed:
        said.append("no open finding")
    return " · ".join([*said, *([f"{glance.snoozed} snoozed"] if glance.snoozed else [])])
