"""`python -m unrot report`: how a model did over a period, as one file to send to somebody.

The file is drawn behind the other door, the web's, which this one does not know: whoever starts
the command line hands over what draws it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unrot.cli.learn import opened
from unrot.cli.whole_files import check_free, written
from unrot.core.errors import Conflict, wrong_field
from unrot.core.settings import Settings
from unrot.core.time import MOMENT_EXPECTED, read_moment, short_time
from unrot.watch.reports.period import USUAL_SECONDS, Report, report_period, span_of

Render = Callable[[Report], str]


def add_to(commands: Any) -> None:
    """Add the command to the parser's subparsers."""
    command = commands.add_parser("report", help="write how a model did to one HTML file")
    command.add_argument("name", metavar="MODEL")
    command.add_argument("--from", dest="since", metavar="TIME", help="else a week before --to")
    command.add_argument("--to", dest="until", metavar="TIME", help="else now")
    command.add_argument("-o", "--output", type=Path, metavar="FILE", help="else MODEL-report.html")
    command.add_argument("--force", action="store_true", help="write over a file that is there")
    command.set_defaults(command=write_report)


def write_report(options: argparse.Namespace, settings: Settings) -> int:
    """Write the report of a period to a file that is whole or not there."""
    render: Render | None = options.render
    if render is None:
        raise Conflict("Nothing here can draw a report: run python -m unrot report.")
    service = opened(settings)
    until = _moment("--to", options.until, service.clock())
    since = _moment("--from", options.since, max(0.0, until - USUAL_SECONDS))
    if since >= until:
        raise wrong_field("--to", options.until, "a time after --from")
    path = options.output or Path(f"{options.name}-report.html")
    check_free(path, force=options.force)
    made = report_period(service, options.name, span_of(since, until))
    with written(path, force=options.force) as file:
        file.write(render(made).encode())
    print(
        f"{made.model.name}, {short_time(since)} to {short_time(until)}: written to {path}.",
        file=sys.stderr,
    )
    return 0


def _moment(option: str, given: str | None, usual: float) -> float:
    try:
        return usual if given is None else read_moment(given)
    except ValueError:
        raise wrong_field(option, given, MOMENT_EXPECTED) from None
