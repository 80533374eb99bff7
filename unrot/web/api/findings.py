"""The REST routes of findings and of the rules by which they are found."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from unrot.core import records
from unrot.core.ports import FindingState
from unrot.core.records import Caller, FindingKind, Gravity
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


class FindingsQuery(Page):
    """Which findings to list."""

    state: Annotated[FindingState, "Which ones."] = "all"


class NoteBody(Shape, named=True, closed=True, only=ONLY_A_NOTE):
    """What the person who acknowledges a finding writes."""

    note: Annotated[str, Keywords(maxLength=1_000), Expects(ONLY_A_NOTE)] = ""


class Acknowledged(Shape):
    """Who has seen a finding first."""

    at: Moment
    by: str
    note: str


class Finding(Shape, named=True):
    """Something a monitor noticed, with its evidence and what to do about it."""

    id: str
    model: str
    cause: Annotated[str, "What is the same for all symptoms of one finding."]
    kind: FindingKind
    gravity: Gravity
    state: Literal["open", "closed"]
    sentence: str
    advice: str
    features: list[str]
    evidence: Annotated[dict[str, Any], "The numbers, by the kind of finding."]
    since: Moment
    opened_at: Moment
    updated_at: Moment
    closed_at: Moment | None
    acknowledged: Acknowledged | None


class Delivery(Shape):
    """How far a finding is on its way to a webhook."""

    to: Annotated[str, "Without what is secret of the address.", From("target")]
    attempts: int
    delivered_at: Moment | None
    next_at: Moment | None
    error: TextOrNull


class FindingAnswer(Finding, named=True):
    """A finding, and how far it is on its way."""

    delivery: Delivery | None


class Findings(Shape, named=True):
    """A page of findings."""

    findings: list[Finding]
    next: str | None


@route("GET", "/models/<model>/findings", needs=VIEWER, tag="watching")
def findings(model: ModelName, query: FindingsQuery) -> Findings:
    """List a model's findings by when they were opened, newest first."""
    page = noticed.listed(
        service(), model, state=query.state, limit=query.limit, before=query.before
    )
    return Findings(findings=[_shown(one) for one in page.rows], next=page.next_before)


@route("GET", "/models/<model>/findings/<id>", needs=VIEWER, tag="watching")
def finding(model: ModelName, id: FindingId) -> FindingAnswer:
    """Tell of one finding, and how far it is on its way to a webhook."""
    found = noticed.finding(service(), model, id)
    sent = service().store.deliveries.of(found.id)
    return FindingAnswer(
        **finding_shape(found, name_of(found.model)), delivery=Delivery.of(sent) if sent else None
    )


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
    return Finding(**finding_shape(found, name_of(found.model)))
