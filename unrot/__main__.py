"""`python -m unrot`, or `unrot` where it is installed: the command line."""

import os
import sys

from unrot.cli.main import main
from unrot.core.logs import log_the_uncaught


def run_command() -> int:
    """Run what stands on the command line; return the exit status.

    A module of one's own is found in the folder that one is in, as by `python -m`.
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    log_the_uncaught()
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run_command())
