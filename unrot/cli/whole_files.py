"""Files that a command writes: whole or not there, whatever ends it."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from unrot.core.errors import Conflict, Invalid

STANDARD_OUTPUT = Path("-")


@contextmanager
def written(path: Path, *, force: bool, source: Path | None = None) -> Iterator[IO[bytes]]:
    """Open what is a file once all has gone well; a device or a pipe is just written."""
    try:
        with _opened(path, force=force, source=source) as file:
            yield file
            file.flush()
    except OSError as error:
        said = "The standard output" if path == STANDARD_OUTPUT else str(path)
        raise Invalid(f"{said} cannot be written: {error.strerror}.") from error


def _opened(path: Path, *, force: bool, source: Path | None) -> AbstractContextManager[IO[bytes]]:
    if path == STANDARD_OUTPUT:
        return nullcontext(sys.stdout.buffer)
    check_free(path, force=force, source=source)
    if path.exists() and not path.is_file():
        return path.open("wb")
    return _draft_of(path.resolve())


def check_free(path: Path, *, force: bool, source: Path | None = None) -> None:
    """Raise for a place where no file can be written; one that is there only `force` replaces."""
    if path.is_dir():
        raise Invalid(f"{path} is a folder: name a file in it, such as {path / 'out.csv'}.")
    if not path.exists():
        return
    if source is not None and path.samefile(source):
        raise Invalid(f"{path} is the file that is read: choose another name for the answer.")
    if path.is_file() and not force:
        raise Conflict(f"{path} is there already: choose another name, or add --force.")


@contextmanager
def _draft_of(path: Path) -> Iterator[IO[bytes]]:
    """Write beside a file and take its place at the end; what a killed run left is written over."""
    draft = path.with_name(f".{path.name}.unfinished")
    with draft.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"Another command is writing {path}: let it finish.") from error
        try:
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
