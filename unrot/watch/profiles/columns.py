"""A table of rows and answers column by column, as profiles have it.

Numbers are arrays. What is chosen (categories, booleans, classes) is text, booleans in lower case.

    >>> schema = Schema((Feature("age", "number"), Feature("smokes", "boolean")), "ill")
    >>> columns = columns_of(schema, [(41.0, True), (None, False)], Outputs(values=[0.1, 0.2]))
    >>> columns["age"].numbers.tolist(), columns["age"].missing, list(columns["smokes"].texts)
    ([41.0], 1, ['true', 'false'])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import (
    OUTPUT_CLASS,
    OUTPUT_PROBABILITY,
    OUTPUT_VALUE,
    Feature,
    Outputs,
    Row,
    Schema,
    Value,
)
from unrot.core.table import Table

Numbers = NDArray[np.float64]
OUTPUTS = (OUTPUT_CLASS, OUTPUT_PROBABILITY, OUTPUT_VALUE)


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one column; `numbers` and `texts` are without its gaps."""

    rows: int
    numbers: Numbers | None = field(repr=False, default=None)
    texts: Sequence[str] = field(repr=False, default=())
    missing_runs: int = 0
    """In how many runs of neighbouring rows its gaps came."""

    @property
    def missing(self) -> int:
        """How many of its rows are gaps."""
        held = len(self.texts) if self.numbers is None else len(self.numbers)
        return self.rows - held


Columns = Mapping[str, Column]


def columns_of(schema: Schema, rows: Sequence[Row], outputs: Outputs) -> Columns:
    """Return the columns of a table; a feature that is named like an output keeps its name."""
    return {**output_columns(schema, outputs), **input_columns(schema, rows)}


def input_columns(schema: Schema, rows: Sequence[Row]) -> dict[str, Column]:
    """Return the columns of the features."""
    return {
        feature.name: _column(feature, values)
        for feature, values in zip(schema.features, turned(rows), strict=bool(rows))
    }


def turned(rows: Sequence[Row]) -> list[Sequence[Value]]:
    """Return the columns of rows."""
    if isinstance(rows, Table):
        return rows.columns  # type: ignore[return-value]
    return list(zip(*rows, strict=True))


def surest(probabilities: Sequence[Sequence[float]]) -> Numbers:
    """Return the largest probability of each row."""
    if isinstance(probabilities, Table):
        found: Numbers = probabilities.numbers.max(axis=1)
        return found
    return np.array([max(each) for each in probabilities], dtype=np.float64)


def output_columns(schema: Schema, outputs: Outputs) -> dict[str, Column]:
    """Return the columns of what was answered: the class, its probability, the value."""
    columns: dict[str, Column] = {}
    if outputs.classes is not None:
        texts = [schema.classes[number] for number in outputs.classes]
        columns[OUTPUT_CLASS] = Column(len(texts), texts=texts)
    if outputs.probabilities is not None:
        columns[OUTPUT_PROBABILITY] = _numbers(surest(outputs.probabilities))
    if outputs.values is not None:
        columns[OUTPUT_VALUE] = _numbers(outputs.values)
    return columns


def known_choices(schema: Schema, column: str) -> set[str]:
    """Return the choices of a column that the schema names."""
    if column == OUTPUT_CLASS and column not in schema.names:
        return set(schema.classes)
    return next(
        (set(map(text, one.choices)) for one in schema.features if one.name == column), set()
    )


def is_number(schema: Schema, column: str) -> bool:
    """Tell whether a column holds numbers."""
    for feature in schema.features:
        if feature.name == column:
            return feature.kind in ("number", "integer")
    return column != OUTPUT_CLASS


def text(value: Value) -> str:
    """Write a choice as profiles do."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _column(feature: Feature, values: Sequence[Value]) -> Column:
    if feature.kind in ("number", "integer"):
        return _numbers(values)
    gaps = np.array([value is None for value in values], dtype=bool)
    texts = [text(value) for value in values if value is not None]
    return Column(len(values), texts=texts, missing_runs=runs(gaps))


def _numbers(values: Sequence[Value] | Numbers) -> Column:
    numbers = np.array(values, dtype=np.float64)
    is_there = np.isfinite(numbers)
    return Column(len(values), numbers=numbers[is_there], missing_runs=runs(~is_there))


def runs(events: NDArray[np.bool_]) -> int:
    """Count the runs of events in rows in their order.

    >>> runs(np.array([True, True, False, True]))
    2
    """
    return int(events[:1].sum() + (events[1:] & ~events[:-1]).sum())
