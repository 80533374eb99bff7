"""Predictions as columns, from the journal's lines to batches, windows, profiles and outliers.

A busy machine has thousands of them a second. Columns are read, counted and packed by numpy; an
object a row would cost more than all else that is done with it.

>>> made = [Prediction(f"p{n}", "elves", "v1", 7.5, [1.5], "elf", [0.7, 0.3], None) for n in (1, 2)]
>>> rows = Rows.of(made)
>>> rows.ids, rows[1] == made[1], rows == made
(('p1', 'p2'), True, True)
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from unrot.core.errors import NotSigned
from unrot.core.ids import ID_BYTES, ID_LETTERS, place_in_journal
from unrot.core.records import ModelKey, Prediction, Row
from unrot.core.table import Table, as_table, joined, where

INPUTS, PROBABILITIES = 4, 6
NAMES = tuple(entry.name for entry in fields(Prediction))
_LETTERS = re.compile(r"[A-Za-z0-9_-]*")
_values_of = attrgetter(*NAMES)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Where the lines of predictions stood: what their ids tell."""

    segments: Sequence[str]
    rows: Sequence[int]
    model_numbers: Sequence[int]


@dataclass(frozen=True, eq=False)
class Rows(Sequence[Prediction]):
    """Predictions, a column for each of their fields; one is made an object where it is asked."""

    ids: Sequence[str | None] = ()
    models: Sequence[ModelKey] = ()
    versions: Sequence[str] = ()
    times: Sequence[float] = ()
    inputs: Sequence[Row] = ()
    labels: Sequence[str | None] = ()
    probabilities: Sequence[Sequence[float] | None] = ()
    values: Sequence[float | None] = ()
    seconds: Sequence[float] = ()

    @staticmethod
    def of(predictions: Sequence[Prediction]) -> Rows:
        """Return predictions as columns."""
        if isinstance(predictions, Rows):
            return predictions
        return Rows.read(map(_values_of, predictions))

    @staticmethod
    def read(told: Iterable[Sequence[Any]]) -> Rows:
        """Return predictions of which each is told by its fields."""
        columns: list[Sequence[Any]] = list(zip(*told, strict=True))
        if not columns:
            return Rows()
        columns[INPUTS] = as_table(columns[INPUTS])
        columns[PROBABILITIES] = as_table(columns[PROBABILITIES])
        return Rows(*columns)

    @staticmethod
    def together(parts: Sequence[Rows]) -> Rows:
        """Return several as one."""
        parts = [part for part in parts if len(part)]
        if len(parts) < 2:
            return parts[0] if parts else Rows()
        columns = zip(*(part.columns for part in parts), strict=True)
        return Rows(*map(joined, columns))

    @property
    def columns(self) -> tuple[Sequence[Any], ...]:
        """The columns in the order of a prediction's fields."""
        return (
            self.ids,
            self.models,
            self.versions,
            self.times,
            self.inputs,
            self.labels,
            self.probabilities,
            self.values,
            self.seconds,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> Prediction: ...
    @overload
    def __getitem__(self, at: slice) -> Rows: ...
    def __getitem__(self, at: int | slice) -> Prediction | Rows:
        told: list[Any] = [column[at] for column in self.columns]
        if isinstance(at, int):
            return Prediction(*told)
        part, raw = Rows(*told), self.__dict__.get("raw_ids")
        if raw is not None:
            part.__dict__["raw_ids"] = raw[at]  # what ids are made of is read once
        return part

    def __iter__(self) -> Iterator[Prediction]:
        return map(Prediction, *self.columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def where(self, keep: Sequence[bool]) -> Rows:
        """Return those that are to be kept."""
        kept = np.array(keep, dtype=bool)
        return Rows(*(where(column, kept) for column in self.columns))

    def parted(self, *columns: Sequence[Any]) -> Iterator[tuple[tuple[Any, ...], Rows]]:
        """Part them by what some columns hold, in their order; most often all are alike."""
        if not len(self):
            return
        if all(column.count(column[0]) == len(column) for column in columns):
            yield tuple(column[0] for column in columns), self
            return
        keys = list(zip(*columns, strict=True))
        for found in dict.fromkeys(keys):
            yield found, self.where([key == found for key in keys])

    @cached_property
    def raw_ids(self) -> NDArray[np.uint8] | None:
        """The bytes of ids of our own make; None where one is not."""
        return raw_ids(self.ids)

    @cached_property
    def places(self) -> Places:
        """Where they stood."""
        return _places(self.raw_ids, self.ids)

    @cached_property
    def moments(self) -> Floats:
        """The times as an array."""
        return np.array(self.times, dtype=np.float64)

    def by_version(self) -> Iterator[tuple[tuple[Any, ...], Rows]]:
        """Part them by model and version."""
        return self.parted(self.models, self.versions)

    @cached_property
    def most_likely(self) -> Floats:
        """The largest probability of each; NaN where it has none."""
        held = self.probabilities
        if isinstance(held, Table):
            found: Floats = held.numbers.max(axis=1)
            return found
        return np.array([max(one) if one else np.nan for one in held], dtype=np.float64)


def places_of(ids: Sequence[str | None]) -> Places:
    """Return where predictions stood; an id of other make stands alone."""
    return _places(raw_ids(ids), ids)


def _places(raw: NDArray[np.uint8] | None, ids: Sequence[str | None]) -> Places:
    if raw is None:
        found = [_place_of(id or "") for id in ids]
        return Places(*map(list, zip(*found, strict=True))) if found else Places((), (), ())
    segments = raw[:, 4:9]
    if (segments == segments[0]).all():
        named = [segments[0].tobytes().hex()] * len(raw)
    else:
        named = [segment.tobytes().hex() for segment in segments]
    rows = raw[:, 9:13].copy().view(">u4").ravel().tolist()
    return Places(named, rows, raw[:, 13:15].copy().view(">u2").ravel().tolist())


def raw_ids(ids: Sequence[str | None]) -> NDArray[np.uint8] | None:
    """Return the bytes of ids of our own make, a row each; None where one is not."""
    held = [id or "" for id in ids]
    letters = "".join(held)
    if set(map(len, held)) != {ID_LETTERS} or not _LETTERS.fullmatch(letters):
        return None
    return np.frombuffer(base64.urlsafe_b64decode(letters), np.uint8).reshape(-1, ID_BYTES)


def _place_of(id: str) -> tuple[str, int, int]:
    try:
        return place_in_journal(id)
    except NotSigned:
        return f"~{id}", 0, 0
