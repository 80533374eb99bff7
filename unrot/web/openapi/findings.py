"""The schema of rules in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from unrot.core.records import Against, PeriodLength
from unrot.web.openapi.schemas import Json, shape
from unrot.web.shape import Keywords


def _rules() -> dict[str, Json]:
    switch: Json = {"type": "string", "enum": ["on", "off"]}
    share: Json = {"type": "number", "minimum": 0, "maximum": 1}
    feature = shape(
        {"watched": switch, "distance": share, "missing": share, "unseen": share},
        optional=("watched", "distance", "missing", "unseen"),
        additionalProperties=False,
    )
    return {
        "period": {"type": "string", "enum": list(get_args(PeriodLength))},
        "least_rows": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
        "against": {"type": "string", "enum": list(get_args(Against))},
        "drift": switch,
        "distance": {**share, "description": "Hellinger."},
        "chance": share,
        "rot": switch,
        "last_verdicts": {"type": "integer", "minimum": 1, "maximum": 10_000},
        "least_accuracy": {**share, "nullable": True},
        "slices": {**switch, "description": "Parts of the traffic that fall alone."},
        "outliers": switch,
        "outlier_share": share,
        "quality": switch,
        "missing": share,
        "unseen": share,
        "rejected": share,
        "estimate": switch,
        "estimate_loss": share,
        "features": {
            "type": "object",
            "additionalProperties": feature,
            "description": "What is different for one feature; in a body null takes it away.",
        },
        "webhook": {
            "type": "string",
            "description": "Shown without what is secret of it; that sent back changes nothing.",
        },
    }


_OPTIONAL = shape(_rules(), optional=tuple(_rules()), additionalProperties=False)
Rules = Annotated[dict[str, Any], Keywords(name="Rules", **shape(_rules()))]
RulesBody = Annotated[dict[str, Any], Keywords(name="RulesBody", **_OPTIONAL)]
