"""The REST routes of findings and of the rules by which they are found."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from unrot.core import records
from unrot.core.ports import FindingState
from unrot.core.records import Caller, FindingKind, Gravity, Road
from unrot.core.rules import describe
from unrot.watch import findings as noticed
from unrot.watch.alerts import finding_shape
from unrot.web.api.envelope import body_object
from unrot.web.api.parameters import ModelName, Page
from unrot.web.current import name_of, service
from unrot.web.openapi.options import Rules, RulesBody
from unrot.web.routes import JUDGE, OPERATOR, VIEWER, route
from unrot.web.shape import Expects, From, Keywords, Moment, Shape, TextOrNull

FindingId = Annotated[str, "The id of a finding.", Keywords(example="0a1b2c3d4e5f6071")]
ONLY_A_NOTE = 'only "note": a text'
ONLY_A_NAME = 'only "to": a name, or an empty text for nobody'
ONLY_A_TEXT = 'only "text": a text'
ONLY_UNTIL = 'only "until", a time such as 2026-01-02T09:00:00Z, or "seconds", a whole number'


class FindingsQuery(Page):
    """Which findings to list."""

    state: Annotated[FindingState, "Which ones; what is snoozed is open as well."] = "all"
    assigned_to: Annotated[str | None, "Whose."] = None


class NoteBody(Shape, named=True, closed=True, only=ONLY_A_NOTE):
    """What the person who acknowledges a finding writes."""

    note: Annotated[str, Keywords(maxLength=noticed.MOST_NOTE), Expects(ONLY_A_NOTE)] = ""


class AssignBody(Shape, named=True, closed=True, only=ONLY_A_NAME):
    """Who works on a finding."""

    to: Annotated[str, Keywords(maxLength=noticed.MOST_NAME), Expects(ONLY_A_NAME)] = ""


class SnoozeBody(Shape, named=True, closed=True, only=ONLY_UNTIL):
    """For how long; with neither until it gets graver."""

    until: Annotated[str | None, Keywords(format="date-time"), Expects(ONLY_UNTIL)] = None
    seconds: Annotated[int | None, Keywords(minimum=60), Expects(ONLY_UNTIL)] = None


class FindingNoteBody(Shape, named=True, closed=True, only=ONLY_A_TEXT):
    """What is to be remembered beside a finding."""

    text: Annotated[str, Keywords(maxLength=noticed.MOST_NOTE), Expects(ONLY_A_TEXT)] = ""


class Acknowledged(Shape):
    """Who has seen a finding first."""

    at: Moment
    by: str
    note: str


class Snoozed(Shape):
    """Who wants to hear no more of it, and until when."""

    by: str
    until: Annotated[Moment | None, "Null until it gets graver."]


class Note(Shape):
    """What a person wrote beside a finding."""

    at: Moment
    by: str
    text: str


class Finding(Shape, named=True):
    """Something a monitor noticed, with its evidence and what to do about it."""

    id: str
    model: str
    cause: Annotated[str, "What is the same for all symptoms of one finding."]
    kind: FindingKind
    gravity: Gravity
    state: Literal["open", "closed"]
    head: Annotated[str, "What it is, in at most 60 characters."]
    sentence: str
    advice: str
    features: list[str]
    evidence: Annotated[dict[str, Any], "The numbers, by the kind of finding."]
    since: Moment
    opened_at: Moment
    updated_at: Moment
    closed_at: Moment | None
    acknowledged: Acknowledged | None
    assigned_to: str | None
    snoozed: Annotated[Snoozed | None, "While it is."]
    notes: Annotated[list[Note], "The oldest first."]


class Delivery(Shape):
    """How far a finding is on its way by one road."""

    by: Road
    to: Annotated[str, "Without what is secret of the address.", From("target")]
    attempts: int
    delivered_at: Moment | None
    next_at: Moment | None
    error: TextOrNull


class FindingAnswer(Finding, named=True):
    """A finding, and how far it is on its way."""

    delivery: Annotated[Delivery | None, "To the webhook."]
    mail: Annotated[Delivery | None, "To mailboxes."]


class Findings(Shape, named=True):
    """A page of findings."""

    findings: list[Finding]
    next: str | None


@route("GET", "/models/<model>/findings", needs=VIEWER, tag="watching")
def findings(model: ModelName, query: FindingsQuery) -> Findings:
    """List a model's findings by when they were opened, newest first."""
    page = noticed.listed(
        service(),
        model,
        state=query.state,
        assigned_to=query.assigned_to,
        limit=query.limit,
        before=query.before,
    )
    return Findings(findings=[_shown(one) for one in page.rows], next=page.next_before)


@route("GET", "/models/<model>/findings/<id>", needs=VIEWER, tag="watching")
def finding(model: ModelName, id: FindingId) -> FindingAnswer:
    """Tell of one finding, and how far it is on its way to a webhook and to mailboxes."""
    found = noticed.finding(service(), model, id)
    sent = {by: service().store.deliveries.of(found.id, by) for by in get_args(Road)}
    told = {by: Delivery.of(one) if one else None for by, one in sent.items()}
    return FindingAnswer(**_shape(found), delivery=told["webhook"], mail=told["mail"])


@route(
    "POST",
    "/models/<model>/findings/<id>/acknowledge",
    needs=JUDGE,
    tag="watching",
    takes_nothing=True,
    examples={"note": {"note": "The sensor was changed."}},
)
def acknowledge(model: ModelName, id: FindingId, body: NoteBody, caller: Caller) -> Finding:
    """Note that a person has seen a finding; who was first stays. Needs a judge's token."""
    return _shown(noticed.acknowledge(service(), model, id, by=caller.called, note=body.note))


@route(
    "POST",
    "/models/<model>/findings/<id>/notes",
    needs=JUDGE,
    tag="watching",
    errors=(409,),
    examples={"note": {"text": "The supplier answers on Monday."}},
)
def note_finding(model: ModelName, id: FindingId, body: FindingNoteBody, caller: Caller) -> Finding:
    """Write a note beside a finding. Needs a judge's token."""
    return _shown(noticed.note_finding(service(), model, id, by=caller.called, text=body.text))


@route(
    "POST",
    "/models/<model>/findings/<id>/assign",
    needs=JUDGE,
    tag="watching",
    examples={"ada": {"to": "ada"}, "nobody": {"to": ""}},
)
def assign_finding(model: ModelName, id: FindingId, body: AssignBody) -> Finding:
    """Say who works on a finding; an empty name is nobody. Needs a judge's token."""
    return _shown(noticed.assign_finding(service(), model, id, to=body.to))


@route(
    "POST",
    "/models/<model>/findings/<id>/snooze",
    needs=JUDGE,
    tag="watching",
    takes_nothing=True,
    errors=(409,),
    examples={"an hour": {"seconds": 3_600}, "until": {"until": "2026-01-02T09:00:00Z"}},
)
def snooze_finding(model: ModelName, id: FindingId, body: SnoozeBody, caller: Caller) -> Finding:
    """Let an open finding bother nobody until a moment, or until it gets graver.

    It stays open and comes back by itself, at once where it gets graver. Needs a judge's token.
    """
    until = noticed.end_of_snooze(service(), body.until, body.seconds)
    return _shown(noticed.snooze_finding(service(), model, id, by=caller.called, until=until))


@route(
    "POST",
    "/models/<model>/findings/<id>/wake",
    needs=JUDGE,
    tag="watching",
    takes_nothing=True,
)
def wake_finding(model: ModelName, id: FindingId) -> Finding:
    """End the snooze of a finding. Needs a judge's token."""
    return _shown(noticed.wake_finding(service(), model, id))


@route("GET", "/models/<model>/rules", needs=VIEWER, tag="watching")
def rules(model: ModelName) -> Rules:
    """Say what counts as a symptom of a model."""
    return describe(noticed.rules(service(), model))


@route(
    "PUT",
    "/models/<model>/rules",
    needs=OPERATOR,
    tag="watching",
    body=RulesBody,
    examples={
        "some": {"distance": 0.2, "least_accuracy": 0.8},
        "feature": {"features": {"sepal_width_cm": {"distance": 0.3}}},
    },
)
def change_rules(model: ModelName) -> Rules:
    """Change some of what counts as a symptom of a model."""
    return describe(noticed.change_rules(service(), model, body_object()))


def _shown(found: records.Finding) -> Finding:
    return Finding(**_shape(found))


def _shape(found: records.Finding) -> dict[str, Any]:
    model = service().catalogue().model(name_of(found.model)).model
    return finding_shape(found, model, service().clock())
