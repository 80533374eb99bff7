"""Profiles of traffic: what came in and what was answered, as whylogs sketches that merge.

This is the only file that knows whylogs. Of it the core is imported, which takes 8 MB, and not the
rest, which takes 100: a client of a service that is closed, and scikit-learn for sketches that are
not made here. It waits for the first profile: a web worker never pays.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

import numpy as np

from unrot.core.errors import Invalid
from unrot.core.records import (
    OUTPUT_CLASS,
    OUTPUT_PROBABILITY,
    OUTPUT_VALUE,
    Feature,
    Outputs,
    Row,
    Schema,
    Sketch,
    Value,
)
from unrot.watch.profiles.columns import surest, text, turned

POINTS = 1_001
SHOWN_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TYPES = ("integral", "fractional", "boolean", "string", "object")
LARGEST_WHOLE = 2**53
LONGEST = 128
"""Letters of a text that whylogs cuts where it comes in a list, and not in an array."""

Column = Any
"""A list, a tuple or an array."""


class WhylogsProfiler:
    """Makes whylogs profiles; only ever used by one thread, as whylogs itself demands."""

    def __init__(self) -> None:
        self._last: tuple[bytes, Any] = b"", None
        """What was written last is what is read next: to parse it again takes half as long."""

    def profile(self, schema: Schema, rows: Sequence[Row], outputs: Outputs) -> bytes:
        """Profile inputs and outputs of a whole table at once."""
        tables = {**_output_columns(schema, outputs), **_input_columns(schema, rows)}
        core = _whylogs()
        types = {name: kind for name, (kind, _) in tables.items()}
        # Its declarative resolver, the default, builds a hundred sketches of letters only to ask
        # for a name, then leaves them out: three quarters of the time of a small profile.
        resolvers = core.resolvers.StandardResolver()
        profile = core.DatasetProfile(schema=core.DatasetSchema(types=types, resolvers=resolvers))
        for name, (_, column) in tables.items():
            # Private, and a hundred times faster than tracking row by row.
            profile._columns[name].track_column(_packed(column))
        return self._written(profile.view())

    def merge(self, first: bytes, second: bytes) -> bytes:
        """Return one profile that stands for the rows of both."""
        read = _whylogs().DatasetProfileView.deserialize
        return self._written(read(first).merge(read(second)))

    def read(self, data: bytes) -> dict[str, Sketch]:
        """Say what a profile tells of each column; Invalid when it cannot be read."""
        try:
            written, view = self._last
            if written != data or view is None:
                view = _whylogs().DatasetProfileView.deserialize(data)
            columns = view.get_columns()
            return {name: _sketch(column) for name, column in columns.items()}
        except Exception as error:
            # Whatever whylogs makes of bytes that somebody brought.
            raise Invalid("It is damaged, or no whylogs profile.") from error

    def _written(self, view: Any) -> bytes:
        data = bytes(view.serialize())
        self._last = data, view
        return data


_importing = threading.Lock()


@cache
def _whylogs() -> Any:
    # whylogs calls home unless told otherwise, asks numpy for a name that numpy 2 dropped, and
    # with several threads freezes in its first sketch unless this module is there already.
    os.environ["WHYLOGS_NO_ANALYTICS"] = "1"
    np.__dict__.setdefault("unicode_", np.str_)
    with _importing, warnings.catch_warnings(), _core_alone():
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("numpy.core.multiarray")
        return importlib.import_module("whylogs.core")


@contextmanager
def _core_alone() -> Iterator[None]:
    """Let whylogs' core be imported without what its packages import beside it.

    Each of them waits until somebody wants more of it; and as the core can do without scikit-learn,
    and metrics of texts and images, it is shown none of them.
    """
    modules: dict[str, Any] = sys.modules  # None in it means that there is no such module
    for name in ("whylogs.experimental.extras.nlp_metric", "whylogs.extras.image_metric"):
        modules.setdefault(name, None)
    hides = "sklearn" not in modules
    if hides:
        modules["sklearn.cluster"] = None
    for name in ("whylogs", "whylogs.api"):
        if name not in modules and (spec := find_spec(name)) is not None:
            modules[name] = _waiting(spec)
    try:
        yield
    finally:
        if hides:
            del modules["sklearn.cluster"]


def _waiting(spec: ModuleSpec) -> ModuleType:
    """Return a package whose own code runs when a name is wanted that is none of its modules."""
    package = module_from_spec(spec)

    def run(name: str) -> Any:
        if (begun := sys.modules.get(f"{spec.name}.{name}")) is not None:
            return begun
        del package.__dict__["__getattr__"]
        spec.loader.exec_module(package)  # type: ignore[union-attr]
        return getattr(package, name)

    package.__dict__["__getattr__"] = run
    return package


def _sketch(column: Any) -> Sketch:
    counts = column.get_metric("counts")
    types = column.get_metric("types")
    found = {} if types is None else {name: getattr(types, name).value for name in TYPES}
    rows, missing = (0, 0) if counts is None else (counts.n.value, counts.null.value)
    return Sketch(
        rows=rows,
        missing=missing,
        types={name: count for name, count in found.items() if count},
        frequent=_frequent(column.get_metric("frequent_items")),
        **_numbers(column.get_metric("distribution")),
    )


def _numbers(distribution: Any) -> dict[str, Any]:
    if distribution is None or not distribution.n:
        return {}
    quantiles = distribution.kll.value.get_quantiles
    shown = quantiles(list(SHOWN_QUANTILES))
    return {
        "low": distribution.min,
        "high": distribution.max,
        "mean": distribution.mean.value,
        "quantiles": dict(zip(map(str, SHOWN_QUANTILES), shown, strict=True)),
        "points": tuple(quantiles([step / (POINTS - 1) for step in range(POINTS)])),
    }


def _frequent(items: Any) -> dict[str, int]:
    found = [] if items is None else items.strings
    return {item.value: int(item.est) for item in found}


def _input_columns(schema: Schema, rows: Sequence[Row]) -> dict[str, tuple[type, Column]]:
    pairs = zip(schema.features, turned(rows), strict=bool(rows))
    return {feature.name: _typed(feature, values) for feature, values in pairs}


def _typed(feature: Feature, values: Sequence[Value]) -> tuple[type, Column]:
    if feature.kind == "integer":
        return int, _whole_numbers(values)
    if feature.kind == "number":
        return float, values
    # whylogs counts which values occur for text alone, so booleans are text in a profile.
    return str, [None if value is None else text(value) for value in values]


def _packed(column: Column) -> Any:
    """Hand over plain columns as an array: beside pandas a list costs seven times as much."""
    if isinstance(column, np.ndarray):
        return column
    kinds = set(map(type, column))
    if kinds == {str} and len(max(column, key=len)) <= LONGEST and "\0" not in "".join(column):
        return np.array(column)
    return np.array(column) if kinds in ({float}, {int}) else list(column)


def _whole_numbers(values: Column) -> Column:
    """Return whole numbers; what is not whole stays as it is."""
    if not isinstance(values, np.ndarray):
        return [_whole(value) for value in values]
    if (np.abs(values) <= LARGEST_WHOLE).all() and np.array_equal(np.rint(values), values):
        return values.astype(np.int64)
    return [_whole(value) for value in values.tolist()]


def _whole(value: Value) -> Value:
    """Make a whole float an int, so that its frequent values are counted as such."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    return value


def _output_columns(schema: Schema, outputs: Outputs) -> dict[str, tuple[type, Column]]:
    columns: dict[str, tuple[type, Column]] = {}
    if outputs.classes is not None:
        columns[OUTPUT_CLASS] = str, [schema.classes[number] for number in outputs.classes]
    if outputs.probabilities is not None:
        columns[OUTPUT_PROBABILITY] = float, surest(outputs.probabilities)
    if outputs.values is not None:
        columns[OUTPUT_VALUE] = float, outputs.values
    return columns
