"""Turn a pickled estimator into a skops file: a process of its own that does this and ends.

    python -m unrot.make.unpickle MODEL.pkl OUT.skops

A pickle runs whatever it says while it is read. So this is done only where the owner says that the
file is trusted (`add --mlflow … --trust-pickle`), in a process that gets none of our settings and
hands over nothing but bytes that skops reads as warily as any others. No other module unpickles.
"""

from __future__ import annotations

import pickle  # nosec B403  # see above
import sys
import warnings
from pathlib import Path

from unrot.core.errors import BadArtefact, error_summary
from unrot.make import artefacts


def convert(source: Path, out: Path) -> str:
    """Convert a file; return why it cannot be, nothing where it was."""
    try:
        with source.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of another scikit-learn: the folder tells which.
            estimator = pickle.load(file)  # nosec B301  # the owner said that it is trusted
    except Exception as error:
        # Whatever it runs may raise whatever it likes.
        return f"the pickle does not load ({error_summary(error)})"
    try:
        out.write_bytes(artefacts.dump(estimator))
    except BadArtefact as error:
        return error.message
    return ""


if __name__ == "__main__":
    problem = convert(Path(sys.argv[1]), Path(sys.argv[2]))
    print(problem, file=sys.stderr)
    sys.exit(1 if problem else 0)
