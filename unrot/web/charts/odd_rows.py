"""The share of odd rows over time, beside what the rules allow."""

from __future__ import annotations

from collections.abc import Sequence

from unrot.core.plurals import counted
from unrot.core.rules import Rules
from unrot.web.charts.axes import Axis
from unrot.web.charts.chart import Chart, Height
from unrot.web.charts.lines import Level, Measure, Reading, Series, lines
from unrot.web.charts.xy import Happening
from unrot.web.wording import percent

ALLOWED = "The most that the rules allow"


def read_rate(at: float, outliers: int, looked_at: int) -> Reading:
    """Return the share of a stretch of time as a point of the line."""
    share = outliers / looked_at if looked_at else None
    return Reading(at, share, words=f"{outliers:,} of {counted(looked_at, 'row')}")


def build_odd_rows(
    readings: Sequence[Reading],
    rules: Rules,
    *,
    x: Axis,
    happened: Sequence[Happening] = (),
    height: Height = "low",
    nothing: str = "",
) -> Chart:
    """Draw the share of rows that look like nothing in training."""
    return lines(
        "outliers",
        "Outliers",
        [Series("Share of rows that look like nothing in training", readings, "two")],
        x=x,
        measure=Measure(percent, 0.0, 0.1),
        happened=happened,
        levels=[Level(rules.outlier_share, ALLOWED)] if rules.outliers else [],
        height=height,
        nothing=nothing,
    )
