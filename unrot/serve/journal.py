"""The local append-only journal between the predict path and the store.

Each web worker appends to a segment of its own, events as lines of JSON, with one write before
the answer is sent: what was written survives the death of every process. The worker holds a
lock on its open segment. The caretaker follows all segments; one whose lock is free has no
writer any more, however it ended, and is removed once the store has all of it. A worker that has
nothing to write ends its segment too, when it is old or when all are told to: so what the store has
and what was forgotten does not stay on the disk.

When a line cannot be written (full disk, journal over its limit) it is dropped and counted in
a file that was given its block beforehand, so that counting needs no room.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import struct
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from unrot.core.errors import JournalFull
from unrot.core.files import sync_folder

SEGMENT_BYTES = 8 * 2**20
SEGMENT_SECONDS = 600.0
ROWS_OF_A_SEGMENT = 2**32 - 1
CHECK_SECONDS = 1.0
IDLE_SECONDS = 5.0
"""So often a segment is looked after that nothing is written to."""
READ_BYTES = 2 * 2**20
BELL = "verdicts"
"""A file that is touched when a verdict is in the store."""
END = "end"
"""A file that is touched when every open segment is to end."""
_SEGMENT_NAME = re.compile(r"[0-9a-f]{10}\.jsonl")
_COUNT = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next lines go: what a prediction id is made of."""

    segment: bytes
    row: int


class Segment:
    """An open journal file, locked by the process that writes it."""

    def __init__(self, folder: Path, now: float) -> None:
        self.name = secrets.token_bytes(5)
        self.opened_at = now
        self.size = 0
        self.is_torn = False
        self.path = folder / f"{self.name.hex()}.jsonl"
        draft = folder / f".{self.name.hex()}"
        self._file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.rename(draft, self.path)
            sync_folder(folder)
        except OSError:
            os.close(self._file)
            raise

    def append(self, lines: bytes) -> None:
        """Write whole lines or none; raise OSError when they do not fit.

        A torn segment must not be written again: somebody may have read its first lines.
        """
        written = os.write(self._file, lines)
        if written < len(lines):
            self.is_torn = True
            os.ftruncate(self._file, self.size)
            raise OSError("the disk took only a part of the lines")
        self.size += written

    def sync(self) -> None:
        """Return when the disk has it; after a failure nobody can say what it has."""
        try:
            os.fsync(self._file)
        except OSError:
            self.is_torn = True
            raise

    def is_worn(self, now: float) -> bool:
        """Tell whether it is time for the next segment: too large, too old, or deleted."""
        return (
            self.size >= SEGMENT_BYTES
            or (self.size > 0 and now - self.opened_at > SEGMENT_SECONDS)
            or os.fstat(self._file).st_nlink == 0
        )

    def close(self) -> None:
        """Let the caretaker have it."""
        os.close(self._file)


class Journal:
    """The writing side, one for each process; safe for its threads and across a fork."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        self.folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._segment: Segment | None = None
        self._rows = 0
        self._checked_at = 0.0
        self._told_at = 0
        self._is_full = False
        self._idler: threading.Thread | None = None
        forked = weakref.WeakMethod(self._begin_anew)
        os.register_at_fork(after_in_child=lambda: (forked() or _nothing)())

    def reserve(self, rows: int) -> Place:
        """Return a place for some rows; no other rows of any process get the same."""
        with self._lock:
            try:
                segment = self._current()
            except OSError:
                return Place(secrets.token_bytes(5), secrets.randbits(31))
            if self._rows + rows > ROWS_OF_A_SEGMENT:
                self._abandon()
                segment = self._current()
            first = self._rows
            self._rows += rows
            return Place(segment.name, first)

    def append(self, lines: bytes, *, count: int, durable: bool = False) -> bool:
        """Keep some lines, on the disk itself if `durable`; false when they were dropped."""
        with self._lock:
            try:
                segment = self._current()
                if self._is_full:
                    raise JournalFull("The journal has reached its limit.")
                segment.append(lines)
                if durable:
                    segment.sync()
                return True
            except (OSError, JournalFull):
                if self._segment is not None and self._segment.is_torn:
                    self._abandon()
        if not durable:
            Drops(self.folder).add(count)
        return False

    def has_room(self, share: float) -> bool:
        """Tell whether the journal is filled to less than a share of its limit."""
        return backlog_bytes(self.folder) < share * self._limit

    def release(self) -> None:
        """Close the open segment, so that it can be shipped to its end and removed."""
        with self._lock:
            self._abandon()

    def _current(self) -> Segment:
        now = time.monotonic()
        if self._segment is None or now - self._checked_at >= CHECK_SECONDS:
            self._check(now)
        if self._segment is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._segment, self._rows = Segment(self.folder, now), 0
            self._told_at = _touched_at(self.folder / END)
            self._look_after_idle()
        return self._segment

    def _look_after_idle(self) -> None:
        """See to it that an open segment ends in time though nothing is written to it."""
        if self._idler is None:
            looking = weakref.WeakMethod(self._is_open_still)
            idler = threading.Thread(target=_look, args=(looking,), daemon=True)
            with suppress(RuntimeError):  # No thread can be had: the next line looks.
                idler.start()
                self._idler = idler

    def _is_open_still(self) -> bool:
        """End the segment if it is time; tell whether to look again."""
        with self._lock:
            if self._segment is not None:
                self._check(time.monotonic())
            if self._segment is None:
                self._idler = None
            return self._segment is not None

    def _check(self, now: float) -> None:
        self._checked_at = now
        self._is_full = backlog_bytes(self.folder) >= self._limit
        if self._segment is not None and (self._is_told_to_end() or self._segment.is_worn(now)):
            self._abandon()

    def _is_told_to_end(self) -> bool:
        return _touched_at(self.folder / END) != self._told_at

    def _begin_anew(self) -> None:
        """After a fork: the parent keeps its segment, its threads and whatever held its lock."""
        self._lock, self._idler = threading.Lock(), None
        self._abandon()

    def ring(self) -> None:
        """Let the caretaker know that a verdict is in the store: it counts when it is told."""
        with suppress(OSError):
            (self.folder / BELL).touch()

    def rung_at(self) -> int:
        """Return when somebody last rang, as far as that can be told."""
        return _touched_at(self.folder / BELL)

    def end_all(self) -> None:
        """Let every process end its segment soon, so that it is shipped and removed."""
        (self.folder / END).touch()

    def _abandon(self) -> None:
        # Forgotten before it is closed: a number that is free again may be of another file.
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()


class Drops:
    """The count of events that could not be kept, shared by all processes of a home folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "drops"

    def prepare(self) -> None:
        """Give the count its block on the disk while there is room."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            self._path.write_bytes(_COUNT.pack(0))

    def count(self) -> int:
        """Return how many events were dropped since the home folder was made."""
        try:
            return int(_COUNT.unpack(self._path.read_bytes())[0])
        except (OSError, struct.error):
            return 0

    def seconds_since_last(self) -> float:
        """Return how long ago something was dropped last."""
        try:
            return max(0.0, time.time() - self._path.stat().st_mtime)
        except OSError:
            return 0.0

    def add(self, count: int) -> None:
        """Count some more; a count that cannot be written is let go."""
        try:
            file = os.open(self._path, os.O_RDWR)
        except OSError:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = _COUNT.unpack(os.pread(file, _COUNT.size, 0))[0]
            os.pwrite(file, _COUNT.pack(before + count), 0)
        except (OSError, struct.error):
            return
        finally:
            os.close(file)


class Followed:
    """One segment as the caretaker reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem

    def read(self, offset: int, most: int = READ_BYTES) -> bytes:
        """Return whole lines from an offset on, as many as fit; a torn last line stays."""
        with self.path.open("rb") as file:
            file.seek(offset)
            data = file.read(most)
            while data and b"\n" not in data:
                more = file.read(most)
                if not more:
                    return b""
                data += more
        return data[: data.rfind(b"\n") + 1]

    def size(self) -> int:
        """Return the length of the file."""
        return self.path.stat().st_size

    def has_writer(self) -> bool:
        """Tell whether a process still holds it open to write."""
        with self.path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def remove(self) -> None:
        """Delete the file for good: the store has it all, and soon forgets how far it got."""
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)


def follow(folder: Path) -> Iterator[Followed]:
    """List the segments of a journal, the one written longest ago first."""
    if not folder.is_dir():
        return
    paths = [path for path in folder.iterdir() if _SEGMENT_NAME.fullmatch(path.name)]
    for path in sorted(paths, key=_written_at):
        yield Followed(path)


def backlog_bytes(folder: Path) -> int:
    """Return how large the journal is."""
    return sum(_sizes(folder, lambda name: _SEGMENT_NAME.fullmatch(name) is not None))


def _sizes(folder: Path, wanted: Callable[[str], bool]) -> Iterator[int]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if wanted(entry.name):
                    yield _size(entry)
    except FileNotFoundError:
        return


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return 0


def _nothing() -> None:
    return


def _look(is_open_still: weakref.WeakMethod[Callable[[], bool]]) -> None:
    """Look now and then, as long as there is a journal with an open segment."""
    clock = threading.Event()
    while not clock.wait(IDLE_SECONDS):
        look = is_open_still()
        with suppress(OSError):
            if look is None or not look():
                return
        del look


def _touched_at(path: Path) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
