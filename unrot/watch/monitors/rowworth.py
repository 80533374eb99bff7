"""How many rows of a period say as much as one independent row, told from the rows themselves.

It is the larger of how often rows come again (more often than two rows of training are alike) and
how long they stay alike: the median autocorrelation time of the columns of numbers, in the order of
the rows. The median, because a single column that is broken for a while is no slow world.

>>> from unrot.core.records import Feature
>>> schema = Schema((Feature("x", "number"),), "y")
>>> not_worth_of(schema, [(number // 20,) for number in range(200)], alike=0.0) > 10
True
>>> not_worth_of(schema, [(1.0,), (2.0,), (3.0,)] * 50, alike=1 / 3) < 1.5
True
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrot.core.records import Row, Schema
from unrot.watch.monitors.worth import autocorrelation_time, repeats


def not_worth_of(schema: Schema, rows: Sequence[Row], *, alike: float) -> float:
    """Return how many rows, in their order, are worth one; 1 where there are none.

    `alike` is how likely two rows of training are equal.
    """
    if not rows:
        return 1.0
    return max(repeats(map(tuple, rows), alike=alike), _slowness(schema, rows))


def _slowness(schema: Schema, rows: Sequence[Row]) -> float:
    places = [at for at, one in enumerate(schema.features) if one.kind in ("number", "integer")]
    if not places:
        return 1.0
    table = np.array([[row[at] for at in places] for row in rows], dtype=np.float64)
    return float(np.median([autocorrelation_time(column) for column in table.T]))
