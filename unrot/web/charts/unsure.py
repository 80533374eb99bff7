"""How often the answer was "not sure", over time."""

from __future__ import annotations

from collections.abc import Sequence

from unrot.core.plurals import counted
from unrot.core.records import Window
from unrot.watch.statistics.accuracy import share
from unrot.web.charts.axes import Axis
from unrot.web.charts.chart import Chart
from unrot.web.charts.lines import Measure, Reading, Series, lines
from unrot.web.wording import percent


def build_unsure(stretches: Sequence[tuple[float, Window]], *, x: Axis) -> Chart | None:
    """Draw the share with its interval; nothing where "not sure" was no answer."""
    if not stretches:
        return None
    return lines(
        "abstentions",
        "Answered “not sure”",
        [Series("Share of predictions, with its 95 % interval", list(map(_read, stretches)))],
        x=x,
        measure=Measure(percent, 0.0, 0.1),
        height="low",
    )


def _read(stretch: tuple[float, Window]) -> Reading:
    at, window = stretch
    of = share(window.unsure, window.asked_sure)
    words = f"{window.unsure:,} of {counted(window.asked_sure, 'prediction')}"
    return Reading(at, of.value, of.low, of.high, words)
