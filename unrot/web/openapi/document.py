"""The API as an OpenAPI 3 document: what the routes declare, and what it is all about."""

from __future__ import annotations

from collections.abc import Iterable

from unrot import __version__
from unrot.web.api.records import Error
from unrot.web.openapi.operations import paths_of
from unrot.web.openapi.schema import Json, Schemas
from unrot.web.routes import Route


def spec(routes: Iterable[Route]) -> Json:
    """Return the document."""
    made = Schemas()
    described = paths_of(routes, made)
    made.of(Error)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Unrot",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "serving", "description": "Predict, and say how the service is."},
            {"name": "feedback", "description": "Judge predictions by their ids."},
            {"name": "looking", "description": "What was served. Needs a viewer's token."},
            {
                "name": "learning",
                "description": "Learn, promote, roll back. Needs the operator's token to change "
                "something, a viewer's to look.",
            },
            {"name": "trials", "description": "Audits, and two versions side by side."},
            {"name": "watching", "description": "What monitors noticed, and by which rules."},
            {"name": "drift", "description": "How far the traffic has moved, and its profiles."},
            {"name": "accuracy", "description": "What was counted, and how right a model is."},
            {"name": "running", "description": "How the app is run. Needs a viewer's token."},
        ],
        "paths": described,
        "components": {
            "schemas": made.named,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_DESCRIPTION = (
    "Unrot serves scikit-learn models and hears what became of their predictions.\n\n"
    "Every success is `{data, message}`, every error `{data: null, message, reason}` and "
    "perhaps `details`. A prediction's `id` is what a verdict on it is sent with."
)
