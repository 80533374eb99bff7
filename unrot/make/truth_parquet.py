"""What is true of predictions as Parquet, where pyarrow is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from unrot.core.errors import Invalid, TooLarge
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.make.csv.labels import TELLING, UNREADABLE, TruthRow, columns_of
from unrot.make.parquet import texts_among
from unrot.make.parquet_pages import unpacked_bytes
from unrot.make.truth_lines import lines_about, text_of

ROWS_AT_ONCE = 1_000
MOST_GROUP_BYTES = 64_000_000
"""Of the columns that are read: so much is unpacked at once."""


class ParquetTruths:
    """A Parquet file; of its columns only those that say something are read."""

    def __init__(self, path: Path) -> None:
        self._arrow, parquet = _pyarrow()
        self._path, self._parquet = path, parquet
        try:
            file = parquet.ParquetFile(path)
            self._columns = columns_of(file.schema_arrow.names)
            self._texts = texts_among(file, {*self._columns.values()})
            _check_groups(path, file.metadata, {*self._columns.values()})
        except (self._arrow.ArrowException, OSError, ValueError):
            raise Invalid(f"{path.name} cannot be read as Parquet.") from None
        if not {"id", "key"} & {*self._columns} or not {*TELLING} & {*self._columns}:
            raise Invalid(
                f"{path.name} lacks a column: expected id or key, and label (or "
                "was_correct, reward, signal)."
            )

    def rows(self, progress: Progress | None) -> Iterator[TruthRow]:
        """Go through the rows; texts stay in their dictionary, where a long one is there once."""
        number = 0
        try:
            file = self._parquet.ParquetFile(self._path, read_dictionary=self._texts)
            total = max(file.metadata.num_rows, 1)
            names = [*self._columns.values()]
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=names):
                for told in _rows_of(batch, self._columns):
                    number += 1
                    yield TruthRow(number, told or {}, UNREADABLE if told is None else "")
                if progress is not None:
                    progress(min(1.0, number / total), counted(number, "row"))
        except (self._arrow.ArrowException, OSError, ValueError):
            raise Invalid(
                f"{self._path.name} cannot be read as Parquet after row {number:,}."
            ) from None

    def head(self) -> bytes:
        """Write nothing: what became of the rows is written as JSON lines."""
        return b""

    def written(self, rows: Sequence[TruthRow], statuses: Sequence[str]) -> bytes:
        """Write a line for each, which says what it is about and what became of it."""
        return lines_about(rows, statuses)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise Invalid(
            "Parquet is read where pyarrow is installed: pip install 'unrot[parquet]' there, or "
            "send CSV or JSON lines."
        ) from None
    return pyarrow, parquet


def _check_groups(path: Path, metadata: Any, names: set[str]) -> None:
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        if max(unpacked_bytes(data, metadata, names), default=0) > MOST_GROUP_BYTES:
            raise TooLarge(
                f"A group of rows of {path.name} unpacks to more than {MOST_GROUP_BYTES:,} bytes: "
                "write smaller groups, or only the columns that are needed."
            )


def _rows_of(batch: Any, columns: Mapping[str, str]) -> Iterator[dict[str, str] | None]:
    """Return the cells of rows by what they say; None for a row with a cell that is no text."""
    cells = {word: _cells(batch.column(name)) for word, name in columns.items()}
    for place in range(batch.num_rows):
        row = {word: column[place] for word, column in cells.items()}
        whole = {word: text for word, text in row.items() if text is not None}
        yield whole if len(whole) == len(row) else None


def _cells(column: Any) -> list[str | None]:
    if not hasattr(column, "dictionary"):
        return [_text(value) for value in column.to_pylist()]
    texts = [_text(value) for value in column.dictionary.to_pylist()]
    return ["" if at is None else texts[at] for at in column.indices.to_pylist()]


def _text(value: Any) -> str | None:
    try:
        return text_of(value)
    except ValueError:
        return None
