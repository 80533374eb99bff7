"""How often rows come again that are not always there: a batch that is sent many times over.

Twenty copies of one row say as much as one. But where the same few rows come all the time, because
a model has few possible rows, each of them is a new word on it. So only those rows are counted
that were not there in the first part of a stream, a quarter to a half of it: the mean multiplicity
(`measures.py`) of those among the newest ones. Of long streams a sample of the rows is kept, always
all copies of a row or none.

    >>> repeats = Repeats()
    >>> for batch in range(80):
    ...     repeats.add([1_000 * batch + row for row in range(5)] * 10)
    >>> repeats.multiplicity()
    10.0
    >>> repeats = Repeats()
    >>> for batch in range(80):
    ...     repeats.add(list(range(5)) * 10)
    >>> repeats.multiplicity()
    1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unrot.watch.worth import measures

NEWEST = 2_000
MOST_KEPT = 4_000
FIRST_TURN = 8
FEW = 0.05
"""Where no more of the newest rows are new, it is the same rows that come all the time."""


@dataclass(slots=True)
class Repeats:
    """The rows of a stream, each as a number below 2³²: the newest, and which came when."""

    newest: list[int] = field(default_factory=list)
    old: set[int] = field(default_factory=set)
    between: set[int] = field(default_factory=set)
    young: set[int] = field(default_factory=set)
    sampled: int = 1
    """One row in so many is kept."""
    batches: int = 0

    def add(self, rows: Sequence[int]) -> None:
        """Go on with the next batch of rows."""
        kept = [row for row in rows if row % self.sampled == 0]
        self.newest = (self.newest + kept)[-max(1, NEWEST // self.sampled) :]
        self.young.update(kept)
        self.batches += 1
        if self.batches >= FIRST_TURN and self.batches & (self.batches - 1) == 0:
            self.old |= self.between
            self.between, self.young = self.young, set()
        while len(self.old) + len(self.between) + len(self.young) > MOST_KEPT:
            self._thin()

    def _thin(self) -> None:
        self.sampled *= 2
        self.newest = [row for row in self.newest if row % self.sampled == 0]
        for name in ("old", "between", "young"):
            setattr(self, name, {row for row in getattr(self, name) if row % self.sampled == 0})

    def multiplicity(self) -> float:
        """Return how often a new row comes on average among the newest rows."""
        fresh = [row for row in self.newest if row not in self.old]
        return measures.multiplicity(fresh) if len(fresh) > FEW * len(self.newest) else 1.0
