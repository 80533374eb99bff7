"""How much one visitor may ask for, counted for all processes of a machine in one small file.

A limit is an allowance for a stretch of time, such as 600 verdicts a minute. Each visitor has a
bucket for each limit that drains at that rate: what is asked for is poured in, and what would not
fit is refused, with the seconds until it will. A bucket is nothing but the moment at which it will
be empty (the generic cell rate algorithm), so it needs no clock of its own and forgets by itself.

The buckets lie in a table of fixed size that every process maps into memory. A visitor's place is
found by a hash; where all the places that it may have are taken, the bucket that is emptied soonest
gives way, so that a crowd of made-up visitors can make the table forget, never grow.

What is asked for thousands of times a second, in small amounts, is drawn from a bucket in shares:
a process pours a share in, and spends it without asking the others.

Where the disk has no room for the table, nobody is sent away for that: each process counts in its
own memory, and asks for room again a minute later.

>>> from tempfile import mkdtemp
>>> limits = Limits(Path(mkdtemp()) / "limits", {"votes": Limit(2, 60.0)}, clock=lambda: 1e9)
>>> [limits.pour("votes", "ada", 1) for _ in range(3)], limits.pour("votes", "bob", 1)
([0.0, 0.0, 30.0], 0.0)
>>> [(one.limit, one.subject, one.times) for one in limits.refused()]
[('votes', 'ada', 1)]
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from unrot.core.errors import TooMany
from unrot.core.ports import Clock
from unrot.core.records import Caller
from unrot.core.settings import Settings
from unrot.core.time import DAY, MINUTE

GROUPS, WIDTH = 2_048, 8
"""A visitor's bucket lies in one of the places of its group."""

_BUCKET = struct.Struct("<QdIHH12sxxxx")
"""Whose it is, when it is empty, how often it was full, of which limit, and who that is."""

_GROUP_BYTES = WIDTH * _BUCKET.size
_FREE, _NO_FILE = 0, -1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """So much in so many seconds; all of it may come at once. Nothing is as much as comes."""

    most: float
    seconds: float


GUESSES, VERDICTS = "guesses of a token", "verdicts"
BYTES, BYTES_OF_TOKEN = "bytes", "bytes with a token"
EXPLANATIONS = "explanations"
SIGN_INS = "sessions"

MOST_EXPLANATIONS = 120
"""In a minute, what-ifs among them: as many as sliders that are moved all the time ask for."""

MOST_SIGN_INS = 200
"""In a day, with one token from one address: each is written into the audit log, which is kept."""

RULE_COSTS = 10
"""Finding a rule takes as long as so many of these."""

AGAIN_SECONDS = 60.0
"""So long a process counts alone before it asks the disk for room once more."""

SHARES = 16_384
"""So many shares an allowance has: a day's of 1 GB those of 64 kB, some hundred predictions."""

MOST_SHARES = 4_096
"""Of so many visitors a process remembers what is left of their shares."""

REMEDIES = {
    BYTES: "More came from this address today than one visitor may add: send a token, or wait.",
    BYTES_OF_TOKEN: "More came with this token today than one may add: wait, or ask the operator "
    "for more (UNROT_DAILY_BYTES_OF_TOKEN).",
}


def limits_of(settings: Settings) -> dict[str, Limit]:
    """Return what one visitor may ask for."""
    return {
        GUESSES: Limit(20, MINUTE),
        VERDICTS: Limit(settings.most_verdicts, MINUTE),
        BYTES: Limit(settings.daily_bytes, DAY),
        BYTES_OF_TOKEN: Limit(settings.daily_bytes_of_token, DAY),
        EXPLANATIONS: Limit(MOST_EXPLANATIONS, MINUTE),
        SIGN_INS: Limit(MOST_SIGN_INS, DAY),
    }


@dataclass(frozen=True, slots=True)
class Refused:
    """A visitor who asked for more than is given."""

    limit: str
    subject: str
    times: int
    until: float


@dataclass(frozen=True, slots=True)
class _Bucket:
    owner: int = _FREE
    empty_at: float = 0.0
    refused: int = 0
    limit: int = 0
    subject: bytes = b""


class Limits:
    """The table of a home folder, as one process sees it."""

    def __init__(
        self, path: Path, limits: Mapping[str, Limit], *, clock: Clock = time.time
    ) -> None:
        self._path = path
        self._limits = limits
        self._names = list(limits)
        self._clock = clock
        self._guard = threading.Lock()
        self._left: dict[tuple[str, str], float] = {}
        self._file = _NO_FILE
        self._table: mmap.mmap | None = None
        self._made_at = 0.0
        os.register_at_fork(after_in_child=self._begin_anew)

    def pour(self, limit: str, subject: str, amount: float) -> float:
        """Take something in and return 0; where it does not fit, the seconds until it does."""
        known, now = self._limits[limit], self._clock()
        if not known.most:
            return 0.0
        owner = _owner(limit, subject)
        with self._group(owner % GROUPS) as (table, start):
            place, bucket = _find(table, start, owner)
            empty_at = max(bucket.empty_at, now) + amount * known.seconds / known.most
            wait = empty_at - now - known.seconds
            # What can never fit waits until the bucket is empty, and is taken then.
            if wait > 0 and bucket.empty_at > now:
                number = self._names.index(limit)
                kept = (owner, bucket.empty_at, min(bucket.refused + 1, 2**32 - 1), number, 0)
                _BUCKET.pack_into(table, place, *kept, subject.encode()[:12])
                return min(wait, bucket.empty_at - now)
            number = self._names.index(limit)
            _BUCKET.pack_into(
                table, place, owner, empty_at, bucket.refused, number, 0, subject.encode()[:12]
            )
        return 0.0

    def spend(self, limit: str, subject: str, amount: float) -> float:
        """Pour a little in as part of a share, which costs others nothing to know; else as `pour`.

        What a process holds of a share is counted already, so that no more is taken than is given.
        """
        key = limit, subject
        with self._guard:
            left = self._left.get(key, 0.0) - amount
            if left >= 0.0:
                self._left[key] = left
                return 0.0
        share = max(amount, self._limits[limit].most / SHARES)
        if wait := self.pour(limit, subject, share):
            return wait
        with self._guard:
            if len(self._left) >= MOST_SHARES:
                self._left.clear()
            self._left[key] = self._left.get(key, 0.0) + share - amount
        return 0.0

    def admit_verdicts(self, caller: Caller, count: int, size: int) -> None:
        """Take in verdicts of so many bytes; raise TooMany. With a token any number is taken."""
        is_counted = caller.role == "anyone" and caller.subject
        if is_counted and (wait := self.pour(VERDICTS, caller.subject, count)):
            said = "Too many verdicts from one address in this time: wait, or send a token."
            self._refuse(caller, said, wait)
        self.admit(caller, size)

    def admit_explaining(self, caller: Caller, count: int = 1) -> None:
        """Take in what is to be explained; raise TooMany. With a token any number is taken."""
        is_counted = caller.role == "anyone" and caller.subject
        if is_counted and (wait := self.pour(EXPLANATIONS, caller.subject, count)):
            said = "Too many explanations and what-ifs from one address in this time: "
            self._refuse(caller, f"{said}wait, or send a token.", wait)

    def admit(self, caller: Caller, size: int) -> None:
        """Take in bytes that are about to be kept; raise TooMany.

        Whoever has no address comes from this machine.
        """
        if not caller.subject:
            return
        limit, subject = _allowance_of(caller)
        if wait := self.spend(limit, subject, size):
            self._refuse(caller, REMEDIES[limit], wait)

    def _refuse(self, caller: Caller, said: str, wait: float) -> NoReturn:
        """Raise TooMany; who has sent a token that nobody knows has guessed: another might do."""
        if caller.is_guess:
            self.pour(GUESSES, caller.subject, 1)
        raise TooMany(said, wait)

    def wait_of(self, limit: str, subject: str) -> float:
        """Return how long a visitor has to wait before a full bucket takes something again."""
        known, owner = self._limits[limit], _owner(limit, subject)
        if not known.most:
            return 0.0
        with self._group(owner % GROUPS) as (table, start):
            _, bucket = _find(table, start, owner)
        step = known.seconds / known.most
        return max(0.0, bucket.empty_at + step - self._clock() - known.seconds)

    def refused(self) -> list[Refused]:
        """List the visitors whose buckets overflowed and are not empty yet, the fullest first."""
        now, found = self._clock(), []
        table = self._mapped()
        for place in range(0, GROUPS * _GROUP_BYTES, _BUCKET.size):
            _, empty_at, times, number, _, subject = _BUCKET.unpack_from(table, place)
            if times and empty_at > now and number < len(self._names):
                name = subject.rstrip(b"\0").decode("ascii", "replace")
                found.append(Refused(self._names[number], name, times, empty_at))
        return sorted(found, key=lambda one: -one.times)

    @contextmanager
    def _group(self, number: int) -> Iterator[tuple[mmap.mmap, int]]:
        """Be the only one of all processes at the places of one group."""
        self._mapped()
        start = number * _GROUP_BYTES
        with self._guard:
            table, file = self._table, self._file
            assert table is not None
            if file == _NO_FILE:
                yield table, start
                return
            fcntl.lockf(file, fcntl.LOCK_EX, _GROUP_BYTES, start)
            try:
                yield table, start
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN, _GROUP_BYTES, start)

    def _mapped(self) -> mmap.mmap:
        table = self._table
        if table is None or self._is_to_be_made_again():
            with self._guard:
                if self._table is None or self._is_to_be_made_again():
                    self._table = self._made()
                table = self._table
        return table

    def _is_to_be_made_again(self) -> bool:
        return self._file == _NO_FILE and abs(self._clock() - self._made_at) >= AGAIN_SECONDS

    def _made(self) -> mmap.mmap:
        """Map the table; where the disk has no room for it, count in this process for a while."""
        self._made_at = self._clock()
        try:
            return self._map()
        except OSError as error:
            _log.warning("What visitors may ask for is counted by each process alone: %s", error)
            return mmap.mmap(-1, GROUPS * _GROUP_BYTES)

    def _map(self) -> mmap.mmap:
        """Map the file; it gets its blocks now, since a full disk would end who writes later."""
        size = GROUPS * _GROUP_BYTES
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
            table = mmap.mmap(file, size)
        except OSError:
            os.close(file)
            raise
        self._file = file
        return table

    def _begin_anew(self) -> None:
        """After a fork: locks are of one process each, and so are shares."""
        self._guard = threading.Lock()
        self._left = {}


def _allowance_of(caller: Caller) -> tuple[str, str]:
    """Return which allowance a caller has, and as whom."""
    if caller.role == "anyone":
        return BYTES, caller.subject
    return BYTES_OF_TOKEN, caller.called


def _owner(limit: str, subject: str) -> int:
    """Return the number of a bucket; never that of a free one."""
    digest = hashlib.blake2b(f"{limit}\0{subject}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _find(table: mmap.mmap, start: int, owner: int) -> tuple[int, _Bucket]:
    """Return the place of a bucket and what is in it; of a new one the place that is freest."""
    freest, soonest = start, float("inf")
    for place in range(start, start + _GROUP_BYTES, _BUCKET.size):
        found, empty_at, refused, limit, _, subject = _BUCKET.unpack_from(table, place)
        if found == owner:
            return place, _Bucket(found, empty_at, refused, limit, subject)
        if empty_at < soonest:
            freest, soonest = place, empty_at
    return freest, _Bucket()
