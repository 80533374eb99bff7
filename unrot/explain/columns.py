"""The columns that an estimator sees, made of a row feature by feature.

Scalers, imputers and encoders make each column of one feature. That is all that is kept of them: of
a number a slope, an offset and what stands for a gap; of a choice the columns of each value. A
pipeline whose columns mix features (a PCA, products) has no such form.

    >>> parts = (Part(0, (0,), slopes=(0.5,), offsets=(1.0,), gap=(3.0,)),
    ...          Part(1, (1, 2), values=("a", "b"), table=((1, 0), (0, 1)), unseen=(0, 0)))
    >>> Columns(3, parts, (0.0, 0.0, 0.0)).of([4.0, "b"]).tolist()
    [3.0, 0.0, 1.0]
    >>> Columns(3, parts, (0.0, 0.0, 0.0)).of([None, "other"]).tolist()
    [3.0, 0.0, 0.0]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Row, Value

Floats = NDArray[np.float64]
Told = Sequence[float]


@dataclass(frozen=True)
class Part:
    """The columns that are made of one feature."""

    feature: int
    columns: Sequence[int]
    slopes: Told = ()
    offsets: Told = ()
    """Of a number, for each column; or else `values` and `table`."""
    values: Sequence[Value] = ()
    table: Sequence[Told] = ()
    """What each value is in each column."""
    unseen: Told = ()
    gap: Told = ()

    @cached_property
    def places(self) -> Mapping[Value, Told]:
        """The columns of each value."""
        return dict(zip(self.values, self.table, strict=True))

    def of(self, value: Value) -> Told:
        """Return the columns of a value; NaN where none are known."""
        nothing = [math.nan] * len(self.columns)
        if value is None:
            return self.gap or nothing
        if self.values:
            return self.places.get(value, self.unseen or nothing)
        number = float(value)
        return [a * number + b for a, b in zip(self.slopes, self.offsets, strict=True)]


@dataclass(frozen=True)
class Columns:
    """All columns of an estimator; those of no feature are the same in every row."""

    width: int
    parts: Sequence[Part]
    constants: Told

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """The feature of each column; -1 for a constant."""
        owners = np.full(self.width, -1)
        for part in self.parts:
            owners[list(part.columns)] = part.feature
        return owners

    def of(self, row: Row) -> Floats:
        """Return the columns of a row."""
        made = np.array(self.constants, dtype=np.float64)
        for part in self.parts:
            made[list(part.columns)] = part.of(row[part.feature])
        return made

    def to_json(self) -> dict[str, Any]:
        """Write it; a NaN becomes null."""
        parts = [asdict(part) for part in self.parts]
        return {"width": self.width, "parts": parts, "constants": list(self.constants)}

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> Columns:
        """Read what `to_json` wrote."""
        parts = [_part(one) for one in told["parts"]]
        return Columns(told["width"], parts, _numbers(told["constants"]))


def _part(told: Mapping[str, Any]) -> Part:
    named = {name: _numbers(told[name]) for name in ("slopes", "offsets", "unseen", "gap")}
    table = [_numbers(line) for line in told["table"]]
    return Part(told["feature"], told["columns"], values=told["values"], table=table, **named)


def _numbers(told: Sequence[float | None]) -> list[float]:
    return [math.nan if one is None else one for one in told]
