"""Rows of numbers alone, which numpy holds as one table; for everybody else they are rows.

>>> table = as_table([[1.5, 2.0], [0.5, -1.0]])
>>> table[1], list(table[:1]), table.numbers.max(axis=0).tolist()
([0.5, -1.0], [[1.5, 2.0]], [1.5, 2.0])
>>> as_table([[1.5, None], [1.0, 2.0]])
[[1.5, None], [1.0, 2.0]]
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

_LITTLE_ENDIAN = np.dtype("<f8")
_BYTES = _LITTLE_ENDIAN.itemsize


class Table(Sequence[list[float]]):
    """A row of numbers is made a list when it is asked for."""

    def __init__(self, numbers: NDArray[np.float64]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> list[float]: ...
    @overload
    def __getitem__(self, at: slice) -> Table: ...
    def __getitem__(self, at: int | slice) -> list[float] | Table:
        if isinstance(at, slice):
            # One in so many is copied, or it would hold all the others in memory.
            return Table(self.numbers[at] if at.step is None else self.numbers[at].copy())
        row: list[float] = self.numbers[at].tolist()
        return row

    def __iter__(self) -> Iterator[list[float]]:
        return iter(self.numbers.tolist())

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.array(self.numbers, dtype=dtype, copy=copy)

    def to_json(self) -> dict[str, Any]:
        """Write it to the last bit, without a digit of it being printed."""
        data = self.numbers.astype(_LITTLE_ENDIAN, copy=False).tobytes()
        return {"width": self.numbers.shape[1], "numbers": b2a_base64(data, newline=False).decode()}

    @staticmethod
    def from_json(told: Sequence[Any], counts: Sequence[int]) -> Table:
        """Read tables of so many rows, one below the other; ValueError or so for anything else."""
        [width] = {one["width"] for one in told}
        parts = [a2b_base64(one["numbers"], strict_mode=True) for one in told]
        if [len(part) for part in parts] != [_BYTES * width * count for count in counts]:
            raise ValueError("A table of another size.")
        numbers = np.frombuffer(b"".join(parts), _LITTLE_ENDIAN).reshape(sum(counts), width)
        return Table(numbers.astype(np.float64))

    @property
    def columns(self) -> list[NDArray[np.float64]]:
        """The table turned over."""
        return list(np.ascontiguousarray(self.numbers.T))


def as_table(rows: Sequence[Any]) -> Sequence[Any]:
    """Return rows of floats, all of one length, as a table; others as they are."""
    if isinstance(rows, Table) or not rows or not rows[0]:
        return rows
    if set(map(type, rows)) != {list} or len(widths := set(map(len, rows))) > 1:
        return rows
    if set(map(type, chain.from_iterable(rows))) != {float}:
        return rows
    count, [width] = len(rows), widths
    numbers = np.fromiter(chain.from_iterable(rows), np.float64, count * width)
    return Table(numbers.reshape(count, width))


def where(column: Sequence[Any], keep: NDArray[np.bool_]) -> Sequence[Any]:
    """Return what of a column, or of a table, is to be kept."""
    if isinstance(column, Table):
        return Table(column.numbers[keep])
    return list(compress(column, keep))


def joined(columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """Return columns, or tables, as one."""
    tables = [one.numbers for one in columns if isinstance(one, Table)]
    if len(tables) == len(columns) and len({one.shape[1] for one in tables}) == 1:
        return Table(np.concatenate(tables))
    return list(chain.from_iterable(columns))
