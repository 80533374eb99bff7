"""whylogs itself, where it has wheels: what our profiles are held against, figure for figure."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from typing import Any

from tests.skips import needs
from unrot.core.records import Sketch
from unrot.watch.profiles import by_whylogs
from unrot.watch.profiles.sketches import EVENLY, SHOWN_QUANTILES, TYPES


def core() -> Any:
    """Return whylogs.core; its sketches have wheels up to Python 3.12."""
    has_wheel = sys.version_info < (3, 13)
    needs(
        "whylogs",
        importlib.util.find_spec("whylogs") is not None,
        "it has no wheel for this Python; ours is held against it on 3.11 and 3.12",
        is_free_to_get=has_wheel,
    )
    return by_whylogs.core()


def write(columns: Mapping[str, tuple[type, Any]]) -> bytes:
    """Let whylogs profile columns of a declared type."""
    core()
    return by_whylogs.write(columns)


def merge(first: bytes, second: bytes) -> bytes:
    """Let whylogs merge two files."""
    core()
    return by_whylogs.LibraryProfiler().merge(first, second)


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
