"""The REST routes of audits and of two versions side by side."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from unrot.core.errors import Detail, Invalid
from unrot.core.records import Schema
from unrot.learn import compare as comparison
from unrot.learn.compare import Beside
from unrot.watch import audit as audits
from unrot.watch.audit import AuditState, Room
from unrot.web.api import shapes
from unrot.web.api.envelope import body_object, success
from unrot.web.api.learning_shapes import test_set
from unrot.web.current import service
from unrot.web.security import needs

blueprint = Blueprint("trials_api", __name__, url_prefix="/api/v1")


@blueprint.post("/models/<model>/audits")
@needs("judge")
def begin_audit(model: str) -> Response:
    """Draw a sample to be judged, or go on with the one that has rows left."""
    given = body_object() if request.content_length else {}
    for name in given:
        if name != "rows":
            detail = Detail(name[:80], given[name], 'only "rows": how many')
            raise Invalid(detail.sentence, details=[detail])
    audit, is_new = audits.begin(service(), model, given.get("rows", audits.ROWS))
    state = audits.state_of(service(), audit)
    return success(audit_shape(state), 201 if is_new else 200)


@blueprint.get("/models/<model>/audits")
@needs("judge")
def list_audits(model: str) -> Response:
    """List the audits of a model, newest first."""
    states = [audits.state_of(service(), audit) for audit in audits.listed(service(), model)[:20]]
    room = audits.room(service(), model)
    return success({"audits": [_summary(state) for state in states], "room": room_shape(room)})


@blueprint.get("/audits/<id>")
@needs("judge")
def audit(id: str) -> Response:
    """Say how far an audit is, and which row comes next."""
    return success(audit_shape(audits.state(service(), id)))


@blueprint.get("/models/<model>/versions/<version>/compare/<other>")
@needs("viewer")
def compare(model: str, version: str, other: str) -> Response:
    """Put two versions side by side."""
    found = comparison.compare(service(), model, version, other)
    of = service().catalogue().model(model).model.schema
    grounds = [{"ground": ground, **beside(one, of)} for ground, one in found.grounds]
    return success(
        {
            "model": found.first.model,
            "first": found.first.name,
            "second": found.second.name,
            "grounds": grounds,
            "test_set": test_set(found.on),
            "missing": list(found.missing),
        }
    )


def room_shape(room: Room) -> dict[str, Any]:
    """What can be audited now."""
    return {
        "left": room.left,
        "free": room.free,
        "can_be_audited": room.is_there,
        "sentence": room.sentence,
    }


def audit_shape(state: AuditState) -> dict[str, Any]:
    """An audit as its judge sees it."""
    of = service().catalogue().model(state.audit.model).model.schema
    return {
        **_summary(state),
        "rows": [{"id": id, "state": row} for id, row in state.rows.items()],
        "next": None if state.next is None else shapes.judged(state.next, of),
    }


def _summary(state: AuditState) -> dict[str, Any]:
    return {
        "id": state.audit.id,
        "model": state.audit.model,
        "created_at": shapes.moment(state.audit.created_at),
        "all": len(state.rows),
        "judged": state.judged,
        "right": state.right,
        "left": state.left,
        "gone": state.gone,
    }


def beside(found: Beside, of: Schema) -> dict[str, Any]:
    """Two versions on the same rows."""
    judged = found.judged
    return {
        "rows": found.rows,
        "judged": judged.rows,
        "agreement": found.agreement,
        "apart": found.apart,
        "first_score": judged.first_score,
        "second_score": judged.second_score,
        "first_only_right": judged.first_only_right,
        "second_only_right": judged.second_only_right,
        "chance": judged.chance,
        "classes": list(of.classes) or None,
        "confusions": [judged.first_confusion, judged.second_confusion] if of.classes else None,
        "differ": found.differ,
        "differing": [
            {
                "inputs": dict(zip(of.names, row.row, strict=True)),
                "truth": row.truth,
                "first": row.first,
                "second": row.second,
                "right": row.right,
            }
            for row in found.differing
        ],
    }
