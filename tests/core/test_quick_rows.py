"""The quick reader takes what is usual, and reads it as the one that explains would."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from unrot.core.encoding import Encoder
from unrot.core.errors import UnrotError
from unrot.core.quick_rows import QuickRows
from unrot.core.records import Feature, Schema
from unrot.core.schema import parse_instances, parse_rows

PLAIN = Schema((Feature("a", "number"), Feature("b", "integer", low=0, high=1e30)), "y")
ALONE = Schema((Feature("a", "number"),), "y")
MIXED = Schema(
    (
        Feature("a", "number", nullable=True),
        Feature("kind", "category", choices=("x", "y", "ä"), nullable=True),
        Feature("is_new", "boolean"),
        Feature("b", "integer"),
    ),
    "y",
)
GOOD: dict[str, tuple[Any, ...]] = {
    "a": (1.5, -2, 0.0, None),
    "kind": ("x", "y", "ä", None),
    "is_new": (True, False),
    "b": (3, -1e9, 2**53),
}
ODD = (*(None, True, "x", "", "unseen", [], {}, 2**63, 10**400), float("nan"), float("inf"), -1e19)


def explained(schema: Schema, inputs: Any, *, lists: bool) -> Any:
    parse = parse_instances if lists else parse_rows
    try:
        return [list(row) for row in parse(schema, inputs)]
    except (UnrotError, OverflowError) as error:
        return type(error)


@pytest.mark.parametrize("schema", [PLAIN, ALONE, MIXED])
@pytest.mark.parametrize("lists", [False, True])
def test_what_it_takes_is_read_as_by_the_one_that_explains(schema: Schema, lists: bool) -> None:
    chance, quick, taken = random.Random(3), QuickRows(schema), 0

    def cell(name: str) -> Any:
        return chance.choice(ODD if chance.random() < 0.08 else GOOD[name])

    for _ in range(1_500):
        rows: Any = [
            {name: cell(name) for name in schema.names} for _ in range(chance.choice((0, 1, 1, 3)))
        ]
        if rows and chance.random() < 0.1:
            rows[-1] = chance.choice(([], {}, 3, None, {**rows[0], "c": 1}, {"c": 1}))
        if lists:
            rows = [[*row.values()] if isinstance(row, dict) else row for row in rows]
        elif len(rows) == 1 and chance.random() < 0.5:
            rows = rows[0]
        read = (quick.read_lists if lists else quick.read)(rows)
        if read is not None:
            taken += 1
            expected = explained(schema, rows, lists=lists)
            assert [list(row) for row in read[0]] == expected, rows
            assert {type(cell) for row in read[0] for cell in row} == {
                type(cell) for row in expected for cell in row
            }
            np.testing.assert_array_equal(read[1], Encoder(schema).encode(expected))

    assert taken > 300


@pytest.mark.parametrize(
    ("schema", "inputs"),
    [
        (PLAIN, [{"a": 1.0, "b": 2.0}] * 10_001),
        (PLAIN, []),
        (PLAIN, "ab"),
        (PLAIN, {"a": 1.0, "b": 2.0, "c": 3.0}),
        (PLAIN, {"a": 1.0}),
        (PLAIN, {"a": 1.0, "b": True}),
        (PLAIN, {"a": 1.0, "b": "2"}),
        (PLAIN, [{"a": 1.0, "b": float("nan")}]),
        (MIXED, {"a": float("nan"), "kind": "x", "is_new": True, "b": 1}),
        (MIXED, {"a": 1.0, "kind": "unseen", "is_new": True, "b": 1}),
        (MIXED, {"a": 1.0, "kind": "x", "is_new": 1, "b": 1}),
    ],
)
def test_what_is_unusual_is_left_to_the_one_that_explains(schema: Schema, inputs: Any) -> None:
    assert QuickRows(schema).read(inputs) is None
