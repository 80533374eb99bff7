"""The files that a version is kept with, by kind, and the names under which bytes are kept.

The kinds are the keys of `Version.artefacts`, so they are in every store and in the API: a kind
may be added, and none renamed.
"""

from __future__ import annotations

import hashlib
import re

_DIGEST = re.compile(r"[0-9a-f]{64}")

ONNX, SKOPS = "onnx", "skops"
"""The graph that answers, and the estimator that learns (and answers where there is no graph)."""
GOLDEN = "golden"
"""A few rows and what they were answered, by which a worker tries what it has loaded."""
NEIGHBOURS = "neighbours"
"""The rows by which outliers are told."""
EXPLAINER = "explainer"
"""What its answers are explained by."""
EXAMPLES = "examples"
"""Rows of its training with their truth, by which rules and rows that are alike are found."""
TRAINING, HOLDOUT, STREAM = "training", "holdout", "stream"
"""Tables: what it was fitted on, what it was first measured on, what it is fed from row by row."""
ANCHOR = "anchor"
"""The table that it is measured on since, where that is not the holdout."""
CALIBRATION = "calibration"
"""How often it is right when it is so sure, and how far off the truth it was in order of size."""
LESSONS = "lessons"
"""What it was taught, in order, by which it can be made again."""
PROFILE, REFERENCE = "profile", "reference"
"""How its training was distributed: by whylogs, and in the bins that drift is told by."""


def digest_of(data: bytes) -> str:
    """Return the name under which bytes are kept."""
    return hashlib.sha256(data).hexdigest()


def is_digest(name: object) -> bool:
    """Tell whether bytes can be kept under a name.

    >>> is_digest(digest_of(b"rose")), is_digest("/dev/zero"), is_digest(None)
    (True, False, False)
    """
    return isinstance(name, str) and _DIGEST.fullmatch(name) is not None
