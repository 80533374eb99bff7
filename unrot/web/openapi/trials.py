"""Audits and comparisons in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from unrot.web.openapi.learning_schemas import TEST_SET
from unrot.web.openapi.operations import LOOKING, READING, body, in_path, operation
from unrot.web.openapi.schemas import Json, shape

TAG = {"name": "trials", "description": "Audits, and two versions side by side."}


def paths() -> dict[str, Json]:
    """Return the routes."""
    model = in_path("model", "iris")
    begin = operation(
        "begin_audit",
        "trials",
        "Draw a sample of recent predictions to be judged, or go on with the open one.",
        "Audit",
        parameters=[model],
        body={**body("AuditBody", rows={"rows": 60}), "required": False},
        errors=(*READING, *LOOKING, 409),
        others={201: "Audit"},
        is_guarded=True,
    )
    begin["description"] = (
        "201: a new sample. 200: the audit that has rows left. 409: fewer than 10 predictions can "
        "be sampled. Its rows are judged by `POST /api/v1/feedback` with a judge's token; what is "
        "said of them is never learnt, it only judges."
    )
    return {
        "/api/v1/models/{model}/audits": {
            "get": operation(
                "audits",
                "trials",
                "List the audits of a model, newest first.",
                "Audits",
                parameters=[model],
                errors=LOOKING,
                is_guarded=True,
            ),
            "post": begin,
        },
        "/api/v1/audits/{id}": {
            "get": operation(
                "audit",
                "trials",
                "Say how far an audit is, and which row comes next.",
                "Audit",
                parameters=[in_path("id", "0a1b2c3d4e5f6071", "The id of an audit.")],
                errors=LOOKING,
                is_guarded=True,
            )
        },
        "/api/v1/models/{model}/versions/{version}/compare/{other}": {
            "get": operation(
                "compare",
                "trials",
                "Put two versions side by side: scores, confusions, rows on which they differ.",
                "Comparison",
                parameters=[model, in_path("version", "v1"), in_path("other", "v2")],
                errors=(*LOOKING, 409),
                is_guarded=True,
            )
        },
    }


def schemas() -> dict[str, Json]:
    """Return their shapes."""
    text, whole = {"type": "string"}, {"type": "integer"}
    cell: Json = {"description": "A class or a number.", "nullable": True}
    number = {"type": "number", "nullable": True}
    summary: Json = {
        "id": text,
        "model": text,
        "created_at": {"type": "string", "format": "date-time"},
        **dict.fromkeys(("all", "judged", "right", "left", "gone"), whole),
    }
    row = shape({"id": text, "state": {"type": "string", "enum": ["left", "judged", "gone"]}})
    differing = shape(
        {
            "inputs": {"type": "object"},
            "truth": cell,
            "first": cell,
            "second": cell,
            "right": {"type": "string", "nullable": True},
        }
    )
    counts = _list(_list(_list(whole)))
    beside = {
        "ground": {"type": "string", "enum": ["anchor", "recent verdicts"]},
        **dict.fromkeys(("rows", "judged", "differ"), whole),
        **dict.fromkeys(("first_only_right", "second_only_right"), whole),
        "apart": {**number, "description": "The mean distance of their numbers."},
        "chance": {"type": "number", "description": "McNemar's exact p: were they equally good."},
        "agreement": number,
        "first_score": number,
        "second_score": number,
        "classes": {**_list(text), "nullable": True},
        "confusions": {
            **counts,
            "nullable": True,
            "description": "Of each version: rows are the truth, columns the answers.",
        },
        "differing": _list(differing),
    }
    return {
        "AuditBody": shape(
            {"rows": {"type": "integer", "minimum": 10, "maximum": 1000}},
            optional=("rows",),
            additionalProperties=False,
        ),
        "Audit": shape(
            {
                **summary,
                "rows": _list(row),
                "next": {
                    "nullable": True,
                    "description": "The next row to judge, as in the list of kept predictions; "
                    "null when none is left.",
                },
            }
        ),
        "Audits": shape({"audits": _list(shape(summary)), "room": shape(_room(text))}),
        "Comparison": shape(
            {
                "model": text,
                "first": text,
                "second": text,
                "grounds": _list(shape(beside)),
                "test_set": TEST_SET,
                "missing": _list(text),
            }
        ),
    }


def _room(text: Json) -> Json:
    return {
        "left": {"type": "integer", "description": "Rows of the open audit that are left."},
        "free": {"type": "integer", "description": "Predictions to draw from; at most 1,000."},
        "can_be_audited": {"type": "boolean"},
        "sentence": text,
    }


def _list(of: Any) -> Json:
    return {"type": "array", "items": of}
