"""Policy and rules in the OpenAPI document, as their tables declare them."""

from __future__ import annotations

from typing import Any

from unrot.core.options import Table
from unrot.core.policy import POLICY
from unrot.core.rules import RULES
from unrot.web.openapi.schemas import Json, shape


def schemas() -> dict[str, Json]:
    """Return what is answered and what is taken; a key that is not sent stays as it was."""
    return {**_schemas("Policy", POLICY), **_schemas("Rules", RULES)}


def _schemas(name: str, table: Table[Any]) -> dict[str, Json]:
    taken = table.schema()
    answered = {
        key: {**taken[key], "default": option.default} for key, option in table.options.items()
    }
    body = shape(taken, optional=tuple(taken), additionalProperties=False)
    return {name: shape(answered), f"{name}Body": body}
