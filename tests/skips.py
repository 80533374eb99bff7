"""What a test needs of the machine: skipped with a sentence where it is missing.

With UNROT_REQUIRE_ALL=1, as in CI, such a skip is a failure.
"""

from __future__ import annotations

import os
import shutil

import pytest


def needs(what: str, found: bool, remedy: str) -> None:
    """Go on when it is there."""
    if found:
        return
    sentence = f"{what} is missing: {remedy}"
    if os.environ.get("UNROT_REQUIRE_ALL") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


def promtool() -> str:
    """Return the command that checks what Prometheus reads."""
    return _command("promtool")


def prometheus() -> str:
    """Return the command of a Prometheus server."""
    return _command("prometheus")


def _command(name: str) -> str:
    found = shutil.which(name)
    needs(name, found is not None, "install Debian's package prometheus")
    return found or name
