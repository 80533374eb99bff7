"""Windows and accuracy in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from unrot.web.openapi.operations import LOOKING, in_path, operation
from unrot.web.openapi.schemas import Json, shape

_TIME: Json = {"type": "string", "format": "date-time"}
_WHOLE: Json = {"type": "integer"}
_NUMBER: Json = {"type": "number"}
_TEXT: Json = {"type": "string"}
_YES_NO: Json = {"type": "boolean"}
_WHOSE = ("verdicts", "trusted", "subjects", "largest", "judged", "predicted")
_MAYBE: Json = {"type": "number", "nullable": True}
TAG = {"name": "accuracy", "description": "What was counted, and how right a model is."}


def paths() -> dict[str, Json]:
    """Return the routes."""
    model = in_path("model", "iris")
    span = [
        _query("from", "From when on: ISO 8601 or seconds since 1970; a day ago if not given."),
        _query("to", "Until when; now if not given."),
        _query(
            "step",
            "minute, hour, day or seconds (60 at least): there are at most 1,000 points.",
        ),
    ]
    more = [
        _query("last", "Over how many verdicts accuracy is rolled; as the rules say."),
        _query(
            "version",
            "Of which version the classes and the newest rolled figure are; all, and the champion.",
        ),
        _query("slice", "The feature to part the newest judged rows by."),
    ]
    return {
        "/api/v1/models/{model}/windows": {
            "get": operation(
                "windows",
                "accuracy",
                "Sum predictions, verdicts, outliers, refused rows and latency, step by step.",
                "Windows",
                parameters=[model, *span],
                errors=(*LOOKING, 422),
                is_guarded=True,
            )
        },
        "/api/v1/models/{model}/accuracy": {
            "get": operation(
                "accuracy",
                "accuracy",
                "Say how right a model is: rolled, over time, by version, class and slice.",
                "Accuracy",
                parameters=[model, *span, *more],
                errors=(*LOOKING, 422),
                is_guarded=True,
            )
        },
    }


def schemas() -> dict[str, Json]:
    """Return their shapes."""
    span: Json = {"model": {"type": "string"}, "from": _TIME, "to": _TIME, "step": _NUMBER}
    stretch: Json = {"starts_at": _TIME, "seconds": _NUMBER}
    rolled = shape(
        {"at": _TIME, "version": {"type": "string"}, "accuracy": _SHARE, "errors": _ERRORS}
    )
    point = _point(stretch)
    return {
        "Windows": shape(
            {
                **span,
                "points": _list(
                    shape({**stretch, **_window(), "versions": _named(shape(_window()))})
                ),
            }
        ),
        "Accuracy": shape(
            {
                **span,
                "rolling": shape(
                    {
                        "last": _WHOLE,
                        "version": {**_TEXT, "nullable": True},
                        "whose": shape({**dict.fromkeys(_WHOSE, _WHOLE), "is_sample": _YES_NO}),
                        "newest": {**rolled, "nullable": True},
                        "constant_guess": _MAYBE,
                        "points": _list(rolled),
                    }
                ),
                "over_time": _list(point),
                "versions": _named(point),
                "classes": _classes(),
                "estimate": shape(
                    {
                        "mean_error": _MAYBE,
                        "stretches": _WHOLE,
                        "none_because": {"type": "string", "nullable": True},
                    }
                ),
                "slice": _slice(),
                "marks": _list(
                    shape(
                        {
                            "at": _TIME,
                            **dict.fromkeys(("kind", "version", "sentence"), _TEXT),
                        }
                    )
                ),
            }
        ),
    }


def _query(name: str, said: str) -> Json:
    return {"name": name, "in": "query", "description": said, "schema": {"type": "string"}}


def _list(of: Any) -> Json:
    return {"type": "array", "items": of}


def _named(of: Json) -> Json:
    return {"type": "object", "additionalProperties": of}


_SHARE: Json = {
    **shape({"value": _NUMBER, "low": _NUMBER, "high": _NUMBER, "verdicts": _WHOLE}),
    "nullable": True,
    "description": "With its 95 % interval (Wilson); null without verdicts.",
}
_ERRORS: Json = {
    **shape(
        {
            "mae": _NUMBER,
            "rmse": _NUMBER,
            "r2": _MAYBE,
            "constant_guess_rmse": _NUMBER,
            "verdicts": _WHOLE,
        }
    ),
    "nullable": True,
    "description": "Of a regression; null without verdicts that tell the true number.",
}


def _window() -> Json:
    counts = ("predictions", "verdicts", "judged", "correct", "looked_at", "outliers")
    return {
        **dict.fromkeys(counts, _WHOLE),
        "rejected": {**_named(_WHOLE), "description": "Rows refused at the door, by reason."},
        "latency_seconds": {
            **shape(dict.fromkeys(("p50", "p95", "p99"), _MAYBE)),
            "description": "Null: over a second, or not known.",
        },
        "confidence": {
            **_list(_WHOLE),
            "nullable": True,
            "description": "Predictions by their largest probability, in 20 bins from 0 to 1.",
        },
    }


def _point(stretch: Json) -> Json:
    return shape(
        {
            **stretch,
            "predictions": _WHOLE,
            "verdicts": _WHOLE,
            "accuracy": _SHARE,
            "errors": _ERRORS,
            "constant_guess": _MAYBE,
            "estimated": {
                **shape({"value": _NUMBER, "error": _NUMBER, "predictions": _WHOLE}),
                "nullable": True,
                "description": "From the confidence of all predictions, judged or not.",
            },
        }
    )


def _classes() -> Json:
    shares = ("precision", "recall", "f1", "specificity")
    score = shape(
        {
            "label": {"type": "string"},
            "support": _WHOLE,
            "predicted": _WHOLE,
            **dict.fromkeys(shares, _MAYBE),
        }
    )
    return {
        **shape(
            {
                "accuracy": _SHARE,
                "constant_guess": _MAYBE,
                "unlabelled": _WHOLE,
                "scores": _list(score),
                "confusion": {
                    **_named(_named(_WHOLE)),
                    "description": "What was predicted, what was true, how often.",
                },
            }
        ),
        "nullable": True,
    }


def _slice() -> Json:
    part = shape(
        {
            "label": {"type": "string"},
            "verdicts": _WHOLE,
            "accuracy": _SHARE,
            "mae": _MAYBE,
            "is_few": {"type": "boolean"},
        }
    )
    return {
        **shape({"feature": {"type": "string"}, "rows": _WHOLE, "slices": _list(part)}),
        "nullable": True,
    }
