"""What is true of predictions as JSON lines: ours, and SageMaker's ground truth.

    {"key": "order-4711", "label": "Iris-virginica"}
    {"groundTruthData": {"data": "Iris-virginica", "encoding": "CSV"},
     "eventMetadata": {"eventId": "order-4711"}, "eventVersion": "0"}

The event is what was sent as the inference id, which is the client's own key of the prediction; the
id that we answered is taken as well.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from unrot.core.errors import Invalid
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.hear.key_store import MOST_BYTES
from unrot.make.csv.cells import is_gap
from unrot.make.csv.labels import NOT_GROUND_TRUTH, UNREADABLE, TruthRow, columns_of

LONGEST_LINE = 65_536
LINES_BETWEEN_PROGRESS = 1_000
EVENT = "eventMetadata"

Told = Mapping[str, str]
Reader = Callable[[Any], Told]
"""Reads the object of a line; ValueError, TypeError or KeyError where it says nothing."""


class TruthLines:
    """A file with an object in each line."""

    def __init__(self, path: Path, read: Reader, *, problem: str, expected: str) -> None:
        self._path, self._read, self._problem = path, read, problem
        with path.open("rb") as file:
            first = next((line for line in _lines(file) if line.strip()), b"")
        if self._row(1, first).problem:
            raise Invalid(f"The first line is no {expected}.")

    def rows(self, progress: Progress | None) -> Generator[TruthRow, None, None]:
        """Go through the lines that hold something."""
        size = max(self._path.stat().st_size, 1)
        with self._path.open("rb") as file:
            for number, line in enumerate(_lines(file), 1):
                if line.strip():
                    yield self._row(number, line)
                if progress is not None and number % LINES_BETWEEN_PROGRESS == 0:
                    progress(file.tell() / size, counted(number, "line"))

    def head(self) -> bytes:
        """Write nothing: lines have no header."""
        return b""

    def written(self, rows: Sequence[TruthRow], statuses: Sequence[str]) -> bytes:
        """Write a line for each, which says what it is about and what became of it."""
        return lines_about(rows, statuses)

    def _row(self, number: int, line: bytes) -> TruthRow:
        try:
            return TruthRow(number, self._read(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return TruthRow(number, {}, self._problem)


class GroundTruthLines(TruthLines):
    """SageMaker's ground truth."""

    def __init__(self, path: Path, is_ours: Callable[[str], bool]) -> None:
        self._is_ours = is_ours
        super().__init__(
            *(path, self._event_of),
            problem=NOT_GROUND_TRUTH,
            expected='ground truth: expected JSON lines such as {"groundTruthData": {"data": "…", '
            '"encoding": "CSV"}, "eventMetadata": {"eventId": "…"}}',
        )

    def written(self, rows: Sequence[TruthRow], statuses: Sequence[str]) -> bytes:
        """Write a line for each event."""
        return lines_about(rows, statuses, event="eventId")

    def _event_of(self, told: Any) -> Told:
        event, said = told[EVENT]["eventId"], told["groundTruthData"]
        text = _text_of(said["data"], said.get("encoding", "CSV"))
        if not isinstance(event, str) or not 0 < len(event) <= MOST_BYTES or is_gap(text):
            raise ValueError(event)
        return {"id" if self._is_ours(event) else "key": event, "label": text}


def open_lines(path: Path) -> TruthLines:
    """Open a file of ours."""
    expected = 'verdict: expected JSON lines such as {"key": "order-4711", "label": "…"}'
    return TruthLines(path, _object_of, problem=UNREADABLE, expected=expected)


def is_ground_truth(path: Path) -> bool:
    """Tell whether the first line is about an event."""
    with path.open("rb") as file:
        first = next((line for line in _lines(file) if line.strip()), b"")
    try:
        return EVENT in json.loads(first)
    except (ValueError, TypeError, RecursionError):
        return False


def lines_about(rows: Sequence[TruthRow], statuses: Sequence[str], event: str = "") -> bytes:
    """Write what rows are about and what became of them as JSON lines."""
    found: list[dict[str, str | None]] = []
    for row, status in zip(rows, statuses, strict=True):
        word = "id" if "id" in row.told or "key" not in row.told else "key"
        found.append({event or word: row.told.get(word), "status": status})
    return b"".join(json.dumps(one).encode() + b"\n" for one in found)


def text_of(value: Any) -> str:
    """Return a value as a cell of CSV would have it; ValueError for what is none.

    >>> text_of(None), text_of(True), text_of(1.5), text_of(" cat ")
    ('', 'true', '1.5', 'cat')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise ValueError(value)
    return str(value).strip()


def _object_of(told: Any) -> Told:
    if not isinstance(told, dict):
        raise ValueError(told)
    return {word: text_of(told[name]) for word, name in columns_of(told).items()}


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Read lines; of one that is too long nothing but that it is there."""
    while line := file.readline(LONGEST_LINE):
        is_whole = line.endswith(b"\n") or len(line) < LONGEST_LINE
        if not is_whole:
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
        yield line if is_whole else b"-"


def _text_of(data: Any, encoding: Any) -> str:
    """Return the one value of a line's data as text; ValueError where there is none.

    >>> _text_of("1.5", "CSV"), _text_of('"cat"', "JSON"), _text_of("Y2F0", "BASE64")
    ('1.5', 'cat', 'cat')
    """
    if encoding == "BASE64":
        data = b64decode(data, validate=True).decode()
    elif encoding == "JSON" and isinstance(data, str):
        data = json.loads(data)
    elif encoding not in ("CSV", "JSON"):
        raise ValueError(encoding)
    if not isinstance(data, str | int | float):
        raise ValueError(data)
    return str(data).strip()
