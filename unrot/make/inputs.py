"""How an estimator takes its rows, and the data in which somebody shows it.

Ours are fitted on the table of numbers that `encoding` makes. An estimator that was fitted
elsewhere takes an array, objects or a DataFrame: a pipeline chooses columns by name and by dtype,
an encoder may tell `None` from `NaN`, and an `int64` column prints otherwise than a `float64` one.
So the form is kept beside the estimator, and every row that is served is brought into it.

Read are a DataFrame, an array, a list of objects (name → value) and a list of lists. Cells become
what JSON has; a gap is None. A column that a row of JSON cannot hold (a date, a list) is refused
by its name. pandas is asked for only where a DataFrame is wanted.
"""

from __future__ import annotations

import json
import math
import numbers
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from unrot.core.encoding import Encoder
from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted
from unrot.core.records import Feature, Kind, Row, Schema, Value
from unrot.core.typical_row import MOST_ROWS, with_examples

Container = Literal["encoded", "array", "objects", "frame"]
ARRAY: Container = "array"
OBJECTS: Container = "objects"
FRAME: Container = "frame"

MOST_CHOICES = 1000
EXPECTED = "expected a DataFrame, an array of two dimensions, or a list of objects"


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
    """What the estimator is handed: the encoded table, numbers, objects, or a DataFrame."""

    container: Container
    columns: tuple[Column, ...] = ()

    def make(self, rows: Sequence[Row], schema: Schema) -> Any:
        """Bring rows that the schema has checked into the form."""
        if self.container == "encoded":
            return Encoder(schema).encode(rows)
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


ENCODED = Form("encoded")
"""The form of all that was trained here."""


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


# ── the data as it is given ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Given:
    """A table as it was given: its columns by name, and the form to hand rows back in."""

    names: tuple[str, ...]
    cells: tuple[list[Value], ...]
    form: Form

    @property
    def rows(self) -> list[Row]:
        """The table row by row."""
        return [list(row) for row in zip(*self.cells, strict=True)]

    def sample(self, most: int) -> list[Row]:
        """Return rows of all over the table, at most so many."""
        return self.rows[:: max(1, -(-len(self) // most))]

    def __len__(self) -> int:
        return len(self.cells[0]) if self.cells else 0


def read(table: Any, names: Sequence[str] | None) -> Given:
    """Read a table; `names` are those that the estimator was fitted with, if it knows them."""
    if hasattr(table, "toarray"):
        raise Invalid(
            "X is a sparse matrix: give a DataFrame or an array, a row of which a "
            "person can fill in."
        )
    if _is_frame(table):
        return _from_frame(table, names)
    if isinstance(table, Mapping):
        return _from_columns({str(name): list(cells) for name, cells in table.items()}, names)
    if isinstance(table, list) and table and isinstance(table[0], Mapping):
        return _from_columns(_columns_of(table), names)
    return _from_array(table, names)


def features_of(
    given: Given, more: Given | None, known: Mapping[int, Sequence[Any]]
) -> tuple[Feature, ...]:
    """Describe the columns: kind, range or choices, gaps and, as examples, one row: a held-out one
    where `more` has some.

    `known` are the texts that the estimator was fitted with, by the place of their column.
    """
    pairs = enumerate(zip(given.names, given.cells, given.form.columns, strict=True))
    features = tuple(
        _feature(name, [*cells, *(more.cells[place] if more else ())], column, known.get(place, ()))
        for place, (name, cells, column) in pairs
    )
    encoder = Encoder(Schema(features, ""))
    tables = [more, given] if more else [given]
    return with_examples(features, *(encoder.encode(one.sample(MOST_ROWS)) for one in tables))


# ── the shapes in which people hold tables ───────────────────────────────────────────────────


def _is_frame(table: Any) -> bool:
    return hasattr(table, "columns") and hasattr(table, "dtypes") and hasattr(table, "iloc")


def _from_frame(frame: Any, names: Sequence[str] | None) -> Given:
    labels = list(frame.columns)
    _check_names([str(label) for label in labels])
    if names is not None:
        _check_has([str(label) for label in labels], names)
        labels = list(names)
    read = [_frame_column(label, frame[label]) for label in labels]
    columns, cells = (tuple(part) for part in zip(*read, strict=True))
    return Given(tuple(str(label) for label in labels), cells, Form(FRAME, columns))


def _frame_column(label: Any, series: Any) -> tuple[Column, list[Value]]:
    if not isinstance(label, str | int):
        raise Invalid(f"A column is called {shown(str(label))}: expected a text or a whole number.")
    dtype = str(series.dtype)
    cells = _plain(series.tolist(), str(label))
    if dtype == "category":
        kind = series.dtype
        categories = tuple(_plain(kind.categories.tolist(), str(label)))
        return Column(label, dtype, categories=categories, ordered=bool(kind.ordered)), cells
    has_none = dtype == "object" and any(cell is None for cell in series.tolist())
    return Column(label, dtype, "none" if has_none else "nan"), cells


def _from_array(table: Any, names: Sequence[str] | None) -> Given:
    array = np.asarray(table) if not isinstance(table, list) else _array_of(table)
    if array.ndim != 2 or not array.shape[1]:
        raise Invalid(f"X has the shape {array.shape}: {EXPECTED}.")
    if names is not None and len(names) != array.shape[1]:
        raise Invalid(
            f"X has {counted(array.shape[1], 'column')}, and the estimator takes {len(names)}."
        )
    called = tuple(names) if names is not None else _numbered(array.shape[1])
    cells = tuple(
        _plain(column.tolist(), name) for name, column in zip(called, array.T, strict=True)
    )
    if names is not None:
        return _from_columns(dict(zip(called, cells, strict=True)), names)
    if array.dtype.kind in "fiub":
        return Given(called, cells, Form(ARRAY, tuple(map(Column, called))))
    return _as_objects(called, cells, any(cell is None for cell in array.ravel().tolist()))


def _array_of(table: list[Any]) -> Any:
    try:
        array = np.array(table)
        return array if array.dtype.kind in "fiub" else np.array(table, dtype=object)
    except ValueError as error:
        raise Invalid(f"The rows of X are not all of one length: {EXPECTED}.") from error


def _from_columns(columns: Mapping[str, list[Any]], names: Sequence[str] | None) -> Given:
    """Take columns of plain values, as a CSV file has them, in the form that pandas reads."""
    _check_names(list(columns))
    if names is not None:
        _check_has(list(columns), names)
    called = tuple(names if names is not None else columns)
    cells = tuple(_plain(list(columns[name]), name) for name in called)
    if names is not None:
        return Given(called, cells, Form(FRAME, tuple(map(_read_column, called, cells))))
    if not any(isinstance(cell, str) for held in cells for cell in held):
        return Given(called, cells, Form(ARRAY, tuple(map(Column, called))))
    return _as_objects(called, cells)


def _as_objects(
    names: tuple[str, ...], cells: tuple[list[Value], ...], has_none: bool = False
) -> Given:
    gap: Literal["nan", "none"] = "none" if has_none else "nan"
    dtypes = ["int" if _kinds(held) == {"int"} else "object" for held in cells]
    pairs = zip(names, dtypes, strict=True)
    return Given(names, cells, Form(OBJECTS, tuple(Column(*pair, gap) for pair in pairs)))


def _columns_of(rows: list[Any]) -> dict[str, list[Any]]:
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def _read_column(name: str, cells: list[Value]) -> Column:
    """Give a column the dtype that pandas gives it when it reads a file."""
    kinds, has_gaps = _kinds(cells), None in cells
    if kinds <= {"bool"} and kinds:
        return Column(name, "object" if has_gaps else "bool")
    if kinds <= {"int", "float"}:
        return Column(name, "int64" if kinds == {"int"} and not has_gaps else "float64")
    return Column(name, str(pandas().Series(["text"]).dtype))


def _numbered(width: int) -> tuple[str, ...]:
    return tuple(f"f{place}" for place in range(width))


# ── cells ────────────────────────────────────────────────────────────────────────────────────


def _plain(cells: Iterable[Any], name: str) -> list[Value]:
    return [_cell(cell, name, number) for number, cell in enumerate(cells)]


def _cell(cell: Any, name: str, number: int) -> Value:
    if cell is None or cell is np.nan:
        return None
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    if isinstance(cell, numbers.Integral):
        return int(cell)
    if isinstance(cell, numbers.Real):
        value = float(cell)
        if math.isinf(value):
            raise Invalid(f"Row {number}: {name} is infinite: expected a finite number or a gap.")
        return None if math.isnan(value) else value
    if type(cell).__name__ in ("NAType", "NaTType"):
        return None
    raise Invalid(
        f"Row {number}: {name} holds {shown(str(cell))} ({type(cell).__name__}): expected "
        "numbers, texts or yes and no; make a number of it before the estimator is fitted."
    )


def _kinds(cells: Iterable[Value]) -> set[str]:
    return {type(cell).__name__ for cell in cells if cell is not None}


def _check_names(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Invalid(f"Two columns are called {shown(twice[0])}: give each a name of its own.")
    if not all(name.strip() for name in names):
        raise Invalid("A column has no name: give each a name of its own.")


def _check_has(held: Sequence[str], names: Sequence[str]) -> None:
    missing = [str(name) for name in names if name not in held]
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise Invalid(
            f"The estimator was fitted with the column {shown(missing[0])}{more}, which the data "
            "does not have."
        )


# ── features ─────────────────────────────────────────────────────────────────────────────────


def _feature(name: str, cells: list[Value], column: Column, known_texts: Sequence[Any]) -> Feature:
    held: list[Value] = [cell for cell in cells if cell is not None]
    kind = _kind(name, held, column)
    nullable = len(held) < len(cells)
    if kind == "boolean":
        return Feature(name, kind, nullable=nullable)
    if kind == "category":
        texts = [text for text in known_texts if isinstance(text, str)]
        choices = column.categories or tuple(sorted({*_most_common(held), *texts}, key=str))
        return Feature(name, kind, choices=choices, nullable=nullable)
    known = sorted(float(cell) for cell in held if isinstance(cell, int | float))
    low, high = (known[0], known[-1]) if known else (None, None)
    return Feature(name, kind, low, high, column.categories, nullable=nullable)


def _kind(name: str, held: list[Value], column: Column) -> Kind:
    kinds = _kinds([*held, *column.categories])
    if kinds == {"bool"}:
        return "boolean"
    if kinds == {"str"}:
        return "category"
    if "str" in kinds:
        raise Invalid(
            f"{name} holds texts and numbers ({shown(_first(held, str))} and "
            f"{shown(_first(held, bool | int | float))}): make them one or the other."
        )
    is_whole = bool(kinds) and kinds <= {"int"}
    return "integer" if is_whole else "number"


def _first(held: list[Value], kind: Any) -> Value:
    found: Value = next(cell for cell in held if isinstance(cell, kind))
    return found


def _most_common(held: list[Value]) -> list[Value]:
    return [value for value, _ in Counter(held).most_common(MOST_CHOICES)]
