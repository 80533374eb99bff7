"""The shapes of learning in the OpenAPI document; those of records follow their fields."""

from __future__ import annotations

from unrot.core.records import GateVerdict, Recall
from unrot.web.openapi.schemas import Json, list_of, ref, shape


def schemas() -> dict[str, Json]:
    """Return the shapes of learning."""
    text, number, whole = {"type": "string"}, {"type": "number"}, {"type": "integer"}
    maybe_text, maybe_number = {**text, "nullable": True}, {**number, "nullable": True}
    moment = {"type": "string", "format": "date-time"}
    maybe_moment = {**moment, "nullable": True}
    flag, anything = {"type": "boolean"}, {"type": "object", "additionalProperties": True}
    texts = {"type": "object", "additionalProperties": text}
    counts = {"type": "object", "additionalProperties": whole}
    gate = {"$ref": ref("GateVerdict")}
    listed = _version(text, maybe_text, maybe_number)
    decision = {**text, "enum": [*_DECISIONS, None], "nullable": True}
    return {
        "Nothing": shape({}, additionalProperties=False),
        "Job": shape(
            {
                "id": text,
                "model": text,
                "kind": {**text, "enum": list(_KINDS)},
                "asked": anything,
                "asked_by": text,
                "state": {**text, "enum": ["queued", "running", "done", "failed"]},
                "progress": {**number, "minimum": 0, "maximum": 1},
                "step": {**text, "description": "What it does now, in words."},
                "result": {**anything, "nullable": True, "description": "What it made."},
                "error": maybe_text,
                "reason": maybe_text,
                "created_at": moment,
                "started_at": maybe_moment,
                "ended_at": maybe_moment,
                "is_cancelling": flag,
            }
        ),
        "JobAnswer": shape({"job": {"$ref": ref("Job")}}),
        "Jobs": shape({"jobs": list_of({"$ref": ref("Job")})}),
        "BatchBody": shape(
            {"n": {**whole, "minimum": 1, "default": 25}},
            optional=("n",),
            additionalProperties=False,
        ),
        "RefitBody": shape(
            {"weights": {"type": "object", "additionalProperties": number}},
            optional=("weights",),
            additionalProperties=False,
        ),
        "RebuildBody": shape(
            {"version": text, "without": {**list_of(text), "maxItems": 10_000}},
            optional=("without",),
            additionalProperties=False,
        ),
        "PromoteBody": shape(
            {
                "version": text,
                "alias": {**text, "enum": ["champion", "challenger"], "default": "champion"},
                "force": {**flag, "default": False},
                "reason": {**text, "maxLength": 500},
            },
            optional=("alias", "force", "reason"),
            additionalProperties=False,
        ),
        "ReasonBody": shape(
            {"reason": {**text, "maxLength": 500}},
            optional=("reason",),
            additionalProperties=False,
        ),
        "Pin": shape({"version": text, "is_pinned": {"type": "boolean"}}),
        "Aliases": shape({"model": text, "aliases": texts}),
        "Version": shape({**listed, "gate": decision}),
        "Versions": shape({"versions": list_of({"$ref": ref("Version")}), "aliases": texts}),
        "Recall": shape(_fields(Recall)),
        "GateVerdict": shape(
            {
                **_fields(GateVerdict),
                "decided_at": moment,
                "moved_at": maybe_moment,
                "recalls": list_of({"$ref": ref("Recall")}),
            }
        ),
        "Fates": shape(
            {
                "verdicts": {**whole, "description": "All; the others add up to it."},
                "learnt": {**counts, "description": "By the version that learnt them."},
                "held_out": whole,
                "set_aside": {**counts, "description": "By reason."},
                "waiting": whole,
            }
        ),
        "Lesson": shape(
            {
                "id": text,
                "fate": {**text, "enum": ["learnt", "held out", "set aside"]},
                "reason": maybe_text,
                "given_at": moment,
                "prediction": {"allOf": [{"$ref": ref("KeptPrediction")}], "nullable": True},
            }
        ),
        "Origin": shape(
            {
                **listed,
                "gate": {"allOf": [gate], "nullable": True},
                "gates": list_of(gate),
                "line": {**list_of(text), "description": "Whose verdicts are in it, itself first."},
                "fates": {"$ref": ref("Fates")},
                "learnt_from": list_of({"$ref": ref("Lesson")}),
                "next": maybe_text,
            }
        ),
    }


TEST_SET: Json = {
    "type": "object",
    "nullable": True,
    "description": "The rows that a score is of. Only scores of one test set can be compared.",
    "required": ["name", "digest", "rows", "kind", "sentence"],
    "properties": {
        "name": {"type": "string", "example": "A"},
        "digest": {"type": "string", "description": "The beginning of their SHA-256."},
        "rows": {"type": "integer"},
        "kind": {"type": "string", "enum": ["held out", "judged"]},
        "sentence": {"type": "string", "example": "4,000 rows held out when v1 was trained"},
    },
}
_DECISIONS = ("passed", "refused", "undecided", "off")
_KINDS = ("learn", "train_batch", "reset", "refit", "rebuild", "weigh")
_TYPES: dict[str, Json] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
}


def _version(text: Json, maybe_text: Json, maybe_number: Json) -> Json:
    texts = {"type": "object", "additionalProperties": text}
    return {
        "model": text,
        "version": text,
        "parent": maybe_text,
        "origin": text,
        "estimator": text,
        "created_at": {"type": "string", "format": "date-time"},
        "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
        "artefacts": {**texts, "description": "SHA-256 by kind."},
        "schema_hash": text,
        "libraries": texts,
        "served_by": {"type": "string", "enum": ["onnx", "scikit-learn"]},
        "largest_difference": maybe_number,
        "compared_rows": {"type": "integer"},
        "reason": maybe_text,
        "aliases": {"type": "array", "items": text},
        "made": {"type": "object", "additionalProperties": True},
        "anchor": {**maybe_text, "description": "SHA-256 of the rows that it is measured by."},
        "anchor_score": maybe_number,
        "test_set": TEST_SET,
        "is_pruned": {"type": "boolean"},
    }


def _fields(of: type) -> Json:
    """Return the shapes of a record's plain fields; what may be None may be null."""
    shapes: Json = {}
    for name, kind in of.__annotations__.items():
        plain, _, maybe = kind.partition(" | ")
        shape_of = _TYPES.get(plain, {"type": "string"})
        shapes[name] = {**shape_of, "nullable": True} if maybe else dict(shape_of)
    return shapes
