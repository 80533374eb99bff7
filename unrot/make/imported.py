"""An estimator of one's own, named as `package.module:function` and imported from here.

The function takes nothing and returns an unfitted estimator of scikit-learn's kind. Whatever is
wrong with the name, the module or what the function returns is said in a sentence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from sklearn.base import is_classifier, is_regressor

from unrot.core.errors import Invalid, error_summary, shown
from unrot.core.records import Schema

EXPECTED = "expected package.module:function, a function here that returns an unfitted estimator"


def make_imported(path: str, schema: Schema) -> Any:
    """Call the function that `path` names and return the estimator that it makes."""
    function = function_named(path, EXPECTED)
    try:
        estimator = function()
    except Exception as error:
        # It is somebody's own code: whatever it raises is told to them.
        raise Invalid(f"{shown(path)} cannot be called: {error_summary(error)}.") from error
    _check(path, estimator, schema)
    return estimator


def function_named(path: str, expected: str) -> Callable[[], Any]:
    """Return the function that `package.module:function` names, here or where Python looks."""
    module_name, _, name = path.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), name)):
        raise Invalid(f"The estimator {shown(path)}: {expected}.")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = import_module(module_name)
    except Exception as error:
        # The module is somebody's own too, and runs when it is imported.
        raise Invalid(f"{module_name} cannot be imported: {error_summary(error)}.") from error
    function = getattr(module, name, None)
    if function is None:
        raise Invalid(f'The module {module_name} has no "{name}": {expected}.')
    if not callable(function):
        raise Invalid(f"{path} is not a function: {expected}.")
    found: Callable[[], Any] = function
    return found


def _check(path: str, estimator: Any, schema: Schema) -> None:
    is_usable = all(callable(getattr(estimator, name, None)) for name in ("fit", "predict"))
    if not is_usable or isinstance(estimator, type):
        kind = type(estimator).__name__
        raise Invalid(f"{path} returns {kind}, which is not an estimator: {EXPECTED}.")
    if schema.is_classifier and is_regressor(estimator):
        raise Invalid(f"{path} returns a regressor, and {shown(schema.target)} is a class.")
    if not schema.is_classifier and is_classifier(estimator):
        raise Invalid(f"{path} returns a classifier, and {shown(schema.target)} is a number.")
