"""The rows of a file, each checked against a model's schema: for batches and for history.

A cell is read as it was read for training, and `schema.parse_row` alone says whether the row is
one; a row that is not one carries the sentence that says why. Cells are read column by column, a
thousand rows at once, which takes a fifth of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from unrot.core import schema
from unrot.core.errors import Detail, Invalid
from unrot.core.records import Row, Schema
from unrot.make.csv.cells import value_of, values_of
from unrot.make.csv.decimal_marks import within_training
from unrot.make.csv.options import check_known
from unrot.make.csv.reading import SAMPLE_ROWS, Progress, RawRow, TableFile, rows

ROWS_AT_ONCE, CHARACTERS_AT_ONCE = 1_000, 2**20
MOST_BESIDE = 500
"""So many columns a file may have beside those that its model knows."""

LINED = ("number", "integer")


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row of a file: its cells as they stand there, and what a model reads in them."""

    line: int
    cells: Mapping[str, str]
    row: Row | None
    problem: str = ""
    record: Sequence[str] = ()
    """The cells in the order of the file, also of a row that could not be parted."""
    details: Sequence[Detail] = ()
    """What is wrong with it, cell by cell."""


def most_columns_for(schemas: Iterable[Schema]) -> int:
    """Return how many columns are read of a file that somebody sends for these models."""
    return MOST_BESIDE + max((len(known.features) for known in schemas), default=0)


def checked_rows(
    file: TableFile, of: Schema, progress: Progress | None = None
) -> Iterator[CheckedRow]:
    """Go through a file's rows; raise Invalid when a column that the model needs is not there."""
    for chunk in checked_chunks(file, of, progress):
        yield from chunk


def checked_chunks(
    file: TableFile, of: Schema, progress: Progress | None = None
) -> Iterator[list[CheckedRow]]:
    """Go through a file's rows a thousand at once, or fewer where their cells are long."""
    check_known(of.names, file.names, option="The column", file=file.path.name)
    file = _sure(file, of)
    for chunk in _parted(rows(file, progress)):
        yield _checked(chunk, file, of)


def _parted(found: Iterable[RawRow]) -> Iterator[list[RawRow]]:
    chunk: list[RawRow] = []
    characters = 0
    for raw in found:
        chunk.append(raw)
        characters += sum(map(len, raw.record))
        if len(chunk) >= ROWS_AT_ONCE or characters >= CHARACTERS_AT_ONCE:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _sure(file: TableFile, of: Schema) -> TableFile:
    """Read numbers that may be either as the ones that lie where the model was trained."""
    known = [one for one in of.features if one.name in file.unsure and one.kind in LINED]
    if not known:
        return file
    first = [raw.cells for raw in islice(rows(file), SAMPLE_ROWS) if not raw.problem]
    marks = {
        one.name: within_training(one, file.unsure[one.name], [row[one.name] for row in first])
        for one in known
    }
    return replace(file, marks={**file.marks, **marks})


def _checked(chunk: Sequence[RawRow], file: TableFile, of: Schema) -> list[CheckedRow]:
    records = [raw.record for raw in chunk if not raw.problem]
    parsed = iter(_parsed(records, file, of) if records else ())
    return [
        CheckedRow(raw.line, raw.cells, None, raw.problem, raw.record)
        if raw.problem
        else _told(raw, next(parsed), file, of)
        for raw in chunk
    ]


def _parsed(records: Sequence[Sequence[str]], file: TableFile, of: Schema) -> list[Row | None]:
    columns = dict(zip(file.names, zip(*records, strict=True), strict=True))
    values = [
        values_of(feature, columns[feature.name], file.marks[feature.name])
        for feature in of.features
    ]
    return schema.parse_columns(of, values)


def _told(raw: RawRow, row: Row | None, file: TableFile, of: Schema) -> CheckedRow:
    details = () if row is not None else _wrong(raw, file, of)
    problem = " ".join(detail.sentence for detail in details)
    return CheckedRow(raw.line, raw.cells, row, problem, raw.record, details)


def _wrong(raw: RawRow, file: TableFile, of: Schema) -> tuple[Detail, ...]:
    given = {
        feature.name: value_of(feature, raw.cells[feature.name], file.marks[feature.name])
        for feature in of.features
    }
    try:
        schema.parse_row(of, given)
    except Invalid as error:
        return error.details
    return ()
