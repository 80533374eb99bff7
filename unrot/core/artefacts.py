"""The files that a version is kept with, by kind, and the names under which bytes are kept."""

from __future__ import annotations

import hashlib

PROFILE = "profile"
CALIBRATION = "calibration"
REFERENCE = "reference"


def digest_of(data: bytes) -> str:
    """Return the name under which bytes are kept."""
    return hashlib.sha256(data).hexdigest()
