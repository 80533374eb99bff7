"""The REST route of the report of a period: one HTML file."""

from __future__ import annotations

from typing import Annotated

from flask import Response

from unrot.watch.reports.period import USUAL_SECONDS, Report, report_period, span_of
from unrot.web import moments, report_file
from unrot.web.api.parameters import ModelName
from unrot.web.current import service
from unrot.web.routes import VIEWER, route
from unrot.web.shape import Shape

HTML = "text/html"
POLICY = f"{report_file.POLICY}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class PeriodQuery(Shape):
    """Of which period; a week until now if nothing is given."""

    from_: Annotated[moments.Given, "From when on: ISO 8601 or seconds since 1970."] = None
    to: Annotated[moments.Given, "Until when; now if not given."] = None


@route("GET", "/models/<model>/report", needs=VIEWER, tag="watching", answers_file=HTML)
def report(model: ModelName, query: PeriodQuery) -> Response:
    """Tell how a model did over a period, as one HTML file that opens anywhere.

    Its styles and charts are in it. What it says of now is of the moment when it is made.
    """
    until = service().clock() if query.to is None else query.to
    usual = (max(0.0, until - USUAL_SECONDS), until)
    span = span_of(*moments.between(query.from_, query.to, usual=usual))
    return answer_report(report_period(service(), model, span), is_inline=False)


def answer_report(made: Report, *, is_inline: bool) -> Response:
    """Answer with the file, which may do nothing but show itself."""
    answer = Response(report_file.render_report(made), mimetype=HTML)
    answer.headers["Content-Security-Policy"] = POLICY
    kind = "inline" if is_inline else "attachment"
    answer.headers.set("Content-Disposition", kind, filename=report_file.name_of_file(made))
    return answer
