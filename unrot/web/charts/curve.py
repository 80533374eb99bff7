"""The score of a model over the rows that it has seen: a point for each version of its stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from unrot.core.plurals import counted
from unrot.core.records import Version
from unrot.core.test_sets import score_of, test_set_digest
from unrot.web.charts.axes import plain_axis
from unrot.web.charts.chart import Chart
from unrot.web.charts.lines import Measure, Reading, Series, lines
from unrot.web.wording import number, percent

Address = Callable[[str], str]
"""Return the address of a version."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One version: what it had seen, and what it reached."""

    version: Version
    rows: float
    score: float


def build_curve(line: Sequence[Version], address: Address) -> Chart | None:
    """Draw the line of a version, the version first, back to where its stream began."""
    reached = reached_by(line)
    if len(reached) < 2:
        return None
    first, last = reached[0], reached[-1]
    measure, metric = Measure(number, low=0.0), "Mean error"
    if "accuracy" in last.version.metrics:
        measure, metric = Measure(percent, high=1.0), "Accuracy"
    read = [Reading(one.rows, one.score, words=one.version.name) for one in reached]
    ends = " to ".join(
        f"{measure.says(one.score)} after {_rows(one.rows)}" for one in (first, last)
    )
    chart = lines(
        "curve",
        f"{metric} over the rows seen",
        [Series(metric, read)],
        x=replace(plain_axis(first.rows, last.rows, _rows), name="Rows seen"),
        measure=measure,
        height="low",
        sentence=f"From {ends}, all on one test set.",
    )
    links = tuple(address(one.version.name) for one in reversed(reached))
    return replace(chart, table=replace(chart.table, links=links))


def reached_by(line: Sequence[Version]) -> list[Reached]:
    """Return what the versions of a line had seen and reached, the first one first.

    It ends where another test set begins: scores of different rows make no line.
    """
    found: list[Reached] = []
    for version in line:
        rows, score = _rows_seen(version), score_of(version.metrics)
        if rows is None or score is None or (found and rows >= found[-1].rows):
            break
        if found and test_set_digest(version) != test_set_digest(found[-1].version):
            break
        found.append(Reached(version, rows, score))
    return found[::-1]


def _rows_seen(version: Version) -> int | None:
    said: Any = version.made.get("rows_seen", version.metrics.get("rows_seen"))
    return int(said) if isinstance(said, int | float) else None


def _rows(count: float) -> str:
    return counted(count, "row")
