"""The page of what would teach most: a judge says of each row what it is."""

from __future__ import annotations

from flask import Response, render_template, request, url_for

from unrot.core.errors import UnrotError
from unrot.hear.verdicts import ASKED
from unrot.watch.reports.ask import find_questions
from unrot.web import security
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.pages.standing import go, refuse, shown, standing, tell
from unrot.web.routes import JUDGE

SIDE_BY_SIDE = 8
"""Of more classes the right one is chosen on the page of the prediction."""


@blueprint.page("GET", "/models/<model>/ask", needs=JUDGE)
def ask_judges(model: str) -> str:
    """Show the recent predictions whose verdict would teach most."""
    stands = standing(model)
    found = find_questions(service(), model)
    return render_template("ask.html", **shown(stands), found=found, side_by_side=SIDE_BY_SIDE)


@blueprint.page("POST", "/models/<model>/ask", needs=JUDGE)
def judge_asked(model: str) -> Response:
    """Keep what a judge says that a row is."""
    security.check_csrf()
    form = request.form
    given = {"id": form.get("id"), "label": form.get("label") or None, ASKED: form.get(ASKED)}
    try:
        service().judge(given, security.caller_of_page())
        tell("Thank you: that is kept.")
    except UnrotError as error:
        refuse(error)
    return go(url_for("pages.ask_judges", model=model))
