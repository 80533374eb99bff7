"""Columns come back to the last bit, whole and value by value."""

from __future__ import annotations

import random
import struct
from typing import Any

import numpy as np
import pytest

from unrot.serve.columns import are_chance, moments, packed, steps, unpacked, value_at

SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1.7e308, -1.7e308, 1.0, -1.0, 0.1, 1e-9]


def of_chance(kind: str, chance: random.Random) -> Any:
    return {
        "normal": lambda: chance.gauss(0, 1),
        "any bits": lambda: struct.unpack("<d", chance.randbytes(8))[0],
        "special": lambda: chance.choice(SPECIAL) * chance.choice([1.0, 3.0, 1 / 3]),
        "decimals": lambda: round(chance.gauss(0, 1e3), 2),
        "integers": lambda: chance.randrange(-(2**40), 2**40),
        "gaps": lambda: chance.choice([None, chance.gauss(0, 1)]),
        "mixed": lambda: chance.choice([0, 0.0, -0.0, False, 1, 1.0, True, None, "", "0"]),
        "sparse": lambda: chance.choice([0.0, 0.0, chance.gauss(0, 1)]),
    }[kind]()


def exactly(column: list[Any]) -> list[Any]:
    """Return what tells values apart that are equal and not the same."""
    return [(type(one), str(one)) for one in column]


@pytest.mark.parametrize("rows", [1, 2, 20, 47, 48, 64, 65, 700])
@pytest.mark.parametrize(
    "kind",
    ["normal", "any bits", "special", "decimals", "integers", "gaps", "mixed", "sparse"],
)
def test_column_comes_back_as_it_was(kind: str, rows: int) -> None:
    chance = random.Random(rows)
    column = [of_chance(kind, chance) for _ in range(rows)]

    part = packed(column)

    assert exactly(unpacked(part, rows)) == exactly(column)
    places = range(0, rows, 7)
    assert exactly([value_at(part, at, rows) for at in places]) == exactly(
        [column[at] for at in places]
    )
    assert len(are_chance(part)) == len(part.planes) or part.head["is"] == "json"


@pytest.mark.parametrize("rows", [1, 3, 60, 500])
def test_moments_and_steps_come_back_whether_they_go_up_or_not(rows: int) -> None:
    chance = random.Random(rows)
    times = np.array([1.7e9 + chance.random() * 100 for _ in range(rows)])
    numbers = np.array([chance.randrange(2**32) for _ in range(rows)])

    assert unpacked(moments(times), rows) == times.tolist()
    assert unpacked(moments(np.sort(times)), rows) == sorted(times.tolist())
    assert unpacked(steps(numbers), rows) == numbers.tolist()
    assert value_at(steps(numbers), rows - 1, rows) == numbers[-1]


def test_numbers_by_chance_take_hardly_more_than_their_chance() -> None:
    """A normal number has 52 bits of fraction that are chance, and three that are not quite."""
    part = packed(np.random.default_rng(0).normal(size=1_000))

    chance = [
        len(plane) for plane, is_so in zip(part.planes, are_chance(part), strict=True) if is_so
    ]

    assert sum(chance) == 6_500
    assert len(part.planes) == 8
