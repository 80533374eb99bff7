"""What is answered along one feature: of this row, and on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unrot.core.percent import percent
from unrot.core.plurals import counted
from unrot.core.records import Schema, Value
from unrot.core.schema import spoken
from unrot.web.charts.axes import Says, plain_axis
from unrot.web.charts.chart import Chart
from unrot.web.charts.lines import Measure, Reading, Series, lines
from unrot.web.wording import called, number, rough, together, valued

if TYPE_CHECKING:
    # No plain prediction loads what explains.
    from unrot.explain.what_if import Curve

HERE, USUALLY, AS_IT_IS = "This row", "On average", "As it is"


@dataclass(frozen=True, slots=True)
class Bar:
    """One choice, as a list shows it."""

    name: str
    said: str
    usually: str
    share: float
    """Of the way from the lowest to the highest that is shown, 0 to 1."""
    is_here: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """What is answered with each choice."""

    title: str
    sentence: str
    name: str
    bars: Sequence[Bar]


def build_along(
    curve: Curve, schema: Schema, label: str | None, here: tuple[Value, float]
) -> Chart:
    """Draw a feature of numbers as lines, and a point where the row is."""
    at = [float(one.value or 0.0) for one in curve.steps]
    mine = [Reading(x, one.here) for x, one in zip(at, curve.steps, strict=True)]
    mean = [Reading(x, one.usually) for x, one in zip(at, curve.steps, strict=True)]
    ends = (0.0, 1.0) if schema.is_classifier else (None, None)
    return lines(
        "along",
        _title(curve, schema, label),
        [Series(HERE, mine), Series(USUALLY, mean, "two", "dashed"), *_point(here)],
        x=replace(plain_axis(at[0], at[-1], number), name=spoken(curve.feature)),
        measure=Measure(_says(schema), *ends),
        height="low",
        sentence=_sentence(curve, schema),
    )


def _point(here: tuple[Value, float]) -> list[Series]:
    value, score = here
    if value is None:
        return []
    return [Series(AS_IT_IS, [Reading(float(value), score)], "four")]


def list_along(curve: Curve, schema: Schema, label: str | None, here: Value) -> Choices:
    """List the choices of a feature."""
    says, feature = _says(schema), curve.feature
    values = [one.here for one in curve.steps]
    low, high = (0.0, 1.0) if schema.is_classifier else (min(0.0, *values), max(0.0, *values))
    bars = [
        Bar(
            name=valued(one.value, feature),
            said=says(one.here),
            usually=says(one.usually),
            share=(one.here - low) / ((high - low) or 1.0),
            is_here=one.value == here,
        )
        for one in curve.steps
    ]
    title = _title(curve, schema, label)
    return Choices(title, _sentence(curve, schema), spoken(feature), bars)


def _title(curve: Curve, schema: Schema, label: str | None) -> str:
    what = schema.target if label is None else f"Chance of “{called(label, schema)}”"
    return f"{what} along {spoken(curve.feature)}"


def _sentence(curve: Curve, schema: Schema) -> str:
    """Say where the answer lies along a feature, and where it lies on average."""
    says = _says(schema)
    mine = _range([one.here for one in curve.steps], says)
    mean = _range([one.usually for one in curve.steps], says)
    feature, ends = curve.feature, (curve.steps[0].value, curve.steps[-1].value)
    along = f"from {number(ends[0])} to {number(ends[1])}" if curve.is_line else "as listed"
    return together(
        f"With {spoken(feature)} {along} and all else as it stands, this row gets {mine}. "
        f"On average over {counted(curve.rows, 'row')} of the training it is {mean}."
    )


def _range(values: Sequence[float], says: Says) -> str:
    low, high = says(min(values)), says(max(values))
    return low if low == high else f"{low} to {high}"


def _says(schema: Schema) -> Says:
    return percent if schema.is_classifier else rough
