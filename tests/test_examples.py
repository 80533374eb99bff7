"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.test_architecture import FILES

SHOWN = [name for name, file in FILES.items() if ">>>" in file.read_text()]


@pytest.mark.parametrize("name", SHOWN)
def test_examples_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)

    assert (found.failed, found.attempted > 0) == (0, True)


def test_every_monitor_and_rule_of_the_gate_shows_an_example() -> None:
    rooms = ("unrot.watch.monitors.", "unrot.learn.gate.")

    assert [name for name in FILES if name.startswith(rooms) and name not in SHOWN] == []
