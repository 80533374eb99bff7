"""Where the app keeps what is no code: beside the package in a checkout, in it from a wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent
"""What is imported from: the checkout, or wherever the package was installed."""


def find_part(name: str) -> Path:
    """Return a file or folder of the app's own: templates, static, gunicorn.conf.py."""
    inside = PACKAGE / name
    return inside if inside.exists() else ROOT / name


def program() -> str:
    """Write how a person calls the app here."""
    return "python -m unrot" if (ROOT / "Makefile").exists() else "unrot"


def command_of(what: str) -> str:
    """Write what a person types here: make's target in a checkout, else the command."""
    return f"make {what}" if (ROOT / "Makefile").exists() else f"unrot {what}"
