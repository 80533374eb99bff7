"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.test_architecture import FILES, by_module

SHOWN = [name for name, file in FILES.items() if ">>>" in file.read_text()]


@pytest.mark.parametrize("name", SHOWN)
def test_examples_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)

    assert (found.failed, found.attempted > 0) == (0, True)


def test_every_rule_of_monitors_and_gate_shows_an_example() -> None:
    """A look shows none: it reads what is served and kept."""
    watch = [f"unrot.watch.{folder}." for folder in ("monitors", "statistics", "worth", "reports")]
    rules = [name for name in FILES if name.startswith((*watch, "unrot.learn.gate."))]
    silent = [name for name in rules if name not in SHOWN and FILES[name].stem != "__init__"]

    assert [name for name in silent if not reads_what_is_served(name)] == []


def reads_what_is_served(name: str) -> bool:
    rooms = ("unrot.serve.", "unrot.watch.visit")
    return any(found.module.startswith(rooms) for found in by_module()[name])
