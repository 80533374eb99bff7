"""A line as small as a word: the course of one figure, without axes; a sentence stands beside it.

>>> spark([0, 2, 1]).line, spark([0, 2, 1], high=4.0).area, spark([3]).line
('M0 940L500 60L1000 500', 'M0 940L500 500L1000 720L1000 1000L0 1000Z', '')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrot.web.charts.chart import BOX

TOP, BOTTOM = 6.0, 94.0
"""Percent of the height: a stroke at the edge would be cut."""


@dataclass(frozen=True, slots=True)
class Spark:
    """A line, what lies under it, and what both show; empty where there are too few values."""

    line: str = ""
    area: str = ""
    sentence: str = ""


def spark(
    values: Sequence[float],
    sentence: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
) -> Spark:
    """Draw values from left to right; `low` and `high` are on the drawing in any case."""
    if len(values) < 2:
        return Spark()
    floor = min([*values, *([] if low is None else [low])])
    ceiling = max([*values, *([] if high is None else [high])])
    height = ceiling - floor or 1.0
    across, up = BOX / (len(values) - 1), (BOTTOM - TOP) / 100 * BOX / height
    bottom = BOTTOM / 100 * BOX
    line = "M" + "L".join(
        f"{across * at:.0f} {bottom - up * (value - floor):.0f}" for at, value in enumerate(values)
    )
    return Spark(line, f"{line}L{BOX:.0f} {BOX:.0f}L0 {BOX:.0f}Z", sentence)
