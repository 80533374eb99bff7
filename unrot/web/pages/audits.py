"""The page of an audit: one row at a time, a verdict with one key, the next row.

All of it is forms, which a script sends in the background. A wrong answer of a model with many
classes is asked for the right one before anything is kept.
"""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template, request, url_for

from unrot.core.errors import Detail, Invalid, UnrotError
from unrot.core.records import JudgedPrediction, Schema
from unrot.learn.promote import last_gate
from unrot.watch import audit as audits
from unrot.web import security
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.forms import number_or_text
from unrot.web.pages.models import blueprint
from unrot.web.pages.standing import go, refuse, shown, standing
from unrot.web.reading import whole_or_text
from unrot.web.routes import JUDGE

KEYS = "123456789"
"""One for each class that it might really have been; with more classes one is searched for."""
LOOKED_AT = 10
"""The newest versions that are asked whether they want an audit."""


@blueprint.page("GET", "/models/<model>/audits", needs=JUDGE)
def list_audits(model: str) -> str:
    """List the audits of a model, and begin or go on with one."""
    stands = standing(model)
    states = [
        audits.state_of(service(), audit) for audit in audits.listed(service(), model)[:LOOKED_AT]
    ]
    room = audits.room(service(), model)
    return render_template("audits.html", **shown(stands), audits=states, room=room)


@blueprint.page("POST", "/models/<model>/audits", needs=JUDGE)
def begin_audit(model: str) -> Response:
    """Begin an audit, or go on with the one that has rows left."""
    security.check_csrf()
    rows = request.form.get("rows", str(audits.ROWS)).strip()
    try:
        count = whole_or_text(rows) if rows.isdecimal() else audits.ROWS
        audit, _ = audits.begin(service(), model, count)
    except UnrotError as error:
        refuse(error)
        return go(url_for("pages.list_audits", model=model))
    return go(url_for("pages.audit", id=audit.id))


@blueprint.page("GET", "/audits/<id>", needs=JUDGE)
def audit(id: str) -> Response:
    """Show the next row of an audit."""
    return _page(id, after=request.args.get("after"))


@blueprint.page("POST", "/audits/<id>", needs=JUDGE)
def judge_row(id: str) -> Response:
    """Keep a verdict, ask what it really was, skip a row, or take the last verdict back."""
    security.check_csrf()
    form = request.form
    row, step = form.get("id", ""), form.get("step", "")
    if step == "undo":
        return _undone(id, row)
    if step in ("skip", "back"):
        return _page(id, after=row if step == "skip" else None, row=row if step == "back" else None)
    found = audits.state(service(), id, row=row)
    schema = service().catalogue().by_key(found.audit.model).model.schema
    label = form.get("label", "").strip()
    if step == "wrong" and not label and schema.is_classifier and len(schema.classes) > 2:
        return _page(id, row=row, is_asking=True)
    try:
        given = _given(row, step, label, found.next, schema)
        _, status = audits.verdict(service(), id, given, security.caller_of_page())
    except UnrotError as error:
        return _page(id, row=row, is_asking=step == "wrong", problem=error, label=label)
    return _page(id, after=row, last=row, is_queued=status == "queued", said=_spoken(given))


def _undone(id: str, row: str) -> Response:
    try:
        audits.take_back(service(), id, row, security.caller_of_page())
    except UnrotError as error:
        return _page(id, row=row, problem=error)
    return _page(id, row=row)


def _given(
    row: str, step: str, label: str, judged: JudgedPrediction | None, schema: Schema
) -> dict[str, Any]:
    if not schema.is_classifier:
        if not label:
            detail = Detail("label", label, "a number: what it really was")
            raise Invalid("Say what it really was, as a number, or skip the row.", details=[detail])
        return {"id": row, "label": number_or_text(label)}
    if step == "right":
        return {"id": row, "was_correct": True}
    if label:
        return {"id": row, "label": label}
    others = _others(judged, schema)
    if len(schema.classes) == 2 and others:
        return {"id": row, "label": others[0]}
    return {"id": row, "was_correct": False}


def _others(judged: JudgedPrediction | None, schema: Schema) -> list[str]:
    said = judged.prediction.label if judged is not None else None
    return [name for name in schema.classes if name != said]


def _spoken(given: dict[str, Any]) -> str:
    if given.get("was_correct"):
        return "right"
    return f"wrong, it was {given['label']}" if "label" in given else "wrong"


def _page(
    id: str,
    *,
    after: str | None = None,
    row: str | None = None,
    problem: UnrotError | None = None,
    **more: Any,
) -> Response:
    state = audits.state(service(), id, after=after, row=row)
    model = service().catalogue().by_key(state.audit.model).model
    others = _others(state.next, model.schema)
    said = {
        "state": state,
        "model": model,
        "others": others,
        "keys": KEYS if len(others) <= len(KEYS) else "",
        "problem": problem.message if problem is not None else "",
        "wants": [] if state.left else _wanting(model.name),
        **more,
    }
    is_fragment = request.headers.get("X-Fragment") == "1"
    if is_fragment:
        answer = make_response(render_template("_audit.html", **said))
        answer.headers["X-Fragment"] = "1"
    else:
        answer = make_response(
            render_template("audit.html", **{**shown(standing(model.name)), **said})
        )
    answer.status_code = status_of(problem) if problem is not None else 200
    return answer


def _wanting(model: str) -> list[str]:
    """Return the newest versions of which the gate said last that an audit would decide."""
    stands = standing(model)
    names = [one.name for one in stands.versions[::-1][:LOOKED_AT] if not one.is_pruned]
    found = {name: last_gate(service(), stands.model.key, name) for name in names}
    return [
        name
        for name, said in found.items()
        if said is not None
        and (said.wants_audit or said.decision == "undecided")
        and not stands.called(name)
    ]
