"""What a test needs of the machine: skipped with a sentence where it is missing.

With UNROT_REQUIRE_ALL=1, as in CI, such a skip is a failure.
"""

from __future__ import annotations

import os

import pytest


def needs(what: str, found: bool, remedy: str) -> None:
    """Go on when it is there."""
    if found:
        return
    sentence = f"{what} is missing: {remedy}"
    if os.environ.get("UNROT_REQUIRE_ALL") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)
