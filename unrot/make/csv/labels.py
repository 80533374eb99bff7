"""Judge predictions by a file of true labels, which comes when the truth is known.

A file has a column `id`, or `key` with the client's own keys, and a column `label` (or
`was_correct`, `reward`, `signal`); whatever else it holds is left alone, so that people can write
the labels into the very file that they were given by `predict`. Its rows are CSV here, JSON lines
in `truth_lines`, Parquet in `truth_parquet`; what is done with them is the same.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from unrot.core.acting import Doing, act_of, going_on
from unrot.core.errors import Invalid, NotSigned, shown
from unrot.core.ports import Progress
from unrot.core.records import Caller, Schema
from unrot.hear.verdicts import ASKED, MOST_VERDICTS
from unrot.make.csv.cells import Mark, is_gap, number, truth
from unrot.make.csv.reading import RawRow, TableFile, open_table, rows
from unrot.make.csv.writing import csv_lines, fitted, free_name
from unrot.serve.service import Service
from unrot.serve.shelf import ShelvedModel

LINES_NAMED = 5
NO_LABEL = "no_label"
UNREADABLE = "unreadable"
UNKNOWN_MODEL = "unknown_model"
NOT_GROUND_TRUTH = "not_ground_truth"
TELLING = ("label", "was_correct", "reward", "signal")
SAID = (*TELLING, "comment", ASKED)
WORDS = {
    "created": "kept",
    "revised": "kept in the place of an earlier one",
    "duplicate": "known already",
    "queued": "queued: the store is away, they are on the disk",
    "overruled": "kept apart: a judge has judged these",
    NO_LABEL: "skipped: no label yet",
    "no_id": "refused: neither id nor key in the row",
    UNREADABLE: "refused: the row cannot be read, or does not fit the header",
    UNKNOWN_MODEL: "refused: no model of that name",
    NOT_GROUND_TRUTH: "refused: no ground truth of one event in the line",
    "unknown_id": "refused: no id of this app",
    "expired": "refused: too old to be judged",
    "unknown_label": "refused: no class or number that the model knows",
    "contradiction": "refused: was_correct and label contradict each other",
    "not_found": "refused: no prediction has the key, or its model is no longer served",
    "invalid": "refused: was_correct is not yes or no, a reward not from 0 to 1, a signal beside "
    "another verdict, or a key, signal or comment too long",
}
"""What became of a row, in words for people; what is not here is shown as it is."""

TAKEN = ("created", "revised", "duplicate", "queued", "overruled", NO_LABEL)
_ID = re.compile(r"prediction_id( \((?P<number>\d+)\))?")


@dataclass(slots=True)
class Judged:
    """What became of the rows of a file so far."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    line: int = 0

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return sum(self.counts.values())

    @property
    def refused(self) -> int:
        """How many say something that cannot be kept."""
        return sum(count for status, count in self.counts.items() if status not in TAKEN)

    def add(self, line: int, status: str) -> None:
        """Count a row."""
        self.counts[status] += 1
        self.line = line
        if status not in TAKEN and len(self.lines[status]) < LINES_NAMED:
            self.lines[status].append(line)

    def told(self) -> list[tuple[str, str, str]]:
        """Say what became of how many rows, and where the first refused ones stand."""
        known = [*WORDS, *(status for status in self.counts if status not in WORDS)]
        return [
            (WORDS.get(status, f"refused: {status}"), f"{count:,}", self._where(status))
            for status in known
            if (count := self.counts[status])
        ]

    def _where(self, status: str) -> str:
        lines = self.lines.get(status, [])
        if not lines:
            return ""
        more = ", …" if self.counts[status] > len(lines) else ""
        return f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}{more}"


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One row of a file of what is true, as text by word: id or key, label, and what else."""

    line: int
    told: Mapping[str, str]
    problem: str = ""
    """What becomes of a row that says nothing."""
    record: Sequence[str] = ()
    """Its cells, where it has some."""
    mark: Mark = "."


class TruthRows(Protocol):
    """The rows of such a file, and how what became of them is written beside them."""

    def rows(self, progress: Progress | None) -> Generator[TruthRow, None, None]:
        """Go through the rows."""

    def head(self) -> bytes:
        """Write what stands before the first."""

    def written(self, rows: Sequence[TruthRow], statuses: Sequence[str]) -> bytes:
        """Write some rows with what became of them."""


class TruthFile:
    """What is true of predictions, by their ids or by the clients' own keys for them.

    `model` is the one that the keys are of; without it a row may name it, else it is the default.
    """

    def __init__(self, service: Service, rows: TruthRows, model: str | None = None) -> None:
        self.judged = Judged()
        self._service, self._rows, self._model = service, rows, model
        self._doing = Doing(None)
        if model is not None:
            service.catalogue().model(model)

    def parts(self, caller: Caller, progress: Progress | None = None) -> Iterator[bytes]:
        """Keep the verdicts a thousand at once; write each row with what became of it."""
        self._doing = Doing(act_of(caller, "judge a file"))
        yield self._rows.head()
        with closing(self._rows.rows(progress)) as found:
            while chunk := list(islice(found, MOST_VERDICTS)):
                statuses = self._statuses(chunk, caller)
                for row, said in zip(chunk, statuses, strict=True):
                    self.judged.add(row.line, said)
                yield self._rows.written(chunk, statuses)

    def _statuses(self, chunk: Sequence[TruthRow], caller: Caller) -> list[str]:
        given = [self._given(row) for row in chunk]
        verdicts = [one for one in given if isinstance(one, dict)]
        with going_on(self._doing):
            kept = iter(self._service.judge_many(verdicts, caller) if verdicts else ())
        return [one if isinstance(one, str) else next(kept)[1] for one in given]

    def _given(self, row: TruthRow) -> dict[str, Any] | str:
        """Return what a row says as a verdict, or why it says nothing."""
        if row.problem:
            return row.problem
        told = row.told
        is_by_id = "id" in told
        shelved = self._by_id(told["id"]) if is_by_id else self._by_name(told.get("model", ""))
        label = _label(shelved, told.get("label", ""), row.mark)
        if label is None and all(is_gap(told.get(word, "")) for word in TELLING):
            return NO_LABEL
        if not told.get("id" if is_by_id else "key"):
            return "no_id"
        if shelved is None and not is_by_id:
            return UNKNOWN_MODEL
        verdict = {"label": label, **_said(told), "comment": told.get("comment")}
        verdict[ASKED] = told.get(ASKED) or None
        if is_by_id or shelved is None:
            return {"id": told["id"], **verdict}
        return {"model": shelved.model.name, "key": told["key"], **verdict}

    def _by_id(self, id: str) -> ShelvedModel | None:
        try:
            return self._service.catalogue().by_number(self._service.ids.read(id).model_number)
        except NotSigned:
            return None

    def _by_name(self, told: str) -> ShelvedModel | None:
        contents, name = self._service.catalogue(), self._model or told
        return contents.models.get(name) if name else self._service.default_model(contents)


class CsvTruths:
    """A CSV file of what is true, opened and its columns found."""

    def __init__(self, path: Path, most_columns: int) -> None:
        self.file = open_table(path, most_columns=most_columns)
        self._columns = _columns(self.file)
        self._mark = self.file.marks[self._columns["label"]] if "label" in self._columns else "."

    def rows(self, progress: Progress | None) -> Generator[TruthRow, None, None]:
        """Go through the rows."""
        for raw in rows(self.file, progress):
            told = {} if raw.problem else self._told(raw)
            problem = UNREADABLE if raw.problem else ""
            yield TruthRow(raw.line, told, problem, raw.record, self._mark)

    def head(self) -> bytes:
        """Write the header, with one column more."""
        names = self.file.names
        status = free_name("status", "feedback_status", names)
        return csv_lines([[*names, status]], self.file.delimiter)

    def written(self, rows: Sequence[TruthRow], statuses: Sequence[str]) -> bytes:
        """Write rows as they stand, each with its status."""
        width, said = len(self.file.names), zip(rows, statuses, strict=True)
        lines = ([*fitted(row.record, width), status] for row, status in said)
        return csv_lines(lines, self.file.delimiter)

    def _told(self, raw: RawRow) -> dict[str, str]:
        return {word: raw.cells[name].strip() for word, name in self._columns.items()}


def _said(told: Mapping[str, str]) -> dict[str, Any]:
    """Return what a row says beside a label; what cannot be read stays as it is, to be refused.

    >>> _said({"was_correct": "yes", "reward": "0,7"})
    {'was_correct': True, 'reward': 0.7, 'signal': None}
    """
    found = {word: told.get(word, "") for word in TELLING}
    said = {word: None if is_gap(text) else text for word, text in found.items()}
    marks: tuple[Mark, ...] = (".", ",")
    rewards = [number(found["reward"], mark) for mark in marks]
    thumb = truth(found["was_correct"])
    reward = next((one for one in rewards if one is not None), None)
    return {
        "was_correct": said["was_correct"] if thumb is None else thumb,
        "reward": said["reward"] if reward is None else reward,
        "signal": said["signal"],
    }


def _label(shelved: ShelvedModel | None, text: str, mark: Mark) -> str | float | None:
    if shelved is None:
        return None if is_gap(text) else text
    return label_of(shelved.model.schema, text, mark)


def label_of(schema: Schema, text: str, mark: Mark = ".") -> str | float | None:
    """Read a label as the schema writes it: a class also as a number, or in other letters.

    >>> label_of(Schema((), "target", ("1", "2")), "1.0"), label_of(Schema((), "price"), "")
    ('1', None)
    """
    if text in schema.classes:
        return text
    if is_gap(text):
        return None
    read = number(text, mark)
    if not schema.is_classifier:
        return text if read is None else read
    alike = [name for name in schema.classes if name.casefold() == text.casefold()]
    alike = alike or [name for name in schema.classes if read is not None and number(name) == read]
    return alike[0] if len(alike) == 1 else text


def columns_of(names: Iterable[str]) -> dict[str, str]:
    """Find the columns that say something, by what they say; a column of ids needs no key.

    >>> columns_of(["Key", "Label", "colour"])
    {'label': 'Label', 'key': 'Key'}
    >>> columns_of(["id", "prediction_id", "key", "label"])
    {'label': 'label', 'id': 'prediction_id'}
    """
    folded = {name.casefold(): name for name in reversed([*names])}
    found = {word: folded[word] for word in SAID if word in folded}
    ids = [name for name in folded if _ID.fullmatch(name)]
    id = max(ids, key=_number_of) if ids else "id"
    if id in folded:
        return {**found, "id": folded[id]}
    return {**found, **{word: folded[word] for word in ("key", "model") if word in folded}}


def _columns(file: TableFile) -> Mapping[str, str]:
    """Return the file's own names of the columns that say something."""
    found = columns_of(file.names)
    if "id" not in found and "key" not in found:
        raise Invalid(f"{_expected(file)} It has no column id.")
    if not {*TELLING} & {*found}:
        raise Invalid(f"{_expected(file)} It has no column label.")
    return found


def _number_of(name: str) -> int:
    """Tell which of several columns of ids was added last."""
    found = _ID.fullmatch(name)
    return int(found["number"] or 1) if found else 0


def _expected(file: TableFile) -> str:
    has = ", ".join(shown(name, 40) for name in file.names[:12])
    more = ", …" if len(file.names) > 12 else ""
    return (
        f"{file.path.name} has the columns {has}{more}: expected id, as predict wrote it, or key, "
        "as you sent it, and label (or was_correct, reward, signal)."
    )
