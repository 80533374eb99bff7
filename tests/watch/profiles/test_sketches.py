from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from unrot.core.errors import Invalid
from unrot.core.records import Feature, Outputs, Row, Schema
from unrot.watch.profiles.sketches import WhylogsProfiler

SCHEMA = Schema(
    (
        Feature("height.cm", "number", nullable=True),
        Feature("rooms", "integer"),
        Feature("colour/ü \n", "category", choices=("red", "blue")),
        Feature("is_new", "boolean", nullable=True),
    ),
    target="kind",
    classes=("good", "bad"),
)
ROWS: list[Row] = [
    [1.5, 3.0, "red", True],
    [None, 3.0, "blue", False],
    [2.5, 1.5, "red", None],
    [4.0, 2.0**60, "red", True],
]
OUTPUTS = Outputs([0, 1, 0, 0], [[0.75, 0.25], [0.125, 0.875], [1.0, 0.0], [0.5, 0.5]])


def summary(data: bytes) -> dict[str, dict[str, object]]:
    from whylogs.core import DatasetProfileView

    columns = DatasetProfileView.deserialize(data).get_columns()
    return {name: column.to_summary_dict() for name, column in columns.items()}


def frequent(column: dict[str, object]) -> dict[str, int]:
    items = column["frequent_items/frequent_strings"]
    assert isinstance(items, list)
    return {item.value: int(item.est) for item in items}


def test_profile_has_a_column_for_every_feature_and_for_the_outputs() -> None:
    columns = summary(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))

    assert set(columns) == {*SCHEMA.names, "output.class", "output.probability"}
    assert {column["counts/n"] for column in columns.values()} == {4}


def test_numbers_are_summed_up_and_gaps_counted() -> None:
    column = summary(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))["height.cm"]

    assert column["counts/null"] == 1
    assert column["distribution/n"] == 3
    assert column["distribution/mean"] == pytest.approx((1.5 + 2.5 + 4.0) / 3)
    assert (column["distribution/min"], column["distribution/max"]) == (1.5, 4.0)


def test_whole_numbers_of_an_integer_feature_are_counted_as_values() -> None:
    column = summary(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))["rooms"]

    assert (column["types/integral"], column["types/fractional"]) == (2, 2)
    assert frequent(column)["3"] == 2


def test_categories_booleans_and_classes_are_counted_as_text() -> None:
    columns = summary(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))

    assert frequent(columns["colour/ü \n"]) == {"red": 3, "blue": 1}
    assert frequent(columns["is_new"]) == {"true": 2, "false": 1}
    assert columns["is_new"]["counts/null"] == 1
    assert frequent(columns["output.class"]) == {"good": 3, "bad": 1}


def test_probability_is_that_of_the_likeliest_class() -> None:
    column = summary(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))["output.probability"]

    assert (column["distribution/min"], column["distribution/max"]) == (0.5, 1.0)
    assert column["distribution/mean"] == pytest.approx((0.75 + 0.875 + 1.0 + 0.5) / 4)


def test_values_of_a_regression_are_profiled() -> None:
    schema = Schema((Feature("size", "number"),), target="price")

    columns = summary(WhylogsProfiler().profile(schema, [[1.0], [2.0]], Outputs(values=[3.0, 5.0])))

    assert set(columns) == {"size", "output.value"}
    assert columns["output.value"]["distribution/mean"] == 4.0


def test_merged_profile_stands_for_the_rows_of_both() -> None:
    profiler = WhylogsProfiler()
    first = profiler.profile(SCHEMA, ROWS[:1], Outputs([0], [[0.75, 0.25]]))
    second = profiler.profile(SCHEMA, ROWS[1:], Outputs([1, 0, 0], OUTPUTS.probabilities[1:]))

    merged = summary(profiler.merge(first, second))

    whole = summary(profiler.profile(SCHEMA, ROWS, OUTPUTS))
    for name, column in whole.items():
        for key in ("counts/n", "counts/null", "distribution/n", "distribution/max"):
            assert merged[name][key] == pytest.approx(column[key], nan_ok=True)
    assert frequent(merged["output.class"]) == {"good": 3, "bad": 1}


def test_profile_of_no_rows_can_be_merged() -> None:
    profiler = WhylogsProfiler()
    nothing = profiler.profile(SCHEMA, [], Outputs([], []))

    merged = profiler.merge(nothing, profiler.profile(SCHEMA, ROWS, OUTPUTS))

    assert summary(merged)["rooms"]["counts/n"] == 4


def test_profile_is_a_file_that_whylogs_reads(tmp_path: Path) -> None:
    from whylogs.core import DatasetProfileView

    data = WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS)
    path = tmp_path / "profile.bin"
    path.write_bytes(data)

    view = DatasetProfileView.read(str(path))

    assert set(view.get_columns()) == set(summary(data))


def test_feature_named_like_an_output_keeps_its_column() -> None:
    schema = Schema((Feature("output.class", "number"),), target="kind", classes=("a", "b"))

    columns = summary(WhylogsProfiler().profile(schema, [[2.0]], Outputs([0])))

    assert columns["output.class"]["distribution/mean"] == 2.0


def test_core_of_whylogs_is_imported_with_the_first_profile_and_no_more() -> None:
    program = (
        "import sys, os\n"
        "from unrot.watch.profiles.sketches import WhylogsProfiler\n"
        "from unrot.core.records import Feature, Outputs, Schema\n"
        "profiler = WhylogsProfiler()\n"
        "print('whylogs.core' in sys.modules)\n"
        "schema = Schema((Feature('a', 'number'),), 't')\n"
        "made = profiler.profile(schema, [[1.0]], Outputs(values=[1.0]))\n"
        "profiler.read(profiler.merge(made, made))\n"
        "print('whylogs.core' in sys.modules, os.environ['WHYLOGS_NO_ANALYTICS'])\n"
        "print({'sklearn', 'whylabs_client', 'requests'} & set(sys.modules))\n"
        "import sklearn.cluster, whylogs\n"
        "print(whylogs.log({'a': 1}).view().get_column('a').get_metric('counts').n.value)\n"
    )

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert printed.stdout.decode().split("\n")[:4] == ["False", "True 1", "set()", "1"]


def test_mixed_rows_with_gaps_of_a_regression_are_profiled() -> None:
    schema = Schema(SCHEMA.features, target="price")
    strange: list[Row] = [*ROWS, [None, 1.0, "green", None]]
    outputs = Outputs(values=[1.0, 2.0, 3.0, 4.0, -5.0])

    columns = summary(WhylogsProfiler().profile(schema, strange, outputs))

    assert set(columns) == {*schema.names, "output.value"}
    assert columns["output.value"]["distribution/mean"] == 1.0
    assert frequent(columns["colour/ü \n"]) == {"red": 3, "blue": 1, "green": 1}
    assert (columns["is_new"]["counts/null"], columns["height.cm"]["counts/null"]) == (2, 2)


def test_sketches_tell_what_a_profile_holds() -> None:
    profiler = WhylogsProfiler()
    data = profiler.profile(SCHEMA, ROWS, OUTPUTS)

    told = profiler.read(data)

    assert told == WhylogsProfiler().read(data)
    height, rooms, colour = told["height.cm"], told["rooms"], told["colour/ü \n"]
    assert (height.rows, height.missing, height.low, height.high) == (4, 1, 1.5, 4.0)
    assert height.mean == pytest.approx((1.5 + 2.5 + 4.0) / 3)
    assert (height.types, rooms.types) == ({"fractional": 3}, {"integral": 2, "fractional": 2})
    assert (len(height.points), height.points[0], height.points[-1]) == (1_001, 1.5, 4.0)
    assert height.quantiles["0.5"] == 2.5
    assert (colour.frequent, colour.points) == ({"red": 3, "blue": 1}, ())


@pytest.mark.parametrize("data", [b"", b"nothing of the kind", b"WHY1"])
def test_what_is_no_profile_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Invalid, match="damaged, or no whylogs profile"):
        WhylogsProfiler().read(data)


def test_profile_that_was_cut_off_is_refused() -> None:
    data = WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS)

    with pytest.raises(Invalid, match="damaged"):
        WhylogsProfiler().read(data[: len(data) // 2])
