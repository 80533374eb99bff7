"""Verdicts in their order, summed up so that any stretch of them is two look-ups.

>>> tape = Tape.of([0.0, 1.0, 1.0], [0.0, 60.0, 3_600.0])
>>> told = tape.up_to(2)
>>> told.count, told.wrong[:2].tolist(), tape.up_to(3).wrong[:2].tolist()
(2, [1.0, 0.0], [1.0, 1.0])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.monitors.cycles import stratum
from unrot.monitors.usual import KINDS, PROMISE

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Behind:
    """What lies before the verdicts that are still read one by one, by kind of hour."""

    rows: Numbers
    wrong: Numbers
    absolute: float = 0.0
    """Sums of absolute errors, for numbers."""
    squared: float = 0.0

    @classmethod
    def nothing(cls) -> Behind:
        """Return what lies before the first verdict."""
        return cls(np.zeros(KINDS), np.zeros(KINDS))

    @property
    def count(self) -> int:
        """Return how many verdicts that are."""
        return int(self.rows[:PROMISE].sum())


@dataclass(frozen=True, slots=True)
class Tape:
    """Verdicts in their order, summed up so that any stretch of them is two look-ups."""

    wrong: Numbers
    kinds: Numbers
    at: Numbers
    rows: Numbers
    """How many of each kind of hour came before each place."""
    wrongs: Numbers
    errors: Numbers
    """Absolute errors and their squares, summed, for numbers."""
    behind: Behind
    offset: int
    """How many verdicts of the stream came before."""
    ranks: bool

    @classmethod
    def of(
        cls,
        wrong: Sequence[float] | Numbers,
        at: Sequence[float] | Numbers | None = None,
        *,
        behind: Behind | None = None,
        offset: int = 0,
        errors: Sequence[float] | Numbers = (),
        times: int = 1,
    ) -> Tape:
        """Sum up verdicts, all of one moment where no times are told."""
        told = np.tile(np.asarray(wrong, dtype=np.float64), times)
        moments = np.zeros(len(told)) if at is None else np.asarray(at, dtype=np.float64)
        kinds = np.array([stratum(one) for one in moments.tolist()], dtype=np.intp)
        placed = np.zeros((len(told) + 1, KINDS))
        placed[np.arange(1, len(told) + 1), kinds] = 1.0
        wrongs = placed.copy()
        wrongs[1:] *= told[:, None]
        far = np.zeros((len(told) + 1, 2))
        if len(errors):
            far[1:] = np.stack([np.abs(errors), np.square(errors)], axis=1)
        return cls(
            told,
            kinds,
            np.maximum.accumulate(moments) if len(moments) else moments,
            placed.cumsum(axis=0),
            wrongs.cumsum(axis=0),
            far.cumsum(axis=0),
            behind or Behind.nothing(),
            offset,
            bool(len(errors)),
        )

    def up_to(self, place: int) -> Behind:
        """Return all that lies before a place."""
        absolute, squared = self.errors[place].tolist()
        return Behind(
            self.behind.rows + self.rows[place],
            self.behind.wrong + self.wrongs[place],
            self.behind.absolute + absolute,
            self.behind.squared + squared,
        )
