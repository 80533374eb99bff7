"""The REST routes of predictions; what they answer to JSON stands in `answers`.

Predict reads and writes by itself: with ten thousand rows a shape for each would be felt.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

from flask import Response, request

from unrot.core.records import Caller, Schema
from unrot.core.schema import without_private_values
from unrot.serve.sure import how_sure_then
from unrot.watch.reports.prediction import LaterAnswer, look_up_prediction
from unrot.watch.reports.predictions import find_predictions
from unrot.web import security, uploads
from unrot.web.api import answers, more_reasons
from unrot.web.api.explanations import EXPLAIN, Explained, parts_of, written
from unrot.web.api.parameters import ModelName, Page, PredictionId, VersionName
from unrot.web.api.records import (
    Cell,
    KeptPrediction,
    Prediction,
    Row,
    kept_parts,
    kept_prediction,
)
from unrot.web.current import service
from unrot.web.predictions_query import VERDICTS, sought_of
from unrot.web.reading import read_query
from unrot.web.routes import ANYONE, VIEWER, route
from unrot.web.shape import UNSET, Keywords, Shape, Unset
from unrot.web.uploads import Upload

IRIS = {
    "sepal_length_cm": 5.1,
    "sepal_width_cm": 3.5,
    "petal_length_cm": 1.4,
    "petal_width_cm": 0.2,
}
"""The examples speak of the iris demo, which `make run` trains, so that they work when pasted."""
INSTANCES = {"instances": [[5.1, 3.5, 1.4, 0.2]], "model": "iris"}
ROWS = f"{','.join(IRIS)}\n{','.join(map(str, IRIS.values()))}\n"
CSV = "text/csv"

MANY = Keywords(minItems=1, maxItems=10_000)


KEY = "What you call the row, such as order-4711: a verdict may name it instead of the id."
KEYS = "What you call each row, null where it has no name."


class Inputs(Shape, named=True, closed=True):
    """One row by name, or many."""

    inputs: Row | Annotated[list[Row], MANY]
    key: Annotated[str | Unset, KEY] = UNSET
    keys: Annotated[list[str | None] | Unset, KEYS] = UNSET


class Instances(Shape, named=True, closed=True):
    """The older form: rows as lists in the order of the schema."""

    instances: Annotated[list[list[Cell]], MANY]
    model: Annotated[
        str | None, "zombies, or zombies/versions/v2; the default model where it is null."
    ] = None
    keys: Annotated[list[str | None] | Unset, KEYS] = UNSET


class FileQuery(Shape):
    """How a file is answered."""

    probabilities: Annotated[
        str, "For a file: add a column for each class.", Keywords(allowEmptyValue=True)
    ] = ""
    sure: Annotated[str, "1: of JSON rows, say how sure each answer is."] = ""
    explain: Annotated[
        str,
        f"Say of at most 20 rows of JSON why they are answered so, as `explanation`. {EXPLAIN} "
        "A rule is found for one row alone.",
    ] = ""


class ExplanationQuery(Shape):
    """How much is told."""

    explain: Annotated[str, EXPLAIN] = ""


class Predictions(Shape, named=True):
    """Predictions in the order of their rows."""

    predictions: list[Prediction]


class InstancesAnswer(Shape, named=True):
    """The older answer."""

    predictions: Annotated[list[float], "Class indices, or values."]
    ids: list[str | None]
    model: str
    version: str


class BareData(Shape):
    """One prediction in its envelope."""

    data: Prediction
    message: str


class SureQuery(Shape):
    """What is told beside an answer."""

    sure: Annotated[str, "1: say how sure the answer was, or, where that is not kept, is now."] = ""


class SoughtQuery(Page):
    """What is looked for; `predictions_query.sought_of` reads it for the page as well."""

    range: Annotated[str, "The time: minutes, hour, day, week or month, which end now."] = ""
    from_: Annotated[str, "Made at or after this UTC time."] = ""
    to: Annotated[str, "Made before this UTC time."] = ""
    verdict: Annotated[str, f"One of {', '.join(VERDICTS)}; `judge`: a judge's."] = ""
    answer: Annotated[str, "The class that was answered."] = ""
    truth: Annotated[str, "The class that is true, by the verdict."] = ""
    confidence_from: Annotated[str, "The least confidence: 0.8 or 80 %."] = ""
    confidence_to: Annotated[str, "The most."] = ""
    value_from: Annotated[str, "The least number that was answered."] = ""
    value_to: Annotated[str, "The most."] = ""
    outliers: Annotated[str, "1: outliers alone."] = ""
    unsure: Annotated[str, "1: those alone that were answered with “not sure”."] = ""
    version: Annotated[str, "Answers of one version alone."] = ""
    order: Annotated[str, "newest, or worst: the surest mistakes first."] = ""
    id: Annotated[str, "One prediction alone."] = ""
    key: Annotated[str, "The one prediction that your own key is for."] = ""


class Later(Shape, named=True):
    """What a version that was made since would answer to the same row."""

    version: str
    class_: Annotated[str | Unset, "Of a classifier."] = UNSET
    value: Annotated[float | Unset, "Of a regression."] = UNSET
    confidence: Annotated[float | None, "Its largest probability."]
    is_champion: bool


class OnePrediction(KeptPrediction, named=True):
    """A kept prediction, and what came after it."""

    keys: Annotated[list[str], "What its client called it; of viewers alone."]
    later: Annotated[list[Later], "The newest five of the versions that were made since."]
    sure_by_now: Annotated[
        bool | Unset,
        "With sure=1: that is by what is asked now; what was asked then is not kept.",
    ] = UNSET


class KeptPredictions(Shape, named=True):
    """A page of kept predictions that fit."""

    predictions: list[KeptPrediction]
    next: str | None
    looked_at: Annotated[int, "As many were gone through to find these."]
    is_cut: Annotated[bool, "Older ones were not looked at, because that was enough for one time."]


BareInputs = Annotated[Row | Instances, Keywords(name="BareInputs")]
PredictionOrMany = Annotated[Prediction | Predictions, Keywords(name="PredictionOrMany")]
BareAnswer = Annotated[BareData | InstancesAnswer, Keywords(name="BareAnswer")]


_scoring = partial(
    route,
    "POST",
    needs=ANYONE,
    is_for_pages_elsewhere=True,
    tag="serving",
    errors=(411, 429, 503),
    query=FileQuery,
    body=Inputs,
    file=ROWS,
    answer=PredictionOrMany,
    answers_file=CSV,
)
ONE = {"inputs": IRIS}


@_scoring("/models/<model>/predict", examples={"one": ONE, "many": {"inputs": [IRIS, IRIS]}})
def predict(model: ModelName) -> Response:
    """Score one row, a list of at most 10,000, or a CSV file."""
    return _predict(model, None)


@_scoring("/models/<model>/versions/<version>/predict", examples={"one": ONE})
def predict_version(model: ModelName, version: VersionName) -> Response:
    """Score rows with one version, whoever is champion."""
    return _predict(model, version)


@route(
    "POST",
    "/predict",
    needs=ANYONE,
    is_for_pages_elsewhere=True,
    tag="serving",
    errors=(404, 429, 503),
    body=BareInputs,
    examples={"bare": IRIS, "instances": INSTANCES},
    answer=BareAnswer,
    is_enveloped=False,
)
def predict_default() -> Response:
    """Score the bare features of the default model, or rows in the older form."""
    return answers.of_request(answers.predict_default)


@route(
    "POST",
    "/predictions",
    needs=ANYONE,
    is_for_pages_elsewhere=True,
    tag="serving",
    errors=(404, 429, 503),
    body=Instances,
    examples={"instances": INSTANCES},
    answer=InstancesAnswer,
    is_enveloped=False,
)
def predict_instances() -> Response:
    """Score rows in the older form: lists in the order of the schema, no envelope."""
    return answers.of_request(answers.predict_instances)


@route("GET", "/models/<model>/predictions", needs=VIEWER, tag="looking", query=SoughtQuery)
def kept_predictions(model: ModelName) -> KeptPredictions:
    """List kept predictions that fit, with their verdicts, newest first.

    A range of a feature is asked for by `from.FEATURE` and `to.FEATURE`, one value by `is.FEATURE`.
    """
    of, page = service().catalogue().model(model).model.schema, read_query(Page, request.args)
    sought = sought_of(request.args, of, service().clock())
    found = find_predictions(service(), model, sought, limit=page.limit, before=page.before)
    rows = [kept_prediction(row, of) for row in found.rows]
    return KeptPredictions.of(found, predictions=rows, next=found.next_before)


@route(
    "GET",
    "/predictions/<id>",
    needs=ANYONE,
    heeds_token=True,
    tag="looking",
    errors=(503,),
    query=SureQuery,
)
def one_prediction(id: PredictionId, caller: Caller) -> OnePrediction:
    """Show one prediction to whoever has its id, and what later versions would answer.

    It is in the store a few seconds after it was made; until then the answer is 404 with the reason
    `not_arrived`. Comments, keys and the values of private features are shown to viewers alone.
    """
    found = look_up_prediction(service(), id, for_viewer=caller.role != ANYONE)
    schema = found.shelved.model.schema
    parts = kept_parts(found.judged, schema) | {"sure_by_now": UNSET}
    if caller.role == ANYONE:
        parts["inputs"] = without_private_values(schema, parts["inputs"])
    version = found.shelved.versions.get(found.judged.prediction.version)
    if request.args.get("sure") == "1" and version is not None:
        how = how_sure_then(service().shelf, found.shelved, version, found.judged.prediction)
        parts |= answers.sureness(how) | {"sure_by_now": how.is_by_now}
    return OnePrediction.of(
        found.judged.prediction,
        **parts,
        keys=found.keys,
        later=[_later(one, schema) for one in found.later],
    )


@route(
    "GET",
    "/predictions/<id>/explanation",
    needs=ANYONE,
    heeds_token=True,
    tag="looking",
    errors=(403, 422, 429, 503),
    query=ExplanationQuery,
)
def explanation(id: PredictionId, caller: Caller) -> Explained:
    """Say why a prediction was answered so, to whoever has its id.

    The version that answered it is asked again, and nothing is kept of that. The values of private
    features are not shown.
    """
    # It is loaded when somebody asks why: no plain prediction needs it.
    from unrot.explain.explaining import explain_row, turn, version_of

    found = look_up_prediction(service(), id, for_viewer=False)
    made, of = found.judged.prediction, service()
    contents, version = of.catalogue(), version_of(found.shelved, made.version)
    asked = parts_of(request.args.get("explain", ""))
    more_reasons.check(of, found.shelved, version, asked, caller)
    of.limits.admit_explaining(caller, 1 + more_reasons.cost_of(asked))
    with turn():
        told = explain_row(of.shelf, contents, found.shelved, version, made.inputs)
        why = written(told, found.shelved.model.schema, id)
        more = more_reasons.further(of, contents, found.shelved, version, made.inputs, asked)
    return replace(why, **more)


def _later(one: LaterAnswer, of: Schema) -> Later:
    return Later.of(
        one,
        version=one.version.name,
        class_=one.answer if of.is_classifier else UNSET,
        value=UNSET if of.is_classifier else one.answer,
    )


def _predict(model: str, version: str | None) -> Response:
    says_sure = request.args.get("sure") == "1"
    asked = parts_of(request.args.get("explain", ""))
    if asked == {"1"}:
        return answers.of_request(answers.predict_explained, model, version, says_sure=says_sure)
    if asked:
        further = more_reasons.predict_explained_further
        return answers.of_request(further, model, version, asked, says_sure=says_sure)
    if uploads.is_csv():
        with uploads.taken(Upload.take_body) as upload:
            shares = "probabilities" in request.args
            caller = security.caller_where_all_may()
            return uploads.predicted(upload, model, version, shares=shares, caller=caller)
    return answers.of_request(answers.predict, model, version, says_sure=says_sure)
