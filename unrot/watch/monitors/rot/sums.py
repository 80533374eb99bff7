"""Verdicts in their order, summed up so that any stretch of them is two look-ups.

>>> tape = Tape.of([0.0, 1.0, 1.0], [0.0, 60.0, 3_600.0])
>>> told = tape.up_to(2)
>>> told.count, told.wrong[:2].tolist(), tape.up_to(3).wrong[:2].tolist()
(2, [1.0, 0.0], [1.0, 1.0])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrot.core.time import DAY, stratum
from unrot.watch.monitors.rot.usual_hours import KINDS, PROMISE, usual

Numbers = NDArray[Any]

SEEN, EARLIER_SECONDS = 3, 0.5 * DAY
"""A kind of hour is known from so many verdicts on, of half a day before and earlier."""


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
    begins_at: float
    """When the first verdict of the stream was predicted."""
    total: Numbers
    """The wrong ones, summed."""
    strange: Numbers
    """Those of a kind of hour that was not known from an earlier day, summed."""
    least: float
    """At every kind of hour at least about so many are wrong."""

    @classmethod
    def of(
        cls,
        wrong: Sequence[float] | Numbers,
        at: Sequence[float] | Numbers | None = None,
        *,
        behind: Behind | None = None,
        offset: int = 0,
        begins_at: float | None = None,
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
        first = (float(moments[0]) if len(moments) else 0.0) if begins_at is None else begins_at
        at, rows, wrongs = _in_order(moments), placed.cumsum(axis=0), wrongs.cumsum(axis=0)
        behind = behind or Behind.nothing()
        return cls(
            told,
            kinds,
            at,
            rows,
            wrongs,
            far.cumsum(axis=0),
            behind,
            offset,
            bool(len(errors)),
            first,
            np.concatenate([[0.0], np.cumsum(told)]),
            np.concatenate([[0.0], np.cumsum(_strange(at, kinds, behind.rows, rows, first))]),
            _least(behind.rows + rows[-1], behind.wrong + wrongs[-1], ranks=bool(len(errors))),
        )

    def up_to(self, place: int) -> Behind:
        """Return all that lies before a place."""
        return added(self.behind, self, place)


def _in_order(moments: Numbers) -> Numbers:
    return np.maximum.accumulate(moments) if len(moments) else moments


def known(at: Numbers, moments: Numbers, behind: Numbers, rows: Numbers, first: float) -> Numbers:
    """Tell which kinds of hours were known at moments: from an earlier day, not the first.

    A part of a day does not tell how far its hours differ.
    """
    earlier = np.searchsorted(at, moments - EARLIER_SECONDS)
    found: Numbers = (behind + rows[earlier] >= SEEN) & (moments - first >= DAY)[:, None]
    return found


def _strange(at: Numbers, kinds: Numbers, behind: Numbers, rows: Numbers, first: float) -> Numbers:
    found: Numbers = ~known(at, at, behind, rows, first)[np.arange(len(at)), kinds]
    return found


def _least(rows: Numbers, wrong: Numbers, *, ranks: bool) -> float:
    each = usual(rows[None], wrong[None], rows[None], ranks=ranks).each[0]
    return 0.9 * float(each.min())


def added(behind: Behind, tape: Tape, place: int) -> Behind:
    """Return counts with those of the first verdicts that are read."""
    absolute, squared = tape.errors[place].tolist()
    return Behind(
        behind.rows + tape.rows[place],
        behind.wrong + tape.wrongs[place],
        behind.absolute + absolute,
        behind.squared + squared,
    )


def summed(one: Behind, other: Behind, sign: int = 1) -> Behind:
    """Return counts put together, or taken away."""
    return Behind(
        one.rows + sign * other.rows,
        one.wrong + sign * other.wrong,
        one.absolute + sign * other.absolute,
        one.squared + sign * other.squared,
    )


def without_promise(behind: Behind) -> Behind:
    """Leave out what the test set promised."""
    rows, wrong = behind.rows.copy(), behind.wrong.copy()
    rows[PROMISE] = wrong[PROMISE] = 0.0
    return replace(behind, rows=rows, wrong=wrong)
