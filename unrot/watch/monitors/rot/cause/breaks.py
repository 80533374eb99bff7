"""Ways in which a client sends broken rows, and which of them a fall of the verdicts excludes.

Some breaks leave no trace in the rows: where two columns are alike and independent nobody sees
that they are swapped, and the wrong sign of a symmetric one looks like the right one. The verdicts
do tell. Let b be such a break and s the unknown share of rows that it befalls. b undoes itself, so
with b applied once more broken rows are right as the others were, and

    P(wrong as it came and wrong with b)        P(wrong as it came or wrong with b)

are what they were before the fall, whatever s is. Fisher's exact test of the two excludes b, at
`LEVEL` each: so often is a break that did happen taken for excluded. Or the rows exclude it: with b
in the smallest share of rows that could cost half of the fall, those from before would look other
than those since (Kolmogorov-Smirnov and rank correlations with what the mixture would show).

McNemar, Psychometrika 12 (1947) 153-157.

    >>> one = Break("swapped", (0, 2))
    >>> one.done_to([[1.0, 2.0, 3.0]]), one.done_to(one.done_to([[1.0, 2.0, 3.0]]))
    ([[3.0, 2.0, 1.0]], [[1.0, 2.0, 3.0]])
    >>> Break("sign", (1,)).done_to([[1.0, 2.0], [1.0, None], [1.0, True]])
    [[1.0, -2.0], [1.0, None], [1.0, False]]
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np

from unrot.core.records import Row, Value
from unrot.watch.monitors.rot.cause import changed_inputs
from unrot.watch.monitors.rot.cause.changed_inputs import Bonds, Table
from unrot.watch.monitors.rot.cause.fall import (
    EXPLAINED,
    LEVEL,
    MOST_JUDGED,
    SURE,
    Fall,
    Judged,
    more,
)
from unrot.watch.statistics.distances import ks_chance

FIRST = 40
"""Each break is tried on so many judged rows of both sides, what is not excluded on more."""
MOST_TRIED, MOST_SURE = 500, 20
MOST_ASKED, MOST_DEALT = 100, 8_000
STEPS = 200
"""A gap is looked for at so many values of each sample: it may come out smaller, not larger."""


@dataclass(frozen=True, slots=True)
class Break:
    """A way in which a client sends broken rows; done twice it is undone."""

    what: Literal["swapped", "sign"]
    columns: tuple[int, ...]

    def done_to(self, rows: Sequence[Row]) -> list[Row]:
        """Break rows, or mend them."""
        changed = [list(row) for row in rows]
        for row in changed:
            if self.what == "swapped":
                i, j = self.columns
                row[i], row[j] = row[j], row[i]
            else:
                row[self.columns[0]] = _turned(row[self.columns[0]])
        return list(changed)


def _turned(value: Value) -> Value:
    if isinstance(value, bool):
        return not value
    return -value if isinstance(value, int | float) else value


@dataclass(frozen=True, slots=True)
class Trial:
    """What the verdicts say of one break."""

    tried: Break
    is_excluded: bool = False
    mended: float | None = None
    """What share is right once it is undone, where that surely mends it."""


Side = tuple[Judged, Table]
"""Judged rows of one side, and what is answered to them once a break is undone."""


class Breaks:
    """The breaks that may have brought a fall."""

    def __init__(self, fall: Fall) -> None:
        self._fall = fall

    def not_excluded(self, moved: set[int]) -> list[Trial]:
        """Return the breaks that may be, first the one that mends best.

        What moved tells nothing of them: it may have moved for reasons of its own.
        """
        tried = self._worth_trying()
        left = [one for one in tried[:MOST_TRIED] if not self._rows_exclude(one, moved)]
        left = [one.tried for one in self._trials(left, FIRST, 1) if not one.is_excluded]
        trials = self._trials(left[:MOST_SURE], MOST_JUDGED, len(tried))
        open_ones = [one for one in trials if not one.is_excluded]
        open_ones += [Trial(one) for one in (*left[MOST_SURE:], *tried[MOST_TRIED:])]
        return sorted(open_ones, key=lambda one: -(one.mended or 0.0))

    def _worth_trying(self) -> list[Break]:
        """Return the breaks of columns on which enough answers depend."""
        depend, rows = self._influences()
        kinds = [
            (one.kind.replace("integer", "number"), one.choices)
            for one in self._fall.schema.features
        ]
        breaks = [Break("sign", (at,)) for at, (kind, _) in enumerate(kinds) if kind != "category"]
        pairs = combinations(range(len(kinds)), 2)
        breaks += [Break("swapped", pair) for pair in pairs if kinds[pair[0]] == kinds[pair[1]]]
        reach = {one: _at_most(sum(depend[at] for at in one.columns), rows) for one in breaks}
        breaks = [one for one in breaks if reach[one] >= EXPLAINED * self._fall.size]
        return sorted(breaks, key=lambda one: -reach[one])

    def _influences(self) -> tuple[list[float], int]:
        """Return, for each column, what share of so many answers depends on its values."""
        columns = len(self._fall.is_number)
        few = self._fall.was.spread(min(MOST_ASKED, max(FIRST, MOST_DEALT // columns)))
        answers = self._fall.answer(few.rows)
        asked = [row for at in range(columns) for row in self._fall.dealt(few.rows, [at])]
        dealt = self._fall.answer(asked).reshape(columns, len(few.rows))
        share = self._fall.differ(dealt, answers).mean(axis=1)
        return [float(one) for one in share], len(few.rows)

    def _trials(self, breaks: Sequence[Break], count: int, tried: int) -> list[Trial]:
        """Undo each break in so many judged rows of both sides; `tried` are weighed together."""
        if not breaks:
            return []
        was, now = self._fall.was.spread(count), self._fall.now.spread(count)
        both = [*was.rows, *now.rows]
        mended = self._fall.answer([row for one in breaks for row in one.done_to(both)])
        answers = mended.reshape(len(breaks), len(both))
        return [
            self._trial(one, (was, told[: len(was.rows)]), (now, told[len(was.rows) :]), tried)
            for one, told in zip(breaks, answers, strict=True)
        ]

    def _trial(self, one: Break, was: Side, now: Side, tried: int) -> Trial:
        came = [self._fall.wrong(side, side.answered) for side, _ in (was, now)]
        undone = [self._fall.wrong(side, told) for side, told in (was, now)]
        both = more(came[1] & undone[1], came[0] & undone[0])
        either = more(came[1] | undone[1], came[0] | undone[0])
        if min(both, either) < LEVEL:
            return Trial(one, is_excluded=True)
        mended = self._fall.right(*now)
        gained, lost = int((came[1] & mended).sum()), int((~came[1] & undone[1]).sum())
        is_sure = tried * _heads(gained, gained + lost) < SURE
        return Trial(one, mended=float(mended.mean()) if is_sure else None)

    def _rows_exclude(self, one: Break, moved: set[int]) -> bool:
        """Tell whether the rows would look otherwise if this were the cause."""
        share = self._fall.least_share
        chances = list(self._gaps(one, moved, share))
        z = self._strains(one, moved, share)
        looked_at = len(chances) + len(z)
        is_far = any(abs(told) > changed_inputs.beyond(LEVEL, looked_at) for told in z)
        return is_far or any(chance * looked_at < LEVEL for chance in chances)

    def _gaps(self, one: Break, moved: set[int], share: float) -> Iterator[float]:
        """Yield how likely the values of its columns are if so many rows were broken."""
        for at, other in zip(one.columns, reversed(one.columns), strict=True):
            if at not in moved:
                own, theirs = (
                    self._known(self._fall.before, at),
                    self._known(self._fall.before, other),
                )
                if one.what == "sign":
                    theirs = np.sort(-own if self._fall.is_number[at] else 1 - own)
                yield _mixture_chance(self._known(self._fall.after, at), own, theirs, share)

    @staticmethod
    def _known(table: Table, at: int) -> Table:
        return np.sort(table[~np.isnan(table[:, at]), at])

    @cached_property
    def _bonds(self) -> tuple[Bonds, Bonds]:
        return changed_inputs.in_common(
            changed_inputs.bonds(self._fall.before, self._fall.is_number),
            changed_inputs.bonds(self._fall.after, self._fall.is_number),
        )

    def _strains(self, one: Break, moved: set[int], share: float) -> list[float]:
        """Return how far its columns hang together from how they would, in standard errors."""
        before, after = self._bonds
        owners = before.columns
        mine = [[at for at, owner in enumerate(owners) if owner == col] for col in one.columns]
        if any(len(found) != 1 for found in mine):
            return []
        places = np.array([found[0] for found in mine])
        r = before.correlations[places]
        broken = r[::-1] if one.what == "swapped" else -r
        z = changed_inputs.strain(before, after, places, (1 - share) * r + share * broken)
        left = [at for at, owner in enumerate(owners) if owner not in moved | set(one.columns)]
        kept = [at for at, column in enumerate(one.columns) if column not in moved]
        return [float(told) for told in z[np.ix_(kept, left)].ravel()]


def _at_most(depend: float, rows: int) -> float:
    """Return what share of answers a break changes at most.

    A value that is dealt out anew falls on the right side of a limit half of the time, a wrong one
    never: so it is twice the share that depends on its columns.
    """
    share = min(1.0, depend)
    error = math.sqrt((share * (1 - share) + 1 / rows) / rows)
    return 2 * depend + changed_inputs.beyond(2 * LEVEL, 1) * error


def _heads(heads: int, tosses: int) -> float:
    """Return how likely so many heads are of a fair coin."""
    return float(sum(math.comb(tosses, one) for one in range(heads, tosses + 1)) / 2**tosses)


def _mixture_chance(after: Table, before: Table, broken: Table, share: float) -> float:
    """Return how likely values are of a mixture of two samples, all sorted: KS on their values."""
    if not len(after) or not len(before) or not len(broken):
        return 1.0
    grid = np.sort(
        np.concatenate([one[:: len(one) // STEPS + 1] for one in (after, before, broken)])
    )
    below = [np.searchsorted(one, grid, side="right") / len(one) for one in (after, before, broken)]
    gap = float(np.abs(below[0] - (1 - share) * below[1] - share * below[2]).max())
    return ks_chance(gap, len(after), min(len(before), len(broken)))
