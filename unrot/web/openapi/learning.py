"""The schema of a policy in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from unrot.core.policy import describe
from unrot.core.records import Policy as Kept
from unrot.web.openapi.schemas import Json, shape
from unrot.web.shape import Keywords

_TYPES: dict[str, Json] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
}


def _policy() -> Json:
    """Return the keys of a policy as they are written, each with its default."""
    types = {name: {**_TYPES[type(value).__name__]} for name, value in describe(Kept()).items()}
    return {
        name: {**kind, "default": value}
        for (name, kind), value in zip(types.items(), describe(Kept()).values(), strict=True)
    }


_OPTIONAL = shape(_policy(), optional=tuple(_policy()), additionalProperties=False)
Policy = Annotated[dict[str, Any], Keywords(name="Policy", **shape(_policy()))]
PolicyBody = Annotated[dict[str, Any], Keywords(name="PolicyBody", **_OPTIONAL)]
