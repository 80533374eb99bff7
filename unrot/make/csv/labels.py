"""Judge predictions by a file of true labels, which comes when the truth is known.

A file has a column `id` and a column `label` (or `was_correct`); whatever else it holds is left
alone, so that people can write the labels into the very file that they were given by `predict`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from unrot.core.acting import Doing, act_of, going_on
from unrot.core.errors import Invalid, NotSigned, shown
from unrot.core.ports import Progress
from unrot.core.records import Caller, Schema
from unrot.hear.verdicts import MOST_VERDICTS
from unrot.make.csv.cells import Mark, is_gap, number, truth
from unrot.make.csv.reading import RawRow, TableFile, open_table, rows
from unrot.make.csv.rows import most_columns_for
from unrot.make.csv.writing import csv_lines, fitted, free_name
from unrot.serve.service import Service

LINES_NAMED = 5
NO_LABEL = "no_label"
NOT_GROUND_TRUTH = "not_ground_truth"
WORDS = {
    "created": "kept",
    "revised": "kept in the place of an earlier one",
    "duplicate": "known already",
    "queued": "queued: the store is away, they are on the disk",
    "overruled": "kept apart: a judge has judged these",
    NO_LABEL: "skipped: no label yet",
    "no_id": "refused: no id in the row",
    "unreadable": "refused: the row does not fit the header",
    NOT_GROUND_TRUTH: "refused: no ground truth of one event in the line",
    "unknown_id": "refused: no id of this app",
    "expired": "refused: too old to be judged",
    "unknown_label": "refused: no class or number that the model knows",
    "contradiction": "refused: was_correct and label contradict each other",
    "not_found": "refused: the model is no longer served",
    "invalid": "refused: was_correct is not yes or no, or the comment is too long",
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


class Truths(Protocol):
    """A file of what is true, in whatever form."""

    judged: Judged

    def parts(self, caller: Caller, progress: Progress | None = None) -> Iterator[bytes]:
        """Keep its verdicts; write each of them with what became of it."""


class TruthFile:
    """A file of true labels, opened and its columns found."""

    def __init__(self, service: Service, path: Path) -> None:
        served = service.catalogue().models.values()
        most = most_columns_for(shelved.model.schema for shelved in served)
        self.file = open_table(path, most_columns=most)
        self.judged = Judged()
        self._service = service
        self._columns = _columns(self.file)
        self._doing = Doing(None)

    def parts(self, caller: Caller, progress: Progress | None = None) -> Iterator[bytes]:
        """Keep the verdicts a thousand at once; write each row with what became of it as CSV."""
        self._doing = Doing(act_of(caller, "judge a file"))
        names, delimiter = self.file.names, self.file.delimiter
        status = free_name("status", "feedback_status", names)
        yield csv_lines([[*names, status]], delimiter)
        found = rows(self.file, progress)
        while chunk := list(islice(found, MOST_VERDICTS)):
            statuses = self._statuses(chunk, caller)
            for raw, said in zip(chunk, statuses, strict=True):
                self.judged.add(raw.line, said)
            yield csv_lines(
                (
                    [*fitted(raw.record, len(names)), said]
                    for raw, said in zip(chunk, statuses, strict=True)
                ),
                delimiter,
            )

    def _statuses(self, chunk: Sequence[RawRow], caller: Caller) -> list[str]:
        given = [self._given(raw) for raw in chunk]
        verdicts = [one for one in given if isinstance(one, dict)]
        with going_on(self._doing):
            kept = iter(self._service.judge_many(verdicts, caller) if verdicts else ())
        return [one if isinstance(one, str) else next(kept)[1] for one in given]

    def _given(self, raw: RawRow) -> dict[str, Any] | str:
        """Return what a row says as a verdict, or why it says nothing."""
        if raw.problem:
            return "unreadable"
        told = {word: raw.cells[name].strip() for word, name in self._columns.items()}
        id, text = told["id"], told.get("was_correct", "")
        label = self._label(id, told.get("label", ""))
        was_correct = None if is_gap(text) else truth(text)
        if label is None and is_gap(text):
            return NO_LABEL
        if not id:
            return "no_id"
        said = text if was_correct is None and not is_gap(text) else was_correct
        return {
            "id": id,
            "label": label,
            "was_correct": said,
            "comment": told.get("comment"),
        }

    def _label(self, id: str, text: str) -> str | float | None:
        mark = self.file.marks[self._columns["label"]] if "label" in self._columns else "."
        try:
            shelved = self._service.catalogue().by_number(self._service.ids.read(id).model_number)
        except NotSigned:
            shelved = None
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


def _columns(file: TableFile) -> Mapping[str, str]:
    """Return the file's own names of the columns that say something."""
    names = {name.casefold(): name for name in reversed(file.names)}
    found: dict[str, str] = {
        word: names[word] for word in ("label", "was_correct", "comment") if word in names
    }
    ids = [name for name in names if _ID.fullmatch(name)]
    id = max(ids, key=_number_of) if ids else "id"
    if id not in names:
        raise Invalid(f"{_expected(file)} It has no column id.")
    if "label" not in found and "was_correct" not in found:
        raise Invalid(f"{_expected(file)} It has no column label.")
    return {"id": names[id], **found}


def _number_of(name: str) -> int:
    """Tell which of several columns of ids was added last."""
    found = _ID.fullmatch(name)
    return int(found["number"] or 1) if found else 0


def _expected(file: TableFile) -> str:
    has = ", ".join(shown(name, 40) for name in file.names[:12])
    more = ", …" if len(file.names) > 12 else ""
    return (
        f"{file.path.name} has the columns {has}{more}: expected id, as predict wrote it, and "
        "label (or was_correct)."
    )
