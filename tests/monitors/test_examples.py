"""The examples in the docstrings of the monitors are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from unrot import monitors

MODULES = [found.name for found in pkgutil.iter_modules(monitors.__path__, "unrot.monitors.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)

    assert (found.failed, found.attempted > 0) == (0, True)
