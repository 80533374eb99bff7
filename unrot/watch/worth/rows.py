"""How many rows of a model's traffic say as much as one independent row, at some moment.

It is asked only where something looks like a finding, and told from the newest rows by then, also
those before the period in question: within a short one a slow walk looks like many rows.
"""

from __future__ import annotations

from unrot.watch.profiles import references
from unrot.watch.visit import Visit
from unrot.watch.worth.measures import not_worth_of

MOST_ROWS = 2_000


def not_worth(visit: Visit, until: float) -> float:
    """Return how many rows are worth one, as far as they are still kept."""
    newest = visit.store.traffic.of_period(
        visit.name, since=0.0, until=until, judged_only=False, limit=MOST_ROWS
    )
    named = references.bins_of(visit.service, visit.name, visit.champion)
    rows = [one.prediction.inputs for one in reversed(newest)]
    return not_worth_of(visit.model.schema, rows, alike=0.0 if named is None else named[1].alike)
