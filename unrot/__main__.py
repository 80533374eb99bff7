"""`python -m unrot`, or `unrot` where it is installed: the command line."""

import os
import sys

from unrot.cli.main import main
from unrot.core.logs import log_the_uncaught
from unrot.watch.reports.period import Report


def run_command() -> int:
    """Run what stands on the command line; return the exit status.

    A module of one's own is found in the folder that one is in, as by `python -m`.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    log_the_uncaught()
    return main(sys.argv[1:], render=render_report)


def render_report(report: Report) -> str:
    """Draw a report as the pages do."""
    # Templates and charts are loaded for this command alone.
    from unrot.web import report_file

    return report_file.render_report(report)


if __name__ == "__main__":
    sys.exit(run_command())
