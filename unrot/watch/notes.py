"""Notes of monitors as JSON has them: dataclasses are written and read by what they are made of.

What a monitor remembers between two looks is a dataclass of numbers, texts, lists, tables and other
dataclasses. JSON makes lists of tuples, sets and arrays, and texts of keys; the types say what they
were. What a note lacks is as at the beginning. A type is looked at once, because rounds read and
write thousands of numbers of each model.

    >>> from unrot.watch.worth.repeats import Repeats
    >>> write_note(Repeats([7], {3, 1}))["old"]
    [1, 3]
    >>> read_note(Repeats, {"old": [1, 3], "batches": 2})
    Repeats(newest=[], old={1, 3}, between=set(), young=set(), sampled=1, batches=2)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")

Reader = Callable[[Any], Any]


def write_note(value: Any) -> Any:
    """Return what JSON has of a value."""
    if value is None or isinstance(value, str | float | int):
        return value
    if is_dataclass(value):
        return {one.name: write_note(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): write_note(one) for key, one in value.items()}
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [write_note(one) for one in value] if isinstance(value, list | tuple) else value


def read_note(of: type[T], written: Any) -> T:
    """Return what was written of a type; whatever else stands there is left alone."""
    kind: Any = of
    found: T = _reader_of(kind)(written)
    return found


@cache
def _reader_of(of: Any) -> Reader:
    """Return what reads a type."""
    kind, parts = get_origin(of) or of, get_args(of)
    if kind in (Union, UnionType):
        return _read_if_there(_reader_of(parts[0]))
    if isinstance(kind, type) and is_dataclass(kind):
        return _read_fields(kind, {n: _reader_of(part) for n, part in get_type_hints(kind).items()})
    if kind is np.ndarray:
        return np.array
    if kind in (dict, Mapping):
        return _read_table(parts[0], _reader_of(parts[1]))
    if kind is tuple and parts[-1] is not ...:
        return _read_each([_reader_of(part) for part in parts])
    if kind in (tuple, list, set, Sequence):
        return _read_all(list if kind is Sequence else kind, _reader_of(parts[0]))
    return _as_it_is


def _as_it_is(written: Any) -> Any:
    return written


def _read_if_there(read: Reader) -> Reader:
    return lambda written: None if written is None else read(written)


def _read_fields(kind: type, readers: Mapping[str, Reader]) -> Reader:
    return lambda written: kind(
        **{name: read(written[name]) for name, read in readers.items() if name in written}
    )


def _read_table(read_key: Reader, read: Reader) -> Reader:
    return lambda written: {read_key(key): read(value) for key, value in written.items()}


def _read_each(readers: Sequence[Reader]) -> Reader:
    return lambda written: tuple(read(one) for read, one in zip(readers, written, strict=True))


def _read_all(many: Reader, read: Reader) -> Reader:
    return many if read is _as_it_is else lambda written: many([read(one) for one in written])
