"""The REST routes of findings and of the rules by which they are found."""

from __future__ import annotations

from typing import Any, cast, get_args

from flask import Blueprint, Response, request

from unrot.core.errors import Detail, Invalid
from unrot.core.ports import FindingState
from unrot.core.records import Delivery
from unrot.core.rules import describe
from unrot.watch import findings as noticed
from unrot.watch.alerts import finding_shape
from unrot.web.api import shapes
from unrot.web.api.envelope import body_object, parameters, success
from unrot.web.api.models import limit_of
from unrot.web.current import service
from unrot.web.security import caller_of_api, needs

blueprint = Blueprint("findings_api", __name__, url_prefix="/api/v1/models/<model>")


@blueprint.get("/findings")
@needs("viewer")
def findings(model: str) -> Response:
    """List a model's findings by when they were opened, newest first."""
    page = noticed.listed(
        service(),
        model,
        state=_state(request.args.get("state", "all")),
        limit=limit_of(request.args.get("limit", "50")),
        before=request.args.get("before"),
    )
    found = [finding_shape(one) for one in page.rows]
    return success({"findings": found, "next": page.next_before})


@blueprint.get("/findings/<id>")
@needs("viewer")
def finding(model: str, id: str) -> Response:
    """Tell of one finding, and how far it is on its way to a webhook."""
    found = noticed.finding(service(), model, id)
    sent = service().store.deliveries.of(found.id)
    return success({**finding_shape(found), "delivery": _delivery(sent)})


@blueprint.post("/findings/<id>/acknowledge")
@needs("judge")
def acknowledge(model: str, id: str) -> Response:
    """Note that a person has seen a finding; who was first stays."""
    given = parameters()
    for name, value in given.items():
        if name != "note" or not isinstance(value, str):
            detail = Detail(name[:80], value, 'only "note": a text')
            raise Invalid(detail.sentence, details=[detail])
    caller = caller_of_api()
    seen = noticed.acknowledge(
        service(), model, id, by=caller.judge or caller.role, note=given.get("note", "")
    )
    return success(finding_shape(seen))


@blueprint.get("/rules")
@needs("viewer")
def rules(model: str) -> Response:
    """Say what counts as a symptom of a model."""
    return success(describe(noticed.rules(service(), model)))


@blueprint.put("/rules")
@needs("operator")
def change_rules(model: str) -> Response:
    """Change some of what counts as a symptom of a model."""
    return success(describe(noticed.change_rules(service(), model, body_object())))


def _state(text: str) -> FindingState:
    if text not in get_args(FindingState):
        detail = Detail("state", text, "open, closed or all")
        raise Invalid(detail.sentence, details=[detail])
    return cast(FindingState, text)


def _delivery(sent: Delivery | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    return {
        "to": sent.target,
        "attempts": sent.attempts,
        "delivered_at": None if sent.delivered_at is None else shapes.moment(sent.delivered_at),
        "next_at": None if sent.next_at is None else shapes.moment(sent.next_at),
        "error": sent.error or None,
    }
