"""`python -m unrot`, or `unrot` where it is installed: the command line."""

import sys

from unrot.cli.main import main


def run_command() -> int:
    """Run what stands on the command line; return the exit status."""
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run_command())
