"""The examples in the docstrings of learning run and are right."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import unrot.learning

MODULES = sorted(module.name for module in pkgutil.iter_modules(unrot.learning.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_example_of(name: str) -> None:
    results = doctest.testmod(importlib.import_module(f"unrot.learning.{name}"))

    assert results.attempted > 0
    assert results.failed == 0
