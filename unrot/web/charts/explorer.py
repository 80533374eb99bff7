"""What was explored as two scatters on the same axes, in words that people use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

from unrot.core.plurals import counted
from unrot.core.records import Finding, Schema
from unrot.core.time import short_time
from unrot.watch.heads import called
from unrot.watch.profiles.columns import text
from unrot.watch.reports import axes
from unrot.watch.reports.explorer import (
    Explored,
    ExplorerRow,
    Side,
    Span,
    value_of,
)
from unrot.web import wording
from unrot.web.charts.axes import Axis, choice_axis, number_axis
from unrot.web.charts.chart import Chart
from unrot.web.charts.scatter import Point, scatter

BRUSH = "explored"
NAMES = {
    "holdout": "The test set",
    "first": "The first hour with verdicts",
    "last": "The last hour with verdicts",
    "newest": "The newest rows",
    "times": "Between two times",
}


def build_scatters(found: Explored) -> tuple[Chart, Chart]:
    """Draw both sides."""
    x = _axis(found.x, found.model.schema)
    y = _axis(found.y, found.model.schema, is_upright=True)
    left, right = (
        scatter(
            name,
            period(side.span, found.finding),
            _points(side, found),
            x=x,
            y=y,
            brush=BRUSH,
            picked=(found.x.limits, found.y.limits),
            nothing=nothing(side.span),
        )
        for name, side in (("left", found.left), ("right", found.right))
    )
    return left, right


def period(span: Span, finding: Finding | None) -> str:
    """Call a period what people call it."""
    if span.preset in ("before", "since"):
        at = "" if finding is None else f" of {short_time(finding.since)}"
        return f"{span.preset.capitalize()} the finding{at}"
    if span.preset != "times":
        return NAMES[span.preset]
    since = short_time(span.since) if span.since else "the beginning"
    until = short_time(span.until) if isfinite(span.until) else "now"
    return f"From {since} to {until}"


def nothing(span: Span) -> str:
    """Say why a side is empty, and what to do."""
    if span.preset == "holdout":
        return "This version has no test set: no row was set apart when it was trained."
    if span.preset in ("before", "since") and not span.until:
        return "There is no open finding, so there is no time before it or since: choose another."
    return (
        "No row of this time has a verdict. Choose another time, or show the rows that nobody has "
        "judged as well."
    )


def picked(found: Explored) -> str:
    """Say how good the answers are within the range, on both sides."""
    sides = ((found.left, "left"), (found.right, "right"))
    return f"In this range: {'; '.join(_picked(side, where) for side, where in sides)}."


def told(seen: ExplorerRow, schema: Schema) -> str:
    """Say in a few words what was answered and what was true."""
    said = wording.called(seen.answer, schema)
    if seen.is_right is None:
        return f"{said}, not judged"
    if seen.is_right:
        return f"{said}, right"
    if seen.truth is None:
        return f"{said}, wrong"
    return f"{said}, really {wording.called(seen.truth, schema)}"


def labels(column: str, choices: Sequence[str], schema: Schema) -> tuple[str, ...]:
    """Call the choices of a column what people call them, unless two would be called alike.

    >>> from unrot.core.records import Feature
    >>> labels("wet", ["false", "true"], Schema((Feature("wet", "boolean"),), "rots"))
    ('no', 'yes')
    """
    feature = next((one for one in schema.features if one.name == column), None)
    if feature is None:
        known = dict(zip(schema.classes, schema.class_names, strict=False))
    elif feature.kind == "boolean":
        known = {"true": "yes", "false": "no"}
    else:
        known = dict(zip(map(text, feature.choices), feature.choice_names, strict=False))
    spoken = tuple(known.get(one) or one for one in choices)
    return spoken if len(set(spoken)) == len(spoken) else tuple(choices)


def _picked(side: Side, where: str) -> str:
    count = len(side.chosen)
    wrong = sum(one.is_right is False for one in side.chosen)
    judged = sum(one.is_right is not None for one in side.chosen)
    rows = counted(count, "row")
    if not judged:
        return f"{rows} on the {where}" + (", none of them judged" if count else "")
    share = wording.percent((judged - wrong) / judged)
    return f"{rows}, {wrong:,} wrong ({share} right) on the {where}"


def _axis(of: axes.Axis, schema: Schema, *, is_upright: bool = False) -> Axis:
    if of.kind == "choice":
        drawn = choice_axis(labels(of.column, of.choices, schema), is_upright=is_upright)
    else:
        drawn = number_axis(of.low, of.high, about=5, is_upright=is_upright, has_gaps=of.has_gaps)
    name = called(of.column, schema)
    unit = next((one.unit for one in schema.features if one.name == of.column), "")
    return replace(drawn, name=name, title=f"{name} ({unit})" if unit else name)


def _points(side: Side, found: Explored) -> Sequence[Point]:
    schema, chosen = found.model.schema, {id(one) for one in side.chosen}
    return [
        Point(
            found.x.place(value_of(one, found.x.column, schema)),
            found.y.place(value_of(one, found.y.column, schema)),
            one.is_right,
            told(one, schema),
            key=str(number),
            is_out=found.is_limited and id(one) not in chosen,
        )
        for number, one in enumerate(side.rows)
    ]
