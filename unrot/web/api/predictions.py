"""The REST routes of predictions: read the request, call one use case, answer.

Predict reads and writes by itself: with ten thousand rows a shape for each would be felt.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from flask import Response, request

from unrot.core.errors import Invalid, wrong_field
from unrot.core.records import Prediction as Made
from unrot.core.records import Schema
from unrot.serve.service import Answer
from unrot.web import uploads
from unrot.web.api.envelope import body_object, plain, success
from unrot.web.api.parameters import ModelName, Page, VersionName
from unrot.web.api.records import Cell, KeptPrediction, Prediction, Row, kept_prediction
from unrot.web.current import service
from unrot.web.routes import ANYONE, VIEWER, route
from unrot.web.shape import Keywords, Shape
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


class Inputs(Shape, named=True, closed=True):
    """One row by name, or many."""

    inputs: Row | Annotated[list[Row], MANY]


class Instances(Shape, named=True, closed=True):
    """The older form: rows as lists in the order of the schema."""

    instances: Annotated[list[list[Cell]], MANY]
    model: Annotated[str, "zombies, or zombies/versions/v2"] = ""


class FileQuery(Shape):
    """How a file is answered."""

    probabilities: Annotated[
        str, "For a file: add a column for each class.", Keywords(allowEmptyValue=True)
    ] = ""


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


class KeptPredictions(Shape, named=True):
    """A page of kept predictions."""

    predictions: list[KeptPrediction]
    next: str | None


BareInputs = Annotated[Row | Instances, Keywords(name="BareInputs")]
PredictionOrMany = Annotated[Prediction | Predictions, Keywords(name="PredictionOrMany")]
BareAnswer = Annotated[BareData | InstancesAnswer, Keywords(name="BareAnswer")]


_scoring = partial(
    route,
    "POST",
    needs=ANYONE,
    tag="serving",
    errors=(411, 503),
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
    tag="serving",
    errors=(404, 503),
    body=BareInputs,
    examples={"bare": IRIS, "instances": INSTANCES},
    answer=BareAnswer,
    is_enveloped=False,
)
def predict_default() -> Response:
    """Score the bare features of the default model, or rows in the older form."""
    given = body_object()
    if "instances" in given:
        return _predict_instances(given)
    answer = service().predict(service().default_model().model.name, given)
    return success(predicted(answer, is_one=True))


@route(
    "POST",
    "/predictions",
    needs=ANYONE,
    tag="serving",
    errors=(404, 503),
    body=Instances,
    examples={"instances": INSTANCES},
    answer=InstancesAnswer,
    is_enveloped=False,
)
def predict_instances() -> Response:
    """Score rows in the older form: lists in the order of the schema, no envelope."""
    return _predict_instances(body_object())


@route("GET", "/models/<model>/predictions", needs=VIEWER, tag="looking")
def kept_predictions(model: ModelName, query: Page) -> KeptPredictions:
    """List kept predictions with their verdicts, newest first."""
    page = service().recent(model, limit=query.limit, before=query.before)
    of = service().catalogue().model(model).model.schema
    rows = [kept_prediction(row, of) for row in page.rows]
    return KeptPredictions(predictions=rows, next=page.next_before)


def _predict(model: str, version: str | None) -> Response:
    if uploads.is_csv():
        with uploads.taken(Upload.take_body) as upload:
            shares = "probabilities" in request.args
            return uploads.predicted(upload, model, version, shares=shares)
    given = body_object()
    if set(given) != {"inputs"}:
        raise _only("inputs", given, 'only "inputs": an object of features, or a list of them')
    answer = service().predict(model, given["inputs"], version=version)
    return success(predicted(answer, is_one=isinstance(given["inputs"], dict)))


def _predict_instances(given: dict[str, Any]) -> Response:
    if not set(given) <= {"instances", "model"} or "instances" not in given:
        raise _only("instances", given, '"instances": a list of rows, and perhaps "model"')
    answer = service().predict_instances(given.get("model"), given["instances"])
    return plain(_instances(answer))


def _only(wanted: str, given: dict[str, Any], expected: str) -> Invalid:
    wrong = next((name for name in given if name not in (wanted, "model")), None)
    if wanted not in given:
        return wrong_field(wanted, None, expected, is_missing=True)
    name = wrong or "model"
    return wrong_field(name[:80], given[name], expected)


# ── written by hand ──────────────────────────────────────────────────────────────────────────


def predicted(answer: Answer, *, is_one: bool) -> dict[str, Any]:
    """Write the answer to one row, or to many."""
    of = answer.shelved.model.schema
    name = answer.shelved.model.name
    rows = [_prediction(made, name, of) for made in answer.predictions]
    return rows[0] if is_one else {"predictions": rows}


def _prediction(made: Made, name: str, of: Schema) -> dict[str, Any]:
    shape: dict[str, Any] = {"id": made.id, "model": name, "version": made.version}
    if not of.is_classifier:
        return {**shape, "value": made.value}
    probabilities = made.probabilities
    named = None if probabilities is None else dict(zip(of.classes, probabilities, strict=True))
    return {**shape, "class": made.label, "probabilities": named}


def _instances(answer: Answer) -> dict[str, Any]:
    """Write the older answer: class indices in the order of the schema, or values."""
    of = answer.shelved.model.schema
    made = answer.predictions
    index = {name: number for number, name in enumerate(of.classes)}
    return {
        "predictions": [index[one.label] if one.label is not None else one.value for one in made],
        "ids": [one.id for one in made],
        "model": answer.shelved.model.name,
        "version": answer.version.name,
    }
