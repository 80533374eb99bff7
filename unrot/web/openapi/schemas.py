"""The shapes of the API's bodies and answers, as the OpenAPI document has them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def ref(schema: str) -> str:
    """Return the reference to a shape by its name."""
    return f"#/components/schemas/{schema}"


def shape(properties: Json, *, optional: tuple[str, ...] = (), **more: Any) -> Json:
    """Return the shape of an object; what is not optional is required."""
    required = [name for name in properties if name not in optional]
    made: Json = {"type": "object", "properties": properties, **more}
    return {**made, "required": required} if required else made


def list_of(of: Json) -> Json:
    """Return the shape of a list."""
    return {"type": "array", "items": of}
