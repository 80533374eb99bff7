"""How a file is written: its encoding, and what stands between its cells.

Nobody should have to know either, so both are found out; what is no CSV at all is refused by
what it is.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from unrot.core.errors import Invalid

BLOCK = 1 << 20
DELIMITERS = ("\t", ";", "|", ",")
"""A comma also stands inside numbers and texts: it is asked last."""

OLD_ENCODING = "cp1252"
SURE_SHARE = 0.9
MOST_OF_A_ROW = 2**20
"""Characters."""
MOST_SAMPLE_RECORDS = 200

_MARKS_OF_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"%PDF", "a PDF"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
)
_QUOTED = re.compile(r'(?:^|(?<=[,;\t|])) *"(?:[^"]|"")*"', re.MULTILINE)


class Lines:
    """The lines of a text, given out until one row has more characters than any has.

    Who reads a row from them begins the next one at `taken` 0. A line is never read much farther
    than the most: ten million cells in one would be gigabytes before anybody could count them.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        read = self._text.readline
        while line := read(MOST_OF_A_ROW + 1):
            self.taken += len(line)
            if self.taken > MOST_OF_A_ROW:
                raise csv.Error(f"the row has more than {MOST_OF_A_ROW:,} characters")
            yield line


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file: UTF-8 if it can be, else by its mark or the old one."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
            _refuse_other_files(path, start)
            for mark, name in _MARKS_OF_ENCODINGS:
                if start.startswith(mark):
                    return name
            return _by_trial(path)
    except FileNotFoundError as error:
        raise Invalid(f"There is no file {path}.") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error


def delimiter_of(sample: str) -> str:
    """Return what parts the cells of most lines alike, quoted cells aside."""
    lines = [line for line in _QUOTED.sub("", sample).splitlines() if line.strip()]
    lines = lines[:MOST_SAMPLE_RECORDS]
    shares = {mark: _share(lines, mark) for mark in DELIMITERS if lines and mark in lines[0]}
    for mark, share in shares.items():
        if share >= SURE_SHARE:
            return mark
    return max(shares, key=lambda mark: shares[mark]) if shares else ","


def header_of(line: str) -> list[str]:
    """Read names that a person typed, parted by commas; quotes keep a comma inside one."""
    [cells] = csv.reader([line], skipinitialspace=True)
    return [name for name in (clean_name(cell) for cell in cells) if name]


def clean_name(cell: str) -> str:
    """Return a header on one line: a name has to fit into a form and a URL."""
    return " ".join("".join(char if char.isprintable() else " " for char in cell).split())


def told_width(cells: Sequence[str]) -> int:
    """Return where the last cell that holds something stands.

    >>> told_width(["a", "", "b", " ", ""])
    3
    """
    return next((place for place in range(len(cells), 0, -1) if cells[place - 1].strip()), 0)


def _share(lines: list[str], mark: str) -> float:
    expected = lines[0].count(mark)
    return sum(line.count(mark) == expected for line in lines) / len(lines)


def _refuse_other_files(path: Path, start: bytes) -> None:
    for magic, words in _NOT_TEXT:
        if start.startswith(magic):
            raise Invalid(f"{path.name} is {words}, not a CSV file: save the table as CSV.")


def _by_trial(path: Path) -> str:
    for name in ("utf-8-sig", OLD_ENCODING):
        if _decodes(path, name):
            return name
    raise Invalid(
        f"{path.name} is neither UTF-8 nor Windows-1252 text: save the table as CSV in UTF-8."
    )


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK):
                if b"\0" in block:
                    raise Invalid(
                        f"{path.name} holds zero bytes, so it is not text: "
                        "save the table as CSV in UTF-8."
                    )
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
