"""Outliers in the OpenAPI document."""

from __future__ import annotations

from unrot.web.openapi.operations import LOOKING, in_path, operation, paging
from unrot.web.openapi.schemas import Json, list_of, ref, shape


def paths() -> dict[str, Json]:
    """Return the route."""
    listing = operation(
        "outliers",
        "looking",
        "List the predictions that look like nothing that training saw, newest first.",
        "Outliers",
        parameters=[
            in_path("model", "iris"),
            *paging("before", "The id of the last outlier of the page before."),
        ],
        errors=(*LOOKING, 422),
        is_guarded=True,
    )
    listing["description"] = (
        "`score` is how far a row is from its nearest training rows, in units of what 99 % of the "
        "training rows stay below: above 1 it is odd. `features` are up to three that made it so, "
        "each with its share. `rates` are of the last closed periods, oldest first."
    )
    return {"/api/v1/models/{model}/outliers": {"get": listing}}


def schemas() -> dict[str, Json]:
    """Return its shapes."""
    text, whole, number = {"type": "string"}, {"type": "integer"}, {"type": "number"}
    moment = {"type": "string", "format": "date-time"}
    outlier = shape(
        {
            "id": text,
            "model": text,
            "version": text,
            "predicted_at": moment,
            "score": number,
            "features": list_of(shape({"feature": text, "share": number})),
            "prediction": {
                "nullable": True,
                "description": "As in the list of kept predictions; null when it is not kept.",
                "allOf": [{"$ref": ref("KeptPrediction")}],
            },
        }
    )
    rate = shape(
        {
            "starts_at": moment,
            "ends_at": moment,
            "looked_at": whole,
            "outliers": whole,
            "share": number,
        }
    )
    return {
        "Outliers": shape(
            {
                "outliers": list_of(outlier),
                "next": {**text, "nullable": True},
                "usual_share": number,
                "rates": list_of(rate),
            }
        )
    }
