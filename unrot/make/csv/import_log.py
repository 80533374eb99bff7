"""Bring in the traffic that a model had elsewhere: a log, with its own times, answers and truth.

A log is read from its beginning each time, and what is in the store already is passed over
(`marks.py`). So a second run adds nothing, one that was killed goes on, and a log that grew brings
its new rows. Labels have marks of their own: they may come later, for rows that are in.

The ids are made from the mark and the number of their row, so that a label finds its prediction.
Profiles are made from the store when all rows are in, as a caretaker mends them after a crash.
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from unrot.core.errors import Conflict, Invalid, NotFound
from unrot.core.plurals import counted
from unrot.core.ports import Progress
from unrot.core.records import IMPORTED, IMPORTING, Feedback, Model, Prediction, Shipment
from unrot.core.time import DAY, HOUR, WEEK
from unrot.make.csv.answers import Champion
from unrot.make.csv.import_progress import Ledger, Marks, is_in, rows_of
from unrot.make.csv.log import LogColumns, LoggedRow, check_columns, logged_rows
from unrot.make.csv.reading import TableFile
from unrot.make.csv.rejections import rejections_of
from unrot.serve.service import Service
from unrot.serve.shelf import sync
from unrot.watch.imports import note_import
from unrot.watch.monitors.outliers.detector import OutlierFinder
from unrot.watch.profiles import references
from unrot.watch.profiles.keeper import ProfileKeeper

OPERATOR = "operator"
ROWS_AT_ONCE = 100
"""A commit takes so many verdicts with the windows of as many hours. Marks stand at the multiples
of it: with another number logs that are in would not be known."""

ROWS_OF_A_STRETCH = 2_000
"""The ids of so many rows tell one stretch of the log; with another number rows had other ids."""

VERDICTS_AT_ONCE = 5_000
PROFILE_SECONDS = (HOUR, DAY, WEEK)
MOST_PROFILES, LOOKED_AT = 1_000, 20
TWICE = (
    "would come in twice. Import what is new in a file of its own, or add --force to import this "
    "all the same."
)
READ_SHARE, PROFILED_SHARE = 0.8, 0.95


@dataclass(slots=True)
class Imported:
    """What came of an import."""

    model: str
    version: str
    rows: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0
    labels: int = 0
    labels_known: int = 0
    labels_refused: int = 0
    zoneless: int = 0
    first_at: float | None = None
    last_at: float | None = None
    profiles: int = 0
    profile_seconds: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of the log with its number and what is in the log up to it."""

    number: int
    logged: LoggedRow
    mark: bytes
    label_mark: bytes
    stretch: bytes
    """The mark of the row that its stretch of the log begins with; its id tells it."""
    probabilities: Sequence[float] | None = None


def bring_in(
    service: Service,
    file: TableFile,
    columns: LogColumns,
    progress: Progress,
    *,
    name: str,
    refuse: Callable[[LoggedRow], None],
    dry_run: bool = False,
    force: bool = False,
) -> Imported:
    """Bring a log of a model into the store; what cannot be taken of it is handed to `refuse`."""
    sync(service.shelf.folder, service.store.registry)
    model = service.catalogue().model(name).model
    check_columns(file, columns, model.schema)
    with _only_one(service.settings.home):
        return _Import(service, file, model, columns, progress, refuse, dry_run, force).run()


class _Import:
    """One run over one log."""

    def __init__(
        self,
        service: Service,
        file: TableFile,
        model: Model,
        columns: LogColumns,
        progress: Progress,
        refuse: Callable[[LoggedRow], None],
        dry_run: bool,
        force: bool,
    ) -> None:
        self._service = service
        self._file = file
        self._model = model
        self._columns = columns
        self._progress = progress
        self._refuse = refuse
        self._dry_run = dry_run
        self._force = force
        self._now = service.clock()
        self._share = 0.0
        self._writer = ""
        self._rows = Ledger(service.store.traffic, "import")
        self._labels = Ledger(service.store.traffic, "label")
        self._outlier_finder = OutlierFinder(service.shelf)
        self._champion = None if columns.prediction else Champion(service, model)
        version = self._champion.version if self._champion else IMPORTED
        self._done = Imported(model.name, version)

    def run(self) -> Imported:
        for piece in _pieces(self._entries()):
            self._writer = self._writer or f"{IMPORTING}{piece[0].mark.hex()[:12]}"
            self._take(piece)
        if not self._done.rows:
            raise Invalid(f"{self._file.path.name} holds no row under its line of names.")
        if not self._dry_run:
            self._profile()
            self._count_verdicts()
            self._tell_monitors()
        self._progress(1.0, "done")
        return self._done

    # ── read ─────────────────────────────────────────────────────────────────────────────────

    def _entries(self) -> Iterator[_Entry]:
        columns = self._columns
        asked = [*self._model.schema.names, columns.time, columns.prediction]
        names = [name for name in asked if name is not None]
        roles = [self._model.number, columns.time is not None, columns.prediction is not None]
        marks, label_marks = Marks(roles), Marks(roles)
        rows = logged_rows(self._file, self._model.schema, columns, self._now, self._see)
        stretch = b""
        for number, logged in enumerate(rows):
            cells = [logged.cells[name] for name in names] if logged.cells else []
            label = logged.cells.get(columns.label or "", "")
            mark, label_mark = marks.add(cells), label_marks.add([*cells, label])
            stretch = stretch if number % ROWS_OF_A_STRETCH else mark
            yield _Entry(number, logged, mark, label_mark, stretch)

    def _see(self, share: float, _step: str) -> None:
        self._share = share

    def _take(self, piece: Sequence[_Entry]) -> None:
        """Bring in what is new in a piece: its predictions, and then labels of older ones."""
        place = self._rows.known([entry.mark for entry in piece])
        known, new = piece[:place], piece[place:]
        self._done.known += sum(not entry.logged.problem for entry in known)
        if new:
            self._check_new(new)
            new = self._scored(new)
            self._ship(new)
        if self._columns.label and self._columns.time:
            self._ship_labels([*known, *new], place)
        for entry in (*known, *new):
            self._tell(entry.logged)
        done = self._done
        said = f"{counted(done.rows, 'row')} read, {done.added:,} of them new"
        self._progress(self._share * READ_SHARE, said)

    def _check_new(self, entries: Sequence[_Entry]) -> None:
        """Raise Conflict when rows would come in twice, because the log is not what it was."""
        if self._force or self._done.added:
            return
        file, traffic = self._file.path.name, self._service.store.traffic
        if rows_of(traffic, self._writer) > self._done.known:
            raise Conflict(
                f"{file} was changed since it was imported: at line {entries[0].logged.line} or "
                f"after, rows are not what they were, and {TWICE}"
            )
        found = [self._is_in(entry) for entry in entries[:: max(1, len(entries) // LOOKED_AT)]]
        if not self._done.known and 2 * sum(found) > len(found):
            raise Conflict(
                f"Most rows at the start of {file} are in already, from another file, in another "
                f"order or with other options, and {TWICE}"
            )

    def _is_in(self, entry: _Entry) -> bool:
        logged = entry.logged
        if logged.moment is None or logged.row is None:
            return False
        traffic = self._service.store.traffic
        return is_in(traffic, self._model.key, logged.moment.at, logged.row)

    def _scored(self, entries: Sequence[_Entry]) -> list[_Entry]:
        """Answer rows that the log has no answer for; one that cannot be scored is refused."""
        asked = [entry for entry in entries if not entry.logged.problem]
        if self._champion is None or self._dry_run:
            return list(entries)
        answers = self._champion.answers([entry.logged.row or () for entry in asked])
        answered = {
            entry.number: replace(
                entry,
                logged=replace(entry.logged, answer=one.answer, problem=one.problem),
                probabilities=one.probabilities,
            )
            for entry, one in zip(asked, answers, strict=True)
        }
        return [answered.get(entry.number, entry) for entry in entries]

    def _tell(self, logged: LoggedRow) -> None:
        done = self._done
        done.rows += 1
        if logged.problem or logged.label_problem:
            self._refuse(logged)
        if logged.problem:
            done.refused += 1
            return
        done.labels_refused += bool(logged.label_problem)
        done.zoneless += logged.moment is not None and not logged.moment.has_zone
        at = self._at(logged)
        done.first_at = at if done.first_at is None else min(at, done.first_at)
        done.last_at = at if done.last_at is None else max(at, done.last_at)

    def _at(self, logged: LoggedRow) -> float:
        return self._now if logged.moment is None else logged.moment.at

    # ── ship ─────────────────────────────────────────────────────────────────────────────────

    def _ship(self, entries: Sequence[_Entry]) -> None:
        """Ship predictions with their labels, and set the mark after them."""
        good = [entry for entry in entries if not entry.logged.problem]
        predictions = [self._prediction(entry) for entry in good]
        verdicts = [self._verdict(entry) for entry in good if entry.logged.label is not None]
        self._done.added += len(predictions)
        self._done.labels += len(verdicts)
        self._send(self._rows, entries[-1].mark, entries, predictions, verdicts)

    def _ship_labels(self, piece: Sequence[_Entry], shipped_from: int) -> None:
        """Ship the labels of rows that were in before, and set the mark after all labels."""
        place = self._labels.known([entry.label_mark for entry in piece])
        labelled = [entry for entry in piece[:shipped_from] if entry.logged.label is not None]
        known = sum(entry.logged.label is not None for entry in piece[: min(place, shipped_from)])
        self._done.labels_known += known
        if place == len(piece):
            return
        verdicts = [self._verdict(entry) for entry in labelled[known:]]
        self._done.labels += len(verdicts)
        self._send(self._labels, piece[-1].label_mark, piece, [], verdicts)

    def _send(
        self,
        ledger: Ledger,
        mark: bytes,
        rows: Sequence[_Entry],
        predictions: Sequence[Prediction],
        verdicts: Sequence[Feedback],
    ) -> None:
        if self._dry_run:
            return
        self._check_served()
        refused = [one.logged for one in rows] if ledger is self._rows else []
        timeless = self._now if self._columns.time is None else None
        noticed = self._outlier_finder.look(self._service.catalogue(), predictions)
        self._service.store.traffic.ship(
            Shipment(
                segment=ledger.segment(mark),
                starts_at=0,
                ends_at=len(rows),
                writer=self._writer,
                predictions=predictions,
                feedback=verdicts,
                rejections=rejections_of(self._model, self._done.version, refused, timeless),
                oddities=noticed.oddities,
                looked_at=noticed.looked_at,
            )
        )

    def _check_served(self) -> None:
        """Raise NotFound when the model was removed: the store would drop its rows."""
        models = self._service.store.registry.models()
        if self._model.number not in {model.number for model in models}:
            raise NotFound(f"{self._model.name} was removed while its log was imported.")

    def _prediction(self, entry: _Entry) -> Prediction:
        answer = entry.logged.answer
        return Prediction(
            id=self._id(entry),
            model=self._model.key,
            version=self._done.version,
            predicted_at=self._at(entry.logged),
            inputs=entry.logged.row or (),
            label=answer if isinstance(answer, str) else None,
            probabilities=entry.probabilities,
            value=answer if isinstance(answer, float) else None,
        )

    def _verdict(self, entry: _Entry) -> Feedback:
        label, answer = entry.logged.label, entry.logged.answer
        is_known = self._model.schema.is_classifier and answer is not None
        return Feedback(
            prediction=self._id(entry),
            model=self._model.key,
            predicted_at=self._at(entry.logged),
            given_at=self._at(entry.logged),
            was_correct=label == answer if is_known else None,
            label=label,
            judge=OPERATOR,
        )

    def _id(self, entry: _Entry) -> str:
        """Make the id that this row has in every run; it does not tell the answer."""
        return self._service.ids.make(
            at=self._at(entry.logged),
            segment=entry.stretch[:5],
            row=entry.number,
            model_number=self._model.number,
            class_index=None,
        )

    # ── what follows from the rows ───────────────────────────────────────────────────────────

    def _profile(self) -> None:
        """Profile what is in of this log and was not profiled, also by a run that was killed."""
        self._done.profile_seconds = seconds = self._profile_seconds()
        keeper = ProfileKeeper(
            store=self._service.store,
            profiler=self._service.profiler,
            schema_of=lambda _: self._model.schema,
            writer=self._writer,
            seconds=seconds,
            folder=self._service.settings.profile_dir,
            reference_of=lambda name, version: references.bins_of(self._service, name, version),
        )
        stretches = keeper.incomplete(0.0)
        for number, stretch in enumerate(stretches):
            share = READ_SHARE + (PROFILED_SHARE - READ_SHARE) * number / len(stretches)
            self._progress(share, f"{number:,} of {counted(len(stretches), 'profile')} written")
            try:
                keeper.profile_again(stretch)
            except OSError as error:
                raise Invalid(f"The rows are in; a profile cannot be written: {error}.") from error
        self._done.profiles = len(stretches)

    def _profile_seconds(self) -> int:
        """Return the length of this log's profiles: the shortest that makes not too many."""
        kept = self._service.store.profiles.written_by(self._writer, 0.0)
        if kept:
            return int(kept[0].ends_at - kept[0].starts_at)
        usual = self._service.settings.rotation_seconds
        lengths = [usual, *(seconds for seconds in PROFILE_SECONDS if seconds > usual)]
        for seconds in lengths:
            stretches = self._service.store.traffic.shipped(self._writer, 0.0, seconds)
            per_version = Counter(stretch.version for stretch, _ in stretches)
            if max(per_version.values(), default=0) <= MOST_PROFILES:
                return seconds
        return lengths[-1]

    def _count_verdicts(self) -> None:
        """Count the verdicts into their minutes; a caretaker beside us may do it as well."""
        told = 0
        while bite := self._service.store.verdicts.count_new(VERDICTS_AT_ONCE):
            told += bite
            self._progress(PROFILED_SHARE, f"{counted(told, 'verdict')} counted")

    def _tell_monitors(self) -> None:
        first_at, last_at = self._done.first_at, self._done.last_at
        if self._done.added and first_at is not None and last_at is not None:
            note_import(self._service.store.findings, self._model.key, first_at, last_at)
            self._service.store.tell_news()


def _pieces(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    """Part a log; its last row goes by itself, because a log that grows may end in half a line."""
    piece = list(islice(entries, ROWS_AT_ONCE))
    while piece:
        after = list(islice(entries, ROWS_AT_ONCE))
        yield from [piece] if after else [part for part in (piece[:-1], piece[-1:]) if part]
        piece = after


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Keep two imports from bringing the same rows at the same time."""
    with (home / "import.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("Another import is running: start this one when it is done.") from error
        yield
