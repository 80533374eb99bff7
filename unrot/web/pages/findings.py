"""The pages of findings: what is open, what was, and all that is known of one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, render_template, request, url_for

from unrot.core.errors import UnrotError
from unrot.core.records import FINDING_KINDS, FindingKind
from unrot.watch import audit
from unrot.watch import findings as noticed
from unrot.watch.outbox import webhook_of
from unrot.web import security
from unrot.web.charts.evidence import build_evidence
from unrot.web.current import service
from unrot.web.pages.evidence import readable
from unrot.web.pages.models import blueprint
from unrot.web.pages.standing import go, refuse, shown, standing, tell
from unrot.web.routes import JUDGE, VIEWER

CLOSED_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Step:
    """A page that helps with a finding."""

    label: str
    endpoint: str


_MONITOR = Step("See it on the monitor page", "pages.monitor")
_OUTLIERS = Step("Look at the odd rows", "pages.list_outliers")
_PREDICTIONS = Step("Look at the newest predictions", "pages.predictions")
_VERSIONS = Step("Refit, or go back to an older version", "pages.versions")
_AUDITS = Step("Judge some rows", "pages.list_audits")
_POLICY = Step("Say what it may do by itself", "pages.policy")
_EXPLORER = Step("Look at its rows in the explorer", "pages.explorer")
_RULES = Step("Change the rules", "pages.rules")

STEPS: dict[FindingKind, tuple[Step, ...]] = {
    "drift": (_MONITOR, _VERSIONS, _AUDITS, _RULES),
    "rot": (_MONITOR, _VERSIONS, _AUDITS, _POLICY, _RULES),
    "slice": (_EXPLORER, _MONITOR, _AUDITS, _RULES),
    "outliers": (_OUTLIERS, _MONITOR, _RULES),
    "quality": (_PREDICTIONS, _MONITOR, _RULES),
    "estimate": (_MONITOR, _AUDITS, _VERSIONS, _RULES),
    "operations": (),
}
"""Where to go on from a finding, the likeliest first."""


@blueprint.app_context_processor
def finding_words() -> dict[str, dict[FindingKind, str]]:
    """Return how kinds of findings are called."""
    return {"finding_kinds": {kind: words.called for kind, words in FINDING_KINDS.items()}}


@blueprint.page("GET", "/models/<model>/findings", needs=VIEWER)
def findings(model: str) -> str:
    """List what is open, then what was, newest first."""
    before = request.args.get("before")
    page = noticed.listed(service(), model, state="closed", limit=CLOSED_A_PAGE, before=before)
    of = service().catalogue().model(model).model
    return render_template(
        "findings.html",
        model=of,
        open=[] if before else noticed.open_findings(service(), model),
        page=page,
        before=before,
        webhook=webhook_of(service(), of.key),
    )


@blueprint.page("GET", "/models/<model>/findings/<id>", needs=VIEWER)
def finding(model: str, id: str) -> str:
    """Tell all that is known of one finding, and what to do about it."""
    found = noticed.finding(service(), model, id)
    figures, tables = readable(found.evidence)
    return render_template(
        "finding.html",
        **shown(standing(model)),
        finding=found,
        drawn=build_evidence(service(), model, found),
        figures=figures,
        tables=tables,
        steps=_steps(found.kind, model),
        delivery=service().store.deliveries.of(found.id),
        webhook=webhook_of(service(), found.model),
        most_note=noticed.MOST_NOTE,
    )


def _steps(kind: FindingKind, model: str) -> list[Step]:
    """Return where to go on; rows are judged only where some are left for it."""
    steps = STEPS.get(kind, (_MONITOR, _RULES))
    if _AUDITS not in steps or audit.room(service(), model).is_there:
        return list(steps)
    return [one for one in steps if one is not _AUDITS]


@blueprint.page("POST", "/models/<model>/findings/<id>", needs=JUDGE)
def acknowledge(model: str, id: str) -> Response:
    """Note that somebody has seen it, and what they say of it."""
    security.check_csrf()
    caller = security.caller_of_page()
    by, note = caller.called, request.form.get("note", "")
    try:
        seen = noticed.acknowledge(service(), model, id, by=by, note=note)
    except UnrotError as error:
        refuse(error)
    else:
        if (seen.acknowledged_by, seen.note) == (by, note.strip()):
            tell("Noted: you have seen it. It stays open until its symptom is gone.")
        else:
            tell(f"{seen.acknowledged_by} had seen it before you; that stays.")
    return go(url_for("pages.finding", model=model, id=id))
