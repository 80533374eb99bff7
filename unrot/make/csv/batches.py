"""Predict a whole file: its columns as they stand, then what the model says of each row.

A batch is scored a thousand rows at once, so that a file of any length takes the same memory.
Each row becomes a prediction like any other, with an id and a line in the journal; the batch waits
for the journal to be shipped rather than give out a prediction without an id.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from unrot.core.errors import Invalid, JournalFull
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.core.records import THIS_MACHINE, Caller, Prediction, Row, Schema
from unrot.hear.key_store import read_key
from unrot.make.csv.options import check_known
from unrot.make.csv.reading import TableFile, open_table
from unrot.make.csv.rows import CheckedRow, checked_chunks, most_columns_for
from unrot.make.csv.writing import csv_lines, fitted, free_name, harmless
from unrot.serve.rejected import rejection_of
from unrot.serve.service import Service

COLUMNS = {
    "id": "prediction_id",
    "prediction": "predicted",
    "probability": "predicted_probability",
    "version": "model_version",
    "problem": "prediction_problem",
}
"""What is added to each row, and what it is called where the file has such a column already."""

FULL_SHARE, ROOMY_SHARE = 0.5, 0.25
"""How full the journal may get by a batch, and when it goes on: the rest is for other requests."""

POLL_SECONDS = 0.1
FIRST_PROBLEMS = 3


class Batch:
    """One file on its way through one version of a model."""

    def __init__(
        self,
        service: Service,
        model: str,
        path: Path,
        *,
        version: str | None = None,
        with_probabilities: bool = False,
        caller: Caller = THIS_MACHINE,
    ) -> None:
        shelved = service.catalogue().model(model)
        self.model = shelved.model
        self.version = shelved.version(version)
        self.file = open_table(path, most_columns=most_columns_for([self.model.schema]))
        check_known(self.model.schema.names, self.file.names, option="The column", file=path.name)
        self.predicted = self.bad = 0
        self.line = self.file.header_line
        self.first_problems: list[str] = []
        self._service, self._caller = service, caller
        self._classes = self.model.schema.classes if with_probabilities else ()
        self._names = _free_names(self.file.names, self.model.schema.is_classifier, self._classes)
        self._mark = _usual_mark(self.file)
        self._key = _key_column(self.file, self.model.schema)
        self._done = 0.0

    @property
    def notes(self) -> list[str]:
        """What a person should know before reading the answer."""
        renamed = [
            f'The file has a column "{wanted}" already: here it is called "{name}".'
            for wanted, name in self._names.items()
            if name != wanted
        ]
        return [*self.file.notes, *renamed]

    def parts(
        self,
        progress: Progress | None = None,
        patience_seconds: float | None = None,
        seconds: float | None = None,
    ) -> Iterator[bytes]:
        """Write the answer as CSV, some rows at a time; every row of the file is in it once.

        What is not done after so many seconds is left, and the last row says so.
        """
        delimiter, began = self.file.delimiter, time.monotonic()
        yield csv_lines([[*self.file.names, *self._names.values()]], delimiter)
        told = self._told(progress)
        for number, chunk in enumerate(checked_chunks(self.file, self.model.schema, told)):
            if number and seconds is not None and time.monotonic() - began > seconds:
                yield self.last_part(
                    f"it took longer than {seconds:g} s. Send the rows below that line in a "
                    "file of their own, with the header."
                )
                return
            self._wait_for_room(progress, patience_seconds)
            self._count_refused(chunk)
            yield csv_lines(self._answered(self._with_keys(chunk)), delimiter)
            self.line = chunk[-1].line

    def last_part(self, problem: str) -> bytes:
        """Write a last row that says why the answer ends before the file does."""
        said = f"The answer ends after line {self.line} of the file: {problem}"
        empty = [""] * (len(self.file.names) + len(self._names) - 1)
        return csv_lines([[*empty, said]], self.file.delimiter)

    def _answered(self, chunk: Sequence[CheckedRow]) -> list[list[str]]:
        width = len(self.file.names)
        keyed = [(one.row, self._key_of(one)) for one in chunk if one.row is not None]
        scored = iter(self._scored(keyed))
        answers = [one.problem if one.row is None else next(scored) for one in chunk]
        return [
            [*fitted(one.record, width), *self._cells(one.line, answer)]
            for one, answer in zip(chunk, answers, strict=True)
        ]

    def _count_refused(self, chunk: Sequence[CheckedRow]) -> None:
        """Count the rows of a file that are none, as those of a request are counted."""
        now, model, version = self._service.clock(), self.model, self.version.name
        self._service.refusals.add(
            rejection_of(model, version, one.details, now) for one in chunk if one.row is None
        )

    def _with_keys(self, chunk: Sequence[CheckedRow]) -> list[CheckedRow]:
        """Refuse rows whose key is none."""
        found = []
        for one in chunk:
            try:
                self._key_of(one)
            except Invalid as error:
                one = replace(one, row=None, problem=one.problem or error.message)
            found.append(one)
        return found

    def _key_of(self, one: CheckedRow) -> str | None:
        """Return what the file calls a row; None where it has no name."""
        text = one.cells[self._key].strip() if self._key and one.cells else ""
        return read_key(text) if text else None

    def _scored(self, rows: Sequence[tuple[Row, str | None]]) -> list[Prediction | str]:
        """Score rows; halve those that the model refuses until each such row stands alone."""
        if not rows:
            return []
        try:
            scored = self._service.score(
                *(self.model.name, [row for row, _ in rows]),
                version=self.version.name,
                caller=self._caller,
                keys=[key for _, key in rows] if self._key else (),
            )
            return list(scored.predictions)
        except Invalid as error:
            if len(rows) == 1:
                return [error.message]
        half = len(rows) // 2
        return [*self._scored(rows[:half]), *self._scored(rows[half:])]

    def _cells(self, line: int, answer: Prediction | str) -> list[str]:
        if isinstance(answer, str):
            return self._refused(line, answer)
        self.predicted += 1
        shares = answer.probabilities
        if self.model.schema.is_classifier:
            said = [harmless(answer.label or ""), self._number(max(shares)) if shares else ""]
        else:
            said = [self._number(answer.value or 0.0)]
        if self._classes:
            said += map(self._number, shares) if shares else [""] * len(self._classes)
        return [answer.id or "", *said, answer.version, ""]

    def _refused(self, line: int, problem: str) -> list[str]:
        self.bad += 1
        if self.bad <= FIRST_PROBLEMS:
            where = f"line {line}: "
            self.first_problems.append(problem if where in problem else where + problem)
        return [""] * (len(self._names) - 1) + [harmless(problem)]

    def _number(self, number: float) -> str:
        return repr(number) if self._mark == "." else repr(number).replace(".", ",")

    def _wait_for_room(self, progress: Progress | None, patience_seconds: float | None) -> None:
        """Return when the caretaker has shipped enough of the journal."""
        journal = self._service.journal
        if journal.has_room(FULL_SHARE):
            return
        journal.release()
        began = time.monotonic()
        while not journal.has_room(ROOMY_SHARE):
            if progress:
                progress(self._done, "waiting until the background worker has shipped the journal")
            if patience_seconds is not None and time.monotonic() - began > patience_seconds:
                raise JournalFull(
                    "The journal is half full and is not being shipped: see how the store and the "
                    "caretaker are, then send the rest."
                )
            time.sleep(POLL_SECONDS)

    def _told(self, progress: Progress | None) -> Progress:
        def tell(done: float, _step: str) -> None:
            self._done = done
            if progress:
                bad = f", {self.bad:,} bad" if self.bad else ""
                progress(done, f"{counted(self.predicted, 'row')} predicted{bad}")

        return tell


def _free_names(
    taken: Sequence[str], is_classifier: bool, classes: Sequence[str]
) -> dict[str, str]:
    """Return the columns to be added, each under a name that the file does not have."""
    wanted = [name for name in COLUMNS if is_classifier or name != "probability"]
    wanted[-2:-2] = [f"probability of {name}" for name in classes]
    names: dict[str, str] = {}
    for name in wanted:
        names[name] = free_name(name, COLUMNS.get(name, name), {*taken, *names.values()})
    return names


def _key_column(file: TableFile, known: Schema) -> str | None:
    """Return the column of the client's own keys, if there is one that is no feature."""
    named = (name for name in file.names if name.casefold() == "key")
    return next((name for name in named if name not in known.names), None)


def _usual_mark(file: TableFile) -> str:
    """Return the decimal mark that most columns have; a comma only where it parts no cells."""
    [(mark, _)] = Counter(file.marks.values()).most_common(1)
    return "." if file.delimiter == "," else mark
