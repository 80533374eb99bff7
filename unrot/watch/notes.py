"""Notes of monitors as JSON has them: dataclasses are written and read by what they are made of.

What a monitor remembers between two looks is a dataclass of numbers, texts, lists, tables and other
dataclasses. JSON makes lists of tuples, sets and arrays, and texts of keys; the types say what they
were. What a note lacks is as at the beginning.

    >>> from unrot.watch.worth.repeats import Repeats
    >>> write_note(Repeats([7], {3, 1}))["old"]
    [1, 3]
    >>> read_note(Repeats, {"old": [1, 3], "batches": 2})
    Repeats(newest=[], old={1, 3}, between=set(), young=set(), sampled=1, batches=2)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")

_types_of = lru_cache(maxsize=64)(get_type_hints)


def write_note(value: Any) -> Any:
    """Return what JSON has of a value."""
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
    found: T = _read(of, written)
    return found


def _read(of: Any, written: Any) -> Any:
    kind, parts = get_origin(of) or of, get_args(of)
    if kind in (Union, UnionType):
        return None if written is None else _read(parts[0], written)
    if isinstance(kind, type) and is_dataclass(kind):
        known = {name: part for name, part in _types_of(kind).items() if name in written}
        return kind(**{name: _read(part, written[name]) for name, part in known.items()})
    if kind is np.ndarray:
        return np.array(written)
    if kind in (dict, Mapping):
        return {parts[0](key): _read(parts[1], one) for key, one in written.items()}
    if kind is tuple and parts[-1] is not ...:
        return tuple(_read(part, one) for part, one in zip(parts, written, strict=True))
    if kind in (tuple, list, set, Sequence):
        many = list if kind is Sequence else kind
        return many(_read(parts[0], one) for one in written)
    return written
