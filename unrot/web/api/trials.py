"""The REST routes of audits and of two versions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from unrot.core.records import Schema
from unrot.learn import compare as comparison
from unrot.watch import audit as audits
from unrot.watch.audit import AuditState
from unrot.web.api.parameters import ModelName, VersionName
from unrot.web.api.records import KeptPrediction, TestSetOrNull, kept_prediction
from unrot.web.current import Called, service
from unrot.web.routes import JUDGE, VIEWER, Coded, route
from unrot.web.shape import From, Keywords, Moment, Shape, Written

MOST_LISTED = 20

AuditId = Annotated[str, "The id of an audit.", Keywords(example="0a1b2c3d4e5f6071")]
OtherVersion = Annotated[str, "The name of another version.", Keywords(example="v2")]
Cell = Annotated[Any | None, "A class or a number."]


# ── audits ───────────────────────────────────────────────────────────────────────────────────


class AuditBody(Shape, named=True, closed=True, only='only "rows": how many'):
    """How many rows to draw; what an audit is judges the number."""

    rows: Annotated[Any, Keywords(type="integer", minimum=10, maximum=1000)] = audits.ROWS


class AuditRow(Shape):
    """One row of an audit."""

    id: str
    state: Literal["left", "judged", "gone"]


def audit_rows(states: Mapping[str, str]) -> list[AuditRow]:
    """List the rows of an audit."""
    return [AuditRow.of(None, id=id, state=state) for id, state in states.items()]


class AuditSummary(Shape):
    """How far an audit is."""

    id: Annotated[str, From("audit.id")]
    model: Annotated[Called, From("audit.model")]
    created_at: Annotated[Moment, From("audit.created_at")]
    all: Annotated[int, From("rows"), Written(len)]
    judged: int
    right: int
    left: int
    gone: int


class Audit(AuditSummary, named=True):
    """An audit as its judge sees it."""

    rows: Annotated[list[AuditRow], Written(audit_rows)]
    next: Annotated[
        KeptPrediction | None,
        "The next row to judge, as in the list of kept predictions; null when none is left.",
    ]


class Room(Shape):
    """What can be audited now."""

    left: Annotated[int, "Rows of the open audit that are left."]
    free: Annotated[int, "Predictions to draw from; at most 1,000."]
    can_be_audited: Annotated[bool, From("is_there")]
    sentence: str


class Audits(Shape, named=True):
    """The audits of a model, and what can be audited now."""

    audits: list[AuditSummary]
    room: Room


@route(
    "POST",
    "/models/<model>/audits",
    needs=JUDGE,
    tag="trials",
    errors=(409,),
    takes_nothing=True,
    examples={"rows": {"rows": 60}},
    also=(201,),
)
def begin_audit(model: ModelName, body: AuditBody) -> Coded[Audit]:
    """Draw a sample of recent predictions to be judged, or go on with the open one.

    201: a new sample. 200: the audit that has rows left. 409: fewer than 10 predictions can
    be sampled. Its rows are judged by `POST /api/v1/feedback` with a judge's token; what is
    said of them is never learnt, it only judges.
    """
    begun, is_new = audits.begin(service(), model, body.rows)
    return Coded(_audit(audits.state_of(service(), begun)), 201 if is_new else 200)


@route("GET", "/models/<model>/audits", needs=JUDGE, tag="trials", name="audits")
def list_audits(model: ModelName) -> Audits:
    """List the audits of a model, newest first."""
    listed = audits.listed(service(), model)[:MOST_LISTED]
    summaries = [AuditSummary.of(audits.state_of(service(), one)) for one in listed]
    return Audits(audits=summaries, room=Room.of(audits.room(service(), model)))


@route("GET", "/audits/<id>", needs=JUDGE, tag="trials")
def audit(id: AuditId) -> Audit:
    """Say how far an audit is, and which row comes next."""
    return _audit(audits.state(service(), id))


def _audit(state: AuditState) -> Audit:
    of = service().catalogue().by_key(state.audit.model).model.schema
    return Audit.of(state, next=None if state.next is None else kept_prediction(state.next, of))


# ── comparisons ──────────────────────────────────────────────────────────────────────────────


class Differing(Shape):
    """A row that two versions answer differently."""

    inputs: dict[str, Any]
    truth: Cell
    first: Cell
    second: Cell
    right: str | None


class Beside(Shape):
    """Two versions on the same rows."""

    ground: Literal["anchor", "recent verdicts"]
    rows: int
    judged: Annotated[int, From("judged.rows")]
    differ: int
    first_only_right: Annotated[int, From("judged.first_only_right")]
    second_only_right: Annotated[int, From("judged.second_only_right")]
    apart: Annotated[float | None, "The mean distance of their numbers."]
    chance: Annotated[float, "McNemar's exact p: were they equally good.", From("judged.chance")]
    agreement: float | None
    first_score: Annotated[float | None, From("judged.first_score")]
    second_score: Annotated[float | None, From("judged.second_score")]
    classes: list[str] | None
    confusions: Annotated[
        list[list[list[int]]] | None,
        "Of each version: rows are the truth, columns the answers.",
    ]
    differing: list[Differing]


class Comparison(Shape, named=True):
    """Two versions on each ground that there is."""

    model: Annotated[Called, From("first.model")]
    first: Annotated[str, From("first.name")]
    second: Annotated[str, From("second.name")]
    grounds: list[Beside]
    test_set: Annotated[TestSetOrNull, From("on")]
    missing: list[str]


@route(
    "GET",
    "/models/<model>/versions/<version>/compare/<other>",
    needs=VIEWER,
    tag="trials",
    errors=(409,),
)
def compare(model: ModelName, version: VersionName, other: OtherVersion) -> Comparison:
    """Put two versions side by side: scores, confusion matrices, rows on which they differ."""
    found = comparison.compare(service(), model, version, other)
    of = service().catalogue().model(model).model.schema
    grounds = [_beside(ground, one, of) for ground, one in found.grounds]
    return Comparison.of(found, grounds=grounds)


def _beside(ground: str, found: comparison.Beside, of: Schema) -> Beside:
    judged = found.judged
    both = [judged.first_confusion, judged.second_confusion]
    return Beside.of(
        found,
        ground=ground,
        classes=list(of.classes) or None,
        confusions=both if of.classes else None,
        differing=[
            Differing.of(row, inputs=dict(zip(of.names, row.row, strict=True)))
            for row in found.differing
        ],
    )
