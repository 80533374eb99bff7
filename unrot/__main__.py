"""`python -m unrot`: the command line."""

import sys

from unrot.cli.main import main
from unrot.core.logs import log_the_uncaught

if __name__ == "__main__":
    log_the_uncaught()
    sys.exit(main(sys.argv[1:]))
