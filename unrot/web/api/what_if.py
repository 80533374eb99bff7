"""What if: the API scores a row that somebody plays with, and keeps nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from unrot.core.errors import wrong_field
from unrot.core.records import Feature
from unrot.core.schema import parse_row
from unrot.web.api.explanations import Changing, changing
from unrot.web.api.parameters import ModelName, VersionName
from unrot.web.api.records import Cell, Row
from unrot.web.current import service
from unrot.web.routes import ANYONE, route
from unrot.web.security import caller_where_all_may
from unrot.web.shape import UNSET, Expects, Keywords, Shape, Unset

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.what_if import Curve, WhatIf


MOST_WANTED = 1e300


class WhatIfBody(Shape, named=True, closed=True):
    """A row, and what is asked of it beside its answer."""

    inputs: Annotated[Row, "One row.", Expects("an object of features")]
    feature: Annotated[
        str | Unset, "A feature to go along, neither private nor fixed: the answer has a `curve`."
    ] = UNSET
    wanted: Annotated[
        Any,
        "Of a regression: the answer has the `change` that reaches this number.",
        Keywords(type="number"),
    ] = UNSET


class Tried(Shape, named=True):
    """One value of a feature."""

    value: Cell
    here: Annotated[float, "What this row would get with it: a number, or a chance."]
    usually: Annotated[float, "The mean of what rows of the training would get with it."]


class Along(Shape, named=True):
    """What is answered along one feature."""

    feature: str
    class_: Annotated[str | None, "Whose chances they are: the answered one's."]
    rows: Annotated[int, "How many rows of the training `usually` is the mean over."]
    steps: list[Tried]


class Imagined(Shape, named=True):
    """What a version would answer; nothing of it is kept."""

    model: str
    version: str
    class_: Annotated[str | None, "Null of a regression."]
    probabilities: Annotated[
        dict[str, float] | None, Keywords(example={"Iris-setosa": 0.97, "Iris-virginica": 0.03})
    ]
    value: Annotated[float | None, "Null of a classifier."]
    curve: Annotated[Along | None, "Where a feature is named that has at least two values."]
    change: Annotated[Changing | None, "Where a number is wanted and a way to it was found near."]


@route(
    "POST",
    "/models/<model>/what-if",
    needs=ANYONE,
    tag="serving",
    heeds_token=True,
    errors=(429, 503),
)
def what_if(model: ModelName, body: WhatIfBody) -> Imagined:
    """Say what the champion would answer to a row, and keep nothing of it.

    There is no id, and no verdict can be given on it. It costs as much of what an address may send
    in a day as the prediction would, and without a token 120 may be asked in a minute.
    """
    return _imagined(model, None, body)


@route(
    "POST",
    "/models/<model>/versions/<version>/what-if",
    needs=ANYONE,
    tag="serving",
    heeds_token=True,
    errors=(429, 503),
)
def what_if_of_version(model: ModelName, version: VersionName, body: WhatIfBody) -> Imagined:
    """Say what one version would answer to a row, and keep nothing of it."""
    return _imagined(model, version, body)


def _imagined(model: str, version: str | None, body: WhatIfBody) -> Imagined:
    # It is loaded when somebody asks: no plain prediction needs it.
    from unrot.explain.what_if import ask_what_if, find_feature

    of, caller = service(), caller_where_all_may()
    contents = of.catalogue()
    shelved = contents.model(model)
    schema = shelved.model.schema
    along: Feature | None = None
    if body.feature is not UNSET:
        along = find_feature(schema, body.feature)
    row = parse_row(schema, dict(body.inputs))
    wanted = None if body.wanted is UNSET else _number(body.wanted)
    found = ask_what_if(
        *(of, contents, shelved, shelved.version(version), row, caller), along=along, wanted=wanted
    )
    return _written(found, shelved.model.name, schema.classes)


def _number(given: Any) -> float:
    """Read the number that is wanted."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not abs(given) <= MOST_WANTED:
        raise wrong_field("wanted", given, "a number")
    return float(given)


def _written(found: WhatIf, model: str, classes: tuple[str, ...]) -> Imagined:
    shares = found.probabilities
    return Imagined(
        model=model,
        version=found.version.name,
        class_=found.label,
        probabilities=None if shares is None else dict(zip(classes, shares, strict=True)),
        value=found.value,
        curve=None if found.curve is None else _along(found.curve, found.label),
        change=None if found.change is None else changing(found.change),
    )


def _along(curve: Curve, label: str | None) -> Along:
    steps = [Tried(value=one.value, here=one.here, usually=one.usually) for one in curve.steps]
    return Along(feature=curve.feature.name, class_=label, rows=curve.rows, steps=steps)
