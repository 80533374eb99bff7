"""A report as one HTML file that opens anywhere: its styles and charts are in it, scripts are not.

It is drawn without Flask, so that the command line writes the same file as the pages and the API.
Whatever it refers to is in it: a policy in its own head refuses all else.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from unrot import __version__
from unrot.core.places import find_part
from unrot.core.plurals import counted, plural
from unrot.core.records import FINDING_KINDS, Finding, Schema
from unrot.core.time import bare_time, short_time, spoken_age
from unrot.watch.heads import called as column_called
from unrot.watch.heads import head_of
from unrot.watch.reports.period import Reached, Report
from unrot.watch.reports.signs import FEWEST_VERDICTS
from unrot.web.charts.axes import brief
from unrot.web.charts.drift import FAR_BUT
from unrot.web.charts.monitor import build_monitor
from unrot.web.wording import called, iso, number, percent

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Of the file, and of the answer that has it."""
SHEETS = ("app", "charts", "report")


@cache
def _drawer() -> Environment:
    made = Environment(
        loader=FileSystemLoader(find_part("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    filters = (
        counted,
        plural,
        bare_time,
        short_time,
        spoken_age,
        iso,
        number,
        percent,
        called,
        brief,
    )
    made.filters.update({one.__name__: one for one in filters})
    made.filters.update({"reached": describe_reached, "before": describe_difference})
    made.filters.update({"head": head_of, "column": column_called})
    return made


@cache
def _styles() -> Markup:
    folder = find_part("static") / "css"
    sheets = [(folder / f"{name}.css").read_text("utf-8") for name in SHEETS]
    said = "\n".join(sheets).replace("</", "<\\/")
    return Markup(said)  # nosec B704  # our own style sheets, which end no element


def render_report(report: Report) -> str:
    """Write a report as a file."""
    found, model = report.condition, report.model
    charts = build_monitor(model, found, lambda *_: "", _nowhere, None)
    return (
        _drawer()
        .get_template("report.html")
        .render(
            report=report,
            model=model,
            found=found,
            charts=(*([charts.accuracy] if report.now.is_enough else []), charts.traffic),
            kinds={kind: words.called for kind, words in FINDING_KINDS.items()},
            styles=_styles(),
            policy=POLICY,
            version=__version__,
            fewest=FEWEST_VERDICTS,
            far_but=FAR_BUT,
        )
    )


def name_of_file(report: Report) -> str:
    """Name the file: whose it is, and until when."""
    return f"{report.model.name}-{iso(report.span.until - 1)[:10]}.html"


def describe_reached(reached: Reached, schema: Schema) -> str:
    """Say how right it was, with the bounds.

    >>> from unrot.watch.statistics.accuracy import Scored, share
    >>> schema = Schema((), "left", ("no", "yes"))
    >>> describe_reached(Reached(200, 100, share(90, 100), Scored(0)), schema)
    '90 % (82.6 % to 94.5 %)'
    >>> describe_reached(Reached(200, 3, share(3, 3), Scored(0)), schema)
    'too few verdicts to say'
    """
    if not reached.is_enough:
        return "too few verdicts to say" if reached.judged else "no verdict"
    if schema.is_classifier:
        told = reached.share
        return f"{percent(told.value or 0.0)} ({percent(told.low)} to {percent(told.high)})"
    low, high = reached.error_bounds or (0.0, 0.0)
    return f"off by {brief(reached.errors.mae or 0.0)} ({brief(low)} to {brief(high)})"


def describe_difference(report: Report) -> str:
    """Say whether the period differs from the one before by more than chance explains."""
    now, before = report.now, report.before
    if not (now.is_enough and before.is_enough):
        return "There are too few verdicts to compare this period with the one before."
    if report.model.schema.is_classifier:
        bounds = [(one.share.low, one.share.high) for one in (now, before)]
        above, below = "more often right", "less often right"
    else:
        bounds = [one.error_bounds or (0.0, 0.0) for one in (now, before)]
        above, below = "farther off", "less far off"
    (low, high), (low_before, high_before) = bounds
    if low > high_before:
        return f"It was {above} than in the period before; chance hardly explains it."
    if high < low_before:
        return f"It was {below} than in the period before; chance hardly explains it."
    return "The intervals of this period and the one before overlap: it may be chance."


def _nowhere(_: Finding) -> str:
    return ""
