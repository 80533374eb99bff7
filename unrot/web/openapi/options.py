"""Policy and rules as the API takes and answers them: their tables declare what they hold."""

from __future__ import annotations

from typing import Annotated, Any

from unrot.core.options import Table
from unrot.core.policy import POLICY
from unrot.core.rules import RULES
from unrot.web.openapi.schema import Json
from unrot.web.shape import Keywords


def _answered(name: str, table: Table[Any]) -> Keywords:
    """Describe what is answered: every key, with what it is unless somebody says otherwise."""
    taken = table.schema()
    properties: Json = {
        key: {**taken[key], "default": option.default} for key, option in table.options.items()
    }
    return Keywords(name=name, properties=properties, required=list(properties))


def _taken(name: str, table: Table[Any]) -> Keywords:
    """Describe what is taken; a key that is not sent stays as it was."""
    return Keywords(name=name, properties=table.schema(), additionalProperties=False)


Policy = Annotated[dict[str, Any], _answered("Policy", POLICY)]
PolicyBody = Annotated[dict[str, Any], _taken("PolicyBody", POLICY)]
Rules = Annotated[dict[str, Any], _answered("Rules", RULES)]
RulesBody = Annotated[dict[str, Any], _taken("RulesBody", RULES)]
