"""Swagger UI at /apidocs and the spec at /apispec.json, by flasgger, from our own server only.

The spec is written in `document.py`; a test holds it against the routes. flasgger's page is
replaced by one without inline script, so that the content policy of every other page holds
here too.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from flasgger import Swagger
from flask import Flask

from unrot.web.openapi.document import spec
from unrot.web.routes import routes_of

_CONFIG: dict[str, Any] = {
    "headers": [],
    "specs": [{"endpoint": "apispec", "route": "/apispec.json"}],
    "openapi": "3.0.3",
    "static_url_path": "/apidocs/static",
    "swagger_ui": True,
    "specs_route": "/apidocs",
    "title": "Unrot API",
}


def register(app: Flask, *modules: ModuleType) -> None:
    """Serve the documentation of the routes that some modules declare."""
    Swagger(app, config=_CONFIG, template=spec(routes_of(*modules)))
