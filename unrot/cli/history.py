"""`python -m unrot import`: bring in traffic that was logged elsewhere, and say what came of it."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from unrot.cli.terminal import Progress, table
from unrot.core.errors import Invalid, StoreAway
from unrot.core.plurals import counted
from unrot.core.settings import Settings
from unrot.core.time import DAY, HOUR, MINUTE, WEEK, utc
from unrot.make.csv import import_log
from unrot.make.csv.log import LogColumns, LoggedRow
from unrot.make.csv.reading import TableFile, open_table
from unrot.run.bootstrap import open_service
from unrot.run.serve import page_address

PROBLEM = "problem"
MOST_REASONS = 20
LINES_SHOWN = 3
UNITS = ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1, "second"))

_VALUE = re.compile(r' (".*?"|\S+): expected ')


def add_to(commands: Any) -> None:
    """Add the command to the parser's subparsers."""
    command = commands.add_parser("import", help="bring in traffic that was logged elsewhere")
    command.add_argument("csv", type=Path, metavar="FILE", help="a CSV of logged rows")
    command.add_argument("--model", required=True, metavar="NAME", help="whose traffic it is")
    command.add_argument("--time", metavar="COLUMN", help="when each row was predicted")
    command.add_argument("--label", metavar="COLUMN", help="the true answer, where it is known")
    command.add_argument("--prediction", metavar="COLUMN", help="what was answered")
    command.add_argument("--rejects", type=Path, metavar="FILE", help="write refused rows there")
    command.add_argument("--dry-run", action="store_true", help="read all, change nothing")
    command.add_argument(
        "--force", action="store_true", help="take rows again that are there already"
    )
    command.set_defaults(command=bring)


def bring(options: argparse.Namespace, settings: Settings) -> int:
    """Import a log; 1 when it holds no row that can be taken."""
    service = open_service(settings)
    file = open_table(options.csv)
    columns = LogColumns(options.time, options.label, options.prediction)
    refusals = Refusals(file)
    progress = Progress(f"{'Reading' if options.dry_run else 'Importing'} {options.csv.name}")
    try:
        with closing(progress), refusals.written_to(options.rejects):
            done = import_log.bring_in(
                service,
                file,
                columns,
                progress,
                name=options.model,
                refuse=refusals.add,
                dry_run=options.dry_run,
                force=options.force,
            )
    except (KeyboardInterrupt, StoreAway):
        if not options.dry_run:
            print(
                "What was read stays. Run it again: it goes on where it stopped.", file=sys.stderr
            )
        raise
    lines = [*file.notes, *told(done, columns, dry_run=options.dry_run), *refusals.told()]
    print("\n".join(lines))
    if not options.dry_run:
        page = page_address(settings, f"/models/{done.model}/predictions")
        print(f"While the server runs: {page}")
    return 0 if done.added + done.known else 1


class Refusals:
    """The rows that were refused, counted by reason, and written to a file if one is named."""

    def __init__(self, file: TableFile) -> None:
        self._file = file
        self._counts: Counter[str] = Counter()
        self._lines: dict[str, list[int]] = {}
        self._write: Callable[[Sequence[str]], object] | None = None
        self._names = [name for name in file.names if name != PROBLEM]

    def add(self, row: LoggedRow) -> None:
        """Take one refused row, or one whose label is refused."""
        reason = self._reason(row)
        self._counts[reason] += 1
        lines = self._lines.setdefault(reason, [])
        if len(lines) < LINES_SHOWN:
            lines.append(row.line)
        if self._write is not None and row.problem:
            self._write([*(row.cells.get(name, "") for name in self._names), row.problem])

    @contextmanager
    def written_to(self, path: Path | None) -> Iterator[None]:
        """Write each refused row to a file, as it stands in the log, with its problem."""
        if path is None:
            yield
            return
        with _saying_why(path):
            if path.exists() and path.samefile(self._file.path):
                raise Invalid(f"--rejects {path} is the log itself: name another file.")
            rejects = path.open("w", encoding="utf-8", newline="")
        write = csv.writer(rejects, delimiter=self._file.delimiter).writerow

        def write_one(cells: Sequence[str]) -> None:
            with _saying_why(path):
                write(cells)

        self._write = write_one
        try:
            write_one([*self._names, PROBLEM])
            yield
        finally:
            with _saying_why(path):
                rejects.close()

    def told(self) -> list[str]:
        """Say what was refused, the most frequent reason first."""
        if not self._counts:
            return []
        rows = [
            (f"{count:,}", ", ".join(f"{line:,}" for line in self._lines[reason]), reason)
            for reason, count in self._counts.most_common()
        ]
        return ["Refused:", table([("how many", "lines", "why"), *rows])]

    def _reason(self, row: LoggedRow) -> str:
        """Return a problem without the value and the line, so that equal ones are counted."""
        where = f"{self._file.path.name}, line {row.line}: "
        said = row.problem.removeprefix(where) or f"only the label: {row.label_problem}"
        reason = _VALUE.sub(": expected ", said)
        is_known = reason in self._counts or len(self._counts) < MOST_REASONS
        return reason if is_known else "another reason"


@contextmanager
def _saying_why(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}.") from error


def told(done: import_log.Imported, columns: LogColumns, *, dry_run: bool) -> list[str]:
    """Say what came in, or would."""
    new = "would be new" if dry_run else "new"
    lines = [
        f"Rows: {done.rows:,} read, {done.added:,} {new} in {done.model}, {done.known:,} there "
        f"already, {done.refused:,} refused.",
        _times(done, columns),
        _answers(done, columns),
    ]
    if columns.label:
        lines.append(
            f"Labels: {done.labels:,} {new}, {done.labels_known:,} there already, "
            f"{done.labels_refused:,} refused."
        )
        if not columns.time and done.known:
            lines.append("Without --time no label finds a row that is there already.")
    if done.profiles:
        lines.append(f"Profiles: {done.profiles:,} made, one for each {_length(done)}.")
    return lines


def _times(done: import_log.Imported, columns: LogColumns) -> str:
    if done.first_at is None or done.last_at is None:
        return "Times: none."
    if not columns.time:
        return "Times: there is no --time, so all rows count as predicted now."
    span = f"Times: {_moment(done.first_at)} to {_moment(done.last_at)} UTC."
    return f"{span} {done.zoneless:,} have no zone: read as UTC." if done.zoneless else span


def _answers(done: import_log.Imported, columns: LogColumns) -> str:
    if columns.prediction:
        return f"Answers: those of the log, under the version {done.version}."
    return f"Answers: there is no --prediction, so {done.version} answers, the champion."


def _moment(at: float) -> str:
    return utc(at).strftime("%Y-%m-%d %H:%M:%S")


def _length(done: import_log.Imported) -> str:
    for seconds, word in UNITS:
        if done.profile_seconds % seconds == 0:
            count = done.profile_seconds // seconds
            return word if count == 1 else counted(count, word)
    return ""
