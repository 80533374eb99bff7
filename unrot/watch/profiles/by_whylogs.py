"""Profiles that the library whylogs itself writes, for who wants all that it keeps.

Ours (`sketches.py`) tell the same figures several times sooner; whylogs' files also estimate how
many different values there were. The library has wheels up to Python 3.12. It is imported with the
first profile: a web worker never pays.
"""

from __future__ import annotations

import importlib
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from unrot.core.errors import BadSetting
from unrot.core.records import OUTPUT_CLASS, Feature, Outputs, Row, Schema
from unrot.watch.profiles.columns import text, turned
from unrot.watch.profiles.sketches import WhylogsProfiler, output_values

_importing = threading.Lock()


class LibraryProfiler(WhylogsProfiler):
    """Writes and merges with whylogs; only ever used by one thread, as it demands."""

    def __init__(self) -> None:
        if find_spec("whylogs") is None:
            raise BadSetting(
                "UNROT_PROFILER=whylogs: whylogs is not installed, and has no wheels after "
                "Python 3.12. Leave the setting out: Unrot writes whylogs' files itself."
            )

    def profile(self, schema: Schema, rows: Sequence[Row], outputs: Outputs) -> bytes:
        """Profile inputs and outputs of a whole table at once."""
        pairs = zip(schema.features, turned(rows), strict=bool(rows))
        columns = {
            **{
                name: (str if name == OUTPUT_CLASS else float, values)
                for name, values in output_values(schema, outputs).items()
            },
            **{feature.name: _typed(feature, values) for feature, values in pairs},
        }
        return write(columns)

    def merge(self, first: bytes, second: bytes) -> bytes:
        """Return one profile that stands for the rows of both."""
        read = core().DatasetProfileView.deserialize
        return bytes(read(first).merge(read(second)).serialize())


def write(columns: Mapping[str, tuple[type, Any]]) -> bytes:
    """Let whylogs profile columns of a declared type."""
    types = {name: kind for name, (kind, _) in columns.items()}
    # Its declarative resolver, the default, builds a hundred sketches of letters only to ask
    # for a name, then leaves them out: three quarters of the time of a small profile.
    resolvers = core().resolvers.StandardResolver()
    schema = core().DatasetSchema(types=types, resolvers=resolvers)
    profile = core().DatasetProfile(schema=schema)
    for name, (_, values) in columns.items():
        # Private, and a hundred times faster than tracking row by row.
        profile._columns[name].track_column(list(values))
    return bytes(profile.view().serialize())


@cache
def core() -> Any:
    """Import it: it calls home unless told otherwise, and asks numpy for a name that is gone.

    With several threads it freezes in its first sketch unless one module is there already.
    """
    os.environ["WHYLOGS_NO_ANALYTICS"] = "1"
    np.__dict__.setdefault("unicode_", np.str_)
    with _importing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("numpy.core.multiarray")
        return importlib.import_module("whylogs.core")


def _typed(feature: Feature, values: Sequence[Any]) -> tuple[type, Sequence[Any]]:
    if feature.kind == "number":
        return float, values
    if feature.kind == "integer":
        return int, [_whole(value) for value in values]
    return str, [None if value is None else text(value) for value in values]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
