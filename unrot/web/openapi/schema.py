"""The schema of a type: what `unrot/web/shape.py` declares, as OpenAPI 3.0 says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from unrot.web.shape import (
    ANY_OF,
    UNSET,
    Keywords,
    Member,
    Shape,
    alternatives,
    members,
    parts,
)

Json = dict[str, Any]

_PLAIN: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"nullable": True},
    Any: {},
}


class Schemas:
    """Makes schemas, and gathers those that have a name."""

    def __init__(self) -> None:
        self.named: dict[str, Json] = {}

    def of(self, kind: Any) -> Json:
        """Return the schema of a type; a named shape is referred to."""
        bare, beside = parts(kind)
        kinds, is_nullable = alternatives(bare)
        made = self._of_one(kinds[0]) if len(kinds) == 1 else {"oneOf": self._each(kinds)}
        made = _nullable(made) if is_nullable else made
        for one in beside:
            made = self._with(made, one)
        return made

    def of_members(self, kind: type[Shape]) -> dict[str, Json]:
        """Return the schema of each field of a shape."""
        return {one.name: self._member(one) for one in members(kind)}

    def _of_one(self, kind: Any) -> Json:
        bare, beside = parts(kind)
        if beside:
            return self.of(kind)
        if isinstance(bare, type) and issubclass(bare, Shape):
            return self._shape(bare)
        origin, args = get_origin(bare), get_args(bare)
        if origin is Literal:
            return {"type": "string", "enum": list(args)}
        if origin in (tuple, list, Sequence):
            return {"type": "array", "items": self.of(args[0])}
        if origin in (dict, Mapping):
            return {"type": "object", **_additional(self.of(args[1]))}
        return dict(_PLAIN[bare])

    def _each(self, kinds: Sequence[Any]) -> list[Json]:
        return [self.of(one) for one in kinds]

    def _shape(self, kind: type[Shape]) -> Json:
        if not kind.is_named:
            return self._object(kind)
        if kind.__name__ not in self.named:
            self.named[kind.__name__] = self._object(kind)
        return reference(kind.__name__)

    def _object(self, kind: type[Shape]) -> Json:
        made: Json = {"type": "object", "properties": self.of_members(kind)}
        if required := [one.name for one in members(kind) if one.is_required]:
            made["required"] = required
        return {**made, "additionalProperties": False} if kind.is_closed else made

    def _member(self, one: Member) -> Json:
        made = self.of(one.kind)
        is_said = not one.is_required and one.default not in (None, UNSET, "")
        return {**made, "default": one.default} if is_said else made

    def _with(self, made: Json, beside: Any) -> Json:
        if isinstance(beside, str):
            return {**_open(made), "description": beside}
        if beside is ANY_OF:
            return {"anyOf": made["oneOf"]}
        if not isinstance(beside, Keywords):
            return made
        keywords = dict(beside.keywords)
        name = keywords.pop("name", None)
        made = {**made, **keywords}
        if name is None:
            return made
        self.named[name] = made
        return reference(name)


def reference(name: str) -> Json:
    """Refer to a schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _nullable(made: Json) -> Json:
    """Take null as well; a reference alone forbids it, whatever stands beside it."""
    if "$ref" in made:
        return {"anyOf": [made, {"enum": [None]}], "nullable": True}
    if "enum" in made:
        made = {**made, "enum": [*made["enum"], None]}
    return {**made, "nullable": True}


def _open(made: Json) -> Json:
    """Make room beside a reference, which stands alone."""
    return {"allOf": [made]} if "$ref" in made else made


def _additional(of: Json) -> Json:
    return {"additionalProperties": of} if of else {}
