"""Write CSV that `reading` reads back: the delimiter of the file that it answers, UTF-8, CRLF."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence


def csv_lines(rows: Iterable[Sequence[str | float | None]], delimiter: str) -> bytes:
    """Write rows, each cell quoted where it has to be; None is an empty one."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def harmless(text: str) -> str:
    """Return a text of ours that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless("-"), harmless("Iris-setosa")
    ("'=1+1", "'-", 'Iris-setosa')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def fitted(record: Sequence[str], width: int) -> list[str]:
    """Return the cells of a row, as many as the header has."""
    return [*record[:width], *[""] * (width - len(record))]


def free_name(wanted: str, otherwise: str, taken: Collection[str]) -> str:
    """Return a name for another column, whatever letters the taken ones are written in.

    >>> free_name("id", "prediction_id", {"ID", "x"}), free_name("id", "id", {"id"})
    ('prediction_id', 'id (2)')
    """
    folded = {name.casefold() for name in taken}
    bare = free = otherwise if wanted.casefold() in folded else wanted
    number = 2
    while free.casefold() in folded:
        free, number = f"{bare} ({number})", number + 1
    return free
