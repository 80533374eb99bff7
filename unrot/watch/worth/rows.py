"""How many rows of a model's traffic say as much as one independent row, at some moment.

It is asked only where something looks like a finding, and told from the newest rows by then, also
those before the period in question: within a short one a slow walk looks like many rows.

Of whole rows it is the larger of how often they come again (more often than two rows of training
are alike) and how long they stay alike, the median τ of their columns of numbers, by all their
correlations or by the first, which a few rows of a slow walk show sooner. The median, because a
single column that is broken for a while is no slow world; of ranks, because a few values that are
far out are none either. What lies apart before and after the one moment that parts a column best
is taken out first: the day on which a world moves for good would else look like a long run of like
rows, and hide what it broke.

    >>> from unrot.core.records import Feature
    >>> schema = Schema((Feature("x", "number"),), "y")
    >>> alike_among(schema, [(number // 20,) for number in range(200)], alike=0.0).not_worth > 10
    True
    >>> alike_among(schema, [(1.0,), (2.0,), (3.0,)] * 50, alike=1 / 3).not_worth < 1.5
    True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrot.core.records import Row, Schema
from unrot.watch.profiles import references
from unrot.watch.visit import Visit
from unrot.watch.worth.measures import (
    autocorrelation_time,
    persistence_time,
    ranks,
    repeats,
    steadied,
)
from unrot.watch.worth.verdicts import LONG_ENOUGH

MOST_ROWS = 2_000


class Alike(NamedTuple):
    """How often whole rows come again, and how long they stay alike."""

    repeats: float = 1.0
    slowness: float = 1.0

    @property
    def not_worth(self) -> float:
        """How many rows are worth one."""
        return max(self)

    def beside(self, verdicts: int) -> float:
        """Return the same beside so many verdicts: many show by themselves what is slow."""
        is_shown = verdicts >= LONG_ENOUGH * self.slowness
        return self.repeats if is_shown else self.not_worth


def not_worth(visit: Visit, until: float) -> float:
    """Return how many rows are worth one, as far as they are still kept."""
    return alike_of(visit, until).not_worth


def alike_of(visit: Visit, until: float) -> Alike:
    """Tell how alike the newest rows are by a moment, as far as they are still kept."""
    newest = visit.store.traffic.of_period(
        visit.key, since=0.0, until=until, judged_only=False, limit=MOST_ROWS
    )
    named = references.bins_of(visit.service, visit.key, visit.champion)
    rows = [one.prediction.inputs for one in reversed(newest)]
    return alike_among(visit.model.schema, rows, alike=0.0 if named is None else named[1].alike)


def alike_among(schema: Schema, rows: Sequence[Row], *, alike: float) -> Alike:
    """Tell how alike rows are, in their order; `alike` is how likely two of training are equal."""
    if not rows:
        return Alike()
    return Alike(repeats(map(tuple, rows), alike=alike), _slowness(schema, rows))


def _slowness(schema: Schema, rows: Sequence[Row]) -> float:
    places = [at for at, one in enumerate(schema.features) if one.kind in ("number", "integer")]
    if not places:
        return 1.0
    table = np.array([[row[at] for at in places] for row in rows], dtype=np.float64)
    return float(np.median([_stays_alike(column[np.isfinite(column)]) for column in table.T]))


def _stays_alike(column: NDArray[np.float64]) -> float:
    told = steadied(ranks(column))
    return max(autocorrelation_time(told), persistence_time(told))
