"""Each kind of chart: where things lie, what is said of them, and the data as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest

from unrot.core.records import Check, Distribution, Drift, Feature, Outcome, Schema
from unrot.core.rules import Rules
from unrot.watch.monitors.estimate.calibration import Calibration
from unrot.watch.reports.overview import Closer
from unrot.watch.statistics.accuracy import rolled
from unrot.web.charts.accuracy import build_verdicts, end_of
from unrot.web.charts.axes import GAP, choice_axis, number_axis, plain_axis, time_axis
from unrot.web.charts.bars import Bucket, Group, bars, groups
from unrot.web.charts.chart import Area, Bar, Chart, Dot, Entry, Stroke, Table
from unrot.web.charts.confusion import build_confusion
from unrot.web.charts.distribution import Part, distributions
from unrot.web.charts.drift import build_drift, build_period, excuse_of
from unrot.web.charts.grid import Grid
from unrot.web.charts.lines import Level, Measure, Reading, Series, lines
from unrot.web.charts.scatter import ALL, Point, scatter
from unrot.web.charts.scores import build_calibration
from unrot.web.charts.xy import Happening
from unrot.web.wording import percent

TEN = time_axis(0, 600)
SHARE = Measure(percent)
TO_TEN = replace(number_axis(0, 10), name="x", title="x")
UP_TO_TEN = replace(number_axis(0, 10, is_upright=True), name="y", title="y")

# ── lines ────────────────────────────────────────────────────────────────────────────────────

ACCURACY = Series(
    "Accuracy",
    [
        Reading(0, 1.0, 0.8, 1.0, "10 verdicts"),
        Reading(300, 0.5, 0.4, 0.6, "20 verdicts"),
        Reading(400, None),
        Reading(600, 0.0, 0.0, 0.2, "5 verdicts"),
    ],
)


def test_line_lies_where_its_values_are_and_breaks_at_gaps() -> None:
    chart = lines("a", "Accuracy", [ACCURACY], x=TEN, measure=SHARE)

    assert chart.strokes == (Stroke("M0 0L500 500", "one"), Stroke("M1000 800L1000 1000", "one"))
    assert chart.areas == (Area("M0 0L500 400L500 600L0 200Z", "one"),)
    assert chart.dots == (Dot(0, 0, "one"), Dot(50, 50, "one"), Dot(100, 100, "one"))


def test_line_says_its_values() -> None:
    chart = lines("a", "Accuracy", [ACCURACY], x=TEN, measure=SHARE)

    assert chart.sentence == (
        "Accuracy: 0 % (0 % to 20 %), 5 verdicts, at 1970-01-01 00:10; "
        "between 0 % and 100 % in this time."
    )
    assert [(spot.x, spot.left, spot.width) for spot in chart.spots] == [
        (0, 0, 25),
        (50, 25, 50),
        (100, 75, 25),
    ]
    assert chart.spots[1].text == ("1970-01-01 00:05\nAccuracy: 50 % (40 % to 60 %), 20 verdicts")
    assert chart.table == Table(
        ("Time (UTC)", "Accuracy"),
        (
            ("1970-01-01 00:10", "0 % (0 % to 20 %), 5 verdicts"),
            ("1970-01-01 00:05", "50 % (40 % to 60 %), 20 verdicts"),
            ("1970-01-01 00:00", "100 % (80 % to 100 %), 10 verdicts"),
        ),
    )
    assert chart.legend == (Entry("Accuracy", "one"), Entry("95 % interval", "one", "band"))


def test_values_outside_the_time_are_not_drawn() -> None:
    chart = lines("a", "Accuracy", [ACCURACY], x=time_axis(601, 900), nothing="No verdict yet.")

    assert (chart.is_empty, chart.sentence, chart.strokes) == (True, "No verdict yet.", ())


def test_dashed_series_is_said_beside_at_the_same_time() -> None:
    guess = Series("Constant guess", [Reading(0, 0.5), Reading(600, 0.5)], "guess", "dashed")

    chart = lines("a", "Accuracy", [ACCURACY, guess], x=TEN, measure=SHARE)

    assert chart.strokes[-1] == Stroke("M0 500L1000 500", "guess", "dashed")
    assert chart.spots[0].text.endswith("\nConstant guess: 50 %")
    assert chart.sentence.endswith("Constant guess: 50 %.")


def test_lone_value_of_a_dashed_series_is_a_point() -> None:
    alone = Series("Estimated", [Reading(300, 0.5)], tone="estimate", style="dashed")
    chart = lines("a", "Accuracy", [ACCURACY, alone], x=TEN, measure=SHARE)

    assert chart.dots[-1] == Dot(50, 50, "estimate")
    assert chart.legend[-1] == Entry("Estimated", "estimate", "circle")


def test_calibration_ends_where_it_was_never_surer() -> None:
    tenths = [(0, 0.0, 0)] * 5 + [(40, 22.0, 20), (60, 39.0, 50)] + [(0, 0.0, 0)] * 3
    known = Calibration(100, 70, (0.5, 0.62), (0.5, 0.8), (), groups=tuple(tenths))
    surer = replace(known, groups=((0, 0.0, 0),) * 9 + ((100, 95.0, 70),))
    chart = build_calibration(known)

    assert chart.sentence == "It was never more than 70 % sure, on 100 rows of its test set."
    assert [row[:2] for row in chart.table.rows][:2] == [("100 %", "–"), ("70 %", "80 %")]
    assert build_calibration(surer).sentence == (
        "Where it is 90 % sure it is right 80 % of the time. "
        "It was at least so sure on 100 of 100 rows of its test set."
    )


def test_level_goes_all_the_way_across_and_is_no_reading() -> None:
    floor = Level(0.25, "Its floor")

    chart = lines("a", "A", [ACCURACY], x=time_axis(0, 1_000), measure=SHARE, levels=[floor])

    assert chart.strokes[0] == Stroke("M0 750L1000 750", "guess", "dotted")
    assert chart.sentence.endswith(" Its floor: 25 %.")
    assert chart.legend[-1] == Entry("Its floor", "guess", "dotted")
    assert (len(chart.spots), len(chart.table.rows)) == (3, 3)


def test_groups_stand_side_by_side_in_the_order_of_the_first() -> None:
    before = Group("before", {"age": 0.0, "sex": 0.25}, "reference")
    now = Group("now", {"sex": 0.5, "age": 1.0}, "two")

    chart = groups("g", "G", [before, now], head="Column", sentence="They rose.")

    assert [bar.height for bar in chart.bars] == [0, 100, 25, 50]
    assert chart.table.rows == (("age", "0 %", "100 %"), ("sex", "25 %", "50 %"))
    assert chart.spots[1].text == "sex\nbefore: 25 %\nnow: 50 %"
    assert groups("g", "G", [], head="Column", sentence="None.").is_empty


def test_marks_that_are_close_go_into_two_rows_and_a_third_has_no_label() -> None:
    happened = [Happening(at, f"v{at}", f"v{at} answers") for at in (100, 101, 102, 400, 900)]

    chart = lines("a", "A", [ACCURACY], x=TEN, happened=happened)

    assert [(mark.label, mark.row) for mark in chart.marks] == [
        ("v100", 0),
        ("v101", 1),
        ("", 0),
        ("v400", 0),
    ]
    assert chart.marks[0].text == "v100 answers\n1970-01-01 00:01"
    assert chart.legend[-1] == Entry("version change", "mark", "dotted")


# ── bars ─────────────────────────────────────────────────────────────────────────────────────


def test_bars_are_stacked_and_counted() -> None:
    buckets = [Bucket(0, 60, {"v1": 3, "v2": 1}), Bucket(60, 120, {"v2": 2})]

    chart = bars("t", "T", buckets, x=time_axis(0, 120), parts=["v1", "v2"], what="prediction")

    assert chart.bars == (
        Bar(3, 25, 44, 75, "three"),
        Bar(3, 0, 44, 25, "one"),
        Bar(53, 50, 44, 50, "one"),
    )
    assert chart.sentence == ("6 predictions in this time; at most 4 in 1970-01-01 00:00 to 00:01.")
    assert chart.spots[0].text == "1970-01-01 00:00 to 00:01\n4 predictions\nv1: 3\nv2: 1"
    assert chart.table.rows == (
        ("1970-01-01 00:01 to 00:02", "2", "0", "2"),
        ("1970-01-01 00:00 to 00:01", "4", "3", "1"),
    )


def test_more_than_four_versions_share_the_tone_of_older_ones() -> None:
    parts = [f"v{number}" for number in range(6)]

    chart = bars(
        "t",
        "T",
        [Bucket(0, 60, dict.fromkeys(parts, 1))],
        x=time_axis(0, 60),
        parts=parts,
        what="x",
    )

    assert [bar.tone for bar in chart.bars] == ["older", "older", "two", "four", "three", "one"]
    assert [entry.name for entry in chart.legend] == ["older", "v2", "v3", "v4", "v5"]


# ── distributions ────────────────────────────────────────────────────────────────────────────


def test_histogram_of_variable_bins_is_drawn_by_density() -> None:
    found = Distribution("number", 10, edges=(1.0, 3.0), counts=(2, 4, 4), low=0.7, high=3.25)

    chart = distributions("d", "D", [Part("training", found)])

    # Widths .3, 2, .25; densities .667, .2, 1.6; the highest is drawn at 1 / 1.08 of the height.
    assert chart.strokes[0].d == (
        "M0 1000L0 614.2L117.7 614.2L117.7 884.3L902 884.3L902 74.1L1000 74.1L1000 1000"
    )
    assert [spot.text for spot in chart.spots] == [
        "below 1\ntraining: 20 %",
        "1 to 3\ntraining: 40 %",
        "3 and above\ntraining: 40 %",
    ]


def test_open_bin_with_far_values_squeezes_nothing() -> None:
    found = Distribution("number", 4, edges=(0.0, 6.0), counts=(1, 2, 1), low=-1e9, high=1e9)

    chart = distributions("d", "D", [Part("training", found)])

    assert [(spot.left, spot.width) for spot in chart.spots] == [
        (0.0, 25.0),
        (25.0, 50.0),
        (75.0, 25.0),
    ]
    assert chart.sentence.endswith(
        "Values far outside all others stand at the edge of the chart: as far as -1e+09 and 1e+09."
    )


def test_distributions_on_other_bins_are_compared_by_shares() -> None:
    one = Distribution("number", 2, edges=(1.0,), counts=(1, 1), low=0.25, high=1.25)
    other = Distribution("number", 4, edges=(0.5,), counts=(1, 3), low=0.25, high=1.25)

    chart = distributions("d", "D", [Part("training", one), Part("now", other)])

    assert chart.table.rows == (
        ("below 0.5", "16.7 %", "25 %"),
        ("0.5 to 1", "33.3 %", "50 %"),
        ("1 and above", "50 %", "25 %"),
    )
    assert {entry.tone for entry in chart.legend} == {"reference", "two"}


def test_fine_bins_of_few_rows_are_taken_together() -> None:
    edges = tuple(float(edge) for edge in range(20))
    few = Distribution("number", 27, edges=edges, counts=(1, *[1] * 19, 7), low=-1.0, high=20.0)

    chart = distributions("d", "D", [Part("now", few)])

    # 20 edges, 8 bins wanted: three at once from 0 on, and the last open one with two before it.
    assert [row[0] for row in chart.table.rows] == [
        "below 0",
        *(f"{low} to {low + 3}" for low in range(0, 18, 3)),
        "18 and above",
    ]
    assert [row[1] for row in chart.table.rows] == ["3.7 %", *["11.1 %"] * 6, "29.6 %"]


def test_peak_of_one_narrow_bin_hides_no_other() -> None:
    steep = Distribution(
        "number",
        rows=100,
        edges=(0.0, 0.999, 1.0),
        counts=(0, 40, 60, 0),
        low=0.0,
        high=1.0,
    )

    drawn = distributions("d", "D", [Part("training", steep)])

    shares = {row[0]: row[1] for row in drawn.table.rows}
    assert len(shares) == 30
    assert (shares["0.889 to 0.944"], shares["0.944 to 1"]) == ("2.2 %", "62.2 %")


def test_choices_are_bars_beside_each_other() -> None:
    one = Distribution("choice", 10, choices=("red", "green"), counts=(6, 4, 0))
    other = Distribution("choice", 11, 1, choices=("red", "green"), counts=(0, 5, 5))

    chart = distributions("d", "D", [Part("training", one), Part("now", other)])

    assert chart.x and [tick.label for tick in chart.x.ticks] == ["red", "green", "never seen"]
    assert chart.table.rows == (
        ("red", "60 %", "0 %"),
        ("green", "40 %", "50 %"),
        ("never seen", "0 %", "50 %"),
        ("missing, of all rows", "0 %", "9.1 %"),
    )
    assert chart.sentence == (
        "Training: 10 values, most often red (60 %). "
        "Now: 10 values, most often green (50 %), 1 missing."
    )


# ── strips ───────────────────────────────────────────────────────────────────────────────────


def drift(column: str, distance: float, *, has_moved: bool = False, is_calm: bool = False) -> Drift:
    return Drift(column, distance, "ks", distance, 1.0, has_moved, is_calm)


def check(minute: int, *drifts: Drift, rows: int = 100, version: str = "v1") -> Check:
    return Check("m", version, 60 * minute, 60 * minute + 60, "training", rows, 900, drifts)


def strips(checks: Sequence[Check], chosen: tuple[str, float] | None = None) -> Grid:
    return build_drift(
        Schema((), "y"),
        checks,
        Rules(distance=0.15),
        x=time_axis(0, 120),
        linked=lambda column, ends_at: f"/{column}/{ends_at:.0f}",
        chosen=chosen,
    )


def test_drift_puts_what_has_moved_first_and_says_so() -> None:
    checks = [
        check(0, drift("calm", 0.02, is_calm=True), drift("gone", 0.05, is_calm=True)),
        check(1, drift("calm", 0.1), drift("gone", 0.31, has_moved=True)),
    ]

    drawn = strips(checks, ("gone", 120))

    gone, calm = drawn.rows
    assert (gone.name, gone.end, gone.is_marked) == ("gone", "0.31", True)
    assert [(cell.x, cell.width, cell.tone, cell.is_chosen) for cell in gone.cells] == [
        (0, 50, "calm", False),
        (50, 50, "far", True),
    ]
    assert [cell.tone for cell in calm.cells] == ["calm", "near"]
    assert gone.cells[1].text == (
        "gone: moved, distance 0.31, threshold 0.15\n1970-01-01 00:01 to 00:02\n100 rows of v1"
    )
    assert drawn.sentence == (
        "In the newest period, 1970-01-01 00:01 to 00:02, 1 of 2 columns had moved: gone (0.31)."
    )
    assert drawn.table.rows == (
        ("1970-01-01 00:01 to 00:02", "gone", "0.31", "moved"),
        ("1970-01-01 00:01 to 00:02", "calm", "0.1", ""),
    )
    assert drawn.table.links == ("/gone/120", "/calm/120")


def test_drift_of_calm_columns_names_the_farthest() -> None:
    drawn = strips([check(0, drift("x", 0.1))])

    assert drawn.sentence == (
        "None of 1 column had moved in the newest period, 1970-01-01 00:00 to 00:01; "
        "the farthest is x at 0.1."
    )


def test_drift_says_how_far_and_that_chance_explains_it() -> None:
    drawn = strips([check(0, drift("x", 0.304, is_calm=True), drift("y", 0.2), rows=60)])

    x, y = drawn.rows
    assert [(strip.note, strip.is_marked) for strip in (x, y)] == [
        ("far, but could be chance", False)
    ] * 2
    assert [strip.cells[0].tone for strip in (x, y)] == ["chance", "chance"]
    assert x.cells[0].text.startswith(
        "x: distance 0.304, threshold 0.15. "
        "Far, but could be chance (with 60 rows chance explains it)\n"
    )
    assert y.cells[0].text.startswith(
        "y: distance 0.2, threshold 0.15. "
        "Far, but could be chance (with 60 rows chance could explain it)\n"
    )
    assert drawn.sentence.endswith(
        "the farthest is x at 0.304 of 0.15: far, but could be chance (with 60 rows chance "
        "explains it)."
    )
    assert [row[3] for row in drawn.table.rows] == [
        "far, but could be chance (with 60 rows chance explains it)",
        "far, but could be chance (with 60 rows chance could explain it)",
    ]


def test_rows_that_hang_together_excuse_a_distance_as_what_they_are_worth() -> None:
    found = replace(drift("x", 0.304, is_calm=True), worth=3.7)

    assert (
        excuse_of(found, 0.15, 60) == "60 rows are worth 4 independent ones, so chance explains it"
    )
    assert excuse_of(replace(found, worth=0.2), 0.15, 60).startswith("60 rows are worth 1 indep")
    assert excuse_of(replace(found, worth=60.0), 0.15, 60) == "with 60 rows chance explains it"


def test_drift_shows_the_version_that_moved_over_one_that_did_not() -> None:
    checks = [
        check(0, drift("x", 0.4, has_moved=True), rows=90, version="v2"),
        check(0, drift("x", 0.2, is_calm=True), rows=60),
    ]

    [strip] = strips(checks).rows

    assert [cell.tone for cell in strip.cells] == ["chance", "far"]
    assert (strip.end, strip.is_marked) == ("0.4", True)


@pytest.mark.parametrize(
    ("distance", "has_moved", "is_calm", "step"),
    [
        (0.4, True, False, "far"),
        (0.2, True, False, "beyond"),
        (0.14, False, False, "near"),
        (0.05, False, True, "calm"),
        (0.2, False, True, "chance"),
    ],
)
def test_tone_of_a_period_is_its_step(
    distance: float, has_moved: bool, is_calm: bool, step: str
) -> None:
    [strip] = strips([check(0, drift("x", distance, has_moved=has_moved, is_calm=is_calm))]).rows

    assert [cell.tone for cell in strip.cells] == [step]


# ── confusion ────────────────────────────────────────────────────────────────────────────────


def classes(*names: str) -> Schema:
    return Schema((Feature("x", "number"),), "y", names)


def test_confusion_counts_and_scores_each_class() -> None:
    answered = {"a": {"a": 6, "b": 2}, "b": {"b": 2}}

    drawn = build_confusion("m", "M", answered, classes("a", "b"))

    first, second = drawn.rows
    assert [(cell.label, cell.tone, cell.note) for cell in first.cells] == [
        ("6", "right shade-5", "right"),
        ("·", "wrong shade-0", ""),
    ]
    assert second.cells[0].text == "b answered as a: 2 of 4 (50 %)"
    # Precision 6/8, recall 6/6, F1 12/14, specificity 2/4.
    assert drawn.table.rows[0] == ("a", "6", "75 %", "100 %", "85.7 %", "50 %")
    assert drawn.sentence == (
        "8 of 10 answers were right (80 %). The commonest mistake: b answered as a, 2 times."
    )
    lacking = build_confusion("m", "M", answered, classes("a", "b"), untold=6)
    total = sum(sum(row.values()) for row in answered.values())
    assert f" of {total + 6} answers were right" in lacking.sentence
    assert "6 of the wrong ones are not shown: nobody said what was right." in lacking.sentence
    assert lacking.table.caption.endswith(", without the 6 of which nobody said what was right")

    tied = build_confusion("m", "M", {"a": {"a": 6, "b": 2}, "b": {"a": 2}}, classes("a", "b"))
    assert "A common mistake: " in tied.sentence


def test_confusion_of_many_classes_folds_the_rarest() -> None:
    names = [f"c{number:02}" for number in range(20)]
    answered = {one: {one: 20 - number} for number, one in enumerate(names)}

    drawn = build_confusion("m", "M", answered, classes(*names))

    assert drawn.heads == (*names[:11], "others")
    assert drawn.rows[-1].cells[-1].label == str(sum(range(1, 10)))
    assert len(drawn.table.rows) == 20


def test_confusion_without_labels_says_so() -> None:
    assert build_confusion("m", "M", {}, classes("a")).sentence == (
        "No verdict on a prediction of this time says what was true."
    )


# ── scatter ──────────────────────────────────────────────────────────────────────────────────


def test_scatter_draws_wrong_ones_last_and_as_crosses() -> None:
    points = [Point(0, 0, False, key="a"), Point(10, 5, True, key="b"), Point(5, 10, None)]
    x = replace(TO_TEN, name="x", title="x (cm)")

    chart = scatter("s", "S", points, x=x, y=UP_TO_TEN, brush="both")

    assert chart.dots == (
        Dot(100, 50, "right"),
        Dot(50, 0, "unjudged", "ring"),
        Dot(0, 100, "wrong", "cross"),
    )
    assert chart.sentence == "3 rows by x and y: 1 right, 1 wrong, 1 unjudged."
    assert chart.spots[2].text == "wrong\nx (cm): 0\ny: 0"
    assert [spot.key for spot in chart.spots] == ["b", "", "a"]
    assert chart.brush == "both"


def test_scatter_of_choices_keeps_points_within_their_choice() -> None:
    points = [Point(choice, 1.0, True, key=str(row)) for row in range(9) for choice in (0, 1)]
    x = replace(choice_axis("ab"), title="x")

    chart = scatter("s", "S", points, x=x, y=UP_TO_TEN)

    left = [spot.x for spot in chart.spots if "x: a" in spot.text]
    right = [spot.x for spot in chart.spots if "x: b" in spot.text]
    assert 10 <= min(left) <= max(left) <= 40
    assert 60 <= min(right) <= max(right) <= 90
    assert chart == scatter("s", "S", points, x=x, y=UP_TO_TEN)


def test_scatter_lists_the_last_200() -> None:
    points = [Point(row / 100, 1, True) for row in range(1_000)]

    chart = scatter("s", "S", points, x=TO_TEN, y=UP_TO_TEN)

    assert len(chart.spots) == 1_000
    assert chart.table.rows[0] == ("right", "9.99", "1")
    assert (len(chart.table.rows), chart.table.left_out) == (200, 800)


def test_scatter_puts_rows_without_a_number_into_their_lane() -> None:
    points = [Point(GAP, 1, True), Point(0, 0, True), Point(10, 10, True)]

    chart = scatter("s", "S", points, x=number_axis(0, 10, has_gaps=True), y=UP_TO_TEN)

    assert [spot.x for spot in chart.spots] == [4.545, 9.091, 100.0]
    assert chart.table.rows[-1][1] == "unknown"


def test_scatter_puts_what_lies_far_out_at_the_edge() -> None:
    points = [Point(-500, 5, True), Point(5, 5, True), Point(900, 5, True)]

    chart = scatter("s", "S", points, x=TO_TEN, y=UP_TO_TEN)

    assert [spot.x for spot in chart.spots] == [0.0, 50.0, 100.0]
    assert "x: 900" in chart.spots[2].text


def test_scatter_shows_what_is_selected_already() -> None:
    y = choice_axis("ab", is_upright=True)
    points = [Point(1, 0, True, is_out=True)]

    chart = scatter("s", "S", points, x=TO_TEN, y=y, picked=((2.5, None), (1, 1)))

    assert chart.brushed == Bar(25.0, 0.0, 75.0, 50.0, "brushed")
    assert [spot.is_out for spot in chart.spots] == [True]
    assert scatter("s", "S", points, x=TO_TEN, y=y, picked=(ALL, ALL)).brushed is None


# ── nothing ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "chart",
    [
        bars("t", "T", [], x=TEN, parts=[], what="x"),
        distributions("d", "D", []),
        strips([]),
        scatter("s", "S", [], x=TO_TEN, y=UP_TO_TEN),
    ],
    ids=["bars", "distributions", "drift", "scatter"],
)
def test_chart_of_nothing_says_so(chart: Chart | Grid) -> None:
    assert chart.is_empty
    assert chart.sentence


def test_value_that_stands_alone_is_a_point_in_the_legend() -> None:
    line = Series("This row", [Reading(0, 0.2), Reading(1, 0.4)])
    point = Series("As it is", [Reading(0.5, 0.3)], "four")

    chart = lines("along", "Along", [line, point], x=plain_axis(0, 1, str))

    assert chart.legend == (Entry("This row", "one"), Entry("As it is", "four", "circle"))


def test_first_verdicts_on_a_version_are_too_few_for_a_point() -> None:
    told = [Outcome(f"p{at}", f"v{1 + at // 20}", at, at, was_correct=True) for at in range(30)]

    drawn = build_verdicts(Schema((), "y", ("a", "b")), rolled(told, 50, 30), 50, until=30.0)

    read = [row for row in drawn.table.rows if "100 %" in " ".join(map(str, row))]
    assert len(read) == 11 + 1, drawn.table


@pytest.mark.parametrize(("version", "named"), [("v1", "training of v1"), ("imported", "training")])
def test_answers_of_another_were_trained_on_nothing_that_is_known(version: str, named: str) -> None:
    lay = Distribution("number", rows=9, low=0.0, high=1.0, edges=(0.0, 1.0), counts=(0, 9, 0))
    found = Closer(check(1, drift("a", 0.4), version=version), drift("a", 0.4), lay, lay)

    drawn = build_period(classes("x", "y"), found)

    assert f"{named.capitalize()}: 9 values" in drawn.sentence


def test_stretch_that_is_not_over_ends_now() -> None:
    point = SimpleNamespace(starts_at=0.0, seconds=86_400.0)
    found = SimpleNamespace(span=SimpleNamespace(until=172_800.0), now=1_000.0)

    assert end_of(point, found) == 1_000.0  # type: ignore[arg-type]
    assert end_of(point, SimpleNamespace(**{**vars(found), "now": 1e6})) == 86_400.0  # type: ignore[arg-type]
