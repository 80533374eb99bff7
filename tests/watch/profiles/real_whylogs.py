"""whylogs itself, where it has wheels: what our profiles are held against, figure for figure."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.skips import needs
from unrot.core.records import Sketch
from unrot.watch.profiles.sketches import EVENLY, SHOWN_QUANTILES, TYPES


def core() -> Any:
    """Return whylogs.core; its sketches have wheels up to Python 3.12."""
    # It calls home unless told otherwise, asks numpy for a name that numpy 2 dropped, and with
    # several threads freezes in its first sketch unless this module is there already.
    os.environ["WHYLOGS_NO_ANALYTICS"] = "1"
    np.__dict__.setdefault("unicode_", np.str_)
    has_wheel = sys.version_info < (3, 13)
    needs(
        "whylogs",
        importlib.util.find_spec("whylogs") is not None,
        "it has no wheel for this Python; ours is held against it on 3.11 and 3.12",
        is_free_to_get=has_wheel,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("numpy.core.multiarray")
        return importlib.import_module("whylogs.core")


def write(columns: Mapping[str, tuple[type, Any]]) -> bytes:
    """Let whylogs profile columns of a declared type."""
    why = core()
    types = {name: kind for name, (kind, _) in columns.items()}
    schema = why.DatasetSchema(types=types, resolvers=why.resolvers.StandardResolver())
    profile = why.DatasetProfile(schema=schema)
    for name, (_, values) in columns.items():
        profile._columns[name].track_column(values)
    return bytes(profile.view().serialize())


def merge(first: bytes, second: bytes) -> bytes:
    """Let whylogs merge two files."""
    read = core().DatasetProfileView.deserialize
    return bytes(read(first).merge(read(second)).serialize())


def read(data: bytes) -> dict[str, Sketch]:
    """Let whylogs tell of a file what the product shows."""
    columns = core().DatasetProfileView.deserialize(data).get_columns()
    return {name: _told(column) for name, column in columns.items()}


def _told(column: Any) -> Sketch:
    counts, types = column.get_metric("counts"), column.get_metric("types")
    items, numbers = column.get_metric("frequent_items"), column.get_metric("distribution")
    found = {name: getattr(types, name).value for name in TYPES}
    return Sketch(
        rows=counts.n.value,
        missing=counts.null.value,
        types={name: count for name, count in found.items() if count},
        frequent={} if items is None else {one.value: int(one.est) for one in items.strings},
        **({} if numbers is None or not numbers.n else _numbers(numbers)),
    )


def _numbers(numbers: Any) -> dict[str, Any]:
    quantiles = numbers.kll.value.get_quantiles
    shown = zip(map(str, SHOWN_QUANTILES), quantiles(list(SHOWN_QUANTILES)), strict=True)
    return {
        "low": numbers.min,
        "high": numbers.max,
        "mean": numbers.mean.value,
        "quantiles": dict(shown),
        "points": tuple(quantiles(list(EVENLY))),
    }
