"""The explorer in the OpenAPI document."""

from __future__ import annotations

from typing import Any, get_args

from unrot.watch.explorer import Preset
from unrot.web.openapi.learning_schemas import TEST_SET
from unrot.web.openapi.operations import LOOKING, in_path, operation, paging
from unrot.web.openapi.schemas import Json, shape

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}
MAYBE_TEXT: Json = {"type": "string", "nullable": True}
MAYBE: Json = {"type": "number", "nullable": True}
CELL: Json = {"description": "A number, a text, true, false or null.", "nullable": True}
SHARES = ("precision", "recall", "f1", "specificity")


def paths() -> dict[str, Json]:
    """Return the routes."""
    model = in_path("model", "iris")
    limit, offset = paging("offset", "How many mistakes to pass over.")
    return {
        "/api/v1/models/{model}/scatter": {
            "get": operation(
                "scatter",
                "looking",
                "Rows of two periods by two columns, right and wrong apart.",
                "Scatter",
                parameters=[model, *_asked()],
                errors=(*LOOKING, 409, 422),
                is_guarded=True,
            )
        },
        "/api/v1/models/{model}/holdout": {
            "get": operation(
                "holdout",
                "looking",
                "A version on its test set: report, confusion, AUC, the surest mistakes.",
                "Holdout",
                parameters=[
                    model,
                    _query("version", "Which version; the champion when there is none."),
                    limit,
                    {**offset, "schema": {"type": "integer", "minimum": 0}},
                ],
                errors=(*LOOKING, 409, 422),
                is_guarded=True,
            )
        },
    }


def schemas() -> dict[str, Json]:
    """Return their shapes."""
    point = shape(
        {
            **dict.fromkeys(("id", "predicted_at"), MAYBE_TEXT),
            "version": TEXT,
            **dict.fromkeys(("x", "y", "answer", "truth"), CELL),
            "probability": MAYBE,
            "is_right": {"type": "boolean", "nullable": True},
            "is_picked": {"type": "boolean"},
        }
    )
    axis = shape(
        {
            "column": TEXT,
            "kind": {"type": "string", "enum": ["number", "choice"]},
            "low": NUMBER,
            "high": NUMBER,
            "choices": {**_list(TEXT), "nullable": True},
            "picked": {**_list(MAYBE), "nullable": True},
        }
    )
    moment: Json = {"type": "string", "format": "date-time", "nullable": True}
    side = shape(
        {
            "period": {"type": "string", "enum": list(get_args(Preset))},
            "from": moment,
            "until": moment,
            **dict.fromkeys(("read", "rows", "right", "wrong"), WHOLE),
            "is_newest_only": {"type": "boolean"},
            "score": {**MAYBE, "description": "Of a test set: what is reached on all of it."},
            "test_set": TEST_SET,
            "points": _list(point),
        }
    )
    return {
        "Scatter": shape(
            {
                "model": TEXT,
                "x": axis,
                "y": axis,
                "left": side,
                "right": side,
                "finding": {"type": "string", "nullable": True},
                "within": {**MAYBE, "description": "How far off a right number may be."},
            }
        ),
        "Holdout": _holdout(),
    }


def _holdout() -> Json:
    line = shape({"label": TEXT, **dict.fromkeys(SHARES, MAYBE), "support": WHOLE, "area": MAYBE})
    classes = shape(
        {
            "classes": _list(line),
            "macro": line,
            "weighted": line,
            "accuracy": NUMBER,
            "constant_guess": NUMBER,
            "auc": MAYBE,
            "confusion": shape({"classes": _list(TEXT), "rows": _list(_list(WHOLE))}),
        }
    )
    numbers = shape(
        {
            **dict.fromkeys(("mae", "rmse", "constant_guess_mae"), NUMBER),
            "r2": MAYBE,
            "residuals": {
                **_list(_list(NUMBER)),
                "description": "Pairs of a quantile and of answer minus truth there.",
            },
        }
    )
    wrong = shape(
        {"inputs": {"type": "object"}, "truth": CELL, "answer": CELL, "probability": MAYBE}
    )
    return shape(
        {
            "model": TEXT,
            "version": TEXT,
            "rows": {**WHOLE, "description": "As many were answered."},
            "held_out": {**WHOLE, "description": "As many are in the test set."},
            "score": {**MAYBE, "description": "What it reaches on all of them."},
            "test_set": TEST_SET,
            "within": {**MAYBE, "description": "How far off a right number may be."},
            "report": {"oneOf": [classes, numbers]},
            "mistakes": WHOLE,
            "wrong": _list(wrong),
        }
    )


def _asked() -> list[Json]:
    periods = ", ".join(get_args(Preset))
    columns = "A feature, output.class, output.probability or output.value."
    return [
        _query("x", columns),
        _query("y", columns),
        *(_query(side, f"The period: one of {periods}.") for side in ("left", "right")),
        *(
            _query(f"{side}_{end}", "A UTC time, for the period `times`.")
            for side in ("left", "right")
            for end in ("from", "until")
        ),
        _query("version", "Rows of one version alone; it also answers the holdout."),
        _query("unjudged", "1: rows without a verdict too."),
        _query("finding", "The id of the finding that `before` and `since` speak of."),
        *(
            _query(f"{letter}_{end}", "An end of the range that is picked.")
            for letter in "xy"
            for end in ("from", "to")
        ),
    ]


def _query(name: str, said: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": said, "schema": {"type": "string"}}


def _list(of: Any) -> Json:
    return {"type": "array", "items": of}
