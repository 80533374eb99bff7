"""What the rows of a period are worth, column by column, and all of them.

A row counts as 1 / τ of an independent one where like values follow each other, and as 1 / m where
whole rows come again (see `worth`); the smaller of the two is taken for each column. Where two
rows are alike by nature, as in a table of few choices, that is no repeat: the chance of it is at
least ∏ Σ p², over the columns, as they lie in training.

Over a day values follow the hours, which makes τ large and the rows worth little, until earlier
days tell what is usual at each hour (see `habits`): then the smaller τ counts, of the values or
of what is left of them. Only stretches shorter than a day tell how long runs are by nature.

Answers are made of the inputs, and are worth no more than the input where τ is shortest: an answer
that is nearly always the same hardly shows how slow it is.

    >>> column = Column(8, numbers=np.array([1.0, 1, 1, 1, 5, 5, 5, 5]))
    >>> found = dependence_of({"x": column}, list("aaaabbbb"), Reference({}))
    >>> found.repeats, found.shares["x"]
    (4.0, 0.25)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from statistics import median

import numpy as np

from unrot.core.records import Distribution
from unrot.core.time import DAY
from unrot.watch.monitors.drift.habits import Habit
from unrot.watch.profiles.baseline import Reference
from unrot.watch.profiles.columns import OUTPUTS, Column, Columns, Numbers
from unrot.watch.worth.measures import autocorrelation_time, persistence_time, repeats

REMEMBERED = 9
"""The usual is the median of so many periods, and of no fewer than a third for runs."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """How much the rows of a period depend on each other."""

    repeats: float = 1.0
    """How often a whole row comes."""
    runs: float = 1.0
    """The autocorrelation time of the column where it is shortest."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """As what part of an independent row one counts, by column."""

    def rows(self, rows: int, seconds: float) -> float:
        """Return what some rows of a period so long are worth in the best column."""
        return rows / (self.repeats if seconds >= DAY else max(self.repeats, self.runs))


def dependence_of(
    columns: Columns,
    rows: Sequence[Hashable],
    reference: Reference,
    habits: Mapping[str, Habit] | None = None,
) -> Dependence:
    """Return what rows in their order are worth, beside how they lie in training.

    `habits` is what is usual of their values, by column, where it is known.
    """
    inputs = [name for name in reference.summary if name not in OUTPUTS]
    alike = prod(_alike(name, reference) for name in inputs) if inputs else 0.0
    codes = {name: _codes(one, reference.summary.get(name)) for name, one in columns.items()}
    times = repeats(rows, alike=alike)
    runs = {name: _runs(one, (habits or {}).get(name)) for name, one in codes.items()}
    varied = [name for name, one in codes.items() if len(one) and np.ptp(one) > 0]
    fastest = min((runs[name] for name in varied if name not in OUTPUTS), default=1.0)
    runs |= {name: max(runs[name], fastest) for name in codes if name in OUTPUTS}
    return Dependence(
        repeats=times,
        runs=min((runs[name] for name in varied), default=1.0),
        shares={name: 1 / max(one, times) for name, one in runs.items()},
    )


def usual_dependence(past: Sequence[tuple[float, float]]) -> Dependence:
    """Return what is usual after some periods: repeats and runs, the newest last."""
    told = past[-REMEMBERED:]
    runs = [one for _, one in told if one]
    return Dependence(
        repeats=median(one for one, _ in told) if told else 1.0,
        runs=median(runs) if 3 * len(runs) >= REMEMBERED else 1.0,
    )


def _runs(codes: Numbers, habit: Habit | None) -> float:
    """Return how many rows in their order are worth one, beside what is usual at their hours."""
    runs = max(autocorrelation_time(codes), persistence_time(codes))
    if habit is None or not np.ptp(codes):
        return runs
    left = codes - habit.values
    beside = max(autocorrelation_time(left), persistence_time(left))
    spread = max(float(codes.var()), float(left.var()))
    return min(runs, beside) + len(codes) * habit.off**2 / spread


def _codes(column: Column, bins: Distribution | None) -> Numbers:
    """Return values in their order; of choices how common each is in training, as a rank."""
    if column.numbers is not None:
        return column.numbers
    ranks = {} if bins is None else {choice: rank for rank, choice in enumerate(bins.choices)}
    return np.array([ranks.setdefault(one, len(ranks)) for one in column.texts], float)


def _alike(name: str, reference: Reference) -> float:
    """Return how likely two training values of a column are the same."""
    if name in reference.points:
        counts = np.unique(reference.points[name], return_counts=True)[1]
    else:
        # The last cell is of many rare choices, which are unlike each other.
        counts = np.array(reference.summary[name].counts[:-1])
    held = int(counts.sum())
    return float((counts * (counts - 1)).sum() / (held * (held - 1))) if held > 1 else 1.0
