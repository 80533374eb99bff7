"""The service that the current request is answered by."""

from __future__ import annotations

from typing import Annotated, cast

from flask import current_app

from unrot.core.records import ModelKey
from unrot.serve.service import Service
from unrot.web.shape import Written


def service() -> Service:
    """Return the service of the current app."""
    return cast(Service, current_app.extensions["unrot"])


def name_of(model: ModelKey) -> str:
    """Return what a model is called: records have its key."""
    return service().catalogue().name_of(model)


Called = Annotated[str, Written(name_of)]
"""Of a shape: the name of the model of a record."""
