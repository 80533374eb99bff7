"""The share of odd rows over time, beside what the rules allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from unrot.core.plurals import counted
from unrot.core.rules import Rules
from unrot.web.charts import Chart, Happening, Level, Reading, Series, lines
from unrot.web.charts.accuracy import percents

ALLOWED = "The most that the rules allow"


def rate_reading(at: float, outliers: int, looked_at: int) -> Reading:
    """Return the share of a stretch of time as a point of the line."""
    share = outliers / looked_at if looked_at else None
    return Reading(at, share, words=f"{outliers:,} of {counted(looked_at, 'row')}")


def rate_chart(
    readings: Sequence[Reading],
    *,
    rules: Rules,
    since: float,
    until: float,
    happened: Sequence[Happening] = (),
    height: Literal["tall", "low"] = "tall",
    nothing: str = "",
) -> Chart:
    """Draw the share of rows that look like nothing in training."""
    return lines(
        "outliers",
        "Odd rows",
        [Series("Share of rows that look like nothing in training", readings, "two")],
        since=since,
        until=until,
        happened=happened,
        levels=[Level(rules.outlier_share, ALLOWED)] if rules.outliers else [],
        says=percents,
        low=0.0,
        high=0.1,
        height=height,
        nothing=nothing,
    )
