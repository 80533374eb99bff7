"""The service that the current request is answered by."""

from __future__ import annotations

from typing import cast

from flask import current_app

from unrot.serve.service import Service


def service() -> Service:
    """Return the service of the current app."""
    return cast(Service, current_app.extensions["unrot"])
