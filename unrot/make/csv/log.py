"""The rows of a log: what a model was asked, when, what was answered, and what was true.

The inputs are read as everywhere (`rows.py`); a time, an answer or a label that cannot be read
says so in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from unrot.core.errors import Detail, Invalid, shown, wrong_field
from unrot.core.records import Row, Schema
from unrot.core.schema import NUMBER_LIMIT
from unrot.make.csv.cells import Mark, is_gap, number
from unrot.make.csv.options import check_known
from unrot.make.csv.reading import Progress, TableFile
from unrot.make.csv.rows import CheckedRow, checked_rows
from unrot.make.csv.times import EXPECTED, Moment, moment

MOST_LISTED = 12
Answer = str | float
"""A class as the model names it, or a number."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class LogColumns:
    """Which columns of a log mean what; the features go by their own names."""

    time: str | None = None
    label: str | None = None
    prediction: str | None = None

    @property
    def options(self) -> dict[str, str]:
        """Return the columns that were named, by the option that names them."""
        named = {"--time": self.time, "--label": self.label, "--prediction": self.prediction}
        return {option: name for option, name in named.items() if name is not None}


@dataclass(frozen=True, slots=True)
class LoggedRow:
    """One row of a log; with a `problem` it is refused, with a `label_problem` its label is."""

    line: int
    cells: Mapping[str, str]
    row: Row | None
    moment: Moment | None = None
    answer: Answer | None = None
    label: Answer | None = None
    problem: str = ""
    label_problem: str = ""
    is_no_row: bool = False
    """True when it is its features that are wrong."""
    details: Sequence[Detail] = ()
    """What is wrong with them, cell by cell."""


def check_columns(file: TableFile, columns: LogColumns, of: Schema) -> None:
    """Raise Invalid for columns that are not there, or cannot mean what is said of them."""
    for option, name in columns.options.items():
        check_known([name], file.names, option=option, file=file.path.name)
        if name in file.doubled:
            raise Invalid(
                f"{option} {shown(name)}: {file.path.name} has more than one column of that name. "
                "Give each its own."
            )
        if option != "--time" and name in of.names:
            raise Invalid(
                f"{option} {shown(name)}: the model reads this column to predict. Name the column "
                f"with the {'true answer' if option == '--label' else 'logged answer'}."
            )
    for (one, name), (other, same) in combinations(columns.options.items(), 2):
        if name == same:
            raise Invalid(
                f"{one} and {other} are both {shown(name)}: one column cannot be both. Leave one "
                "of them away."
            )


def logged_rows(
    file: TableFile, of: Schema, columns: LogColumns, now: float, progress: Progress | None = None
) -> Iterator[LoggedRow]:
    """Go through a log; a row of it that is later than `now` is refused."""
    reader = _Reader(file, of, columns, now)
    for checked in checked_rows(file, of, progress):
        yield reader.read(checked)


class _Reader:
    """Reads the columns of a log that are no features."""

    def __init__(self, file: TableFile, of: Schema, columns: LogColumns, now: float) -> None:
        self._file = file
        self._columns = columns
        self._now = now
        self._answers = _Answers(of)

    def read(self, checked: CheckedRow) -> LoggedRow:
        if checked.row is None:
            return self._no_row(checked)
        try:
            found = self._moment(checked.cells)
            answer = self._answer(checked.cells, self._columns.prediction)
        except Invalid as error:
            return LoggedRow(checked.line, checked.cells, None, problem=error.message)
        label, label_problem = self._label(checked.cells)
        return LoggedRow(
            checked.line,
            checked.cells,
            checked.row,
            moment=found,
            answer=answer,
            label=label,
            label_problem=label_problem,
        )

    def _no_row(self, checked: CheckedRow) -> LoggedRow:
        """Return a row that is refused, with its time where that can be read."""
        at = None
        with suppress(Invalid):
            at = self._moment(checked.cells) if checked.cells else None
        return LoggedRow(
            checked.line,
            checked.cells,
            None,
            moment=at,
            problem=checked.problem,
            is_no_row=True,
            details=checked.details,
        )

    def _moment(self, cells: Mapping[str, str]) -> Moment | None:
        if self._columns.time is None:
            return None
        text = cells[self._columns.time]
        found = moment(text)
        if found is None:
            raise wrong_field(self._columns.time, text, EXPECTED)
        if found.at < 0:
            raise wrong_field(self._columns.time, text, "a time from 1970 on")
        if found.at > self._now:
            raise wrong_field(self._columns.time, text, "a time that is past")
        return found

    def _answer(self, cells: Mapping[str, str], column: str | None) -> Answer | None:
        if column is None:
            return None
        read = self._answers.read(cells[column], self._file.marks[column])
        if read is None:
            raise wrong_field(column, cells[column], self._answers.expected)
        return read

    def _label(self, cells: Mapping[str, str]) -> tuple[Answer | None, str]:
        """Return the label, none where nobody knows it yet, or what is wrong with it."""
        column = self._columns.label
        if column is None or (is_gap(cells[column]) and not self._answers.knows(cells[column])):
            return None, ""
        try:
            return self._answer(cells, column), ""
        except Invalid as error:
            return None, error.message


class _Answers:
    """Reads what a model may answer; 1.0 is the class 1, and Yes the class yes."""

    def __init__(self, of: Schema) -> None:
        self._is_classifier = of.is_classifier
        self._classes = {name: name for name in of.classes}
        self._folded = _unlike({name: name.casefold() for name in of.classes})
        self._numbers = _unlike({name: number(name) for name in of.classes})
        listed = ", ".join(of.classes[:MOST_LISTED])
        more = f", … ({len(of.classes)} in all)" if len(of.classes) > MOST_LISTED else ""
        self.expected = f"one of {listed}{more}" if of.is_classifier else "a finite number"

    def knows(self, text: str) -> bool:
        """Tell whether a class is called so, though the word may also stand for a gap."""
        return text.strip() in self._classes

    def read(self, text: str, mark: Mark) -> Answer | None:
        """Return the class or the number; None when it is neither."""
        text = text.strip()
        if not self._is_classifier:
            value = number(text, mark)
            return value if value is not None and abs(value) < NUMBER_LIMIT else None
        found = self._classes.get(text) or self._folded.get(text.casefold())
        if found is None and (value := number(text, mark)) is not None:
            found = self._numbers.get(value)
        return found


def _unlike(names: Mapping[str, K | None]) -> dict[K, str]:
    """Return key → name for the keys that only one name has."""
    keys = list(names.values())
    return {key: name for name, key in names.items() if key is not None and keys.count(key) == 1}
