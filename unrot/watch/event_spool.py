"""Events on their way out: lines in files of the home folder, and how far they were sent.

Who tells of something writes it here, on the disk, before the store lets go of where it stood: a
segment of the journal, a verdict that is not counted yet. So a crash in between tells it twice and
never not at all. The sender reads from the cursor on, in the order of the lines.

There is room for so many bytes. Beyond them the oldest file goes to the dead letters, as does an
event that was refused too often: two files of a bounded size, the older one overwritten in its
turn. Somebody can read there what the sink has missed.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import orjson

from unrot.core import webhooks
from unrot.core.files import sync_folder
from unrot.core.plurals import counted
from unrot.core.settings import Settings

FOLDER = "events"
"""Of the home folder."""
FILE_BYTES = 4 * 2**20
"""So long a file gets before the next is begun."""
DEAD_BYTES = 32 * 2**20
"""So long the dead letters get before they are put aside, over those that were put aside before."""
DEAD, DEAD_BEFORE, STATE = "dead-letters.jsonl", "dead-letters.before.jsonl", "state.json"

_NAME = re.compile(r"[0-9]{12}\.jsonl")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """How far the events were sent, and what became of them since the home folder was made."""

    file: int = 1
    offset: int = 0
    since: float = 0.0
    """When events began to be told: what happened before is not."""
    sent: int = 0
    retried: int = 0
    dead: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """Some events that are sent next, and where the ones behind them begin."""

    lines: Sequence[bytes]
    file: int
    offset: int
    ends_at: int


class Spool:
    """The files; safe for the one who tells and the one who sends."""

    def __init__(self, folder: Path, *, most_bytes: int, now: float) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self.is_rung = threading.Event()
        """Set when there is something to send."""
        folder.mkdir(parents=True, exist_ok=True)
        self._state = read_state(folder) or State(since=now)
        self._last = max([self._state.file, *_numbers(folder)])
        self._cut_torn_line()
        self._write_state()

    @property
    def since(self) -> float:
        """When events began to be told."""
        return self._state.since

    def add(self, events: Iterable[Any]) -> None:
        """Return when the disk has some events."""
        lines = b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in events)
        if not lines:
            return
        with self._lock:
            path = self._path(self._last)
            if _size(path) >= FILE_BYTES:
                self._last += 1
                path = self._path(self._last)
            is_new = not path.exists()
            _append(path, lines)
            if is_new:
                sync_folder(self.folder)
            self._make_room()
        self.is_rung.set()

    def next(self, most: int) -> Load | None:
        """Return what is to be sent next; None where there is nothing."""
        with self._lock:
            self._turn_pages()
            lines: list[bytes] = []
            at = self._state.offset
            with suppress(FileNotFoundError), self._path(self._state.file).open("rb") as file:
                file.seek(at)
                while len(lines) < most and (line := file.readline()).endswith(b"\n"):
                    lines.append(line.rstrip(b"\n"))
                    at += len(line)
            return Load(lines, self._state.file, self._state.offset, at) if lines else None

    def note_sent(self, load: Load) -> None:
        """Go on behind what was taken."""
        with self._lock:
            self._go_on(load, sent=self._state.sent + len(load.lines))

    def note_retry(self, load: Load) -> None:
        """Count what is to be sent once more."""
        with self._lock:
            self._state = replace(self._state, retried=self._state.retried + len(load.lines))
            self._write_state()

    def bury(self, load: Load, error: str) -> None:
        """Put what was refused too often among the dead letters."""
        with self._lock:
            if self._is_current(load):
                self._lay_down(load.lines, error)
                self._go_on(load, dead=self._state.dead + len(load.lines))

    def _go_on(self, load: Load, **counts: int) -> None:
        """Move the cursor, unless room was made meanwhile and it stands further on."""
        self._state = replace(self._state, **counts)
        if self._is_current(load):
            self._state = replace(self._state, offset=load.ends_at)
        self._turn_pages()
        self._write_state()

    def _is_current(self, load: Load) -> bool:
        return (self._state.file, self._state.offset) == (load.file, load.offset)

    def _turn_pages(self) -> None:
        """Go on to the next file, and remove what is sent to its end."""
        while self._state.file < self._last:
            path = self._path(self._state.file)
            if _size(path) > self._state.offset:
                return
            self._state = replace(self._state, file=self._state.file + 1, offset=0)
            self._write_state()
            path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        while waiting_bytes(self.folder) > self._most_bytes and self._state.file < self._last:
            path = self._path(self._state.file)
            with path.open("rb") as file:
                file.seek(self._state.offset)
                lines = file.read().splitlines()
            self._lay_down(lines, "There was no more room for events that wait.")
            self._state = replace(
                self._state,
                file=self._state.file + 1,
                offset=0,
                dead=self._state.dead + len(lines),
            )
            self._write_state()
            path.unlink(missing_ok=True)

    def _lay_down(self, lines: Sequence[bytes], error: str) -> None:
        path = self.folder / DEAD
        if _size(path) >= DEAD_BYTES:
            path.replace(self.folder / DEAD_BEFORE)
        about = orjson.dumps({"at": time.time(), "error": error})[:-1]
        with path.open("ab") as file:
            file.write(b"".join(about + b',"event":' + line + b"}\n" for line in lines))
        said = counted(len(lines), "event was", "events were")
        _log.error("%s given up, and stand in %s with the reason.", said, path)

    def _cut_torn_line(self) -> None:
        """Cut off what a crash has left half written: it is told again."""
        path = self._path(self._last)
        with suppress(FileNotFoundError), path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012d}.jsonl"

    def _write_state(self) -> None:
        draft = self.folder / f".{STATE}"
        draft.write_bytes(orjson.dumps(asdict(self._state)))
        draft.replace(self.folder / STATE)


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Where events go, and what became of them on this machine."""

    to: str
    """The address as people may see it."""
    sent: int
    retried: int
    dead: int
    backlog_bytes: int
    limit: int
    dead_letters: Path


def event_facts(settings: Settings) -> EventFacts | None:
    """Say what became of the events; None where none are sent."""
    if not settings.events_url:
        return None
    folder = settings.home / FOLDER
    state = read_state(folder) or State()
    return EventFacts(
        webhooks.shown(settings.events_url),
        *(state.sent, state.retried, state.dead, waiting_bytes(folder)),
        limit=settings.events_backlog,
        dead_letters=folder / DEAD,
    )


def read_state(folder: Path) -> State | None:
    """Return how far a home folder's events were sent; None where none were ever told."""
    try:
        found = orjson.loads((folder / STATE).read_bytes())
        return State(**{one.name: found[one.name] for one in fields(State) if one.name in found})
    except (OSError, ValueError, TypeError):
        return None


def waiting_bytes(folder: Path) -> int:
    """Return how much is still to be sent."""
    state = read_state(folder) or State()
    sizes = (_size(folder / f"{number:012d}.jsonl") for number in _numbers(folder, state.file))
    return max(0, sum(sizes) - state.offset)


def _append(path: Path, lines: bytes) -> None:
    """Write all lines or none."""
    size = _size(path)
    try:
        with path.open("ab") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.truncate(path, size)
        raise


def _numbers(folder: Path, least: int = 0) -> list[int]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    numbers = (int(name[:12]) for name in names if _NAME.fullmatch(name))
    return sorted(one for one in numbers if one >= least)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
