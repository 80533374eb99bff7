"""How the app is run, in the OpenAPI document."""

from __future__ import annotations

from unrot.web.openapi.operations import operation
from unrot.web.openapi.schemas import Json, shape

TAG = {"name": "running", "description": "How the app is run. Needs a viewer's token."}


def paths() -> dict[str, Json]:
    """Return the route."""
    return {
        "/api/v1/operations": {
            "get": operation(
                "operations",
                "running",
                "Say how each part is, what is kept of each model and what was let go.",
                "Operations",
                errors=(401, 403),
                is_guarded=True,
            )
        }
    }


def schemas() -> dict[str, Json]:
    """Return its shape."""
    whole, text = {"type": "integer"}, {"type": "string"}
    at: Json = {"type": "string", "format": "date-time"}
    perhaps: Json = {**at, "nullable": True}
    level = shape({"seconds": whole, "rows": whole, "predictions": whole, "since": at})
    model = shape(
        {
            "model": text,
            "predictions": shape({"answered": whole, "kept": whole, "since": perhaps}),
            "windows": _list(level),
            "profiles": _list(level),
            "versions": shape({"all": whole, "pruned": whole}),
            "tidied": _list(shape({"what": text, "dropped": whole, "at": at, "kept_since": at})),
            "job": {**shape({"id": text, "kind": text}), "nullable": True},
        }
    )
    caretaker = shape(
        {
            "heard_at": at,
            "shipped_at": {
                **perhaps,
                "description": "When all that stood in the journal was in the store.",
            },
            "backlog_bytes": {**whole, "nullable": True},
            "failing": _list(text),
        }
    )
    return {
        "Operations": shape(
            {
                "at": at,
                "components": {"type": "object"},
                "journal": shape({"bytes": whole, "limit": whole, "dropped": whole}),
                "caretaker": {**caretaker, "nullable": True},
                "store": {
                    **shape({"kind": text, "bytes": whole}),
                    "nullable": True,
                    "description": "Null while it does not answer; then no model is listed.",
                },
                "models": _list(model),
                "settings": {"type": "object", "additionalProperties": whole},
            }
        )
    }


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}
