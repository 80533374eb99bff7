"""What a test needs of the machine: skipped with a sentence where it is missing.

With UNROT_REQUIRE_ALL=1, as in CI, such a skip is a failure.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def needs(what: str, found: bool, remedy: str, *, is_free_to_get: bool = True) -> None:
    """Go on when it is there; CI does without what only its maker gives away."""
    if found:
        return
    sentence = f"{what} is missing: {remedy}"
    if os.environ.get("UNROT_REQUIRE_ALL") == "1" and is_free_to_get:
        pytest.fail(sentence)
    pytest.skip(sentence)


def promtool() -> str:
    """Return the command that checks what Prometheus reads."""
    return _command("promtool")


def prometheus() -> str:
    """Return the command of a Prometheus server."""
    return _command("prometheus")


def java() -> str:
    """Return the command that runs Google's emulators."""
    return _command("java", "default-jre-headless")


def google_jar(name: str) -> Path:
    """Return a file of Google's emulators, which lie beside gcloud."""
    gcloud = Path(shutil.which("gcloud") or "/usr/lib/google-cloud-sdk/bin/gcloud").resolve()
    jar = gcloud.parent.parent / "platform" / name
    needs(
        jar.name,
        jar.exists(),
        "install Google's gcloud with its components cloud-datastore-emulator and "
        "cloud-firestore-emulator (Debian has neither)",
        is_free_to_get=False,
    )
    return jar


def _command(name: str, package: str = "prometheus") -> str:
    found = shutil.which(name)
    needs(name, found is not None, f"install Debian's package {package}")
    return found or name
