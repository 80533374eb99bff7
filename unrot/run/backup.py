"""Backup and restore: one file with the database and the keys that make its ids good.

The file is a plain tar for its owner alone. Nothing of it is trusted before it was looked at:
only names that we give are taken, they are written by us and not by tar, and the database is
checked whole. The database takes its place last and in one step, so that a restore that was
killed can simply be done again.
"""

from __future__ import annotations

import os
import secrets
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory

from unrot.core.errors import Conflict, Invalid
from unrot.core.ports import Copies, Progress
from unrot.serve.journal import follow
from unrot.serve.service import Service
from unrot.serve.shelf import sync

DATABASE = "unrot.db"
KEYS = ("secret-key", "writer-name", "operator-token")
MOST_KEY_BYTES = 4_096
_COPYING = 0.8


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup file holds."""

    said: str
    bytes: int
    keys: tuple[str, ...]
    folder: Path
    """Where it lies unpacked, as long as that is needed."""


def write(
    copies: Copies, home: Path, target: Path, progress: Progress, *, force: bool = False
) -> Backup:
    """Write a backup of the store and of the home folder's keys; the app may run."""
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise Conflict(f"{target} cannot be written: name a file in a folder that is there.")
    if target.exists() and not force:
        raise Conflict(f"{target} is there already: choose another name, or add --force.")
    try:
        with _beside(target) as folder:
            copies.write_to(
                _private(folder / DATABASE), lambda done, step: progress(done * _COPYING, step)
            )
            progress(_COPYING, "writing the file")
            said = copies.check(folder / DATABASE)
            keys = tuple(name for name in KEYS if (home / name).is_file())
            _pack(folder / "tar", [folder / DATABASE, *(home / name for name in keys)])
            (folder / "tar").replace(target)
    except OSError as error:
        raise Conflict(f"{target} cannot be written: {error.strerror or error}.") from error
    progress(1.0, "done")
    return Backup(said, target.stat().st_size, keys, target.parent)


@contextmanager
def unpacked(source: Path, copies: Copies) -> Iterator[Backup]:
    """Unpack a backup beside the store and check it; nothing else is touched."""
    if not source.is_file():
        raise Invalid(f"There is no file {source}.")
    copies.path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(copies.path) as folder:
        try:
            names = _unpack(source, folder)
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise Invalid(
                f"{source} is not a whole backup ({error}): one is made with "
                "python -m unrot backup FILE"
            ) from error
        except OSError as error:
            raise Conflict(f"{source} cannot be unpacked: {error.strerror or error}.") from error
        said = copies.check(folder / DATABASE)
        keys = tuple(name for name in KEYS if name in names)
        yield Backup(said, source.stat().st_size, keys, folder)


def check_idle(home: Path) -> None:
    """Return when no server writes the journal of a home folder."""
    if any(segment.has_writer() for segment in follow(home / "journal")):
        raise Conflict(f"A server still writes to {home}: stop the app first.")


def put_in_place(backup: Backup, home: Path, copies: Copies) -> Path | None:
    """Put the keys and then the database of a backup in their places; keep what was there."""
    try:
        copies.make_way()
        for name in backup.keys:
            _put_key(home / name, (backup.folder / name).read_bytes())
        keep_as = _free_name(copies.path)
        was_there = copies.put_in_place(backup.folder / DATABASE, keep_as=keep_as)
    except OSError as error:
        raise Conflict(f"The restore went no further: {error}. Do it again.") from error
    return keep_as if was_there else None


def fill_shelf(service: Service) -> None:
    """Make the shelf anew from the restored registry, though that may be empty."""
    (service.shelf.folder / "pointer.json").unlink(missing_ok=True)
    sync(service.shelf.folder, service.store.registry, thoroughly=True)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Make a folder for its owner alone beside a file, and take it away in the end."""
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.absolute().parent) as folder:
        yield Path(folder)


def _private(path: Path) -> Path:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def _pack(target: Path, files: list[Path]) -> None:
    with _private(target).open("wb") as sink:
        with tarfile.open(fileobj=sink, mode="w") as tar:
            for path in files:
                entry = tarfile.TarInfo(path.name)
                entry.size, entry.mode, entry.mtime = path.stat().st_size, 0o600, int(time.time())
                with path.open("rb") as file:
                    tar.addfile(entry, file)
        sink.flush()
        os.fsync(sink.fileno())


def _unpack(source: Path, folder: Path) -> set[str]:
    names: set[str] = set()
    with tarfile.open(source, "r:") as tar:
        for entry in tar:
            _check_entry(entry, names)
            names.add(entry.name)
            content = tar.extractfile(entry)
            if content is None:
                raise ValueError(f"{entry.name} is empty")
            with content, _private(folder / entry.name).open("wb") as file:
                copyfileobj(content, file, 2**20)
                file.flush()
                os.fsync(file.fileno())
            if entry.name in KEYS:
                _check_key(folder / entry.name)
    if DATABASE not in names:
        raise ValueError(f"there is no {DATABASE} in it")
    return names


def _check_entry(entry: tarfile.TarInfo, names: set[str]) -> None:
    shown = ascii(entry.name[:80])
    if entry.name not in (DATABASE, *KEYS) or entry.name in names:
        raise ValueError(f"{shown} has no place in it")
    if not entry.isreg() or entry.issparse():
        raise ValueError(f"{shown} is not a plain file")
    if entry.name in KEYS and entry.size > MOST_KEY_BYTES:
        raise ValueError(f"{shown} is too long for a key")


def _check_key(path: Path) -> None:
    text = path.read_text("ascii").strip()
    if not text or not text.isprintable():
        raise ValueError(f"{path.name} is not a key")


def _free_name(path: Path) -> Path:
    """Return a name beside a file that no earlier restore has used."""
    first = path.with_name(f"{path.name}.before-restore")
    others = (first.with_name(f"{first.name}.{number}") for number in count(2))
    return next(name for name in chain([first], others) if not name.exists())


def _put_key(path: Path, data: bytes) -> None:
    if path.exists():
        if path.read_bytes() == data:
            return
        os.link(path, _free_name(path))
    draft = _private(path.with_name(f".{path.name}.{secrets.token_hex(8)}"))
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
