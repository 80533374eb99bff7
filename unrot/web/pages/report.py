"""The report of a period, as a file to hand on: of the time that the monitor shows, else a week."""

from __future__ import annotations

from flask import Response, request

from unrot.core.errors import Invalid
from unrot.watch.reports.period import report_period
from unrot.web import spans
from unrot.web.api.reports import answer_report
from unrot.web.current import service
from unrot.web.pages.models import blueprint
from unrot.web.routes import VIEWER
from unrot.web.spans import AskedRange


@blueprint.page("GET", "/models/<model>/report", needs=VIEWER)
def report(model: str) -> Response:
    """Hand out the file; `inline=1` opens it in the browser."""
    made = report_period(service(), model, _asked().span)
    return answer_report(made, is_inline=request.args.get("inline") == "1")


def _asked() -> AskedRange:
    now = service().clock()
    asked = spans.asked(request.args, now)
    if asked.problem:
        raise Invalid(asked.problem)
    return asked if asked.is_given else spans.of_range(spans.RANGES[3], now)
