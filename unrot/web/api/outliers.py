"""The REST route of outliers."""

from __future__ import annotations

from typing import Annotated

from unrot.core.records import JudgedPrediction, Oddity
from unrot.core.records import Schema as Columns
from unrot.watch.monitors.outliers.neighbours import EXPECTED_SHARE
from unrot.watch.reports import outliers as feed
from unrot.web.api.parameters import Limit, ModelName
from unrot.web.api.records import KeptPrediction, kept_prediction
from unrot.web.current import Called, service
from unrot.web.routes import VIEWER, route
from unrot.web.shape import From, Moment, Shape


class OddFeature(Shape):
    """One of the features that made a row odd."""

    feature: str
    share: float


class Outlier(Shape):
    """An odd row."""

    id: Annotated[str, From("prediction")]
    model: Called
    version: str
    predicted_at: Moment
    score: float
    features: Annotated[list[OddFeature], From("reasons")]
    prediction: Annotated[
        KeptPrediction | None, "As in the list of kept predictions; null when it is not kept."
    ]


class Rate(Shape):
    """How many rows of a period were odd."""

    starts_at: Moment
    ends_at: Moment
    looked_at: int
    outliers: int
    share: float


class Outliers(Shape, named=True):
    """Some outliers, newest first, and their rate over the last periods."""

    outliers: list[Outlier]
    next: str | None
    usual_share: float
    rates: list[Rate]


class OutliersQuery(Shape):
    """Which outliers to list."""

    limit: Limit = 50
    before: Annotated[str | None, "The id of the last outlier of the page before."] = None


@route("GET", "/models/<model>/outliers", needs=VIEWER, tag="looking")
def outliers(model: ModelName, query: OutliersQuery) -> Outliers:
    """List the predictions that look like nothing that training saw, newest first.

    `score` is how far a row is from its nearest training rows, in units of what 99 % of the
    training rows stay below: above 1 it is odd. `features` are up to three that made it so,
    each with its share. `rates` are of the last closed periods, oldest first.
    """
    found = feed.feed(service(), model, limit=query.limit, before=query.before)
    columns = service().catalogue().model(model).model.schema
    return Outliers(
        outliers=[_outlier(oddity, judged, columns) for oddity, judged in found.rows],
        next=found.next_before,
        usual_share=EXPECTED_SHARE,
        rates=[Rate.of(one) for one in feed.rates(service(), model)],
    )


def _outlier(oddity: Oddity, judged: JudgedPrediction | None, columns: Columns) -> Outlier:
    kept = None if judged is None else kept_prediction(judged, columns)
    return Outlier.of(oddity, prediction=kept)
