"""How an owner's estimator takes its rows: an array or a DataFrame, and each column's dtype.

A pipeline that was fitted on a DataFrame chooses columns by name and by dtype, an encoder may
tell `None` from `NaN`, and an `int64` column prints otherwise than a `float64` one. So the form
of the data that the owner gave is kept beside the estimator, and every row that is served is
brought into the same form. pandas is asked for only where a DataFrame is wanted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from unrot.core.errors import Invalid
from unrot.core.records import Row, Value

Container = Literal["array", "objects", "frame"]
ARRAY: Container = "array"
OBJECTS: Container = "objects"
FRAME: Container = "frame"


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the estimator knows it."""

    label: str | int
    dtype: str = "float64"
    gap: Literal["nan", "none"] = "nan"
    categories: tuple[Value, ...] = ()
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What the estimator is handed: float64 numbers, an array of objects, or a DataFrame."""

    container: Container
    columns: tuple[Column, ...]

    def make(self, rows: Sequence[Row]) -> Any:
        """Bring rows that the schema has checked into the form."""
        if self.container == ARRAY:
            return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.columns))
        columns = [
            _cells(column, [row[place] for row in rows])
            for place, column in enumerate(self.columns)
        ]
        if self.container == FRAME:
            return _frame(self.columns, columns)
        table = np.empty((len(rows), len(columns)), dtype=object)
        for place, cells in enumerate(columns):
            table[:, place] = cells
        return table

    def to_json(self) -> str:
        """Write the form; `from_json` reads it back."""
        return json.dumps(asdict(self))


def from_json(text: str) -> Form:
    """Read what `Form.to_json` wrote."""
    data = json.loads(text)
    columns = [
        Column(**{**column, "categories": tuple(column["categories"])})
        for column in data["columns"]
    ]
    return Form(data["container"], tuple(columns))


def pandas() -> Any:
    """Return pandas; raise Invalid with a sentence where it is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise Invalid(
            "The estimator was fitted on a DataFrame, and pandas is not installed here: "
            "pip install pandas"
        ) from error
    return pandas


def _cells(column: Column, cells: list[Value]) -> list[Any]:
    """Give numbers the type of the column where they can have it, and gaps their mark."""
    is_whole = "int" in column.dtype.lower()
    gap = None if column.gap == "none" else np.nan
    return [gap if cell is None else _number(cell, is_whole) for cell in cells]


def _number(cell: Value, is_whole: bool) -> Any:
    return int(cell) if is_whole and isinstance(cell, float) and cell.is_integer() else cell


def _frame(columns: Sequence[Column], cells: Sequence[list[Any]]) -> Any:
    library = pandas()
    series = [_series(library, one, held) for one, held in zip(columns, cells, strict=True)]
    frame = library.concat(series, axis=1)
    frame.columns = [column.label for column in columns]
    return frame


def _series(library: Any, column: Column, cells: list[Any]) -> Any:
    if column.dtype == "category":
        kind = library.CategoricalDtype(list(column.categories), ordered=column.ordered)
        known = set(column.categories)
        return library.Series([cell if cell in known else None for cell in cells], dtype=kind)
    if "int" in column.dtype.lower() and not all(isinstance(cell, int) for cell in cells):
        # A number that is not whole, or a gap, is what pandas reads a float column of.
        return library.Series([np.nan if cell is None else cell for cell in cells], dtype="float64")
    return library.Series(cells, dtype=column.dtype)
