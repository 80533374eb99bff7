"""Findings and rules in the OpenAPI document."""

from __future__ import annotations

from typing import get_args

from unrot.core.ports import FindingState
from unrot.core.records import FindingKind, Gravity
from unrot.web.openapi.operations import LOOKING, READING, body, in_path, operation, paging
from unrot.web.openapi.schemas import Json, list_of, ref, shape

_MODEL = in_path("model", "iris")
_FINDING = in_path("id", "0a1b2c3d4e5f6071", "The id of a finding.")
_STATE = {
    "name": "state",
    "in": "query",
    "description": "Which ones.",
    "schema": {"type": "string", "enum": list(get_args(FindingState)), "default": "all"},
}
TAG = {"name": "watching", "description": "What monitors noticed, and by which rules."}


def paths() -> dict[str, Json]:
    """Return the routes."""
    model = "/api/v1/models/{model}"
    return {
        f"{model}/findings": {
            "get": operation(
                "findings",
                "watching",
                "List a model's findings by when they were opened, newest first.",
                "Findings",
                parameters=[
                    _MODEL,
                    _STATE,
                    *paging("before", "The `next` of the page before."),
                ],
                errors=(*LOOKING, 422),
                is_guarded=True,
            )
        },
        f"{model}/findings/{{id}}": {
            "get": operation(
                "finding",
                "watching",
                "Tell of one finding, and how far it is on its way to a webhook.",
                "FindingAnswer",
                parameters=[_MODEL, _FINDING],
                errors=LOOKING,
                is_guarded=True,
            )
        },
        f"{model}/findings/{{id}}/acknowledge": {
            "post": operation(
                "acknowledge",
                "watching",
                "Note that a person has seen a finding; who was first stays. Needs a judge's "
                "token.",
                "Finding",
                parameters=[_MODEL, _FINDING],
                body={**body("NoteBody", note={"note": "The sensor was changed."}),
                      "required": False},
                errors=(*READING, *LOOKING),
                is_guarded=True,
            )
        },
        f"{model}/rules": {
            "get": operation(
                "rules",
                "watching",
                "Say what counts as a symptom of a model.",
                "Rules",
                parameters=[_MODEL],
                errors=LOOKING,
                is_guarded=True,
            ),
            "put": operation(
                "change_rules",
                "watching",
                "Change some of what counts as a symptom of a model.",
                "Rules",
                parameters=[_MODEL],
                body=body(
                    "RulesBody",
                    some={"distance": 0.2, "least_accuracy": 0.8},
                    feature={"features": {"sepal_width_cm": {"distance": 0.3}}},
                ),
                errors=(*READING, *LOOKING),
                is_guarded=True,
            ),
        },
    }  # fmt: skip


def schemas() -> dict[str, Json]:
    """Return their shapes."""
    text: Json = {"type": "string"}
    moment = {**text, "format": "date-time"}
    maybe_moment = {**moment, "nullable": True}
    finding: Json = {
        "id": text,
        "model": text,
        "cause": {**text, "description": "What is the same for all symptoms of one finding."},
        "kind": {**text, "enum": list(get_args(FindingKind))},
        "gravity": {**text, "enum": list(get_args(Gravity))},
        "state": {**text, "enum": ["open", "closed"]},
        "sentence": text,
        "advice": text,
        "features": list_of(text),
        "evidence": {"type": "object", "description": "The numbers, by the kind of finding."},
        **dict.fromkeys(("since", "opened_at", "updated_at"), moment),
        "closed_at": maybe_moment,
        "acknowledged": {
            **shape({"at": moment, "by": text, "note": text}),
            "nullable": True,
        },
    }
    delivery = shape(
        {
            "to": {**text, "description": "Without what is secret of the address."},
            "attempts": {"type": "integer"},
            "delivered_at": maybe_moment,
            "next_at": maybe_moment,
            "error": {**text, "nullable": True},
        }
    )
    return {
        "Finding": shape(finding),
        "FindingAnswer": shape({**finding, "delivery": {**delivery, "nullable": True}}),
        "Findings": shape(
            {
                "findings": list_of({"$ref": ref("Finding")}),
                "next": {**text, "nullable": True},
            }
        ),
        "NoteBody": shape(
            {"note": {**text, "maxLength": 1_000}}, optional=("note",), additionalProperties=False
        ),
    }
