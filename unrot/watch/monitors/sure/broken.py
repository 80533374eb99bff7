"""Whether the sets that the holdout makes hold as many truths as they promised.

With n rows held out, and l = ⌊(n + 1)(1 - coverage)⌋, they miss of m fresh rows x with the chance
of the beta-binomial of m, l and n + 1 - l. Nights and weekends may be harder than other hours, and
errors come in bursts. So verdicts are held against that

    at once     every `TURN` verdicts, the newest 50, 100, 200 and 400: surely more than 25 points
                fewer are held, which is deeper than a cycle
    by days     once a day is over, those on the answers of whole days: of the last week, or while
                there is none of the working days; of up to four weeks where a week has few

and count as what they are worth (`watch/worth/`): by how misses follow each other among them and
before, and by how rows repeat or change slowly. The chances of all looks add up to 1 %, half of it
for either way. It is over when half of the loss is left: in the newest 200, or in three whole days.

Vovk, Conditional validity of inductive conformal predictors, Machine Learning 92 (2013) 349-376.

    >>> from unrot.core.conformal import Conformal
    >>> known = Promise(Conformal(100, ()), coverage=0.9, loss=0.05)
    >>> known.is_surely_broken(30, 100, chance=0.001), known.is_surely_broken(13, 100, chance=0.001)
    (True, False)
    >>> known.is_surely_broken(30, 100, chance=0.001, worth=10.0)
    False
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from unrot.core.conformal import Conformal
from unrot.core.time import DAY, is_weekend
from unrot.watch.statistics.many_looks import level
from unrot.watch.statistics.usual_share import tail
from unrot.watch.worth.measures import steadied
from unrot.watch.worth.rows import Alike
from unrot.watch.worth.verdicts import of_left

TURN, NEWEST, FEWEST = 25, 200, 50
FAR = 0.25
"""So much deeper than promised is no cycle."""
A_WEEK, MOST_DAYS, DAYS_BACK = 7, 28, 3
SIZES = (50, 100, 200, 400)
DELTA, BACK = 0.01, 0.5

Rows = Callable[[], Alike]
"""How alike the newest rows are; it is read only where something looks broken."""


class Counts(NamedTuple):
    """How many truths there are, and were held: by what was told, and by the holdout alone."""

    truths: int
    told: int
    promised: int

    @property
    def missed(self) -> int:
        """How many the holdout alone would have missed."""
        return self.truths - self.promised


Days = Mapping[str, tuple[int, int, int]]
"""The counts of each day of answers."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a holdout promised, and how much less is a loss."""

    known: Conformal
    coverage: float
    loss: float

    @property
    def missed(self) -> float:
        """The share that sets were to miss."""
        few, rest = self.known.missing_ranks(self.coverage)
        return few / (few + rest)

    def is_surely_broken(
        self, missed: int, count: int, *, chance: float, deeper: float = 0.0, worth: float = 1.0
    ) -> bool:
        """Tell whether so many missed ones come by chance alone less often than is allowed."""
        few, rest = self.known.missing_ranks(self.coverage)
        beyond = deeper * (few + rest)
        if few < 1 or rest <= beyond or count < FEWEST:
            return False
        if missed / count - self.missed < max(self.loss, deeper):
            return False
        return tail(missed / worth, count / worth, few + beyond, rest - beyond) <= chance

    def is_back(self, newest: Counts) -> bool:
        """Tell whether no more than half of the loss is left."""
        if not newest.truths:
            return False
        return newest.missed / newest.truths - self.missed <= BACK * self.loss


def is_broken_at_once(
    promise: Promise, held: Iterable[bool], *, turn: int, rows: Rows = Alike
) -> bool:
    """Tell whether the newest verdicts are surely deeper below the promise than a cycle is."""
    missed = np.array([not one for one in held], dtype=np.float64)
    chance = level(turn, DELTA / 2) / len(SIZES)
    for size in SIZES:
        before, newest = missed[:-size], missed[-size:]
        broken = partial(
            promise.is_surely_broken, int(newest.sum()), len(newest), chance=chance, deeper=FAR
        )
        if len(newest) == size and broken():
            left = max(of_left(steadied(before)), of_left(newest - newest.mean()))
            if broken(worth=max(left, rows().beside(size))):
                return True
    return False


def is_broken_by_days(
    promise: Promise, days: Days, held: Iterable[bool], *, look: int, rows: Rows = Alike
) -> bool:
    """Tell whether answers of whole days are surely held less often than was promised."""
    told = added_up(days, whole_days(days))
    chance = level(look, DELTA / 2)
    broken = partial(promise.is_surely_broken, told.missed, told.truths, chance=chance)
    if not broken():
        return False
    # A fall that is to be found would look like one long run of misses.
    left = of_left(steadied([not one for one in held]))
    return broken(worth=max(left, rows().beside(told.truths)))


def whole_days(days: Days) -> list[str]:
    """Return the days by which is judged, of those that are over: all but the first and the last.

    >>> told = (100, 90, 90)
    >>> whole_days({str(day): told for day in range(20_000, 20_005)})   # a Friday comes first
    ['20003']
    >>> whole_days({str(day): told for day in range(20_000, 20_011)})[0]
    '20003'
    """
    over = sorted(days, key=int)[1:-1]
    if len(over) < A_WEEK:
        return [day for day in over if not is_weekend(int(day) * float(DAY))]
    weeks = 1
    while weeks * A_WEEK < min(len(over), MOST_DAYS) and _count(days, over, weeks) < NEWEST:
        weeks += 1
    return over[-min(weeks, len(over) // A_WEEK) * A_WEEK :]


def last_days(days: Days) -> list[str]:
    """Return the last whole days, by which is judged whether it is over."""
    return sorted(days, key=int)[1:-1][-DAYS_BACK:]


def added_up(days: Days, some: Iterable[str]) -> Counts:
    """Add up the counts of some days."""
    told = [Counts(*days[day]) for day in some]
    return Counts(*map(sum, zip(*told, strict=True))) if told else Counts(0, 0, 0)


def with_one_more(days: Days, at: float, *, told: bool, promised: bool) -> Days:
    """Count one more truth on an answer of some moment."""
    day = str(int(at // DAY))
    before = Counts(*days.get(day, (0, 0, 0)))
    after = {
        **days,
        day: Counts(before.truths + 1, before.told + told, before.promised + promised),
    }
    if len(after) > MOST_DAYS + 2:
        del after[min(after, key=int)]
    return after


def _count(days: Days, over: list[str], weeks: int) -> int:
    return added_up(days, over[-weeks * A_WEEK :]).truths
