"""Each kind of chart: where things lie, what is said of them, and the data as a table."""

from __future__ import annotations

import pytest

from unrot.core.records import Distribution
from unrot.web.charts import (
    Axis,
    Bucket,
    Group,
    Happening,
    Level,
    Moved,
    Part,
    Point,
    Reading,
    Series,
    axis,
    bars,
    distributions,
    groups,
    heat,
    lines,
    matrix,
    scatter,
    share,
)
from unrot.web.charts.drawing import Area, Bar, Dot, Entry, Stroke, Table

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
    chart = lines("a", "Accuracy", [ACCURACY], since=0, until=600, says=share)

    assert chart.strokes == (Stroke("M0 0L500 500", "one"), Stroke("M1000 800L1000 1000", "one"))
    assert chart.areas == (Area("M0 0L500 400L500 600L0 200Z", "one"),)
    assert chart.dots == (Dot(0, 0, "one"), Dot(50, 50, "one"), Dot(100, 100, "one"))


def test_line_says_its_values() -> None:
    chart = lines("a", "Accuracy", [ACCURACY], since=0, until=600, says=share)

    assert chart.sentence == (
        "Accuracy at the end: 0% (0% to 20%), 5 verdicts; between 0% and 100% in this time."
    )
    assert [(spot.x, spot.left, spot.width) for spot in chart.spots] == [
        (0, 0, 25),
        (50, 25, 50),
        (100, 75, 25),
    ]
    assert chart.spots[1].text == ("1 Jan 1970 00:05\nAccuracy: 50% (40% to 60%), 20 verdicts")
    assert chart.table == Table(
        ("Time (UTC)", "Accuracy"),
        (
            ("1 Jan 1970 00:10", "0% (0% to 20%), 5 verdicts"),
            ("1 Jan 1970 00:05", "50% (40% to 60%), 20 verdicts"),
            ("1 Jan 1970 00:00", "100% (80% to 100%), 10 verdicts"),
        ),
    )
    assert chart.legend == (Entry("Accuracy", "one"), Entry("95% interval", "one", "band"))


def test_values_outside_the_time_are_not_drawn() -> None:
    chart = lines("a", "Accuracy", [ACCURACY], since=601, until=900, nothing="No verdict yet.")

    assert (chart.is_empty, chart.sentence, chart.strokes) == (True, "No verdict yet.", ())


def test_dashed_series_is_said_beside_at_the_same_time() -> None:
    guess = Series("Constant guess", [Reading(0, 0.5), Reading(600, 0.5)], "guess", "dashed")

    chart = lines("a", "Accuracy", [ACCURACY, guess], since=0, until=600, says=share)

    assert chart.strokes[-1] == Stroke("M0 500L1000 500", "guess", "dashed")
    assert chart.spots[0].text.endswith("\nConstant guess: 50%")
    assert chart.sentence.endswith("Constant guess: 50%.")


def test_level_goes_all_the_way_across_and_is_no_reading() -> None:
    floor = Level(0.25, "Its floor")

    chart = lines("a", "A", [ACCURACY], since=0, until=1_000, says=share, levels=[floor])

    assert chart.strokes[0] == Stroke("M0 750L1000 750", "guess", "dotted")
    assert chart.sentence.endswith(" Its floor: 25%.")
    assert chart.legend[-1] == Entry("Its floor", "guess", "dotted")
    assert (len(chart.spots), len(chart.table.rows)) == (3, 3)


def test_groups_stand_side_by_side_in_the_order_of_the_first() -> None:
    before = Group("before", {"age": 0.0, "sex": 0.25}, "reference")
    now = Group("now", {"sex": 0.5, "age": 1.0}, "two")

    chart = groups("g", "G", [before, now], head="Column", sentence="They rose.")

    assert [bar.height for bar in chart.bars] == [0, 100, 25, 50]
    assert chart.table.rows == (("age", "0%", "100%"), ("sex", "25%", "50%"))
    assert chart.spots[1].text == "sex\nbefore: 25%\nnow: 50%"
    assert groups("g", "G", [], head="Column", sentence="None.").is_empty


def test_marks_that_are_close_go_into_two_rows_and_a_third_has_no_label() -> None:
    happened = [Happening(at, f"v{at}", f"v{at} answers") for at in (100, 101, 102, 400, 900)]

    chart = lines("a", "A", [ACCURACY], since=0, until=600, happened=happened)

    assert [(mark.label, mark.row) for mark in chart.marks] == [
        ("v100", 0),
        ("v101", 1),
        ("", 0),
        ("v400", 0),
    ]
    assert chart.marks[0].text == "v100 answers\n1 Jan 1970 00:01"
    assert chart.legend[-1] == Entry("version change", "mark", "dotted")


# ── bars ─────────────────────────────────────────────────────────────────────────────────────


def test_bars_are_stacked_and_counted() -> None:
    buckets = [Bucket(0, 60, {"v1": 3, "v2": 1}), Bucket(60, 120, {"v2": 2})]

    chart = bars("t", "T", buckets, since=0, until=120, parts=["v1", "v2"], what="predictions")

    assert chart.bars == (
        Bar(3, 25, 44, 75, "three"),
        Bar(3, 0, 44, 25, "one"),
        Bar(53, 50, 44, 50, "one"),
    )
    assert chart.sentence == ("6 predictions in this time; at most 4 in 1 Jan 1970 00:00–00:01.")
    assert chart.spots[0].text == "1 Jan 1970 00:00–00:01\n4 predictions\nv1: 3\nv2: 1"
    assert chart.table.rows == (
        ("1 Jan 1970 00:01–00:02", "2", "0", "2"),
        ("1 Jan 1970 00:00–00:01", "4", "3", "1"),
    )


def test_more_than_four_versions_share_the_tone_of_older_ones() -> None:
    parts = [f"v{number}" for number in range(6)]

    chart = bars(
        "t", "T", [Bucket(0, 60, dict.fromkeys(parts, 1))], since=0, until=60, parts=parts, what="x"
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
        "below 1\ntraining: 20%",
        "1 to 3\ntraining: 40%",
        "3 and above\ntraining: 40%",
    ]


def test_open_bin_with_far_values_squeezes_nothing() -> None:
    found = Distribution("number", 4, edges=(0.0, 6.0), counts=(1, 2, 1), low=-1e9, high=1e9)

    chart = distributions("d", "D", [Part("training", found)])

    assert [(spot.left, spot.width) for spot in chart.spots] == [
        (0.0, 25.0),
        (25.0, 50.0),
        (75.0, 25.0),
    ]


def test_distributions_on_other_bins_are_compared_by_shares() -> None:
    one = Distribution("number", 2, edges=(1.0,), counts=(1, 1), low=0.25, high=1.25)
    other = Distribution("number", 4, edges=(0.5,), counts=(1, 3), low=0.25, high=1.25)

    chart = distributions("d", "D", [Part("training", one), Part("now", other)])

    assert chart.table.rows == (
        ("below 0.5", "16.7%", "25%"),
        ("0.5 to 1", "33.3%", "50%"),
        ("1 and above", "50%", "25%"),
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
    assert [row[1] for row in chart.table.rows] == ["3.7%", *["11.1%"] * 6, "29.6%"]


def test_choices_are_bars_beside_each_other() -> None:
    one = Distribution("choice", 10, choices=("red", "green"), counts=(6, 4, 0))
    other = Distribution("choice", 11, 1, choices=("red", "green"), counts=(0, 5, 5))

    chart = distributions("d", "D", [Part("training", one), Part("now", other)])

    assert [tick.label for tick in chart.x_ticks] == ["red", "green", "never seen"]
    assert chart.table.rows == (
        ("red", "60%", "0%"),
        ("green", "40%", "50%"),
        ("never seen", "0%", "50%"),
        ("missing, of all rows", "0%", "9.1%"),
    )
    assert chart.sentence == (
        "Training: 10 values, most often red (60%). "
        "Now: 10 values, most often green (50%), 1 missing."
    )


# ── heat ─────────────────────────────────────────────────────────────────────────────────────


def test_heat_puts_what_has_moved_first_and_says_so() -> None:
    moved = [
        Moved("calm", 0, 60, 0.02, 0.15, False, True),
        Moved("gone", 0, 60, 0.05, 0.15, False, True),
        Moved("calm", 60, 120, 0.1, 0.15, False),
        Moved("gone", 60, 120, 0.31, 0.15, True, False, "100 rows", "/there"),
    ]

    drawn = heat("h", "H", moved, since=0, until=120, chosen=("gone", 120))

    gone, calm = drawn.strips
    assert (gone.column, gone.newest, gone.has_moved) == ("gone", "0.31", True)
    assert [(cell.x, cell.width, cell.step, cell.is_chosen) for cell in gone.cells] == [
        (0, 50, "calm", False),
        (50, 50, "far", True),
    ]
    assert [cell.step for cell in calm.cells] == ["calm", "near"]
    assert gone.cells[1].text == (
        "gone: moved, distance 0.31, threshold 0.15\n1 Jan 1970 00:01–00:02\n100 rows"
    )
    assert drawn.sentence == (
        "In the newest period, 1 Jan 1970 00:01–00:02, 1 of 2 columns had moved: gone (0.31)."
    )
    assert [(line.column, line.said, line.href) for line in drawn.lines] == [
        ("gone", "moved", "/there"),
        ("calm", "", ""),
    ]


def test_heat_of_calm_columns_names_the_farthest() -> None:
    drawn = heat("h", "H", [Moved("x", 0, 86_400, 0.1, 0.15, False)], since=0, until=86_400)

    assert drawn.sentence == (
        "None of 1 column had moved in the newest period, 1 Jan 1970; the farthest is x at 0.1."
    )


def test_heat_says_how_far_and_that_chance_explains_it() -> None:
    far = Moved("x", 0, 86_400, 0.304, 0.15, False, True, rows=60)
    less_sure = Moved("y", 0, 86_400, 0.2, 0.15, False, False, rows=400)

    drawn = heat("h", "H", [far, less_sure], since=0, until=86_400)

    x, y = drawn.strips
    assert [(strip.excuse, strip.has_moved) for strip in (x, y)] == [("by chance", False)] * 2
    assert [strip.cells[0].step for strip in (x, y)] == ["chance", "chance"]
    assert x.cells[0].text.startswith(
        "x: distance 0.304, threshold 0.15: beyond it, but with 60 rows chance explains it"
    )
    assert y.cells[0].text.startswith(
        "y: distance 0.2, threshold 0.15: beyond it, but with 400 rows chance could explain it"
    )
    assert drawn.sentence.endswith(
        "the farthest is x at 0.304 of 0.15, but with 60 rows chance explains it."
    )
    assert [line.said for line in drawn.lines] == [
        "with 60 rows chance explains it",
        "with 400 rows chance could explain it",
    ]


def test_heat_shows_the_version_that_moved_over_one_that_did_not() -> None:
    moved = [
        Moved("x", 0, 60, 0.4, 0.15, True, False, "90 rows of v2"),
        Moved("x", 0, 60, 0.2, 0.15, False, True, "60 rows of v1"),
    ]

    [strip] = heat("h", "H", moved, since=0, until=60).strips

    assert [cell.step for cell in strip.cells] == ["chance", "far"]
    assert (strip.newest, strip.has_moved) == ("0.4", True)


# ── matrix ───────────────────────────────────────────────────────────────────────────────────


def test_matrix_counts_and_scores_each_class() -> None:
    drawn = matrix("m", "M", {"a": {"a": 6, "b": 2}, "b": {"b": 2}}, classes=["a", "b"])

    first, second = drawn.rows
    assert [(cell.count, cell.shade, cell.is_right) for cell in first.cells] == [
        (6, 5, True),
        (0, 0, False),
    ]
    assert second.cells[0].text == "b answered as a: 2 of 4 (50%)"
    assert drawn.scores[0].precision == 0.75
    assert drawn.scores[0].recall == 1.0
    assert drawn.scores[0].f1 == 12 / 14
    assert drawn.scores[0].specificity == 0.5
    assert drawn.sentence == (
        "8 of 10 answers were right (80%). The commonest mistake: b answered as a, 2 times."
    )


def test_matrix_of_many_classes_folds_the_rarest() -> None:
    classes = [f"c{number:02}" for number in range(20)]
    answered = {one: {one: 20 - number} for number, one in enumerate(classes)}

    drawn = matrix("m", "M", answered, classes=classes)

    assert drawn.classes == (*classes[:11], "others")
    assert drawn.rows[-1].cells[-1].count == sum(range(1, 10))
    assert len(drawn.scores) == 20


def test_matrix_without_labels_says_so() -> None:
    assert matrix("m", "M", {}, classes=["a"]).sentence == (
        "No verdict of this time says what was true."
    )


# ── scatter ──────────────────────────────────────────────────────────────────────────────────


def test_scatter_draws_wrong_ones_last_and_as_crosses() -> None:
    points = [Point(0, 0, False, key="a"), Point(10, 5, True, key="b"), Point(5, 10, None)]
    x, y = axis("x", [0, 10], unit="cm"), axis("y", [0, 10])

    chart = scatter("s", "S", points, x=x, y=y, brush="both")

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
    points = [Point(choice, 1.0, True, key=str(number)) for number in range(9) for choice in "ab"]

    chart = scatter("s", "S", points, x=axis("x", ["a", "b"]), y=axis("y", [0, 1]))

    left = [spot.x for spot in chart.spots if "x: a" in spot.text]
    right = [spot.x for spot in chart.spots if "x: b" in spot.text]
    assert [tick.at for tick in chart.x_ticks] == [25.0, 75.0]
    assert 10 <= min(left) <= max(left) <= 40
    assert 60 <= min(right) <= max(right) <= 90
    assert chart == scatter("s", "S", points, x=axis("x", ["a", "b"]), y=axis("y", [0, 1]))


def test_scatter_leaves_out_gaps_and_all_but_the_newest() -> None:
    points = [Point(None, 1, True), *(Point(number, 1, True) for number in range(2_000))]

    chart = scatter("s", "S", points, x=axis("x", [0, 2_000]), y=axis("y", [0, 1]))

    assert len(chart.spots) == 2_000
    assert chart.sentence.endswith("1 older ones are not drawn.")
    assert chart.table.left_out == 1_800


@pytest.mark.parametrize(
    "chart",
    [
        bars("t", "T", [], since=0, until=1, parts=[], what="x"),
        distributions("d", "D", []),
        heat("h", "H", [], since=0, until=1),
        scatter("s", "S", [], x=axis("x", []), y=axis("y", [])),
    ],
    ids=["bars", "distributions", "heat", "scatter"],
)
def test_chart_of_nothing_says_so(chart: object) -> None:
    assert chart.is_empty  # type: ignore[attr-defined]
    assert chart.sentence  # type: ignore[attr-defined]


def test_scatter_gives_rows_without_a_number_a_lane_below_all_others() -> None:
    points = [Point(None, 1, True), Point(0, 0, True), Point(10, 10, True)]
    x = Axis("x", 0, 10, has_gaps=True)

    chart = scatter("s", "S", points, x=x, y=axis("y", [0, 10]), brush="both")

    assert [spot.x for spot in chart.spots] == [4.545, 9.091, 100.0]
    assert [tick.label for tick in chart.x_ticks] == ["unknown", "2", "4", "6", "8", "10"]
    assert chart.across == "-1.0 10.0 0.0"


def test_scatter_puts_what_lies_far_out_at_the_edge() -> None:
    points = [Point(-500, 5, True), Point(5, 5, True), Point(900, 5, True)]

    chart = scatter("s", "S", points, x=Axis("x", 0, 10), y=axis("y", [0, 10]))

    assert [spot.x for spot in chart.spots] == [0.0, 50.0, 100.0]
    assert "x: 900" in chart.spots[2].text


def test_scatter_shows_what_is_selected_already() -> None:
    x = Axis("x", 0, 10, picked_from=2.5)
    y = Axis("y", choices=("a", "b"), picked_from=1, picked_to=1)

    chart = scatter("s", "S", [Point(1, "a", True, is_out=True)], x=x, y=y, brush="both")

    assert chart.brushed == Bar(25.0, 0.0, 75.0, 50.0, "brushed")
    assert [spot.is_out for spot in chart.spots] == [True]
    assert scatter("s", "S", [Point(1, 1, True)], x=Axis("x"), y=Axis("y")).brushed is None


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

    shares = dict(drawn.table.rows)
    assert len(shares) == 30
    assert (shares["0.889 to 0.944"], shares["0.944 to 1"]) == ("2.2%", "62.2%")
