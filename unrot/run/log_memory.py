"""What a machine remembers of the end of the audit log, beside the store and not in it.

Whoever can write to a store can take entries from the end of the log, and the fact that says which
is the last with them: what is left is whole. So the home folder keeps the number and the digest of
the newest entry that was made or verified here, in a file for each store.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

BYTES = 128


class End(NamedTuple):
    """The newest entry that is known of."""

    number: int
    digest: str


NOTHING = End(0, "")


class LogMemory:
    """The file; without a path nothing is remembered."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def end(self) -> End:
        """Return the newest entry that was seen here; one of number 0 where there was none."""
        if self._path is None:
            return NOTHING
        with suppress(OSError):
            return _parsed(self._path.read_bytes())
        return NOTHING

    def advance(self, end: End, follows: Callable[[End], bool]) -> None:
        """Remember a newer end that follows the one that is remembered, as somebody tells.

        A disk that is full keeps nobody from his work.
        """
        if self._path is None:
            return
        with suppress(OSError), _locked(self._path) as file:
            known = _parsed(os.pread(file, BYTES, 0))
            if end.number > known.number and (known == NOTHING or follows(known)):
                # Always of the same length, so that there is never a part of another behind it.
                os.pwrite(file, f"{end.number:012d} {end.digest}\n".encode(), 0)

    def forget(self) -> None:
        """Remember nothing any more: somebody says that the log may end where it does."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def memory_of(home: Path, store_url: str) -> LogMemory:
    """Return what a home folder remembers of a store, whose password may change."""
    parts = urlsplit(store_url)
    asked = [pair for pair in parse_qsl(parts.query) if pair[0] != "password"]
    where = parts.netloc.rpartition("@")[2] + parts.path + (urlencode(asked) if asked else "")
    if parts.scheme == "sqlite" and Path(where.removeprefix("/")).parent == home:
        where = Path(where).name  # A home folder may be moved, with the store in it.
    name = hashlib.sha256(f"{parts.scheme}:{where}".encode()).hexdigest()[:16]
    return LogMemory(home / f"audit-log-{name}")


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _parsed(text: bytes) -> End:
    number, _, digest = text.decode("ascii", "replace").strip().partition(" ")
    return End(int(number), digest) if number.isdecimal() and len(digest) == 64 else NOTHING
