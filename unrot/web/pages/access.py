"""The pages of who may and who did: tokens of persons, and the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields

from flask import Response, make_response, render_template, request, url_for

from unrot.core.errors import NotFound, UnrotError
from unrot.core.records import Action
from unrot.core.time import iso_time
from unrot.make.csv.writing import csv_lines, harmless
from unrot.serve.tokens import Fresh, make_token
from unrot.web import security
from unrot.web.api.audit_log import entry_number, next_of
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.pages.models import blueprint, who
from unrot.web.pages.standing import go, refuse, tell
from unrot.web.reading import whole_or_text
from unrot.web.routes import OPERATOR
from unrot.web.uploads import attachment

ENTRIES_A_PAGE = 50
COLUMNS = [one.name for one in fields(Action)]
FILES = {"csv": "text/csv", "jsonl": "application/jsonl"}


# ── who may ──────────────────────────────────────────────────────────────────────────────────


@blueprint.page("GET", "/tokens", needs=OPERATOR)
def list_tokens() -> Response:
    """List the tokens of persons."""
    return _tokens_page()


@blueprint.page("POST", "/tokens", needs=OPERATOR)
def add_token() -> Response:
    """Make a token and show it, once: the answer is the only place where it stands."""
    security.check_csrf()
    form, known = request.form, service()
    days = form.get("days", "").strip()
    try:
        fresh = make_token(
            *(known.store.tokens, known.settings, form.get("name", "").strip()),
            *(form.get("role", ""), whole_or_text(days) if days else None),
            by=who(),
            now=known.clock(),
        )
    except UnrotError as error:
        return _tokens_page(problem=error)
    known.tokens.look_again()
    return _tokens_page(fresh=fresh)


@blueprint.page("POST", "/tokens/revoke", needs=OPERATOR)
def revoke_token() -> Response:
    """Let a token be good no longer, with the sessions that it opened."""
    security.check_csrf()
    name = request.form.get("name", "")
    try:
        service().store.tokens.revoke(name, service().clock())
        service().tokens.look_again()
        tell(f"The token of {name} is revoked: every worker refuses it within two seconds.")
    except UnrotError as error:
        refuse(error)
    return go(url_for("pages.list_tokens"))


def _tokens_page(fresh: Fresh | None = None, problem: UnrotError | None = None) -> Response:
    page = render_template(
        "tokens.html",
        tokens=service().store.tokens.all(),
        now=service().clock(),
        fresh=fresh,
        problem=problem,
        typed=request.form,
    )
    return make_response(page, 200 if problem is None else status_of(problem))


# ── who did ──────────────────────────────────────────────────────────────────────────────────


@blueprint.page("GET", "/audit-log", needs=OPERATOR)
def read_audit_log() -> str:
    """Show who did what, newest first."""
    typed = request.args.get("before", "")
    try:
        before = entry_number(typed) if typed else None
    except ValueError:
        raise NotFound("There is no such entry of the audit log.") from None
    found = service().store.audit_log.newest(ENTRIES_A_PAGE, before)
    older = next_of(found, ENTRIES_A_PAGE)
    return render_template("audit_log.html", entries=found, before=before, older=older)


@blueprint.page("GET", "/audit-log.<ending>", needs=OPERATOR)
def save_audit_log(ending: str) -> Response:
    """Save all of it, oldest first, as CSV or as JSON lines."""
    if ending not in FILES:
        raise NotFound("The audit log is saved as audit-log.csv or audit-log.jsonl.")
    found = service().store.audit_log.all()
    lines = _csv(found) if ending == "csv" else _json_lines(found)
    answer = Response(lines, mimetype=FILES[ending])
    answer.headers["Content-Disposition"] = attachment(f"audit-log.{ending}")
    return answer


def _csv(found: Iterable[Action]) -> Iterator[bytes]:
    yield csv_lines([COLUMNS], ",")
    for one in found:
        said = {**asdict(one), "at": iso_time(one.at)}
        cells = (said[name] for name in COLUMNS)
        yield csv_lines(
            [[harmless(cell) if isinstance(cell, str) else cell for cell in cells]], ","
        )


def _json_lines(found: Iterable[Action]) -> Iterator[bytes]:
    for one in found:
        yield json.dumps({**asdict(one), "at": iso_time(one.at)}).encode() + b"\n"
