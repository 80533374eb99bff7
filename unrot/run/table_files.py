"""Tables as files: CSV, JSON lines and Parquet, written a part at a time.

    .csv               UTF-8, commas; moments as ISO 8601 in UTC, flags as true and false
    .jsonl, .ndjson    one object a line, with the types of JSON
    .parquet           with types; moments as times in UTC

In CSV a text that a stranger wrote and that a spreadsheet would run as a formula (it begins with
one of = + - @, a tab or a line end, and is no number) gets an apostrophe before it. What the
owner of the model chose, its classes and choices, stands as it is; so does all in other formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol

import orjson

from unrot.core.errors import Invalid
from unrot.core.time import iso_time, utc
from unrot.make.csv.writing import csv_lines
from unrot.run.exporting import Cell, CellType, Column, Part

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")
CELLS_A_GROUP = 4_000_000
"""Of Parquet: so many cells are kept in memory, compact, and then written together."""
PYARROW = "pyarrow==26.0.1"
PARQUET = ".parquet"


class Writer(Protocol):
    """Writes a table into an open file."""

    def write(self, part: Part) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what is still to be written; the file stays open."""


def check_ending(path: Path, *, is_output: bool) -> str:
    """Return which format a file is to have by its name; JSON lines where it has none."""
    ending = ".jsonl" if is_output else path.suffix.lower()
    if ending not in WRITERS:
        raise Invalid(
            f"{path} has none of the endings .csv, .jsonl, .ndjson and .parquet, which say what "
            "is written; - prints JSON lines."
        )
    if ending == PARQUET:
        _pyarrow()
    return ending


def write_table(
    file: IO[bytes], ending: str, columns: Sequence[Column], parts: Iterable[Part]
) -> int:
    """Write a table in the format of an ending; return how many rows it has."""
    writer = WRITERS[ending](file, columns)
    rows = 0
    for part in parts:
        writer.write(part)
        rows += len(part[0])
    writer.close()
    return rows


def csv_stream(columns: Sequence[Column], parts: Iterable[Part]) -> Iterator[bytes]:
    """Write a table as CSV, handing on each part as soon as it is written."""
    file = BytesIO()
    writer = CsvWriter(file, columns)
    for part in parts:
        writer.write(part)
        yield file.getvalue()
        file.seek(0)
        file.truncate()
    yield file.getvalue()


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


class CsvWriter:
    """Writes comma-separated values."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column]) -> None:
        self._file = file
        self._columns = columns
        file.write(csv_lines([[column.name for column in columns]], ","))

    def write(self, part: Part) -> None:
        """Write some rows; numbers, and cells that are empty, are written by the library."""
        cells = [_csv_cells(column, some) for column, some in zip(self._columns, part, strict=True)]
        self._file.write(csv_lines(zip(*cells, strict=True), ","))

    def close(self) -> None:
        """All is written."""


def _csv_cells(column: Column, cells: Sequence[Cell]) -> Sequence[Cell]:
    if column.type == "number":
        return cells
    if column.type == "flag":
        return [None if cell is None else str(cell).lower() for cell in cells]
    if column.type == "text":
        own = column.own_texts
        return [
            without_formula(cell) if isinstance(cell, str) and cell not in own else cell
            for cell in cells
        ]
    return _plain(column.type, cells)


def without_formula(text: str) -> str:
    """Return a text that no spreadsheet runs.

    >>> [without_formula(text) for text in ("=1+1", "-3.5", "@home", "well")]
    ["'=1+1", '-3.5', "'@home", 'well']
    """
    if not text.startswith(RUN_BY_SPREADSHEETS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


# ── JSON lines ───────────────────────────────────────────────────────────────────────────────


class JsonLinesWriter:
    """Writes one object a line."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column]) -> None:
        self._file = file
        self._columns = columns

    def write(self, part: Part) -> None:
        """Write some rows."""
        names = [column.name for column in self._columns]
        cells = [
            _plain(column.type, some) for column, some in zip(self._columns, part, strict=True)
        ]
        rows = (dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True))
        self._file.write(b"".join(orjson.dumps(row) + b"\n" for row in rows))

    def close(self) -> None:
        """All is written."""


def _plain(type: CellType, cells: Sequence[Cell]) -> Sequence[Cell]:
    """Return cells as texts have them: moments in words, whole numbers without a fraction."""
    if type == "moment":
        return [iso_time(cell) if isinstance(cell, float) else cell for cell in cells]
    if type == "integer":
        return [
            int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in cells
        ]
    return cells


# ── Parquet ──────────────────────────────────────────────────────────────────────────────────


class ParquetWriter:
    """Writes Parquet, in groups of rows."""

    def __init__(self, file: IO[bytes], columns: Sequence[Column]) -> None:
        self._arrow = _pyarrow()
        types = {
            "text": self._arrow.string(),
            "number": self._arrow.float64(),
            "integer": self._arrow.float64(),
            "flag": self._arrow.bool_(),
            "moment": self._arrow.timestamp("us", tz="UTC"),
        }
        self._columns = columns
        self._schema = self._arrow.schema([(one.name, types[one.type]) for one in columns])
        self._writer = _parquet().ParquetWriter(file, self._schema, compression="zstd")
        self._held: list[Any] = []

    def write(self, part: Part) -> None:
        """Take some rows; write a group when there are enough."""
        arrays = [
            self._arrow.array(list(map(_TYPED[column.type], some)), type=kind)
            for column, some, kind in zip(self._columns, part, self._schema.types, strict=True)
        ]
        self._held.append(self._arrow.record_batch(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._held) * len(self._columns) >= CELLS_A_GROUP:
            self._write_group()

    def close(self) -> None:
        """Write the last group and the foot of the file."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._held:
            self._writer.write_table(self._arrow.Table.from_batches(self._held))
            self._held = []


def _number(cell: Cell) -> float | None:
    return None if cell is None or isinstance(cell, str) else float(cell)


_TYPED: Mapping[CellType, Callable[[Cell], Any]] = {
    "text": lambda cell: None if cell is None else str(cell),
    "number": _number,
    "integer": _number,
    "flag": lambda cell: cell if isinstance(cell, bool) else None,
    "moment": lambda cell: utc(cell) if isinstance(cell, float) else None,
}


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise Invalid(
            f"Parquet needs the library pyarrow: pip install {PYARROW} (or write .csv or .jsonl)."
        ) from error
    return pyarrow


def _parquet() -> Any:
    import pyarrow.parquet

    return pyarrow.parquet


WRITERS: Mapping[str, Callable[[IO[bytes], Sequence[Column]], Writer]] = {
    ".csv": CsvWriter,
    ".jsonl": JsonLinesWriter,
    ".ndjson": JsonLinesWriter,
    PARQUET: ParquetWriter,
}
