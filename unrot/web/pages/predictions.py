"""The page of a model's predictions: looked for, ordered, in columns of choice.

All that is asked for stands in the address, so that it can be sent to somebody, and the file is
asked for by the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, render_template, request

from unrot.core.errors import Invalid, StoreAway, UnrotError
from unrot.core.records import Feature, Model, Schema
from unrot.run.exporting import Column, columns_of
from unrot.watch.reports.predictions import Sought, find_predictions
from unrot.web import spans, wording
from unrot.web.address import TIMES, Address, address_of
from unrot.web.current import service
from unrot.web.errors import status_of
from unrot.web.pages import filters
from unrot.web.pages.models import blueprint
from unrot.web.predictions_query import FROM, IS, TO, sought_of
from unrot.web.routes import VIEWER

PREDICTIONS_A_PAGE = 50
FEWEST_A_PAGE, MOST_CELLS_A_PAGE = 10, 3_000
FEW_FEATURES = 8
"""So few have their fields at once; of more, those that are chosen."""
MANY_COLUMNS = 60
"""Of more than that, features and classes are offered that are chosen already."""

KEPT = (
    *(*TIMES, "verdict", "answer", "truth", "confidence_from", "confidence_to"),
    *(
        "value_from",
        "value_to",
        "outliers",
        "unsure",
        "version",
        "id",
        "key",
        "order",
        "show",
        "add",
    ),
)
HEADS = {
    "id": "Id",
    "predicted_at": "Time",
    "version": "Version",
    "prediction": "Answer",
    "probability": "Confidence",
    "was_correct": "Right",
    "label": "Label given",
    "truth": "Truth",
    "error": "Error",
    "given_at": "Judged at",
    "judge": "Judge",
    "comment": "Comment",
    "reward": "Reward",
    "signals": "Signals",
    "implicit": "Implicit",
    "reasons": "Reasons seen",
    "asked": "Asked for",
}
"""What people call the columns that are no features."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A column that can be chosen."""

    column: Column
    head: str
    is_shown: bool
    is_ours: bool
    """False of a feature, and of a class."""


@blueprint.page("GET", "/models/<model>/predictions", needs=VIEWER)
def predictions(model: str) -> Response:
    """List the predictions of a model that are looked for."""
    of = service().catalogue().model(model).model
    here = _here("pages.predictions")
    said: dict[str, Any] = {"model": of, "here": here, "before": request.args.get("before")}
    code = 200
    try:
        said |= _found(of, here, request.args)
    except StoreAway:
        raise
    except UnrotError as error:
        said |= {"problem": error.message, **_found_without(of, here, error)}
        code = status_of(error)
    return make_response(render_template("predictions.html", **said, **_form(of)), code)


def choose_columns(schema: Schema) -> list[Choice]:
    """Return the columns that there are, and which are shown; where none is, it is as usual."""
    columns, renamed = columns_of(schema, with_probabilities=True)
    called = {new: old for old, new in renamed.items()}
    return [_choice(one, called.get(one.name, one.name), schema) for one in columns]


def _found_without(model: Model, here: Address, error: UnrotError) -> dict[str, Any]:
    """Return what was found without the words of the query that were wrong."""
    wrong = {one.field for one in error.details}
    given = {name: text for name, text in request.args.items() if name not in wrong}
    try:
        return _found(model, here, given)
    except Invalid:
        return {"filters": filters.read_filters(model.schema, here)}


def _found(model: Model, here: Address, given: Mapping[str, str]) -> dict[str, Any]:
    """Return what was found, and, where that is nothing, what to drop."""
    now, before = service().clock(), request.args.get("before")
    sought = sought_of(given, model.schema, now)
    found = find_predictions(service(), model.name, sought, limit=_a_page(model), before=before)
    asked = filters.read_filters(model.schema, here)
    if not found.rows and not found.is_cut:
        asked = filters.try_without(service(), model, asked, now)
    return {"found": found, "sought": sought, "filters": asked}


def _a_page(model: Model) -> int:
    widest = max(FEWEST_A_PAGE, MOST_CELLS_A_PAGE // len(model.schema.features))
    return min(PREDICTIONS_A_PAGE, widest)


def _form(model: Model) -> dict[str, Any]:
    """Return what the form of filters and columns is made of."""
    schema, columns = model.schema, choose_columns(model.schema)
    features = _features(schema)
    named = {one.name for one in features}
    offered = [one for one in columns if one.is_shown or one.is_ours or one.column.name in named]
    return {
        "given": request.args,
        "asked": spans.shown(request.args, service().clock()),
        "columns": columns if len(columns) <= MANY_COLUMNS else offered,
        "shown": [one for one in columns if one.is_shown],
        "verdicts": {
            word: called
            for word, called in filters.VERDICTS.items()
            if schema.is_classifier or word not in ("right", "wrong")
        },
        "versions": [one.name for one in reversed(service().versions(model.key))],
        "features": features,
        "others": [one for one in schema.features if one not in features],
        "file": _here("pages.predictions_file")(),
        "usual": Sought(),
    }


def _here(endpoint: str) -> Address:
    return address_of(endpoint, lambda name: name in KEPT or name.startswith((IS, FROM, TO)))


def _features(schema: Schema) -> list[Feature]:
    """Return the features that have fields: all of few, else those that are asked for or added."""
    if len(schema.features) <= FEW_FEATURES:
        return list(schema.features)
    asked = {name for name, text in request.args.items() if text}
    added = set(request.args.getlist("add"))
    return [
        one
        for one in schema.features
        if one.name in added or asked & {word + one.name for word in (IS, FROM, TO)}
    ]


def _choice(column: Column, word: str, schema: Schema) -> Choice:
    """Say what people call a column; `word` is its name where no feature has taken that."""
    is_shown = column.name in request.args.getlist("show")
    if column.name in schema.names:
        feature = schema.features[schema.names.index(column.name)]
        return Choice(column, wording.spoken(feature), is_shown, is_ours=False)
    if word in HEADS:
        return Choice(column, HEADS[word], is_shown, is_ours=True)
    label = wording.called(word.removeprefix("probability of "), schema)
    return Choice(column, f"Probability of {label}", is_shown, is_ours=False)
