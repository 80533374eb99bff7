from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unrot.core.errors import Invalid
from unrot.core.records import Feature, Outputs, Row, Schema, Sketch
from unrot.core.table import Table
from unrot.watch.profiles.sketches import WhylogsProfiler
from unrot.watch.profiles.whylogs_file import Profiled, read_file, write_file

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


def read(data: bytes) -> dict[str, Sketch]:
    return WhylogsProfiler().read(data)


def test_profile_has_a_column_for_every_feature_and_for_the_outputs() -> None:
    columns = read(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))

    assert set(columns) == {*SCHEMA.names, "output.class", "output.probability"}
    assert {column.rows for column in columns.values()} == {4}


def test_numbers_are_summed_up_and_gaps_counted() -> None:
    column = read(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))["height.cm"]

    assert (column.rows, column.missing, column.types) == (4, 1, {"fractional": 3})
    assert column.mean == pytest.approx((1.5 + 2.5 + 4.0) / 3)
    assert (column.low, column.high) == (1.5, 4.0)


def test_whole_numbers_of_an_integer_feature_are_counted_as_values() -> None:
    column = read(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))["rooms"]

    assert column.types == {"integral": 2, "fractional": 2}
    assert column.frequent == {"3": 2, "1.500000": 1, "1152921504606846976.000000": 1}


def test_categories_booleans_and_classes_are_counted_as_text() -> None:
    columns = read(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))

    assert columns["colour/ü \n"].frequent == {"red": 3, "blue": 1}
    assert columns["is_new"].frequent == {"true": 2, "false": 1}
    assert columns["is_new"].missing == 1
    assert columns["output.class"].frequent == {"good": 3, "bad": 1}


def test_probability_is_that_of_the_likeliest_class() -> None:
    column = read(WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS))["output.probability"]

    assert (column.low, column.high) == (0.5, 1.0)
    assert column.mean == pytest.approx((0.75 + 0.875 + 1.0 + 0.5) / 4)


def test_values_of_a_regression_are_profiled() -> None:
    schema = Schema((Feature("size", "number"),), target="price")

    columns = read(WhylogsProfiler().profile(schema, [[1.0], [2.0]], Outputs(values=[3.0, 5.0])))

    assert set(columns) == {"size", "output.value"}
    assert columns["output.value"].mean == 4.0


def test_merged_profile_stands_for_the_rows_of_both() -> None:
    profiler = WhylogsProfiler()
    first = profiler.profile(SCHEMA, ROWS[:1], Outputs([0], [[0.75, 0.25]]))
    second = profiler.profile(SCHEMA, ROWS[1:], Outputs([1, 0, 0], OUTPUTS.probabilities[1:]))

    merged = read(profiler.merge(first, second))

    whole = read(profiler.profile(SCHEMA, ROWS, OUTPUTS))
    for name, column in whole.items():
        assert merged[name] == replace(column, mean=merged[name].mean)
        assert merged[name].mean == (column.mean and pytest.approx(column.mean))
    assert merged["output.class"].frequent == {"good": 3, "bad": 1}


def test_profile_of_no_rows_can_be_merged() -> None:
    profiler = WhylogsProfiler()
    nothing = profiler.profile(SCHEMA, [], Outputs([], []))

    merged = profiler.merge(nothing, profiler.profile(SCHEMA, ROWS, OUTPUTS))

    assert read(merged)["rooms"].rows == 4


def test_feature_named_like_an_output_keeps_its_column() -> None:
    schema = Schema((Feature("output.class", "number"),), target="kind", classes=("a", "b"))

    columns = read(WhylogsProfiler().profile(schema, [[2.0]], Outputs([0])))

    assert columns["output.class"].mean == 2.0


def test_mixed_rows_with_gaps_of_a_regression_are_profiled() -> None:
    schema = Schema(SCHEMA.features, target="price")
    strange: list[Row] = [*ROWS, [None, 1.0, "green", None]]
    outputs = Outputs(values=[1.0, 2.0, 3.0, 4.0, -5.0])

    columns = read(WhylogsProfiler().profile(schema, strange, outputs))

    assert set(columns) == {*schema.names, "output.value"}
    assert columns["output.value"].mean == 1.0
    assert columns["colour/ü \n"].frequent == {"red": 3, "blue": 1, "green": 1}
    assert (columns["is_new"].missing, columns["height.cm"].missing) == (2, 2)


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


def test_same_rows_give_the_same_sketches_however_many() -> None:
    schema = Schema((Feature("a", "number"),), "t")
    rows = np.random.default_rng(0).normal(size=(5_000, 1)).tolist()

    first, second = (WhylogsProfiler().profile(schema, rows, Outputs()) for _ in range(2))

    assert read(first) == read(second)


def test_gap_in_an_array_is_a_gap() -> None:
    schema = Schema((Feature("a", "number"),), "t")
    rows = Table(np.array([[1.0], [np.nan], [3.0]]))

    told = read(WhylogsProfiler().profile(schema, rows, Outputs()))["a"]

    assert (told.rows, told.missing, told.mean) == (3, 1, 2.0)


def test_merged_profile_is_as_old_as_the_older() -> None:
    columns = {"a": {"counts/n": 1}}
    files = [write_file(Profiled(columns, at)) for at in (50.0, 20.5)]

    assert read_file(WhylogsProfiler().merge(*files)) == Profiled({"a": {"counts/n": 2}}, 20.5)


@pytest.mark.parametrize("data", [b"", b"nothing of the kind", b"WHY1"])
def test_what_is_no_profile_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(Invalid, match="damaged, or no whylogs profile"):
        WhylogsProfiler().read(data)


def test_profile_that_was_cut_off_is_refused() -> None:
    data = WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS)

    with pytest.raises(Invalid, match="damaged"):
        WhylogsProfiler().read(data[: len(data) // 2])


def test_profile_that_is_spoilt_in_any_one_byte_is_read_or_refused() -> None:
    """Never another error, and never without end."""
    data = WhylogsProfiler().profile(SCHEMA, ROWS, OUTPUTS)
    said = set()

    for at in range(len(data)):
        spoilt = bytearray(data)
        spoilt[at] ^= 0xFF
        try:
            said.add(len(WhylogsProfiler().read(bytes(spoilt))) > 0)
        except Invalid:
            said.add("refused")

    assert said >= {True, "refused"}
