"""Predictions as columns are the predictions that they were made of."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from unrot.core.ids import Ids
from unrot.core.records import Prediction
from unrot.core.table import Table
from unrot.serve.rows import Rows, places_of

IDS = Ids(b"key")


def made(row: int, segment: bytes = b"abcde", **more: Any) -> Prediction:
    id = IDS.make(at=7.0, segment=segment, row=row, model_number=3, class_index=None)
    plain = Prediction(id, "elves", "v1", 7.5 + row, [1.5, 2.5], "elf", [0.75, 0.25], None, 1e-4)
    return replace(plain, **more)


PLAIN = [made(row) for row in range(5)]
MIXED = [made(1), made(2, inputs=[1.5, None]), made(3, probabilities=None, model="orcs")]


@pytest.mark.parametrize("some", [PLAIN, MIXED, []])
def test_rows_are_the_predictions_that_they_were_made_of(some: list[Prediction]) -> None:
    rows = Rows.of(some)

    assert rows == some
    assert [rows[at] for at in range(len(some))] == some
    assert rows[1::2] == some[1::2]
    assert Rows.of(rows) is rows
    assert Rows.together([rows[:2], rows[2:]]) == some
    assert rows.where([at % 2 == 0 for at in range(len(some))]) == some[::2]


def test_inputs_are_a_table_where_all_are_floats_and_of_one_width() -> None:
    assert isinstance(Rows.of(PLAIN).inputs, Table)
    assert not isinstance(Rows.of(MIXED).inputs, Table)
    assert not isinstance(Rows.of([made(1, inputs=[1.5]), made(2)]).inputs, Table)


def test_rows_are_parted_in_the_order_of_their_keys() -> None:
    versions = ["v2", "v1", "v2", "v3"]
    rows = Rows.of([made(at, version=version) for at, version in enumerate(versions)])

    parts = {key: list(part.times) for key, part in rows.by_version()}

    assert parts == {("elves", "v2"): [7.5, 9.5], ("elves", "v1"): [8.5], ("elves", "v3"): [10.5]}
    assert list(parts) == [("elves", "v2"), ("elves", "v1"), ("elves", "v3")]


def test_rows_are_parted_by_all_columns_together() -> None:
    rows = Rows.of([made(at, model="ab"[at // 2], version="cd"[at % 2]) for at in range(4)])

    parts = [key for key, _ in rows.by_version()]

    assert parts == [("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")]
    assert list(Rows().by_version()) == []


def test_part_of_rows_stood_where_its_own_ids_tell() -> None:
    rows = Rows.of(PLAIN)
    assert list(rows.places.rows) == [0, 1, 2, 3, 4]

    part = rows[1::3]

    assert part.places == places_of([PLAIN[1].id, PLAIN[4].id])


def test_places_are_what_ids_tell_however_they_are_mixed() -> None:
    ids = [made(9).id, made(2**31, segment=b"other").id]

    alone = places_of(ids)
    beside = places_of([*ids, "mine", None])

    assert (alone.segments, alone.rows, alone.model_numbers) == (
        [b"abcde".hex(), b"other".hex()],
        [9, 2**31],
        [3, 3],
    )
    assert beside.segments == [*alone.segments, "~mine", "~"]
    assert beside.rows == [9, 2**31, 0, 0]


def test_largest_probability_is_the_same_from_a_table_and_from_lists() -> None:
    chance = random.Random(1)
    rows = [made(at, probabilities=[chance.random() for _ in range(3)]) for at in range(9)]

    told = Rows.of(rows).most_likely.tolist()
    beside = Rows.of([*rows, made(9, probabilities=None)]).most_likely.tolist()

    assert told == [max(one.probabilities or ()) for one in rows]
    assert beside[:9] == told
    assert beside[9] != beside[9]


def test_one_row_in_so_many_does_not_hold_the_others_in_memory() -> None:
    sampled = Rows.of(PLAIN)[::2]

    assert isinstance(sampled.inputs, Table)
    assert sampled.inputs.numbers.base is None
    assert list(sampled) == PLAIN[::2]
