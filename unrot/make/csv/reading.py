"""Read a CSV file as people have it, row by row in constant memory.

`open_table` finds out how the file is written; `records` and `rows` then go through it as often
as one likes. Training, batch prediction and the import of history all read by this one door.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted
from unrot.make.csv import text
from unrot.make.csv.cells import UNITS, Mark, is_gap, number, unit_in
from unrot.make.csv.decimal_marks import Unsure, find_marks

Progress = Callable[[float, str], None]

MOST_COLUMNS = 10_000
"""Of a file on one's own machine; what strangers send has to be narrower."""

SAMPLE_CHARACTERS = 1 << 18
SAMPLE_ROWS = 2_000
ROWS_BETWEEN_PROGRESS = 10_000
SHARE_WITH_UNIT = 0.95
"""So many cells of a column have to carry the same sign for it to be the column's unit."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A CSV file of which is known how it is written."""

    path: Path
    encoding: str
    delimiter: str
    header_line: int
    names: tuple[str, ...]
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """The decimal mark of each column."""
    units: Mapping[str, str] = field(default_factory=dict)
    """The sign that stands in the cells of a column, such as % or €, empty for none."""
    notes: tuple[str, ...] = ()
    doubled: frozenset[str] = frozenset()
    """Names that more than one column had."""
    unsure: Mapping[str, Unsure] = field(default_factory=dict)
    """The columns that do not tell their mark themselves."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as text by column; with a `problem` it could not be parted into its columns."""

    line: int
    cells: Mapping[str, str]
    problem: str = ""
    record: Sequence[str] = ()
    """The cells in the order of the file, also of a row that could not be parted."""


def open_table(
    path: Path, decimal: Mark | None = None, *, most_columns: int = MOST_COLUMNS
) -> TableFile:
    """Find out how a file is written; raise Invalid with a sentence if it is no table.

    `decimal` is the mark of the columns that do not tell it. Nothing below the header is read of
    a file that has too many columns.
    """
    encoding = text.encoding_of(path)
    start, sample = _start(path, encoding)
    bare = TableFile(path, encoding, _delimiter(sample), start, ())
    lines = records(bare)
    line, cells = next(lines, (0, []))
    if not cells:
        raise Invalid(f"{path.name} is empty: expected a line of column names, then rows.")
    if (width := text.told_width(cells)) > most_columns:
        raise Invalid(
            f"{path.name} has {counted(width, 'column')} and at most {most_columns:,} are read: "
            "send only those that the model knows."
        )
    _refuse_numbers(path, cells)
    first = list(islice(lines, SAMPLE_ROWS))
    header = [text.clean_name(cell) for cell in _without_empty_end(cells, first)]
    names, notes = _names(header)
    columns = _by_column(names, [found for _, found in first])
    marks, unsure = find_marks(columns, bare.delimiter)
    if decimal is not None:
        marks, unsure = {**marks, **dict.fromkeys(unsure, decimal)}, {}
    if encoding == text.OLD_ENCODING:
        notes.insert(0, "The file is not UTF-8: it was read as Windows-1252.")
    return TableFile(
        path,
        encoding,
        bare.delimiter,
        line,
        tuple(names),
        marks,
        {name: _unit(column) for name, column in columns.items()},
        tuple(notes),
        frozenset(name for name, count in Counter(header).items() if count > 1),
        unsure,
    )


def records(file: TableFile, progress: Progress | None = None) -> Iterator[tuple[int, list[str]]]:
    """Go through the lines that hold something, from the header on: number and cells."""
    try:
        with file.path.open("rb") as raw, _decoded(raw, file.encoding) as decoded:
            size, lines = max(file.path.stat().st_size, 1), text.Lines(decoded)
            for _ in islice(lines, file.header_line - 1):
                lines.taken = 0
            reader = csv.reader(lines, delimiter=file.delimiter, skipinitialspace=True)
            start = file.header_line
            count = -1  # The header is no row.
            for cells in reader:
                lines.taken = 0
                if any(cells):
                    yield start, cells
                    count += 1
                    if progress and count and count % ROWS_BETWEEN_PROGRESS == 0:
                        progress(min(raw.tell() / size, 1.0), f"{counted(count, 'row')} read")
                start = file.header_line + reader.line_num
            if progress:
                progress(1.0, f"{counted(max(count, 0), 'row')} read")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file.path.name} is not {error.encoding.upper()} to its end.") from error
    except csv.Error as error:
        raise Invalid(
            f"{file.path.name}, line {start}: {error}. A quote that is opened there may not be "
            "closed."
        ) from error
    except OSError as error:
        raise Invalid(f"{file.path} cannot be read: {error.strerror}.") from error


def rows(file: TableFile, progress: Progress | None = None) -> Iterator[RawRow]:
    """Go through the rows, each as the text of its cells by column name."""
    for line, cells in islice(records(file, progress), 1, None):
        fitted = fit(cells, len(file.names))
        if fitted is None:
            yield RawRow(line, {}, wrong_width(file, line, cells), cells)
        else:
            yield RawRow(line, dict(zip(file.names, fitted, strict=True)), "", fitted)


def fit(cells: list[str], width: int) -> list[str] | None:
    """Return the cells of a row without empty ones beyond the last column; None if ragged."""
    if len(cells) == width:
        return cells
    is_longer = len(cells) > width and not any(cell.strip() for cell in cells[width:])
    return cells[:width] if is_longer else None


def wrong_width(file: TableFile, line: int, cells: Sequence[str]) -> str:
    """Say of a row that it does not fit its header."""
    hint = ""
    if any("\n" in cell or "\r" in cell for cell in cells):
        hint = " A quote that is opened there may not be closed."
    found = counted(len(cells), "value")
    return f"{file.path.name}, line {line}: {found}, expected {len(file.names)}.{hint}"


def _decoded(raw: io.BufferedReader, encoding: str) -> io.TextIOWrapper:
    # Without translation of line ends: the csv module knows all three, inside quotes as well.
    return io.TextIOWrapper(raw, encoding, newline="")


def _start(path: Path, encoding: str) -> tuple[int, str]:
    """Return the first line that holds something and the text from there on.

    Excel writes the delimiter into a line of its own before the header.
    """
    try:
        with path.open("rb") as raw, _decoded(raw, encoding) as lines:
            head = lines.read(SAMPLE_CHARACTERS)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path.name} is not {error.encoding.upper()} text.") from error
    line = 1
    found = io.StringIO(head, newline="")
    for content in found:
        told = content.strip().lower()
        if told.strip(",;|\"' \t") and not told.startswith("sep="):
            return line, head[found.tell() - len(content) :]
        line += 1
    return line, ""


def _delimiter(sample: str) -> str:
    whole = sample if len(sample) < SAMPLE_CHARACTERS // 2 else sample[: sample.rfind("\n")]
    return text.delimiter_of(whole)


def _refuse_numbers(path: Path, header: Sequence[str]) -> None:
    told = [cell for cell in header if not is_gap(cell)]
    if told and all(number(cell) is not None or number(cell, ",") is not None for cell in told):
        raise Invalid(
            f"{path.name} has no header: its first line holds only numbers "
            f"({shown(', '.join(told), 40)}). Put a line of column names before it."
        )


def _without_empty_end(header: list[str], first: Sequence[tuple[int, list[str]]]) -> list[str]:
    """Drop columns without a name at the end under which nothing stands."""
    told = max((text.told_width(cells) for _, cells in first), default=0)
    return header[: max(1, text.told_width(header), min(told, len(header)))]


def _names(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a name of its own for each column, and what had to be made up."""
    names: dict[str, None] = {}
    notes: list[str] = []
    taken = set(header)
    free: dict[str, int] = {}
    for place, name in enumerate(header, start=1):
        if not name:
            name = _free(f"column {place}", taken, free)
            notes.append(f"Column {place} has no name: it is called {shown(name)}.")
        elif name in names:
            other = _free(name, taken, free)
            notes.append(f"Two columns are called {shown(name)}: the later is {shown(other)}.")
            name = other
        names[name] = None
        taken.add(name)
    return [*names], notes


def _free(name: str, taken: set[str], numbers: dict[str, int]) -> str:
    """Return a name that nobody has; `numbers` tells up to which number they are taken."""
    free = name
    while free in taken:
        numbers[name] = numbers.get(name, 1) + 1
        free = f"{name} ({numbers[name]})"
    return free


def _by_column(names: Sequence[str], first: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    return {
        name: [cells[place] for cells in first if place < len(cells)]
        for place, name in enumerate(names)
    }


def _unit(cells: Sequence[str]) -> str:
    """Return the sign that nearly all numbers of a column carry."""
    if not UNITS.search("\0".join(cells)):
        return ""
    told = [cell for cell in cells if not is_gap(cell)]
    [(unit, count)] = Counter(map(unit_in, told)).most_common(1) or [("", 0)]
    return unit if count >= SHARE_WITH_UNIT * len(told) else ""
