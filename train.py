"""Train a model from the command line: `python train.py zombies`."""

import sys

from unrot.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
