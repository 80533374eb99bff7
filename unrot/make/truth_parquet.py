"""What is true of predictions as Parquet, where pyarrow is installed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unrot.core.errors import Invalid
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.make.csv.labels import TELLING, UNREADABLE, TruthRow, columns_of
from unrot.make.parquet import ParquetTable, read_parquet
from unrot.make.truth_lines import lines_about, text_of

ROWS_BETWEEN_PROGRESS = 1_000


class ParquetTruths:
    """A Parquet file; of its columns only those that say something are read."""

    def __init__(self, path: Path) -> None:
        self._path, self._number = path, 0
        with self._table() as table:
            self._columns = columns_of(table.columns)
            table.check(self._columns.values())
        if not {"id", "key"} & {*self._columns} or not {*TELLING} & {*self._columns}:
            raise Invalid(
                f"{path.name} lacks a column: expected id or key, and label (or "
                "was_correct, reward, signal)."
            )

    def rows(self, progress: Progress | None) -> Generator[TruthRow, None, None]:
        """Go through the rows."""
        with self._table() as table:
            for cells in table.cells([*self._columns.values()]):
                self._number += 1
                told = _told(self._columns, cells)
                yield TruthRow(self._number, told, "" if told else UNREADABLE)
                if progress is not None and self._number % ROWS_BETWEEN_PROGRESS == 0:
                    share = min(1.0, self._number / max(table.rows, 1))
                    progress(share, counted(self._number, "row"))

    def head(self) -> bytes:
        """Write nothing: what became of the rows is written as JSON lines."""
        return b""

    def written(self, rows: Sequence[TruthRow], statuses: Sequence[str]) -> bytes:
        """Write a line for each, which says what it is about and what became of it."""
        return lines_about(rows, statuses)

    @contextmanager
    def _table(self) -> Iterator[ParquetTable]:
        try:
            with self._path.open("rb") as file, read_parquet(file) as table:
                yield table
        except ImportError:
            raise Invalid(
                "Parquet is read where pyarrow is installed: pip install 'unrot[parquet]' there, "
                "or send CSV or JSON lines."
            ) from None
        except ValueError:
            after = f" after row {self._number:,}" if self._number else ""
            raise Invalid(f"{self._path.name} cannot be read as Parquet{after}.") from None


def _told(words: Iterable[str], cells: Sequence[Any]) -> dict[str, str]:
    """Return the cells of a row by what they say; nothing where one of them is no text."""
    try:
        return dict(zip(words, map(text_of, cells), strict=True))
    except ValueError:
        return {}
