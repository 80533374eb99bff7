"""A disk as a power cut may leave it, from the log of what a process did with its files.

What strace tells is read call by call. Of each file the disk knows what was fsynced last, and what
was written since; of each folder which names were made, moved or deleted since it was fsynced.

>>> disk = Disk({"a": b"old"})
>>> disk.note(Event("open", "a", file=3))
>>> disk.note(Event("write", "a", b"new", 0, 3))
>>> sorted({disk.image(random.Random(n))["a"] for n in range(9)})
[b'new', b'old']
>>> disk.note(Event("fsync", "a", file=3))
>>> {disk.image(random.Random(n))["a"] for n in range(9)}
{b'new'}
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
WAYS = ("nothing", "all", "first part", "any sectors")
UNSAVED = ("-shm",)
"""What SQLite makes anew after each start."""

_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done to a file: open, make, write, truncate, fsync, move, delete."""

    call: str
    path: str
    data: bytes = b""
    offset: int | None = None
    """Where to write, or how long to make it; None is the end."""
    file: int = -1
    """The open file that it was done to."""
    to: str = ""
    """The new name of one that was moved."""


# ── the log ──────────────────────────────────────────────────────────────────────────────────


def events_of(log: str, home: Path) -> Iterator[Event]:
    """Read what strace wrote down of files below a folder, paths from there on."""
    reader = _Reader(home)
    begun: dict[str, str] = {}
    for line in log.splitlines():
        process = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[process] = line.removesuffix("<unfinished ...>")
            continue
        if " resumed>" in line:
            line = begun.pop(process) + line.split(" resumed>", 1)[1]
        if (found := _LINE.match(line)) and int(found[4]) >= 0:
            yield from reader.read(found[2], found[3], int(found[4]))


class _Reader:
    """Knows which files are open under which numbers."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open: dict[int, tuple[str, int, bool]] = {}
        """Of each number the path, the opening, and whether it is written at the end."""
        self._openings = 0
        self._places: dict[int, int] = {}

    def read(self, call: str, told: str, result: int) -> Iterator[Event]:
        """Yield what one call did to files of the folder, mostly nothing."""
        texts = [_bytes_of(found[1]) for found in _TEXT.finditer(told)]
        if call == "openat":
            yield from self._opened(self._below(texts[0]), told, result)
        elif call in ("rename", "renameat", "renameat2"):
            old, new = map(self._below, texts)
            if old is not None and new is not None:
                yield Event("move", old, to=new)
        elif call in ("unlink", "unlinkat"):
            if (path := self._below(texts[0])) is not None:
                yield Event("delete", path)
        else:
            yield from self._done(call, int(told.split(",", 1)[0]), told, texts, result)

    def _opened(self, path: str | None, told: str, result: int) -> Iterator[Event]:
        self._open.pop(result, None)
        if path is None or path.endswith(UNSAVED):
            return
        self._openings += 1
        self._places[self._openings] = 0
        self._open[result] = (path, self._openings, "O_APPEND" in told)
        how = "make" if "O_CREAT" in told else "open"
        yield Event(how, path, file=self._openings)
        if "O_TRUNC" in told:
            yield Event("truncate", path, offset=0, file=self._openings)

    def _done(
        self, call: str, number: int, told: str, texts: list[bytes], result: int
    ) -> Iterator[Event]:
        if number not in self._open:
            return
        path, opening, is_at_end = self._open[number]
        last = told.rsplit(",", 1)[-1].strip()
        if call == "close":
            del self._open[number]
        elif call in ("fsync", "fdatasync"):
            yield Event("fsync", path, file=opening)
        elif call == "ftruncate":
            yield Event("truncate", path, offset=int(last), file=opening)
        elif call == "pwrite64":
            yield Event("write", path, texts[0][:result], int(last), opening)
        elif call in ("write", "writev"):
            offset = None if is_at_end else self._places[opening]
            self._places[opening] += result
            yield Event("write", path, b"".join(texts)[:result], offset, opening)

    def _below(self, path: bytes) -> str | None:
        try:
            found = str(Path(path.decode()).relative_to(self._home))
        except ValueError:
            return None
        return found


def _bytes_of(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


# ── the disk ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class _File:
    """What of a file is safe, and what is on its way."""

    safe: bytearray = field(default_factory=bytearray)
    unsafe: list[tuple[int, bytes] | int] = field(default_factory=list)
    """Writes, and truncations to a length."""
    size: int = 0

    def write(self, offset: int | None, data: bytes) -> None:
        place = self.size if offset is None else offset
        self.unsafe.append((place, data))
        self.size = max(self.size, place + len(data))

    def truncate(self, size: int) -> None:
        self.unsafe.append(size)
        self.size = size

    def sync(self) -> None:
        for change in self.unsafe:
            _make(self.safe, change)
        self.unsafe.clear()

    def image(self, chance: random.Random) -> bytes:
        """Return what a power cut may leave of it."""
        way, made = chance.choice(WAYS), bytearray(self.safe)
        changes: list[tuple[int, bytes] | int] = []
        if way == "all":
            changes = self.unsafe
        elif way == "first part":
            changes = self.unsafe[: chance.randint(0, len(self.unsafe))]
        elif way == "any sectors":
            changes = [part for change in self.unsafe for part in _sectors(change)]
            changes = [part for part in changes if chance.random() < 0.5]
        for change in changes:
            _make(made, change)
        return bytes(made)


def _make(content: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del content[change:]
        content.extend(bytes(max(0, change - len(content))))
        return
    offset, data = change
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _sectors(change: tuple[int, bytes] | int) -> Iterator[tuple[int, bytes] | int]:
    if isinstance(change, int):
        yield change
        return
    offset, data = change
    place = 0
    while place < len(data):
        ends = min(len(data), place + SECTOR - (offset + place) % SECTOR)
        yield offset + place, data[place:ends]
        place = ends


class Disk:
    """Files by name, as they are and as they are safe."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {path: _File(bytearray(data), size=len(data)) for path, data in files.items()}
        self._safe_names = dict(self._files)
        self._unsafe_names: list[Event] = []
        self._made: dict[str, list[_File]] = {}
        self._open: dict[int, _File] = {}

    @classmethod
    def of_folder(cls, folder: Path) -> Disk:
        """Take a folder as it stands, all of it safe."""
        paths = [path for path in folder.rglob("*") if path.is_file()]
        known = [path for path in paths if not path.name.endswith(UNSAVED)]
        return cls({str(path.relative_to(folder)): path.read_bytes() for path in known})

    def note(self, event: Event) -> None:
        """Let something be done."""
        if event.call in ("open", "make"):
            self._note_open(event)
        elif event.call in ("move", "delete"):
            if event.path in self._files:
                self._rename(self._files, event)
                self._unsafe_names.append(event)
        elif event.call == "fsync":
            if event.file in self._open:
                self._open[event.file].sync()
            else:
                self._sync_names(event.path)
        elif event.call == "write":
            self._open[event.file].write(event.offset, event.data)
        else:
            self._open[event.file].truncate(event.offset or 0)

    def image(self, chance: random.Random) -> dict[str, bytes]:
        """Return what a power cut may leave."""
        names = dict(self._safe_names)
        for event in self._unsafe_names[: chance.randint(0, len(self._unsafe_names))]:
            self._rename(names, event)
        return {path: file.image(chance) for path, file in names.items()}

    def write_image(self, folder: Path, chance: random.Random) -> None:
        """Write what a power cut may leave into a folder."""
        for path, data in self.image(chance).items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def _note_open(self, event: Event) -> None:
        if event.path not in self._files:
            if event.call == "open":
                return  # a folder
            made = _File()
            self._files[event.path] = made
            self._made.setdefault(event.path, []).append(made)
            self._unsafe_names.append(Event("make", event.path, file=len(self._made[event.path])))
        self._open[event.file] = self._files[event.path]

    def _rename(self, names: dict[str, _File], event: Event) -> None:
        if event.call == "make":
            names[event.path] = self._made[event.path][event.file - 1]
        elif event.call == "delete":
            names.pop(event.path, None)
        elif event.path in names:
            names[event.to] = names.pop(event.path)

    def _sync_names(self, folder: str) -> None:
        """Make safe what was named in a folder."""
        left = []
        for event in self._unsafe_names:
            if str(Path(event.path).parent) == folder:
                self._rename(self._safe_names, event)
            else:
                left.append(event)
        self._unsafe_names = left
