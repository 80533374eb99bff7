"""A number and its noun agree."""

from __future__ import annotations

import doctest

from unrot import measured, plurals


def test_examples_of_the_modules_hold() -> None:
    assert [doctest.testmod(module).failed for module in (plurals, measured)] == [0, 0]
