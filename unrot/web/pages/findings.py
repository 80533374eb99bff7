"""The pages of findings: what is open, what was, and all that is known of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

from flask import Response, render_template, request, url_for

from unrot.core.errors import UnrotError, wrong_field
from unrot.core.records import (
    FINDING_KINDS,
    GRAVEST_FIRST,
    Delivery,
    Finding,
    FindingKind,
    Road,
    Schema,
)
from unrot.core.time import DAY, HOUR, MOMENT_EXPECTED, WEEK, short_time
from unrot.watch import audit
from unrot.watch import findings as noticed
from unrot.watch.heads import called, head_of
from unrot.watch.outbox import addresses_of, road_to
from unrot.watch.reports.health import part_snoozed
from unrot.watch.reports.wrong_reasons import wrong_reasons_of
from unrot.web import security, spans
from unrot.web.address import TIMES, address_of
from unrot.web.charts.evidence import build_evidence
from unrot.web.current import name_of, service
from unrot.web.pages.evidence import readable
from unrot.web.pages.models import blueprint
from unrot.web.pages.standing import go, refuse, shown, standing, tell
from unrot.web.pages.versions import next_step
from unrot.web.routes import JUDGE, VIEWER
from unrot.web.wording import together

CLOSED_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class Step:
    """A page that helps with a finding."""

    label: str
    endpoint: str


_MONITOR = Step("See it on the monitor page", "pages.monitor")
_OUTLIERS = Step("Look at the outliers", "pages.list_outliers")
_PREDICTIONS = Step("Look at the newest predictions", "pages.predictions")
_VERSIONS = Step("Refit, or go back to an older version", "pages.versions")
_AUDITS = Step("Judge some rows", "pages.list_audits")
_ASK = Step("Judge what would teach most", "pages.ask_judges")
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
    "reasons": (_EXPLORER, _VERSIONS, _AUDITS, _RULES),
    "coverage": (_MONITOR, _VERSIONS, _AUDITS, _RULES),
    "abstentions": (_MONITOR, _ASK, _VERSIONS, _RULES),
    "operations": (),
}
"""Where to go on from a finding, the likeliest first."""
REFITTED: tuple[FindingKind, ...] = ("drift", "rot", "slice", "estimate", "coverage")
"""Findings that a refit may help against."""


SHOWN: Mapping[str, str] = {
    "": "All",
    "open": "Open",
    "snoozed": "Snoozed",
    "mine": "Mine",
    "closed": "Closed",
}
"""Which findings are listed, and what that is called."""
SNOOZES: Mapping[str, tuple[str, float | None]] = {
    "hour": ("for an hour", HOUR),
    "day": ("for a day", DAY),
    "week": ("for a week", WEEK),
    "graver": ("until it gets graver", None),
    "until": ("until the time below", None),
}


@blueprint.app_context_processor
def finding_words() -> dict[str, dict[FindingKind, str]]:
    """Return how kinds of findings are called."""
    return {"finding_kinds": {kind: words.called for kind, words in FINDING_KINDS.items()}}


@blueprint.app_template_filter()
def head(found: Finding) -> str:
    """Say in a few words what was found."""
    schema = service().catalogue().model(name_of(found.model)).model.schema
    return together(head_of(found, schema))


@blueprint.app_template_filter()
def column(name: str, schema: Schema) -> str:
    """Write a column of inputs or answers as people call it."""
    return called(name, schema)


@blueprint.page("GET", "/models/<model>/findings", needs=VIEWER)
def findings(model: str) -> str:
    """List what is open, then what is snoozed, then what was, newest first."""
    before, show = request.args.get("before"), request.args.get("show", "")
    show = show if show in SHOWN else ""
    whose = security.caller_of_page().called if show == "mine" else None
    is_newest, of = not before, service().catalogue().model(model).model
    now = service().clock()
    asked = spans.asked(request.args, now)
    period = spans.period_of({} if asked.problem else request.args, now)
    opened = noticed.open_findings(service(), model) if is_newest and show != "closed" else []
    wanted = [
        one
        for one in opened
        if whose in (None, one.assigned_to) and (not period or noticed.was_open_in(one, *period))
    ]
    awake, snoozed = part_snoozed(wanted, now)
    page = noticed.FindingPage([], None)
    if show in ("", "mine", "closed"):
        page = noticed.listed(
            *(service(), model),
            state="closed",
            assigned_to=whose,
            limit=CLOSED_A_PAGE,
            before=before,
            period=period,
        )
    return render_template(
        "findings.html",
        model=of,
        show=show,
        shows=SHOWN,
        open=awake if show != "snoozed" else [],
        snoozed=snoozed if show != "open" else [],
        page=page,
        before=before,
        asked=replace(spans.shown(request.args, now), problem=asked.problem),
        here=address_of("pages.findings", (*TIMES, "was", "show").__contains__),
        sent_to=[to.shown for to in addresses_of(service(), of.key)],
        wrong_reasons=wrong_reasons_of(service(), model, *(period or (None, now)))
        if is_newest
        else None,
    )


@blueprint.page("GET", "/models/<model>/findings/<id>", needs=VIEWER)
def finding(model: str, id: str) -> str:
    """Tell all that is known of one finding, and what to do about it."""
    found = noticed.finding(service(), model, id)
    figures, tables = readable(found.evidence)
    stands = standing(model)
    can_refit = found.is_open and found.kind in REFITTED and stands.champion is not None
    return render_template(
        "finding.html",
        **shown(stands),
        finding=found,
        step=next_step(stands) if can_refit and security.may("operator") else None,
        drawn=build_evidence(service(), model, found),
        figures=figures,
        tables=tables,
        steps=_steps(found.kind, model),
        roads=_roads(found),
        most_note=noticed.MOST_NOTE,
        most_name=noticed.MOST_NAME,
        is_snoozed=found.is_snoozed(service().clock()),
        snoozes={
            word: said
            for word, (said, _) in SNOOZES.items()
            if word != "graver" or found.gravity != GRAVEST_FIRST[0]
        },
        people=noticed.known_people(service()) if security.may("judge") else [],
    )


def _roads(found: Finding) -> list[tuple[Delivery | None, str]]:
    """Return how far a finding is by each road, and where that leads now."""
    now = {road_to(to): to.shown for to in addresses_of(service(), found.model)}
    told = [(service().store.deliveries.of(found.id, by), now.get(by, "")) for by in get_args(Road)]
    return [(sent, to) for sent, to in told if sent or to]


def _steps(kind: FindingKind, model: str) -> list[Step]:
    """Return where to go on; rows are judged only where some are left for it."""
    steps = STEPS.get(kind, (_MONITOR, _RULES))
    if _AUDITS not in steps or audit.room(service(), model).is_there:
        return list(steps)
    return [one for one in steps if one is not _AUDITS]


@blueprint.page("POST", "/models/<model>/findings/<id>", needs=JUDGE)
def acknowledge(model: str, id: str) -> Response:
    """Note that somebody has seen it, and what they say of it."""
    by, note = security.caller_of_page().called, request.form.get("note", "")

    def work() -> str:
        seen = noticed.acknowledge(service(), model, id, by=by, note=note)
        if (seen.acknowledged_by, seen.note) == (by, note.strip()):
            return "Noted: you have seen it. It stays open until its symptom is gone."
        kept = " Your note is kept beside it." if note.strip() else ""
        return f"{seen.acknowledged_by} had seen it before you; that stays.{kept}"

    return _change(model, id, work)


@blueprint.page("POST", "/models/<model>/findings/<id>/notes", needs=JUDGE)
def note_finding(model: str, id: str) -> Response:
    """Write a note beside a finding."""
    by, text = security.caller_of_page().called, request.form.get("text", "")

    def work() -> str:
        noticed.note_finding(service(), model, id, by=by, text=text)
        return "Your note is kept."

    return _change(model, id, work)


@blueprint.page("POST", "/models/<model>/findings/<id>/assign", needs=JUDGE)
def assign_finding(model: str, id: str) -> Response:
    """Say who works on a finding."""

    def work() -> str:
        found = noticed.assign_finding(service(), model, id, to=request.form.get("to", ""))
        return f"{found.assigned_to or 'Nobody'} works on it."

    return _change(model, id, work)


@blueprint.page("POST", "/models/<model>/findings/<id>/snooze", needs=JUDGE)
def snooze_finding(model: str, id: str) -> Response:
    """Let a finding bother nobody for a while."""
    by = security.caller_of_page().called

    def work() -> str:
        found = noticed.snooze_finding(service(), model, id, by=by, until=_end_of_snooze())
        until = found.snooze.until if found.snooze else None
        said = "it gets graver" if until is None else short_time(until)
        return f"Snoozed until {said}. It stays open; where it gets graver it wakes at once."

    return _change(model, id, work)


@blueprint.page("POST", "/models/<model>/findings/<id>/wake", needs=JUDGE)
def wake_finding(model: str, id: str) -> Response:
    """End the snooze of a finding."""

    def work() -> str:
        noticed.wake_finding(service(), model, id)
        return "It is snoozed no more."

    return _change(model, id, work)


def _end_of_snooze() -> float | None:
    """Read what the form says; what it does not offer is asked for again."""
    word, until = request.form.get("for", ""), request.form.get("until", "").strip()
    if word not in SNOOZES:
        raise wrong_field("for", word, f"one of {', '.join(SNOOZES)}")
    if word == "until" and not until:
        raise wrong_field("until", until, MOMENT_EXPECTED)
    return noticed.end_of_snooze(service(), until if word == "until" else None, SNOOZES[word][1])


def _change(model: str, id: str, work: Callable[[], str]) -> Response:
    """Do what a form asks for, say what came of it, and show the finding again."""
    security.check_csrf()
    try:
        tell(work())
    except UnrotError as error:
        refuse(error)
    return go(url_for("pages.finding", model=model, id=id))
