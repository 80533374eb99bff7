"""The REST route of outliers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from unrot.core.records import JudgedPrediction, Oddity, Schema
from unrot.watch.outliers import feed as outliers
from unrot.watch.outliers.bursts import Rate
from unrot.watch.outliers.neighbours import EXPECTED_SHARE
from unrot.web.api import shapes
from unrot.web.api.envelope import success
from unrot.web.api.models import limit_of
from unrot.web.current import service
from unrot.web.security import needs

blueprint = Blueprint("outliers_api", __name__, url_prefix="/api/v1")


@blueprint.get("/models/<model>/outliers")
@needs("viewer")
def list_outliers(model: str) -> Response:
    """List the outliers of a model, newest first, and their rate over the last periods."""
    limit, before = limit_of(request.args.get("limit", "50")), request.args.get("before")
    feed = outliers.feed(service(), model, limit=limit, before=before)
    of = service().catalogue().model(model).model.schema
    return success(
        {
            "outliers": [outlier(oddity, judged, of) for oddity, judged in feed.rows],
            "next": feed.next_before,
            "usual_share": EXPECTED_SHARE,
            "rates": [rate(one) for one in outliers.rates(service(), model)],
        }
    )


def outlier(oddity: Oddity, judged: JudgedPrediction | None, of: Schema) -> dict[str, Any]:
    """An odd row; its prediction is null when that is not kept any more."""
    return {
        "id": oddity.prediction,
        "model": oddity.model,
        "version": oddity.version,
        "predicted_at": shapes.moment(oddity.predicted_at),
        "score": oddity.score,
        "features": [
            {"feature": reason.feature, "share": reason.share} for reason in oddity.reasons
        ],
        "prediction": None if judged is None else shapes.judged(judged, of),
    }


def rate(one: Rate) -> dict[str, Any]:
    """How many rows of a period were odd."""
    return {
        "starts_at": shapes.moment(one.starts_at),
        "ends_at": shapes.moment(one.ends_at),
        "looked_at": one.looked_at,
        "outliers": one.outliers,
        "share": one.share,
    }
