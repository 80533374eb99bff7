"""Write the cells of a Parquet file as JSON lines: a process of its own that does this and ends.

    python -I -S parquet_child.py FILE_DESCRIPTOR FOLDER_OF_LIBRARIES…

What a file says of itself may be anything, and pyarrow takes its word: 49 bytes end the process
that reads them, and a few kilobytes fill its memory. So this one has bounds, and nothing of ours in
it. It writes how many rows there are and what the columns hold, reads which of them are wanted, and
writes a list for each row. What JSON has no word for is an object, empty but for a number (NaN).
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import repeat
from typing import Any

ROWS_AT_ONCE, CELLS_AT_ONCE = 1_000, 50_000
SECONDS = 10
"""Of the processor, for so many rows."""
MOST_MEMORY = 128 * 2**20
"""Beside what the libraries take."""
FULL = 3
"""How it ends when there was too little memory."""
CELLS = (
    *("boolean", "integer", "floating", "decimal", "temporal", "null"),
    *("string", "large_string", "string_view"),
)
NOT_NEEDED = ("numpy", "pandas", "cloudpickle", "fsspec")
"""pyarrow does without, and starts in a third of the time."""


def write_cells(descriptor: int) -> None:
    """Read a file and write what is wanted of it."""
    import orjson
    import pyarrow
    from pyarrow import parquet

    pyarrow.set_cpu_count(1)
    bound_memory()
    file = parquet.ParquetFile(os.fdopen(descriptor, "rb"), buffer_size=2**16, pre_buffer=False)
    schema, out = file.schema_arrow, sys.stdout.buffer
    columns = [(one.name, f"{one.type}"[:200], is_any(one.type, CELLS)) for one in schema]
    how = orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATETIME
    out.write(orjson.dumps([file.metadata.num_rows, columns], option=how))
    out.flush()
    names = orjson.loads(sys.stdin.buffer.readline())
    rows = min(ROWS_AT_ONCE, CELLS_AT_ONCE // max(1, len(names)) or 1)
    allow_time()
    for batch in file.iter_batches(rows, columns=names, use_threads=False):
        cells = [cells_of(batch.column(name)) for name in names]
        for row in zip(*cells, strict=True) if cells else repeat((), batch.num_rows):
            out.write(orjson.dumps(row, lambda _: {}, how))
        out.flush()
        allow_time()


def is_any(held: Any, kinds: Sequence[str]) -> bool:
    """Tell whether a column, or the dictionary that it points to, is of one of some kinds."""
    from pyarrow import types

    kind = held.value_type if types.is_dictionary(held) else held
    return any(getattr(types, f"is_{one}")(kind) for one in kinds)


def cells_of(column: Any) -> Sequence[Any]:
    """Return cells as JSON can have them."""
    if is_any(column.type, ["temporal"]):
        return [{} if cell.is_valid else None for cell in column]
    cells: list[Any] = column.to_pylist()
    if is_any(column.type, ["floating"]):
        return [one if one is None or one - one == 0 else {"number": str(one)} for one in cells]
    return cells


def bound_memory() -> None:
    """Leave room for so much more than what is taken, where Linux tells how much that is."""
    with suppress(OSError), open("/proc/self/statm") as told:
        taken = int(told.read().split()[0]) * resource.getpagesize()
        bound(resource.RLIMIT_AS, taken + MOST_MEMORY)


def allow_time() -> None:
    """Let the next rows take their time."""
    bound(resource.RLIMIT_CPU, int(time.process_time()) + SECONDS)


def bound(kind: int, most: int) -> None:
    """Bound something of this process; what was bounded more narrowly stays so."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    bound(resource.RLIMIT_CORE, 0)
    allow_time()
    os.nice(5)
    sys.path += sys.argv[2:]
    sys.modules.update(dict.fromkeys(NOT_NEEDED))  # type: ignore[arg-type]  # None: it is not there
    try:
        write_cells(int(sys.argv[1]))
    except MemoryError:
        os._exit(FULL)
    except BaseException:
        os._exit(1)
    os._exit(0)
