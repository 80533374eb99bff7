"""Profiles of traffic: what came in and what was answered, as sketches that merge.

They are whylogs' own, figure for figure, in the file that whylogs reads and writes, on any Python
and without whylogs: `quantiles.py` and `frequent.py` are its sketches, `whylogs_file.py` its file.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from unrot.watch.profiles.frequent import Frequent
from unrot.watch.profiles.quantiles import Quantiles, Values
from unrot.watch.profiles.whylogs_file import Column, Profiled, read_file, write_file

POINTS = 1_001
EVENLY = np.linspace(0, 1, POINTS).tolist()
SHOWN_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
COUNTS = ("n", "null", "nan", "inf", "true")
TYPES = ("integral", "fractional", "boolean", "string", "object", "tensor")
LARGEST_WHOLE = 2**53
LONGEST = 128
"""Letters of a text that are kept."""
NONE = 2**63 - 1
"""What whylogs calls the least whole number where there is none; the largest is less this."""
MERGED: Mapping[str, Callable[[Any, Any], Any]] = {"ints/min": min, "ints/max": max}
"""How components merge, where it is not by adding them up."""


class WhylogsProfiler:
    """Makes profiles as whylogs does."""

    def profile(self, schema: Schema, rows: Sequence[Row], outputs: Outputs) -> bytes:
        """Profile inputs and outputs of a whole table at once."""
        columns = {**_output_columns(schema, outputs), **_input_columns(schema, rows)}
        return write_file(Profiled(columns, time.time()))

    def merge(self, first: bytes, second: bytes) -> bytes:
        """Return one profile that stands for the rows of both."""
        ours, theirs = read_file(first), read_file(second)
        columns = {**ours.columns, **theirs.columns}
        for name in ours.columns.keys() & theirs.columns.keys():
            columns[name] = _merged(ours.columns[name], theirs.columns[name])
        return write_file(Profiled(columns, min(ours.made_at, theirs.made_at)))

    def read(self, data: bytes) -> dict[str, Sketch]:
        """Say what a profile tells of each column; Invalid when it cannot be read."""
        try:
            columns = read_file(data).columns
            return {name: _sketch(column) for name, column in columns.items()}
        except Exception as error:
            # Whatever may be wrong with bytes that somebody brought.
            raise Invalid("It is damaged, or no whylogs profile.") from error


@dataclass(frozen=True, slots=True)
class _Moments:
    """How many numbers, their mean, and the sum of squares around it; added up as whylogs does."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, numbers: Values) -> _Moments:
        if not len(numbers):
            return cls()
        many = len(numbers) > 1
        squares = float(numbers.var(ddof=1) * (len(numbers) - 1)) if many else 0.0
        return cls(len(numbers), float(numbers.mean()), squares)

    @classmethod
    def held(cls, column: Any) -> _Moments:
        count = column["distribution/kll"].count
        return cls(count, column["distribution/mean"], column["distribution/m2"])

    def __add__(self, other: _Moments) -> _Moments:
        if not (count := self.count + other.count):
            return self
        away = (other.mean - self.mean) ** 2 * self.count * other.count / count
        mean = self.count / count * self.mean + other.count / count * other.mean
        return _Moments(count, mean, self.squares + other.squares + away)

    def written(self) -> Column:
        return {"distribution/mean": self.mean, "distribution/m2": self.squares}


def _merged(first: Column, second: Column) -> Column:
    merged = {**first, **second}
    for path in first.keys() & second.keys():
        merged[path] = MERGED.get(path, operator.add)(first[path], second[path])
    if "distribution/kll" in first and "distribution/kll" in second:
        merged |= (_Moments.held(first) + _Moments.held(second)).written()
    return merged


def _sketch(column: Mapping[str, Any]) -> Sketch:
    types = {name: column.get(f"types/{name}", 0) for name in TYPES}
    return Sketch(
        rows=column.get("counts/n", 0),
        missing=column.get("counts/null", 0),
        types={name: count for name, count in types.items() if count},
        frequent=column.get("frequent_items/frequent_strings", Frequent()).most(),
        **_numbers_told(column),
    )


def _numbers_told(column: Mapping[str, Any]) -> dict[str, Any]:
    quantiles: Quantiles = column.get("distribution/kll", Quantiles())
    if not quantiles.count:
        return {}
    shown = map(str, SHOWN_QUANTILES)
    return {
        "low": quantiles.low,
        "high": quantiles.high,
        "mean": column["distribution/mean"],
        "quantiles": dict(zip(shown, quantiles.at(SHOWN_QUANTILES), strict=True)),
        "points": tuple(quantiles.at(EVENLY)),
    }


def _input_columns(schema: Schema, rows: Sequence[Row]) -> dict[str, Column]:
    pairs = zip(schema.features, turned(rows), strict=bool(rows))
    return {feature.name: _input_column(feature, values) for feature, values in pairs}


def _input_column(feature: Feature, values: Sequence[Value]) -> Column:
    if feature.kind == "integer":
        return _whole_numbers(values)
    if feature.kind == "number":
        return _numbers(values)
    return _texts([None if value is None else text(value) for value in values])


def output_values(schema: Schema, outputs: Outputs) -> dict[str, Any]:
    """Return what of answers is profiled, by name."""
    columns: dict[str, Any] = {}
    if outputs.classes is not None:
        columns[OUTPUT_CLASS] = [schema.classes[number] for number in outputs.classes]
    if outputs.probabilities is not None:
        columns[OUTPUT_PROBABILITY] = surest(outputs.probabilities)
    if outputs.values is not None:
        columns[OUTPUT_VALUE] = outputs.values
    return columns


def _output_columns(schema: Schema, outputs: Outputs) -> dict[str, Column]:
    return {
        name: _texts(values) if name == OUTPUT_CLASS else _numbers(values)
        for name, values in output_values(schema, outputs).items()
    }


def _texts(values: Sequence[str | None]) -> Column:
    texts = [value[:LONGEST] for value in values if value is not None]
    return {
        **_counted(len(values), null=len(values) - len(texts), string=len(texts)),
        **_distribution(np.empty(0), np.empty(0)),
        "frequent_items/frequent_strings": Frequent.of(texts),
    }


def _numbers(values: Any) -> Column:
    numbers = np.asarray(values, np.float64)
    there = numbers[~np.isnan(numbers)]
    counts = _counted(len(numbers), null=len(numbers) - len(there), fractional=len(there))
    return {**counts, **_distribution(there, np.empty(0))}


def _whole_numbers(values: Any) -> Column:
    """Count whole numbers as such, with their frequent values; others stay what they are."""
    numbers = np.asarray(values, np.float64)
    there = numbers[~np.isnan(numbers)]
    is_whole = (np.abs(there) <= LARGEST_WHOLE) & (np.rint(there) == there)
    others, whole = there[~is_whole], there[is_whole]
    texts = [f"{value:f}" for value in others.tolist()] + [
        f"{value:.0f}" for value in whole.tolist()
    ]
    return {
        **_counted(
            len(numbers),
            null=len(numbers) - len(there),
            integral=len(whole),
            fractional=len(others),
        ),
        **_distribution(others, whole),
        "ints/min": int(whole.min(initial=NONE)),
        "ints/max": int(whole.max(initial=-NONE)),
        "frequent_items/frequent_strings": Frequent.of(texts),
    }


def _counted(rows: int, **counts: int) -> Column:
    counted = {f"counts/{name}": counts.get(name, 0) for name in COUNTS}
    types = {f"types/{name}": counts.get(name, 0) for name in TYPES}
    return {**counted, **types, "counts/n": rows}


def _distribution(first: Values, second: Values) -> Column:
    moments = _Moments.of(first) + _Moments.of(second)
    quantiles = Quantiles.of(np.concatenate([first, second]))
    return {"distribution/kll": quantiles, **moments.written()}
