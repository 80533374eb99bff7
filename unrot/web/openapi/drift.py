"""Drift and profiles in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from unrot.web.openapi.operations import LOOKING, in_path, operation
from unrot.web.openapi.schemas import Json, shape

TAG = {"name": "drift", "description": "How far the traffic has moved, and its profiles."}
_ID = "iris.v1.20260102T000000Z.86400s.0a1b2c3d"


def paths() -> dict[str, Json]:
    """Return the routes."""
    model = in_path("model", "iris")
    id = in_path("id", _ID, "The id of a profile.")
    return {
        "/api/v1/models/{model}/drift": {"get": _drift(model)},
        "/api/v1/models/{model}/profiles": {
            "get": operation(
                "profiles",
                "drift",
                "List the profiles that start in a stretch of time, the last week if unsaid.",
                "Profiles",
                parameters=[model, _moment("from"), _moment("to"), _limit(50)],
                errors=(*LOOKING, 422),
                is_guarded=True,
            )
        },
        "/api/v1/models/{model}/profiles/{id}": {
            "get": operation(
                "profile",
                "drift",
                "Show the distributions of one profile.",
                "ProfileSummary",
                parameters=[model, id],
                errors=LOOKING,
                is_guarded=True,
            )
        },
        "/api/v1/models/{model}/profiles/{id}.bin": {"get": _file(model, id)},
    }


def _drift(model: Json) -> Json:
    made = operation(
        "drift",
        "drift",
        "Say how far each column moved, period by period, or between two stretches of time.",
        "DriftChecks",
        parameters=[
            model,
            _moment("from"),
            _moment("to"),
            {
                "name": "against",
                "in": "query",
                "description": "What each period is compared with.",
                "schema": {"type": "string", "enum": ["training", "previous"]},
            },
            _moment("against_from"),
            _moment("against_to"),
            _limit(20),
        ],
        errors=(*LOOKING, 409, 422),
        is_guarded=True,
    )
    made["description"] = (
        "The Hellinger distance can be made again from the `counts` of `now` and `before`. With "
        "`against_from` and `against_to` the traffic from `from` to `to` is compared with that of "
        "another time; the answer then has `now`, `before` and `columns`. 409: the two were "
        "counted on other bins, because their versions were trained on other data."
    )
    return made


def _file(model: Json, id: Json) -> Json:
    made = operation(
        "profile_file",
        "drift",
        "Download a profile as the file that whylogs reads.",
        "ProfileSummary",
        parameters=[model, id],
        errors=LOOKING,
        is_guarded=True,
    )
    binary = {"schema": {"type": "string", "format": "binary"}}
    made["responses"]["200"]["content"] = {"application/octet-stream": binary}
    return made


def _moment(name: str) -> Json:
    return {
        "name": name,
        "in": "query",
        "description": "ISO 8601, UTC without a zone, or seconds since 1970.",
        "schema": {"type": "string"},
    }


def _limit(usual: int) -> Json:
    return {
        "name": "limit",
        "in": "query",
        "description": "How many of the newest, 1 to 200.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": usual},
    }


def schemas() -> dict[str, Json]:
    """Return their shapes."""
    text, whole, number = {"type": "string"}, {"type": "integer"}, {"type": "number"}
    yes, moment = {"type": "boolean"}, {"type": "string", "format": "date-time"}
    perhaps = {"type": "number", "nullable": True}
    distribution = shape(
        {
            "kind": {"type": "string", "enum": ["number", "choice"]},
            "rows": whole,
            "missing": whole,
            "unseen": whole,
            "edges": _list(number),
            "choices": _list(text),
            "counts": _list(whole),
            "low": perhaps,
            "high": perhaps,
            "mean": perhaps,
            "quantiles": {"type": "object", "additionalProperties": number},
            "types": {"type": "object", "additionalProperties": whole},
        },
        optional=("edges", "choices"),
    )
    distribution["description"] = (
        "Of numbers: counts[i] values lie from edges[i - 1] up to, not with, edges[i]; the first "
        "and the last bin are open. Of choices: a count for each, and one for all others."
    )
    column = shape(
        {
            "column": text,
            "distance": {**number, "description": "Hellinger, 0 to 1."},
            "test": {"type": "string", "enum": ["ks", "chi-square"]},
            "statistic": number,
            "is_exact": {**yes, "description": "False: KS is from the bins."},
            "chance": {**number, "description": "Where nothing moved; corrected over columns."},
            "threshold": {**number, "description": "Its own, or that of the rules."},
            "state": {
                "type": "string",
                "enum": ["calm", "near", "chance", "beyond", "far"],
                "description": "chance: beyond the threshold, but chance explains it, or could.",
            },
            "excuse": {"type": "string", "nullable": True, "description": "Of `chance`: in words."},
            "has_moved": yes,
            "is_calm": yes,
            **dict.fromkeys(("missing", "missing_before", "unseen", "unseen_before"), number),
            "unseen_expected": {**number, "description": "The share where nothing moved."},
            "expected": {**number, "description": "The distance that chance alone makes."},
            "worth": {**number, "description": "Its values, as independent rows."},
            "surprise": {
                **number,
                "description": "The chance, at most, if it is usual then or a part of training.",
            },
            "why": {
                "type": "string",
                "enum": ["", "chance", "usual", "unknown"],
                "description": "Why a column that lies far has not moved.",
            },
            "now": {**distribution, "nullable": True},
            "before": {**distribution, "nullable": True},
        }
    )
    check = shape(
        {
            "version": text,
            "starts_at": moment,
            "ends_at": moment,
            "rows": whole,
            "rows_before": whole,
            "columns": _list(column),
        }
    )
    side = shape(
        {
            "starts_at": moment,
            "ends_at": moment,
            "rows": whole,
            "versions": _list(text),
            "left_out": whole,
        }
    )
    profile: Json = {
        "id": text,
        "version": text,
        "writer": text,
        "starts_at": moment,
        "ends_at": moment,
        "rows": whole,
        "has_bins": yes,
    }
    return {
        "DriftChecks": shape(
            {
                "model": text,
                "against": text,
                "checks": _list(check),
                "left_out": whole,
                "now": side,
                "before": side,
                "columns": _list(column),
            },
            optional=("against", "checks", "left_out", "now", "before", "columns"),
        ),
        "Profiles": shape({"profiles": _list(shape(profile)), "left_out": whole}),
        "ProfileSummary": shape(
            {**profile, "columns": {"type": "object", "additionalProperties": distribution}}
        ),
    }


def _list(of: Any) -> Json:
    return {"type": "array", "items": of}
