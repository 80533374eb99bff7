"""The rows of a file, each checked against a model's schema: for batches and for history.

A cell is read as it was read for training, and `schema.parse_row` alone says whether the row is
one; a row that is not one carries the sentence that says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unrot import schema
from unrot.errors import Invalid
from unrot.records import Row, Schema
from unrot.tables.cells import value_of
from unrot.tables.options import check_known
from unrot.tables.reading import Progress, RawRow, TableFile, rows


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """One row of a file: its cells as they stand there, and what a model reads in them."""

    line: int
    cells: Mapping[str, str]
    row: Row | None
    problem: str = ""


def checked_rows(
    file: TableFile, of: Schema, progress: Progress | None = None
) -> Iterator[CheckedRow]:
    """Go through a file's rows; raise Invalid when a column that the model needs is not there."""
    check_known(of.names, file.names, option="The column", file=file.path.name)
    for raw in rows(file, progress):
        yield _checked(raw, file, of)


def _checked(raw: RawRow, file: TableFile, of: Schema) -> CheckedRow:
    if raw.problem:
        return CheckedRow(raw.line, raw.cells, None, raw.problem)
    given = {
        feature.name: value_of(feature, raw.cells[feature.name], file.marks[feature.name])
        for feature in of.features
    }
    try:
        return CheckedRow(raw.line, raw.cells, schema.parse_row(of, given))
    except Invalid as error:
        return CheckedRow(raw.line, raw.cells, None, _all_of(error))


def _all_of(error: Invalid) -> str:
    return " ".join(detail.sentence for detail in error.details)
