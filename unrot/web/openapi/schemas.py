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


def schemas() -> dict[str, Json]:
    """Return every named shape."""
    text, number, flag = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
    maybe_text = {"type": "string", "nullable": True}
    moment = {"type": "string", "format": "date-time"}
    cell: Json = {"description": "A number, a text, true, false or null."}
    row = {"type": "object", "additionalProperties": cell}
    texts, numbers = {"type": "object", "additionalProperties": text}, _numbers()
    prediction = {
        "id": {**maybe_text, "description": "Judge it with this; null when it was not kept."},
        "model": text,
        "version": text,
        "class": {**text, "description": "Of a classifier."},
        "probabilities": {**numbers, "nullable": True},
        "value": {**number, "description": "Of a regression."},
    }
    some = ("class", "probabilities", "value")
    verdict = {
        "id": text,
        "status": {"type": "string", "enum": list(_STATUSES)},
        "model": text,
        "was_correct": {"type": "boolean", "nullable": True},
        "label": {"description": "The true class, or the true number.", "nullable": True},
        "comment": maybe_text,
        "trusted": flag,
    }
    one, many = {"$ref": ref("Prediction")}, {"$ref": ref("Predictions")}
    older = {"model": text, "input data": cell, "prediction": cell, "was correct": flag}
    return {
        "Error": shape(
            {
                "data": {"nullable": True, "description": "Always null."},
                "message": text,
                "reason": text,
                "details": list_of({"$ref": ref("Detail")}),
                "job": {"$ref": ref("Job")},
            },
            optional=("details", "job"),
        ),
        "Detail": shape(
            {
                "row": {"type": "integer", "nullable": True},
                "field": text,
                "value": cell,
                "expected": text,
            }
        ),
        "State": shape({"state": {"type": "string", "enum": ["healthy"]}}),
        "Component": shape(
            {"state": {"type": "string", "enum": ["ok", "degraded", "down"]}, "sentence": text}
        ),
        "Readiness": shape(
            {
                "state": text,
                "components": {
                    "type": "object",
                    "additionalProperties": {"$ref": ref("Component")},
                },
            }
        ),
        "Feature": shape(
            {
                "name": text,
                "kind": {"type": "string", "enum": ["number", "integer", "category", "boolean"]},
                "range": {**list_of(number), "nullable": True},
                "choices": {**list_of(cell), "nullable": True},
                "choice_names": {**list_of(text), "nullable": True},
                "label": maybe_text,
                "group": maybe_text,
                "unit": maybe_text,
                "description": maybe_text,
                "nullable": flag,
                "example": cell,
            }
        ),
        "Model": shape(
            {
                "name": text,
                "title": text,
                "description": text,
                "schema": shape(
                    {
                        "target": text,
                        "classes": {**list_of(text), "nullable": True},
                        "class_names": {**list_of(text), "nullable": True},
                        "features": list_of({"$ref": ref("Feature")}),
                        "example": row,
                    }
                ),
                "classes": {**list_of(text), "nullable": True},
                "champion": maybe_text,
                "aliases": texts,
                "versions": list_of(text),
                "created_at": moment,
            }
        ),
        "Models": shape({"models": list_of({"$ref": ref("Model")})}),
        "Inputs": shape(
            {"inputs": {"oneOf": [row, {**list_of(row), "minItems": 1, "maxItems": 10_000}]}},
            additionalProperties=False,
        ),
        "Prediction": shape(prediction, optional=some),
        "Predictions": shape({"predictions": list_of(one)}),
        "PredictionOrMany": {"oneOf": [one, many]},
        "Instances": shape(
            {
                "instances": {**list_of(list_of(cell)), "minItems": 1, "maxItems": 10_000},
                "model": {**text, "description": "zombies, or zombies/versions/v2"},
            },
            optional=("model",),
            additionalProperties=False,
        ),
        "InstancesAnswer": shape(
            {
                "predictions": {**list_of(number), "description": "Class indices, or values."},
                "ids": list_of(maybe_text),
                "model": text,
                "version": text,
            }
        ),
        "BareInputs": {"oneOf": [row, {"$ref": ref("Instances")}]},
        "BareAnswer": {
            "oneOf": [
                shape({"data": one, "message": text}),
                {"$ref": ref("InstancesAnswer")},
            ]
        },
        "KeptPrediction": shape(
            {
                **prediction,
                "predicted_at": moment,
                "inputs": row,
                "feedback": shape(
                    {**verdict, "given_at": moment}, optional=("given_at",), nullable=True
                ),
            },
            optional=some,
        ),
        "KeptPredictions": shape(
            {"predictions": list_of({"$ref": ref("KeptPrediction")}), "next": maybe_text}
        ),
        "Verdict": shape({**verdict, "given_at": moment}, optional=("given_at",)),
        "FeedbackOne": shape(
            {
                "id": {**text, "description": "The id that predict answered."},
                "was_correct": flag,
                "label": cell,
                "comment": {**text, "maxLength": 2_000},
            },
            optional=("was_correct", "label", "comment"),
        ),
        "FeedbackOlder": shape(older),
        "FeedbackBody": {
            "anyOf": [
                {"$ref": ref("FeedbackOne")},
                {"$ref": ref("FeedbackOlder")},
                {**list_of({"$ref": ref("FeedbackOne")}), "minItems": 1, "maxItems": 1_000},
            ]
        },
        "FeedbackUnverified": shape({"id": text, "status": text, "model": text, "verified": flag}),
        "FeedbackResults": shape({"results": list_of(shape({"id": maybe_text, "status": text}))}),
        "FeedbackFile": shape(
            {
                "rows": {"type": "integer"},
                "counts": _numbers(),
                "lines": {"type": "object", "additionalProperties": list_of(number)},
                "last_line": {"type": "integer"},
                "problem": maybe_text,
            }
        ),
        "FeedbackAnswer": {
            "anyOf": [
                {"$ref": ref("Verdict")},
                {"$ref": ref("FeedbackUnverified")},
                {"$ref": ref("FeedbackResults")},
                {"$ref": ref("FeedbackFile")},
            ]
        },
        "Withdrawal": shape({"id": text, "status": text}),
    }


_STATUSES = ("created", "duplicate", "revised", "queued", "overruled", "kept")


def _numbers() -> Json:
    return {"type": "object", "additionalProperties": {"type": "number"}}
