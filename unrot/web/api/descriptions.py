"""The REST routes of the words for people: what a model, its features and classes are called."""

from __future__ import annotations

from typing import Annotated, Any

from unrot.core.descriptions import written
from unrot.make import models
from unrot.web.api.envelope import body_object
from unrot.web.api.parameters import ModelName
from unrot.web.current import service
from unrot.web.routes import OPERATOR, VIEWER, route
from unrot.web.shape import UNSET, Keywords, Shape, Unset

_FEATURE = Keywords(
    additionalProperties={
        "type": "object",
        "properties": {
            **{key: {"type": "string"} for key in ("label", "unit", "description", "group")},
            "fixed": {"type": "boolean", "description": "Nobody can change it, as an age."},
            "private": {"type": "boolean", "description": "What training saw is for viewers."},
            "choices": {"type": "object", "additionalProperties": {"type": "string"}},
            "example": {"description": "A value that the model takes."},
        },
        "additionalProperties": False,
    }
)
_NAMES = Keywords(additionalProperties={"type": "string"})


class Description(Shape, named=True):
    """Words for people; `core.descriptions` has the list."""

    title: str
    description: str
    tags: list[str]
    features: Annotated[dict[str, Any], "By the name of each.", _FEATURE]
    classes: Annotated[dict[str, Any], "What each is called.", _NAMES]


class DescriptionBody(Shape, named=True, closed=True):
    """Those words that are to change."""

    title: str | Unset = UNSET
    description: str | Unset = UNSET
    tags: list[str] | Unset = UNSET
    features: Annotated[dict[str, Any], _FEATURE] | Unset = UNSET
    classes: Annotated[dict[str, Any], _NAMES] | Unset = UNSET


@route("GET", "/models/<model>/description", needs=VIEWER, tag="running")
def description(model: ModelName) -> Description:
    """Say what a model, its features and its classes are called."""
    return Description(**written(service().catalogue().model(model).model))


@route(
    "PUT",
    "/models/<model>/description",
    needs=OPERATOR,
    tag="running",
    body=DescriptionBody,
    examples={
        "some": {"title": "Which iris is it?", "tags": ["flowers"]},
        "feature": {"features": {"sepal_width_cm": {"label": "Width", "unit": "cm"}}},
    },
)
def describe(model: ModelName) -> Description:
    """Change some of these words. What is not sent stays; an empty text takes one away.

    Versions, ids and the hash of the schema stay as they are.
    """
    name = service().catalogue().model(model).model.name
    return Description(**written(models.describe(service(), name, body_object())))
