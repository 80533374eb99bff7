"""The REST routes of the explorer: rows of two periods, and a version on its holdout."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal, get_args

from flask import request

from unrot.core.errors import Conflict
from unrot.core.records import Schema
from unrot.core.time import iso_time
from unrot.watch import holdout as holdouts
from unrot.watch.reports import axes, explorer
from unrot.watch.reports.explorer import Explored, ExplorerRow, Preset, value_of
from unrot.watch.statistics import class_report
from unrot.web.api.parameters import Limit, ModelName
from unrot.web.api.records import TestSetOrNull
from unrot.web.current import service
from unrot.web.explorer_query import asked_of
from unrot.web.reading import whole
from unrot.web.routes import VIEWER, route
from unrot.web.shape import Expects, From, Keywords, Shape, Written

NO_HOLDOUT = "{name} has no test set to be scored on: no row was set apart when it was trained."

Cell = Annotated[Any | None, "A number, a text, true, false or null."]
Picked = Annotated[str, "An end of the range that is picked."]
Time = Annotated[str, "A UTC time, for the period `times`."]
ColumnName = Annotated[str, "A feature, output.class, output.probability or output.value."]
Period = Annotated[str, f"The period: one of {', '.join(get_args(Preset))}."]


# ── what is asked ────────────────────────────────────────────────────────────────────────────


class ScatterQuery(Shape):
    """Two columns and two periods; `explorer_query.asked_of` reads them for the page as well."""

    x: ColumnName = ""
    y: ColumnName = ""
    left: Period = ""
    right: Period = ""
    left_from: Time = ""
    left_until: Time = ""
    right_from: Time = ""
    right_until: Time = ""
    range: Annotated[str, "The right one instead: minutes, hour, day, week or month to now."] = ""
    from_: Annotated[str, "The right one instead: from this UTC time."] = ""
    to: Annotated[str, "Until this one."] = ""
    version: Annotated[str, "Rows of one version alone; it also answers the test set."] = ""
    unjudged: Annotated[str, "1: rows without a verdict too."] = ""
    finding: Annotated[str, "The id of the finding that `before` and `since` speak of."] = ""
    x_from: Picked = ""
    x_to: Picked = ""
    y_from: Picked = ""
    y_to: Picked = ""


class HoldoutQuery(Shape):
    """Which version, and which of its mistakes."""

    version: Annotated[str, "Which version; the champion when there is none."] = ""
    limit: Limit = 50
    offset: Annotated[
        int,
        "How many mistakes to pass over.",
        Keywords(minimum=0),
        Expects("a whole number: how many mistakes to pass over", whole(0, 999_999)),
    ] = 0


# ── what is answered ─────────────────────────────────────────────────────────────────────────


def moment_or_null(seconds: float) -> str | None:
    """Write a moment; null for the beginning and the end of time."""
    return iso_time(seconds) if isfinite(seconds) and seconds else None


EndOrNull = Annotated[str | None, Keywords(format="date-time"), Written(moment_or_null)]
Within = Annotated[float | None, "How far off a right number may be."]


class Point(Shape):
    """One row."""

    id: str | None
    predicted_at: str | None
    version: str
    x: Cell
    y: Cell
    answer: Cell
    truth: Cell
    probability: Annotated[float | None, From("confidence")]
    is_right: bool | None
    is_picked: bool


class Axis(Shape):
    """One column, and what of it is picked: places of choices are as they are listed."""

    column: str
    kind: Literal["number", "choice"]
    low: float
    high: float
    choices: Annotated[list[str] | None, Written(lambda choices: list(choices) or None)]
    picked: list[float | None] | None


class Side(Shape):
    """One of the two charts."""

    period: Annotated[Preset, From("span.preset")]
    from_: Annotated[EndOrNull, From("span.since")]
    until: Annotated[EndOrNull, From("span.until")]
    read: int
    rows: Annotated[int, From("rows"), Written(len)]
    right: int
    wrong: int
    is_newest_only: bool
    score: Annotated[float | None, "Of a test set: what is reached on all of it."]
    test_set: Annotated[TestSetOrNull, From("on")]
    points: list[Point]


class Scatter(Shape, named=True):
    """Two sides on the same axes."""

    model: str
    x: Axis
    y: Axis
    left: Side
    right: Side
    finding: str | None
    within: Within


class Line(Shape, like=class_report.Line):
    """One class of a report, or the mean of all."""


class Confusion(Shape):
    """What was taken for what: rows are the truth, columns the answers."""

    classes: list[str]
    rows: list[list[int]]


class ClassReport(Shape):
    """A classifier on its test set."""

    classes: Annotated[list[Line], From("lines")]
    macro: Line
    weighted: Line
    accuracy: float
    constant_guess: float
    auc: Annotated[float | None, From("area")]
    confusion: Confusion


class NumberReport(Shape, like=class_report.NumberReport):
    """A regression on its test set."""

    residuals: Annotated[list[list[float]], "Pairs of a quantile and of answer minus truth there."]


class Mistake(Shape):
    """A row that was answered wrongly."""

    inputs: dict[str, Any]
    truth: Cell
    answer: Cell
    probability: Annotated[float | None, From("confidence")]


class Holdout(Shape, named=True):
    """A version on its test set, with some of its mistakes."""

    model: str
    version: str
    rows: Annotated[int, "As many were answered.", Written(len)]
    held_out: Annotated[int, "As many are in the test set.", From("all_rows")]
    score: Annotated[float | None, "What it reaches on all of them."]
    test_set: Annotated[TestSetOrNull, From("on")]
    within: Within
    report: ClassReport | NumberReport
    mistakes: Annotated[int, From("wrong"), Written(len)]
    wrong: list[Mistake]


# ── routes ───────────────────────────────────────────────────────────────────────────────────


@route(
    "GET",
    "/models/<model>/scatter",
    needs=VIEWER,
    tag="looking",
    query=ScatterQuery,
    errors=(409, 422),
)
def scatter(model: ModelName) -> Scatter:
    """Rows of two periods by two columns, right and wrong apart."""
    found = explorer.explore(service(), model, asked_of(request.args, service().clock()))
    return Scatter.of(
        found,
        model=found.model.name,
        x=_axis(found.x),
        y=_axis(found.y),
        left=_side(found.left, found),
        right=_side(found.right, found),
        finding=None if found.finding is None else found.finding.id,
    )


@route("GET", "/models/<model>/holdout", needs=VIEWER, tag="looking", errors=(409,))
def holdout(model: ModelName, query: HoldoutQuery) -> Holdout:
    """A version on its test set: report, confusion, AUC, the surest mistakes."""
    shelved = service().catalogue().model(model)
    found = holdouts.holdout(service(), model, query.version or None)
    if found is None:
        name = query.version or "The champion"
        raise Conflict(NO_HOLDOUT.format(name=name), reason="no_holdout")
    of, shown = shelved.model.schema, found.wrong[query.offset : query.offset + query.limit]
    return Holdout.of(
        found,
        model=shelved.model.name,
        report=_report(found.report, of),
        wrong=[Mistake.of(one, inputs=dict(zip(of.names, one.row, strict=True))) for one in shown],
    )


def _axis(of: axes.Axis) -> Axis:
    return Axis.of(of, picked=list(of.limits) if of.is_limited else None)


def _side(of: explorer.Side, found: Explored) -> Side:
    picked = {id(one) for one in of.chosen} if found.is_limited else set()
    return Side.of(of, points=[_point(one, found, id(one) in picked) for one in of.rows])


def _point(one: ExplorerRow, found: Explored, is_picked: bool) -> Point:
    schema = found.model.schema
    return Point.of(
        one,
        predicted_at=None if one.at is None else iso_time(one.at),
        x=value_of(one, found.x.column, schema),
        y=value_of(one, found.y.column, schema),
        is_picked=is_picked,
    )


def _report(
    found: class_report.ClassReport | class_report.NumberReport, of: Schema
) -> ClassReport | NumberReport:
    if isinstance(found, class_report.NumberReport):
        return NumberReport.of(found)
    confusion = Confusion(classes=list(of.classes), rows=[list(row) for row in found.confusion])
    return ClassReport.of(found, confusion=confusion)
