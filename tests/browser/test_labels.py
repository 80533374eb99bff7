"""The labels of charts in a real browser: none runs into another, leaves its sheet, or vanishes.

Charts are drawn by hard data: names that are long, many choices, numbers of many digits, times from
minutes to decades, and a dozen things that happened at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from flask import render_template_string

from tests.conftest import ROOT, doors
from unrot.core.time import DAY, HOUR, MINUTE
from unrot.web.charts.axes import Axis, choice_axis, number_axis, plain_axis, time_axis
from unrot.web.charts.bars import Bucket, Group, bars, groups
from unrot.web.charts.chart import Chart
from unrot.web.charts.grid import Grid, Row
from unrot.web.charts.lines import Reading, Series, lines
from unrot.web.charts.scatter import Point, scatter
from unrot.web.charts.xy import Happening

START = 1_700_049_600.0
WIDTHS = (360, 390, 640, 760, 1280)
SPANS = (10 * MINUTE, HOUR, 5 * HOUR, DAY, 9 * DAY, 30 * DAY, 200 * DAY, 900 * DAY, 9_000 * DAY)
NAMES = [
    f"{name} with a long name {number}" for number, name in enumerate(("Müller", "WWW", "i") * 11)
]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{{ styles|safe }}</style>
{% from "charts/_chart.html" import chart %}{% from "charts/_grid.html" import strips %}
<main><div class="scatters">
{% for it in charts %}<section class="panel">{{ chart(it) }}</section>{% endfor %}
</div>{% for it in grids %}<section class="panel">{{ strips(it) }}</section>{% endfor %}</main>"""
MEASURE = """
const boxes = (plot, of) => [...plot.querySelectorAll(of)]
  .filter((one) => getComputedStyle(one).display !== "none" && one.textContent)
  .map((one) => { const at = one.getBoundingClientRect();
    const { left, right, top, bottom } = at;
    return { text: one.textContent, left, right, top, bottom }; });
return [...document.querySelectorAll(".panel")].map((panel) => {
  const sheet = panel.getBoundingClientRect();
  return {name: panel.querySelector("h3").textContent, left: sheet.left, right: sheet.right,
    across: boxes(panel, ".plot > svg > text:not(.upward), .heat-times text"),
    upward: boxes(panel, ".plot > svg > text.upward"),
    marks: boxes(panel, ".mark text")};
});
"""


@dataclass(frozen=True)
class Box:
    """Where a label lies."""

    text: str
    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Tell whether two run into each other; a pixel is no matter."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > 1 and down > 3


def drawn(x: Axis, title: str, y: Axis | None = None) -> Chart:
    """Draw two points on an axis."""
    up = replace(y or number_axis(-12_345, 98_765, is_upright=True), name="up", title="up")
    spots = [Point(x.least, up.least, True), Point(x.high, up.high, False)]
    return scatter(title, title, spots, x=replace(x, name="across", title="across"), y=up)


def hard_charts() -> Iterator[Chart]:
    for span in SPANS:
        for shift in (0, 13 * HOUR + 7 * MINUTE):
            since = START + shift
            x = time_axis(since, since + span)
            happened = [
                Happening(since + span * part / 40, "champion v12", "")
                for part in (1, 2, 3, 20, 21, 22, 36, 38, 39.5)
            ]
            readings = [Reading(since + span * part / 9, 1e6 * part) for part in range(10)]
            yield lines(
                f"{span} {shift}",
                f"{span} {shift}",
                [Series("x", readings)],
                x=x,
                happened=happened,
            )
    for count in (1, 2, 3, 7, 12, 33):
        names = NAMES[:count]
        yield drawn(choice_axis(names), f"{count} across", choice_axis(names, is_upright=True))
        group = Group("now", dict.fromkeys(names, 1 / count), "one")
        yield groups(f"{count} bars", f"{count} bars", [group], head="x", sentence="")
    for low, high in (
        (0, 1),
        (-1e-9, 2e-9),
        (1e8, 1.00001e8),
        (-123_456, 123_456),
        (9_999, 10_001),
    ):
        gaps = number_axis(low, high, about=5, has_gaps=True)
        yield drawn(gaps, f"{low} to {high} with gaps", replace(gaps, is_upright=True))
        yield drawn(plain_axis(low, high), f"{low} to {high}")
    buckets = [Bucket(START + HOUR * n, START + HOUR * (n + 1), {"v1": 9e6 + n}) for n in range(90)]
    x = time_axis(START, START + 90 * HOUR)
    yield bars("many", "many bars", buckets, x=x, parts=["v1"], what="predictions")


def hard_grids() -> Iterator[Grid]:
    for span in SPANS:
        ticks = time_axis(START, START + span).ticks
        yield Grid(f"strips {span}", f"strips {span}", "", (Row("x" * 40, (), "0.1"),), ticks)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All charts on one page, as they are on the explorer's."""
    sheets = (ROOT / "static" / "css" / name for name in ("app.css", "charts.css", "explore.css"))
    styles = "\n".join(sheet.read_text("utf-8") for sheet in sheets)
    with doors().test_request_context():
        drawn = {"charts": list(hard_charts()), "grids": list(hard_grids())}
        text = render_template_string(PAGE, **drawn, styles=styles)
    file = tmp_path_factory.mktemp("labels") / "page.html"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("width", WIDTHS)
def test_labels_neither_overlap_nor_leave_their_sheet_nor_vanish(
    chromium: Callable[[bool], Any], page: Path, width: int
) -> None:
    driver = chromium(True)
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(page.as_uri())

    wrong = [said for sheet in driver.execute_script(MEASURE) for said in _wrong_on(sheet)]

    driver.get("about:blank")
    assert not wrong, "\n".join(wrong)


def _wrong_on(sheet: dict[str, Any]) -> Iterator[str]:
    labels = {side: [Box(**one) for one in sheet[side]] for side in ("across", "upward", "marks")}
    for side, boxes in labels.items():
        for one, other in combinations(boxes, 2):
            if one.meets(other):
                yield f"{sheet['name']}, {side}: {one.text} meets {other.text}"
        for one in boxes:
            if one.left < sheet["left"] or one.right > sheet["right"]:
                yield f"{sheet['name']}, {side}: {one.text} leaves its sheet"
    for across, up in ((a, u) for a in labels["across"] for u in labels["upward"]):
        if across.meets(up):
            yield f"{sheet['name']}: {across.text} meets {up.text}"
    sides = ["across"] if sheet["name"].startswith("strips") else ["across", "upward"]
    if not sheet["name"].startswith("1 ") and any(len(labels[side]) < 2 for side in sides):
        yield f"{sheet['name']}: only {labels['across']} and {labels['upward']}"
