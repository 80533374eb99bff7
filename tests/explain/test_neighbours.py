"""Rows that are like one: the nearest, with their own truth, and nothing of what is private."""

from __future__ import annotations

import pytest

from unrot.core.errors import BadArtefact
from unrot.core.records import Feature, Row, Schema
from unrot.explain.examples import MOST_CELLS, Examples, as_table, pack, unpack
from unrot.explain.neighbours import find_neighbours

SIZE, AGE = Feature("size", "number", nullable=True), Feature("age", "integer")
COLOUR = Feature("colour", "category", choices=("red", "blue"), nullable=True)
SCHEMA = Schema((SIZE, COLOUR), "kind", ("a", "b"))


def test_truth_is_that_of_the_very_row() -> None:
    rows: list[Row] = [[float((at * 37) % 101), "red"] for at in range(101)]
    truth = [f"truth of {row[0]}" for row in rows]

    found = find_neighbours(SCHEMA, unpack(pack(rows, truth)), [40.1, "red"])

    assert [one.row[0] for one in found] == [40.0, 41.0, 39.0]
    assert [one.truth for one in found] == [f"truth of {one.row[0]}" for one in found]


def test_sample_of_many_rows_keeps_each_with_its_truth() -> None:
    rows: list[Row] = [[float(at), "red"] for at in range(5_000)]

    kept = unpack(pack(rows, [float(at) for at in range(5_000)]))

    assert len(kept.truth) == 2_000
    assert kept.table[:, 0].tolist() == kept.truth
    assert kept.truth[:2] == [0.0, 3.0]
    assert kept.truth[-1] == 4_999.0


def test_wide_table_keeps_fewer_rows() -> None:
    rows: list[Row] = [[0.0] * 500 for _ in range(1_000)]

    assert unpack(pack(rows, ["a"] * 1_000)).table.size == MOST_CELLS


def test_distance_is_the_mean_over_the_features_in_spreads() -> None:
    rows: list[Row] = [[0.0, "red"], [2.0, "red"], [0.0, "blue"], [2.0, None]]
    examples = Examples(as_table(rows), list("abcd"))

    found = find_neighbours(SCHEMA, examples, [0.0, "red"], count=4)

    # The numbers are 0, 2, 0, 2: between the 1st and the 99th percentile the spread is 1.
    told = [(one.truth, one.distance, one.differs) for one in found]
    assert told == [
        ("a", 0.0, (False, False)),
        ("c", 0.5, (False, True)),
        ("b", 1.0, (True, False)),
        ("d", 1.5, (True, True)),
    ]


def test_gap_is_like_a_gap_and_unlike_any_value() -> None:
    rows: list[Row] = [[None, "red"], [1.0, "red"], [9.0, "red"]]

    found = find_neighbours(SCHEMA, Examples(as_table(rows), list("abc")), [None, "red"])

    assert [(one.truth, one.distance) for one in found] == [("a", 0.0), ("b", 0.5), ("c", 0.5)]


def test_private_feature_is_not_shown_and_has_no_part() -> None:
    """Or whoever may ask with any value could find the values of the training."""
    schema = Schema((SIZE, Feature("age", "integer", is_private=True)), "kind", ("a", "b"))
    examples = Examples(as_table([[1.0, 77], [2.0, 30]]), ["a", "b"])

    asked = [find_neighbours(schema, examples, [1.0, age]) for age in (77, 30, 5)]

    assert asked[0] == asked[1] == asked[2]
    assert [one.row for one in asked[0]] == [[1.0, None], [2.0, None]]
    assert [one.differs for one in asked[0]] == [(False, False), (True, False)]


def test_where_all_is_private_nothing_is_near() -> None:
    schema = Schema((Feature("age", "integer", is_private=True),), "kind", ("a", "b"))

    assert find_neighbours(schema, Examples(as_table([[1]]), ["a"]), [1]) == []


def test_numbers_of_one_value_are_far_from_all_others() -> None:
    schema = Schema((AGE,), "kind", ("a", "b"))
    found = find_neighbours(schema, Examples(as_table([[5], [5]]), ["a", "b"]), [6])

    assert [one.distance for one in found] == [1.0, 1.0]


@pytest.mark.parametrize("data", [b"", b"x", pack([[1.0]], ["a"])[:-6]])
def test_what_is_spoilt_does_not_load(data: bytes) -> None:
    with pytest.raises(BadArtefact):
        unpack(data)
