"""`python -m unrot`: the command line."""

import sys

from unrot.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
