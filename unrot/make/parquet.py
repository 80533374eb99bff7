"""The cells of a Parquet file, as a process of its own reads them (`parquet_child`).

It is killed when nobody reads on, and when it takes too long. Whatever its end was, we say it.
"""

from __future__ import annotations

import math
import os
import select
import subprocess  # nosec B404  # it has no other input than the file
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from signal import SIGKILL, SIGXCPU
from typing import IO, Any

import orjson

from unrot.core.errors import TooLarge, wrong_field
from unrot.make.parquet_child import FULL, SECONDS

CHILD = Path(__file__).with_name("parquet_child.py")
MAGIC = b"PAR1"
LIBRARIES = ("pyarrow", "orjson")
KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
ENVIRONMENT = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1"}
"""With pools and arenas of its own it would take addresses that it does not need."""
LONGEST_LINE = 4_000_000
"""Of a row, and of what the columns are called."""


@contextmanager
def read_parquet(file: IO[bytes]) -> Iterator[ParquetTable]:
    """Read a file until it is let go of.

    Raise ImportError where pyarrow is not installed, ValueError for what cannot be read as Parquet.
    """
    origins = [spec.origin for name in LIBRARIES if (spec := find_spec(name)) and spec.origin]
    if len(origins) < len(LIBRARIES):
        raise ImportError("There is no pyarrow.")
    if os.pread(file.fileno(), len(MAGIC), 0) != MAGIC:
        raise ValueError("It does not begin as Parquet does.")
    folders = [str(Path(origin).parent.parent) for origin in origins]
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    with subprocess.Popen(  # nosec B603  # nothing of it is read by a shell
        [sys.executable, "-I", "-S", str(CHILD), str(file.fileno()), *folders],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**kept, **ENVIRONMENT},
        pass_fds=[file.fileno()],
    ) as child:
        try:
            yield ParquetTable(child)
        finally:
            child.kill()


class ParquetTable:
    """What a file holds: how many rows, as it says itself, and which columns."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None and child.stdout is not None
        self._child, self._wanted, self._out = child, child.stdin, child.stdout.fileno()
        self._ends_at = math.inf
        self.rows, columns = orjson.loads(next(self._read(), b""))
        self.columns: list[str] = [name for name, _, _ in columns]
        self._wrong = {name: kind for name, kind, is_cell in columns if not is_cell}

    def check(self, names: Collection[str]) -> None:
        """Refuse columns that hold no cells of a table, but lists or bytes."""
        for name, kind in self._wrong.items():
            if name in names:
                raise wrong_field(name, kind, "texts, numbers, times, yes or no")

    def cells(
        self, names: Sequence[str], *, most_bytes: float = math.inf, seconds: float = math.inf
    ) -> Iterator[list[Any]]:
        """Go through the rows; of times and decimal numbers nothing is told but that they are."""
        self.check(names)
        self._ends_at, left = time.monotonic() + seconds, most_bytes
        with suppress(BrokenPipeError), self._wanted:
            self._wanted.write(orjson.dumps(names))
        for line in self._read():
            left -= len(line)
            if left < 0:
                raise TooLarge(f"The file holds more than {most_bytes:,} bytes: send parts.")
            row = orjson.loads(line)
            yield [*map(_number, row)] if dict in map(type, row) else row

    def _read(self) -> Iterator[bytes]:
        """Return the lines that the process writes; raise what its end says."""
        begun, waits = b"", select.poll()
        waits.register(self._out, select.POLLIN)
        while True:
            left = min(SECONDS, self._ends_at - time.monotonic())
            if left <= 0 or not waits.poll(1_000 * left):
                raise _too_slow()
            read = os.read(self._out, 2**16)
            if not read:
                return self._check_end(self._child.wait())
            *lines, begun = (begun + read).split(b"\n")
            if len(begun) > LONGEST_LINE:
                raise TooLarge(f"The Parquet file has a row of more than {LONGEST_LINE:,} bytes.")
            yield from lines

    def _check_end(self, code: int) -> None:
        if code in (FULL, -SIGKILL):
            raise TooLarge(
                "The Parquet file takes too much memory to be read: write smaller groups of rows, "
                "or only the columns that are needed."
            )
        if code:
            raise _too_slow() if code == -SIGXCPU else ValueError("It is no Parquet.")


def _too_slow() -> TooLarge:
    return TooLarge("The Parquet file takes too long to be read: send parts.")


def _number(cell: Any) -> Any:
    return float(cell["number"]) if isinstance(cell, dict) and cell else cell
