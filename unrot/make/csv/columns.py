"""The columns of a file in little memory: numbers as floats, words as codes.

A cell is kept as text only once per column. A column of many different numbers goes over to
floats as it is read; one of many different texts can't teach and is not kept at all. So a million
rows by twenty columns fit into some 200 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from unrot.core.errors import Invalid, shown
from unrot.core.plurals import counted
from unrot.make.csv.cells import Mark, is_gap, number
from unrot.make.csv.reading import Progress, TableFile, fit, records, wrong_width

MOST_TEXTS = 5_000
"""How many different texts of a column are remembered."""

KEPT_SAMPLE = 200
CELLS_AT_ONCE = 200_000
MOST_COLUMNS = 500
MOST_RAGGED = 0.1
NUMERIC_SHARE = 0.95
"""A column of many numbers may hold this share of words: they count as gaps."""

FORCED_SHARE = 0.5
"""The same of a column that somebody says holds numbers."""

ALL_TEXT = 1.0
FEWEST_NUMBERS = 20
MOST_STRAYS = 5

Codes = NDArray[np.int32]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: either `codes` into `texts`, or `numbers`; neither when it varies too much."""

    name: str
    mark: Mark
    texts: tuple[str, ...]
    rows: int
    codes: Codes | None = None
    numbers: Numbers | None = None
    strays: tuple[str, ...] = ()
    """Words among numbers, read as gaps."""
    unit: str = ""
    """The sign that stands beside the numbers in the cells."""

    def number(self, text: str) -> float | None:
        """Read a text of this column as a number, if it is one."""
        return number(text, self.mark, self.unit)

    def part(self, chosen: NDArray[np.bool_]) -> Column:
        """Return the chosen rows of this column."""
        return Column(
            self.name,
            self.mark,
            self.texts,
            int(chosen.sum()),
            None if self.codes is None else self.codes[chosen],
            None if self.numbers is None else self.numbers[chosen],
            self.strays,
            self.unit,
        )


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file by name, with what had to be left out on the way."""

    by_name: dict[str, Column]
    rows: int
    notes: tuple[str, ...]


def read_columns(
    file: TableFile,
    *,
    without: Iterable[str] = (),
    as_text: Iterable[str] = (),
    as_numbers: Iterable[str] = (),
    progress: Progress | None = None,
) -> Columns:
    """Read all columns but some; rows that do not fit the header are left out and counted.

    Of the columns in `as_text` words are not weighed against numbers; of those in `as_numbers`
    words may be half.
    """
    left = set(without)
    places = [place for place, name in enumerate(file.names) if name not in left]
    if len(places) > MOST_COLUMNS:
        raise Invalid(
            f"{file.path.name} has {len(places):,} columns and at most {MOST_COLUMNS} are read: "
            "leave some out with --drop."
        )
    shares = dict.fromkeys(as_text, ALL_TEXT) | dict.fromkeys(as_numbers, FORCED_SHARE)
    gatherers = [
        _Gatherer(name, file.marks[name], file.units[name], shares.get(name, NUMERIC_SHARE))
        for name in [file.names[place] for place in places]
    ]
    ragged = _Ragged(file)
    count = 0
    fitted = ragged.fitting(islice(records(file, progress), 1, None))
    for chunk in _chunks(fitted, max(100, CELLS_AT_ONCE // len(file.names))):
        count += len(chunk)
        cells = list(zip(*chunk, strict=True))
        for gatherer, place in zip(gatherers, places, strict=True):
            gatherer.take(cells[place])
    ragged.check(count)
    columns = {gatherer.name: gatherer.column() for gatherer in gatherers}
    return Columns(columns, count, tuple(ragged.notes))


class _Ragged:
    """Leaves out the rows that do not fit, as long as they are few."""

    def __init__(self, file: TableFile) -> None:
        self._file = file
        self._count = 0
        self._first = ""

    def fitting(self, found: Iterable[tuple[int, list[str]]]) -> Iterable[list[str]]:
        width = len(self._file.names)
        for line, cells in found:
            if len(cells) == width:
                yield cells
            elif (fitted := fit(cells, width)) is not None:
                yield fitted
            else:
                self._count += 1
                self._first = self._first or wrong_width(self._file, line, cells)

    def check(self, rows: int) -> None:
        name = self._file.path.name
        if self._count > MOST_RAGGED * (rows + self._count):
            raise Invalid(
                f"{self._first} So it is in {self._count:,} of "
                f"{counted(rows + self._count, 'row')}."
            )
        if not rows:
            raise Invalid(f"{name} holds a header and no rows.")

    @property
    def notes(self) -> list[str]:
        if not self._count:
            return []
        rows = counted(self._count, "row that does", "rows that do")
        return [f"Left out: {rows} not fit the header. {self._first}"]


def _chunks(found: Iterable[list[str]], size: int) -> Iterable[list[list[str]]]:
    iterator = iter(found)
    while chunk := list(islice(iterator, size)):
        yield chunk


class _Places(dict[str, int]):
    """The code of each text, given out as texts turn up; blanks around a text do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.clean: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        self[text] = place = self.clean.setdefault(text.strip(), len(self.clean))
        return place


class _Gatherer:
    """Takes the cells of one column chunk by chunk."""

    def __init__(self, name: str, mark: Mark, unit: str, share: float) -> None:
        self.name = name
        self._mark = mark
        self._unit = unit
        self._share = share
        self._rows = 0
        self._places = _Places()
        self._codes: list[Codes] = []
        self._numbers: list[Numbers] = []
        self._strays: dict[str, None] = {}
        self._add: Callable[[Sequence[str]], None] = self._add_codes

    def take(self, cells: Sequence[str]) -> None:
        """Add the cells of the next rows."""
        self._rows += len(cells)
        self._add(cells)

    def column(self) -> Column:
        texts = tuple(self._places.clean)
        if self._add == self._add_codes:
            return self._coded(texts, _joined(self._codes))
        strays = tuple(self._strays)[:MOST_STRAYS]
        numbers = _joined(self._numbers) if self._add == self._add_numbers else None
        kept = texts[:KEPT_SAMPLE]
        return Column(self.name, self._mark, kept, self._rows, None, numbers, strays, self._unit)

    def _coded(self, texts: tuple[str, ...], codes: Codes) -> Column:
        """Let gaps be -1, and words among many numbers be gaps."""
        # Where "+" stands, "-" is its opposite.
        gaps = [is_gap(text) and not (text == "-" and "+" in texts) for text in texts]
        counts = np.bincount(codes, minlength=len(texts))
        strays = self._words(texts, gaps, counts)
        kept = [not gap and text not in strays for text, gap in zip(texts, gaps, strict=True)]
        new = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
        left = tuple(text for text, keep in zip(texts, kept, strict=True) if keep)
        return Column(
            self.name,
            self._mark,
            left,
            len(codes),
            new[codes],
            None,
            strays[:MOST_STRAYS],
            self._unit,
        )

    def _words(
        self, texts: Sequence[str], gaps: Sequence[bool], counts: NDArray[np.intp]
    ) -> tuple[str, ...]:
        """Return the words of a column, if they are few enough among numbers to be gaps."""
        told = [text for text, gap in zip(texts, gaps, strict=True) if not gap]
        words = tuple(text for text in told if self._read(text) is None)
        fewest = 1 if self._share == FORCED_SHARE else FEWEST_NUMBERS
        if not words or len(told) - len(words) < fewest:
            return ()
        found = dict(zip(texts, counts.tolist(), strict=True))
        rows = sum(found[text] for text in told)
        return words if sum(found[word] for word in words) <= (1 - self._share) * rows else ()

    def _read(self, text: str) -> float | None:
        return number(text, self._mark, self._unit)

    def _add_codes(self, cells: Sequence[str]) -> None:
        codes = map(self._places.__getitem__, cells)
        self._codes.append(np.fromiter(codes, dtype=np.int32, count=len(cells)))
        if len(self._places.clean) > MOST_TEXTS:
            self._leave_codes()

    def _leave_codes(self) -> None:
        texts = tuple(self._places.clean)
        numbers = [self._read(text) for text in texts]
        told = [read for text, read in zip(texts, numbers, strict=True) if not is_gap(text)]
        if sum(read is not None for read in told) < self._share * len(told):
            self._add = self._forget
        else:
            self._add = self._add_numbers
            lookup = np.array([self._number(text) for text in texts])
            self._numbers = [lookup[codes] for codes in self._codes]
        self._codes = []
        self._places.clear()
        self._places.clean = dict.fromkeys(texts[:KEPT_SAMPLE], 0)

    def _add_numbers(self, cells: Sequence[str]) -> None:
        read = _plain_numbers(cells, self._mark)
        if read is None:
            read = np.fromiter(map(self._number, cells), dtype=np.float64, count=len(cells))
        self._numbers.append(read)

    def _number(self, text: str) -> float:
        read = self._read(text)
        if read is None:
            if not is_gap(text) and len(self._strays) < MOST_STRAYS:
                self._strays[text.strip()] = None
            return np.nan
        return read

    def _forget(self, cells: Sequence[str]) -> None:
        """Keep nothing: a column of so many texts can't teach."""


def _plain_numbers(cells: Sequence[str], mark: Mark) -> Numbers | None:
    """Read cells that are plain numbers or empty, as in most chunks, at the speed of C."""
    if mark == ",":
        joined = "\0".join(cells)
        if "." in joined:
            return None
        cells = joined.replace(",", ".").split("\0")
    empty = cells.count("")
    filled = [cell or "nan" for cell in cells] if empty else cells
    try:
        read = np.fromiter(map(float, filled), dtype=np.float64, count=len(cells))
    except ValueError:
        return None
    # Python also reads 1_000, inf and nan as numbers: those are looked at one by one.
    is_plain = np.count_nonzero(np.isfinite(read)) == len(cells) - empty
    return read if is_plain and "_" not in "".join(cells) else None


def _joined(parts: list[NDArray]) -> NDArray:  # type: ignore[type-arg]
    joined = np.concatenate(parts) if parts else np.array([])
    parts.clear()
    return joined


def strays_note(column: Column) -> str:
    """Say which words of a column of numbers are read as gaps."""
    words = ", ".join(shown(word, 40) for word in column.strays)
    return f"{column.name}: {words} among numbers was read as a gap."
